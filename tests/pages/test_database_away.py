"""The pages while the database is away, locked or replaced: a sentence, another try, and nothing typed is lost."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from sqlalchemy import event, select
from streamlit.testing.v1 import AppTest

from core import defaults, invitations
from core.storage import Database, Patience
from core.subscriptions import Client
from pages.parts import server
from tests.conftest import LONGEST_WAIT
from tests.pages.conftest import (
    CLIENT,
    DEFAULTS,
    DISTRIBUTION,
    INVITE,
    ROOT,
    asked,
    at,
    button,
    form_key,
    opened,
    plain_text,
    ran,
    send,
    typed,
)

AWAY = "The file of the database cannot be read."
BUSY = "The database is busy with other work."
MEMBERS = "pages/settings/members.py"


def file_of(database: Database) -> Path:
    return Path(str(database.engine.url.database))


@contextmanager
def away(database: Database) -> Iterator[None]:
    """While this lasts no connection can be made, as on a disk that is not there."""

    def connect(dialect: Any, *_: Any) -> Any:
        return dialect.connect("/nowhere/at/all")

    event.listen(database.engine, "do_connect", connect)
    database.engine.dispose()
    yield
    event.remove(database.engine, "do_connect", connect)


@contextmanager
def locked(database: Database) -> Iterator[None]:
    """Somebody else writes, and goes on for longer than anybody waits."""
    with closing(sqlite3.connect(file_of(database), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


@pytest.fixture
def impatient(demo_database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """The server's database, which waits a moment for its turn."""
    monkeypatch.setattr(server, "Database", lambda *a, **named: Database(*a, patience=Patience(lock=0.1), **named))
    st.cache_resource.clear()
    database = server.database()
    yield database
    database.close()


def says(app: AppTest) -> str:
    return "\n".join(str(each.value) for each in (*app.error, *app.warning)).replace("\\", "").replace("\u2060", "")


def try_again(app: AppTest) -> AppTest:
    return ran(button(app, "Try again").click())


# --- away ---


@pytest.mark.parametrize("page", ["", INVITE, CLIENT, DEFAULTS, MEMBERS, DISTRIBUTION])
def test_each_page_says_that_the_database_is_away_and_comes_back(demo_database: Database, page: str) -> None:
    """Never that something went wrong; the page that was open is open again."""
    app = opened(page, **({"client": "7"} if page == CLIENT else {}))
    before = [title.value for title in app.title]
    with away(demo_database):
        ran(app)
        assert says(app) == f"{AWAY} Your entries are kept. Whoever runs this server has to look at it."
        assert [each.label for each in app.main.button] == ["Try again"]
        assert AWAY in says(try_again(app))
    try_again(app)
    assert [title.value for title in app.title] == before
    assert says(app) == ""


def test_a_reader_of_french_reads_it_in_french(demo_database: Database) -> None:
    app = opened(locale="fr-BE")
    with away(demo_database):
        ran(app)
        assert "ne peut pas être lu" in says(app)
        assert [each.label for each in app.main.button] == ["Réessayer"]


def test_a_first_visit_while_it_is_away(demo_database: Database) -> None:
    """Somebody who opens a page just then."""
    app = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=LONGEST_WAIT)
    with away(demo_database):
        ran(app)
        assert AWAY in says(app)
    assert says(try_again(app)) == ""
    assert [title.value for title in app.title] == ["Clients"]


def test_a_form_that_was_sent_while_it_is_away_stands_there_again(demo_database: Database) -> None:
    """Nothing was sent and nothing is sent by itself: another click does it, once."""
    app = typed(opened(INVITE), name="Kept firm", email="kept@example.com", contact_name="Somebody")
    at(app.text_area, form_key(app, "message")).set_value("Welcome")
    at(app.selectbox, form_key(app, "language")).set_value("fr")
    with away(demo_database):
        send(app)
        assert "Nothing was saved; your entries are kept." in says(app)
        assert [each.label for each in app.main.button] == ["Try again"]
    ran(app)
    assert at(app.text_input, form_key(app, "name")).value == "Kept firm"
    assert at(app.text_input, form_key(app, "email")).value == "kept@example.com"
    assert at(app.text_area, form_key(app, "message")).value == "Welcome"
    assert at(app.selectbox, form_key(app, "language")).value == "fr"
    assert clients_named(demo_database, "Kept firm") == 0
    send(app)
    assert clients_named(demo_database, "Kept firm") == 1


