"""The engine, one transaction per action, and the migrations.

SQLite is the embedded default: a file in WAL mode with foreign keys on, whose writers queue from their first statement
(BEGIN IMMEDIATE). PostgreSQL is what a team runs. Only this room, the column types and the tables know which it is.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.orm import Session

from core.links import Links

_MIGRATIONS = Path(__file__).parent / "migrations"
_SURELY_THERE = 1.0  # seconds for which a connection that was just used is not asked whether it still is there
_MIGRATION_LOCK = 7_283_114  # any number; two servers starting at once on PostgreSQL migrate one after the other


def utc_now() -> datetime:
    """The clock."""
    return datetime.now(UTC)


class Database:
    """A database by its SQLAlchemy URL. Opening it reads and writes nothing."""

    def __init__(self, url: str, *, clock: Callable[[], datetime] = utc_now, links: Links | None = None) -> None:
        self.clock = clock
        self.links = links or Links()
        self.engine = _sqlite(url) if make_url(url).get_backend_name() == "sqlite" else _postgresql(url)
        self._for_writing = self.engine.execution_options(writes=True)
        self._for_reading = self.engine
        self._for_glances = self.engine.execution_options(begins=False)
        if not self.is_embedded:
            self._for_reading = self.engine.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
            self._for_glances = self.engine.execution_options(isolation_level="AUTOCOMMIT", postgresql_readonly=True)
        self._shared: dict[str, Any] = {}

    @property
    def is_embedded(self) -> bool:
        """Whether the database is a file of this server's own, which it migrates at its start."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """One action: committed when the block ends, rolled back whole on any exception."""
        with self._session(self._for_writing) as session, session.begin():
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session in which every read sees the same moment."""
        with self._session(self._for_reading) as session:
            yield session

    def glance(self) -> Session:
        """A session for single questions: each is its own moment, with no transaction to begin and to end around it.

        Whoever asked for it closes it.
        """
        return self._session(self._for_glances)

    def migrate(self) -> None:
        """Afterwards the tables are those of this version of the product; safe to run twice, or by two servers."""
        with self._for_writing.connect() as connection, connection.begin():
            self.migrate_on(connection)

    def migrate_on(self, connection: Connection) -> None:
        """The same, within the transaction of `connection`."""
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _MIGRATION_LOCK})
        command.upgrade(_alembic(connection), "head")

    def is_migrated(self) -> bool:
        """Whether the tables are those of this version of the product."""
        with self.engine.connect() as connection:
            found = MigrationContext.configure(connection).get_current_heads()
        return set(found) == set(ScriptDirectory(str(_MIGRATIONS)).get_heads())

    def close(self) -> None:
        """Give every connection back."""
        self.engine.dispose()

    def _session(self, engine: Engine) -> Session:
        return Session(
            engine, expire_on_commit=False, autoflush=False,
            info={"clock": self.clock, "shared": self._shared, "links": self.links},
        )  # fmt: skip


def now(session: Session) -> datetime:
    """The one timestamp of the action that this session carries out."""
    if "now" not in session.info:
        session.info["now"] = session.info["clock"]()
    moment: datetime = session.info["now"]
    return moment


def links(session: Session) -> Links:
    """What the links of invitations are made with."""
    made: Links = session.info["links"]
    return made


def shared(session: Session) -> dict[str, Any]:
    """What this process remembers of the database, for rooms that can tell when it is out of date."""
    memory: dict[str, Any] = session.info["shared"]
    return memory


def _alembic(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    return config


def _postgresql(url: str) -> Engine:
    """No action waits for another for ever, and a connection that the server gave up is replaced before it is used.

    A plan is made for the values that are asked for: one made for any value walks the whole list to find a rare plan.
    """
    options = "-c lock_timeout=10000 -c idle_in_transaction_session_timeout=60000"
    engine = create_engine(url, connect_args={"connect_timeout": 5, "options": options})

    @event.listens_for(engine, "checkin")
    def _leave(_connection: Any, record: Any) -> None:
        record.info["left"] = monotonic()

    @event.listens_for(engine, "checkout")
    def _ask(connection: Any, record: Any, _proxy: Any) -> None:
        if monotonic() - record.info.get("left", monotonic()) < _SURELY_THERE:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as gone:
            raise DisconnectionError from gone  # the pool then gives another one

    return engine


def _sqlite(url: str) -> Engine:
    engine = create_engine(url)

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # transactions begin where we say, below
        connection.execute("PRAGMA busy_timeout = 10000")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA cache_size = -8000")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        asked = connection.get_execution_options()
        if asked.get("begins", True):
            connection.exec_driver_sql("BEGIN IMMEDIATE" if asked.get("writes", False) else "BEGIN")

    return engine
