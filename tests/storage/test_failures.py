"""What a database that fails makes of an action: a sentence, nothing half done, and a log without anybody's data."""

import logging
import re
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from core.storage import Database, Patience, allow_minutes
from core.words import (
    DatabaseAway,
    DatabaseBusy,
    DatabaseFailed,
    DatabaseFull,
    DatabaseReadOnly,
    DatabaseReplaced,
    DatabaseSlow,
    DatabaseUnreadable,
    SavedOrNot,
    TablesMissing,
    TablesNewer,
    TablesOfAnother,
    TablesOlder,
)
from tests.conftest import LONGEST_WAIT, Space
from tests.postgres import Postgres

SHORT = Patience(lock=0.2, reading=0.5, writing=0.5)
QUICK = 20  # seconds: far below what an unlimited wait takes, far above what these take
CLIENT = text(
    "INSERT INTO client (partner_id, client_id, name, sort_name, email, contact_name, language) "
    "VALUES (:partner, :id, :name, 'somebody', :email, '', :language)"
)


def url_of(database: Database) -> str:
    return database.engine.url.render_as_string(hide_password=False)


@pytest.fixture
def short(space: Space) -> Iterator[Database]:
    """The database of the space, opened by a server that does not wait long."""
    opened = Database(url_of(space.database), clock=space.clock, patience=SHORT)
    yield opened
    opened.close()


@pytest.fixture
def away(breakable: Postgres) -> Iterator[Database]:
    """A PostgreSQL database that can be stopped and frozen, with one table."""
    opened = Database(breakable.url, patience=Patience(sign_of_life=2, lock=1, reading=2, writing=2))
    with opened.transaction() as session:
        session.execute(text("CREATE TABLE IF NOT EXISTS note (words TEXT)"))
        session.execute(text("DELETE FROM note"))
    yield opened
    opened.close()


def write(database: Database, words: str = "kept") -> None:
    with database.transaction() as session:
        session.execute(text("INSERT INTO note VALUES (:words)"), {"words": words})


def written(database: Database) -> list[str]:
    with database.reading() as session:
        return list(session.scalars(text("SELECT words FROM note ORDER BY words")))


def kept_by(server: Postgres) -> list[str]:
    """The same, read with the usual patience: a server that is just awake may be slow."""
    database = Database(server.url)
    try:
        return written(database)
    finally:
        database.close()


def took(act: Callable[[], object], refusal: type[Exception]) -> float:
    """How many seconds it took until this was refused."""
    began = time.monotonic()
    with pytest.raises(refusal):
        act()
    return time.monotonic() - began


# --- away ---


def test_a_stopped_server_is_away_and_the_first_action_after_it_is_back_works(
    away: Database, breakable: Postgres
) -> None:
    """Whether a connection was used just before or is one of many kept from long ago: nobody clicks twice."""
    write(away, "before")
    with away.reading(), away.reading(), away.reading(single=True):
        pass
    with breakable.stopped():
        with pytest.raises(DatabaseAway) as read:
            written(away)
        with pytest.raises(DatabaseAway) as wrote:
            write(away)
        with pytest.raises(DatabaseAway):
            away.is_migrated()
        with pytest.raises(DatabaseAway), away.migrating():
            pass
    assert str(read.value) == "The database does not answer. Your entries are kept."
    assert str(wrote.value) == "The database does not answer. Nothing was saved; your entries are kept."
    write(away, "after")
    assert written(away) == ["after", "before"]


@pytest.mark.parametrize("act", [written, write], ids=["read", "write"])
def test_the_first_action_after_a_restart_works(
    away: Database, breakable: Postgres, act: Callable[[Database], object]
) -> None:
    """Nobody looked while it was away."""
    written(away)
    breakable.stop()
    breakable.start()
    act(away)


def test_a_connection_lost_in_the_middle_of_an_action_saves_nothing(away: Database, breakable: Postgres) -> None:
    """And says so."""
    with pytest.raises(DatabaseAway, match="Nothing was saved"), away.transaction() as session:
        session.execute(text("INSERT INTO note VALUES ('half')"))
        breakable.stop()
        breakable.start()
        session.execute(text("INSERT INTO note VALUES ('whole')"))
    assert written(away) == []


