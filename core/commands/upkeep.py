"""`migrate`, `check` and `demo`: what keeps a database right."""

from argparse import Namespace
from collections.abc import Callable, Iterator
from time import monotonic

from sqlalchemy.orm import Session

from core import defaults, demo, invitations, members, subscriptions
from core.commands import Commands
from core.storage import Database

CHECKS: tuple[Callable[[Session], Iterator[str]], ...] = (
    members.differences, defaults.differences, subscriptions.differences, invitations.differences
)  # fmt: skip


def add_to(commands: Commands) -> None:
    """Add these commands to the parser's."""
    commands.add_parser("migrate", help=migrate.__doc__).set_defaults(run=migrate, needs_tables=False)
    commands.add_parser("check", help=check_everything.__doc__).set_defaults(run=check_everything)
    demo_command = commands.add_parser("demo", help=make_demo.__doc__)
    demo_command.add_argument("--reset", action="store_true", help="make it anew, with today's dates")
    demo_command.set_defaults(run=make_demo, needs_tables=False)


def migrate(database: Database, _arguments: Namespace) -> int:
    """Bring the tables to this version of the product."""
    database.migrate()
    print("The tables are up to date.")
    return 0


def check_everything(database: Database, _arguments: Namespace) -> int:
    """Recompute everything that follows from something else, and report every difference."""
    with database.reading() as session:
        return 1 if said_differences(session) else 0


def said_differences(session: Session) -> int:
    """Print every difference that this session sees, then how many and how long it took; how many there are.

    All is read at one moment, in streams, and nobody who writes waits for it.
    """
    started, found = monotonic(), 0
    for differences in CHECKS:
        for difference in differences(session):
            found += 1
            print(difference)
    said = "No difference." if not found else f"Differences: {found}."
    print(f"{said} Checked in {monotonic() - started:.1f} s.")
    return found


def make_demo(database: Database, arguments: Namespace) -> int:
    """Make the demo partner space."""
    if arguments.reset:
        demo.reset(database)
    else:
        demo.open_demo(database)
    print("The demo partner space is ready.")
    return 0
