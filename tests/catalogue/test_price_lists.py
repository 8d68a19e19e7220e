"""Prices through time: which list holds, by which one a client pays, and what an item costs by it (rules 39 to 41)."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from core import catalogue, invitations
from core.catalogue import FIRST_DAY, SAMPLE, Catalogue, Price, PriceList, following
from core.words import (
    BillingPeriod,
    BillingSettings,
    ClientStatus,
    Money,
    NoCatalogue,
    NoPrice,
    NoPricesYet,
    Payer,
    Role,
)
from tests.conftest import STANDARD, Space

MONTHLY, YEARLY = BillingPeriod.MONTHLY, BillingPeriod.YEARLY
DAY = date(2027, 3, 1)


def standard(*add_ons: str, period: BillingPeriod = MONTHLY) -> BillingSettings:
    return BillingSettings.starting_with(
        payer=Payer.CLIENT, billing_period=period, plan="standard", add_ons=frozenset(add_ons)
    )


def price_list(number: int, valid_from: date, renewals_from: date | None = None, **cents: int | None) -> PriceList:
    """The sample's prices with others, as standard_monthly=2100; None takes one away."""
    prices = dict(SAMPLE.plan_prices)
    add_on_prices = dict(SAMPLE.add_on_prices)
    for name, amount in cents.items():
        code, _, period = name.rpartition("_")
        of_its_kind = prices if code in SAMPLE.plans else add_on_prices
        of_its_kind.pop((code, BillingPeriod(period)), None)
        if amount is not None:
            of_its_kind[code, BillingPeriod(period)] = amount
    return PriceList(number, "EUR", valid_from, renewals_from, prices, add_on_prices)


def sold(*lists: PriceList) -> Catalogue:
    return replace(SAMPLE, price_lists=lists, prices=lists[-1])


FIRST = price_list(1, FIRST_DAY)
MARCH = price_list(2, DAY, date(2027, 6, 1), standard_monthly=2100, standard_yearly=21000)
NEVER = price_list(3, date(2027, 9, 1), None, standard_monthly=2300)
THREE = sold(FIRST, MARCH, NEVER)


@pytest.mark.parametrize(
    ("day", "number"),
    [
        (FIRST_DAY, 1),
        (DAY - timedelta(days=1), 1),
        (DAY, 2),
        (date(2027, 8, 31), 2),
        (date(2027, 9, 1), 3),
        (date(2099, 1, 1), 3),
    ],
)
def test_the_list_in_force_is_the_newest_that_has_begun(day: date, number: int) -> None:
    """Rule 39: its first day counts."""
    assert THREE.list_on(day).number == number
    assert THREE.on(day).prices.number == number


def test_of_two_lists_that_begin_on_one_day_the_later_number_holds() -> None:
    """Rule 39: the newest by number, as when a slip is corrected on the same day."""
    assert sold(FIRST, MARCH, replace(NEVER, valid_from=DAY)).list_on(DAY).number == 3


def test_before_the_first_list_nothing_is_sold() -> None:
    """Rule 39: the refusal says from which day on, and that is no other refusal than that there are no prices."""
    with pytest.raises(NoPricesYet, match="The prices in EUR begin on 1 Mar 2027") as refusal:
        sold(replace(MARCH, number=1)).list_on(DAY - timedelta(days=1))
    assert isinstance(refusal.value, NoCatalogue)
    assert refusal.value.said_to(Role.ADMINISTRATOR) == str(refusal.value)


@pytest.mark.parametrize(
    ("purchase", "begins_on", "number"),
    [
        (1, date(2027, 3, 15), 1),
        (1, date(2027, 5, 31), 1),
        (1, date(2027, 6, 1), 2),
        (1, date(2028, 1, 1), 2),
        (2, DAY, 2),
        (3, date(2027, 9, 15), 3),
        (3, date(2099, 1, 1), 3),
    ],
    ids=["kept", "the day before", "the day", "grandfathered for ever", "bought", "bought later", "never overtaken"],
)
def test_a_period_costs_by_the_newest_of_the_purchase_list_and_those_whose_renewals_have_begun(
    purchase: int, begins_on: date, number: int
) -> None:
    """Rules 40 and 41: for the whole period, however late in it a list begins."""
    assert THREE.running_list(purchase, begins_on).number == number


