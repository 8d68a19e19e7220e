"""Copies of a PostgreSQL database, by its own programs pg_dump, pg_restore and psql."""

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import copyfileobj, which
from tempfile import TemporaryFile
from typing import IO, Any

from psycopg.conninfo import make_conninfo
from sqlalchemy import Connection, inspect, text
from sqlalchemy.orm import Session

from core.storage.copy_files import CopyRefused, refuse_unknown_names
from core.storage.database import Database
from core.storage.tables import Base
from core.words import N_

_MISSING = N_("{program} is not on the PATH. Install the client programs of PostgreSQL {version} or newer.")
_TOO_OLD = N_(
    "{program} is of version {found}, the server of {version}. Install client programs of {version} or newer."
)
_SAID = N_("{program} stopped: {said}")
_IN_USE = N_("Others are connected to the database: {count}. Stop the servers and deliverers, then try again.")
_NOT_EMPTY = N_("The database holds a partner space already. To put the backup in its place, add --replace.")
_NOT_OURS = N_("The database has tables of something else: {tables}. Name a database of its own.")
_VERSION_TABLE = "alembic_version"
_OTHERS = text("""
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
    AND coalesce(backend_type, 'client backend') = 'client backend'
""")
_FUNCTIONS = text("""
    SELECT oid::regprocedure::text FROM pg_proc WHERE pronamespace = current_schema()::regnamespace
    AND prorettype = 'trigger'::regtype AND starts_with(proname, 'refuse_')
""")


@contextmanager
def copy_out(database: Database, file: Path) -> Iterator[Session]:
    """See core.storage.copies. The session and pg_dump see the same moment, whatever is written meanwhile."""
    with database.reading() as session:
        session.execute(text("SET idle_in_transaction_session_timeout = 0"))  # pg_dump may take long
        dump = _program("pg_dump", session.connection())
        snapshot = session.execute(text("SELECT pg_export_snapshot()")).scalar_one()
        _run(
            database,
            [dump, "--format=custom", "--no-owner", "--no-privileges", f"--snapshot={snapshot}", f"--file={file}"],
        )
        _run(database, [_program("pg_restore", session.connection()), "--file=/dev/null", str(file)], connected=False)
        yield session


def put_back(database: Database, file: Path, *, replace: bool) -> None:
    """See core.storage.copies. What was there is dropped and what the archive holds is made in one transaction, which
    is committed when the whole archive was read."""
    database.close()
    with database.engine.connect() as connection:
        restore, psql = (_program(name, connection) for name in ("pg_restore", "psql"))
        refuse_unknown_names(_revisions(restore, file), file)
        drops = _drops(connection, replace=replace)
        if others := connection.execute(_OTHERS).scalar_one():
            raise CopyRefused(_IN_USE, count=others)
    database.close()
    _restore(database, restore, psql, file, drops)
    database.migrate()


def _restore(database: Database, restore: str, psql: str, file: Path, drops: str) -> None:
    """psql runs what pg_restore writes, within a transaction. Where either stops or is killed, no COMMIT comes."""
    reading = [restore, "--no-owner", "--no-privileges", "--no-comments", "--file=-", str(file)]
    running = [psql, "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", f"--dbname={_where(database)}"]
    with TemporaryFile() as said_reading, TemporaryFile() as said_running:
        writer = subprocess.Popen(  # noqa: S603 - PostgreSQL's own programs
            running, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=said_running, env=_environment(database)
        )
        reader = subprocess.Popen(reading, stdout=subprocess.PIPE, stderr=said_reading)  # noqa: S603 - the same
        broken = False
        try:
            if writer.stdin is None or reader.stdout is None:
                raise RuntimeError("no pipe")
            writer.stdin.write(f"BEGIN;\nSET LOCAL lock_timeout = '10s';\n{drops}\n".encode())
            copyfileobj(reader.stdout, writer.stdin)
            if reader.wait() == 0:
                writer.stdin.write(b"\nCOMMIT;\n")
            writer.stdin.close()
        except BrokenPipeError:  # psql stopped at something; it says so
            broken = True
            reader.kill()
        finally:
            for left in (reader, writer):
                if left.stdin is not None and not left.stdin.closed:
                    left.stdin.detach()  # type: ignore[attr-defined]
            if reader.stdout is not None:
                reader.stdout.close()
            reader.wait()
            writer.wait()
        if writer.returncode or broken:
            raise CopyRefused(_SAID, program="psql", said=_last_line(said_running))
        if reader.returncode:
            raise CopyRefused(_SAID, program="pg_restore", said=_last_line(said_reading))


