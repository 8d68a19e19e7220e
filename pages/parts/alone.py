"""A part of a page that runs alone when one of its own widgets is used: the frame, and the rest of the page, stay as
they were drawn.

The frame asks on every run who is here. A part that runs alone asks the same of the same functions; where the answer is
another one than when the frame was drawn, where a callback left something to say, or where the part is refused, the
whole page runs instead, and shows what is so now.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

import streamlit as st

from core.members import Permission
from core.words import BillingError, DatabaseFailed
from pages.parts import notices, visitor
from pages.parts.presence import Arrival


def run(part: Callable[..., None], permission: Permission, *drawn: Any) -> None:
    """Show `part`, which is given the member who is here and may do this, and what the page has `drawn` beside it.
    From then on a click in it runs it alone.

    It lies in another file than a page: a visit holds it, and a function of a page holds all that the page has read.
    """
    frame, failures, ran_before = _frame(visitor.arrived()), list[Exception](), False

    @wraps(part)
    def shown() -> None:
        nonlocal ran_before
        is_alone, ran_before = ran_before, True
        try:
            if is_alone and (_frame(visitor.arrive()[1]) != frame or notices.are_waiting()):
                st.rerun()
            part(visitor.member(permission), *drawn)
        except Exception as failure:
            if not is_alone:
                failures.append(failure)
            elif isinstance(failure, DatabaseFailed):
                notices.database_failed(failure, ())
            elif isinstance(failure, BillingError):
                st.rerun()
            else:
                raise

    st.fragment(shown)()
    if failures:  # the frame says so, in place of the whole page
        raise failures[0]


def _frame(arrival: Arrival) -> tuple[object, ...]:
    """What the frame shows, and which pages it leads to, as far as it follows from who is here, and when."""
    if (member := arrival.chosen) is None:
        return ()
    who = (member.partner_id, member.member_id, member.name, member.role, member.client_access, member.is_active)
    where = (member.partner.name, member.partner.time_zone)
    spaces = tuple((each.partner_id, each.partner.name) for each in arrival.spaces)
    return *who, *where, spaces, arrival.shown_as
