"""`catalogue`: check and load the file that says what is sold, show what is stored, print an example."""

import sys
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

from core import catalogue, subscriptions
from core.catalogue import Catalogue, CatalogueChange, CatalogueFileRefused, ChangeKind, Item, Plan
from core.commands import Commands, NoFile
from core.storage import Database
from core.subscriptions import CatalogueLoad
from core.words import LANGUAGES, nt, t


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
    for line in _said(previewed):
        print(line)
    for refusal in previewed.refusals:
        print(refusal, file=sys.stderr)
    if previewed.refusals:
        print(t("It cannot be loaded like this. Nothing was written."), file=sys.stderr)
        return 1
    if previewed.changes:
        print(t("Nothing was written. To load it: python -m core catalogue load {file}", file=str(arguments.file)))
    return 0


def load(database: Database, arguments: Namespace) -> int:
    """Make the file the catalogue of every partner space, from now on: all of it or nothing."""
    found = _read(arguments.file)
    if found is None:
        return 1
    with database.transaction() as session:
        loaded = subscriptions.load_catalogue(session, found)
    for line in _said(loaded):
        print(line)
    if loaded.edition is not None:
        print(t("Loaded, as edition {edition} of the catalogue.", edition=loaded.edition))
    return 0


def show(database: Database, arguments: Namespace) -> int:
    """Print the stored catalogue as such a file."""
    with database.reading() as session:
        priced = sorted(catalogue.currencies(session))
        if arguments.currency is None and len(priced) > 1:
            print(
                t("There are prices in {currencies}. Say which, with --currency.", currencies=priced), file=sys.stderr
            )
            return 1
        found = catalogue.current(session, arguments.currency or "".join(priced) or "EUR")
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


def _said(load: CatalogueLoad) -> Iterator[str]:
    """What the load does, change by change; the same words before and after."""
    for change in load.changes:
        yield from _change(load, change)
    prices = [change for change in load.changes if change.kind is ChangeKind.PRICED]
    if any(load.concerned(change) for change in prices):
        yield t("Prices hold at once: clients who have these items cost the new price from the moment it is loaded.")
    if load.kept:
        kept = tuple(_named(item) for item in load.kept)
        yield t("Not in the file, and kept as retired because clients had it once: {items}", items=kept)
    if load.currencies_without_prices:
        missing = load.currencies_without_prices
        yield t(
            "Partner spaces that bill in {currencies} have no prices. Load a file for them too.", currencies=missing
        )
    if not load.changes:
        yield t("Nothing changes: this is the catalogue that is stored.")


def _change(load: CatalogueLoad, change: CatalogueChange) -> Iterator[str]:
    item, holders = change.item, load.concerned(change)
    if item is None:
        if change.kind is ChangeKind.NO_SAMPLE:
            yield t("The catalogue is no sample data any more.")
        else:
            yield t("Plans or add-ons are listed in another order.")
        return
    name = _named(item)
    match change.kind:
        case ChangeKind.NEW:
            yield t("New plan: {item}", item=name) if isinstance(item, Plan) else t("New add-on: {item}", item=name)
        case ChangeKind.RETIRED:
            yield t("Retired: {item}", item=name)
            if holders:
                yield "  " + t("They keep it: {holders}", holders=holders)
            if holders.default_settings:
                yield "  " + t("Nobody can be invited with these default settings until new ones are saved without it.")
        case ChangeKind.BROUGHT_BACK:
            yield t("Can be chosen again: {item}", item=name)
        case ChangeKind.RENAMED:
            yield t(
                "Renamed in {language}: {item}, before: {before}",
                language=LANGUAGES[change.language],
                item=f"{change.after} ({item.code})",
                before=change.before,
            )
        case ChangeKind.PRICED:
            yield _price(change, name, holders.clients)
        case ChangeKind.OFFERED:
            yield t("Offered with {plan} from now on: {add_ons}", plan=name, add_ons=change.add_ons)
        case ChangeKind.NOT_OFFERED:
            yield t("Not offered with {plan} any more: {add_ons}", plan=name, add_ons=change.add_ons)
        case ChangeKind.REMOVED:
            yield t("Removed, because nobody ever had it: {item}", item=name)


def _price(change: CatalogueChange, name: str, clients: int) -> str:
    period, before, after = change.billing_period, change.before, change.after
    if before is None:
        return t("Price: {item}, {period}, {after}", item=name, period=period, after=after)
    if after is None:
        return t("No price any more: {item}, {period}, before: {before}", item=name, period=period, before=before)
    return nt(
        "Price: {item}, {period}, {after}, before: {before}. It concerns {count} client.",
        "Price: {item}, {period}, {after}, before: {before}. It concerns {count} clients.",
        clients,
        item=name,
        period=period,
        after=after,
        before=before,
    )


def _named(item: Item) -> str:
    return f"{item} ({item.code})"
