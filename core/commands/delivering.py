"""`deliver`: send the messages that wait in the outbox, once or for ever."""

import signal
import sys
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from select import select
from socket import socketpair

from core import invitations
from core.commands import Commands
from core.configuration import Configuration
from core.storage import Database
from core.words import DatabaseFailed

_STOPPING = (signal.SIGINT, signal.SIGTERM)
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
    with _told_to_stop() as (stopped, pause):
        while True:
            try:
                database.refuse_other_tables()
                done = invitations.deliver(database, server, on_failure=print, stopped=stopped)
                print(f"Sent: {done.sent}. Failed for now: {done.failed}. Given up: {done.given_up}.", flush=True)
            except DatabaseFailed as failure:
                if arguments.every is None:
                    raise
                print(failure.at_a_shell(), file=sys.stderr, flush=True)
            if arguments.every is None:
                return 1 if done.failed or done.given_up else 0
            pause(arguments.every)
            if stopped():
                return 0


@contextmanager
def _told_to_stop() -> Iterator[tuple[Callable[[], bool], Callable[[float], None]]]:
    """Whether SIGINT or SIGTERM came, and a pause of some seconds that either of them ends, whenever it comes.

    A signal is written to a socket by the interpreter itself, and the pause waits for something to read there. So one
    that comes just before the pause ends it too, and the handler takes no lock.
    """
    told: list[int] = []
    reader, writer = socketpair()

    def pause(seconds: float) -> None:
        if select([reader], [], [], seconds)[0]:
            reader.recv(1024)

    with reader, writer:
        writer.setblocking(False)
        others = {number: signal.signal(number, lambda number, _: told.append(number)) for number in _STOPPING}
        woken = signal.set_wakeup_fd(writer.fileno())
        try:
            yield lambda: bool(told), pause
        finally:
            signal.set_wakeup_fd(woken)
            for number, handler in others.items():
                signal.signal(number, handler)


def duration(text: str) -> float:
    """Seconds, from "30s", "5m", "1h" or a bare number of seconds."""
    number, unit = (text[:-1], text[-1]) if text[-1:] in _SECONDS else (text, "s")
    seconds = float(number) * _SECONDS[unit]
    if not 1 <= seconds <= 86_400:
        raise ValueError(text)
    return seconds
