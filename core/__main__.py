"""The commands an operator needs: `python -m core migrate | check | demo [--reset]`.

They work on the database that BILLING_DATABASE_URL names, else on the demo's own file.
"""

import sys
from argparse import ArgumentParser, Namespace

from alembic.util import CommandError
from pydantic import ValidationError
from sqlalchemy.exc import ArgumentError, DatabaseError, OperationalError

from core import check, demo
from core.configuration import Configuration
from core.database import Database
from core.errors import BillingError


def migrate(database: Database, _asked: Namespace) -> int:
    """Bring the tables to this version of the product."""
    database.migrate()
    print("The tables are up to date.")
    return 0


def check_everything(database: Database, _asked: Namespace) -> int:
    """Recompute every client and report every difference."""
    if not database.is_migrated():
        print("The tables are not those of this version. Run `python -m core migrate` first.")
        return 1
    found = 0
    with database.reading() as session:
        for difference in check.differences(session):
            found += 1
            print(difference)
    print("No difference." if not found else f"Differences: {found}.")
    return 1 if found else 0


def make_demo(database: Database, asked: Namespace) -> int:
    """Make the demo partner space."""
    if asked.reset:
        demo.reset(database)
    else:
        demo.open_demo(database)
    print("The demo partner space is ready.")
    return 0


def main(arguments: list[str] | None = None) -> int:
    """Run one command; the exit status tells whether all is well."""
    parser = ArgumentParser(prog="python -m core", description=__doc__.splitlines()[0] if __doc__ else "")
    commands = parser.add_subparsers(required=True, metavar="command")
    commands.add_parser("migrate", help=migrate.__doc__).set_defaults(run=migrate)
    commands.add_parser("check", help=check_everything.__doc__).set_defaults(run=check_everything)
    demo_command = commands.add_parser("demo", help=make_demo.__doc__)
    demo_command.add_argument("--reset", action="store_true", help="make it anew, with today's dates")
    demo_command.set_defaults(run=make_demo)
    asked = parser.parse_args(arguments)
    try:
        database = Database(Configuration().url)
    except (ValidationError, ArgumentError, ImportError) as wrong:
        print(f"BILLING_DATABASE_URL or BILLING_DEMO cannot be used as it is set: {wrong}", file=sys.stderr)
        return 1
    try:
        return int(asked.run(database, asked))
    except BillingError as refusal:
        print(refusal, file=sys.stderr)
    except OperationalError as failure:
        print(f"The database does not answer, or refuses: {failure.orig}", file=sys.stderr)
    except (DatabaseError, CommandError) as failure:
        print(f"This is not a database of this product's version: {failure}", file=sys.stderr)
    finally:
        database.close()
    return 1


if __name__ == "__main__":
    sys.exit(main())
