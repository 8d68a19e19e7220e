"""What was typed in a form that is open survives a reload of the page: kept in this server's memory for the browser.

Streamlit begins a new session with each reload. What it has then is the browser's own cookie (pages/parts/web), so
what the session before knew of the form can be found again, by whoever has the same browser and is the same member. It
is kept for an hour, on this server alone; a field tells the server what is in it only when it is left.
"""

from typing import Any

import streamlit as st

from core.members import Member
from pages.parts import choices, server

_KEPT = {"open", "began at", "began with", "attempt", "reason", "clear", "at once", "own add_ons", "target"}
_READ = "drafts read"  # in the session's memory: of which forms the draft was looked for


def take_up(member: Member, key: str) -> None:
    """Before the form with this key is drawn, once in a session: what the session before left in it."""
    state, form = st.session_state, choices.form(key)
    read = state.setdefault(_READ, set())
    if key in read:
        return
    read.add(key)
    if (whose := _whose(member, key)) is None or f"{form}.open" in state:
        return
    for name, value in _all().get(whose, {}).items():
        state.setdefault(f"{form}.{name}", value)


def keep(member: Member, key: str, *names: str) -> None:
    """After the form with this key was drawn: what it says by now, or that it is closed. `names`: of its own fields."""
    whose = _whose(member, key)
    if whose is None:
        return
    form, drafts = choices.form(key), _all()
    if st.session_state.get(f"{form}.open"):
        found = {name: choices.chosen(f"{form}.{name}") for name in (*sorted(_KEPT), *names)}
        server.keep_newest(drafts, whose, {name: value for name, value in found.items() if value is not None})
    else:
        drafts.pop(whose, None)


def _whose(member: Member, key: str) -> tuple[Any, ...] | None:
    browser = st.user.to_dict().get("browser")
    return (browser, member.partner_id, member.member_id, key) if browser else None


@st.cache_resource(ttl=3600, max_entries=1, show_spinner=False)
def _all() -> dict[tuple[Any, ...], dict[str, Any]]:
    return {}
