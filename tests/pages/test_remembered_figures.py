"""Remembered figures say what is so now, though nobody changed anything: an invitation lapses within a day."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import streamlit as st

from core import members, reports
from core.members import Member
from core.words import ListedStatus
from pages.parts import figures
from tests.conftest import STANDARD, Space


@pytest.fixture(autouse=True)
def _nothing_remembered() -> None:
    st.cache_resource.clear()


def now(space: Space) -> tuple[Member, reports.InForce]:
    """The member as a run reads it anew, and what holds then."""
    with space.database.reading() as session:
        member = members.find(session, space.partner_id, space.administrator.member_id)
        assert member is not None
        return member, reports.in_force(session, member)


def spread(space: Space) -> dict[str, int]:
    """How many clients stand where, as Plan distribution has it."""
    rows = figures.spread(space.database, *now(space))
    return {str(status): int(found) for status, found in rows.groupby("status")["clients"].sum().items()}


def to_come(space: Space) -> int:
    return figures.counted(space.database, *now(space)).invited


def test_an_invitation_that_lapses_is_counted_as_lapsed_from_that_instant_on(space: Space) -> None:
    """Within a day, without a change: the second invitation lapses an hour after the first."""
    space.save(STANDARD)
    space.invite("First")
    space.clock.forward(hours=1)
    space.invite("Second")
    valid_for = space.database.deployment.invitations_valid_for
    space.clock.moment += valid_for - timedelta(hours=1, minutes=1)
    assert spread(space) == {ListedStatus.INVITED: 2}
    assert to_come(space) == 2
    space.clock.forward(minutes=1)
    assert spread(space) == {ListedStatus.INVITED: 1, ListedStatus.EXPIRED: 1}
    assert to_come(space) == 1
    space.clock.forward(hours=1)
    assert spread(space) == {ListedStatus.EXPIRED: 2}
    assert to_come(space) == 0


def test_what_did_not_change_is_not_counted_again(space: Space) -> None:
    """The same frame, until somebody changes something."""
    space.save(STANDARD)
    space.invite("First")
    before = figures.spread(space.database, *now(space))
    space.clock.forward(minutes=1)
    assert figures.spread(space.database, *now(space)) is before
    space.invite("Second")
    assert spread(space) == {ListedStatus.INVITED: 2}


def test_another_partner_space_has_figures_of_its_own(make_space: Callable[..., Space]) -> None:
    """With as many changes as this one, on the same database."""
    space, other = make_space(1), make_space(2)
    for each in (space, other):
        each.save(STANDARD)
        each.invite("First")
    space.invite("Second")
    with other.database.transaction() as session:
        members.take_turn(session, other.partner_id)
    assert spread(space) == {ListedStatus.INVITED: 2}
    assert now(space)[0].partner.change_number == now(other)[0].partner.change_number
    assert spread(other) == {ListedStatus.INVITED: 1}
