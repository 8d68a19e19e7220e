"""Makes changes in processes that do not live to the end. Started once: `python -m tests.faults.child` reads one order
a line and has a fresh process of its own carry it out, of which it says how it ended."""

import json
import os
import resource
import signal
import sys
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import event

from core.storage import Database
from core.words import DatabaseFailed
from tests.faults import changes

AT_COMMIT = -1  # the place of a kill: when everything is written and nothing yet final
REFUSED = 3  # how the process ends when the database failed it


def main() -> None:
    """Until there are no more orders."""
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if child == 0:
            os._exit(_carry_out(**order))
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _carry_out(url: str, partner_id: int, change: str, moment: str, place: int = 0, largest_file: int = 0) -> int:
    """Make the change, and die at the statement with this number, or when it commits."""
    database = Database(url, clock=lambda: datetime.fromisoformat(moment).astimezone(UTC))
    count = 0

    def reached(is_commit: bool) -> None:
        nonlocal count
        count += 1
        if count == place or (is_commit and place == AT_COMMIT):
            os.kill(os.getpid(), signal.SIGKILL)

    @event.listens_for(database.engine, "before_cursor_execute")
    def _statement(*_: Any) -> None:
        reached(is_commit=False)

    @event.listens_for(database.engine, "commit")
    def _commit(*_: Any) -> None:
        reached(is_commit=True)

    if largest_file:
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))
    try:
        changes.make(database, partner_id, change)
    except DatabaseFailed:
        return REFUSED
    return 0


if __name__ == "__main__":
    main()
