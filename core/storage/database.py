"""The engine, one transaction per action, and the migrations.

SQLite is the embedded default: a file in WAL mode with foreign keys on, whose writers queue from their first statement
(BEGIN IMMEDIATE). PostgreSQL is what a team runs. Only this folder and the tables know which it is.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.orm import Session

_MIGRATIONS = Path(__file__).parent / "migrations"
_MICROSECOND = timedelta(microseconds=1)
_EARLIEST = datetime.min.replace(tzinfo=UTC)
_LATEST = "latest"  # in the memory of a process: the last instant it gave to a change that the clock was behind of
_MIGRATION_LOCK = 7_283_114  # any number; two servers starting at once on PostgreSQL migrate one after the other


def utc_now() -> datetime:
    """The clock."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Deployment:
    """What the operator decided that actions depend on: where a client's browser reaches the product, and how long an
    invitation can be accepted."""

    public_url: str = "http://localhost:8501"
    invitations_valid_for: timedelta = timedelta(days=30)


@dataclass(slots=True)
class Action:
    """What a session knows beside the database: its surroundings, its one timestamp, and what was read already."""

    clock: Callable[[], datetime]
    deployment: Deployment
    process_memory: dict[str, Any]  # shared by the sessions of a Database; readers can tell when it is out of date
    memory: dict[str, Any] = field(default_factory=dict)
    moment: datetime | None = None


class Database:
    """A database by its SQLAlchemy URL. Opening it reads and writes nothing."""

    def __init__(
        self, url: str, *, clock: Callable[[], datetime] = utc_now, deployment: Deployment = Deployment()
    ) -> None:
        self.clock = clock
        self.deployment = deployment
        self.engine = _sqlite(url) if make_url(url).get_backend_name() == "sqlite" else _postgresql(url)
        self._for_writing = self.engine.execution_options(writes=True)
        self._for_reading = self.engine
        self._for_single_reads = self.engine.execution_options(begins=False)
        if not self.is_embedded:
            self._for_reading = self.engine.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
            self._for_single_reads = self.engine.execution_options(
                isolation_level="AUTOCOMMIT", postgresql_readonly=True
            )
        self._memory: dict[str, Any] = {}

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
    def reading(self, *, single: bool = False) -> Iterator[Session]:
        """A session in which every read sees the same moment.

        `single`: each read is its own moment, with no transaction to begin and to end around it; half as long on
        PostgreSQL where there is only one.
        """
        with self._session(self._for_single_reads if single else self._for_reading) as session:
            yield session

    def migrate(self) -> None:
        """Afterwards the tables are those of this version of the product; safe to run twice, or by two servers."""
        with self.migrating() as connection:
            migrate_on(connection)

    @contextmanager
    def migrating(self) -> Iterator[Connection]:
        """A connection that writes, in a transaction of its own."""
        with self._for_writing.connect() as connection, connection.begin():
            yield connection

    def is_migrated(self) -> bool:
        """Whether the tables are those of this version of the product."""
        with self.engine.connect() as connection:
            found = MigrationContext.configure(connection).get_current_heads()
        return set(found) == set(ScriptDirectory(str(_MIGRATIONS)).get_heads())

    def close(self) -> None:
        """Give every connection back."""
        self.engine.dispose()

    def _session(self, engine: Engine) -> Session:
        action = Action(self.clock, self.deployment, self._memory)
        return Session(engine, expire_on_commit=False, autoflush=False, info={"action": action})


def action_of(session: Session) -> Action:
    """What this session carries out, and where."""
    action: Action = session.info["action"]
    return action


def now(session: Session) -> datetime:
    """The one timestamp of the action that this session carries out."""
    action = action_of(session)
    if action.moment is None:
        action.moment = max(action.clock(), action.process_memory.get(_LATEST, _EARLIEST))
    return action.moment


def now_after(session: Session, earlier: datetime | None) -> datetime:
    """The one timestamp of the action, or the microsecond after `earlier`: clocks step back, and what follows another
    change is later than it. What this process reads from then on is not earlier, so it sees what it wrote."""
    if earlier is None or earlier < now(session):
        return now(session)
    memory, moment = action_of(session).process_memory, earlier + _MICROSECOND
    memory[_LATEST] = max(memory.get(_LATEST, _EARLIEST), moment)
    return moment


def set_now(session: Session, moment: datetime) -> None:
    """From here on the action takes place at this moment: the demo lives through a year in one transaction."""
    action_of(session).moment = moment


def take_lock(session: Session, number: int) -> None:
    """Wait for the lock of this number, and hold it until the transaction ends: for what belongs to no partner.

    Writers on SQLite have waited for each other already.
    """
    _take(session.connection(), number)


def migrate_on(connection: Connection) -> None:
    """Bring the tables to this version of the product, within the transaction of `connection`."""
    _take(connection, _MIGRATION_LOCK)
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _take(connection: Connection, lock: int) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": lock})


def _postgresql(url: str) -> Engine:
    """No action waits for another for ever, and a connection that the server gave up is replaced before it is used.
    Values that a statement failed with, people's names and links among them, are in no log.

    A plan is made for the values that are asked for: one made for any value walks the whole list to find a rare plan.
    """
    options = "-c lock_timeout=10000 -c idle_in_transaction_session_timeout=60000"
    arguments = {"connect_timeout": 5, "options": options}
    return create_engine(url, pool_pre_ping=True, hide_parameters=True, connect_args=arguments)


def _sqlite(url: str) -> Engine:
    engine = create_engine(url, hide_parameters=True)

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
