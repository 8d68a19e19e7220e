"""The life of a subscription, by its rules (23 to 41) and their worked examples: Europe/Brussels, the sample's prices
(Standard 19.00 / 190.00, Plus 34.00 / 350.00, Payroll 12.00, Starter 9.00)."""

import csv
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError

from core import catalogue, invitations, reports, subscriptions
from core.catalogue import Catalogue
from core.invitations import OutboxMessage
from core.members import Partner
from core.subscriptions import ClientSubscription, Revision, Seen, Waits
from core.subscriptions.lifecycle import buy_again_what_waits
from core.subscriptions.timing import earned
from core.words import (
    AddOnsNotOffered,
    ArchivedClient,
    BillingPeriod,
    BillingSettings,
    ClientStatus,
    EndPending,
    NothingPending,
    Overrides,
    Payer,
    PendingRefused,
    Role,
    StaleSubscription,
    TookEffect,
    spoken,
)
from tests.conftest import Clock, Space

ZONE = ZoneInfo("Europe/Brussels")
MONTHLY, YEARLY = BillingPeriod.MONTHLY, BillingPeriod.YEARLY


def local(*moment: int) -> datetime:
    """An instant by the clock of Brussels."""
    return datetime(*moment, tzinfo=ZONE).astimezone(UTC)  # type: ignore[arg-type, misc]


def settings(
    plan: str = "standard", period: BillingPeriod = MONTHLY, payer: Payer = Payer.CLIENT, *add_ons: str
) -> Any:
    return BillingSettings.starting_with(payer=payer, billing_period=period, plan=plan, add_ons=frozenset(add_ons))


@pytest.fixture
def firm(space: Space) -> Space:
    """The partner space in Brussels, with Standard by the month as its default."""
    with space.database.transaction() as session:
        session.execute(update(Partner).values(time_zone="Europe/Brussels"))
    for member in space.members.values():
        member.partner.time_zone = "Europe/Brussels"
    space.clock.moment = local(2026, 6, 1, 9)
    space.save(settings())
    return space


def accepted(firm: Space, at: datetime, overrides: Overrides = Overrides(), name: str = "Aubry") -> int:
    """A client that accepts at that moment, invited the hour before."""
    firm.clock.moment = at - timedelta(hours=1)
    client = firm.invite(name, overrides)
    firm.clock.moment = at
    with firm.database.transaction() as session:
        message = invitations.waiting(session, firm.partner_id, client.client_id, OutboxMessage)
        assert message is not None
        assert message.token is not None
        invitations.accept(session, message.token)
    return client.client_id


@pytest.mark.parametrize(
    ("fact", "other", "first"), [("time_zone", "UTC", "Europe/Brussels"), ("currency", "USD", "EUR")]
)
def test_time_zone_and_currency_stay_once_a_client_has_been_active(
    firm: Space, make_space: Any, fact: str, other: str, first: str
) -> None:
    """Rule 23: the tables refuse it, also when that client is archived; another partner's clients do not count."""
    make_space(2)

    def change(value: str, partner_id: int = 1) -> None:
        with firm.database.transaction() as session:
            session.execute(update(Partner).where(Partner.partner_id == partner_id).values({fact: value, "name": "N"}))

    firm.invite("Invited")
    change(other)
    change(first)
    firm.archive(accepted(firm, local(2026, 6, 1, 9)))
    change(first)
    change(other, partner_id=2)
    with pytest.raises(IntegrityError, match="has been active"):
        change(other)


def change(
    firm: Space, client_id: int, *, at: datetime, by: Role = Role.CLIENT_MANAGER, reason: str = "", **chosen: Any
) -> Revision:
    """Make these the exceptions of the client beside those it has, at a moment."""
    firm.clock.moment = at
    shown = firm.detail(client_id)
    overrides = replace(shown.overrides, **chosen)
    with firm.database.transaction() as session:
        return subscriptions.override(session, firm.members[by], client_id, overrides, seen=shown.seen, reason=reason)


def previewed(firm: Space, client_id: int, *, at: datetime, **chosen: Any) -> subscriptions.Preview:
    firm.clock.moment = at
    shown = firm.detail(client_id)
    with firm.database.reading() as session:
        overrides = replace(shown.overrides, **chosen)
        return subscriptions.preview_override(session, firm.manager, shown, overrides)