def test_the_worked_example_of_a_price_list_adds_up() -> None:
    """Rule 40, from 1 March, renewals from 1 June, Standard 21.00 and 210.00."""
    offer = sold(FIRST, MARCH)

    def cost(purchase: int, begins_on: date, period: BillingPeriod) -> int:
        return offer.price_by(offer.running_list(purchase, begins_on).number, standard(period=period)).cents

    held_since_january = [cost(1, date(2027, month, 15), MONTHLY) for month in range(1, 8)]
    assert held_since_january == [1900, 1900, 1900, 1900, 1900, 2100, 2100]
    assert cost(offer.list_on(date(2027, 3, 2)).number, date(2027, 3, 2), MONTHLY) == 2100
    assert [cost(1, date(year, 5, 10), YEARLY) for year in (2026, 2027, 2028)] == [19000, 19000, 21000]


def test_a_purchase_list_that_is_not_there_is_a_failure_of_ours() -> None:
    """Nobody can have bought by it."""
    with pytest.raises(LookupError):
        THREE.running_list(4, DAY)


def test_an_item_that_the_list_lacks_costs_what_the_nearest_earlier_list_says_else_the_next_later() -> None:
    """Rule 40, item by item."""
    offer = sold(
        price_list(1, FIRST_DAY, standard_monthly=1, payroll_monthly=None, multi_currency_monthly=None),
        price_list(2, DAY, standard_monthly=2, payroll_monthly=None, multi_currency_monthly=None),
        price_list(3, DAY, standard_monthly=None, payroll_monthly=None, multi_currency_monthly=None),
        price_list(4, DAY, standard_monthly=40, payroll_monthly=400, multi_currency_monthly=None),
        price_list(5, DAY, standard_monthly=50, payroll_monthly=500, multi_currency_monthly=None),
    )
    assert offer.price_by(3, standard("payroll")) == Price(2 + 400, MONTHLY, "EUR")
    assert offer.price_by(1, standard("payroll")).cents == 1 + 400
    assert offer.price_by(5, standard("payroll")).cents == 50 + 500
    with pytest.raises(NoPrice, match="Multi-currency"):
        offer.price_by(3, standard("multi_currency"))


def test_only_what_is_held_already_costs_what_another_list_says() -> None:
    """Rules 8 and 40: nobody buys by a list that is over; who has it can keep it, and add to it."""
    offer = sold(FIRST, price_list(2, DAY, standard_monthly=None))
    with pytest.raises(NoPrice, match="Standard"):
        offer.refuse_unsellable(standard())
    with pytest.raises(NoPrice, match="Standard"):
        offer.price(standard(), held=standard(period=YEARLY))
    assert "standard" not in {each.code for each in offer.choosable_plans(MONTHLY)}
    held = standard("bank_feeds")
    offer.refuse_unsellable(standard("bank_feeds", "e_invoicing"), held=held)
    assert offer.price(standard("bank_feeds", "e_invoicing"), held=held).charged == Money(1900 + 500 + 300, "EUR")
    assert offer.billed(held, ClientStatus.ACTIVE) == Price(1900 + 500, MONTHLY, "EUR")
    assert "standard" in {each.code for each in offer.choosable_plans(MONTHLY, held)}


def test_what_costs_what_stands_in_the_list_in_force_of_its_day() -> None:
    """Prices of a day to come are nobody's yet."""
    before, after = THREE.on(DAY - timedelta(days=1)), THREE.on(DAY)
    assert (before.price(standard()).cents, after.price(standard()).cents) == (1900, 2100)
    assert before.plan_price("standard", MONTHLY).charged == Money(1900, "EUR")


TODAY = date(2027, 2, 1)
LISTS = (FIRST, MARCH)
NAMED = frozenset(SAMPLE.plans) | frozenset(SAMPLE.add_ons)


