"""A bulk change and its undo, beside the bare driver doing the same writes: two updates and an insert for all clients.

Both are rolled back, so that the next round finds the partner space as it was. What is undone is a batch that was
committed once, when an undo is measured for the first time.
"""

import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from core import bulk, members
from core.bulk import Act, Override, Ticked
from core.members import Member
from core.storage import Database
from core.words import Overrides, Payer
from tests.bench import memory, space
from tests.bench.databases import Bench
from tests.bench.timing import Case, Limit, Operation

BULK = Limit(ratio=3)
_ACTS = [Override(Overrides(payer=payer)) for payer in (Payer.CLIENT, Payer.PARTNER)]
_MOST_MORE = 300  # MB that 100 000 clients may take
MEMORY = Limit()
_INSERTED = ("subscription", "payer_message")
_CLOSED = """
    UPDATE subscription SET valid_to = {0}, may_hold = {0}, withdrawn_by = {0}
    WHERE partner_id = {0} AND client_id = {0} AND revision = {0}"""


class _Undone(Exception):
    """Ends a transaction without keeping it."""


@dataclass(frozen=True, slots=True)
class _Written:
    """What a batch writes, as it is stored: rows of each table, and those of `subscription` that it ends."""

    rows: Mapping[str, Sequence[tuple[Any, ...]]]
    closed: Sequence[tuple[Any, ...]]


def operations(sizes: list[int]) -> list[Operation]:
    """A batch of each of these sizes, and the undo of one."""
    found: list[Operation] = []
    for clients in sizes:
        said = f"{clients:,}".replace(",", " ")
        found.append((f"bulk: change {said}", BULK, lambda bench, n=clients: _change(bench, n)))
        found.append((f"bulk: undo {said}", BULK, lambda bench, n=clients: _undo(bench, n)))
    return found


def peak(bench: Bench, clients: int) -> float:
    """The peak in MB of a fresh process that previews and changes so many, beyond that of one that changes one."""
    return max(0.0, _peak(bench, min(clients, bench.clients)) - _peak(bench, 1))


def _peak(bench: Bench, clients: int) -> float:
    command = [sys.executable, "-m", "tests.bench.bulk", bench.url, str(clients)]
    root = Path(__file__).parent.parent.parent
    return float(subprocess.run(command, capture_output=True, text=True, check=True, cwd=root).stdout)


def _change(bench: Bench, clients: int) -> Case | None:
    if clients > bench.clients:
        return None
    act, digest = _previewed(bench.database, bench.member, clients)

    def ours(and_then: Callable[[Session], object] = lambda _: None) -> int:
        return _rolled_back(bench, lambda session: _do(session, bench.member, clients, act, digest), and_then)

    return _case(bench, ours)


def _undo(bench: Bench, clients: int) -> Case | None:
    if clients > bench.clients:
        return None
    act, digest = _previewed(bench.database, bench.member, clients)
    with bench.database.transaction() as session:
        batch = bulk.do(session, bench.member, act, _ticked(clients), digest=digest, reason="bench").batch
    with bench.database.reading() as session:
        digest = bulk.undo_preview(session, bench.member, batch).digest

    def ours(and_then: Callable[[Session], object] = lambda _: None) -> int:
        return _rolled_back(
            bench,
            lambda session: bulk.undo(session, bench.member, batch, digest=digest, reason="bench").changed,
            and_then,
        )

    return _case(bench, ours)


def _case(bench: Bench, ours: Callable[..., int]) -> Case:
    written: list[_Written] = []
    ours(lambda session: written.append(_what_was_written(session.connection())))

    def same(changed: int, by_hand: int) -> None:
        assert changed == by_hand

    return Case(ours, lambda: _by_hand(bench, written[0]), same)


def _ticked(clients: int) -> Ticked:
    return Ticked(tuple(range(1, clients + 1)))


def _previewed(database: Database, member: Member, clients: int) -> tuple[Act, str]:
    """The act that changes more, and what its preview is named by: the undo of a run before left it little to do."""
    with database.reading() as session:
        shown = [(act, bulk.preview(session, member, act, _ticked(clients))) for act in _ACTS]
    act, preview = max(shown, key=lambda each: each[1].changed)
    return act, preview.digest


def _do(session: Session, member: Member, clients: int, act: Act, digest: str) -> int:
    return bulk.do(session, member, act, _ticked(clients), digest=digest, reason="bench").changed


def _rolled_back(
    bench: Bench, change: Callable[[Session], int], and_then: Callable[[Session], object] = lambda _: None
) -> int:
    changed = 0
    try:
        with bench.database.transaction() as session:
            changed = change(session)
            and_then(session)
            raise _Undone
    except _Undone:
        return changed


def _what_was_written(connection: Connection) -> _Written:
    (batch,) = connection.execute(text("SELECT max(batch) FROM batch")).one()
    whose = {"partner": space.PARTNER_ID, "batch": batch}
    new = "SELECT * FROM subscription WHERE partner_id = :partner AND batch = :batch"
    at = "(SELECT done_at FROM batch WHERE partner_id = :partner AND batch = :batch)"
    told = f"SELECT * FROM payer_message WHERE partner_id = :partner AND queued_at = {at}"
    closed = """
        SELECT s.valid_to, s.may_hold, s.withdrawn_by, s.partner_id, s.client_id, s.revision
        FROM subscription s JOIN (SELECT client_id, min(revision) AS first, min(valid_from) AS begins
            FROM subscription WHERE partner_id = :partner AND batch = :batch GROUP BY client_id) AS b
            ON b.client_id = s.client_id
        WHERE s.partner_id = :partner AND s.revision < b.first
            AND (s.withdrawn_by = b.first OR (s.withdrawn_by IS NULL AND s.valid_to = b.begins))"""
    return _Written(
        {
            table: [tuple(row) for row in connection.execute(text(asked), whose)]
            for table, asked in zip(_INSERTED, (new, told), strict=True)
        },
        [tuple(row) for row in connection.execute(text(closed), whose)],
    )


def _by_hand(bench: Bench, written: _Written) -> int:
    mark = "?" if bench.driver.is_sqlite else "%s"
    try:
        with bench.driver.transaction():
            bench.driver.cursor.executemany(_CLOSED.format(mark), written.closed)
            for table, rows in written.rows.items():
                if rows:
                    marks = ", ".join([mark] * len(rows[0]))
                    bench.driver.cursor.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)
            raise _Undone
    except _Undone:
        return len({row[1] for row in written.rows["subscription"]})


def _change_alone(url: str, clients: int) -> None:
    database = Database(url)
    with database.reading() as session:
        member = members.find(session, space.PARTNER_ID, 1)
    assert member is not None
    act, digest = _previewed(database, member, clients)
    try:
        with database.transaction() as session:
            _do(session, member, clients, act, digest)
            raise _Undone
    except _Undone:
        database.close()


if __name__ == "__main__":
    _change_alone(sys.argv[1], int(sys.argv[2]))
    print(memory.own_peak())
