"""The migrations: they make what the code declares, keep what is there, and are made and printed by a command."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, bindparam, create_engine, inspect, make_url, select, text
from sqlalchemy.exc import DatabaseError, DBAPIError, IntegrityError

from core import bulk, catalogue, defaults, demo, invitations, members, reports, subscriptions
from core.catalogue import FIRST_DAY, PriceList
from core.invitations import OutboxMessage
from core.invitations.invitation import hash_of
from core.members import Partner
from core.storage import Base, Database, Instant, is_declared
from core.words import ActivityKind, BatchKind, BillingPeriod, ClientStatus, Origin, SearchUnavailable, spoken
from tests.conftest import ROOT

EXPIRES = datetime(2027, 1, 1, tzinfo=UTC)
TOKENS = {1: f"1.1.1.{'a-_B' * 8}", 2: f"1.2.1.{'Zz09' * 8}"}


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database without tables, on each kind."""
    if request.param == "sqlite":
        database = Database(f"sqlite:///{tmp_path / 'empty.sqlite3'}")
        yield database
        database.close()
        return
    with own_database(request.getfixturevalue("postgres_url")) as url:
        database = Database(url)
        yield database
        database.close()


@contextmanager
def own_database(server: str) -> Iterator[str]:
    """A database of its own on the server of the tests."""
    name = f"migrations_{uuid4().hex}"
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        yield make_url(server).set(database=name).render_as_string(hide_password=False)
        with engine.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    finally:
        engine.dispose()


def migrate_to(revision: str, connection: Connection) -> None:
    config = Config(ROOT / "alembic.ini")
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def differences_of(connection: Connection) -> Any:
    """What the tables are otherwise than the code declares."""
    return compare_metadata(MigrationContext.configure(connection, opts={"include_object": is_declared}), Base.metadata)


def checks(database: Database) -> dict[tuple[str, str], str]:
    """The condition of every CHECK in the database, by table and name, as the database keeps it."""
    found = inspect(database.engine)
    return {
        (table, str(check["name"])): check["sqltext"]
        for table in Base.metadata.tables
        for check in found.get_check_constraints(table)
    }


def test_the_migrations_make_every_check_that_the_code_declares(empty: Database) -> None:
    """Each with the condition that it has in tables made from the code itself."""
    empty.migrate()
    migrated = checks(empty)
    Base.metadata.drop_all(empty.engine)
    Base.metadata.create_all(empty.engine)
    assert migrated == checks(empty)
    assert ("subscription", "ck_subscription_valid_to") in migrated


def triggers(database: Database) -> set[tuple[str, str]]:
    """Every trigger in the database, with its table."""
    named = "SELECT tbl_name, name FROM sqlite_master WHERE type = 'trigger'"
    if database.engine.dialect.name == "postgresql":
        named = "SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE NOT tgisinternal"
    with database.reading() as session:
        return {(table, name) for table, name in session.execute(text(named))}


def test_the_same_triggers_stand_on_both_kinds_of_database(migrated_file: Path, migrated_postgres: Database) -> None:
    """What no model says: what is never changed on the one is never changed on the other. SQLite alone has those that
    keep the index of the search, which PostgreSQL keeps by itself."""
    database = Database(f"sqlite:///{migrated_file}")
    found = {(table, name) for table, name in triggers(database) if is_declared(None, name)}
    database.close()
    assert found == triggers(migrated_postgres)
    assert ("partner", "partner_time_zone_and_currency_stay") in found


def test_what_waits_before_letters_are_written_when_they_leave_can_be_accepted_after(empty: Database) -> None:
    """The token moves out of the text that was kept; what was sent and what failed stays."""
    with empty.migrating() as connection:
        migrate_to("0002", connection)
        fill_as_before(connection)
    empty.migrate()
    with empty.reading() as session:
        assert MigrationContext.configure(session.connection()).get_current_revision() is not None
        waiting = {message.client_id: message for message in session.scalars(select(OutboxMessage))}
        assert {client: message.token for client, message in waiting.items()} == {**TOKENS, 3: None}
        assert waiting[3].sent_at == EXPIRES - timedelta(days=20)
        failures = session.execute(text("SELECT client_id, said FROM delivery_failure")).all()
        assert [tuple(row) for row in failures] == [(2, "451 later")]
        assert differences_of(session.connection()) == []
    before_the_end = Database(
        empty.engine.url.render_as_string(hide_password=False), clock=lambda: EXPIRES - timedelta(days=1)
    )
    with before_the_end.transaction() as session:
        client = invitations.accept(session, TOKENS[1])
        assert subscriptions.history(session, 1, client.client_id)[0].status is ClientStatus.ACTIVE
        assert list(subscriptions.differences(session)) == []
    before_the_end.close()