@pytest.mark.parametrize(
    ("offered", "expected"),
    [
        (replace(FIRST, number=0), (3, TODAY)),
        (replace(MARCH, number=0), None),
        (replace(MARCH, number=0, valid_from=FIRST_DAY), None),
        (replace(MARCH, number=0, renewals_from=None), (2, DAY)),
        (price_list(0, DAY, standard_monthly=2200), (2, DAY)),
        (replace(MARCH, number=0, valid_from=date(2027, 4, 1), renewals_from=None), None),
        (replace(MARCH, number=0, valid_from=date(2027, 4, 1), renewals_from=date(2027, 7, 1)), (3, date(2027, 4, 1))),
        (price_list(0, date(2027, 4, 1), standard_monthly=1), (3, date(2027, 4, 1))),
        (replace(MARCH, number=0, valid_from=date(2027, 2, 15)), (3, date(2027, 2, 15))),
    ],
    ids=[
        "other prices, no day", "the same", "the same, no day", "other days of the one to come",
        "in place of the one to come", "the same prices later", "the same prices for renewals", "after it",
        "the same prices earlier, which is refused",
    ],
)  # fmt: skip
def test_a_load_makes_the_next_list_or_takes_the_place_of_one_that_has_not_begun(
    offered: PriceList, expected: tuple[int, date] | None
) -> None:
    """Rules 39 and 42: the same content again makes none."""
    made = following(LISTS, offered, TODAY, named=NAMED)
    assert (None if made is None else (made.number, made.valid_from)) == expected


def test_the_first_list_held_ever_since_and_a_begun_one_stays() -> None:
    """Rule 39; a list of today is followed by another of today."""
    assert following((), replace(FIRST, number=0), TODAY, named=NAMED) == FIRST
    assert following(LISTS, replace(MARCH, number=0), date(2028, 1, 1), named=NAMED) is None
    again = following(LISTS, price_list(0, DAY, standard_monthly=5), DAY, named=NAMED)
    assert (again.number, again.valid_from) == (3, DAY)
    assert following(LISTS, price_list(0, DAY, standard_monthly=5), DAY, named=NAMED, last=7).number == 8
    assert following((), replace(FIRST, number=0), TODAY, named=NAMED, last=2).number == 3


def test_what_a_file_leaves_out_makes_no_other_list() -> None:
    """Rule 42: it is kept, and costs what earlier lists say."""
    prices = {key: cents for key, cents in FIRST.plan_prices.items() if key[0] != "plus"}
    offered = replace(FIRST, number=0, plan_prices=prices)
    assert following((FIRST,), offered, TODAY, named=NAMED - {"plus"}) is None
    assert following((FIRST,), offered, TODAY, named=NAMED).number == 2


@given(st.lists(st.tuples(st.integers(0, 40), st.none() | st.integers(0, 40)), min_size=1, max_size=6), st.data())
def test_no_client_is_moved_back_to_an_earlier_list(days: list[tuple[int, int | None]], data: st.DataObject) -> None:
    """Rule 40: whatever the lists, a later period costs by the same or a newer list, never by one before the
    purchase."""
    lists = tuple(
        price_list(number, DAY + timedelta(days=begins), None if renews is None else DAY + timedelta(days=renews))
        for number, (begins, renews) in enumerate(days, 1)
    )
    offer = sold(*lists)
    purchase = data.draw(st.integers(1, len(lists)))
    numbers = [offer.running_list(purchase, DAY + timedelta(days=day)).number for day in range(42)]
    assert numbers == sorted(numbers)
    assert numbers[0] >= purchase


def stored_with(space: Space, *lists: PriceList) -> None:
    with space.database.transaction() as session:
        found = catalogue.stored(session, "EUR")
        catalogue.store(session, replace(found, price_lists=(*found.price_lists, *lists)), by=space.administrator)


