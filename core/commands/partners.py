"""`partner add` and `partner list`: the partner spaces of this database, each with its first administrator."""

from argparse import Namespace

from sqlalchemy.exc import IntegrityError

from core import catalogue, members
from core.commands import Commands
from core.members import CannotBeSetUp
from core.storage import Database
from core.words import N_


def add_to(commands: Commands) -> None:
    """Add these commands to the parser's."""
    actions = commands.add_parser("partner", help="partner spaces: add, list").add_subparsers(
        required=True, metavar="add | list"
    )
    adding = actions.add_parser("add", help=add.__doc__)
    adding.add_argument("name", metavar="NAME", help="the firm, as its people and clients know it")
    adding.add_argument("--currency", required=True, metavar="EUR", help="ISO 4217, with two decimals")
    adding.add_argument("--time-zone", required=True, metavar="Europe/Brussels", help="where its days begin")
    adding.add_argument("--administrator", required=True, metavar="E-MAIL", help="who signs in first")
    adding.set_defaults(run=add)
    actions.add_parser("list", help=list_all.__doc__).set_defaults(run=list_all)


def add(database: Database, arguments: Namespace) -> int:
    """Make a partner space and its first administrator."""
    try:
        with database.transaction() as session:
            priced = catalogue.currencies(session)
            partner = members.add_partner(
                session,
                name=arguments.name,
                currency=arguments.currency,
                time_zone=arguments.time_zone,
                administrator=arguments.administrator,
            )
            number, currency = partner.partner_id, partner.currency
            if priced and currency not in priced:  # rule 44
                only = N_("There are prices in {currencies} only. Load a catalogue in {currency} first.")
                raise CannotBeSetUp(only, currencies=sorted(priced), currency=currency)
    except IntegrityError:
        print("Another partner space was made at this moment. Run the command again.")
        return 1
    print(f"Partner space {number} is made: {arguments.name}, {currency}, {arguments.time_zone}.")
    print(f"Its administrator signs in as {arguments.administrator.strip().lower()}.")
    if not priced:
        print("There is no catalogue yet. Next: python -m core catalogue load FILE")
        print("(python -m core catalogue example > catalogue.toml writes a file to begin with.)")
    return 0


def list_all(database: Database, _arguments: Namespace) -> int:
    """List the partner spaces."""
    with database.reading() as session:
        found = members.spaces(session)
    for space in found:
        print(f"{space.partner_id}  {space.name}  {space.currency}  {space.time_zone}")
        print(f"   active members: {space.members}, clients: {space.clients}")
        print(f"   administrators: {', '.join(space.administrators) or 'none'}")
    if not found:
        print("There is no partner space yet. Next: python -m core partner add NAME --currency EUR ...")
    return 0