def test_clients_there_before_are_looked_after_by_who_invited_them_first(empty: Database) -> None:
    """Since their first revision, though others changed them and invited them again since; and it can be changed."""
    with empty.migrating() as connection:
        migrate_to("0003", connection)
        fill_as_lived_in(connection)
    empty.migrate()
    with empty.reading() as session:
        assert list(subscriptions.differences(session)) == []
        assert differences_of(session.connection()) == []
        administrator = members.find(session, 1, 1)
        assert administrator is not None
        for client_id, inviter in {1: "Second", 2: "Someone"}.items():
            (only,) = subscriptions.responsible_history(session, administrator, client_id)
            first = subscriptions.history(session, 1, client_id)[-1]
            assert (only.name, only.valid_from, only.changed_by) == (inviter, first.valid_from, None)
            assert (only.origin, only.reason) == (Origin.SYSTEM, "")
        assert {each.client_id: each.responsible for each in reports.listed(session, administrator)} == {
            1: "Second", 2: "Someone",
        }  # fmt: skip
    with empty.transaction() as session:
        changed = subscriptions.change_responsible(session, administrator, 1, 1, seen=2)
        assert (changed.before, changed.name) == ("Second", "Someone")
        assert list(subscriptions.differences(session)) == []


def test_clients_there_before_are_found_by_their_words(empty: Database) -> None:
    """Without accents and signs, and by numbers as people type them; what is said of them is what the product says."""
    with empty.migrating() as connection:
        migrate_to("0003", connection)
        fill_as_lived_in(connection)
        migrate_to("0020", connection)
        connection.execute(
            text(
                "UPDATE client SET name = 'Müller & Söhne', sort_name = 'muller & sohne', company_number = '0471730202'"
            )
        )
        connection.execute(text("UPDATE subscription SET sort_name = 'muller & sohne'"))
    empty.migrate()
    with empty.reading() as session:
        assert list(subscriptions.differences(session)) == []
        administrator = members.find(session, 1, 1)
        assert administrator is not None
        for words, expected in {"sohne muller": [1, 2], "a2@example": [2], "BE 0471.730": [1, 2], "dupont": []}.items():
            assert [each.client_id for each in reports.listed(session, administrator, search=words)] == expected


def test_without_the_extension_of_the_search_the_migration_says_who_can_make_it(
    request: pytest.FixtureRequest,
) -> None:
    """A role that may not create it changes nothing, and is told what an administrator runs."""
    with own_database(request.getfixturevalue("postgres_url")) as url:
        weak = make_url(url).set(username="weak")
        administrator = create_engine(url, isolation_level="AUTOCOMMIT")
        with administrator.connect() as connection:
            connection.execute(text("DROP ROLE IF EXISTS weak"))
            connection.execute(text("CREATE ROLE weak LOGIN"))
            connection.execute(text("GRANT CREATE, USAGE ON SCHEMA public TO weak"))
        database = Database(weak.render_as_string(hide_password=False))
        try:
            with pytest.raises(SearchUnavailable, match="CREATE EXTENSION pg_trgm"):
                database.migrate()
            assert not inspect(database.engine).get_table_names()
            with administrator.connect() as connection:
                connection.execute(text("CREATE EXTENSION pg_trgm"))
            database.migrate()
            assert database.is_migrated()
        finally:
            database.close()
            with administrator.connect() as connection:
                connection.execute(text("DROP OWNED BY weak"))
                connection.execute(text("DROP ROLE weak"))
            administrator.dispose()


