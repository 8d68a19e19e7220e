"""A bulk change that runs: readers do not wait, another writer is told how far it is, a killed one leaves nothing."""

import signal
import subprocess
import sys
from collections.abc import Callable
from time import monotonic

import pytest
from sqlalchemy import text

from core import bulk, defaults, reports, storage
from core.bulk import Adopt, StaleBulk, surroundings
from core.storage import Database, long_changes
from core.words import BulkRunning
from tests.bulk.conftest import ALL, active, previewed
from tests.conftest import LONGEST_WAIT, PLUS, ROOT, STANDARD, Space, at_once


@pytest.fixture
def firm(space: Space, monkeypatch: pytest.MonkeyPatch) -> Space:
    """Six clients on the first version; a change of more than one counts as long, and its parts are of two."""
    monkeypatch.setattr(long_changes, "LONG", 1)
    monkeypatch.setattr(surroundings, "CHUNK", 2)
    space.save(STANDARD)
    for number in range(6):
        active(space, f"Client {number}")
    space.clock.forward(days=1)
    space.save(PLUS)
    return space


def save(space: Space, database: Database | None = None) -> None:
    with (database or space.database).transaction() as session:
        defaults.save(session, space.administrator, STANDARD, seen=2)


def test_another_writer_is_told_how_far_it_is_and_readers_do_not_wait(firm: Space) -> None:
    """On another server too: at once, in a sentence with figures; what is read is as before."""
    url = firm.database.engine.url.render_as_string(hide_password=False)
    elsewhere, told, found = Database(url, clock=firm.clock), [], []

    def look(_done: int) -> None:
        began = monotonic()
        with pytest.raises(BulkRunning) as refused:
            save(firm, elsewhere)
        assert monotonic() - began < LONGEST_WAIT / 10
        told.append(str(refused.value))
        with elsewhere.reading() as session:
            running = bulk.running(session, firm.manager)
            assert running is not None
            found.append((running.by, running.done, running.total))
            assert {each.defaults_version for each in reports.listed(session, firm.manager)} == {1}

    digest = previewed(firm, Adopt()).digest
    with firm.database.transaction() as session:
        bulk.do(session, firm.manager, Adopt(), ALL, digest=digest, reason="All", progress=look)
    assert found == [(firm.manager.name, done, 6) for done in (2, 4, 6)]
    assert told[0].startswith("The client manager is changing many clients at once: 2 of 6 are done.")
    with elsewhere.reading() as session:
        assert bulk.running(session, firm.manager) is None
    save(firm, elsewhere)
    elsewhere.close()


def test_one_that_fails_says_nothing_any_more(firm: Space) -> None:
    """Whatever it fails of: nothing happened, and others write."""

    class Failed(Exception):
        pass

    def fail(_done: int) -> None:
        raise Failed

    digest = previewed(firm, Adopt()).digest
    with pytest.raises(Failed), firm.database.transaction() as session:
        bulk.do(session, firm.manager, Adopt(), ALL, digest=digest, reason="All", progress=fail)
    save(firm)
    assert {firm.detail(number).history[0].batch for number in range(1, 7)} == {None}
    with firm.database.reading() as session:
        assert bulk.batches(session, firm.manager) == []


def test_one_that_is_killed_leaves_nothing(firm: Space) -> None:
    """Nothing of it happened, and it is said to run only until the database knows that it is gone."""
    url = firm.database.engine.url.render_as_string(hide_password=False)
    command = [sys.executable, "-m", "tests.bulk.killed", url, firm.clock().isoformat()]
    assert subprocess.run(command, cwd=ROOT, check=False).returncode == -signal.SIGKILL
    until = monotonic() + LONGEST_WAIT
    while True:
        try:
            save(firm)
            break
        except BulkRunning:
            assert monotonic() < until
    with firm.database.reading() as session:
        assert bulk.running(session, firm.manager) is None
        assert bulk.batches(session, firm.manager) == []
        assert session.scalar(text("SELECT count(*) FROM long_change")) == 0
    assert {firm.detail(number).history[0].batch for number in range(1, 7)} == {None}


def test_of_two_who_do_the_same_at_once_one_is_told_that_it_is_done(firm: Space) -> None:
    """Rule 47: the second one's preview is not so any more, or it meets the first one while that runs."""
    digest = previewed(firm, Adopt()).digest

    def do(session) -> bulk.PastBatch:
        return bulk.do(session, firm.manager, Adopt(), ALL, digest=digest, reason="All")

    found = at_once(firm, do, do)
    assert len([each for each in found if isinstance(each, bulk.PastBatch)]) == 1
    assert {each for each in found if not isinstance(each, bulk.PastBatch)} <= {StaleBulk, BulkRunning}


def test_a_change_of_few_is_not_announced(space: Space) -> None:
    """Who comes beside it waits a moment, as beside any other change."""
    assert storage.LONG == surroundings.CHUNK == 5000
    space.save(STANDARD)
    active(space, "One")
    space.save(PLUS)
    digest, seen = previewed(space, Adopt()).digest, []
    look: Callable[[int], object] = lambda done: seen.append((done, bulk.running(reading, space.manager)))  # noqa: E731
    with space.database.reading() as reading, space.database.transaction() as session:
        bulk.do(session, space.manager, Adopt(), ALL, digest=digest, reason="All", progress=look)
    assert seen == [(1, None)]
