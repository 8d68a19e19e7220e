"""`python -m tests.faults`: two product servers behind HAProxy, PostgreSQL with a synchronous standby, people at work,
and machines that die. It prints what was told done and what became of it; exit status 1 if anything was lost or
doubled."""

import logging
import os
import signal
import subprocess
import sys
from argparse import ArgumentParser
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, sleep

from core import demo
from core.storage import Database
from tests.faults import load, served, visitors
from tests.faults.cluster import LONGEST_WAIT, Cluster, cluster, wait_for
from tests.faults.ledger import Findings, Ledger, compare
from tests.faults.served import Site


def main(arguments: list[str] | None = None) -> int:
    """Run the story and print its table."""
    parser = ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how often each kind of machine dies (5)")
    parser.add_argument("--threads", type=int, default=3, help="people at work through the use cases (3)")
    parser.add_argument("--visitors", type=int, default=2, help="people at a page in Chromium (2)")
    parser.add_argument("--pause", type=float, default=3, help="seconds of work between two deaths (3)")
    parser.add_argument("--logs", type=Path, metavar="FOLDER", help="keep the logs of every process here")
    parser.add_argument(
        "--long",
        action="store_true",
        help="instead: every change killed, cut and raced at every statement, on both databases",
    )
    asked = parser.parse_args(arguments)
    if asked.long:
        command = [sys.executable, "-m", "pytest", str(Path(__file__).parent)]
        return subprocess.run(command, env=os.environ | {"BILLING_FAULTS": "long"}, check=False).returncode
    for what, found in (("HAProxy", served.HAPROXY), ("Chromium", visitors.CHROMIUM)):
        if found is None:
            print(f"This needs {what}, which is not installed.", file=sys.stderr)
            return 2
    logging.disable(logging.WARNING)  # each failure is counted below
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # and end what was started
    with TemporaryDirectory(prefix="faults-") as name:
        folder = Path(name)
        try:
            ledger, machines, findings = _story(folder, asked.rounds, asked.threads, asked.visitors, asked.pause)
        finally:
            if asked.logs is not None:
                asked.logs.mkdir(parents=True, exist_ok=True)
                for kept in (*folder.glob("*.log"), *folder.glob("*.png")):
                    (asked.logs / kept.name).write_bytes(kept.read_bytes())
    _print(ledger, machines, findings, rounds=asked.rounds)
    return 0 if findings.are_clean else 1


def _story(folder: Path, rounds: int, threads: int, people: int, pause: float) -> tuple[Ledger, Cluster, Findings]:
    ledger = Ledger()
    with cluster(folder) as machines, served.site(folder, machines.url) as site:
        database = Database(machines.url)
        try:
            with (
                visitors.visiting(site.url, ledger, folder, visitors=people) as looking,
                load.working(database, demo.PARTNER_ID, ledger, threads=threads) as working,
            ):
                everybody = [*working, *looking]
                _go_on(ledger, everybody)
                for number in range(1, rounds + 1):
                    sleep(pause)
                    _say(f"round {number}: the primary dies")
                    machines.lose_primary()
                    _go_on(ledger, everybody)
                    machines.attach_standby()
                    sleep(pause)
                    _say(f"round {number}: a product server dies")
                    _lose_server(site, number, ledger, everybody)
            findings = compare(ledger, database)
        finally:
            database.close()
    return ledger, machines, findings


def _lose_server(site: Site, number: int, ledger: Ledger, everybody: list[str]) -> None:
    """One of the two, in turns; it is back when this ends."""
    server = site.servers[number % len(site.servers)]
    server.kill()
    _go_on(ledger, everybody)
    server.start()
    wait_for(server.is_ready, f"server {server.name} is back")


def _go_on(ledger: Ledger, everybody: list[str]) -> None:
    """Wait until each of them was told that something they asked for from now on is done."""
    before = {who: ledger.told_by(who) for who in everybody}
    began = monotonic()
    waiting = everybody
    while waiting := [who for who in waiting if ledger.told_by(who) < before[who] + 2]:
        if monotonic() - began > LONGEST_WAIT:
            raise TimeoutError(f"Never told that anything is done: {', '.join(waiting)}")
        sleep(0.05)
    _say(f"everybody went on after {monotonic() - began:.1f} s")


def _print(ledger: Ledger, machines: Cluster, findings: Findings, *, rounds: int) -> None:
    print(f"Kills: {rounds} of the primary, {rounds} of a product server.")
    print(f"From a kill to the new primary: {max(machines.promotions):.1f} s at most (a script; people take longer).")
    print(f"{'who':<12}{'told done':>10}{'longest wait (s)':>18}{'failed first':>14}{'most for one':>14}")
    for kind in ("thread", "visitor"):
        who = [name for name in ledger.waits if name.startswith(kind)]
        if not who:
            continue
        waits = [wait for name in who for wait in ledger.waits[name]]
        failures = [times for name in who for times in ledger.failures[name]]
        failed = sum(times > 0 for times in failures)
        print(f"{kind + 's':<12}{len(waits):>10}{max(waits):>18.1f}{failed:>14}{max(failures):>14}")
    for sentence, times in ledger.sentences.most_common():
        print(f"  {times:>4} x {sentence}")
    print(f"Lost: {len(findings.lost)}. Doubled: {len(findings.doubled)}. Differences: {len(findings.differences)}.")
    for what in (*findings.lost, *findings.doubled, *findings.differences):
        print(f"  {what}")


def _say(what: str) -> None:
    print(f"... {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
