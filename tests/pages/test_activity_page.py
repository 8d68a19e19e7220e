"""The page of activity: who did what and when, for administrators; found and paged."""

from datetime import timedelta
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core import demo, members
from core.members import FROM_SHELL
from core.storage import Database, set_now, utc_now
from core.words import ActivityKind
from tests.pages.conftest import at, manager, opened, plain_text, ran, refused_alone, table_of

ACTIVITY = "pages/settings/activity.py"
MANAGER, FINANCE = 2, 4  # of the demo


def note(database: Database, by: int | None, what: ActivityKind, *, days_ago: int = 0, **named: Any) -> None:
    with database.transaction() as session:
        set_now(session, utc_now() - timedelta(days=days_ago))
        who = None if by is None else manager(database, by)
        members.note_activity(session, demo.PARTNER_ID, who, what, **named)


def told(app: AppTest) -> list[list[str]]:
    """What each row says, without when."""
    return [list(row[1:]) for row in table_of(app).itertuples(index=False)]


def test_an_administrator_reads_who_did_what(demo_database: Database) -> None:
    """The newest first, in the reader's words, with a client's number and not its name."""
    note(demo_database, MANAGER, ActivityKind.CLIENTS_FILE, days_ago=3, number=238)
    note(demo_database, FINANCE, ActivityKind.CORRECTIONS_FILE, days_ago=2, number=1)
    note(demo_database, None, ActivityKind.CATALOGUE_LOADED, days_ago=1, number=7)
    note(demo_database, None, ActivityKind.CLIENT_FORGOTTEN, client_id=17)
    note(demo_database, None, ActivityKind.BACKED_UP)
    app = opened(ACTIVITY)
    assert told(app) == [
        ["Whoever runs this server", "Backup made", ""],
        ["Whoever runs this server", "Client forgotten", "Client 17"],
        ["Whoever runs this server", "Catalogue changed", "Edition 7"],
        ["Demo finance", "Rows of an import downloaded", "1 row"],
        ["Demo client manager", "List of clients downloaded", "238 clients"],
    ]
    assert told(opened(ACTIVITY, locale="fr-BE"))[4] == [
        "Demo client manager", "Liste des clients téléchargée", "238 clients",
    ]  # fmt: skip


def test_it_is_narrowed_by_who_what_and_day(demo_database: Database) -> None:
    """And says so where nothing is left."""
    assert "Nothing was done yet." in plain_text(opened(ACTIVITY))
    note(demo_database, MANAGER, ActivityKind.CLIENTS_FILE, days_ago=30, number=238)
    note(demo_database, None, ActivityKind.BACKED_UP, days_ago=20)
    app = opened(ACTIVITY)
    ran(at(app.selectbox, "activity.by").set_value(FROM_SHELL))
    assert [row[1] for row in told(app)] == ["Backup made"]
    ran(at(app.selectbox, "activity.what").set_value(ActivityKind.CLIENTS_FILE))
    assert "Nothing matches." in plain_text(app)
    ran(at(app.selectbox, "activity.by").set_value(None))
    assert [row[1] for row in told(app)] == ["List of clients downloaded"]
    day = (utc_now() - timedelta(days=25)).date()
    ran(at(app.date_input, "activity.since").set_value(day))
    assert "Nothing matches." in plain_text(app)
    ran(at(app.date_input, "activity.since").set_value(None))
    ran(at(app.date_input, "activity.until").set_value(day))
    assert [row[1] for row in told(app)] == ["List of clients downloaded"]


def test_only_as_much_as_a_page_holds_is_read(demo_database: Database) -> None:
    """The oldest are on the last page."""
    for number in range(1, 53):
        note(demo_database, MANAGER, ActivityKind.CLIENTS_FILE, days_ago=60 - number, number=number)
    app = opened(ACTIVITY)
    assert [row[2] for row in told(app)][:2] == ["52 clients", "51 clients"]
    assert len(told(app)) == 50


@pytest.mark.parametrize("acting", [MANAGER, FINANCE, 5])
def test_nobody_but_an_administrator_reads_it(
    demo_database: Database, caplog: pytest.LogCaptureFixture, acting: int
) -> None:
    """Neither through the menu nor past it."""
    note(demo_database, MANAGER, ActivityKind.CLIENTS_FILE, number=238)
    app = opened(ACTIVITY, acting=acting)
    assert "You may not do this with the access you have." in plain_text(app)
    assert not app.table
    assert refused_alone(ACTIVITY, caplog, acting)