def test_a_connection_lost_while_it_is_made_final_says_that_nobody_knows(away: Database, breakable: Postgres) -> None:
    """It may be saved: never that it is not."""

    def restart(_connection: Any) -> None:
        breakable.stop()
        breakable.start()

    event.listen(away.engine, "commit", restart, once=True)
    with pytest.raises(SavedOrNot, match="may be saved or not"):
        write(away)
    written(away)


def test_an_iterator_that_is_read_bit_by_bit_says_it_too(away: Database, breakable: Postgres) -> None:
    """An export, in the middle of its file."""

    def pieces() -> Iterator[str]:
        with away.reading() as session:
            while True:
                yield from session.scalars(text("SELECT 'piece'"))

    reading = pieces()
    assert next(reading) == "piece"
    breakable.stop()
    breakable.start()
    with pytest.raises(DatabaseAway):
        for _ in range(3):
            next(reading)


# --- frozen, slow, busy ---


def test_a_frozen_server_is_away_within_seconds(away: Database, breakable: Postgres) -> None:
    """It acknowledges what is sent to it and says nothing: whoever waits has to know when to stop."""
    write(away)
    with breakable.frozen():
        assert took(lambda: written(away), DatabaseAway) < QUICK
        assert took(lambda: write(away), DatabaseAway) < QUICK
        assert took(away.is_migrated, DatabaseAway) < QUICK
    assert kept_by(breakable) == ["kept"]


def test_a_server_frozen_in_the_middle_of_an_action(away: Database, breakable: Postgres) -> None:
    """Each statement has its deadline, and so has the end."""

    def in_the_middle() -> None:
        with away.transaction() as session:
            session.execute(text("INSERT INTO note VALUES ('half')"))
            with breakable.frozen():
                session.execute(text("INSERT INTO note VALUES ('whole')"))

    assert took(in_the_middle, DatabaseAway) < QUICK
    assert kept_by(breakable) == []


def test_a_server_frozen_while_an_action_is_made_final(away: Database, breakable: Postgres) -> None:
    """Nobody knows what became of it."""
    thawed = threading.Event()

    def freeze(_connection: Any) -> None:
        frozen = breakable.frozen()
        frozen.__enter__()
        threading.Thread(target=lambda: (thawed.wait(LONGEST_WAIT), frozen.__exit__(None, None, None))).start()

    event.listen(away.engine, "commit", freeze, once=True)
    try:
        assert took(lambda: write(away), SavedOrNot) < QUICK
    finally:
        thawed.set()


def test_a_statement_that_takes_too_long_is_ended_by_the_server(away: Database) -> None:
    """Unless the action said that it may take minutes; the next action is an ordinary one again."""
    with pytest.raises(DatabaseSlow), away.reading() as session:
        session.execute(text("SELECT pg_sleep(30)"))
    with pytest.raises(DatabaseSlow, match="Nothing was saved"), away.transaction() as session:
        session.execute(text("SELECT pg_sleep(30)"))
    with away.transaction() as session:
        allow_minutes(session)
        session.execute(text("SELECT pg_sleep(4)"))
    with away.migrating() as connection:
        connection.execute(text("SELECT pg_sleep(4)"))
    with pytest.raises(DatabaseSlow), away.transaction() as session:
        session.execute(text("SELECT pg_sleep(30)"))


def test_somebody_elses_long_work_is_waited_for_and_then_named(space: Space, short: Database) -> None:
    """A writer that holds what another one needs, beyond its patience; nothing is half done."""
    with space.database.transaction() as holder:
        holder.execute(text("UPDATE partner SET name = 'held'"))
        with (
            pytest.raises(DatabaseBusy, match=r"busy with other work\. Nothing was saved"),
            short.transaction() as other,
        ):
            other.execute(text("UPDATE partner SET name = 'other'"))
    with short.transaction() as session:
        assert session.scalar(text("SELECT name FROM partner")) == "held"


def test_every_connection_in_use_is_a_database_that_is_busy(short: Database) -> None:
    """Not an unforeseen failure."""
    short.engine.pool._timeout = 0.1  # type: ignore[attr-defined]
    held = [short.engine.connect() for _ in range(15)]
    try:
        with pytest.raises(DatabaseBusy), short.reading() as session:
            session.execute(text("SELECT 1"))
    finally:
        for each in held:
            each.close()


