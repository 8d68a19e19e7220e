"""The demo partner space: what the sample shows, the same everywhere, made by the use cases themselves."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from core import bulk, catalogue, defaults, demo, invitations, members, reports, subscriptions
from core.defaults import DefaultSettings
from core.invitations import OutboxMessage
from core.members import Member, Partner
from core.storage import Database, now, now_after
from core.subscriptions import Client, Subscription
from core.words import BatchKind, ClientStatus, DemoRefused, LinkExpired, LinkRefused, Money, Overrides, Role, Setting
from tests.conftest import Clock

MADE_AT = datetime(2026, 11, 20, 14, 30, tzinfo=UTC)


@pytest.fixture
def made(database: Database, clock: Clock) -> Database:
    clock.moment = MADE_AT
    demo.open_demo(database)
    return database


@pytest.fixture
def made_elsewhere(tmp_path: Path, clock: Clock) -> Iterator[Database]:
    """The demo's database, opened outside demo mode."""
    url = f"sqlite:///{tmp_path / 'elsewhere.sqlite3'}"
    maker = Database(url, clock=clock)
    demo.open_demo(maker)
    maker.close()
    opened = Database(url, clock=clock)
    yield opened
    opened.close()


def everything(database: Database) -> list[tuple]:
    with database.reading() as session:
        facts = [
            Client.name,
            Client.email,
            Client.company_number,
            Subscription.revision,
            Subscription.decided_at,
            *(setting.of(Subscription) for setting in Setting),
            Subscription.overridden,
            Subscription.status,
            Subscription.responsible_id,
        ]
        same_client = (Client.partner_id == Subscription.partner_id) & (Client.client_id == Subscription.client_id)
        rows = session.execute(
            select(*facts).join(Subscription, same_client).order_by(Subscription.client_id, Subscription.revision)
        )
        return [tuple(row) for row in rows]


def test_the_demo_shows_every_kind_of_thing(made: Database) -> None:
    """Enough to understand the product in a minute."""
    with made.reading() as session:
        administrator = members.find(session, demo.PARTNER_ID, 1)
        assert administrator is not None
        offer = catalogue.stored(session, "EUR")
        every = reports.billing_sources(session, administrator, page_size=1000)
        overridden = list(session.scalars(select(Subscription.overridden).where(Subscription.valid_to.is_(None))))
        roles = set(session.scalars(select(Member.role)))
        versions = {v.bound: v.settings for v in session.scalars(select(DefaultSettings))}
        current = list(session.scalars(select(Subscription).where(Subscription.valid_to.is_(None))))
    assert offer.is_sample
    assert sum(not plan.is_retired for plan in offer.plans.values()) >= 4
    assert len(offer.add_ons) >= 5
    assert any(set(offer.add_ons) - plan.add_ons for plan in offer.plans.values())
    retired = [plan.code for plan in offer.plans.values() if plan.is_retired]
    assert (every["plan"] == retired[0]).any()
    bound = set(zip(every["set_number"], every["defaults_version"], strict=True))
    assert bound == set(versions) == {(1, 1), (1, 2), (1, 3), (2, 1), (2, 2)}
    assert len(every) == 240
    assert 0.25 < (every["source"] == "override").mean() < 0.42
    assert frozenset().union(*overridden) == frozenset(Setting)
    assert set(every["status"]) == set(ClientStatus)
    assert roles == set(Role)
    equal_to_default = [
        s
        for s in current
        if s.defaults_version
        and any(
            getattr(s, setting) == getattr(versions[s.set_number, s.defaults_version], setting)
            for setting in s.overridden
        )
    ]
    assert equal_to_default
    assert every["name"].str.len().max() > 120
    assert every["name"].str.contains("[éèÉœŒüÅ]").any()
    looked_after = every["responsible"].value_counts()
    assert set(looked_after.index) == {"Demo client manager", "Second client manager", "Demo accountant"}
    assert 1 / 10 < looked_after["Demo accountant"] / len(every) < 1 / 7
    assert every["invited_at"].max() < MADE_AT
    assert (MADE_AT - every["invited_at"].min()).days > 300


