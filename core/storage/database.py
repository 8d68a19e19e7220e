"""The engine, one transaction per action, and the migrations.

SQLite is the embedded default: a file in WAL mode with foreign keys on, whose writers queue from their first statement
(BEGIN IMMEDIATE). PostgreSQL is what a team runs. Only this folder and the tables know which it is.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, inspect, make_url, text
from sqlalchemy.orm import Session

from core.storage.engines import USUAL, DatabaseFile, Patience, be_patient, open_postgresql, open_sqlite
from core.storage.failures import told_in_words
from core.storage.long_changes import file_of, in_file, refuse_beside
from core.storage.tables import Base
from core.words import SearchUnavailable, TablesMissing, TablesNewer, TablesOfAnother, TablesOlder, TablesRefused

_MIGRATIONS = Path(__file__).parent / "migrations"
_MICROSECOND = timedelta(microseconds=1)
_EARLIEST = datetime.min.replace(tzinfo=UTC)
_LATEST = (
    "latest"  # in the memory of a process: the last instant of its clock that it gave to a change the clock was behind
)
_OWN_TABLES = {"partner", "default_settings"}  # that every version of the product has
_NO_SEARCH = """
    SELECT NOT EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'pg_trgm') AND NOT (
        has_database_privilege(current_database(), 'CREATE')
        AND EXISTS (SELECT 1 FROM pg_available_extensions WHERE name = 'pg_trgm'))"""
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
    patience: Patience
    process_memory: dict[str, Any]  # shared by the sessions of a Database; readers can tell when it is out of date
    ahead_of_clock: Callable[[Session], timedelta] | None = None
    memory: dict[str, Any] = field(default_factory=dict)
    moment: datetime | None = None
    ahead: timedelta = timedelta()


class Database:
    """A database by its SQLAlchemy URL. Opening it reads and writes nothing.

    `ahead_of_clock` is set by demo mode alone: how far ahead of the clock each action takes place.
    """

    def __init__(
        self,
        url: str,
        *,
        clock: Callable[[], datetime] = utc_now,
        deployment: Deployment = Deployment(),
        patience: Patience = USUAL,
    ) -> None:
        self.clock = clock
        self.deployment = deployment
        self.patience = patience
        self._file: DatabaseFile | None = None
        if make_url(url).get_backend_name() == "sqlite":
            self.engine, self._file = open_sqlite(url, patience)
        else:
            self.engine = open_postgresql(url, patience)
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
        self._says_long_changes = file_of(self.engine) if self.is_embedded else None
        self._memory: dict[str, Any] = {}
        self.ahead_of_clock: Callable[[Session], timedelta] | None = None

    @property
    def is_embedded(self) -> bool:
        """Whether the database is a file of this server's own, which it migrates at its start."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """One action: committed when the block ends, rolled back whole on any exception.

        Raises DatabaseFailed where the database did not do its part: nothing was saved then, or, as SavedOrNot says,
        nobody knows.
        """
        with told_in_words() as progress:
            self._refuse_another_file()
            self._refuse_beside_a_long_change()
            with self._session(self._for_writing) as session, session.begin():
                yield session
                session.flush()
                self._refuse_another_file()
                progress.is_committing = True

    @contextmanager
    def reading(self, *, single: bool = False) -> Iterator[Session]:
        """A session in which every read sees the same moment. Raises DatabaseFailed where the database did not answer.

        `single`: each read is its own moment, with no transaction to begin and to end around it; half as long on
        PostgreSQL where there is only one.
        """
        with told_in_words(reading=True):
            self._refuse_another_file(reading=True)
            with self._session(self._for_single_reads if single else self._for_reading) as session:
                yield session

    def migrate(self) -> None:
        """Afterwards the tables are those of this version of the product; safe to run twice, or by two servers.

        Raises TablesRefused on tables of a newer version, or of another program.
        """
        with self.migrating() as connection:
            migrate_on(connection)

    @contextmanager
    def migrating(self) -> Iterator[Connection]:
        """A connection that writes, in a transaction of its own, in which a statement may take minutes."""
        with told_in_words() as progress:
            self._refuse_another_file()
            with self._for_writing.connect() as connection, connection.begin():
                be_patient(connection, self.patience.long)
                yield connection
                progress.is_committing = True

    def is_migrated(self) -> bool:
        """Whether the tables are those of this version of the product."""
        return self._refusal() is None

    def refuse_other_tables(self) -> None:
        """Raise TablesRefused unless the tables are those of this version of the product."""
        if (refusal := self._refusal()) is not None:
            raise refusal

    def close(self) -> None:
        """Give every connection back."""
        self.engine.dispose()

    def _refusal(self) -> TablesRefused | None:
        with told_in_words(reading=True):
            self._refuse_another_file(reading=True)
            with self.engine.connect() as connection:
                return refusal_of_tables(connection)

    def _refuse_another_file(self, *, reading: bool = False) -> None:
        if self._file is not None:
            self._file.refuse_another(reading=reading)

    def _refuse_beside_a_long_change(self) -> None:
        """On SQLite nobody writes beside it, whichever partner space it is of; on PostgreSQL whoever asks for the turn
        of its partner finds it."""
        if self._says_long_changes is not None:
            refuse_beside(in_file(self._says_long_changes))

    def _session(self, engine: Engine) -> Session:
        action = Action(self.clock, self.deployment, self.patience, self._memory, self.ahead_of_clock)
        return Session(engine, expire_on_commit=False, autoflush=False, info={"action": action})


def action_of(session: Session) -> Action:
    """What this session carries out, and where."""
    action: Action = session.info["action"]
    return action


def now(session: Session) -> datetime:
    """The one timestamp of the action that this session carries out."""
    action = action_of(session)
    if action.moment is None:
        action.ahead = timedelta() if action.ahead_of_clock is None else action.ahead_of_clock(session)
        action.moment = max(action.clock(), action.process_memory.get(_LATEST, _EARLIEST)) + action.ahead
    return action.moment


def now_after(session: Session, earlier: datetime | None) -> datetime:
    """The one timestamp of the action, or the microsecond after `earlier`: clocks step back, and what follows another
    change is later than it. What this process reads from then on is not earlier, so it sees what it wrote."""
    if earlier is None or earlier < now(session):
        return now(session)
    action, moment = action_of(session), earlier + _MICROSECOND
    memory = action.process_memory
    memory[_LATEST] = max(memory.get(_LATEST, _EARLIEST), moment - action.ahead)
    return moment


def set_now(session: Session, moment: datetime) -> None:
    """From here on the action takes place at this moment: the demo lives through a year in one transaction."""
    action_of(session).moment = moment


def allow_minutes(session: Session) -> None:
    """From here on a statement of this action may take minutes: it is about every client, or thousands of rows."""
    be_patient(session.connection(), action_of(session).patience.long)


def take_lock(session: Session, number: int) -> None:
    """Wait for the lock of this number, and hold it until the transaction ends: for what belongs to no partner.

    Writers on SQLite have waited for each other already.
    """
    _take(session.connection(), number)


def migrate_on(connection: Connection) -> None:
    """Bring the tables to this version of the product, within the transaction of `connection`.

    Of two servers that start at once the second waits as long as the first takes.
    Raises TablesRefused on tables of a newer version, or of another program, and where the search cannot be had.
    """
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET LOCAL lock_timeout = 0")
        _take(connection, _MIGRATION_LOCK)
        connection.exec_driver_sql("SET LOCAL lock_timeout TO DEFAULT")
    refusal = refusal_of_tables(connection)
    if refusal is None:
        return
    if isinstance(refusal, TablesNewer | TablesOfAnother):
        raise refusal
    if search_is_missing(connection):
        raise SearchUnavailable
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def drop_tables(connection: Connection) -> None:
    """Afterwards the database has no table of the product; within the transaction of `connection`."""
    Base.metadata.drop_all(connection)
    if connection.dialect.name == "sqlite":  # PostgreSQL's index went with its table
        connection.exec_driver_sql("DROP TABLE IF EXISTS client_search")
    connection.exec_driver_sql("DROP TABLE IF EXISTS alembic_version")


@cache
def _migrations() -> ScriptDirectory:
    """The migrations of this version, which do not change while it runs: whether it is ready is asked often."""
    return ScriptDirectory(str(_MIGRATIONS))


def refusal_of_tables(connection: Connection) -> TablesRefused | None:
    """Why this version of the product cannot work with the tables as they are; None: they are its own."""
    scripts = _migrations()
    found = set(MigrationContext.configure(connection).get_current_heads())
    if found == set(scripts.get_heads()):
        return None
    tables = set(inspect(connection).get_table_names()) - {"alembic_version"}
    if not tables:
        return TablesMissing()
    if not found or not tables >= _OWN_TABLES:
        return TablesOfAnother()
    is_known = found <= {script.revision for script in scripts.walk_revisions()}
    return TablesOlder() if is_known else TablesNewer()


def search_is_missing(connection: Connection) -> bool:
    """Whether it is a PostgreSQL database without the extension pg_trgm, and this role cannot create it."""
    return connection.dialect.name == "postgresql" and bool(connection.exec_driver_sql(_NO_SEARCH).scalar_one())


def _take(connection: Connection, lock: int) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": lock})
