"""The clients that are ticked in the list, over its pages; and the menu of what can be done with them, or with all that
the filters find."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from core import reports
from core.bulk import MOST
from core.words import BatchKind, nt, number, t

CHANGE_MANY = "pages/clients/change_many.py"
_TICKED = "clients.ticked"  # in the session's memory: of which question, and who
_BEGAN = "clients.ticked at first"  # which table was drawn last, and who was when it was drawn first
_FORGOTTEN = "clients.ticks forgotten"


def ticked(question: str) -> frozenset[int]:
    """Who is ticked: of this question; another question begins with nobody."""
    asked, clients = st.session_state.get(_TICKED, ("", frozenset()))
    return clients if asked == question else frozenset()


def keep(question: str, clients: frozenset[int]) -> None:
    """Remember who is ticked."""
    st.session_state[_TICKED] = (question, clients)


def at_first(question: str, table: str) -> frozenset[int]:
    """Who was ticked when the table of this key was drawn first, on a page that was turned to or come back to: one
    whose beginning changed would begin anew."""
    state = st.session_state
    if table not in state or state.get(_BEGAN, (None, None))[0] != table:
        state[_BEGAN] = (table, ticked(question))
    clients: frozenset[int] = state[_BEGAN][1]
    return clients


def times_forgotten() -> int:
    """How often all ticks were taken away: the table begins anew then."""
    return int(st.session_state.get(_FORGOTTEN, 0))


def acts() -> dict[BatchKind, tuple[str, str]]:
    """What can be done with many clients: each act in words, with its icon."""
    return {
        BatchKind.ADOPT: (t("Adopt current defaults"), ":material/upgrade:"),
        BatchKind.OVERRIDE: (t("Set or clear overrides"), ":material/tune:"),
        BatchKind.RESPONSIBLE: (t("Change account manager"), ":material/swap_horiz:"),
        BatchKind.CANCEL: (t("Cancel pending changes"), ":material/event_busy:"),
        BatchKind.ARCHIVE: (t("Archive"), ":material/inventory_2:"),
    }


def menu(clients: frozenset[int], found: int, filters: Mapping[str, Any]) -> None:
    """What can be done: with the ticked clients, or else with all `found` by these filters."""
    whom = nt("With the {count} client ticked", "With the {count} clients ticked", len(clients))
    if not clients:
        whom = nt("With the client that matches", "With all {count} clients that match", found)
    labels = {kind: f"{icon} {label}" for kind, (label, icon) in acts().items()}
    are_too_many = not clients and found > MOST
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        act = st.menu_button(whom, [*labels], format_func=labels.__getitem__, key="clients.many", disabled=are_too_many)
        if clients:
            st.button(t("Untick all"), key="clients.untick", type="tertiary", on_click=_forget)
        if are_too_many:
            st.caption(t("Tick clients, or narrow the list down to {most} at most.", most=number(MOST)))
    if act is not None:
        st.switch_page(CHANGE_MANY, query_params={"act": act.value} | _asked(clients, filters))


def _asked(clients: frozenset[int], filters: Mapping[str, Any]) -> dict[str, str]:
    if clients:
        return {"ticked": ".".join(map(str, sorted(clients)))}
    return reports.filters_said(filters)


def _forget() -> None:
    st.session_state.pop(_TICKED, None)
    st.session_state[_FORGOTTEN] = times_forgotten() + 1
