"""Many clients changed from the list: ticked ones or all that match, previewed, done, told, and undone."""

import json
from typing import Any

import pytest
from sqlalchemy import update
from streamlit.testing.v1 import AppTest

from core import bulk, reports
from core.bulk import Act, Adopt, Archive, ChangeResponsible, Found, Ticked
from core.reports import SourceFilter
from core.storage import Database
from core.subscriptions import Client
from core.words import BatchKind
from tests.pages.conftest import CLIENT, at, manager, opened, plain_text, ran, table_of

MANY = "pages/clients/change_many.py"
BULK_CHANGES = "pages/clients/bulk_changes.py"
ADMINISTRATOR, MANAGER, FINANCE, ACCOUNTANT = 1, 2, 4, 5  # of the demo


def older(database: Database) -> int:
    with database.reading() as session:
        return reports.figures(session, manager(database, MANAGER)).on_older_defaults


def change(app: AppTest, reason: str = "new price list") -> AppTest:
    ran(at(app.text_input, "many.reason").set_value(reason))
    return ran(at(app.button, "many.do").click())


def one(database: Database, number: int) -> Any:
    with database.reading() as session:
        return bulk.batch(session, manager(database, MANAGER), number)


def test_all_that_match_adopt_the_defaults_and_go_back(demo_database: Database) -> None:
    """Rules 45, 46 and 50: what the button says is what is done; the report has the number, and the way back."""
    before = older(demo_database)
    app = opened(MANY, acting=MANAGER, act="adopt", source=SourceFilter.OLDER.value)
    assert f"What would change for {before} clients" in plain_text(app)
    changed = int(app.metric[0].value)
    assert at(app.button, "many.do").label == f"Adopt for {changed} clients"
    change(app)
    made = one(demo_database, 1)
    assert (made.kind, made.changed, made.left_out, made.reason) == (
        BatchKind.ADOPT, changed, before - changed, "new price list",
    )  # fmt: skip
    assert older(demo_database) == before - changed
    page = opened(BULK_CHANGES, acting=MANAGER, batch="1")
    ran(at(page.button, "undo 1.begin").click())
    ran(at(page.text_input, "undo 1.reason").set_value("a mistake"))
    ran(at(page.button, "undo 1.do").click())
    assert (one(demo_database, 1).undone_by, one(demo_database, 2).undoes) == (2, 1)
    assert older(demo_database) > before - changed


def test_ticked_clients_are_those_and_no_others(demo_database: Database) -> None:
    """Their numbers stand in the address, so that it can be opened again."""
    app = opened(MANY, acting=MANAGER, act="archive", ticked="3.5.7")
    assert "What would change for 3 clients" in plain_text(app)
    change(app, "they left")
    made = one(demo_database, 1)
    assert (made.kind, made.chosen) == (BatchKind.ARCHIVE, 3)
    with demo_database.reading() as session:
        clients = bulk.clients_of(session, manager(demo_database, MANAGER), 1)
    assert {each.client_id for each in clients} <= {3, 5, 7}


@pytest.mark.parametrize(
    ("act", "does"), [("adopt", Adopt(clear_overrides=True)), ("responsible", ChangeResponsible(3))]
)
def test_the_history_of_a_client_leads_to_the_batch(demo_database: Database, act: str, does: Act) -> None:
    """With its number, also where the account manager was changed; a client that no batch changed has no such link."""
    chosen = Found({"source": SourceFilter.OLDER})
    member = manager(demo_database, MANAGER)
    with demo_database.transaction() as session:
        digest = bulk.preview(session, member, does, chosen).digest
        number = bulk.do(session, member, does, chosen, digest=digest, reason=act).batch
        client_id = bulk.clients_of(session, member, number)[0].client_id
    page = opened(CLIENT, acting=MANAGER, client=str(client_id))
    assert "bulk change, batch 1" in " ".join(table_of(page, 1)["Via"])
    [link] = [each for each in page.get("page_link") if each.proto.label == "Batch 1"]
    assert link.proto.query_string == "batch=1"
    assert link.proto.page.endswith("bulk_changes")
    untouched = opened(CLIENT, acting=MANAGER, client="240")
    assert not [each for each in untouched.get("page_link") if each.proto.label.startswith("Batch")]


@pytest.mark.parametrize("parameters", [{"ticked": "3.x"}, {"plan": "plus", "source": "nowhere"}])
def test_an_address_that_cannot_be_read_chooses_nobody(parameters: dict[str, str]) -> None:
    """A filter left out would find more clients than were meant."""
    app = opened(MANY, acting=MANAGER, **parameters)
    assert "This address cannot be read." in plain_text(app)
    assert not [each for each in app.button if str(each.key).endswith(".do")]