def cancel(firm: Space, client_id: int, *, at: datetime, reason: str = "") -> Revision:
    firm.clock.moment = at
    seen = firm.detail(client_id).seen
    with firm.database.transaction() as session:
        return subscriptions.cancel_pending(session, firm.manager, client_id, seen=seen, reason=reason)


def archive(firm: Space, client_id: int, *, at: datetime, at_once: bool = False) -> Revision:
    firm.clock.moment = at
    seen = firm.detail(client_id).seen
    with firm.database.transaction() as session:
        return subscriptions.archive(session, firm.manager, client_id, seen=seen, at_once=at_once)


def plan_at(firm: Space, client_id: int, instant: datetime) -> str:
    held = firm.as_of(client_id, instant)
    assert held is not None
    return held.settings.plan if held.status is ClientStatus.ACTIVE else held.status


def shown_at(firm: Space, client_id: int, at: datetime) -> ClientSubscription:
    firm.clock.moment = at
    return firm.detail(client_id)


def check(firm: Space) -> None:
    with firm.database.reading() as session:
        assert list(subscriptions.differences(session)) == []


def test_rule_23_the_subscription_starts_at_the_local_day_of_acceptance(firm: Space) -> None:
    """Half past midnight in Brussels is the day before in UTC."""
    client_id = accepted(firm, datetime(2027, 3, 31, 22, 30, tzinfo=UTC))
    shown = firm.detail(client_id)
    assert shown.held.rhythm == subscriptions.Rhythm(1)
    assert shown.period == subscriptions.Period(date(2027, 4, 1), date(2027, 5, 1))
    check(firm)


def test_rule_28_an_upgrade_is_immediate_and_charged_for_the_rest_of_the_period(firm: Space) -> None:
    """Standard, 15 January to 15 February; Plus on the 25th costs 10.16, Payroll on 5 February 3.87 (rule 37)."""
    client_id = accepted(firm, local(2027, 1, 15, 10))
    plus = previewed(firm, client_id, at=local(2027, 1, 25, 9), plan="plus")
    assert (plus.waits, str(plus.timing.charge)) == (False, "€10.16")
    change(firm, client_id, at=local(2027, 1, 25, 9), plan="plus")
    assert plan_at(firm, client_id, local(2027, 1, 25, 10)) == "plus"
    payroll = previewed(firm, client_id, at=local(2027, 2, 5, 9), add_ons=frozenset({"payroll"}))
    assert str(payroll.timing.charge) == "€3.87"
    assert payroll.price is not None
    assert payroll.price.cents == 4600
    check(firm)


def test_rule_37_the_charges_of_a_period_equal_the_sum_of_its_days() -> None:
    """33.03 = 613 + 1206 + 1484: ten days of Standard, eleven of Plus, ten with Payroll."""
    days = (earned(1900, 10, 31), earned(3400, 21, 31) - earned(3400, 10, 31), 4600 - earned(4600, 21, 31))
    assert days == (613, 1206, 1484)
    assert sum(days) == 1900 + 1016 + 387


def test_rule_28_a_lower_price_waits_for_the_renewal(firm: Space) -> None:
    """Though the plan may be a higher one: Starter with Payroll costs 21.00, Standard 19.00."""
    overrides = Overrides(plan="plus", add_ons=frozenset({"payroll"}))
    client_id = accepted(firm, local(2027, 1, 15, 10), overrides)
    preview = previewed(firm, client_id, at=local(2027, 1, 20, 9), plan="standard", add_ons=frozenset())
    assert preview.timing.waits == (Waits.LOWER_PRICE,)
    assert (preview.timing.day, preview.timing.moment) == (date(2027, 2, 15), local(2027, 2, 15, 0))
    change(firm, client_id, at=local(2027, 1, 20, 9), plan="standard", add_ons=frozenset())
    assert plan_at(firm, client_id, local(2027, 2, 14, 23, 59)) == "plus"
    assert plan_at(firm, client_id, local(2027, 2, 15, 0)) == "standard"
    check(firm)


def test_rule_28_another_billing_period_waits_at_any_price(firm: Space) -> None:
    """Alone or with an upgrade; the month of the renewal becomes the anchor month (rule 24)."""
    client_id = accepted(firm, local(2027, 1, 31, 10))
    preview = previewed(firm, client_id, at=local(2027, 2, 3, 9), billing_period=YEARLY, plan="plus")
    assert preview.timing.waits == (Waits.BILLING_PERIOD,)
    change(firm, client_id, at=local(2027, 2, 3, 9), billing_period=YEARLY, plan="plus")
    shown = shown_at(firm, client_id, local(2027, 2, 28, 0))
    assert shown.held.rhythm == subscriptions.Rhythm(31, 2)
    assert shown.period == subscriptions.Period(date(2027, 2, 28), date(2028, 2, 29))
    check(firm)


