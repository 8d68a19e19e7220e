"""A process killed in the middle of a change, a connection cut, a full disk, a database that can only be read: nothing
is half done, and doing it again works."""

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event, text

from core.storage import Database
from tests.conftest import Space
from tests.faults.changes import CHANGES, CHOSEN, IS_LONG, differences, make, outcome, state
from tests.faults.child import AT_COMMIT, REFUSED
from tests.faults.conftest import Child, url_of
from tests.members.test_access import ACTIVITY, ASKED_ELSEWHERE, PREVIEWS, READS, READS_OF_TEAM, USE_CASES

PLACES = range(1, 100) if IS_LONG else (2, AT_COMMIT)
MANY_PLACES = range(1, 100) if IS_LONG else (AT_COMMIT, *range(2, 100, 2))
KILLED_AT_MANY = ["defaults.save", "invitations.invite", "invitations.edit_client", "subscriptions.override"]
AT_TIMES_DONE_TWICE = {"partner"}  # its change number counts acts, also those that find nothing to do


def test_every_use_case_that_changes_something_is_in_the_list() -> None:
    """A new use case that stands in the matrix of roles, or is asked for elsewhere, is killed, cut and raced too."""
    assert set(CHANGES) == set(USE_CASES) - READS - PREVIEWS - ACTIVITY - READS_OF_TEAM | ASKED_ELSEWHERE


@pytest.mark.parametrize("change", sorted({*CHOSEN, *KILLED_AT_MANY}))
def test_a_process_killed_in_the_middle_leaves_nothing_half_done(furnished: Space, child: Child, change: str) -> None:
    """At a statement, or one after the other, and at the commit; then the next process makes the whole change, once."""
    before = state(furnished.database)
    for place in MANY_PLACES if change in KILLED_AT_MANY else PLACES:
        ended = child.make(furnished, change, place=place)
        if place > 1 and ended == 0:  # there are no more statements than these
            break
        assert ended == -signal.SIGKILL
        assert state(furnished.database) == before
    else:
        assert child.make(furnished, change) == 0
    after = state(furnished.database)
    assert after != before
    assert differences(furnished.database) == []
    outcome(furnished.database, furnished.partner_id, change)
    assert without_counts(state(furnished.database)) == without_counts(after)


def without_counts(found: dict[str, list[tuple[Any, ...]]]) -> dict[str, list[tuple[Any, ...]]]:
    return {table: rows for table, rows in found.items() if table not in AT_TIMES_DONE_TWICE}


@contextmanager
def interrupted(database: Database, place: int, interrupt: Any) -> Iterator[list[int]]:
    """Within the block, `interrupt` is called with the connection at its statement with this number, or at a commit;
    the list says which it was."""
    count, reached = 0, list[int]()

    def at(connection: Connection, *, is_commit: bool) -> None:
        nonlocal count
        count += 1
        if not reached and (count == place or (is_commit and place == AT_COMMIT)):
            reached.append(count)
            interrupt(connection)

    def statement(connection: Connection, *_: Any) -> None:
        at(connection, is_commit=False)

    def commit(connection: Connection) -> None:
        at(connection, is_commit=True)

    event.listen(database.engine, "before_cursor_execute", statement)
    event.listen(database.engine, "commit", commit)
    try:
        yield reached
    finally:
        event.remove(database.engine, "before_cursor_execute", statement)
        event.remove(database.engine, "commit", commit)


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)  # SQLite is a file: no connection is cut
@pytest.mark.parametrize("change", CHOSEN)
def test_a_connection_cut_at_any_statement_is_told_and_leaves_nothing_half_done(furnished: Space, change: str) -> None:
    """The server ends the connection, as when it restarts; the same change made again is whole."""
    other = Database(url_of(furnished.database))

    def cut(connection: Connection) -> None:
        number = connection.connection.dbapi_connection.info.backend_pid  # type: ignore[union-attr]
        with other.migrating() as elsewhere:
            assert elsewhere.scalar(text("SELECT pg_terminate_backend(:number, 60000)"), {"number": number})

    before = state(furnished.database)
    for place in PLACES:
        with interrupted(furnished.database, place, cut) as reached:
            said = outcome(furnished.database, furnished.partner_id, change)
        if not reached:
            break
        assert said in {"DatabaseAway", "SavedOrNot"}
        assert state(furnished.database) == before
    if reached:
        make(furnished.database, furnished.partner_id, change)
    assert state(furnished.database) != before
    assert differences(furnished.database) == []
    other.close()


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
@pytest.mark.parametrize("change", CHANGES)
def test_an_answer_lost_after_the_commit_is_told_as_saved_or_not_and_asked_again_changes_nothing_more(
    furnished: Space, change: str
) -> None:
    """The commit arrives, its answer does not: nobody is told that nothing was saved, and the second try doubles
    nothing."""
    numbers = []

    def deafen(connection: Connection) -> None:
        driver: Any = connection.connection.dbapi_connection
        numbers.append(driver.info.backend_pid)
        with socket.socket(fileno=os.dup(driver.fileno())) as ear:
            ear.shutdown(socket.SHUT_RD)

    before = state(furnished.database)
    with interrupted(furnished.database, AT_COMMIT, deafen):
        assert outcome(furnished.database, furnished.partner_id, change) == "SavedOrNot"
    with furnished.database.reading(single=True) as session:  # the server is done with it
        while session.scalar(text("SELECT count(*) FROM pg_stat_activity WHERE pid = :number"), {"number": numbers[0]}):
            pass
    after = state(furnished.database)
    assert after != before
    assert differences(furnished.database) == []
    outcome(furnished.database, furnished.partner_id, change)
    assert without_counts(state(furnished.database)) == without_counts(after)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("change", CHOSEN)
def test_on_a_full_disk_nothing_is_half_done_and_with_room_again_it_works(
    furnished: Space, child: Child, change: str
) -> None:
    """The file system takes no more: what is appended to the file of a writer is refused. (A limit of the process
    stands in for the disk.)"""
    before = state(furnished.database)
    log = Path(f"{furnished.database.engine.url.database}-wal")
    assert child.make(furnished, change, largest_file=log.stat().st_size) == REFUSED
    assert state(furnished.database) == before
    assert differences(furnished.database) == []
    assert child.make(furnished, change) == 0
    assert state(furnished.database) != before


@pytest.mark.parametrize("change", CHOSEN)
def test_a_database_that_can_only_be_read_is_told_and_nothing_changes(furnished: Space, change: str) -> None:
    """A file without the right to write, a standby that is no primary yet."""
    only_read = Database(url_of(furnished.database), clock=furnished.clock)

    @event.listens_for(only_read.engine, "begin")
    def _only_read(connection: Connection) -> None:
        if not only_read.is_embedded:
            connection.exec_driver_sql("SET TRANSACTION READ ONLY")

    @event.listens_for(only_read.engine, "connect")
    def _only_read_file(connection: Any, _record: Any) -> None:
        if only_read.is_embedded:
            connection.execute("PRAGMA query_only = ON")

    before = state(furnished.database)
    assert outcome(only_read, furnished.partner_id, change) == "DatabaseReadOnly"
    assert state(furnished.database) == before
    only_read.close()
