"""The list, its figures and the distribution read one covering index of SQLite each, whatever waits: without it they
would look up every client."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from core import reports, subscriptions
from core.members import Member
from core.reports import Order, PendingFilter, SourceFilter, search
from core.subscriptions import Subscription
from core.words import BillingPeriod, Overrides, Payer
from tests.conftest import Space

LIST, NEWEST, GROUPS = "ix_subscription_list", "ix_subscription_newest", "ix_subscription_distribution"
PAST = datetime(2026, 3, 3, tzinfo=UTC)
READS: dict[str, tuple[str, Callable[[Session, Member], Any]]] = {
    "all by name": ("ix_client_search", lambda s, m: reports.listed(s, m)),
    "a plan": (LIST, lambda s, m: reports.listed(s, m, plan="plus")),
    "a plan, Z to A": (LIST, lambda s, m: reports.listed(s, m, plan="plus", order_by=Order.NAME_DESCENDING)),
    "a responsible": (LIST, lambda s, m: reports.listed(s, m, responsible=1)),
    "a default set": (LIST, lambda s, m: reports.listed(s, m, default_set=1)),
    "a version of a set": (LIST, lambda s, m: reports.listed(s, m, default_set=1, version=1)),
    "a default set, newest first": (
        NEWEST,
        lambda s, m: reports.listed(s, m, default_set=1, order_by=Order.NEWEST),
    ),
    "retired sets": (LIST, lambda s, m: reports.listed(s, m, source=SourceFilter.RETIRED_SET)),
    "older defaults": (LIST, lambda s, m: reports.listed(s, m, source=SourceFilter.OLDER)),
    "pending": (LIST, lambda s, m: reports.listed(s, m, pending=PendingFilter.PENDING)),
    "pending, newest first": (
        NEWEST,
        lambda s, m: reports.listed(s, m, pending=PendingFilter.PENDING, order_by=Order.NEWEST),
    ),
    "a plan, oldest first": (NEWEST, lambda s, m: reports.listed(s, m, plan="plus", order_by=Order.OLDEST)),
    "figures": (GROUPS, lambda s, m: reports.figures(s, m)),
    "figures of a plan": (GROUPS, lambda s, m: reports.figures(s, m, plan="plus")),
    "figures of a default set": (GROUPS, lambda s, m: reports.figures(s, m, default_set=1)),
    "figures of retired sets": (GROUPS, lambda s, m: reports.figures(s, m, source=SourceFilter.RETIRED_SET)),
    "figures of what waits": (GROUPS, lambda s, m: reports.figures(s, m, pending=PendingFilter.PENDING)),
    "distribution": (GROUPS, lambda s, m: reports.plan_distribution(s, m)),
    "distribution of a past day": (GROUPS, lambda s, m: reports.plan_distribution(s, m, as_of=PAST)),
    "all by name, of a past day": ("ix_client_search", lambda s, m: reports.listed(s, m, as_of=PAST)),
    "a plan, of a past day": (GROUPS, lambda s, m: reports.listed(s, m, plan="plus", as_of=PAST)),
    "expired, of a past day": (GROUPS, lambda s, m: reports.listed(s, m, status="expired", as_of=PAST)),
    "figures of a past day": (GROUPS, lambda s, m: reports.figures(s, m, as_of=PAST)),
    "figures of a plan on a past day": (GROUPS, lambda s, m: reports.figures(s, m, plan="plus", as_of=PAST)),
}


@pytest.fixture
def sqlite(space: Space) -> Space:
    """The partner space on SQLite: a small table of PostgreSQL is read as a whole."""
    if space.database.engine.dialect.name != "sqlite":
        pytest.skip("the plans of SQLite")
    return space


@contextmanager
def statements(space: Space) -> Iterator[list[tuple[str, Any]]]:
    """What is asked of the database in this block."""
    asked: list[tuple[str, Any]] = []

    def heard(_connection: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        asked.append((statement, values))

    event.listen(space.database.engine, "before_cursor_execute", heard)
    try:
        yield asked
    finally:
        event.remove(space.database.engine, "before_cursor_execute", heard)


@pytest.mark.parametrize("read", READS)
def test_one_covering_index_is_walked(sqlite: Space, read: str) -> None:
    """The first table that a statement about every client reads is an index that has all it needs, in its order."""
    sqlite.save()
    index, ask = READS[read]
    with statements(sqlite) as asked, sqlite.database.reading() as session:
        ask(session, sqlite.administrator)
    statement, values = next(each for each in asked if "FROM subscription" in each[0] or "JOIN subscription" in each[0])
    with sqlite.database.engine.connect() as connection:
        plan = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)]
    walked = next(step for step in plan if step.startswith(("SEARCH", "SCAN")))
    assert f"USING COVERING INDEX {index} " in walked
    if index == GROUPS:
        assert not any("TEMP B-TREE" in step for step in plan)


def test_what_waited_is_looked_up_client_by_client(sqlite: Space, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a page of the past, where many fulfil the filters: the index of what waits has everything that took effect
    since, for each of its rows, and that of the distribution all clients of a plan."""
    monkeypatch.setattr(search, "FEW", -1)
    sqlite.save()
    with statements(sqlite) as asked, sqlite.database.reading() as session:
        reports.listed(session, sqlite.administrator, as_of=PAST, plan="plus")
    statement, values = next(each for each in asked if "AS keys" in each[0])
    with sqlite.database.engine.connect() as connection:
        plan = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)]
    assert not [step for step in plan if "ix_subscription_pending" in step or GROUPS in step]
    assert not [
        step for step in plan if step.startswith("SCAN") and step not in {"SCAN keys", "SCAN catalogue_edition"}
    ]


def test_what_does_not_hold_any_more_leaves_the_index_of_the_list(space: Space) -> None:
    """A change that waited takes effect, and the row it ended is out of the index once anybody of that partner decides
    something, of another client too."""
    space.save()
    client, other = space.invite(), space.invite("Other")
    with space.database.transaction() as session:
        for each in (client, other):
            subscriptions.start(session, space.administrator.partner, each)
    space.clock.forward(days=1)
    space.override(client.client_id, Overrides(billing_period=BillingPeriod.YEARLY))
    may_hold = (
        select(Subscription.revision, Subscription.may_hold)
        .where(Subscription.client_id == client.client_id)
        .order_by(Subscription.revision)
    )
    space.clock.forward(days=40)
    with space.database.reading() as session:
        assert session.execute(may_hold).all() == [(1, False), (2, True), (3, True)]
    space.override(other.client_id, Overrides(payer=Payer.PARTNER))
    with space.database.reading() as session:
        assert session.execute(may_hold).all() == [(1, False), (2, False), (3, True)]
    assert space.detail(client.client_id).revision == 3