# --- full, only to be read, damaged ---


def full(session: Any) -> None:
    if session.connection().dialect.name == "sqlite":
        pages = session.scalar(text("PRAGMA page_count"))
        session.execute(text(f"PRAGMA max_page_count = {pages}"))
        session.execute(text("CREATE TABLE much AS SELECT zeroblob(10000000) AS blob"))
    session.execute(text("DO $$ BEGIN RAISE EXCEPTION 'no space left' USING ERRCODE = '53100'; END $$"))


def only_to_be_read(session: Any) -> None:
    embedded = session.connection().dialect.name == "sqlite"
    session.execute(text("PRAGMA query_only = ON" if embedded else "SET TRANSACTION READ ONLY"))
    session.execute(text("UPDATE partner SET name = 'another'"))


@pytest.mark.parametrize(("fault", "refusal"), [(full, DatabaseFull), (only_to_be_read, DatabaseReadOnly)])
def test_no_room_and_no_right_to_write_are_said(
    short: Database, fault: Callable[[Any], None], refusal: type[DatabaseFailed]
) -> None:
    """With who can do something about it."""
    with pytest.raises(refusal, match=r"Nothing was saved.*Whoever runs this server"), short.transaction() as session:
        fault(session)


def test_a_file_that_is_no_database_is_said(tmp_path: Path) -> None:
    """On every door: an action, a page, the start, a command."""
    path = tmp_path / "letter.sqlite3"
    path.write_bytes(b"Dear reader, this is no database at all. " * 200)
    database = Database(f"sqlite:///{path}")
    with pytest.raises(DatabaseUnreadable), database.reading() as session:
        session.execute(text("SELECT 1"))
    with pytest.raises(DatabaseUnreadable):
        database.is_migrated()
    with pytest.raises(DatabaseUnreadable):
        database.migrate()
    database.close()


# --- the file of an SQLite database ---


@pytest.fixture
def embedded(migrated_file: Path, tmp_path: Path) -> Iterator[Database]:
    path = tmp_path / "own.sqlite3"
    path.write_bytes(migrated_file.read_bytes())
    opened = Database(f"sqlite:///{path}")
    assert opened.is_migrated()
    yield opened
    opened.close()


@pytest.mark.parametrize("is_replaced", [False, True], ids=["deleted", "replaced"])
def test_a_file_that_is_gone_is_neither_read_nor_written(
    embedded: Database, migrated_file: Path, is_replaced: bool
) -> None:
    """Nothing is reported done in a file that nobody will open again, and no empty one is made."""
    path = Path(str(embedded.engine.url.database))
    path.unlink()
    if is_replaced:
        path.write_bytes(migrated_file.read_bytes())
    with pytest.raises(DatabaseReplaced, match=r"deleted or replaced. Nothing was saved"), embedded.transaction():
        pass
    with pytest.raises(DatabaseReplaced), embedded.reading():
        pass
    with pytest.raises(DatabaseReplaced):
        embedded.is_migrated()
    with pytest.raises(DatabaseReplaced):
        embedded.migrate()
    assert path.exists() is is_replaced


def test_a_file_that_goes_in_the_middle_of_an_action(embedded: Database) -> None:
    """It is noticed before the action is made final."""
    path = Path(str(embedded.engine.url.database))
    with pytest.raises(DatabaseReplaced, match="Nothing was saved"), embedded.transaction() as session:
        session.execute(text("UPDATE partner SET name = 'nowhere'"))
        path.unlink()


# --- whose tables ---


def tables_of(database: Database, *statements: str) -> None:
    with database.migrating() as connection:
        for statement in statements:
            connection.execute(text(statement))