def test_the_demo_has_two_default_sets_to_show_side_by_side(made: Database) -> None:
    """Each with versions and with clients bound to older ones; of the second one some have chosen otherwise."""
    with made.reading() as session:
        administrator = members.find(session, demo.PARTNER_ID, 1)
        assert administrator is not None
        standard, freelancers = defaults.sets(session, administrator)
        on_it = reports.billing_sources(session, administrator, page_size=1000, default_set=freelancers.set_number)
    assert (standard.name, standard.is_standard, standard.version) == ("Standard", True, 3)
    assert (freelancers.name, freelancers.is_retired, freelancers.version) == ("Freelancers", False, 2)
    assert 15 < len(on_it) < 50
    assert set(on_it["on_older_defaults"]) == {True, False}
    assert set(on_it["source"]) == {"default", "override"}


def test_the_demo_can_be_made_of_a_firm_with_one_set(database: Database, clock: Clock) -> None:
    """As most firms are: no client is lost by it."""
    clock.moment = MADE_AT
    demo.open_demo(database, is_plain=True)
    with database.reading() as session:
        administrator = members.find(session, demo.PARTNER_ID, 1)
        assert administrator is not None
        assert [each.name for each in defaults.sets(session, administrator)] == ["Standard"]
        assert reports.figures(session, administrator).clients == 240
        assert list(subscriptions.differences(session)) == []


def test_in_the_demo_some_clients_went_from_one_member_to_another(made: Database) -> None:
    """With who did it and why."""
    with made.reading() as session:
        administrator = members.find(session, demo.PARTNER_ID, 1)
        assert administrator is not None
        own = reports.billing_sources(session, administrator, page_size=1000, responsible=5)
        decided = [subscriptions.responsible_history(session, administrator, number) for number in own["client_id"]]
    assert {len(each) for each in decided} == {1, 2}
    assert {each[0].reason for each in decided if len(each) == 2} == {"takes over the bookkeeping"}


def test_the_demo_has_no_difference(made: Database) -> None:
    """It was made by the use cases."""
    with made.reading() as session:
        assert list(subscriptions.differences(session)) == []


def test_the_demo_is_the_same_on_every_machine(made: Database, tmp_path, clock: Clock) -> None:
    """On another database, made at another hour of the day: the same clients and choices, day by day."""
    other = Database(f"sqlite:///{tmp_path / 'other.sqlite3'}", clock=clock)
    clock.moment = MADE_AT.replace(hour=17)
    demo.open_demo(other)
    assert everything(other) == everything(made)
    other.close()


def test_opening_the_demo_again_leaves_it_as_it_is(made: Database, clock: Clock) -> None:
    """What one tried in it stays until it is reset."""
    before = everything(made)
    clock.forward(days=5)
    demo.open_demo(made)
    assert everything(made) == before


def test_reset_makes_the_demo_anew_with_todays_dates(made: Database, clock: Clock) -> None:
    """All or nothing: a reader meanwhile sees the old one."""
    before = everything(made)
    clock.forward(days=5)
    demo.reset(made)
    after = everything(made)
    assert [row[0] for row in after] == [row[0] for row in before]
    assert {(b[4] - a[4]).days for a, b in zip(before, after, strict=True)} == {5}


def test_demo_mode_is_refused_on_any_database_it_did_not_make(space) -> None:
    """Opened or reset, nothing of it is touched."""
    for attempt in (demo.open_demo, demo.reset):
        with pytest.raises(DemoRefused, match="not made by demo mode"):
            attempt(space.database)
    with space.database.reading() as session:
        assert session.scalar(text("SELECT count(*) FROM member")) == 4


def test_demo_mode_leaves_a_database_of_something_else_alone(tmp_path) -> None:
    """Tables that are not ours at all."""
    other = Database(f"sqlite:///{tmp_path / 'other.sqlite3'}")
    with other.transaction() as session:
        session.execute(text("CREATE TABLE recipes (name TEXT)"))
    for attempt in (demo.open_demo, demo.reset):
        with pytest.raises(DemoRefused):
            attempt(other)
    assert not other.is_migrated()
    other.close()


def test_in_the_demo_something_waits_whatever_day_it_is_made(database: Database, clock: Clock) -> None:
    """At the ends of months too: lower prices and another period at the renewal, an end, and a renewal tomorrow."""
    for made_at in (MADE_AT, datetime(2027, 3, 30, 23, 30, tzinfo=UTC), datetime(2028, 2, 28, 7, 30, tzinfo=UTC)):
        clock.moment = made_at
        demo.reset(database)
        with database.reading() as session:
            administrator = members.find(session, demo.PARTNER_ID, 1)
            assert administrator is not None
            today = demo.shown_day(session, administrator.partner).day
            changed = session.scalars(select(Subscription.client_id).where(Subscription.valid_from > made_at)).all()
            shown = [subscriptions.detail(session, administrator, number) for number in changed]
            assert list(subscriptions.differences(session)) == []
        waiting = [each.pending for each in shown if each.pending is not None]
        assert sum(each.status is ClientStatus.ARCHIVED for each in waiting) == 1
        cheaper = [each for each in shown if each.pending and each.pending.settings.plan == "starter"]
        assert len(cheaper) >= 2
        assert any(
            each.pending and each.pending.settings.billing_period != each.held.settings.billing_period for each in shown
        )
        tomorrow = [each for each in cheaper if each.period and each.period.renewal == today + timedelta(days=1)]
        assert len(tomorrow) == 1


