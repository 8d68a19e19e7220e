"""The orders of the list over every client, and the figures that lead to those who need somebody."""

from io import BytesIO
from typing import Any

import openpyxl
import pytest
from sqlalchemy import text

from core import catalogue, invitations, reports, subscriptions
from core.catalogue import SAMPLE
from core.members import Member
from core.reports import AttentionFilter, ListedClient, Order, prices, search
from core.spreadsheets import files
from core.words import BillingPeriod, ClientStatus, ListedStatus, Overrides, Payer, fold
from tests.conftest import PLUS, STANDARD, Space

KINDS = [
    Overrides(),
    Overrides(plan="starter", add_ons=frozenset()),
    Overrides(plan="plus", add_ons=frozenset({"payroll"})),
    Overrides(billing_period=BillingPeriod.YEARLY),
    Overrides(payer=Payer.PARTNER),
    Overrides(plan="premium", billing_period=BillingPeriod.YEARLY),
    Overrides(add_ons=frozenset()),
]


@pytest.fixture
def many(space: Space) -> Space:
    """Forty clients of seven kinds: some active, since different days, some archived, some invited."""
    space.save(STANDARD)
    for number in range(40):
        client = space.invite(
            f"{'ÉEeé'[number % 4]}tude {40 - number}", KINDS[number % len(KINDS)], email=f"c{number}@example.com"
        )
        if number % 3:
            with space.database.transaction() as session:
                subscriptions.start(session, space.administrator.partner, client)
        space.clock.forward(hours=7 if number % 5 else 0)
        if number % 11 == 10:
            space.archive(client.client_id)
    return space


def listed(space: Space, member: Member | None = None, **asked: Any) -> list[ListedClient]:
    with space.database.reading() as session:
        return reports.listed(session, member or space.manager, page_size=asked.pop("page_size", 1000), **asked)


def by_hand(every: list[ListedClient], order: Order) -> list[int]:
    """The numbers in order, by Python's own sort."""

    def name(client: ListedClient) -> tuple[str, int]:
        return fold(client.name), client.client_id

    def invited(client: ListedClient) -> Any:
        return client.first_invited_at, client.client_id

    match order:
        case Order.NAME:
            ordered = sorted(every, key=name)
        case Order.NAME_DESCENDING:
            ordered = sorted(every, key=name, reverse=True)
        case Order.OLDEST:
            ordered = sorted(every, key=invited)
        case Order.NEWEST:
            ordered = sorted(every, key=invited, reverse=True)
        case _:
            sign = 1 if order is Order.PRICE else -1
            ordered = sorted(
                every,
                key=lambda each: (
                    each.price is None, 0 if each.price is None else sign * each.price.per_month.cents, *name(each)
                ),
            )  # fmt: skip
    return [each.client_id for each in ordered]


FILTERS: list[dict[str, Any]] = [
    {},
    {"plan": "standard"},
    {"status": "active,archived"},
    {"search": "tude"},
    {"search": "tude 1", "payer": Payer.CLIENT},
    {"source": "override"},
]


