"""The tables and the transactions."""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError, IntegrityError, StatementError
from sqlalchemy.orm import Session

from core import defaults
from core.members import DemoSpace, Partner
from core.storage import Base, Codes, Database, Settings, codes, is_declared, now, settings_as_text, settings_from_text
from core.words import Setting
from tests.conftest import LONGEST_WAIT, STANDARD, Space


def test_the_migrations_make_the_tables_that_the_code_declares(database: Database) -> None:
    """Nothing to generate is left."""
    assert database.is_migrated()
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False, "include_object": is_declared})
        assert compare_metadata(context, Base.metadata) == []


def test_migrating_twice_changes_nothing(database: Database) -> None:
    """A second server may start at any time."""
    database.migrate()
    assert database.is_migrated()


def test_an_empty_database_is_not_migrated(tmp_path: Path) -> None:
    """And says so."""
    database = Database(f"sqlite:///{tmp_path / 'empty.sqlite3'}")
    assert not database.is_migrated()
    database.close()


def test_leaving_the_block_by_an_exception_rolls_back(space: Space) -> None:
    """One action, one transaction: nothing half done."""
    with pytest.raises(RuntimeError, match="in between"), space.database.transaction() as session:
        defaults.save(session, space.administrator, STANDARD, seen=None)
        raise RuntimeError("in between")
    with space.database.reading() as session:
        assert defaults.current(session, space.administrator) is None


def test_an_action_has_one_timestamp(space: Space) -> None:
    """However long it takes."""
    with space.database.transaction() as session:
        first = now(session)
        space.clock.forward(seconds=5)
        assert now(session) == first


def test_reading_sees_one_moment_and_single_reads_see_each_its_own(space: Space) -> None:
    """A change in between is unseen by the one and seen by the other, and neither keeps a writer waiting."""

    def partners(session: Session) -> list[str]:
        return list(session.scalars(select(Partner.name).order_by(Partner.partner_id)))

    database = space.database
    with database.reading() as reading, database.reading(single=True) as single:
        before = partners(reading)
        assert partners(single) == before
        with database.transaction() as session:
            session.add(Partner(partner_id=77, name="Fiduciaire Nouvelle", currency="EUR", time_zone="Europe/Brussels"))
        assert partners(reading) == before
        assert partners(single) == [*before, "Fiduciaire Nouvelle"]


def test_a_connection_the_server_gave_up_is_replaced(postgres_url: str) -> None:
    """Nobody sees that the server was restarted meanwhile."""
    database, other = Database(postgres_url), Database(postgres_url)
    try:
        with database.reading() as session:
            kept = session.scalar(text("SELECT pg_backend_pid()"))
        with other.transaction() as session:
            assert session.scalar(
                text("SELECT pg_terminate_backend(:pid, :wait)"), {"pid": kept, "wait": LONGEST_WAIT * 1000}
            )
        with database.reading() as session:
            assert session.scalar(text("SELECT pg_backend_pid()")) != kept
    finally:
        database.close()
        other.close()


def test_every_constraint_and_index_is_named(database: Database) -> None:
    """A migration can find it again."""
    for table in Base.metadata.tables.values():
        assert all(constraint.name for constraint in table.constraints)
        assert all(index.name for index in table.indexes)


def test_every_key_of_a_partners_data_begins_with_the_partner() -> None:
    """Tenants cannot be joined by mistake; only the catalogue, and people's accounts, belong to nobody."""
    shared = {"plan", "add_on", "plan_add_on", "price_list", "plan_price", "add_on_price", "catalogue_edition"}
    shared |= {"price_list_number"}
    of_people = {"ended_sign_ins", "sign_in_event"}
    by_person = {"ix_member_email", "uq_member_sign_in_account"}  # to find the spaces in which somebody is a member
    for name, table in Base.metadata.tables.items():
        if name in of_people:
            continue
        if name in shared:
            assert "partner_id" not in table.columns
            continue
        assert next(iter(table.primary_key.columns)).name == "partner_id"
        for foreign_key in table.foreign_key_constraints:
            if foreign_key.referred_table.name not in shared:
                assert foreign_key.column_keys[0] == "partner_id"
        partners = [index for index in table.indexes if index.name not in by_person]
        assert all(next(iter(index.columns)).name == "partner_id" for index in partners)


@given(st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(2200, 1, 1)), st.integers(-14 * 60, 14 * 60))  # noqa: DTZ001
def test_an_instant_comes_back_as_the_same_instant_in_utc(naive: datetime, offset: int) -> None:
    """To the microsecond, whatever offset it was told in, also on SQLite."""
    instant = naive.replace(tzinfo=timezone(timedelta(minutes=offset)))
    column = Base.metadata.tables["subscription"].c.valid_from.type
    dialect = _sqlite_dialect()
    back = column.result_processor(dialect, None)(column.process_bind_param(instant, dialect))
    assert back == instant
    assert back.tzinfo is UTC


def _sqlite_dialect():
    from sqlalchemy.dialects import sqlite

    return sqlite.dialect()


def test_an_instant_without_an_offset_is_refused(space: Space) -> None:
    """Nothing is guessed."""
    with pytest.raises(StatementError, match="has no time zone"), space.database.transaction() as session:
        session.add(DemoSpace(partner_id=1, made_at=datetime(2026, 1, 1)))  # noqa: DTZ001
        session.flush()


@given(st.frozensets(st.sampled_from(["a", "b", "bank_feeds", "payroll"])), st.frozensets(st.sampled_from(Setting)))
def test_equal_sets_are_equal_in_sql_and_come_back(add_ons: frozenset[str], overridden: frozenset[Setting]) -> None:
    """Stored canonically: one text per set, the empty set an empty text, None nothing."""
    dialect = _sqlite_dialect()
    stored = Codes().process_bind_param(frozenset(sorted(add_ons, reverse=True)), dialect)
    assert stored is not None
    assert codes(stored) == add_ons
    assert stored == ";".join(sorted(add_ons))
    assert settings_from_text(settings_as_text(overridden)) == overridden
    assert Settings().process_bind_param(None, dialect) is None
    assert Codes().process_bind_param(None, dialect) is None


def test_foreign_keys_hold_on_both_databases(space: Space) -> None:
    """Also on SQLite, where each connection has to be told."""
    with pytest.raises(DBAPIError, match=r"(?i)foreign key"), space.database.transaction() as session:
        session.execute(text("DELETE FROM partner"))
    with space.database.reading() as session:
        assert session.query(Partner).count() == 1


def test_a_statement_that_fails_says_nothing_of_the_values_it_had(space: Space) -> None:
    """They are names, e-mails and the tokens of links; the failure ends up in a log."""
    columns = "partner_id, client_id, name, sort_name, email, contact_name, language"
    values = {"name": "Somebody's firm", "email": "somebody@example.com"}
    with pytest.raises(IntegrityError) as failed, space.database.transaction() as session:
        session.execute(
            text(f"INSERT INTO client ({columns}) VALUES (99, 1, :name, 'somebody', :email, '', 'fr')"), values
        )
    assert "INSERT INTO client" in str(failed.value)
    assert "firm" not in str(failed.value)
    assert "@" not in str(failed.value)