def test_rule_27_one_decision_takes_effect_at_one_instant_and_says_what_could_alone(firm: Space) -> None:
    """The payer would change today; with a lower price it waits too."""
    client_id = accepted(firm, local(2027, 1, 15, 10), Overrides(plan="plus"))
    both = previewed(firm, client_id, at=local(2027, 1, 20, 9), plan="standard", payer=Payer.PARTNER)
    assert [setting.value for setting in both.alone] == ["payer"]
    change(firm, client_id, at=local(2027, 1, 20, 9), plan="standard", payer=Payer.PARTNER)
    assert firm.detail(client_id).effective.settings.payer is Payer.CLIENT
    assert shown_at(firm, client_id, local(2027, 2, 15, 0)).effective.settings.payer is Payer.PARTNER


def test_rule_29_a_slip_of_today_is_taken_back_at_once_and_for_free(firm: Space) -> None:
    """The comparison is with what held when the local day began; a day's changes are charged once."""
    client_id = accepted(firm, local(2027, 1, 15, 10))
    change(firm, client_id, at=local(2027, 1, 25, 9), plan="premium")
    plus = previewed(firm, client_id, at=local(2027, 1, 25, 15), plan="plus")
    assert (plus.waits, str(plus.timing.charge)) == (False, "€10.16")
    back = previewed(firm, client_id, at=local(2027, 1, 25, 16), plan=None)
    assert (back.waits, back.timing.charge) == (False, None)
    change(firm, client_id, at=local(2027, 1, 25, 16), plan=None)
    assert firm.detail(client_id).pending is None
    check(firm)
    assert previewed(firm, client_id, at=local(2027, 1, 26, 9), plan="starter", add_ons=frozenset()).waits


def test_rule_29_on_the_day_of_acceptance_nothing_waits(firm: Space) -> None:
    """Neither a lower price nor another billing period; the anchor stays the day."""
    client_id = accepted(firm, local(2027, 1, 31, 10), Overrides(plan="plus"))
    change(firm, client_id, at=local(2027, 1, 31, 18), plan="standard", billing_period=YEARLY)
    shown = firm.detail(client_id)
    assert (shown.pending, shown.held.rhythm) == (None, subscriptions.Rhythm(31, 1))
    assert shown.effective.settings.billing_period is YEARLY
    check(firm)


def test_rule_30_a_change_of_payer_is_immediate_and_charges_nothing(firm: Space) -> None:
    """What was charged stays with who was charged."""
    client_id = accepted(firm, local(2027, 1, 15, 10))
    preview = previewed(firm, client_id, at=local(2027, 1, 20, 9), payer=Payer.PARTNER)
    assert (preview.waits, preview.timing.charge, preview.payer_changes) == (False, None, True)


def test_rule_32_what_the_pending_change_leaves_alone_follows_the_new_decision(firm: Space) -> None:
    """Plus, we pay; Standard from 1 February by one member, then the client pays by another one: before and after the
    renewal, and the pending change keeps its author, reason and date."""
    client_id = accepted(firm, local(2027, 1, 1, 10), Overrides(plan="plus", payer=Payer.PARTNER))
    change(firm, client_id, at=local(2027, 1, 3, 9), plan="standard", by=Role.ADMINISTRATOR, reason="too dear")
    change(firm, client_id, at=local(2027, 1, 10, 9), payer=Payer.CLIENT)
    shown = firm.detail(client_id)
    assert (shown.effective.settings.plan, shown.effective.settings.payer) == ("plus", Payer.CLIENT)
    assert shown.held.changed_by == "The client manager"
    pending = shown.pending
    assert pending is not None
    assert (pending.settings.plan, pending.settings.payer) == ("standard", Payer.CLIENT)
    assert (pending.changed_by, pending.reason) == ("The administrator", "too dear")
    assert (pending.decided_at, pending.valid_from) == (local(2027, 1, 3, 9), local(2027, 2, 1, 0))
    check(firm)


