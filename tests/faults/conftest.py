"""A furnished partner space, and a child process that makes changes and is killed."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from core.storage import Database
from tests.conftest import Space
from tests.faults.changes import furnish

ROOT = Path(__file__).parent.parent.parent


@dataclass
class Child:
    """Processes that make one change each."""

    process: "subprocess.Popen[str]"

    def make(self, space: Space, change: str, *, place: int = 0, largest_file: int = 0) -> int:
        """How the process that made the change ended: 0, REFUSED, or minus the signal that killed it."""
        order = {
            "url": url_of(space.database), "partner_id": space.partner_id, "change": change, "place": place,
            "largest_file": largest_file, "moment": space.clock().isoformat(),
        }  # fmt: skip
        assert self.process.stdin
        assert self.process.stdout
        print(json.dumps(order), file=self.process.stdin, flush=True)
        return int(self.process.stdout.readline())


@pytest.fixture(scope="session")
def child() -> Iterator[Child]:
    command = [sys.executable, "-m", "tests.faults.child"]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        yield Child(process)


@pytest.fixture
def furnished(make_space: Callable[..., Space]) -> Space:
    """A space in which each of CHANGES changes something."""
    space = make_space(1)
    furnish(space)
    return space


def url_of(database: Database) -> str:
    return database.engine.url.render_as_string(hide_password=False)
