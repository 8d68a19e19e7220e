"""The day that the demo is shown as, at the foot of the menu: which one, and the ways to a later one and back, unless
the operator switched them off (BILLING_DEMO_CONTROL)."""

from contextvars import ContextVar
from datetime import date, timedelta
from typing import Any

import streamlit as st

from core import demo
from core.demo import ShownDay
from core.members import Member
from core.subscriptions import ClientSubscription
from core.words import day, t
from pages.parts import notices, server

_row: ContextVar[Any] = ContextVar("row", default=None)  # where a page puts a way of its own

_KEPT = ("language", "demo.member")  # in the session's memory, of what begins again with the demo


def control(member: Member, shown: ShownDay) -> None:
    """The day, a day and a month later, and today again; the day alone where nobody is to move it."""
    with st.container(gap="xxsmall"):
        name = t("Today is {day}", day=day(shown.day)) if shown.is_today else t("Shown as {day}", day=day(shown.day))
        if not server.configuration().demo_control:
            st.caption(name)
            return
        st.caption(name, help=t("The demo is shown as a later day to everybody, until it is begun again."))
        with st.container(horizontal=True, gap="xxsmall"):
            _way(t("+1 day"), "day", shown.day + timedelta(days=1))
            _way(t("+1 month"), "month", demo.month_after(shown.day))
            anew = f"demo.anew {member.partner.change_number}"  # another one once it is: that closes it
            with st.popover("", icon=":material/restart_alt:", key=anew, help=t("Begin the demo again")):
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
    st.button(label, key=f"demo.to {name}", on_click=notices.callback(_move_to), args=(to,))


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
