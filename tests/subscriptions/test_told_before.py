"""What a member reads before saving a change of a client: the sentences of its page (rules 28 to 32 and 41)."""

from dataclasses import replace
from datetime import date, datetime

import pytest
from sqlalchemy import update

from core import catalogue, subscriptions
from core.members import Partner
from core.subscriptions import Waits
from core.words import BillingPeriod, Overrides, Payer, spoken
from pages.clients import provenance
from tests.conftest import Space
from tests.subscriptions.test_through_time import accepted, change, local, settings, with_list


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


def told(firm: Space, client_id: int, *, at: datetime, **chosen: object) -> str:
    """The sentences, one a line, and the price."""
    firm.clock.moment = at
    shown = firm.detail(client_id)
    with firm.database.reading() as session:
        offer = catalogue.current(session, firm.manager.partner)
        overrides = replace(shown.overrides, **chosen)  # type: ignore[arg-type]
        preview = subscriptions.preview_override(session, firm.manager, shown, overrides)
    with spoken("en", "Europe/Brussels"):
        return "\n".join([*provenance.when_lines(shown, preview, offer), provenance.price_line(shown, preview)])


def test_rule_32_what_else_is_pending_stays_and_is_in_the_price_from_then(firm: Space) -> None:
    """Standard is pending, and yearly joins it."""
    client_id = accepted(firm, local(2027, 1, 1, 10), Overrides(plan="plus"))
    change(firm, client_id, at=local(2027, 1, 3, 9), plan="standard")
    said = told(firm, client_id, at=local(2027, 1, 10, 9), billing_period=BillingPeriod.YEARLY)
    assert "What else is pending for 1 Feb 2027 stays so." in said
    assert "charged €190.00 a year" in said
    assert "replaces" not in said


def test_rule_32_a_decision_beside_what_is_pending_tells_the_price_from_then_on_too(firm: Space) -> None:
    """Bank feeds at once beside Plus: 39.00, and 24.00 with the Standard that is pending."""
    client_id = accepted(firm, local(2027, 1, 1, 10), Overrides(plan="plus"))
    change(firm, client_id, at=local(2027, 1, 3, 9), plan="standard")
    said = told(firm, client_id, at=local(2027, 1, 10, 9), add_ons=frozenset({"bank_feeds"}))
    assert "What else is pending for 1 Feb 2027 stays so: €24.00 a month from then on." in said
    assert said.endswith("€34.00 a month → €39.00 a month")


def test_rule_31_what_is_pending_already_is_said_to_be(firm: Space) -> None:
    """Deciding the same once more changes nothing, and the page says why."""
    client_id = accepted(firm, local(2027, 1, 1, 10), Overrides(plan="plus"))
    change(firm, client_id, at=local(2027, 1, 3, 9), plan="standard")
    said = told(firm, client_id, at=local(2027, 1, 10, 9), plan="standard")
    assert said.splitlines()[0] == "This is pending for 1 Feb 2027 already."
    assert "Takes effect" not in said


def test_rule_29_on_the_day_of_acceptance_nothing_was_charged_to_anybody_else(firm: Space) -> None:
    """From the next day on, what was charged stays with who was charged (rule 30)."""
    client_id = accepted(firm, local(2027, 1, 15, 10))
    first = told(firm, client_id, at=local(2027, 1, 15, 18), payer=Payer.PARTNER)
    assert "The subscription began today: all its charges are paid by us." in first
    assert "What was charged" not in first
    assert "What was charged stays as it was, until 15 Feb 2027." in told(
        firm, client_id, at=local(2027, 1, 16, 9), payer=Payer.PARTNER
    )


def test_rule_41_what_is_bought_at_the_renewal_costs_by_the_prices_of_that_day(firm: Space) -> None:
    """Not by today's: a list begins before the renewal."""
    client_id = accepted(firm, local(2027, 1, 15, 10), Overrides(plan="plus"))
    with_list(firm, date(2027, 2, 1), None, monthly=2100)
    said = told(firm, client_id, at=local(2027, 1, 20, 9), plan="standard")
    assert "Bought at the prices of 15 Feb 2027: €21.00 a month." in said
    assert "By the prices the client keeps otherwise it is €19.00 a month." in said
    assert "today's prices" not in said


def test_rule_37_the_history_tells_once_a_day_what_the_upgrades_cost_and_why_a_change_waits(firm: Space) -> None:
    """The worked example to the cent; of two upgrades of one day the last one says it (rules 28 and 29)."""
    client_id = accepted(firm, local(2027, 1, 15, 10))
    change(firm, client_id, at=local(2027, 1, 25, 9), plan="premium")
    plus = change(firm, client_id, at=local(2027, 1, 25, 10), plan="plus")
    payroll = change(firm, client_id, at=local(2027, 2, 5, 9), add_ons=frozenset({"payroll"}))
    cheaper = change(firm, client_id, at=local(2027, 2, 6, 9), plan="standard", add_ons=frozenset())
    yearly = change(firm, client_id, at=local(2027, 2, 7, 9), billing_period=BillingPeriod.YEARLY)
    shown = firm.detail(client_id)
    with firm.database.reading() as session:
        offer = catalogue.current(session, firm.manager.partner)
    charges = subscriptions.charges_of(offer, shown.time_zone, shown.history)
    assert {number: (str(charge), day) for number, (charge, day) in charges.items()} == {
        plus.revision: ("€10.16", date(2027, 2, 15)),
        payroll.revision: ("€3.87", date(2027, 2, 15)),
    }
    prices = subscriptions.prices_of(offer, shown.time_zone, shown.history)
    why = {each.revision: subscriptions.why_it_waits(each, *prices[each.revision]) for each in shown.history}
    assert {number: said for number, said in why.items() if said is not None} == {
        cheaper.revision: Waits.LOWER_PRICE,
        yearly.revision: Waits.BILLING_PERIOD,
    }
