"""The filters of the list by default set and version: for a firm with several sets, or after a link to a version."""

import streamlit as st

from core.defaults import Sets
from core.reports import BOUND_TO_NONE
from pages.parts.default_sets import parts

_SET, _VERSION = "clients.default_set", "clients.version"


def leave_out(filters: list[str], sets: Sets) -> None:
    """Take those out of `filters` that there is nothing to choose with: a firm with one set has no set to pick, and a
    version is one of a set. What they held is forgotten then."""
    picked = st.session_state.get(_SET)
    if not sets.are_several:
        _forget(filters, "default_set")
    if sets.are_several and sets.find(picked) is None:
        _forget(filters, "version")
    elif not sets.are_several and st.session_state.get(_VERSION) is None:
        filters.remove("version")


def words(name: str, sets: Sets) -> dict[int, str]:
    """The values of one of these filters, each in words: the sets, or the versions of the one that is picked, newest
    first."""
    if name == "default_set":
        return {part.value: part.label for part in parts(sets, (BOUND_TO_NONE, *(each.set_number for each in sets)))}
    of_set = sets.find(st.session_state.get(_SET)) or sets.standard
    newest = 0 if of_set is None else of_set.version
    return {version: f"v{version}" for version in range(newest, 0, -1)}


def _forget(filters: list[str], name: str) -> None:
    filters.remove(name)
    st.session_state.pop(f"clients.{name}", None)