def test_rule_32_a_new_decision_on_the_same_setting_replaces_what_was_pending(firm: Space) -> None:
    """Premium at once: nothing of the change to Standard is left, and the preview said so."""
    client_id = accepted(firm, local(2027, 1, 1, 10), Overrides(plan="plus"))
    change(firm, client_id, at=local(2027, 1, 3, 9), plan="standard")
    preview = previewed(firm, client_id, at=local(2027, 1, 10, 9), plan="premium")
    assert (preview.withdraws, [each.value for each in preview.replaced]) == (True, ["plan"])
    change(firm, client_id, at=local(2027, 1, 10, 9), plan="premium")
    assert firm.detail(client_id).pending is None
    assert plan_at(firm, client_id, local(2027, 2, 1, 0)) == "premium"
    check(firm)


def test_rule_32_an_adoption_replaces_what_was_pending_whole(firm: Space) -> None:
    """Whatever waited, what the newest defaults say with the choices of now follows."""
    client_id = accepted(firm, local(2027, 1, 1, 10), Overrides(payer=Payer.PARTNER))
    change(firm, client_id, at=local(2027, 1, 3, 9), billing_period=YEARLY)
    firm.save(settings("plus"))
    firm.adopt(client_id)
    shown = firm.detail(client_id)
    assert (shown.pending, shown.effective.settings.plan) == (None, "plus")
    assert shown.effective.settings.billing_period is MONTHLY
    check(firm)


def test_rule_32_what_is_left_together_must_be_for_sale(firm: Space) -> None:
    """Payroll is offered with Plus, and not with the Standard that is pending: refused, naming both."""
    client_id = accepted(firm, local(2027, 1, 1, 10), Overrides(plan="plus"))
    change(firm, client_id, at=local(2027, 1, 3, 9), plan="standard")
    with pytest.raises(PendingRefused) as refused:
        previewed(firm, client_id, at=local(2027, 1, 10, 9), add_ons=frozenset({"payroll"}))
    assert str(refused.value).startswith("Payroll: not offered with Standard.")
    assert "1 Feb 2027" in str(refused.value)
    assert isinstance(refused.value.values["refusal"], AddOnsNotOffered)


def test_rule_32_the_preview_of_what_waits_with_the_pending_change_has_the_price_of_both(firm: Space) -> None:
    """Standard is pending, yearly joins it: 190.00 from 1 February on, not the 350.00 of Plus."""
    client_id = accepted(firm, local(2027, 1, 1, 10), Overrides(plan="plus"))
    change(firm, client_id, at=local(2027, 1, 3, 9), plan="standard")
    preview = previewed(firm, client_id, at=local(2027, 1, 10, 9), billing_period=YEARLY)
    assert preview.timing.waits == (Waits.BILLING_PERIOD,)
    assert preview.price is not None
    assert preview.price.cents == 19000
    change(firm, client_id, at=local(2027, 1, 10, 9), billing_period=YEARLY)
    assert price_at(firm, client_id, local(2027, 2, 1, 0)) == 19000
    check(firm)


def test_rule_33_what_is_cancelled_never_held(firm: Space) -> None:
    """Plus, Standard from 1 February, cancelled on 10 January: as of 1 February it is Plus."""
    client_id = accepted(firm, local(2027, 1, 1, 10), Overrides(plan="plus"))
    change(firm, client_id, at=local(2027, 1, 3, 9), plan="standard")
    cancel(firm, client_id, at=local(2027, 1, 10, 9), reason="they stay")
    newest, withdrawn, held, _ = firm.detail(client_id).history
    assert (withdrawn.valid_from, withdrawn.valid_to) == (local(2027, 2, 1, 0), local(2027, 2, 1, 0))
    assert (withdrawn.was_withdrawn, withdrawn.withdrawn_by) == (True, newest.revision)
    assert (newest.valid_from, newest.valid_to, newest.reason) == (local(2027, 1, 10, 9), None, "they stay")
    assert held.valid_to == newest.valid_from
    assert (newest.changes, newest.settings.plan) == ((), "plus")
    assert plan_at(firm, client_id, local(2027, 2, 1, 0)) == "plus"
    with pytest.raises(NothingPending):
        cancel(firm, client_id, at=local(2027, 1, 10, 10))
    check(firm)


