"""The commands an operator needs: `python -m core migrate | check | demo [--reset] | deliver [--every 30s] | import`.

They work on the database that BILLING_DATABASE_URL names, else on the demo's own file.
"""

import signal
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event

from alembic.util import CommandError
from pydantic import ValidationError
from sqlalchemy.exc import ArgumentError, DatabaseError, OperationalError, SQLAlchemyError

from core import demo, imports, invitations, members, spreadsheets, subscriptions
from core.configuration import Configuration
from core.imports import ImportPreview, ImportReport, Verdict
from core.members import Member
from core.storage import Database
from core.words import N_, BillingError, best_language, is_showable, nt, one_line, speak, t

_MOST = 50  # rows that are printed
_NO_FILE = N_("The file {file} cannot be opened. Look whether it is there and may be read.")
_NOT_MIGRATED = "The tables are not those of this version. Run `python -m core migrate` first."
_SECONDS = {"s": 1, "m": 60, "h": 3600}


def migrate(database: Database, _asked: Namespace) -> int:
    """Bring the tables to this version of the product."""
    database.migrate()
    print("The tables are up to date.")
    return 0


def check_everything(database: Database, _asked: Namespace) -> int:
    """Recompute every client and report every difference."""
    if not database.is_migrated():
        print(_NOT_MIGRATED)
        return 1
    found = 0
    with database.reading() as session:
        for difference in subscriptions.differences(session):
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


def deliver(database: Database, asked: Namespace) -> int:
    """Send the messages that wait in the outbox."""
    server = Configuration().smtp
    if server is None:
        print("Nothing is sent: BILLING_SMTP_HOST is not set, or this is a demo. Messages wait in the outbox.")
        return 1
    stopped = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    while True:
        try:
            done = invitations.deliver(database, server, on_failure=print, stopped=stopped.is_set)
            print(f"Sent: {done.sent}. Failed for now: {done.failed}. Given up: {done.given_up}.", flush=True)
        except SQLAlchemyError as failure:
            if asked.every is None:
                raise
            print(f"The database does not answer, or refuses: {failure}", file=sys.stderr, flush=True)
        if asked.every is None:
            return 1 if done.failed or done.given_up else 0
        if stopped.wait(asked.every):
            return 0


def duration(text: str) -> float:
    """Seconds, from "30s", "5m", "1h" or a bare number of seconds."""
    number, unit = (text[:-1], text[-1]) if text[-1:] in _SECONDS else (text, "s")
    seconds = float(number) * _SECONDS[unit]
    if not 1 <= seconds <= 86_400:
        raise ValueError(text)
    return seconds


def import_clients(database: Database, asked: Namespace) -> int:
    """Invite the clients of an .xlsx or CSV file: all its ready rows, or none."""
    if not database.is_migrated():
        print(_NOT_MIGRATED, file=sys.stderr)
        return 1
    with database.reading() as session:
        found = members.by_email(session, asked.member)
        if len(found) != 1:
            print(_whom(asked.member, found), file=sys.stderr)
            return 1
        member = found[0]
        speak(best_language(member.language), member.partner.time_zone)
        sheet = imports.read(asked.file.name, _content(asked.file))
        previewed = imports.preview(session, member, sheet, progress=_counter(len(sheet.rows)))
    report = None
    if not asked.dry_run:
        with database.transaction() as session:
            ready = previewed.counts[Verdict.READY]
            report = imports.invite_ready(session, member, previewed, progress=_counter(ready))
    for line in _said(previewed, report):
        print(line)
    counts = previewed.counts
    return 1 if counts[Verdict.NEEDS_CORRECTION] or counts[Verdict.TWICE] else 0


def _whom(who: str, found: list[Member]) -> str:
    """Why this names no one member."""
    if not found:
        return f"{who} is not the e-mail of an active member. Name who invites, with --as."
    spaces = ", ".join(f"{each.partner_id}:{each.email} ({each.partner.name})" for each in found)
    return f"{who} is a member of several partner spaces. Say which, with --as and one of: {spaces}."


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(spreadsheets.MAX_BYTES + 1)
    except OSError as failure:
        raise spreadsheets.UnreadableFile(_NO_FILE, file=str(path)) from failure


