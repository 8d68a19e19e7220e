"""The demo partner space: what the sample shows, the same everywhere, made by the use cases themselves."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select, text

from core import catalogue, demo, members, reports, subscriptions
from core.defaults import DefaultSettings
from core.members import Member
from core.storage import Database
from core.subscriptions import Client, Subscription
from core.words import ClientStatus, DemoRefused, Role, Setting
from tests.conftest import Clock

MADE_AT = datetime(2026, 11, 20, 14, 30, tzinfo=UTC)


@pytest.fixture
def made(database: Database, clock: Clock) -> Database:
    clock.moment = MADE_AT
    demo.open_demo(database)
    return database


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
        versions = session.scalar(select(func.count()).select_from(DefaultSettings))
        defaults = {v.version: v.settings for v in session.scalars(select(DefaultSettings))}
        current = list(session.scalars(select(Subscription).where(Subscription.valid_to.is_(None))))
    assert offer.is_sample
    assert sum(not plan.is_retired for plan in offer.plans.values()) >= 4
    assert len(offer.add_ons) >= 5
    assert any(set(offer.add_ons) - plan.add_ons for plan in offer.plans.values())
    retired = [plan.code for plan in offer.plans.values() if plan.is_retired]
    assert (every["plan"] == retired[0]).any()
    assert versions == 3
    assert set(every["defaults_version"]) == {1, 2, 3}
    assert len(every) == 240
    assert 0.25 < (every["source"] == "override").mean() < 0.42
    assert frozenset().union(*overridden) == frozenset(Setting)
    assert set(every["status"]) == set(ClientStatus)
    assert roles == set(Role)
    equal_to_default = [
        s
        for s in current
        if s.defaults_version
        and any(getattr(s, setting) == getattr(defaults[s.defaults_version], setting) for setting in s.overridden)
    ]
    assert equal_to_default
    assert every["name"].str.len().max() > 120
    assert every["name"].str.contains("[éèÉœŒüÅ]").any()
    looked_after = every["responsible"].value_counts()
    assert set(looked_after.index) == {"Demo client manager", "Second client manager", "Demo accountant"}
    assert 1 / 10 < looked_after["Demo accountant"] / len(every) < 1 / 7
    assert every["invited_at"].max() < MADE_AT
    assert (MADE_AT - every["invited_at"].min()).days > 300


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