def test_rule_34_a_change_that_took_effect_meanwhile_makes_the_save_stale(firm: Space) -> None:
    """Like a colleague's: it is told who decided what took effect, and when."""
    client_id = accepted(firm, local(2027, 1, 1, 10), Overrides(plan="plus"))
    change(firm, client_id, at=local(2027, 1, 3, 9), plan="standard")
    seen = firm.detail(client_id).seen
    firm.clock.moment = local(2027, 2, 1, 8)
    with pytest.raises(TookEffect, match=r"client manager had decided took effect on 31 Jan 2027, 23:00"):
        override_seen(firm, client_id, seen)
    firm.clock.moment = local(2027, 1, 20, 8)
    with pytest.raises(StaleSubscription):
        override_seen(firm, client_id, Seen(seen.held, seen.newest - 1))
    override_seen(firm, client_id, seen)


def override_seen(firm: Space, client_id: int, seen: Seen) -> None:
    with firm.database.transaction() as session:
        subscriptions.override(session, firm.manager, client_id, Overrides(payer=Payer.PARTNER), seen=seen)


def test_rule_34_a_decision_at_the_instant_at_which_another_took_effect_follows_it(firm: Space) -> None:
    """What took effect has held, though nobody could see for how long."""
    client_id = accepted(firm, local(2027, 1, 1, 10), Overrides(plan="plus"))
    change(firm, client_id, at=local(2027, 1, 3, 9), plan="standard")
    made = change(firm, client_id, at=local(2027, 2, 1, 0), payer=Payer.PARTNER)
    assert made.valid_from == local(2027, 2, 1, 0) + timedelta(microseconds=1)
    assert plan_at(firm, client_id, local(2027, 2, 1, 0)) == "standard"
    assert firm.detail(client_id).effective.settings.payer is Payer.PARTNER
    check(firm)


def test_rule_35_an_active_client_ends_with_its_paid_period(firm: Space) -> None:
    """While the end is pending every other change is refused, and it can be cancelled."""
    client_id = accepted(firm, local(2027, 1, 15, 10))
    archive(firm, client_id, at=local(2027, 1, 20, 9))
    with pytest.raises(EndPending, match="The subscription of Aubry ends on 15 Feb 2027"):
        change(firm, client_id, at=local(2027, 1, 21, 9), payer=Payer.PARTNER)
    with pytest.raises(EndPending):
        archive(firm, client_id, at=local(2027, 1, 21, 9), at_once=True)
    assert plan_at(firm, client_id, local(2027, 2, 14, 23)) == "standard"
    assert plan_at(firm, client_id, local(2027, 2, 15, 0)) == "archived"
    check(firm)
    cancel(firm, client_id, at=local(2027, 1, 22, 9))
    assert plan_at(firm, client_id, local(2027, 2, 15, 0)) == "standard"
    check(firm)


def test_rule_35_an_end_at_once_says_how_many_paid_days_are_given_up(firm: Space) -> None:
    """And it replaces what was pending."""
    client_id = accepted(firm, local(2027, 1, 15, 10), Overrides(plan="plus"))
    change(firm, client_id, at=local(2027, 1, 16, 9), plan="standard")
    firm.clock.moment = local(2027, 1, 20, 9)
    ending = subscriptions.preview_archive(firm.manager, firm.detail(client_id), at_once=True)
    assert (ending.day, ending.given_up_days) == (date(2027, 1, 20), 26)
    archive(firm, client_id, at=local(2027, 1, 20, 9), at_once=True)
    shown = firm.detail(client_id)
    assert (shown.status, shown.pending, shown.price) == (ClientStatus.ARCHIVED, None, None)
    with pytest.raises(ArchivedClient):
        change(firm, client_id, at=local(2027, 1, 21, 9), plan="plus")
    check(firm)


def test_rule_35_an_invited_client_is_archived_at_once_and_its_invitation_revoked(firm: Space) -> None:
    """The link opens nothing any more, and nothing is sent."""
    client = firm.invite()
    archive(firm, client.client_id, at=firm.clock.moment)
    assert firm.detail(client.client_id).status is ClientStatus.ARCHIVED
    assert firm.invitation(client.client_id).status == "revoked"
    with firm.database.reading() as session:
        assert invitations.waiting(session, firm.partner_id, client.client_id, OutboxMessage) is None
    check(firm)