def test_what_was_accepted_before_prices_were_kept_is_told_without_one(empty: Database) -> None:
    """Invitations and messages of before stay; a price is whole, and only where it was accepted."""
    accepted_on = EXPIRES - timedelta(days=50)

    def run(statement: str, **values: Any) -> None:
        moments = [bindparam(name, type_=Instant) for name, value in values.items() if isinstance(value, datetime)]
        connection.execute(text(statement).bindparams(*moments), values)

    with empty.migrating() as connection:
        migrate_to("0003", connection)
        fill_as_lived_in(connection)
        migrate_to("0007", connection)
        run(
            "UPDATE invitation SET attempt = 'form', accepted_at = :at WHERE client_id = 1 AND number = 1",
            at=accepted_on,
        )
        run(
            "INSERT INTO member_message (partner_id, member_id, sending, attempt, message_id, recipient, queued_by_id, "
            "queued_at, next_attempt_at, attempts) VALUES (1, 2, 1, 'form', '<m>', 's@example.com', 1, :at, :at, 0)",
            at=accepted_on,
        )
    empty.migrate()
    with empty.reading() as session:
        assert differences_of(session.connection()) == []
        administrator = members.find(session, 1, 1)
        assert administrator is not None
        newest, first = invitations.of_client(session, administrator, 1).past
        assert (first.invitation.accepted_at, first.accepted_price, first.invitation.reason) == (accepted_on, None, "")
        assert (newest.invitation.accepted_at, newest.accepted_price) == (None, None)
        assert [each.recipient for each in invitations.messages_to(session, 1, 2)] == ["s@example.com"]
    for wrong in (
        "accepted_cents = 100 WHERE number = 1",
        "accepted_cents = 100, accepted_currency = 'EUR', accepted_billing_period = 'monthly' WHERE number = 2",
        "accepted_cents = 1, accepted_currency = 'EUR', accepted_billing_period = 'week' WHERE accepted_at IS NOT NULL",
    ):
        with pytest.raises(IntegrityError), empty.transaction() as session:
            session.execute(text(f"UPDATE invitation SET {wrong}"))


def test_the_prices_there_before_are_the_first_list_of_each_currency(empty: Database) -> None:
    """Since before any client began, for whoever renews as well; nobody's price changes, and another list follows."""
    with empty.migrating() as connection:
        migrate_to("0007", connection)
        run, no = connection.execute, {"no": False}
        run(text("INSERT INTO catalogue_edition VALUES (1, 7, :no)"), no)
        run(text("INSERT INTO plan VALUES ('standard', 1, 'Standard', 'Standard', :no)"), no)
        run(text("INSERT INTO add_on VALUES ('payroll', 1, 'Payroll', 'Paie', :no)"), no)
        run(text("INSERT INTO plan_price VALUES ('standard', 'monthly', 'EUR', 1900)"))
        run(text("INSERT INTO plan_price VALUES ('standard', 'yearly', 'EUR', 19000)"))
        run(text("INSERT INTO add_on_price VALUES ('payroll', 'monthly', 'EUR', 1200)"))
        run(text("INSERT INTO add_on_price VALUES ('payroll', 'monthly', 'GBP', 1100)"))
    empty.migrate()
    with empty.reading() as session:
        assert differences_of(session.connection()) == []
        euros, pounds = (catalogue.stored(session, currency) for currency in ("EUR", "GBP"))
        monthly, yearly = BillingPeriod.MONTHLY, BillingPeriod.YEARLY
        plans = {("standard", monthly): 1900, ("standard", yearly): 19000}
        assert euros.price_lists == (PriceList(1, "EUR", FIRST_DAY, None, plans, {("payroll", monthly): 1200}),)
        assert pounds.price_lists == (PriceList(1, "GBP", FIRST_DAY, None, {}, {("payroll", monthly): 1100}),)
        assert euros.edition == 7
        numbers = session.execute(text("SELECT currency, last FROM price_list_number ORDER BY currency")).all()
        assert [tuple(row) for row in numbers] == [("EUR", 1), ("GBP", 1)]
        assert list(catalogue.altered(session)) == []
    for table in ("price_list", "plan_price", "add_on_price"):
        with pytest.raises(DBAPIError), empty.transaction() as session:
            session.execute(text(f"UPDATE {table} SET number = 2"))
    second = PriceList(2, "EUR", FIRST_DAY, None, {("standard", monthly): 2100}, {})
    with empty.transaction() as session:
        catalogue.store(session, replace(euros, price_lists=(*euros.price_lists, second)))
    with empty.reading() as session:
        assert catalogue.stored(session, "EUR").prices == second


