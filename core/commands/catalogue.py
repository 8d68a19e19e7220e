"""`catalogue`: check and load the file that says what is sold, withdraw a price list, show what is stored, print an
example."""

import sys
from argparse import Namespace
from pathlib import Path

from core import catalogue, subscriptions
from core.catalogue import Catalogue, CatalogueFileRefused
from core.commands import Commands, NoFile
from core.storage import Database
from core.words import NoCatalogue, t


def add_to(commands: Commands) -> None:
    """Add this command to the parser's."""
    command = commands.add_parser("catalogue", help="What is sold and what it costs: the catalogue file.")
    subjects = command.add_subparsers(required=True, metavar="what")
    for name, run in (("check", check), ("load", load)):
        subject = subjects.add_parser(
            name,
            help=run.__doc__,
            description=f"{run.__doc__} The exit status is 1 when the file or its contents are refused, else 0.",
        )
        subject.add_argument("file", type=Path, metavar="FILE", help="a TOML file, as `catalogue example` prints one")
        subject.set_defaults(run=run)
    subject = subjects.add_parser("withdraw", help=withdraw.__doc__, description=withdraw.__doc__)
    subject.add_argument("number", type=int, metavar="NUMBER", help="the list's, as `catalogue check` says it")
    subject.add_argument("--currency", type=str.upper, required=True, metavar="EUR", help="the list's")
    subject.set_defaults(run=withdraw)
    subject = subjects.add_parser("show", help=show.__doc__)
    subject.add_argument("--currency", type=str.upper, metavar="EUR", help="whose prices, where there are several")
    subject.set_defaults(run=show)
    subjects.add_parser("example", help=example.__doc__).set_defaults(run=example, needs_tables=False)


def check(database: Database, arguments: Namespace) -> int:
    """Say what loading the file would do, and write nothing."""
    found = _read(arguments.file)
    if found is None:
        return 1
    with database.reading() as session:
        previewed = subscriptions.preview_catalogue(session, found)
    for line in subscriptions.said(previewed):
        print(line)
    for refusal in previewed.refusals:
        print(refusal, file=sys.stderr)
    if previewed.refusals:
        print(t("It cannot be loaded like this. Nothing was written."), file=sys.stderr)
        return 1
    if previewed.changes_anything:
        print(t("Nothing was written. To load it: python -m core catalogue load {file}", file=str(arguments.file)))
    return 0


def load(database: Database, arguments: Namespace) -> int:
    """Make the file the catalogue of every partner space, its prices from their day on: all of it or nothing."""
    found = _read(arguments.file)
    if found is None:
        return 1
    with database.transaction() as session:
        loaded = subscriptions.load_catalogue(session, found)
    for line in subscriptions.said(loaded):
        print(line)
    if loaded.edition is not None:
        print(t("Loaded, as edition {edition} of the catalogue.", edition=loaded.edition))
    return 0


def withdraw(database: Database, arguments: Namespace) -> int:
    """Take back a price list that has not begun; it changes nothing then."""
    with database.transaction() as session:
        gone = subscriptions.withdraw_price_list(session, arguments.number, arguments.currency)
    print(
        t(
            "Price list {number} in {currency}, which would have begun on {day}, is withdrawn.",
            number=str(gone.number),
            currency=gone.currency,
            day=gone.valid_from,
        )
    )
    return 0


def show(database: Database, arguments: Namespace) -> int:
    """Print the stored catalogue as such a file, with the newest price list."""
    with database.reading() as session:
        priced = sorted(catalogue.currencies(session))
        if arguments.currency is None and len(priced) > 1:
            print(
                t("There are prices in {currencies}. Say which, with --currency.", currencies=priced), file=sys.stderr
            )
            return 1
        currency = arguments.currency or "".join(priced) or "EUR"
        found = catalogue.stored(session, currency)
    if found is None or not found.price_lists:
        raise NoCatalogue(currency=currency)
    _print_text(catalogue.as_toml(found))
    return 0


def example(_database: Database, _arguments: Namespace) -> int:
    """Print a file with comments that can be loaded, to begin with."""
    _print_text(catalogue.EXAMPLE)
    return 0


def _read(path: Path) -> Catalogue | None:
    """The catalogue of a file; None where it is refused, which is said. Raises NoFile."""
    try:
        with path.open("rb") as file:
            return catalogue.from_toml(file.read(catalogue.MAX_BYTES + 1))
    except OSError as failure:
        raise NoFile(path) from failure
    except CatalogueFileRefused as refusal:
        print(t("The file {file} cannot be loaded as it is:", file=str(path)), file=sys.stderr)
        print(refusal, file=sys.stderr)
    return None


def _print_text(text: str) -> None:
    """In UTF-8 whatever the terminal has: it is meant for a file."""
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode())
