"""Every use case that is told a number, with numbers that nothing goes by: a refusal, on both databases."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from core import invitations, reports, subscriptions, team
from core.invitations import ClientDetails, NewClient
from core.members import find
from core.words import (
    BillingError,
    ClientNotFound,
    LinkUnknown,
    MemberNotFound,
    Overrides,
    Payer,
    ResponsibleUnknown,
    Role,
)
from tests.conftest import STANDARD, Space

NUMBERS = [-(2**70), -1, 0, 2**31 - 1, 2**31, 2**63, 2**70]
TYPED = ClientDetails.from_typed(name="Somebody", email="somebody@example.com", language="fr")
CLIENT_USES: dict[str, Callable[[Any, Any, int], object]] = {
    "detail": lambda s, m, n: subscriptions.detail(s, m, n),
    "visible": lambda s, m, n: subscriptions.visible(s, m, n),
    "override": lambda s, m, n: subscriptions.override(s, m, n, Overrides(payer=Payer.CLIENT), seen=1),
    "adopt": lambda s, m, n: subscriptions.adopt_current_defaults(s, m, [n]),
    "adopt as seen": lambda s, m, n: subscriptions.adopt_current_defaults(s, m, [n], seen={n: 1}),
    "edits": lambda s, m, n: invitations.edit_client(s, m, n, TYPED, seen=0),
    "responsible history": lambda s, m, n: subscriptions.responsible_history(s, m, n),
    "change responsible": lambda s, m, n: subscriptions.change_responsible(s, m, n, 1, seen=2),
    "invitation": lambda s, m, n: invitations.of_client(s, m, n),
    "waiting message": lambda s, m, n: invitations.waiting_message(s, m, n),
    "send again": lambda s, m, n: invitations.send_again(s, m, n, seen=1),
    "revoke": lambda s, m, n: invitations.revoke(s, m, n),
    "invite again": lambda s, m, n: invitations.invite_again(s, m, n),
}
MEMBER_USES: dict[str, Callable[[Any, Any, int], object]] = {
    "detail": lambda s, m, n: team.detail(s, m, n),
    "change": lambda s, m, n: team.change_member(s, m, n, role=Role.FINANCE, client_access=True, seen=0),
    "deactivate": lambda s, m, n: team.deactivate(s, m, n, seen=0),
    "bring back": lambda s, m, n: team.bring_back(s, m, n, seen=0),
    "release": lambda s, m, n: team.release_sign_in(s, m, n, seen=0),
    "send again": lambda s, m, n: team.send_again(s, m, n, seen=0),
}
RESPONSIBLE_USES: dict[str, Callable[[Any, Any, int], object]] = {
    "change": lambda s, m, n: subscriptions.change_responsible(s, m, 1, n, seen=2),
    "hand over": lambda s, m, n: subscriptions.hand_over(s, m, 1, n),
    "invite": lambda s, m, n: invitations.invite(s, m, NewClient(name="N", email="n@example.com"), responsible_id=n),
    "deactivate": lambda s, m, n: team.deactivate(s, m, 2, successor_id=n, seen=0),
}
SEEN_USES: dict[str, Callable[[Any, Any, int], object]] = {
    "override": lambda s, m, n: subscriptions.override(s, m, 1, Overrides(payer=Payer.CLIENT), seen=n),
    "adopt": lambda s, m, n: subscriptions.adopt_current_defaults(s, m, [1], seen={1: n}),
    "edit": lambda s, m, n: invitations.edit_client(s, m, 1, TYPED, seen=n),
    "responsible": lambda s, m, n: subscriptions.change_responsible(s, m, 1, 2, seen=n),
    "member": lambda s, m, n: team.change_member(s, m, 2, role=Role.CLIENT_MANAGER, client_access=False, seen=n),
}


@pytest.fixture
def lived_in(space: Space) -> Space:
    space.save(STANDARD)
    space.invite("one")
    return space


def each(space: Space, use: Callable[[Any, Any, int], object], refusal: type[Exception], numbers: list[int]) -> None:
    for number in numbers:
        with pytest.raises(refusal), space.database.transaction() as session:
            use(session, space.administrator, number)


@pytest.mark.parametrize("use", CLIENT_USES)
def test_no_client_goes_by_such_a_number(lived_in: Space, use: str) -> None:
    each(lived_in, CLIENT_USES[use], ClientNotFound, NUMBERS)


@pytest.mark.parametrize("use", MEMBER_USES)
def test_no_member_goes_by_such_a_number(lived_in: Space, use: str) -> None:
    each(lived_in, MEMBER_USES[use], MemberNotFound, NUMBERS)


@pytest.mark.parametrize("use", RESPONSIBLE_USES)
def test_nobody_with_such_a_number_looks_after_a_client(lived_in: Space, use: str) -> None:
    lived_in.give(1, Role.CLIENT_MANAGER)
    each(lived_in, RESPONSIBLE_USES[use], ResponsibleUnknown, NUMBERS)


@pytest.mark.parametrize("use", SEEN_USES)
def test_what_was_seen_has_no_such_number(lived_in: Space, use: str) -> None:
    """A form that names a state there never was is refused, or counts as one that has seen everything."""
    for number in NUMBERS:
        with suppress(BillingError), lived_in.database.transaction() as session:
            SEEN_USES[use](session, lived_in.administrator, number)


def test_a_link_with_such_numbers_opens_nothing(lived_in: Space) -> None:
    """Whatever somebody types into the URL."""
    for number in NUMBERS:
        for token in (f"{number}.1.1.secret", f"1.{number}.1.secret", f"1.1.{number}.secret"):
            with pytest.raises(LinkUnknown), lived_in.database.transaction() as session:
                invitations.accept(session, token)


def test_lists_and_lookups_find_nothing_under_such_numbers(lived_in: Space) -> None:
    """They are empty; the first page is shown for a page before it."""
    member = lived_in.administrator
    with lived_in.database.reading() as session:
        for number in NUMBERS:
            assert find(session, member.partner_id, number) is None
            assert reports.listed(session, member, responsible=number) == []
            assert len(reports.listed(session, member, page=number)) == (1 if number < 2 else 0)
            assert reports.figures(session, member, responsible=number).clients == 0
