"""The default sets of a partner space for what chooses among them: names, newest versions, and which are retired."""

from collections.abc import Iterable
from typing import NamedTuple

import streamlit as st

from core import defaults
from core.defaults import Sets
from core.members import Member
from core.reports import BOUND_TO_NONE
from core.storage import Database
from core.words import t


class SetPart(NamedTuple):
    """A default set, by number, as a part of the whole."""

    value: int
    label: str


def known(database: Database, member: Member) -> Sets:
    """`defaults.sets`, remembered until something changes in the partner space: it is asked on every click of a list.
    `member` is as they are now."""
    return _known(database, member, repr((member.partner_id, member.partner.change_number)))


def name_text(sets: Sets, set_number: int) -> str:
    """A set among others to choose from: a retired one is told as such."""
    found = sets.named(set_number)
    return t("{name} (retired)", name=found.name) if found.is_retired else found.name


def parts(sets: Sets, set_numbers: Iterable[int]) -> list[SetPart]:
    """A part for each of these sets, and a last one where BOUND_TO_NONE is among them."""
    numbers = set(set_numbers)
    named = [SetPart(each.set_number, name_text(sets, each.set_number)) for each in sets if each.set_number in numbers]
    return [*named, SetPart(BOUND_TO_NONE, t("No default set"))] if BOUND_TO_NONE in numbers else named


@st.cache_resource(ttl=3600, max_entries=100, show_spinner=False)
def _known(_database: Database, _member: Member, version: str) -> Sets:  # noqa: ARG001 - the key
    with _database.reading(single=True) as session:
        return defaults.sets(session, _member)