def test_trying_again_does_what_was_asked_for(demo_database: Database) -> None:
    """With what was typed, and only when it is clicked."""
    app = typed(opened(INVITE), name="Kept firm", email="kept@example.com")
    with away(demo_database):
        send(app)
        try_again(app)
        assert "Nothing was saved" in says(app)
    assert clients_named(demo_database, "Kept firm") == 0
    try_again(app)
    assert "Kept firm is invited." in plain_text(app)
    assert clients_named(demo_database, "Kept firm") == 1


def test_what_is_chosen_while_it_is_away_stays_chosen(demo_database: Database) -> None:
    """Boxes, switches and lines that were never sent with a form."""
    app = opened(DEFAULTS)
    plan = at(app.selectbox, "defaults 1.plan")
    other = next(option for option in plan.options if option != plan.options[plan.index or 0])
    with away(demo_database):
        ran(plan.select(other))
    try_again(app)
    assert at(app.selectbox, "defaults 1.plan").value == other.split(" · ")[0].lower()
    with away(demo_database):
        ran(at(app.toggle, "defaults 1.pays").set_value(False))
        ran(app)
    try_again(app)
    assert at(app.toggle, "defaults 1.pays").value is False
    assert at(app.selectbox, "defaults 1.plan").value == other.split(" · ")[0].lower()


def clients_named(database: Database, name: str) -> int:
    with database.reading() as session:
        return len(session.scalars(select(Client).where(Client.name == name)).all())


# --- locked ---


def test_a_save_while_somebody_else_writes_keeps_the_form(impatient: Database) -> None:
    """The page can still be read: the sentence stands over the form, and trying again saves it."""
    app = opened(DEFAULTS)
    ran(at(app.toggle, "defaults 1.pays").set_value(False))
    at(app.text_input, "defaults 1.note").set_value("Typed with care")
    with locked(impatient):
        ran(at(app.button, "defaults 1.save").click())
        assert says(app) == f"{BUSY} Nothing was saved; your entries are kept."
        assert at(app.toggle, "defaults 1.pays").value is False
        assert at(app.text_input, "defaults 1.note").value == "Typed with care"
    assert asked(impatient, defaults.current).version == 3
    try_again(app)
    assert asked(impatient, defaults.current).version == 4
    assert asked(impatient, defaults.current).note == "Typed with care"


def test_an_invitation_is_accepted_when_it_can_be(impatient: Database) -> None:
    """The client who holds the link reads the same, and accepts with the next click."""
    inviting = send(typed(opened(INVITE), name="New firm", email="new@example.com"))
    token = next(code.value for code in inviting.code).split(f"{invitations.LINK_PARAMETER}=")[1]
    app = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=LONGEST_WAIT)
    app.query_params[invitations.LINK_PARAMETER] = token
    app.switch_page("pages/invitation/accept.py")
    ran(app)
    with locked(impatient):
        ran(at(app.button, "accept.accept").click())
        assert BUSY in says(app)
        assert "Accept" in [each.label for each in app.button]
    with away(impatient):
        ran(app)
        assert AWAY in says(app)
    try_again(app)
    ran(at(app.button, "accept.accept").click())
    assert "Welcome" in app.title[0].value


# --- replaced ---


def test_a_file_that_was_deleted_is_said_on_the_page(demo_database: Database) -> None:
    """And nothing is reported done."""
    app = typed(opened(INVITE), name="Lost firm", email="lost@example.com")
    file_of(demo_database).unlink()
    send(app)
    assert "deleted or replaced. Nothing was saved" in says(app)
    assert "is invited" not in plain_text(app)


# --- nobody's data in the log ---


SCRIPT = """
from sqlalchemy import text
from core.words import AlreadyMember
from pages.parts import notices, server

ROW = {"role": "klingon", "name": "Somebody"}
SAID = "somebody@example.com came with " + "x" * 43 + " to column 7"

def fail():
    with server.database().transaction() as session:
        session.execute(text("UPDATE member SET role = :role, name = :name"), ROW)

def look_up():
    try:
        raise AlreadyMember(member_id=1, name=ROW["name"], is_active=True)
    except AlreadyMember:
        raise ValueError(SAID)

for each in (fail, look_up):
    try:
        each()
    except Exception as exception:
        notices.unexpected(exception)
"""


def test_a_failure_nobody_foresaw_is_logged_without_anybodys_data(
    demo_database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    """The trace is there, with where it happened; e-mails, tokens, names and rows are not."""
    assert demo_database.is_embedded
    app = ran(AppTest.from_string(SCRIPT, default_timeout=LONGEST_WAIT))
    assert len(app.error) == 2
    for kept in ("in fail", "in look_up", "IntegrityError", "ck_member_role", "AlreadyMember", "to column 7"):
        assert kept in caplog.text
    for secret in ("@example", "x" * 43, "Somebody", "klingon"):
        assert secret not in caplog.text
