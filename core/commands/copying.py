"""`backup` and `restore`: the whole database as one file, and back; each is checked."""

import sys
from argparse import Namespace
from pathlib import Path

from sqlalchemy import func, select

from core import members, storage
from core.commands import Commands, NoFile
from core.commands.upkeep import said_differences
from core.invitations import OutboxMessage
from core.storage import Database
from core.words import ActivityKind

_DIFFERS = ".with-differences"


def add_to(commands: Commands) -> None:
    """Add these commands to the parser's."""
    for name, run, replaces in (
        ("backup", backup, "write over a file of this name"),
        ("restore", restore, "even where the database holds a partner space: what it holds is lost"),
    ):
        command = commands.add_parser(
            name,
            help=run.__doc__,
            description=f"{run.__doc__} The exit status is 0 when all of it was done and `check` found no difference.",
        )
        command.add_argument("file", type=Path, metavar="FILE")
        command.add_argument("--replace", action="store_true", help=replaces)
        command.set_defaults(run=run, needs_tables=name == "backup")


def backup(database: Database, arguments: Namespace) -> int:
    """Write the whole database into one file, while everybody works."""
    target: Path = arguments.file.absolute()
    if target.exists() and not arguments.replace:
        print(f"{target} is there already. Name another file, or add --replace.", file=sys.stderr)
        return 1
    try:
        with storage.new_file(target) as part:
            with storage.copy_out(database, part) as session:
                found = said_differences(session)
            if found:
                target = target.with_name(target.name + _DIFFERS)
            storage.move_into_place(part, target, replace=arguments.replace or bool(found))
    except OSError as failure:
        print(f"{target} cannot be written: {failure.strerror}.", file=sys.stderr)
        return 1
    with database.transaction() as session:
        members.note_in_every_space(session, ActivityKind.BACKED_UP)
    print(f"The backup is {target}, {target.stat().st_size} bytes. It holds personal data: only its owner can read it.")
    if found:
        print("It is as the database is, with these differences; no other backup was replaced by it.", file=sys.stderr)
    return 1 if found else 0


def restore(database: Database, arguments: Namespace) -> int:
    """Put a backup back into the database that BILLING_DATABASE_URL names: all of it, or nothing."""
    found = 0

    def check(copy: Database) -> None:
        nonlocal found
        with copy.reading() as session:
            found = said_differences(session)
            waiting = session.scalar(
                select(func.count()).select_from(OutboxMessage).where(OutboxMessage.next_attempt_at.is_not(None))
            )
        if waiting:
            print(f"Messages that wait in it: {waiting}. Those that left since the backup would leave again.")

    try:
        storage.put_back(database, arguments.file, replace=arguments.replace, on_copy=check)
    except OSError as failure:
        raise NoFile(arguments.file) from failure
    with database.transaction() as session:
        members.note_in_every_space(session, ActivityKind.RESTORED)
    print(f"The database is as {arguments.file} has it, with the tables of this version.")
    return 1 if found else 0
