"""The commands of the product, for whoever runs it.

They work on the database that BILLING_DATABASE_URL names, else on the demo's own file.
"""

import sys
from argparse import ArgumentParser

from sqlalchemy.exc import DatabaseError

from core import demo
from core.commands import bulk, catalogue, clients, copying, delivering, doctor, importing, partners, upkeep
from core.configuration import Configuration, Misconfigured, usable
from core.storage import Database
from core.words import BillingError, DatabaseFailed, NoCatalogue, Role


def main(typed: list[str] | None = None) -> int:
    """Run one command; the exit status tells whether all is well."""
    parser = ArgumentParser(prog="python -m core", description=__doc__.splitlines()[0] if __doc__ else "")
    parser.set_defaults(needs_tables=True)
    commands = parser.add_subparsers(required=True, metavar="command")
    for subject in (partners, catalogue, clients, upkeep, copying, doctor, delivering, importing, bulk):
        subject.add_to(commands)
    arguments = parser.parse_args(typed)
    try:
        with usable():
            configuration = Configuration()
            database = Database(configuration.url, deployment=configuration.deployment)
    except Misconfigured as wrong:
        print(wrong, file=sys.stderr)
        return 1
    try:
        if configuration.is_demo:
            demo.keep_time(database)
        if arguments.needs_tables:
            database.refuse_other_tables()
        return int(arguments.run(database, arguments))
    except NoCatalogue as refusal:
        print(refusal.said_to(Role.ADMINISTRATOR), file=sys.stderr)
    except DatabaseFailed as failed:
        print(failed.at_a_shell(), file=sys.stderr)
    except BillingError as refusal:
        print(refusal, file=sys.stderr)
    except DatabaseError as failure:
        print(f"This is not a database of this product's version: {failure}", file=sys.stderr)
    finally:
        database.close()
    return 1


if __name__ == "__main__":
    sys.exit(main())
