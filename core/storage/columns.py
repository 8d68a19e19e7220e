"""The types of columns: instants in UTC, and sets stored so that equal sets are equal in SQL."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import BigInteger, DateTime, Dialect, Text
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

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        instant: datetime = _EPOCH + value * _MICROSECOND if dialect.name == "sqlite" else value.astimezone(UTC)
        return instant


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