def _counter(total: int) -> Callable[[int], None]:
    """What tells how many are done, to someone who watches."""

    def told(done: int) -> None:
        if sys.stderr.isatty():
            print(f"\r{done} / {total}", end="\n" if done == total else "", file=sys.stderr, flush=True)

    return told


def _said(previewed: ImportPreview, report: ImportReport | None) -> Iterator[str]:
    """The rows that need a person, what the ready ones cost, and what became of all; None: nothing was written."""
    counts = previewed.counts
    attended = [row for row in previewed.rows if row.verdict in (Verdict.NEEDS_CORRECTION, Verdict.TWICE)]
    for row in attended[:_MOST]:
        reasons = one_line(imports.reasons_text(row))
        shown = "".join(c if is_showable(c) else "\ufffd" for c in reasons)
        yield t("Row {line} · {reasons}", line=str(row.line), reasons=shown)
    if (more := len(attended) - _MOST) > 0:
        yield nt("... and {count} more", "... and {count} more", more)
    us, theirs = previewed.paid_by_us, previewed.paid_by_clients
    yield t("The ready ones cost us {us} a month, and the clients {clients}.", us=us, clients=theirs)
    if report is None:
        yield t(
            "Rows: {rows}. Ready: {ready}. To correct: {to_correct}. Twice: {twice}. Already clients: {already}.",
            rows=len(previewed.rows),
            ready=counts[Verdict.READY],
            to_correct=counts[Verdict.NEEDS_CORRECTION],
            twice=counts[Verdict.TWICE],
            already=counts[Verdict.ALREADY_CLIENT],
        )
        yield t("Nothing was written.")
        return
    yield t(
        "Rows: {rows}. Invited: {invited}. To correct: {to_correct}. Twice: {twice}. Already clients: {already}.",
        rows=report.rows,
        invited=report.invited,
        to_correct=report.needing_correction,
        twice=report.twice,
        already=report.already_clients,
    )
    yield t("Nobody was invited.") if report.batch is None else t("Batch: {batch}.", batch=str(report.batch))


def main(arguments: list[str] | None = None) -> int:
    """Run one command; the exit status tells whether all is well."""
    parser = ArgumentParser(prog="python -m core", description=__doc__.splitlines()[0] if __doc__ else "")
    commands = parser.add_subparsers(required=True, metavar="command")
    commands.add_parser("migrate", help=migrate.__doc__).set_defaults(run=migrate)
    commands.add_parser("check", help=check_everything.__doc__).set_defaults(run=check_everything)
    demo_command = commands.add_parser("demo", help=make_demo.__doc__)
    demo_command.add_argument("--reset", action="store_true", help="make it anew, with today's dates")
    demo_command.set_defaults(run=make_demo)
    deliver_command = commands.add_parser("deliver", help=deliver.__doc__)
    deliver_command.add_argument("--every", type=duration, metavar="30s", help="go on, with this pause in between")
    deliver_command.set_defaults(run=deliver)
    import_command = commands.add_parser(
        "import",
        help=import_clients.__doc__,
        description="The exit status is 0 when every row is ready, invited or a client already; 1 when a row needs a "
        "person (it is to correct, or twice in the file), or when the whole is refused.",
    )
    import_command.add_argument("file", type=Path, metavar="FILE", help="an .xlsx or .csv file")
    import_command.add_argument(
        "--as", dest="member", required=True, metavar="MEMBER", help="who invites: an e-mail, or partner_id:e-mail"
    )
    import_command.add_argument("--dry-run", action="store_true", help="say what would become of each row, no more")
    import_command.set_defaults(run=import_clients)
    asked = parser.parse_args(arguments)
    try:
        configuration = Configuration()
        database = Database(configuration.url, deployment=configuration.deployment)
    except (ValidationError, ArgumentError, ImportError) as wrong:
        print(f"A BILLING_... variable cannot be used as it is set: {wrong}", file=sys.stderr)
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
