"""Undo: the newest decision about a client taken back, as a decision of its own by the same rules; and the nearest way
back to defaults that cannot be had any more."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from core import catalogue, subscriptions
from core.subscriptions import ClientSubscription, Revision, Seen
from core.words import (
    BillingPeriod,
    BillingSettings,
    ClientStatus,
    NotAllowed,
    NothingToTakeBack,
    Overrides,
    Payer,
    RetiredChosen,
    Role,
    StaleSubscription,
)
from tests.conftest import STANDARD, Space
from tests.subscriptions.test_through_time import accepted, archive, cancel, change, check, firm, local, settings

__all__ = ["firm"]  # the partner space in Brussels

MORNING = local(2027, 1, 15, 10)


def take_back(
    firm: Space,
    client_id: int,
    *,
    at: datetime,
    reason: str = "",
    attempt: str = "",
    by: Role = Role.CLIENT_MANAGER,
    seen: Seen | None = None,
) -> Revision:
    firm.clock.moment = at
    seen = firm.detail(client_id).seen if seen is None else seen
    with firm.database.transaction() as session:
        return subscriptions.take_back(session, firm.members[by], client_id, seen=seen, reason=reason, attempt=attempt)


def state(shown: ClientSubscription) -> tuple[object, ...]:
    """What holds and what waits, without who decided it when."""
    waits = None if shown.pending is None else (shown.pending.valid_from, shown.pending.status)
    later = None if shown.pending is None else (shown.pending.settings, shown.pending.overridden)
    return shown.status, shown.effective, shown.price, shown.period, waits, later


def test_an_exception_of_an_invited_client_is_undone_by_a_new_revision_with_its_reason(space: Space) -> None:
    """Who undid it and why is in the history; what was decided before stays there."""
    space.save(STANDARD)
    client_id = space.invite("Aubry", Overrides(payer=Payer.CLIENT)).client_id
    before = state(space.detail(client_id))
    space.override(client_id, Overrides(plan="plus"), reason="asked for it")
    made = take_back(space, client_id, at=space.clock.moment, reason="they did not")
    shown = space.detail(client_id)
    assert state(shown) == before
    assert shown.history[0] == made
    assert [each.reason for each in shown.history] == ["they did not", "asked for it", ""]
    assert made.changed_by == space.manager.name
    check(space)


def test_an_adoption_is_undone_the_client_is_bound_to_the_version_from_before(space: Space) -> None:
    """With the choices that adopting cleared."""
    space.save(STANDARD)
    client_id = space.invite("Aubry", Overrides(plan="plus")).client_id
    before = state(space.detail(client_id))
    space.save(
        BillingSettings.starting_with(
            payer=Payer.CLIENT, billing_period=BillingPeriod.YEARLY, plan="premium", add_ons=frozenset()
        )
    )
    space.adopt(client_id, clear_overrides=True)
    assert space.detail(client_id).effective.defaults_version == 2
    take_back(space, client_id, at=space.clock.moment)
    assert state(space.detail(client_id)) == before
    assert not space.detail(client_id).has_adopted
    check(space)


def test_an_upgrade_is_undone_at_once_on_its_day_and_at_the_renewal_on_a_later_one(firm: Space) -> None:
    """As any change to a lower price (rules 28 and 29), and the preview says so."""
    client_id = accepted(firm, MORNING)
    before = state(firm.detail(client_id))
    change(firm, client_id, at=local(2027, 1, 25, 9), plan="plus")
    shown = firm.detail(client_id)
    with firm.database.reading() as session:
        preview = subscriptions.preview_take_back(session, firm.manager, shown)
    assert preview is not None
    assert not preview.waits
    firm.clock.moment = local(2027, 1, 26, 9)
    shown = firm.detail(client_id)
    with firm.database.reading() as session:
        preview = subscriptions.preview_take_back(session, firm.manager, shown)
    assert preview is not None
    assert (preview.waits, preview.timing.day) == (True, date(2027, 2, 15))
    made = take_back(firm, client_id, at=local(2027, 1, 26, 9))
    assert made.valid_from == local(2027, 2, 15)
    assert firm.detail(client_id).held.settings.plan == "plus"
    firm.clock.moment = local(2027, 2, 15, 9)
    assert state(firm.detail(client_id))[1] == before[1]
    check(firm)


def test_an_upgrade_undone_on_its_day_leaves_nothing_to_pay(firm: Space) -> None:
    """The day ends as it began."""
    client_id = accepted(firm, MORNING)
    before = state(firm.detail(client_id))
    change(firm, client_id, at=local(2027, 1, 25, 9), plan="plus")
    take_back(firm, client_id, at=local(2027, 1, 25, 10))
    assert state(firm.detail(client_id)) == before
    check(firm)


def _waits_for_starter(firm: Space, client_id: int) -> None:
    change(firm, client_id, at=local(2027, 1, 20, 9), plan="starter")


DECISIONS: list[tuple[str, Callable[[Space, int], object]]] = [
    ("what waits alone", lambda firm, number: change(firm, number, at=local(2027, 1, 21), plan="starter")),
    ("an end", lambda firm, number: archive(firm, number, at=local(2027, 1, 21))),
]
BESIDE = [
    (
        "another wait",
        lambda firm, number: change(
            firm, number, at=local(2027, 1, 21), plan="standard", billing_period=BillingPeriod.YEARLY
        ),
    ),
    ("a cancellation", lambda firm, number: cancel(firm, number, at=local(2027, 1, 21))),
    ("an end", lambda firm, number: archive(firm, number, at=local(2027, 1, 21))),
    ("at once beside it", lambda firm, number: change(firm, number, at=local(2027, 1, 21), payer=Payer.PARTNER)),
]


@pytest.mark.parametrize("decide", [act for _, act in DECISIONS], ids=[name for name, _ in DECISIONS])
def test_what_waits_is_cancelled(firm: Space, decide: Callable[[Space, int], object]) -> None:
    """A change or an end that was decided a moment ago."""
    client_id = accepted(firm, MORNING)
    before = state(firm.detail(client_id))
    decide(firm, client_id)
    assert state(firm.detail(client_id)) != before
    made = take_back(firm, client_id, at=local(2027, 1, 22), reason="too early")
    assert state(firm.detail(client_id)) == before
    assert (made.reason, made.status) == ("too early", ClientStatus.ACTIVE)
    check(firm)


@pytest.mark.parametrize("decide", [act for _, act in BESIDE], ids=[name for name, _ in BESIDE])
def test_what_waited_before_waits_again(firm: Space, decide: Callable[[Space, int], object]) -> None:
    """What the decision replaced, cancelled or left standing is as it was."""
    client_id = accepted(firm, MORNING)
    _waits_for_starter(firm, client_id)
    before = state(firm.detail(client_id))
    decide(firm, client_id)
    assert state(firm.detail(client_id)) != before
    take_back(firm, client_id, at=local(2027, 1, 22))
    assert state(firm.detail(client_id)) == before
    check(firm)


def test_undoing_twice_is_doing_it_again(firm: Space) -> None:
    """The newest decision is then the undoing."""
    client_id = accepted(firm, MORNING)
    change(firm, client_id, at=local(2027, 1, 25, 9), plan="plus")
    after = state(firm.detail(client_id))
    take_back(firm, client_id, at=local(2027, 1, 25, 10))
    take_back(firm, client_id, at=local(2027, 1, 25, 11))
    assert state(firm.detail(client_id)) == after
    check(firm)


def test_an_invitation_an_answer_and_an_end_are_not_undone(firm: Space) -> None:
    """They are no change of settings; nor is what took the place of part of a change that waits."""
    invited = firm.invite("Aubry").client_id
    ended, partly = accepted(firm, MORNING, name="Fils"), accepted(firm, MORNING, name="Maes")
    answered = accepted(firm, MORNING, name="Peeters")
    archive(firm, ended, at=local(2027, 1, 20), at_once=True)
    _waits_for_starter(firm, partly)
    change(firm, partly, at=local(2027, 1, 21), plan="plus")
    for client_id in (invited, answered, ended, partly):
        before = firm.facts(client_id)
        with pytest.raises(NothingToTakeBack):
            take_back(firm, client_id, at=local(2027, 1, 22))
        assert firm.facts(client_id) == before


def test_an_end_that_was_cancelled_is_decided_again_by_archiving(firm: Space) -> None:
    """So it is not undone here."""
    client_id = accepted(firm, MORNING)
    archive(firm, client_id, at=local(2027, 1, 20))
    cancel(firm, client_id, at=local(2027, 1, 21))
    with pytest.raises(NothingToTakeBack):
        take_back(firm, client_id, at=local(2027, 1, 22))


def test_a_colleagues_decision_in_between_is_not_undone_without_a_word(space: Space) -> None:
    """What is taken back is what was seen (rule 12)."""
    space.save(STANDARD)
    client_id = space.invite("Aubry").client_id
    seen = space.override(client_id, Overrides(plan="plus")).seen
    space.override(client_id, Overrides(plan="premium"))
    before = space.facts(client_id)
    with pytest.raises(StaleSubscription):
        take_back(space, client_id, at=space.clock.moment, seen=seen)
    assert space.facts(client_id) == before


def test_the_same_form_sent_twice_undoes_once(space: Space) -> None:
    """Where an answer got lost, the click that follows it changes nothing more."""
    space.save(STANDARD)
    client_id = space.invite("Aubry").client_id
    seen = space.override(client_id, Overrides(plan="plus")).seen
    first = take_back(space, client_id, at=space.clock.moment, attempt="a" * 32, seen=seen)
    again = take_back(space, client_id, at=space.clock.moment, attempt="a" * 32, seen=seen)
    assert again == first
    assert len(space.detail(client_id).history) == 3


@pytest.mark.parametrize("role", [Role.ACCOUNTANT, Role.FINANCE])
def test_who_may_not_make_exceptions_may_not_undo_them(space: Space, role: Role) -> None:
    """Neither see what it would do (rule 10)."""
    space.save(STANDARD)
    client_id = space.invite("Aubry").client_id
    space.override(client_id, Overrides(plan="plus"))
    space.give(client_id, Role.CLIENT_MANAGER)
    with pytest.raises(NotAllowed):
        take_back(space, client_id, at=space.clock.moment, by=role)
    shown = space.detail(client_id)
    with space.database.reading() as session, pytest.raises(NotAllowed):
        subscriptions.preview_take_back(session, space.members[role], shown)


def test_what_is_retired_since_is_not_taken_back(space: Space) -> None:
    """A choice of a plan that is retired now cannot be made again (rule 9)."""
    space.save(STANDARD)
    client_id = space.invite("Aubry", Overrides(plan="plus")).client_id
    space.override(client_id, Overrides(plan="premium"))
    space.retire(plan="plus")
    before = space.facts(client_id)
    with pytest.raises(RetiredChosen):
        take_back(space, client_id, at=space.clock.moment)
    assert space.facts(client_id) == before


def test_the_nearest_way_back_keeps_no_choice_where_none_is_needed(space: Space) -> None:
    """All goes back."""
    space.save(STANDARD)
    client_id = space.invite("Aubry", Overrides(plan="plus", payer=Payer.CLIENT)).client_id
    with space.database.reading() as session:
        assert subscriptions.nearest_to_defaults(session, space.manager, space.detail(client_id)) == Overrides()


def test_the_nearest_way_back_keeps_the_choices_without_which_it_cannot_be_had(space: Space) -> None:
    """The plan of its defaults has no price any more: the client's own plan stays, all else goes back."""
    space.save(settings("standard", BillingPeriod.MONTHLY, Payer.CLIENT))
    client_id = space.invite("Aubry", Overrides(plan="plus", payer=Payer.PARTNER)).client_id
    with space.database.transaction() as session:
        offer = catalogue.stored(session, "EUR")
        left = {(plan, period): cents for (plan, period), cents in offer.plan_prices.items() if plan != "standard"}
        begins = space.clock.moment.date() + timedelta(days=1)
        without = replace(offer.prices, number=offer.prices.number + 1, valid_from=begins, plan_prices=left)
        catalogue.store(session, replace(offer, price_lists=(*offer.price_lists, without)))
    space.clock.forward(days=2)
    with space.database.reading() as session:
        found = subscriptions.nearest_to_defaults(session, space.manager, space.detail(client_id))
    assert found == Overrides(plan="plus")