def test_rule_36_coming_back_is_a_new_start(firm: Space) -> None:
    """A new anchor and the list of that day, on the newest version."""
    client_id = accepted(firm, local(2027, 1, 15, 10))
    archive(firm, client_id, at=local(2027, 1, 20, 9), at_once=True)
    firm.save(settings("plus"))
    with firm.database.transaction() as session:
        invitations.invite_again(session, firm.manager, client_id)
    firm.clock.moment = local(2027, 5, 7, 9) - timedelta(days=90)
    with firm.database.transaction() as session:
        message = invitations.waiting(session, firm.partner_id, client_id, OutboxMessage)
        assert message is not None
        assert message.token is not None
        invitations.accept(session, message.token)
    shown = firm.detail(client_id)
    assert (shown.effective.settings.plan, shown.effective.defaults_version) == ("plus", 2)
    assert shown.period is not None
    assert shown.period.first == date(2027, 2, 6)
    check(firm)


def test_rule_29_who_comes_back_the_day_it_ended_has_a_day_of_acceptance_again(firm: Space) -> None:
    """What it had in the morning was another subscription: nothing waits for its renewal, nothing is charged."""
    client_id = accepted(firm, local(2027, 1, 1, 10), Overrides(plan="plus"))
    archive(firm, client_id, at=local(2027, 1, 20, 9), at_once=True)
    comes_back(firm, client_id, at=local(2027, 1, 20, 11))
    payer = previewed(firm, client_id, at=local(2027, 1, 20, 12), payer=Payer.PARTNER)
    assert (payer.waits, payer.timing.charge) == (False, None)
    change(firm, client_id, at=local(2027, 1, 20, 12), payer=Payer.PARTNER, billing_period=YEARLY)
    shown = firm.detail(client_id)
    assert (shown.pending, shown.price and shown.price.cents) == (None, 19000)
    check(firm)


def test_rule_36_an_end_and_another_invitation_at_the_instant_of_the_renewal(firm: Space) -> None:
    """The clock stands where the end takes effect: it has held for a moment, and the client is asked in again."""
    client_id = accepted(firm, local(2027, 1, 15, 10))
    archive(firm, client_id, at=local(2027, 1, 20, 9))
    comes_back(firm, client_id, at=local(2027, 2, 15, 0))
    assert firm.detail(client_id).period == subscriptions.Period(date(2027, 2, 15), date(2027, 3, 15))
    check(firm)


def comes_back(firm: Space, client_id: int, *, at: datetime) -> None:
    """The client is invited again and accepts at once."""
    firm.clock.moment = at
    with firm.database.transaction() as session:
        invitations.invite_again(session, firm.manager, client_id)
    with firm.database.transaction() as session:
        message = invitations.waiting(session, firm.partner_id, client_id, OutboxMessage)
        assert message is not None
        assert message.token is not None
        invitations.accept(session, message.token)


def test_rule_29_who_comes_back_today_is_compared_with_nothing_of_before(firm: Space) -> None:
    """Also on the day on which a price list begins: it buys at that list."""
    client_id = accepted(firm, local(2027, 1, 15, 10))
    with_list(firm, date(2027, 3, 1), None, monthly=2100)
    archive(firm, client_id, at=local(2027, 3, 1, 9), at_once=True)
    firm.clock.moment = local(2027, 3, 1, 10)
    with firm.database.transaction() as session:
        invitations.invite_again(session, firm.manager, client_id)
    firm.clock.moment = local(2027, 3, 1, 11)
    with firm.database.transaction() as session:
        message = invitations.waiting(session, firm.partner_id, client_id, OutboxMessage)
        assert message is not None
        assert message.token is not None
        invitations.accept(session, message.token)
    change(firm, client_id, at=local(2027, 3, 1, 12), payer=Payer.PARTNER)
    assert price_at(firm, client_id, local(2027, 3, 1, 13)) == 2100
    check(firm)


def test_rule_32_what_waits_may_have_been_retired_since(firm: Space) -> None:
    """It counts as held (rule 9): other add-ons can still be chosen with it."""
    client_id = accepted(firm, local(2027, 1, 1, 10), Overrides(plan="plus"))
    change(firm, client_id, at=local(2027, 1, 3, 9), plan="standard")
    firm.retire(plan="standard")
    change(firm, client_id, at=local(2027, 1, 10, 9), add_ons=frozenset({"bank_feeds"}))
    pending = firm.detail(client_id).pending
    assert pending is not None
    assert (pending.settings.plan, pending.settings.add_ons) == ("standard", frozenset({"bank_feeds"}))
    check(firm)


