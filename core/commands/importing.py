"""`import`: invite the clients of a spreadsheet, with the same code and the same report as the page."""

import sys
from argparse import ArgumentTypeError, Namespace
from collections.abc import Callable, Iterator
from pathlib import Path

from sqlalchemy.orm import Session

from core import imports, members, spreadsheets
from core.commands import Commands, NoFile
from core.imports import Column, ImportPreview, ImportReport, Verdict
from core.members import Member
from core.storage import Database
from core.words import best_language, is_showable, nt, one_line, speak, t

_MOST = 50  # rows that are printed
_ENCODINGS = {"windows": spreadsheets.WINDOWS, "mac": spreadsheets.MAC}


def add_to(commands: Commands) -> None:
    """Add this command to the parser's."""
    command = commands.add_parser(
        "import",
        help=import_clients.__doc__,
        description="The exit status is 0 when every row is ready, invited or a client already; 1 when a row needs a "
        "person (it is to correct, or twice in the file), or when the whole is refused.",
    )
    command.add_argument("file", type=Path, metavar="FILE", help="an .xlsx, .xls, .ods or .csv file")
    command.add_argument(
        "--as", dest="member", required=True, metavar="MEMBER", help="who invites: an e-mail, or partner_id:e-mail"
    )
    command.add_argument(
        "--column",
        dest="columns",
        action="append",
        type=_column,
        default=[],
        metavar="COLUMN=HEADING",
        help='which heading of the file a column is under, for example email="Adresse mail"; without a heading the '
        f"column is not read. Once for each column of: {', '.join(column.value for column in Column)}",
    )
    command.add_argument(
        "--country", type=_country, metavar="CODE", help="the country of rows without one, for example BE"
    )
    command.add_argument(
        "--encoding",
        choices=_ENCODINGS,
        help="where a CSV file that is neither UTF-8 nor UTF-16 comes from; without it, its letters decide",
    )
    command.add_argument("--dry-run", action="store_true", help="say what would become of each row, no more")
    command.set_defaults(run=import_clients)


def import_clients(database: Database, arguments: Namespace) -> int:
    """Invite the clients of an .xlsx, .xls, .ods or CSV file: all its ready rows, or none."""
    with database.reading() as session:
        if (member := who_acts(session, arguments.member)) is None:
            return 1
        speak(best_language(member.language), member.partner.time_zone)
        sheet = imports.read(
            arguments.file.name, _content(arguments.file), encoding=_ENCODINGS.get(arguments.encoding, "")
        )
        previewed = imports.preview(
            session,
            member,
            sheet,
            said=dict(arguments.columns),
            country=arguments.country or "",
            progress=counter(len(sheet.rows)),
        )
    report = None
    if not arguments.dry_run:
        with database.transaction() as session:
            ready = previewed.counts[Verdict.READY]
            report = imports.invite_ready(session, member, previewed, progress=counter(ready))
    for line in _said(previewed, report):
        print(line)
    counts = previewed.counts
    return 1 if counts[Verdict.NEEDS_CORRECTION] or counts[Verdict.TWICE] else 0


def _column(text: str) -> tuple[Column, str]:
    """A column, and the heading that it is under."""
    name, equals, heading = text.partition("=")
    if not equals or name.strip() not in list(Column):
        raise ArgumentTypeError(f'{text!r} is not a column, an equals sign and a heading, like email="Adresse mail"')
    return Column(name.strip()), heading.strip()


def _country(text: str) -> str:
    """The code of a country, from its letters or its name."""
    code = imports.country(text)
    if code not in imports.countries():
        raise ArgumentTypeError(f"{text!r} is not a country: use two letters, for example BE")
    return code


def who_acts(session: Session, who: str) -> Member | None:
    """The one member that this names; None where it names none or several, and it is printed why."""
    found = members.by_email(session, who)
    if len(found) == 1:
        return found[0]
    print(_not_one(who, found), file=sys.stderr)
    return None


def _not_one(who: str, found: list[Member]) -> str:
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
        raise NoFile(path) from failure


def counter(total: int) -> Callable[[int], None]:
    """What shows how many are done, to someone who watches."""

    def show(done: int) -> None:
        if sys.stderr.isatty():
            print(f"\r{done} / {total}", end="\n" if done == total else "", file=sys.stderr, flush=True)

    return show


def _said(previewed: ImportPreview, report: ImportReport | None) -> Iterator[str]:
    """The rows that need a person, what the ready ones cost, and what became of all; None: nothing was written."""
    counts, sheet = previewed.counts, previewed.sheet
    if sheet.others:
        yield f"Read from the sheet {one_line(sheet.name)}. Not read: {', '.join(map(one_line, sheet.others))}."
    if sheet.hidden:
        yield f"Rows that are hidden in the workbook and read like the others: {sheet.hidden}."
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
