"""Changes many clients and dies in the middle: `python -m tests.bulk.killed URL INSTANT`."""

import os
import signal
import sys
from datetime import datetime

from core import bulk, members
from core.bulk import Adopt, Found, surroundings
from core.storage import Database, long_changes


def main(url: str, moment: str) -> None:
    """Nobody comes back from this."""
    database = Database(url, clock=lambda: datetime.fromisoformat(moment))
    long_changes.LONG, surroundings.CHUNK = 1, 2
    with database.reading() as session:
        member = members.of_partner(session, 1)[0]
        digest = bulk.preview(session, member, Adopt(), Found()).digest
    with database.transaction() as session:
        bulk.do(session, member, Adopt(), Found(), digest=digest, reason="x", progress=_die)


def _die(_done: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
