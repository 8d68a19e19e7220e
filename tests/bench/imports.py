"""A spreadsheet of clients checked and invited, beside the bare driver inserting the same rows.

Both are rolled back, so that the next round finds the partner space as it was.
"""

import subprocess
import sys
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from core import imports, members, spreadsheets
from core.imports import ImportPreview
from core.storage import Database
from tests.bench import memory, space
from tests.bench.databases import Bench
from tests.bench.timing import Case, Limit, Operation

PREVIEW = Limit(milliseconds=3000)
COMMIT = Limit(ratio=3)
TABLES = ("client", "subscription", "responsible", "invitation", "outbox_message")

_HEADINGS = ["name", "country", "email", "first name", "last name", "language", "company number", "payer", "plan",
             "add-ons"]  # fmt: skip


class _Undone(Exception):
    """Ends a transaction without keeping it."""


def operations(sizes: list[int]) -> list[Operation]:
    """Preview (reading the file too) and commit, of files with this many rows."""
    found: list[Operation] = []
    for rows in sizes:
        limit = PREVIEW if rows <= 10_000 else Limit()
        found.append((f"import: preview {rows:,}".replace(",", " "), limit, lambda bench, n=rows: _preview(bench, n)))
        found.append((f"import: commit {rows:,}".replace(",", " "), COMMIT, lambda bench, n=rows: _commit(bench, n)))
    return found


def file(rows: int) -> bytes:
    """A list as people bring it: most rows on the defaults, some with a choice."""
    lines = [
        [f"Boulangerie {n}", "BE", f"import{n}@example.com", "Anne", f"Peeters {n}", "fr-BE", _company_number(n),
         "client" if n % 5 == 0 else "", "plus" if n % 7 == 0 else "", "none" if n % 11 == 0 else ""]
        for n in range(rows)
    ]  # fmt: skip
    return spreadsheets.as_csv([_HEADINGS, *lines]).encode("utf-8-sig")


def peak(bench: Bench, rows: int) -> float:
    """The peak in MB of a fresh process that reads, checks and invites such a file."""
    command = [sys.executable, "-m", "tests.bench.imports", bench.url, str(rows)]
    root = Path(__file__).parent.parent.parent
    return float(subprocess.run(command, capture_output=True, text=True, check=True, cwd=root).stdout)


def _preview(bench: Bench, rows: int) -> Case:
    content, inserted = file(rows), _rows(bench, rows)

    def ours() -> int:
        return len(_previewed(bench.database, bench.member, content).rows)

    return Case(ours, lambda: _insert(bench, inserted), _same)


def _commit(bench: Bench, rows: int) -> Case:
    previewed, inserted = _previewed(bench.database, bench.member, file(rows)), _rows(bench, rows)
    return Case(lambda: _invite(bench, previewed), lambda: _insert(bench, inserted), _same)


def _same(invited: int, inserted: int) -> None:
    assert invited == inserted


def _previewed(database: Database, member: Any, content: bytes) -> ImportPreview:
    with database.reading() as session:
        return imports.preview(session, member, imports.read("clients.csv", content))


def _invite(bench: Bench, previewed: ImportPreview, *, and_then: Any = lambda _: None) -> int:
    invited = 0
    try:
        with bench.database.transaction() as session:
            invited = imports.invite_ready(session, bench.member, previewed).invited
            and_then(session)
            raise _Undone
    except _Undone:
        return invited


def _rows(bench: Bench, rows: int) -> dict[str, list[tuple[Any, ...]]]:
    """What the product writes, as it is stored: for the bare driver to insert the same."""
    written: dict[str, list[tuple[Any, ...]]] = {}

    def keep(session: Session) -> None:
        before = bench.driver.rows("SELECT last_client_id FROM partner WHERE partner_id = :partner")[0][0]
        for table in TABLES:
            written[table] = _stored(session.connection(), table, before)

    _invite(bench, _previewed(bench.database, bench.member, file(rows)), and_then=keep)
    return written


def _stored(connection: Connection, table: str, after: int) -> list[tuple[Any, ...]]:
    asked = text(f"SELECT * FROM {table} WHERE partner_id = {space.PARTNER_ID} AND client_id > :after")
    return [tuple(row) for row in connection.execute(asked, {"after": after})]


def _insert(bench: Bench, rows: dict[str, list[tuple[Any, ...]]]) -> int:
    mark = "?" if bench.driver.is_sqlite else "%s"
    try:
        with bench.driver.transaction():
            for table in TABLES:
                marks = ", ".join([mark] * len(rows[table][0]))
                bench.driver.cursor.executemany(f"INSERT INTO {table} VALUES ({marks})", rows[table])
            raise _Undone
    except _Undone:
        return len(rows["client"])


def _company_number(number: int) -> str:
    first_eight = 2_000_000 + number
    return f"{first_eight:08}{97 - first_eight % 97:02}"


def _read_and_invite(url: str, rows: int) -> None:
    database = Database(url)
    with database.reading() as session:
        member = members.find(session, space.PARTNER_ID, 1)
    previewed = _previewed(database, member, file(rows))
    try:
        with database.transaction() as session:
            assert member is not None
            imports.invite_ready(session, member, previewed)
            raise _Undone
    except _Undone:
        database.close()


if __name__ == "__main__":
    _read_and_invite(sys.argv[1], int(sys.argv[2]))
    print(memory.own_peak())
