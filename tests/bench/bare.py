"""The other side of each comparison: one open connection of the bare driver, and what a good engineer writes on it."""

import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import psycopg
from sqlalchemy import URL

from tests.bench.space import PARTNER_ID

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
        """Every row of this query about the partner."""
        rows: list[tuple[Any, ...]] = self.run(sql, values | {"partner": PARTNER_ID}).fetchall()
        return rows

    def stored(self, moment: datetime) -> Any:
        """A moment as the database stores it."""
        return (moment - _EPOCH) // _MICROSECOND if self.is_sqlite else moment

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
    """The catalogue as plain words: prices in cents by code and period, what is retired, what goes with a plan."""

    cents: Mapping[tuple[str, str], int]
    retired: frozenset[str]
    offered: frozenset[tuple[str, str]]

    def yearly_cents(self, plan: str, period: str, add_ons: str) -> int:
        """What these stored settings cost in a year; 0 without a price."""
        try:
            cents = sum(self.cents[code, period] for code in (plan, *_codes(add_ons)))
        except KeyError:
            return 0
        return cents * 12 if period == "monthly" else cents

    def refuse_unsellable(self, plan: str, period: str, add_ons: str) -> None:
        """Raise ValueError unless these settings can be newly had."""
        chosen = _codes(add_ons)
        if not self.retired.isdisjoint((plan, *chosen)) or any((plan, code) not in self.offered for code in chosen):
            raise ValueError("retired or not offered")
        if any((code, period) not in self.cents for code in (plan, *chosen)):
            raise ValueError("no price")


def offer(driver: Driver) -> Offer:
    """The catalogue, read once."""
    cents = """SELECT plan, billing_period, cents FROM plan_price
        UNION ALL SELECT add_on, billing_period, cents FROM add_on_price"""
    retired = "SELECT plan FROM plan WHERE is_retired UNION ALL SELECT add_on FROM add_on WHERE is_retired"
    return Offer(
        {(code, period): price for code, period, price in driver.rows(cents)},
        frozenset(code for (code,) in driver.rows(retired)),
        frozenset((plan, add_on) for plan, add_on in driver.rows("SELECT plan, add_on FROM plan_add_on")),
    )


def _codes(add_ons: str) -> list[str]:
    return add_ons.split(";") if add_ons else []


@lru_cache
def _as_psycopg(sql: str) -> str:
    return re.sub(r":(\w+)", r"%(\1)s", sql)