def test_what_was_sold_before_has_no_dutch_name_and_reads_in_english_until_it_has(empty: Database) -> None:
    """A file without Dutch names still loads, and one with them gives them."""
    with empty.migrating() as connection:
        migrate_to("0007", connection)
        run, no = connection.execute, {"no": False}
        run(text("INSERT INTO catalogue_edition VALUES (1, 7, :no)"), no)
        run(text("INSERT INTO plan VALUES ('standard', 1, 'Standard', 'Normal', :no)"), no)
        run(text("INSERT INTO add_on VALUES ('payroll', 1, 'Payroll', 'Paie', :no)"), no)
        run(text("INSERT INTO plan_price VALUES ('standard', 'monthly', 'EUR', 1900)"))
        run(text("INSERT INTO add_on_price VALUES ('payroll', 'monthly', 'EUR', 1200)"))
    empty.migrate()
    with empty.transaction() as session:
        assert differences_of(session.connection()) == []
        before = catalogue.stored(session, "EUR")
        assert before.plans["standard"].names == {"en": "Standard", "fr": "Normal"}
        with spoken("nl"):
            assert str(before.add_ons["payroll"]) == "Payroll"
        named = replace(before.add_ons["payroll"], names={"en": "Payroll", "fr": "Paie", "nl": "Loon"})
        catalogue.store(session, replace(before, add_ons={"payroll": named}))
        with spoken("nl"):
            after = catalogue.stored(session, "EUR")
            assert [str(after.plans["standard"]), str(after.add_ons["payroll"])] == ["Standard", "Loon"]


def test_a_client_there_before_can_be_forgotten_and_others_keep_their_texts(empty: Database) -> None:
    """The triggers of before are replaced: they allow this alone."""
    with empty.migrating() as connection:
        migrate_to("0003", connection)
        fill_as_lived_in(connection)
        migrate_to("0007", connection)
    empty.migrate()
    with empty.transaction() as session:
        assert session.scalar(text("SELECT count(*) FROM activity")) == 0
        assert session.scalar(text("SELECT count(*) FROM client WHERE forgotten_at IS NOT NULL")) == 0
        assert invitations.forget(session, 1, 1)
        assert list(subscriptions.differences(session)) == []
    with empty.reading() as session:
        names = session.scalars(text("SELECT name FROM client ORDER BY client_id")).all()
        assert names == ["Forgotten client 1", "Aubry"]
        assert [each.status for each in subscriptions.history(session, 1, 1)] == [
            ClientStatus.ARCHIVED, ClientStatus.ACTIVE, ClientStatus.INVITED,
        ]  # fmt: skip
    for statement in ("UPDATE subscription SET reason = 'x'", "UPDATE activity SET number = 1"):
        with pytest.raises(DatabaseError, match="never changed"), empty.transaction() as session:
            session.execute(text(statement))


def test_a_demo_there_before_is_shown_as_today(empty: Database) -> None:
    """And is never shown as a day that is past."""
    with empty.migrating() as connection:
        migrate_to("0012", connection)
        connection.execute(text("INSERT INTO partner VALUES (1, 'Partner', 'EUR', 'UTC', 1, 3, 0)"))
        made_at = bindparam("at", type_=Instant)
        connection.execute(text("INSERT INTO demo_space VALUES (1, :at)").bindparams(made_at), {"at": EXPIRES})
    demo.open_demo(empty)
    with empty.reading() as session:
        partner = session.scalars(select(Partner)).one()
        assert demo.shown_day(session, partner).is_today
        assert differences_of(session.connection()) == []
    with pytest.raises(IntegrityError), empty.transaction() as session:
        session.execute(text("UPDATE demo_space SET ahead = -1"))