def shown_day(database: Database) -> demo.ShownDay:
    with database.reading() as session:
        return demo.shown_day(session, session.scalars(select(Partner)).one())


def move_to(database: Database, day: date) -> None:
    with database.transaction() as session:
        demo.move_to(session, day)


def moment_of(database: Database) -> datetime:
    with database.reading() as session:
        return now(session)


def tomorrows(database: Database) -> subscriptions.ClientSubscription:
    """The client that renews on the day after the demo was made, as it is now."""
    with database.reading() as session:
        administrator = members.find(session, demo.PARTNER_ID, 1)
        assert administrator is not None
        return subscriptions.detail(session, administrator, 240)


def test_what_waits_takes_effect_on_the_day_that_the_demo_is_moved_to(made: Database) -> None:
    """For every session and on another server; nothing is written but the day, and the check finds all as it was."""
    before, shown = everything(made), tomorrows(made)
    assert shown.pending is not None
    other = Database(made.engine.url.render_as_string(hide_password=False), clock=made.clock)
    demo.open_demo(other)
    assert shown_day(made) == demo.ShownDay(MADE_AT.date(), is_today=True)
    move_to(made, date(2026, 11, 21))
    for database in (made, other):
        assert shown_day(database) == demo.ShownDay(date(2026, 11, 21), is_today=False)
        assert moment_of(database) == MADE_AT + timedelta(days=1)
        assert tomorrows(database).pending is None
        assert tomorrows(database).held == shown.pending
    assert everything(made) == before
    with made.reading() as session:
        assert list(subscriptions.differences(session)) == []
    other.close()


def test_what_is_done_on_a_later_day_is_of_that_day(made: Database) -> None:
    """An exception, and what is told of who made it when."""
    move_to(made, date(2027, 2, 15))
    shown = tomorrows(made)
    with made.transaction() as session:
        manager = members.find(session, demo.PARTNER_ID, 2)
        assert manager is not None
        overrides = Overrides(plan="premium", add_ons=frozenset())
        subscriptions.override(session, manager, 240, overrides, seen=shown.seen)
    after = tomorrows(made)
    assert after.held.decided_at == MADE_AT.replace(year=2027, month=2, day=15)
    assert after.held.settings.plan == "premium"


def test_the_time_of_day_stays_where_the_clocks_change(made: Database) -> None:
    """15:30 in Brussels is another instant in summer."""
    move_to(made, date(2027, 6, 1))
    assert moment_of(made) == datetime(2027, 6, 1, 13, 30, tzinfo=UTC)
    move_to(made, date(2027, 12, 1))
    assert moment_of(made) == datetime(2027, 12, 1, 14, 30, tzinfo=UTC)


def test_the_demo_never_moves_back(made: Database, clock: Clock) -> None:
    """Two who move it to the same day are on that day; the days go on from there."""
    for day in (date(2026, 12, 20), date(2026, 12, 20), date(2026, 12, 1), MADE_AT.date()):
        move_to(made, day)
        assert shown_day(made).day == date(2026, 12, 20)
    clock.forward(days=2)
    assert shown_day(made).day == date(2026, 12, 22)


def test_everything_remembered_of_the_day_before_is_out_of_date(made: Database) -> None:
    """The pages remember figures by the change number of the partner space."""
    number = select(Partner.change_number)
    with made.reading() as session:
        before = session.scalar(number)
    move_to(made, date(2026, 11, 21))
    with made.reading() as session:
        assert session.scalar(number) == before + 1


def test_reset_brings_today_back_even_where_a_later_change_was_put_behind_another(made: Database) -> None:
    """Also in a process whose clock was behind what it had to follow."""
    move_to(made, date(2027, 2, 15))
    with made.transaction() as session:
        followed = now_after(session, now(session))
    assert moment_of(made) == followed
    demo.reset(made)
    assert shown_day(made) == demo.ShownDay(MADE_AT.date(), is_today=True)
    assert abs(moment_of(made) - MADE_AT) < timedelta(seconds=1)


