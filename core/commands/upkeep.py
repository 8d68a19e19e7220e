"""`migrate`, `check` and `demo`: what keeps a database right."""

from argparse import Namespace
from itertools import chain

from core import demo, invitations, subscriptions
from core.commands import Commands
from core.storage import Database


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
    """Recompute every client and report every difference."""
    found = 0
    with database.reading() as session:
        for difference in chain(subscriptions.differences(session), invitations.payer_differences(session)):
            found += 1
            print(difference)
    print("No difference." if not found else f"Differences: {found}.")
    return 1 if found else 0


def make_demo(database: Database, arguments: Namespace) -> int:
    """Make the demo partner space."""
    if arguments.reset:
        demo.reset(database)
    else:
        demo.open_demo(database)
    print("The demo partner space is ready.")
    return 0
