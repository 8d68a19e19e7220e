"""The members who look after clients: who they are, and each in words that tell it from the others, to choose among."""

from collections import Counter
from collections.abc import Iterable, Sequence

import streamlit as st

from core import members, subscriptions
from core.members import Member
from core.storage import Database
from core.subscriptions import ResponsibleMember


def looking_after(database: Database, member: Member) -> tuple[ResponsibleMember, ...]:
    """`subscriptions.responsible_members`, remembered until something changes in the partner space: who looks after
    clients, and who may, is asked on every click of a list. `member` is as they are now."""
    whose = None if members.reads_all_clients(member) else member.member_id
    return _looking_after(database, member, repr((member.partner_id, member.partner.change_number, whose)))


def in_words(
    found: Sequence[ResponsibleMember], reader: Member, own: str, *, beside: Iterable[str] = ()
) -> dict[int, str]:
    """Each by number: the reader first, as `own`; the others by name, with the e-mail where the same words stand for
    somebody else, or for a choice `beside` them."""
    others = [each for each in found if each.member_id != reader.member_id]
    used = Counter([own, *beside, *(each.name for each in others)])
    words = {each.member_id: each.name if used[each.name] == 1 else f"{each.name} ({each.email})" for each in others}
    return {reader.member_id: own} | words if len(others) < len(found) else words


@st.cache_resource(ttl=3600, max_entries=100, show_spinner=False)
def _looking_after(_database: Database, _member: Member, version: str) -> tuple[ResponsibleMember, ...]:  # noqa: ARG001
    with _database.reading(single=True) as session:
        return subscriptions.responsible_members(session, _member)
