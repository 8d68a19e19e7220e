"""The other side of each comparison: one open connection of the bare driver, and what a good engineer writes on it."""

import re
import sqlite3
from calendar import monthrange
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
from sqlalchemy import URL

from tests.bench.space import PARTNER_ID, TIME_ZONE

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_PRAGMAS = ["busy_timeout = 10000", "journal_mode = WAL", "foreign_keys = ON", "cache_size = -8000"]


@dataclass(frozen=True, slots=True)
class Driver:
    """An open connection of sqlite3 or psycopg, in autocommit; SQL names its values `:so`."""

    cursor: Any
    is_sqlite: bool

    def run(self, sql: str, values: Mapping[str, Any]) -> Any:
        """The cursor after this statement."""
        return self.cursor.execute(sql if self.is_sqlite else _as_psycopg(sql), values)

    def rows(self, sql: str, **values: Any) -> list[tuple[Any, ...]]:
        """Every row of this query about the partner; `:now` is now unless it is given."""
        now = self.stored(datetime.now(UTC))
        rows: list[tuple[Any, ...]] = self.run(sql, {"now": now} | values | {"partner": PARTNER_ID}).fetchall()
        return rows

    def stored(self, moment: datetime) -> Any:
        """A moment as the database stores it."""
        return (moment - _EPOCH) // _MICROSECOND if self.is_sqlite else moment

    def day(self, moment: Any) -> date:
        """The partner's day at a moment as it is stored."""
        return local_day(_EPOCH + moment * _MICROSECOND if self.is_sqlite else moment)

    def just_after(self, moment: Any) -> Any:
        """The first moment after this one; both as stored."""
        return moment + (1 if self.is_sqlite else _MICROSECOND)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """One writing transaction."""
        self.cursor.execute("BEGIN IMMEDIATE" if self.is_sqlite else "BEGIN")
        try:
            yield
        except BaseException:
            self.cursor.execute("ROLLBACK")
            raise
        self.cursor.execute("COMMIT")


def connect(url: URL) -> Driver:
    """A connection with the settings that the product gives its own."""
    if url.get_backend_name() == "postgresql":
        address = url.set(drivername="postgresql").render_as_string(hide_password=False)
        return Driver(psycopg.connect(address, autocommit=True).cursor(), is_sqlite=False)
    connection = sqlite3.connect(str(url.database), isolation_level=None)
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")
    return Driver(connection.cursor(), is_sqlite=True)


@dataclass(frozen=True, slots=True)
class Offer:
    """The catalogue as plain words: prices in cents by list, code and period; the days of each list; what is retired;
    what goes with a plan."""

    cents: Mapping[tuple[int, str, str], int]
    lists: tuple[tuple[int, date, date | None], ...]  # ascending
    retired: frozenset[str]
    offered: frozenset[tuple[str, str]]

    def list_on(self, day: date) -> int:
        """The list in force on a day."""
        return max(number for number, valid_from, _ in self.lists if valid_from <= day)

    def running_list(self, price_list: int | None, day_begun: date) -> int:
        """The list by which a period costs that begun on this day, bought at `price_list`."""
        if price_list is None:
            return self.list_on(day_begun)
        reached = (number for number, _, renewals in self.lists if renewals is not None and renewals <= day_begun)
        return max(price_list, max(reached, default=0))

    def has_renewals_before(self, day: date) -> bool:
        """Whether what a period costs on this day may depend on when it began."""
        return any(renewals and day - timedelta(days=366) < renewals <= day for *_, renewals in self.lists)

    def period_cents(self, price_list: int, plan: str, period: str, add_ons: str) -> int | None:
        """What these stored settings cost in a period by a list; None without a price."""
        try:
            return sum(self.cents[price_list, code, period] for code in (plan, *_codes(add_ons)))
        except KeyError:
            return None

    def yearly_cents(self, price_list: int, plan: str, period: str, add_ons: str) -> int:
        """What these stored settings cost in a year by a list; 0 without a price."""
        cents = self.period_cents(price_list, plan, period, add_ons) or 0
        return cents * 12 if period == "monthly" else cents

    def refuse_unsellable(self, plan: str, period: str, add_ons: str) -> None:
        """Raise ValueError unless these settings can be newly had."""
        chosen, (newest, *_) = _codes(add_ons), self.lists[-1]
        if not self.retired.isdisjoint((plan, *chosen)) or any((plan, code) not in self.offered for code in chosen):
            raise ValueError("retired or not offered")
        if self.period_cents(newest, plan, period, add_ons) is None:
            raise ValueError("no price")


def offer(driver: Driver) -> Offer:
    """The catalogue, read once."""
    cents = """SELECT number, plan, billing_period, cents FROM plan_price
        UNION ALL SELECT number, add_on, billing_period, cents FROM add_on_price"""
    lists = "SELECT number, valid_from, renewals_from FROM price_list ORDER BY number"
    retired = "SELECT plan FROM plan WHERE is_retired UNION ALL SELECT add_on FROM add_on WHERE is_retired"
    return Offer(
        {(number, code, period): price for number, code, period, price in driver.rows(cents)},
        tuple((number, _as_date(begins), _as_date(reaches)) for number, begins, reaches in driver.rows(lists)),
        frozenset(code for (code,) in driver.rows(retired)),
        frozenset((plan, add_on) for plan, add_on in driver.rows("SELECT plan, add_on FROM plan_add_on")),
    )


def local_day(moment: datetime) -> date:
    """The partner's day at this moment."""
    return moment.astimezone(_zone()).date()


def day_begins(day: date) -> datetime:
    """The moment at which this day of the partner begins."""
    return datetime.combine(day, time.min, _zone()).astimezone(UTC)


@lru_cache(maxsize=4096)
def period_of(anchor_day: int, anchor_month: int | None, day: date) -> tuple[date, date]:
    """The first day of the period that contains this day, and that of the next one."""
    months, step = day.year * 12 + (anchor_month or day.month) - 1, 12 if anchor_month else 1
    if _renewal(anchor_day, months) > day:
        months -= step
    return _renewal(anchor_day, months), _renewal(anchor_day, months + step)


def _renewal(anchor_day: int, months: int) -> date:
    year, month = months // 12, months % 12 + 1
    return date(year, month, min(anchor_day, monthrange(year, month)[1]))


@lru_cache
def _zone() -> ZoneInfo:
    return ZoneInfo(TIME_ZONE)


def _as_date(stored: Any) -> Any:
    return date.fromisoformat(stored) if isinstance(stored, str) else stored


def _codes(add_ons: str) -> list[str]:
    return add_ons.split(";") if add_ons else []


@lru_cache
def _as_psycopg(sql: str) -> str:
    return re.sub(r":(\w+)", r"%(\1)s", sql.replace("may_hold = 1", "may_hold"))
