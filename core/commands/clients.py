"""`client`: everything that is held on a client as JSON, and forgetting who it was."""

import json
import sys
from argparse import Namespace

from sqlalchemy.orm import Session

from core import invitations, members, storage
from core.commands import Commands
from core.members import Member
from core.storage import Database
from core.words import BillingError


def add_to(commands: Commands) -> None:
    """Add this command to the parser's."""
    actions = commands.add_parser("client", help="what is known of a client: export, forget").add_subparsers(
        required=True, metavar="export | forget"
    )
    for name, run in (("export", export), ("forget", forget)):
        action = actions.add_parser(name, help=run.__doc__, description=run.__doc__)
        action.add_argument("client", type=int, metavar="NUMBER", help="the client's number")
        action.add_argument("--partner", type=int, required=True, metavar="NUMBER", help="its partner space")
        action.add_argument("--as", dest="member", metavar="E-MAIL", help="the member who decided it, for the record")
        action.set_defaults(run=run)
        if run is forget:
            action.add_argument("--yes", action="store_true", help="do not ask again")


class _Unknown(BillingError):
    """Nobody goes by the e-mail that --as names."""

    def __init__(self, email: str, partner_id: int) -> None:
        super().__init__()
        self.said = f"{email} is not the e-mail of an active member of partner space {partner_id}. Correct --as."

    def __str__(self) -> str:
        return self.said


def export(database: Database, arguments: Namespace) -> int:
    """Print everything that is held on a client, as JSON."""
    with database.transaction() as session:
        by = _by(session, arguments)
        held = invitations.held_on(session, arguments.partner, arguments.client, by=by)
    sys.stdout.flush()
    sys.stdout.buffer.write((json.dumps(held, indent=2, ensure_ascii=False) + "\n").encode())
    return 0


def forget(database: Database, arguments: Namespace) -> int:
    """Forget for ever who an archived client was; what it was billed stays."""
    if not arguments.yes and not _confirmed(arguments.client):
        print("Nothing was forgotten.", file=sys.stderr)
        return 1
    with database.transaction() as session:
        by = _by(session, arguments)
        done = invitations.forget(session, arguments.partner, arguments.client, by=by)
    if not done:
        print(f"Client {arguments.client} was forgotten before.")
        return 0
    storage.leave_nothing_deleted(database)
    print(f"Client {arguments.client} is forgotten. Backups made before still hold what was known of it.")
    return 0


def _confirmed(client_id: int) -> bool:
    print(f"This cannot be undone. To forget client {client_id}, type its number:", flush=True)
    return sys.stdin.readline().strip() == str(client_id)


def _by(session: Session, arguments: Namespace) -> Member | None:
    """Who decided it; None where nobody is named."""
    if arguments.member is None:
        return None
    found = members.by_email(session, f"{arguments.partner}:{arguments.member}")
    if len(found) != 1:
        raise _Unknown(arguments.member, arguments.partner)
    return found[0]