def test_a_list_begins_at_the_partners_midnight(make_space, space: Space) -> None:
    """Rule 39: in each partner's own time zone, on a server that read the catalogue before, without a write."""
    with space.database.transaction() as session:
        session.execute(text("UPDATE partner SET time_zone = 'Pacific/Auckland'"))  # UTC+13 on that day
    make_space(2)
    stored_with(space, MARCH)
    space.clock.moment = datetime(2027, 2, 28, 10, 59, tzinfo=UTC)

    def in_force() -> list[int]:
        with space.database.reading() as session:
            partners = [session.get_one(type(space.manager.partner), number) for number in (1, 2)]
            return [catalogue.current(session, partner).prices.number for partner in partners]

    assert in_force() == [1, 1]
    space.clock.forward(minutes=1)
    assert in_force() == [2, 1]
    space.clock.forward(hours=12, minutes=59)
    assert in_force() == [2, 1]
    space.clock.forward(minutes=1)
    assert in_force() == [2, 2]


def test_a_list_is_stored_with_its_days_and_who_loaded_it(space: Space) -> None:
    """And comes back as it was."""
    stored_with(space, MARCH)
    with space.database.reading() as session:
        assert catalogue.stored(session, "EUR").price_lists == (SAMPLE.prices, MARCH)
        rows = session.execute(text("SELECT number, loaded_by_id FROM price_list ORDER BY number")).all()
        assert [tuple(row) for row in rows] == [(1, None), (2, space.administrator.member_id)]
        assert list(catalogue.altered(session)) == []


def test_a_list_that_has_begun_is_never_changed(space: Space) -> None:
    """Rule 39: neither by the product nor past it; one to come may go."""
    stored_with(space, MARCH)

    def without(number: int) -> None:
        with space.database.transaction() as session:
            found = catalogue.stored(session, "EUR")
            others = tuple(each for each in found.price_lists if each.number != number)
            catalogue.store(session, replace(found, price_lists=others))

    with pytest.raises(ValueError, match="price list 1 in EUR has begun"):
        without(1)
    without(2)
    stored_with(space, MARCH)
    space.clock.moment = datetime(2027, 3, 1, tzinfo=UTC)
    with pytest.raises(ValueError, match="price list 2 in EUR has begun"):
        without(2)
    for statement in ("plan_price SET cents = 1", "add_on_price SET cents = 1", "price_list SET renewals_from = NULL"):
        with pytest.raises(DBAPIError), space.database.transaction() as session:
            session.execute(text(f"UPDATE {statement}"))


def test_the_check_names_a_list_that_is_not_what_was_loaded(space: Space) -> None:
    """Past figures are computed with it."""
    with space.database.transaction() as session:
        session.execute(text("DELETE FROM plan_price WHERE plan = 'plus' AND billing_period = 'yearly'"))
    with space.database.reading() as session:
        (said,) = catalogue.altered(session)
    assert said == "price list 1 in EUR: its days or prices are not those that were loaded"


def test_a_price_to_come_changes_nothing_before_its_day(space: Space) -> None:
    """Then it is what new clients are told."""
    space.save(STANDARD)
    stored_with(space, replace(MARCH, valid_from=date(2026, 3, 10)))
    client_id = space.invite().client_id
    assert space.detail(client_id).price.charged == Money(1900 + 500, "EUR")
    space.clock.forward(days=7)
    assert space.detail(client_id).price.charged == Money(2100 + 500, "EUR")


def test_who_was_invited_before_a_list_without_the_item_began_can_still_accept(space: Space) -> None:
    """Rule 40: what was offered costs what the list before says; nobody is invited with it any more (rule 8)."""
    space.save(STANDARD)
    stored_with(space, replace(MARCH, valid_from=date(2026, 3, 10), plan_prices={("plus", MONTHLY): 3400}))
    client_id = space.invite().client_id
    space.clock.forward(days=8)
    with space.database.reading() as session:
        token = invitations.waiting(session, space.partner_id, client_id, invitations.OutboxMessage).token
        assert invitations.offered(session, token).price.charged == Money(1900 + 500, "EUR")
    with space.database.transaction() as session:
        invitations.accept(session, token)
    assert space.detail(client_id).price.charged == Money(1900 + 500, "EUR")
    with pytest.raises(NoPrice, match="Standard"):
        space.invite("Too late")