def test_the_tables_are_told_apart(space: Space) -> None:
    """Of this version, older, newer, none, or another program's; what is newer or another's is left as it is."""
    database = space.database
    database.refuse_other_tables()
    try:
        tables_of(database, "UPDATE alembic_version SET version_num = '0001'")
        with pytest.raises(TablesOlder, match="older version"):
            database.refuse_other_tables()
        tables_of(database, "UPDATE alembic_version SET version_num = '9999'")
        for look in (database.refuse_other_tables, database.migrate):
            with pytest.raises(TablesNewer, match="newer version"):
                look()
    finally:
        with database.engine.connect() as connection:
            from alembic.script import ScriptDirectory

            (head,) = ScriptDirectory("core/storage/migrations").get_heads()
            connection.execute(text("UPDATE alembic_version SET version_num = :head"), {"head": head})
            connection.commit()
    database.refuse_other_tables()


@pytest.mark.parametrize(
    "statements",
    [
        ["CREATE TABLE invoice (number INTEGER)"],
        ["CREATE TABLE invoice (number INTEGER)", "CREATE TABLE alembic_version (version_num VARCHAR(32))",
         "INSERT INTO alembic_version VALUES ('3f2a')"],
    ],
)  # fmt: skip
def test_another_programs_tables_are_not_touched(tmp_path: Path, statements: list[str]) -> None:
    """Whether it uses the same tool for its own or not."""
    path = tmp_path / "other.sqlite3"
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()
    database = Database(f"sqlite:///{path}")
    for look in (database.refuse_other_tables, database.migrate):
        with pytest.raises(TablesOfAnother, match="another program"):
            look()
    database.close()


def test_an_empty_database_has_no_tables(tmp_path: Path) -> None:
    """And names the command that makes them."""
    database = Database(f"sqlite:///{tmp_path / 'empty.sqlite3'}")
    with pytest.raises(TablesMissing, match="core migrate"):
        database.refuse_other_tables()
    database.close()


# --- nobody's data in the log ---

SOMEBODY = {"partner": 1, "id": 901, "name": "Somebody's firm", "email": "somebody@example.com", "language": "fr"}
ROLE = text("UPDATE member SET role = :role, name = :name")
FAULTS: dict[str, list[tuple[Any, dict[str, Any]]]] = {
    "unique": [(CLIENT, SOMEBODY), (CLIENT, SOMEBODY | {"id": 902})],
    "check": [(ROLE, {"role": "klingon", "name": "Somebody's firm"})],
    "foreign key": [(CLIENT, SOMEBODY | {"partner": 99})],
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_a_constraint_refuses_is_told_without_the_row(
    space: Space, caplog: pytest.LogCaptureFixture, fault: str
) -> None:
    """PostgreSQL's own words repeat it, in a line of their own; the constraint's name stays."""
    with pytest.raises(IntegrityError) as failed, space.database.transaction() as session:
        for statement, values in FAULTS[fault]:
            session.execute(statement, values)
    logging.getLogger("test").error("It failed", exc_info=failed.value)
    for words in (caplog.text, str(failed.value), repr(failed.value), repr(failed.value.orig)):
        assert not {"@example", "Somebody's", "klingon"} & set(re.findall(r"@example|Somebody's|klingon", words))
    assert "constraint" in str(failed.value).lower()


def test_a_value_that_cannot_be_read_is_not_repeated(space: Space) -> None:
    """PostgreSQL quotes it; SQLite takes it."""
    if space.database.is_embedded:
        return
    with pytest.raises(DBAPIError) as failed, space.database.transaction() as session:
        session.execute(text("SELECT CAST(:typed AS integer)"), {"typed": "somebody@example.com"})
    assert "somebody" not in str(failed.value)
    assert "22P02" in str(failed.value)


def test_the_log_of_a_database_that_fails_names_nobody(
    space: Space, short: Database, caplog: pytest.LogCaptureFixture
) -> None:
    """One line with what the driver said, for whoever runs the server."""
    with space.database.transaction() as holder:
        holder.execute(text("UPDATE partner SET name = 'held'"))
        with pytest.raises(DatabaseBusy), short.transaction() as other:
            other.execute(CLIENT, SOMEBODY)
            other.execute(text("UPDATE partner SET name = :name"), {"name": "Somebody's firm"})
    (said,) = [record.getMessage() for record in caplog.records if record.name == "billing_defaults"]
    assert said.startswith("DatabaseBusy: ")
    assert "lock" in said
    assert "omebody" not in caplog.text
