"""Copies of a whole database as one file: taken while everybody works, and put back into a database that nobody uses.

The file of an SQLite database is such a database again; that of a PostgreSQL database is an archive of pg_dump. Both
are put back whole or not at all, whatever is killed meanwhile.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.orm import Session

from core.storage import postgresql_copies, sqlite_copies
from core.storage.copy_files import CopyRefused
from core.storage.database import Database
from core.words import N_

_NOT_ARCHIVE = N_("{file} is not a backup of a PostgreSQL database, which BILLING_DATABASE_URL names.")
_NOT_SQLITE = N_("{file} is not a backup of an SQLite database, which BILLING_DATABASE_URL names.")


@contextmanager
def copy_out(database: Database, file: Path) -> Iterator[Session]:
    """Afterwards `file`, which is there and empty, holds a copy of the database as it was at one moment. The session
    sees what the copy holds, so that it can be checked. Nobody who works meanwhile waits. Raises CopyRefused."""
    with (sqlite_copies if database.is_embedded else postgresql_copies).copy_out(database, file) as session:
        yield session


def leave_nothing_deleted(database: Database) -> None:
    """Afterwards an SQLite file holds nothing any more of what was replaced in it; PostgreSQL sees to that itself, when
    it vacuums."""
    if database.is_embedded:
        sqlite_copies.write_anew(database)


def put_back(database: Database, file: Path, *, replace: bool, on_copy: Callable[[Database], None]) -> None:
    """Afterwards the database holds what the backup `file` does, with the tables of this version of the product, and
    nothing else. Killed at any moment, it holds that or what it held before.

    `on_copy` is called with a database that holds it: a copy beside before it takes the place of an SQLite file, on
    PostgreSQL the database itself. Raises CopyRefused where somebody uses the database, where it holds a partner space
    already and not `replace`, or where the file is no backup of this kind of database; nothing is changed then.
    """
    with file.open("rb") as opened:
        head = opened.read(16)
    if database.is_embedded:
        if not head.startswith(b"SQLite format 3"):
            raise CopyRefused(_NOT_SQLITE, file=str(file))
        sqlite_copies.put_back(database, file, replace=replace, on_copy=on_copy)
        return
    if not head.startswith(b"PGDMP"):
        raise CopyRefused(_NOT_ARCHIVE, file=str(file))
    postgresql_copies.put_back(database, file, replace=replace)
    on_copy(database)
