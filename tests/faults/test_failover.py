"""The primary dies under load and its standby takes over: the short story, without a proxy and without a browser."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import insert

from core import catalogue, defaults, members
from core.catalogue import SAMPLE
from core.members import Partner
from core.storage import Database
from core.words import DatabaseFailed, Role, SavedOrNot
from tests.faults import load
from tests.faults.changes import IS_LONG
from tests.faults.cluster import Cluster, cluster, wait_for
from tests.faults.ledger import Ledger, compare

PARTNER = 1
WORKERS = 2


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[Cluster]:
    with cluster(tmp_path) as made:
        yield made


@pytest.fixture
def database(machines: Cluster) -> Iterator[Database]:
    """With a partner space; its connections find whichever machine takes writes."""
    opened = Database(machines.url)
    opened.migrate()
    with opened.transaction() as session:
        session.execute(
            insert(Partner).values(partner_id=PARTNER, name="Partner", currency="EUR", time_zone="UTC", change_number=0)
        )
        members.add(session, PARTNER, name="A", email="a@example.com", role=Role.ADMINISTRATOR, by=None)
        catalogue.store(session, SAMPLE)
    with opened.transaction() as session:
        load.save(session, members.of_partner(session, PARTNER)[0], "the first version")
    yield opened
    opened.close()


def test_no_change_that_was_told_done_is_lost_when_the_standby_takes_over(
    machines: Cluster, database: Database
) -> None:
    """Nor is one doubled, and whoever is at work goes on with the new primary by themselves."""
    ledger = Ledger()
    with load.working(database, PARTNER, ledger, threads=WORKERS) as people:
        for lose in (machines.lose_primary, lambda: None):
            before = {who: ledger.told_by(who) for who in people}
            wait_for(lambda: all(ledger.told_by(who) > told + 5 for who, told in before.items()), "everybody works")
            lose()
    assert {who for who, _ in ledger.told} == set(people)
    found = compare(ledger, database)
    assert found.are_clean, found


def test_a_change_is_not_told_done_while_no_standby_has_it(machines: Cluster, database: Database) -> None:
    """The price: without its standby the primary takes no change, until somebody decides that it works alone."""
    machines.standby.kill()
    with pytest.raises(SavedOrNot), database.transaction() as session:
        load.save(session, members.of_partner(session, PARTNER)[0], "nobody else has this")
    machines.work_alone()
    with database.transaction() as session:
        load.save(session, members.of_partner(session, PARTNER)[0], "on one machine")


@pytest.mark.skipif(not IS_LONG, reason="In the long run: it limits a server's process.")
def test_when_the_log_of_postgresql_has_no_room_nothing_told_done_is_lost(
    machines: Cluster, database: Database
) -> None:
    """PostgreSQL stops itself then, and so the connection breaks; with room again the same save works. (A limit of the
    process that serves the connection stands in for the disk: PostgreSQL treats both alike.)"""
    with database.transaction() as session:
        number = session.connection().connection.dbapi_connection.info.backend_pid
    of_the_server = os.stat(f"/proc/{number}").st_uid  # who alone may limit it, where root may not do everything
    subprocess.run(["prlimit", f"--pid={number}", "--fsize=1:1"], user=of_the_server, cwd="/", check=True)
    with pytest.raises(DatabaseFailed), database.transaction() as session:
        load.save(session, members.of_partner(session, PARTNER)[0], "there is no room")
    wait_for(machines.primary.answers, "PostgreSQL is back")
    with database.transaction() as session:
        load.save(session, members.of_partner(session, PARTNER)[0], "there is room")
        notes = [version.note for version in defaults.history(session, members.of_partner(session, PARTNER)[0])]
    assert "the first version" in notes
    assert notes.count("there is room") == 1
