"""The types of columns: instants in UTC, and sets stored so that equal sets are equal in SQL."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Boolean, DateTime, Dialect, Integer, Text, bindparam
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine

from core.words import Setting

LARGEST_NUMBER = 2**31 - 1  # that an integer column holds on PostgreSQL

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Instant(TypeDecorator[datetime]):
    """A moment in UTC: whole microseconds since 1970 on SQLite, timestamptz on PostgreSQL.

    SQLAlchemy's own type drops the offset on SQLite, where instants would then neither compare nor sort.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(BigInteger() if dialect.name == "sqlite" else DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone")
        return (value - _EPOCH) // _MICROSECOND if dialect.name == "sqlite" else value

    def result_processor(self, dialect: Dialect, _coltype: object) -> Callable[[Any], datetime | None]:
        return _of_microseconds if dialect.name == "sqlite" else _in_utc


@lru_cache(maxsize=4096)
def _of_microseconds(stored: int | None) -> datetime | None:
    return None if stored is None else _EPOCH + stored * _MICROSECOND


def _in_utc(stored: datetime | None) -> datetime | None:
    return None if stored is None else stored.astimezone(UTC)


class _Numbers(TypeDecorator[Sequence[int]]):
    """Numbers in one parameter: JSON on SQLite, an array on PostgreSQL."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else ARRAY(Integer))

    def process_bind_param(self, value: Sequence[int] | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        return json.dumps([*value]) if dialect.name == "sqlite" else [*value]


class one_of(FunctionElement[bool]):  # noqa: N801 - it reads as the function that it is
    """The condition that a column of numbers is one of those that this parameter names: however many they are, it is
    one parameter, and the statement stays the same."""

    inherit_cache = True
    type = Boolean()

    def __init__(self, column: Any, name: str) -> None:
        super().__init__(column, bindparam(name, type_=_Numbers()))

    def self_group(self, against: Any = None) -> "one_of":  # noqa: ARG002 - its parent's
        """As it is: "... = 1", which SQLAlchemy would write on SQLite, keeps it from the index."""
        return self


@compiles(one_of)
def _one_of(element: one_of, compiler: Any, **how: Any) -> str:
    column, numbers = (compiler.process(each, **how) for each in element.clauses)
    if compiler.dialect.name == "sqlite":
        return f"{column} IN (SELECT value FROM json_each({numbers}))"  # noqa: S608 - a parameter
    return f"{column} = ANY ({numbers})"


class Codes(TypeDecorator[frozenset[str]]):
    """A set of catalogue codes as sorted text, "bank_feeds;payroll"; the empty set is the empty text."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: frozenset[str] | None, _dialect: Dialect) -> str | None:
        return None if value is None else ";".join(sorted(value))

    def process_result_value(self, value: str | None, _dialect: Dialect) -> frozenset[str] | None:
        return None if value is None else codes(value)


class Settings(TypeDecorator[frozenset[Setting]]):
    """A set of settings as text in the order of `Setting`, "billing_period;plan"; the empty set is the empty text."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: frozenset[Setting] | None, _dialect: Dialect) -> str | None:
        return None if value is None else settings_as_text(value)

    def process_result_value(self, value: str | None, _dialect: Dialect) -> frozenset[Setting] | None:
        return None if value is None else settings_from_text(value)


@lru_cache(maxsize=4096)
def codes(text: str) -> frozenset[str]:
    """The set that a Codes column stores as this text."""
    return frozenset(text.split(";")) if text else frozenset()


@lru_cache
def settings_as_text(settings: frozenset[Setting]) -> str:
    """The text of a Settings column."""
    return ";".join(setting for setting in Setting if setting in settings)


@lru_cache
def settings_from_text(text: str) -> frozenset[Setting]:
    """The set that a Settings column stores as this text."""
    return frozenset(Setting(word) for word in text.split(";")) if text else frozenset()
