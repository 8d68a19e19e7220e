"""What every table stands on: the base class, names of constraints, and the options of tables that grow large."""

from enum import StrEnum
from typing import Any

from sqlalchemy import Enum, MetaData, Text
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import DeclarativeBase

BINARY_ORDER = Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")  # both databases sort names alike
ROWS_IN_KEY_ORDER = {"sqlite_with_rowid": False}
VACUUM_AFTER_BULK = {"postgresql_with": {"autovacuum_vacuum_insert_scale_factor": 0.02}}


def word(terms: type[StrEnum], name: str) -> Enum:
    """A term stored by value, with a CHECK of that name."""
    return Enum(
        terms, name=name, native_enum=False, create_constraint=True, length=20,
        values_callable=lambda members: [member.value for member in members],
    )  # fmt: skip


def is_declared(_item: Any, name: str | None, *_: Any) -> bool:
    """Whether the classes of tables know of it: the index of the search lies beside them, as each kind of database has
    its own."""
    return not (name or "").startswith("client_search")


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "fk": "fk_%(table_name)s_%(referred_table_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        }
    )