def test_imports_made_before_are_batches_too(empty: Database) -> None:
    """By whom, when and how many; and the next batch has the next number."""
    with empty.migrating() as connection:
        migrate_to("0003", connection)
        fill_as_lived_in(connection)
        migrate_to("0014", connection)
        at = bindparam("at", type_=Instant)
        connection.execute(text("UPDATE partner SET last_batch = 1, last_client_id = 3"))
        connection.execute(
            text(
                "INSERT INTO client (partner_id, client_id, name, sort_name, email, contact_name, language, country, "
                "external_reference) VALUES (1, 3, 'Brought', 'brought', 'brought@example.com', '', 'en', '', '')"
            )
        )
        connection.execute(
            text(
                "INSERT INTO subscription (partner_id, client_id, revision, valid_from, status, sort_name, overridden, "
                "changed_by_id, origin, reason, payer, billing_period, plan, add_ons, batch, responsible_id, "
                "decided_at, may_hold) SELECT 1, 3, 1, :at, 'invited', 'brought', "
                "'payer;billing_period;plan;add_ons', 2, 'import', '', payer, billing_period, plan, "
                "add_ons, 1, 2, :at, :yes FROM subscription LIMIT 1"
            ).bindparams(at),
            {"at": EXPIRES - timedelta(days=5), "yes": True},
        )
        connection.execute(
            text(
                "INSERT INTO responsible (partner_id, client_id, valid_from, member_id, changed_by_id, origin, reason) "
                "VALUES (1, 3, :at, 2, 2, 'import', '')"
            ).bindparams(at),
            {"at": EXPIRES - timedelta(days=5)},
        )
    empty.migrate()
    with empty.reading() as session:
        assert list(subscriptions.differences(session)) == []
        assert differences_of(session.connection()) == []
        administrator = members.find(session, 1, 1)
        assert administrator is not None
        (brought,) = bulk.batches(session, administrator)
        assert (brought.batch, brought.kind, brought.by, brought.changed) == (1, BatchKind.IMPORT, "Second", 1)
        assert brought.done_at == EXPIRES - timedelta(days=5)
        assert [each.client_id for each in bulk.clients_of(session, administrator, 1)] == [3]
    for statement in ("UPDATE batch SET reason = 'x'", "DELETE FROM batch", "UPDATE responsible SET batch = 1"):
        with pytest.raises(DatabaseError, match="never changed"), empty.transaction() as session:
            session.execute(text(statement))


def test_what_was_revoked_and_sent_again_before_has_no_reason_and_what_was_done_stays(empty: Database) -> None:
    """Activities of before stay as they were, never changed; messages about who pays are among them from now on."""
    at = bindparam("at", type_=Instant)
    moment = {"at": EXPIRES - timedelta(days=40)}
    with empty.migrating() as connection:
        migrate_to("0003", connection)
        fill_as_lived_in(connection)
        migrate_to("0021", connection)
        connection.execute(
            text("INSERT INTO activity VALUES (1, :at, 'first', 2, 'sent_again', 1, NULL)").bindparams(at), moment
        )
        connection.execute(
            text("UPDATE invitation SET revoked_at = :at, revoked_by_id = 2 WHERE client_id = 2").bindparams(at), moment
        )
        connection.execute(
            text(
                "INSERT INTO payer_message (partner_id, client_id, sending, payer, paid_from, message_id, recipient, "
                "queued_by_id, queued_at, attempts, given_up_at) "
                "VALUES (1, 1, 1, 'client', :at, '<m>', 'a1@example.com', 2, :at, 1, :at)"
            ).bindparams(at),
            moment,
        )
    empty.migrate()
    with empty.transaction() as session:
        assert differences_of(session.connection()) == []
        administrator = members.find(session, 1, 1)
        assert administrator is not None
        (only,) = members.activities(session, administrator)
        assert (only.by, only.what, only.client_id) == ("Second", ActivityKind.SENT_AGAIN, 1)
        assert only.happened_at == moment["at"]
        revoked = invitations.of_client(session, administrator, 2)
        assert (revoked.revoked_by, revoked.invitation.revoke_reason) == ("Second", "")
        about_payer = invitations.of_client(session, administrator, 1).about_payer
        assert [(each.queued_by, each.reason) for each in about_payer] == [("Second", "")]
        members.note_activity(session, 1, administrator, ActivityKind.PAYER_TOLD_AGAIN, client_id=1)
    for statement in ("UPDATE activity SET number = 1", "DELETE FROM activity"):
        with pytest.raises(DatabaseError, match="never changed"), empty.transaction() as session:
            session.execute(text(statement))
    with pytest.raises(IntegrityError), empty.transaction() as session:
        session.execute(
            text("INSERT INTO activity VALUES (1, :at, 'other', 2, 'something', 1, NULL)").bindparams(at), moment
        )