def _drops(connection: Connection, *, replace: bool) -> str:
    """The statements that remove this product's tables. Raises CopyRefused where they may not go."""
    tables = set(inspect(connection).get_table_names())
    ours = tables & {*Base.metadata.tables, _VERSION_TABLE}
    if tables - ours:
        raise CopyRefused(_NOT_OURS, tables=tuple(sorted(tables - ours)))
    holds = "partner" in ours and connection.execute(text("SELECT 1 FROM partner LIMIT 1")).first() is not None
    if holds and not replace:
        raise CopyRefused(_NOT_EMPTY)
    functions = connection.scalars(_FUNCTIONS).all()
    statements = [f'DROP TABLE "{table}" CASCADE;' for table in sorted(ours)]
    return "\n".join([*statements, *(f"DROP FUNCTION {function};" for function in functions)])


def _revisions(restore: str, file: Path) -> list[str]:
    """The names of the migrations that the archive's tables are at."""
    reading = [restore, "--data-only", f"--table={_VERSION_TABLE}", "--file=-", str(file)]
    found = subprocess.run(reading, capture_output=True, text=True, check=False)  # noqa: S603 - PostgreSQL's own
    if found.returncode:
        raise CopyRefused(_SAID, program="pg_restore", said=found.stderr.strip().splitlines()[-1])
    copied = re.search(r"^COPY .*?;\n(.*?)^\\\.$", found.stdout, re.S | re.M)
    return copied[1].split() if copied else []


def _program(name: str, connection: Connection) -> str:
    """Where this program of PostgreSQL's is, new enough for the server. Raises CopyRefused."""
    version: int = connection.execute(text("SHOW server_version_num")).scalar_one()
    needed = int(version) // 10_000
    path = which(name)
    if path is None:
        raise CopyRefused(_MISSING, program=name, version=str(needed))
    said = subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout  # noqa: S603
    found = re.search(r"\) (\d+)", said)
    if found is None or int(found[1]) < needed:
        raise CopyRefused(_TOO_OLD, program=name, found=found[1] if found else said.strip(), version=str(needed))
    return path


def _run(database: Database, command: list[str], *, connected: bool = True) -> None:
    if connected:
        command = [*command, f"--dbname={_where(database)}"]
    done = subprocess.run(  # noqa: S603 - PostgreSQL's own programs
        command, capture_output=True, text=True, check=False, env=_environment(database)
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [""]
        raise CopyRefused(_SAID, program=Path(command[0]).name, said=lines[0])


def _where(database: Database) -> str:
    """The server and the database, without the password: others on the machine see what a program is started with."""
    return make_conninfo(**{name: value for name, value in _connecting(database).items() if name != "password"})


def _environment(database: Database) -> dict[str, str]:
    password = _connecting(database).get("password")
    return {**os.environ, "LC_ALL": "C", **({} if password is None else {"PGPASSWORD": str(password)})}


def _connecting(database: Database) -> dict[str, Any]:
    named = database.engine.dialect.create_connect_args(database.engine.url)[1]
    return {name: value for name, value in named.items() if name != "context"}


def _last_line(said: IO[bytes]) -> str:
    said.seek(0)
    lines = said.read().decode(errors="replace").strip().splitlines()
    return lines[0] if lines else ""
