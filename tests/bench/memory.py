"""How much memory a fresh process takes that reads a partner space every way: `python -m tests.bench.memory URL`."""

import resource
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

from core import members, reports
from core.storage import Database
from core.words import Payer
from tests.bench import space
from tests.bench.databases import Bench

_STATUS = Path("/proc/self/status")


def peak(bench: Bench) -> float:
    """The peak of such a process in MB."""
    command = [sys.executable, "-m", "tests.bench.memory", bench.url]
    root = Path(__file__).parent.parent.parent
    ran = subprocess.run(command, capture_output=True, text=True, check=True, cwd=root)
    return float(ran.stdout)


def read_everything(url: str) -> None:
    """What a server reads for its pages."""
    database = Database(url)
    with database.reading() as session:
        member = members.find(session, space.PARTNER_ID, 1)
        assert member is not None
        reports.billing_sources(session, member)
        reports.billing_sources(session, member, page=1000)
        reports.billing_sources(session, member, plan="plus")
        reports.billing_sources(session, member, plan="plus", payer=Payer.CLIENT)
        reports.billing_sources(session, member, search="zzzz")
        reports.figures(session, member)
        reports.figures(session, member, search="garage")
        reports.plan_distribution(session, member)
        reports.plan_distribution(session, member, as_of=space.START + timedelta(days=3))
    database.close()


def own_peak() -> float:
    """The peak of this process in MB. (getrusage counts on Linux what the parent held when it started this process, so
    the kernel is asked first.)"""
    if _STATUS.exists():
        (line,) = [line for line in _STATUS.read_text().splitlines() if line.startswith("VmHWM:")]
        return int(line.split()[1]) / 1024
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used / (1024 * 1024 if sys.platform == "darwin" else 1024)


if __name__ == "__main__":
    read_everything(sys.argv[1])
    print(own_peak())
