"""Copies of an SQLite file, by SQLite itself: what still is in the log beside it (ending in -wal) is in them."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from shutil import copyfile

from sqlalchemy import URL
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from core.storage.copy_files import CopyRefused, new_file, refuse_unknown
from core.storage.database import Database
from core.words import N_

_IN_USE = N_("{file} is in use. Stop the server and the deliverer, and whatever else has it open, then try again.")
_NOT_EMPTY = N_("The database holds a partner space already. To put the backup in its place, add --replace.")
_DAMAGED = N_("{file} is damaged: {said}. Take another backup.")
_NOT_READ = N_("{file} cannot be read as a database: {said}. Move it away, then try again.")
_HAS_LOG = N_(
    "Beside {file} lies {log}: this is a database in use, not a backup of one. `python -m core backup` makes one."
)


@contextmanager
def copy_out(database: Database, file: Path) -> Iterator[Session]:
    """See core.storage.copies."""
    source = sqlite3.connect(_path(database), isolation_level=None, timeout=10)
    with closing(source):
        source.execute("VACUUM INTO ?", (str(file),))
    copy = _opened(database, file)
    try:
        _refuse_damaged(copy, file)
        with copy.reading() as session:
            yield session
    finally:
        copy.close()
    with closing(sqlite3.connect(file, isolation_level=None)) as alone:
        alone.execute("PRAGMA journal_mode = DELETE")  # nothing beside the file is part of it


def put_back(database: Database, file: Path, *, replace: bool, on_copy: Callable[[Database], None]) -> None:
    """See core.storage.copies.

    The new content is prepared and checked in a file beside, then written over the old one in one transaction of
    SQLite's, while nobody else can open it: a restore that is killed is rolled back by whoever opens the file next.
    """
    log = file.with_name(file.name + "-wal")
    if log.exists():
        raise CopyRefused(_HAS_LOG, file=str(file), log=log.name)
    path = _path(database)
    database.close()
    path.touch(mode=0o600)
    with closing(_alone(path)) as target, new_file(path) as part:
        if _holds_something(target) and not replace:
            raise CopyRefused(_NOT_EMPTY)
        copyfile(file, part)
        copy = _opened(database, part)
        try:
            _refuse_damaged(copy, file)
            with copy.engine.connect() as connection:
                refuse_unknown(connection, file)
            copy.migrate()
            on_copy(copy)
        finally:
            copy.close()
        with closing(sqlite3.connect(part)) as prepared:
            prepared.backup(target)


def write_anew(database: Database) -> None:
    """Afterwards the file has no page that is not used, and the log beside it is empty unless somebody reads now."""
    with closing(sqlite3.connect(_path(database), isolation_level=None, timeout=10)) as connection:
        connection.execute("INSERT INTO client_search (client_search) VALUES ('optimize')")  # else it keeps old letters
        connection.execute("VACUUM")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _path(database: Database) -> Path:
    return Path(database.engine.url.database or "").absolute()


def _opened(like: Database, file: Path) -> Database:
    return Database(
        URL.create("sqlite", database=str(file)).render_as_string(), clock=like.clock, deployment=like.deployment
    )


def _alone(path: Path) -> sqlite3.Connection:
    """A connection that nobody else can open the file beside: it leaves the mode in which others read while one writes,
    which SQLite allows only if no one else has it open. Raises CopyRefused."""
    connection = sqlite3.connect(path, isolation_level=None, timeout=0)
    try:
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("BEGIN EXCLUSIVE")
        connection.execute("COMMIT")
    except sqlite3.OperationalError as failure:
        connection.close()
        raise CopyRefused(_IN_USE, file=str(path)) from failure
    except sqlite3.DatabaseError as failure:
        connection.close()
        raise CopyRefused(_NOT_READ, file=str(path), said=str(failure)) from failure
    return connection


def _holds_something(target: sqlite3.Connection) -> bool:
    tables = {name for (name,) in target.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if "partner" not in tables:
        return bool(tables)
    return target.execute("SELECT 1 FROM partner LIMIT 1").fetchone() is not None


def _refuse_damaged(copy: Database, file: Path) -> None:
    """Raise CopyRefused where the pages of the file do not fit, or a row names another that is not there."""
    try:
        with copy.engine.connect() as connection:
            (said,) = connection.exec_driver_sql("PRAGMA integrity_check(1)").one()
            lost = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    except DatabaseError as failure:
        raise CopyRefused(_DAMAGED, file=str(file), said=str(failure.orig)) from failure
    if said != "ok" or lost is not None:
        raise CopyRefused(_DAMAGED, file=str(file), said=said if said != "ok" else f"a row of {lost[0]}")  # type: ignore[index]