@pytest.mark.parametrize("asked", FILTERS, ids=str)
@pytest.mark.parametrize("order", Order)
def test_every_order_is_that_of_pythons_sort_of_all_clients(
    many: Space, order: Order, asked: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Page by page, gathered or met in a walk, few found or many; with what the figures counted or without."""
    expected = by_hand(listed(many, **asked), order)
    assert len(expected) > 5
    with many.database.reading() as session:
        counted = reports.figures(session, many.manager, **asked).prices
    for looked_up in (0, 10_000):
        monkeypatch.setattr(prices, "_LOOKED_UP", looked_up)
        for known in (None, counted):
            pages = [
                each.client_id
                for page in range(1, 9)
                for each in listed(many, order_by=order, page=page, page_size=7, prices=known, **asked)
            ]
            assert pages == expected
    monkeypatch.setattr(search, "FEW", -1)
    assert [each.client_id for each in listed(many, order_by=order, **asked)] == expected


@pytest.mark.parametrize("order", [Order.PRICE, Order.PRICE_DESCENDING])
def test_prices_are_those_of_the_list_that_each_period_costs_by(many: Space, order: Order) -> None:
    """A dearer list reached some renewals and not others, so the anchors decide (rule 40)."""
    today = many.clock().date()
    dearer = SAMPLE.prices.__class__(
        2, "EUR", today, today,
        {item: cents + 700 for item, cents in SAMPLE.prices.plan_prices.items()}, SAMPLE.prices.add_on_prices,
    )  # fmt: skip
    with many.database.transaction() as session:
        with_both = catalogue.stored(session, "EUR")
        catalogue.store(session, with_both.__class__(**{
            **{name: getattr(with_both, name) for name in with_both.__dataclass_fields__},
            "price_lists": (*with_both.price_lists, dearer),
        }))  # fmt: skip
    many.clock.forward(days=16)
    every = listed(many)
    kinds = {(each.settings, each.price) for each in every if each.price is not None}
    assert len(kinds) > len({settings for settings, _ in kinds})
    assert [each.client_id for each in listed(many, order_by=order)] == by_hand(every, order)
    assert [each.client_id for each in listed(many, order_by=order, page=3, page_size=9)] == by_hand(every, order)[
        18:27
    ]


def test_a_client_invited_again_keeps_its_place_by_when_it_came(space: Space) -> None:
    """The day in the list is that of its first invitation."""
    space.save(STANDARD)
    first = space.invite("First")
    space.clock.forward(days=40)
    space.invite("Second")
    with space.database.transaction() as session:
        invitations.invite_again(session, space.manager, first.client_id)
    assert [each.name for each in listed(space, order_by=Order.NEWEST)] == ["Second", "First"]
    came = {each.name: (each.first_invited_at, each.invited_at) for each in listed(space)}
    assert came["First"][0] < came["Second"][0] == came["First"][1]


def test_who_needs_attention_is_counted_and_listed_alike(space: Space) -> None:
    """A lapsed or revoked invitation, a message that was given up; a newer message that waits is none."""
    space.save(STANDARD)
    lapsed, revoked = space.invite("Lapsed"), space.invite("Revoked")
    with space.database.transaction() as session:
        invitations.revoke(session, space.manager, revoked.client_id)
    space.clock.forward(days=31)
    active, given_up, waits, fine = (space.invite(name) for name in ("Active", "Given up", "Waits", "Fine"))
    with space.database.transaction() as session:
        subscriptions.start(session, space.administrator.partner, active)
    for client in (given_up, waits, active):
        give_up(space, client.client_id)
    with space.database.transaction() as session:
        invitations.send_again(session, space.manager, waits.client_id, seen=1)
    need = listed(space, attention=AttentionFilter.NEEDED)
    assert [each.name for each in need] == ["Given up", "Lapsed", "Revoked"]
    with space.database.reading() as session:
        figures = reports.figures(session, space.manager)
        assert reports.figures(session, space.manager, attention="needed").clients == 3
    assert (figures.attention, figures.invited, figures.clients) == (3, 3, 6)
    statuses = {each.name: each.listed_status for each in listed(space)}
    assert statuses["Lapsed"] is ListedStatus.EXPIRED
    assert statuses["Fine"] is ListedStatus.INVITED
    for status in ListedStatus:
        names = [each.name for each in listed(space, status=status)]
        assert names == sorted(name for name, stands in statuses.items() if stands is status)
    assert len(listed(space, status="revoked,active,expired")) == 3
    assert (lapsed.client_id, fine.client_id) == (1, 6)


def give_up(space: Space, client_id: int) -> None:
    """What the deliverer writes when it gives up."""
    with space.database.transaction() as session:
        session.execute(
            text(
                "UPDATE outbox_message SET given_up_at = queued_at, token = NULL, next_attempt_at = NULL "
                "WHERE client_id = :client AND sending = 1"
            ),
            {"client": client_id},
        )


def test_each_figure_has_one_meaning(many: Space) -> None:
    """A month is what active clients cost; invited ones are told apart; archived ones drift no more."""
    many.save(PLUS)
    every = listed(many)
    with many.database.reading() as session:
        figures = reports.figures(session, many.manager)
        spread = reports.plan_distribution(session, many.manager)
    active = [each for each in every if each.status is ClientStatus.ACTIVE]
    there = [each for each in every if each.status is not ClientStatus.ARCHIVED]
    assert 0 < len(active) < len(there) < len(every)
    assert figures.cents_per_year == sum(each.price.cents_per_year for each in active if each.price)
    assert figures.cents_per_year == spread[spread["status"] == "active"]["cents_per_year"].sum()
    assert figures.invited == len(there) - len(active)
    assert figures.invited_cents_per_year == sum(
        each.price.cents_per_year for each in there if each.price and each not in active
    )
    ours = [each for each in active if each.settings.payer is Payer.PARTNER]
    assert figures.paid_by_partner == len(ours) > 0
    assert figures.paid_by_partner_cents_per_year == sum(each.price.cents_per_year for each in ours if each.price)
    assert figures.overridden == sum(bool(each.overridden) for each in there) == len(listed(many, source="override"))
    assert (
        figures.on_older_defaults == sum(each.on_older_defaults for each in there) == len(listed(many, source="older"))
    )


def test_the_workbook_has_the_cells_of_the_list_with_their_types(many: Space) -> None:
    """Amounts are numbers that sum to the figure, days are days, the headings stay in sight."""
    counted: list[int] = []
    with many.database.reading() as session:
        content = reports.workbook(session, many.manager, counted=counted.append, status="active")
        figures = reports.figures(session, many.manager, status="active")
    sheet = openpyxl.load_workbook(BytesIO(content)).active
    headings, *rows = sheet.iter_rows(values_only=True)
    assert sheet.freeze_panes == "A2"
    assert sum(counted) == len(rows) == figures.clients
    year, invited = headings.index("A year (EUR)"), headings.index("Invited on")
    assert round(sum(row[year] for row in rows) * 100) == figures.cents_per_year
    clients = {each.client_id: each for each in listed(many)}
    for row in rows:
        client = clients[row[0]]
        assert row[1:3] == (client.name, client.email)
        assert row[invited].date() == client.first_invited_at.date()
        assert client.price is not None
        assert row[year - 1] == client.price.per_month.cents / 100


def test_a_sheet_that_is_full_goes_on_in_another(many: Space, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its headings again."""
    monkeypatch.setattr(files, "_ROWS_OF_A_SHEET", 31)
    with many.database.reading() as session:
        book = openpyxl.load_workbook(BytesIO(reports.workbook(session, many.manager)))
    assert [len(list(sheet.values)) for sheet in book] == [31, 11]
    assert len({next(sheet.values) for sheet in book}) == 1