def fill_as_lived_in(connection: Connection) -> None:
    """Two clients as version 0003 wrote them: one with three revisions and two invitations, one with one of each."""

    def at(moment: datetime) -> Any:
        """The instant as this kind of database stores it."""
        return int(moment.timestamp() * 1_000_000) if connection.dialect.name == "sqlite" else moment

    run, started = connection.execute, EXPIRES - timedelta(days=60)
    run(text("INSERT INTO partner VALUES (1, 'Partner', 'EUR', 'UTC', 1, 2, 0)"))
    for member_id, name in {1: "Someone", 2: "Second"}.items():
        run(
            text("INSERT INTO member VALUES (1, :id, :name, :email, 'administrator', :yes, :yes, NULL)"),
            {"id": member_id, "name": name, "email": f"{name.lower()}@example.com", "yes": True},
        )
    run(text("INSERT INTO catalogue_edition VALUES (1, 1, :no)"), {"no": False})
    run(text("INSERT INTO plan VALUES ('standard', 1, 'Standard', 'Standard', :no)"), {"no": False})
    run(text("INSERT INTO plan_price VALUES ('standard', 'monthly', 'EUR', 1900)"))
    lives = {1: [("invited", 2), ("active", None), ("archived", 1)], 2: [("invited", 1)]}
    for client_id, revisions in lives.items():
        run(
            text(
                "INSERT INTO client (partner_id, client_id, name, sort_name, email, contact_name, language) "
                "VALUES (1, :id, 'Aubry', 'aubry', :email, '', 'fr')"
            ),
            {"id": client_id, "email": f"a{client_id}@example.com"},
        )
        for number, (status, by) in enumerate(revisions, 1):
            run(
                text(
                    "INSERT INTO subscription (partner_id, client_id, revision, valid_from, valid_to, status, "
                    "sort_name, overridden, changed_by_id, origin, reason, payer, billing_period, plan, add_ons) "
                    "VALUES (1, :id, "
                    ":number, :start, :end, :status, 'aubry', 'payer;billing_period;plan;add_ons', :by, :origin, '', "
                    "'client', 'monthly', 'standard', '')"
                ),
                {
                    "id": client_id,
                    "number": number,
                    "start": at(started + timedelta(days=number)),
                    "end": at(started + timedelta(days=number + 1)) if number < len(revisions) else None,
                    "status": status,
                    "by": by,
                    "origin": "page" if by else "system",
                },
            )
        for number, by in enumerate([2, 1] if client_id == 1 else [1], 1):
            run(
                text(
                    "INSERT INTO invitation (partner_id, client_id, number, invited_by_id, invited_at, expires_at, "
                    "message, attempt) VALUES (1, :id, :number, :by, :start, :end, '', '')"
                ),
                {"id": client_id, "number": number, "by": by, "start": at(started), "end": at(EXPIRES)},
            )