def test_without_a_reason_it_is_refused_and_nothing_typed_is_lost(demo_database: Database) -> None:
    """Rule 45."""
    app = opened(MANY, acting=MANAGER, act="cancel", pending="pending")
    change(app, "")
    assert "needs a reason" in plain_text(app)
    change(app, "asked for")
    assert one(demo_database, 1).kind is BatchKind.CANCEL


def test_what_changed_since_the_preview_is_told_and_the_new_preview_shown(demo_database: Database) -> None:
    """Rule 47: nothing is done, the reason stays."""
    app = opened(MANY, acting=MANAGER, act="archive", ticked="3.5")
    ran(at(app.text_input, "many.reason").set_value("they left"))
    other = manager(demo_database, ADMINISTRATOR)
    with demo_database.transaction() as session:
        seen = bulk.preview(session, other, Archive(), Ticked((3,)))
        bulk.do(session, other, Archive(), Ticked((3,)), digest=seen.digest, reason="first")
    ran(at(app.button, "many.do").click())
    assert "is not so any more" in plain_text(app)
    assert at(app.text_input, "many.reason").value == "they left"
    ran(at(app.button, "many.do").click())
    assert one(demo_database, 2).changed == 1


def test_overrides_are_set_and_cleared_for_many(demo_database: Database) -> None:
    """Nothing can be done before something is chosen."""
    app = opened(MANY, acting=MANAGER, act="override", ticked="3.5.7")
    assert "Choose what is to change" in plain_text(app)
    box = next(each for each in app.selectbox if "payer" in str(each.key))
    ran(box.set_value("Us"))
    change(app, "we pay for them")
    assert one(demo_database, 1).kind is BatchKind.OVERRIDE


def test_a_batch_and_a_client_are_opened_by_their_words(demo_database: Database) -> None:
    """No column is without a heading; a name stays a name, whatever Streamlit would read in it."""
    member = manager(demo_database, MANAGER)
    with demo_database.transaction() as session:
        session.execute(update(Client).where(Client.client_id == 3).values(name='["Open", "Sorry"]'))
        seen = bulk.preview(session, member, Archive(), Ticked((3,)))
        bulk.do(session, member, Archive(), Ticked((3,)), digest=seen.digest, reason="they left")
    for app, opens in (
        (opened(BULK_CHANGES, acting=MANAGER), "batch"),
        (opened(BULK_CHANGES, acting=MANAGER, batch="1"), "name"),
    ):
        columns = json.loads(app.dataframe[0].proto.columns)
        assert columns[opens]["type_config"]["type"] == "button"
        assert all(columns[name]["label"] for name in app.dataframe[0].value.columns)
    assert list(app.dataframe[0].value["name"]) == ['\u2060["Open", "Sorry"]']


@pytest.mark.parametrize("acting", [FINANCE, ACCOUNTANT])
def test_who_may_change_nothing_is_led_to_nothing(acting: int) -> None:
    """Rule 51."""
    assert not [each for each in opened(acting=acting).menu_button if each.key == "clients.many"]
    refused = opened(MANY, acting=acting, act="adopt")
    assert not [each for each in refused.button if str(each.key).endswith(".do")]


def test_finance_reads_what_was_done_and_undoes_nothing(demo_database: Database) -> None:
    """With its reason shown as text."""
    with demo_database.transaction() as session:
        member = manager(demo_database, MANAGER)
        seen = bulk.preview(session, member, Archive(), Ticked((3,)))
        bulk.do(session, member, Archive(), Ticked((3,)), digest=seen.digest, reason="**bold** :smile:")
    listed = opened(BULK_CHANGES, acting=FINANCE)
    assert list(listed.dataframe[0].value["reason"]) == ["**bold** :smile:"]
    app = opened(BULK_CHANGES, acting=FINANCE, batch="1")
    assert "Reason: **bold** :smile:" in [each.value for each in app.text]
    assert not [each for each in app.button if "undo" in str(each.key)]


def test_the_list_leads_to_what_is_done_with_all_that_match() -> None:
    """The menu says with how many."""
    app = opened(acting=MANAGER, source=SourceFilter.OLDER.value)
    assert at(app.menu_button, "clients.many").label.startswith("With all ")
    assert at(app.menu_button, "clients.many").options[0].endswith("Adopt current defaults")
    ran(at(app.menu_button, "clients.many").click(BatchKind.ARCHIVE))
    assert [each.value for each in app.title] == ["Change many clients"]
    assert app.query_params == {"act": "archive", "source": "older"}


def test_no_bulk_change_and_an_unknown_one_are_told() -> None:
    """The empty page says how to begin."""
    assert "Nothing was changed in bulk yet." in plain_text(opened(BULK_CHANGES))
    assert "There is no bulk change with number 99" in plain_text(opened(BULK_CHANGES, batch="99"))
