"""The server that the visitors come to: one of its own with a made space, or another that runs already; and what it
takes."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import urlopen

import psutil

from tests.bench.databases import on_sqlite

ROOT = Path(__file__).parent.parent.parent
_LONGEST_START = 120  # seconds
_FORGETS_AFTER = 2  # seconds that our own server keeps a visit whose connection ended; else two minutes


@dataclass
class Server:
    """A running server. `process`: None where it runs on another machine, so that only the visitors' times are known;
    `asked`: our own, which can be asked what it holds; `forgets_after`: seconds that it keeps a visit that ended."""

    url: str
    process: psutil.Process | None
    asked: "subprocess.Popen[str] | None" = None
    forgets_after: float = 0

    def cpu_seconds(self) -> float | None:
        """How long it has computed since it started."""
        if self.process is None:
            return None
        times = self.process.cpu_times()
        return times.user + times.system

    def held(self) -> dict[str, int]:
        """What it holds now; of a server that is not our own, what can be seen from outside."""
        if self.asked is not None:
            assert self.asked.stdin is not None
            assert self.asked.stdout is not None
            self.asked.stdin.write("held\n")
            self.asked.stdin.flush()
            answer: dict[str, int] = json.loads(self.asked.stdout.readline())
            return answer
        if self.process is None:
            return {}
        return {"memory": self.process.memory_info().rss, "threads": self.process.num_threads()}


@contextmanager
def own(folder: Path, clients: int) -> Iterator[Server]:
    """A server of our own on a space of this many clients; a space that this folder has is used again."""
    folder.mkdir(parents=True, exist_ok=True)
    with on_sqlite(folder, [clients]) as benches:
        database = benches[clients].url
    with serving(database, folder) as server:
        yield server


@contextmanager
def serving(
    database: str,
    folder: Path,
    *,
    command: Sequence[str] = (sys.executable, "-m", "tests.load.served"),
    ready: str = "readyz",
    **environment: str,
) -> Iterator[Server]:
    """A server of our own on the database of this URL, as a demo; its log is in this folder. `command`: of another
    program than the product, which says under `ready` that it serves."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    options = ["--server.port", str(port), "--server.disconnectedSessionTTL", str(_FORGETS_AFTER)]
    demo = {"BILLING_DATABASE_URL": database, "BILLING_DEMO": "1", "BILLING_PUBLIC_URL": url}
    log = folder / f"server {port}.log"
    with log.open("w") as said:
        process = subprocess.Popen(
            [*command, *options],
            cwd=ROOT,
            env=os.environ | demo | environment,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
        )
    try:
        _wait_until_ready(process, f"{url}/{ready}", log)
        yield Server(url, psutil.Process(process.pid), process, _FORGETS_AFTER)
    finally:
        process.terminate()
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for stream in (process.stdin, process.stdout):
            assert stream is not None
            stream.close()


def running(url: str) -> Server:
    """A server that runs already: with its process, where that is on this machine and may be looked at."""
    port = urlsplit(url).port
    for process in psutil.process_iter():
        try:
            found = process.net_connections("tcp")
        except (psutil.AccessDenied, psutil.NoSuchProcess):
            continue
        if any(each.status == psutil.CONN_LISTEN and each.laddr.port == port for each in found):
            return Server(url, process)
    return Server(url, None)


def _wait_until_ready(process: "subprocess.Popen[str]", url: str, log: Path) -> None:
    until = monotonic() + _LONGEST_START
    while monotonic() < until:
        try:
            with urlopen(url, timeout=10) as answer:  # noqa: S310 - http to 127.0.0.1
                if answer.status == 200:
                    return
        except (URLError, ConnectionError, TimeoutError):
            pass
        try:
            process.wait(timeout=0.1)
        except subprocess.TimeoutExpired:
            continue
        break
    raise RuntimeError(f"The server did not start:\n{log.read_text()}")