def fill_as_before(connection: Connection) -> None:
    """Three invited clients as version 0002 wrote them: one waits, one failed once, one was sent."""

    def run(statement: str, **values: Any) -> None:
        moments = [bindparam(name, type_=Instant) for name, value in values.items() if isinstance(value, datetime)]
        connection.execute(text(statement).bindparams(*moments), values)

    invited_at = EXPIRES - timedelta(days=30)
    run("INSERT INTO partner VALUES (1, 'Partner', 'EUR', 'UTC', 1, 3, 0)")
    run("INSERT INTO member VALUES (1, 1, 'One', 'one@example.com', 'administrator', :yes, :yes, NULL)", yes=True)
    run("INSERT INTO catalogue_edition VALUES (1, 1, :no)", no=False)
    run("INSERT INTO plan VALUES ('standard', 1, 'Standard', 'Standard', :no)", no=False)
    run("INSERT INTO plan_price VALUES ('standard', 'monthly', 'EUR', 1900)")
    for client_id in (1, 2, 3):
        token = TOKENS.get(client_id)
        letter = f"Bonjour Aubry,\n\nVoir invitation=x\n\nhttps://b.example.com/accept?invitation={token}\n\nSomeone\n"
        run(
            """
            INSERT INTO client (partner_id, client_id, name, sort_name, email, contact_name, language)
            VALUES (1, :id, 'Aubry', 'aubry', :email, '', 'fr')
            """,
            id=client_id,
            email=f"a{client_id}@example.com",
        )
        run(
            """
            INSERT INTO subscription (
                partner_id, client_id, revision, valid_from, status, sort_name, overridden, changed_by_id, origin,
                reason, payer, billing_period, plan, add_ons
            )
            VALUES (
                1, :id, 1, :at, 'invited', 'aubry', 'payer;billing_period;plan;add_ons', 1, 'page',
                '', 'client', 'monthly', 'standard', ''
            )
            """,
            id=client_id,
            at=invited_at,
        )
        run(
            """
            INSERT INTO invitation (
                partner_id, client_id, number, invited_by_id, invited_at, expires_at, message, attempt, token_hash
            )
            VALUES (1, :id, 1, 1, :at, :until, '', '', :hash)
            """,
            id=client_id,
            at=invited_at,
            until=EXPIRES,
            hash=hash_of(token or ""),
        )
        run(
            """
            INSERT INTO outbox_message (
                partner_id, client_id, number, sending, message_id, recipient, recipient_name, subject, text,
                queued_by_id, queued_at, next_attempt_at, attempts, sent_at
            )
            VALUES (1, :id, 1, 1, :message_id, 'a@example.com', 'Aubry', 's', :letter, 1, :at, :next, 0, :sent)
            """,
            id=client_id,
            message_id=f"<{client_id}@example.com>",
            letter=letter if token else None,
            at=invited_at,
            next=invited_at if token else None,
            sent=None if token else EXPIRES - timedelta(days=20),
        )
    run("INSERT INTO delivery_failure VALUES (1, 2, 1, 1, 1, :at, '451 later')", at=invited_at)


