"""`deliver`: send the messages that wait in the outbox, once or for ever."""

import signal
import sys
from argparse import Namespace
from threading import Event

from core import invitations
from core.commands import Commands
from core.configuration import Configuration
from core.storage import Database
from core.words import DatabaseFailed

_SECONDS = {"s": 1, "m": 60, "h": 3600}


def add_to(commands: Commands) -> None:
    """Add this command to the parser's."""
    command = commands.add_parser("deliver", help=deliver.__doc__)
    command.add_argument("--every", type=duration, metavar="30s", help="go on, with this pause in between")
    command.set_defaults(run=deliver, needs_tables=False)


def deliver(database: Database, arguments: Namespace) -> int:
    """Send the messages that wait in the outbox."""
    server = Configuration().smtp
    if server is None:
        print("Nothing is sent: BILLING_SMTP_HOST is not set, or this is a demo. Messages wait in the outbox.")
        return 1
    stopped = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    while True:
        try:
            database.refuse_other_tables()
            done = invitations.deliver(database, server, on_failure=print, stopped=stopped.is_set)
            print(f"Sent: {done.sent}. Failed for now: {done.failed}. Given up: {done.given_up}.", flush=True)
        except DatabaseFailed as failure:
            if arguments.every is None:
                raise
            print(failure, file=sys.stderr, flush=True)
        if arguments.every is None:
            return 1 if done.failed or done.given_up else 0
        if stopped.wait(arguments.every):
            return 0


def duration(text: str) -> float:
    """Seconds, from "30s", "5m", "1h" or a bare number of seconds."""
    number, unit = (text[:-1], text[-1]) if text[-1:] in _SECONDS else (text, "s")
    seconds = float(number) * _SECONDS[unit]
    if not 1 <= seconds <= 86_400:
        raise ValueError(text)
    return seconds
