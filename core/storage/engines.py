"""The two kinds of databases, each opened so that nobody waits for it longer than they should."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import Connection, Engine, create_engine, event, make_url

from core.storage.failures import keep_values_out
from core.words import DatabaseReplaced

_READING, _WRITING = 8, 15  # seconds for a statement; who writes may first wait for other writers
_GRACE = 1  # seconds after which a server that should have given up by itself is taken for frozen
_IN_A_QUEUE = 10  # seconds for one of this server's own connections


@dataclass(frozen=True, slots=True)
class Patience:
    """How many seconds this server waits for its database."""

    sign_of_life: int = 2  # to connect, and whether a connection kept from before still answers
    lock: float = 10  # for somebody else's work
    reading: float = _READING  # one statement of a page
    writing: float = _WRITING  # one statement of an action
    long: float = 1800  # one statement of what may take its time: see `allow_minutes`


USUAL = Patience()


class PatientConnection(psycopg.Connection[Any]):
    """A connection that is given up when no answer comes.

    A frozen server cannot keep its own time limits, and its machine still acknowledges what is sent to it: only who
    waits can tell.
    """

    longest: float = _WRITING  # seconds for each answer

    def wait(self, *args: Any, **named: Any) -> Any:
        """Wait for an answer, and no longer."""
        try:
            return super().wait(*args, **{"timeout": self.longest} | named)
        except psycopg.errors._WaitTimeout:  # as psycopg's own callers of wait() do
            self.close()
            raise psycopg.OperationalError(f"no answer within {self.longest:g} seconds") from None


class DatabaseFile:
    """The file of an SQLite database: the same one as long as this server runs.

    A deleted file can be written to until its last connection is closed: everything would seem to be saved.
    """

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        self._opened: tuple[int, int] | None = None

    def remember(self) -> None:
        """It was opened just now."""
        self._opened = self._opened or self._found()

    def refuse_another(self, *, reading: bool = False) -> None:
        """Raise DatabaseReplaced if it is not the file that was opened first."""
        if self._opened is not None and self._found() != self._opened:
            raise DatabaseReplaced(reading=reading)

    def _found(self) -> tuple[int, int] | None:
        with suppress(OSError):
            found = self._path.stat()
            return found.st_dev, found.st_ino
        return None


def open_postgresql(url: str, patience: Patience) -> Engine:
    """No action waits for another for ever, nor for a server that is gone or frozen; a connection that the server gave
    up is replaced before it is used. Values that a statement failed with, people's names and links among them, are in
    no log.

    A plan is made for the values that are asked for: one made for any value walks the whole list to find a rare plan.
    """
    options = {
        "lock_timeout": patience.lock,
        "statement_timeout": patience.reading,
        "idle_in_transaction_session_timeout": 60,
    }
    arguments = {
        "connect_timeout": patience.sign_of_life,
        "tcp_user_timeout": 1000 * patience.sign_of_life,
        "keepalives_idle": 10,
        "keepalives_interval": 2,
        "keepalives_count": 3,
        "options": " ".join(f"-c {name}={_milliseconds(seconds)}" for name, seconds in options.items()),
    }
    engine = create_engine(
        url, pool_pre_ping=True, pool_timeout=_IN_A_QUEUE, hide_parameters=True, connect_args=arguments
    )
    keep_values_out(engine)

    @event.listens_for(engine, "do_connect")
    def _connect(_dialect: Any, _record: Any, positional: Any, named: Any) -> PatientConnection:
        made = PatientConnection.connect(*positional, **named)
        made.longest = patience.sign_of_life + _GRACE
        return made

    @event.listens_for(engine, "checkin")
    def _keep(connection: Any, _record: Any) -> None:
        if connection is not None:
            connection.longest = patience.sign_of_life  # the next thing it is asked is whether it still lives

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes", False)
        if writes:
            be_patient(connection, patience.writing)
        else:
            _of_driver(connection).longest = patience.reading + _GRACE

    return engine


def open_sqlite(url: str, patience: Patience) -> tuple[Engine, DatabaseFile | None]:
    """Writers queue from their first statement, and wait for each other in SQLite itself; the file, if it is one."""
    path = _path(url)
    file = DatabaseFile(path) if path else None
    engine = create_engine(url, hide_parameters=True, **({"pool_timeout": _IN_A_QUEUE} if path else {}))

    @event.listens_for(engine, "do_connect")
    def _look(*_: Any) -> None:
        if file is not None:
            file.refuse_another()  # SQLite would make an empty one

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # transactions begin where we say, below
        connection.execute(f"PRAGMA busy_timeout = {_milliseconds(patience.lock)}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA cache_size = -8000")
        if file is not None:
            file.remember()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        asked = connection.get_execution_options()
        if asked.get("begins", True):
            connection.exec_driver_sql("BEGIN IMMEDIATE" if asked.get("writes", False) else "BEGIN")

    return engine, file


def be_patient(connection: Connection, seconds: float) -> None:
    """Within the transaction of `connection`, a statement may take so many seconds."""
    if connection.dialect.name == "postgresql":
        _of_driver(connection).longest = seconds + _GRACE
        connection.exec_driver_sql(f"SET LOCAL statement_timeout = {_milliseconds(seconds)}")


def _path(url: str) -> str:
    """The file of an SQLite database; "" where it is none: in memory, or named by a URI of SQLite's own."""
    named = make_url(url).database or ""
    return "" if named in ("", ":memory:") or named.startswith("file:") else named


def _of_driver(connection: Connection) -> Any:
    return connection.connection.dbapi_connection


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)
