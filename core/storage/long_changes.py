"""A change of a partner space that takes long says how far it is, where others can read it.

What a transaction writes nobody else sees before it ends. On PostgreSQL a second connection writes a row, which counts
only while the transaction holds a lock of its own; on SQLite, where nobody else can write, a file beside the database,
which counts only while it is locked. So what a killed process left behind counts for nothing.
"""

import fcntl
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, bindparam, delete, exists, make_url, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.storage.columns import Instant
from core.storage.tables import ROWS_IN_KEY_ORDER, Base
from core.words import BulkRunning

LONG = 5000  # of what is counted: who is quicker only makes others wait a moment
_LOCK = 7_283_115  # any number; beside it the number of the partner
_ROOM = 1024  # bytes of the file


class LongChangeRow(Base):
    """How far the long change of a partner space is. It counts only while its transaction holds its lock."""

    __tablename__ = "long_change"
    __table_args__ = (ROWS_IN_KEY_ORDER,)

    partner_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    by: Mapped[str]
    began_at: Mapped[datetime] = mapped_column(Instant)
    done: Mapped[int]
    total: Mapped[int]


@dataclass(frozen=True, slots=True)
class LongChange:
    """A change that runs: who makes it, since when (UTC), and how many of how many are done."""

    by: str
    began_at: datetime
    done: int
    total: int


_ROW = (LongChangeRow.by, LongChangeRow.began_at, LongChangeRow.done, LongChangeRow.total)
_IS_LOCKED = text(
    "EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND classid = :lock AND objid = :partner "
    "AND objsubid = 2 AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))"
)
_RUNNING = select(*_ROW).where(LongChangeRow.partner_id == bindparam("partner"), _IS_LOCKED)

_FORGET = delete(LongChangeRow).where(LongChangeRow.partner_id == bindparam("partner"))


def says_long_change(partner_id: Any) -> ColumnElement[bool]:
    """The condition that a row says a long change of this partner space, whether it runs or was killed."""
    return exists().where(LongChangeRow.partner_id == partner_id)


@contextmanager
def announced(
    session: Session, partner_id: int, by: str, began_at: datetime, total: int
) -> Iterator[Callable[[int], None]]:
    """Within the block others can read how far this change is; what is given is called with how many are done. The
    partner's turn is held. Of a change that is not LONG nothing is said."""
    if total <= LONG:
        yield lambda _: None
        return
    engine = session.get_bind().engine
    if engine.dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:lock, :partner)"), {"lock": _LOCK, "partner": partner_id})
        with _in_a_row(engine, partner_id, LongChange(by, began_at, 0, total)) as say:
            yield say
    elif (path := file_of(engine)) is None:
        yield lambda _: None
    else:
        with _in_a_file(path, LongChange(by, began_at, 0, total)) as say:
            yield say


def long_change(session: Session, partner_id: int) -> LongChange | None:
    """The long change of this partner space that runs now; None: none does. On SQLite, of any partner space."""
    return long_change_on(session.connection(), partner_id)


def long_change_on(connection: Connection, partner_id: int) -> LongChange | None:
    """The same, asked of a connection."""
    if connection.dialect.name == "postgresql":
        row = connection.execute(_RUNNING, {"lock": _LOCK, "partner": partner_id}).first()
        return None if row is None else LongChange(*row)
    path = file_of(connection.engine)
    return None if path is None else in_file(path)


def refuse_beside(running: LongChange | None) -> None:
    """Raise BulkRunning if a long change runs."""
    if running is not None:
        raise BulkRunning(by=running.by, done=running.done, total=running.total)


def forget_long_change(session: Session, partner_id: int) -> None:
    """Afterwards nothing is left of a long change that was killed. The caller knows that none runs."""
    session.connection().execute(_FORGET, {"partner": partner_id})


def file_of(engine: Engine) -> Path | None:
    """Where it is said on SQLite; None for a database that is no file."""
    named = make_url(str(engine.url)).database or ""
    return None if named in ("", ":memory:") or named.startswith("file:") else Path(f"{named}-bulk")


def in_file(path: Path) -> LongChange | None:
    """What the file says, while whoever wrote it holds it."""
    try:
        held = os.open(path, os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(held, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        said: dict[str, Any] = json.loads(os.pread(held, _ROOM, 0) or "{}")
        return LongChange(**said | {"began_at": datetime.fromtimestamp(said["began_at"], UTC)}) if said else None
    finally:
        os.close(held)
    return None


@contextmanager
def _in_a_file(path: Path, change: LongChange) -> Iterator[Callable[[int], None]]:
    held = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)

    def say(done: int) -> None:
        said = {"by": change.by[:200], "began_at": change.began_at.timestamp(), "done": done, "total": change.total}
        os.pwrite(held, json.dumps(said).ljust(_ROOM).encode()[:_ROOM], 0)  # always as long, so nobody reads a part

    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        say(0)
        yield say
    finally:
        with suppress(OSError):
            path.unlink()
        os.close(held)


@contextmanager
def _in_a_row(engine: Engine, partner_id: int, change: LongChange) -> Iterator[Callable[[int], None]]:
    values = {"partner_id": partner_id, "by": change.by, "began_at": change.began_at, "total": change.total}
    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:

        def say(done: int) -> None:
            row = insert(LongChangeRow).values(**values, done=done)
            connection.execute(row.on_conflict_do_update(index_elements=["partner_id"], set_={**values, "done": done}))

        say(0)
        try:
            yield say
        finally:
            with suppress(Exception):  # what is left counts for nothing
                connection.execute(_FORGET, {"partner": partner_id})