def alembic(*arguments: str, url: str) -> str:
    """What Alembic's own command prints on this database."""
    ran = subprocess.run(
        [sys.executable, "-m", "alembic", *arguments],
        cwd=ROOT,
        env=os.environ | {"BILLING_DATABASE_URL": url},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_the_migrations_can_be_printed_as_sql_and_run_by_hand(empty: Database) -> None:
    """For an operator who looks at what will be done before it is done."""
    url = empty.engine.url.render_as_string(hide_password=False)
    printed = alembic("upgrade", "head", "--sql", url=url)
    if empty.is_embedded:
        raw = empty.engine.raw_connection()
        raw.executescript(printed)
        raw.close()
    else:
        with empty.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql(printed)
    assert empty.is_migrated()
    with empty.engine.connect() as connection:
        assert differences_of(connection) == []


def test_the_command_migrates_and_finds_nothing_left_to_generate(empty: Database) -> None:
    """As the README gives it."""
    url = empty.engine.url.render_as_string(hide_password=False)
    alembic("upgrade", "head", url=url)
    assert empty.is_migrated()
    assert "No new upgrade operations detected" in alembic("check", url=url)


def test_clients_there_before_have_no_message_about_who_pays_and_can_get_one(empty: Database) -> None:
    """What was decided before is not told in retrospect."""
    with empty.migrating() as connection:
        migrate_to("0003", connection)
        fill_as_lived_in(connection)
        migrate_to("0011", connection)
    empty.migrate()
    with empty.transaction() as session:
        assert differences_of(session.connection()) == []
        assert not [each for each in invitations.differences(session) if "about who pays" in each]
        administrator = members.find(session, 1, 1)
        assert administrator is not None
        assert invitations.of_client(session, administrator, 1).about_payer == ()
        row = (
            "INSERT INTO payer_message (partner_id, client_id, sending, payer, paid_from, message_id, recipient, "
            "queued_by_id, queued_at, next_attempt_at, attempts) VALUES (1, 1, {}, :at, '<m>', 'a@b.c', 1, :at, :at, 0)"
        )
        at = bindparam("at", EXPIRES, type_=Instant)
        session.execute(text(row.format("1, 'client'")).bindparams(at))
        assert [each.recipient for each in invitations.of_client(session, administrator, 1).about_payer] == ["a@b.c"]
    with pytest.raises(IntegrityError), empty.transaction() as session:
        session.execute(text(row.format("2, 'nobody'")).bindparams(at))


def test_what_was_saved_before_there_were_sets_is_the_set_standard(empty: Database) -> None:
    """Rule 16: same versions; nothing of any client changes, and a partner without versions has no set (rule 17)."""
    with empty.migrating() as connection:
        migrate_to("0003", connection)
        fill_as_lived_in(connection)
        migrate_to("0013", connection)
        connection.execute(text("INSERT INTO partner VALUES (2, 'Other', 'EUR', 'UTC', 1, 0, 0)"))
        saved_at = bindparam("at", type_=Instant)
        for version in (1, 2):
            connection.execute(
                text(
                    "INSERT INTO default_settings (partner_id, version, saved_by_id, saved_at, note, payer, "
                    "billing_period, plan, add_ons) "
                    "VALUES (1, :version, 1, :at, '', 'client', 'monthly', 'standard', '')"
                ).bindparams(saved_at),
                {"version": version, "at": EXPIRES - timedelta(days=100 - version)},
            )
        bound = text(
            "INSERT INTO subscription (partner_id, client_id, revision, valid_from, status, sort_name, overridden, "
            "defaults_version, changed_by_id, origin, reason, payer, billing_period, plan, add_ons, responsible_id, "
            "decided_at, may_hold) SELECT partner_id, client_id, 2, valid_to, status, sort_name, '', 2, 1, 'page', '', "
            "payer, billing_period, plan, add_ons, responsible_id, valid_to, :yes FROM subscription "
            "WHERE client_id = 2 AND revision = 1"
        )
        ended = EXPIRES - timedelta(days=50)
        close = text("UPDATE subscription SET valid_to = :at, may_hold = :no WHERE client_id = 2")
        connection.execute(close.bindparams(saved_at), {"at": ended, "no": False})
        connection.execute(bound, {"yes": True})
        rows = text("SELECT * FROM subscription ORDER BY client_id, revision")
        before = [dict(row) for row in connection.execute(rows).mappings()]
    empty.migrate()
    with empty.reading() as session:
        after = [dict(row) for row in session.execute(rows).mappings()]
        assert differences_of(session.connection()) == []
        assert [row.pop("set_number") for row in after] == [None, None, None, None, 1]
        assert after == before
        assert list(defaults.differences(session)) == []
        assert list(subscriptions.differences(session)) == []
        (standard,) = defaults.sets_of(session, 1)
        assert (standard.name, standard.is_standard, standard.version, standard.changes) == ("Standard", True, 2, 2)
        assert standard.newest.saved_by.name == "Someone"
        assert defaults.sets_of(session, 2).all == ()
    for statement in (
        "UPDATE default_settings SET note = 'x'", "DELETE FROM default_settings", "DELETE FROM subscription",
        "UPDATE subscription SET set_number = NULL", "UPDATE subscription SET reason = 'x'",
        "UPDATE subscription SET may_hold = NOT may_hold WHERE NOT may_hold", "DELETE FROM default_set_change",
    ):  # fmt: skip
        with pytest.raises(DatabaseError, match="never changed"), empty.transaction() as session:
            session.execute(text(statement))