def with_list(firm: Space, begins: date, renewals: date | None, **prices: int) -> None:
    """One more price list, Standard by the month or the year."""
    with firm.database.transaction() as session:
        held = catalogue.stored(session, "EUR")
        assert held is not None
        newest = held.price_lists[-1]
        changed = dict(newest.plan_prices)
        for period, cents in prices.items():
            changed["standard", BillingPeriod(period)] = cents
        another = replace(
            newest, number=newest.number + 1, valid_from=begins, renewals_from=renewals, plan_prices=changed
        )
        stored: Catalogue = replace(held, price_lists=(*held.price_lists, another))
        catalogue.store(session, stored)
        buy_again_what_waits(session, stored)


def price_at(firm: Space, client_id: int, at: datetime) -> int | None:
    price = shown_at(firm, client_id, at).price
    return None if price is None else price.cents


def test_rule_40_a_period_costs_by_the_newest_list_that_reached_it(firm: Space) -> None:
    """From 1 March, renewals from 1 June, Standard 21.00: held monthly since 15 January 19.00 until 15 June; accepted
    on 2 March 21.00; held yearly since 10 May 2026 190.00 again on 10 May 2027, 210.00 in 2028."""
    yearly = accepted(firm, local(2026, 6, 10, 10), Overrides(billing_period=YEARLY), "Yearly")
    monthly = accepted(firm, local(2027, 1, 15, 10), name="Monthly")
    with_list(firm, date(2027, 3, 1), date(2027, 6, 20), monthly=2100, yearly=21000)
    later = accepted(firm, local(2027, 3, 2, 10), name="Later")
    assert price_at(firm, monthly, local(2027, 7, 14, 23)) == 1900
    assert price_at(firm, monthly, local(2027, 7, 15, 0)) == 2100
    assert price_at(firm, later, local(2027, 3, 2, 11)) == 2100
    assert price_at(firm, yearly, local(2027, 6, 10, 0)) == 19000
    assert price_at(firm, yearly, local(2028, 6, 10, 0)) == 21000
    check(firm)


def test_rule_40_what_waits_is_bought_at_the_list_in_force_when_it_begins(firm: Space) -> None:
    """Also where that list is loaded after it was decided."""
    client_id = accepted(firm, local(2027, 1, 15, 10), Overrides(plan="plus"))
    change(firm, client_id, at=local(2027, 1, 20, 9), plan="standard")
    with_list(firm, date(2027, 2, 1), None, monthly=2100)
    assert price_at(firm, client_id, local(2027, 2, 15, 0)) == 2100
    check(firm)


def test_rule_41_a_list_that_never_reaches_renewals_leaves_prices_until_another_plan_is_bought(firm: Space) -> None:
    """Leaving it, the preview says so, with the lists' numbers."""
    client_id = accepted(firm, local(2027, 1, 15, 10))
    with_list(firm, date(2027, 3, 1), None, monthly=2100)
    assert price_at(firm, client_id, local(2029, 1, 15, 10)) == 1900
    payer = previewed(firm, client_id, at=local(2029, 1, 16, 9), payer=Payer.PARTNER)
    assert payer.timing.list_before is None
    assert payer.price is not None
    assert payer.price.cents == 1900
    plus = previewed(firm, client_id, at=local(2029, 1, 16, 9), plan="plus")
    assert (plus.timing.list_before, plus.timing.price_list) == (1, 2)
    change(firm, client_id, at=local(2029, 1, 16, 9), plan="plus")
    back = previewed(firm, client_id, at=local(2029, 2, 16, 9), plan=None)
    assert (back.waits, back.price and back.price.cents) == (True, 2100)
    check(firm)


def test_rule_40_a_list_that_begins_today_changes_nothing_of_what_was_bought_earlier_today(firm: Space) -> None:
    """Accepted, and Plus bought by another, before it was loaded: a change of payer afterwards is no purchase."""
    older = accepted(firm, local(2027, 1, 15, 10), name="Older")
    today = accepted(firm, local(2027, 3, 1, 9), name="Today")
    change(firm, older, at=local(2027, 3, 1, 9, 30), plan="plus")
    firm.clock.moment = local(2027, 3, 1, 10)
    with_list(firm, date(2027, 3, 1), None, monthly=2100)
    check(firm)
    for client_id in (older, today):
        made = change(firm, client_id, at=local(2027, 3, 1, 11), payer=Payer.PARTNER)
        assert made.price_list == 1
    assert price_at(firm, today, local(2027, 3, 1, 12)) == 1900
    bought = change(firm, today, at=local(2027, 3, 1, 13), plan="plus")
    assert bought.price_list == 2
    check(firm)