@pytest.mark.parametrize(
    ("day", "after"),
    [
        (date(2027, 1, 15), date(2027, 2, 15)),
        (date(2027, 1, 31), date(2027, 2, 28)),
        (date(2027, 12, 31), date(2028, 1, 31)),
    ],
)
def test_a_month_later_is_the_same_day_or_the_months_last(day: date, after: date) -> None:
    """As renewals go."""
    assert demo.month_after(day) == after


def test_nothing_but_the_demo_is_shown_as_another_day(space, made_elsewhere: Database) -> None:
    """Neither a firm's own database, nor the demo's opened outside demo mode."""
    day = space.clock.moment.date() + timedelta(days=1)
    for database in (space.database, made_elsewhere):
        with pytest.raises(demo.NotTheDemo, match="Only the demo"), database.transaction() as session:
            demo.move_to(session, day)
        with pytest.raises(demo.NotTheDemo):
            shown_day(database)
        assert moment_of(database) == space.clock.moment
    demo.keep_time(space.database)
    with pytest.raises(demo.NotTheDemo), space.database.transaction() as session:
        demo.move_to(session, day)
    assert moment_of(space.database) == space.clock.moment


def test_an_invitation_lapses_in_the_demo_as_the_days_go_by(made: Database) -> None:
    """A month on nobody can accept it any more."""
    with made.reading() as session:
        waiting = session.scalars(select(OutboxMessage).where(OutboxMessage.token.is_not(None))).all()
        token = next(each.token for each in reversed(waiting) if can_be_accepted(session, each.token))
    move_to(made, date(2027, 1, 20))
    with made.transaction() as session, pytest.raises(LinkExpired):
        invitations.accept(session, token)


def can_be_accepted(session: Session, token: str) -> bool:
    try:
        invitations.offered(session, token)
    except LinkRefused:
        return False
    return True


def test_the_demo_has_bulk_changes_to_look_at(made: Database) -> None:
    """Two of them, of the same clients: today's defaults, and another account manager; each can be undone."""
    with made.reading() as session:
        administrator = members.find(session, demo.PARTNER_ID, 1)
        assert administrator is not None
        taken_over, adopted = bulk.batches(session, administrator)
        clients = {number: bulk.clients_of(session, administrator, number) for number in (1, 2)}
    assert (adopted.kind, taken_over.kind) == (BatchKind.ADOPT, BatchKind.RESPONSIBLE)
    assert adopted.changed == taken_over.changed == 12
    assert {each.client_id for each in clients[1]} == {each.client_id for each in clients[2]}
    assert [MADE_AT.date() - each.done_at.date() for each in (adopted, taken_over)] == [
        timedelta(days=21),
        timedelta(days=3),
    ]
    assert adopted.reason
    assert adopted.can_be_undone
    assert taken_over.can_be_undone


def test_the_demo_has_prices_to_come_and_shows_them_when_their_day_is_there(made: Database) -> None:
    """Rules 39 and 40: the plans that are sold cost more for new clients from that day on, for others a month later."""
    with made.reading() as session:
        administrator = members.find(session, demo.PARTNER_ID, 1)
        assert administrator is not None
        shown = subscriptions.catalogue_overview(session, administrator)
        before = reports.figures(session, administrator).cents_per_year
        [to_come] = shown.to_come
        dearer = shown.changes(to_come)
        assert list(subscriptions.differences(session)) == []
    assert (to_come.valid_from, to_come.renewals_from) == (date(2027, 2, 1), date(2027, 3, 1))
    amounts = {
        (each.item.code, each.before.cents, each.after.cents)
        for each, _ in dearer
        if each.item is not None and isinstance(each.before, Money) and isinstance(each.after, Money)
    }
    assert amounts >= {
        ("starter", 9_00, 9_50),
        ("standard", 19_00, 20_00),
        ("standard", 190_00, 199_50),
    }
    assert {code for code, _, _ in amounts} == {"starter", "standard", "plus", "premium"}
    assert any(holders.clients for _, holders in dearer)
    move_to(made, date(2027, 4, 5))
    with made.reading() as session:
        administrator = members.find(session, demo.PARTNER_ID, 1)
        assert administrator is not None
        assert subscriptions.catalogue_overview(session, administrator).in_force == to_come
        assert reports.figures(session, administrator).cents_per_year > before
        assert list(subscriptions.differences(session)) == []
