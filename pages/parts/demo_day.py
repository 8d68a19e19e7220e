"""The day that the demo is shown as, at the foot of the menu: which one, and the ways to a later one and back."""

from contextvars import ContextVar
from datetime import date, timedelta
from typing import Any

import streamlit as st

from core import demo
from core.subscriptions import ClientSubscription
from core.words import day, t
from pages.parts import notices, server
from pages.parts.text import plain

_row: ContextVar[Any] = ContextVar("row", default=None)  # where a page puts a way of its own

_KEPT = ("language", "demo.member")  # in the session's memory, of what begins again with the demo


def control() -> None:
    """The day, a day and a month later, and today again."""
    shown = server.shown_day()
    if shown is None:
        return
    with st.container(gap="xxsmall", key="demo.day"):
        st.caption(
            t("Today is {day}", day=day(shown.day)) if shown.is_today else t("Shown as {day}", day=day(shown.day))
        )
        with st.container(horizontal=True, gap="xxsmall"):
            _way(t("+1 day"), "day", shown.day + timedelta(days=1))
            _way(t("+1 month"), "month", demo.month_after(shown.day))
            with st.popover("", icon=":material/restart_alt:", key="demo.anew", help=t("Begin the demo again")):
                st.write(t("Make the demo anew, as of today? What everybody did in it is gone then."))
                st.button(t("Make it anew"), key="demo.reset", on_click=notices.callback(_reset))
        _row.set(st.container())


def offer_renewal(shown: ClientSubscription) -> None:
    """In the demo, a way to the next renewal of the client that is shown."""
    row = _row.get()
    if row is None or shown.period is None:
        return
    with row:
        renewal = shown.period.renewal
        _way(t("To its renewal on {day}", day=day(renewal)), f"renewal of {shown.client.client_id}", renewal)


def _way(label: str, name: str, to: date) -> None:
    meaning = t("Show the demo as {day}, to everybody. What waits until then takes effect.", day=day(to))
    st.button(plain(label), key=f"demo.{name}", help=meaning, on_click=notices.callback(_move_to), args=(to,))


def _move_to(to: date) -> None:
    with server.database().transaction() as session:
        demo.move_to(session, to)


def _reset() -> None:
    """The demo anew; whatever was chosen and typed about clients of the one before is gone."""
    with st.spinner(t("The demo is being made anew.")):
        demo.reset(server.database())
    state = st.session_state
    kept = {name: state[name] for name in _KEPT if name in state}
    state.clear()
    state.update(kept)