def test_rule_43_past_figures_use_the_prices_of_then(firm: Space) -> None:
    """Whenever one asks: a list that reaches renewals later changes nothing of the months before."""
    accepted(firm, local(2027, 1, 15, 10))
    with_list(firm, date(2027, 3, 1), date(2027, 6, 20), monthly=2100)
    firm.clock.moment = local(2028, 1, 1, 9)

    def a_year(as_of: datetime) -> int:
        with firm.database.reading() as session:
            spread = reports.plan_distribution(session, firm.manager, as_of=as_of)
        return int(spread["cents_per_year"].sum())

    moments = (local(2027, 5, 1, 0), local(2027, 7, 14, 23), local(2027, 7, 15, 0), local(2028, 1, 1, 9))
    assert [a_year(moment) for moment in moments] == [22800, 22800, 25200, 25200]


def test_rule_26_the_list_and_the_figures_follow_at_the_renewal_without_any_job(
    firm: Space, clock: Clock, listed: Callable[[Space], dict[int, Any]]
) -> None:
    """What is pending is marked until then; nothing is written when it takes effect."""
    client_id = accepted(firm, local(2027, 1, 15, 10), Overrides(plan="plus"))
    change(firm, client_id, at=local(2027, 1, 20, 9), plan="standard")
    before = listed(firm)[client_id]
    assert (before.settings.plan, before.waiting and before.waiting.takes_effect_at) == ("plus", local(2027, 2, 15, 0))
    clock.moment = local(2027, 2, 15, 0)
    after = listed(firm)[client_id]
    assert (after.settings.plan, after.waiting) == ("standard", None)


def test_rule_31_list_and_file_say_what_waits_from_when_the_price_from_then_who_when_and_why(firm: Space) -> None:
    """A pending change replaced by another is told no more; an end has no price."""
    plus, ending, still = (accepted(firm, local(2027, 1, 15, 10), Overrides(plan="plus"), name) for name in "ABC")
    change(firm, plus, at=local(2027, 1, 20, 9), plan="starter")
    change(firm, plus, at=local(2027, 1, 21, 9), plan="standard")
    firm.clock.moment = local(2027, 1, 22, 0)  # in UTC it is the day before
    with firm.database.transaction() as session:
        seen = firm.detail(ending).seen
        subscriptions.archive(session, firm.administrator, ending, seen=seen, reason="=moved; elsewhere")
    with firm.database.reading() as session, spoken("en", "Europe/Brussels"):
        frame = reports.billing_sources(session, firm.manager).set_index("client_id")
        lines = list(
            csv.DictReader("".join(reports.csv_pieces(session, firm.manager)).removeprefix("\ufeff").splitlines())
        )
    told = [tuple(line[heading] for heading in list(line)[-6:]) for line in lines]
    assert list(lines[0])[-6:] == [
        "Pending change", "Takes effect on", "A month from then (EUR)",
        "Decided by", "Decided on", "Reason for the pending change",
    ]  # fmt: skip
    assert told == [
        ("Subscription: Plus → Standard", "2027-02-15", "19.00", "The client manager", "2027-01-21", ""),
        ("The subscription ends", "2027-02-15", "", "The administrator", "2027-01-22", "'=moved; elsewhere"),
        ("", "", "", "", "", ""),
    ]
    waits = frame[["pending", "pending_from", "pending_monthly_cents"]].loc[[plus, ending]].itertuples(index=False)
    assert [(each[0], each[1].to_pydatetime()) for each in waits] == [
        ("plan", local(2027, 2, 15, 0)),
        ("status", local(2027, 2, 15, 0)),
    ]
    assert frame.loc[plus, "pending_monthly_cents"] == 1900
    assert (frame.loc[still, "pending"], frame.loc[[still, ending], "pending_monthly_cents"].notna().any()) == (
        "",
        False,
    )


@pytest.fixture
def listed() -> Callable[[Space], dict[int, Any]]:

    def read(firm: Space) -> dict[int, Any]:
        with firm.database.reading() as session:
            return {each.client_id: each for each in reports.listed(session, firm.manager)}

    return read
