"""The page of the catalogue: what everybody reads there, and what an administrator loads and withdraws."""

import json
from datetime import date
from typing import Any

import pytest
from sqlalchemy import bindparam, text
from streamlit.testing.v1 import AppTest

from core import catalogue, subscriptions
from core.catalogue import EXAMPLE, Catalogue
from core.members import Member
from core.storage import Database, Instant, now
from tests.pages.conftest import CATALOGUE, CLIENTS, at, manager, opened, plain_text, ran, refused_alone

ACCOUNTANT, FINANCE, WITHOUT_ACCESS = 5, 4, 6  # of the demo
DEARER = EXAMPLE.replace("# valid_from = 2027-03-01", "valid_from = 2099-03-01").replace('"19.00"', '"21.00"')
WITH_RENEWALS = DEARER.replace("# renewals_from = 2027-06-01", "renewals_from = 2099-06-01")


@pytest.fixture
def firm(demo_database: Database) -> Database:
    """The demo's clients in a database of a firm's own, whose administrator may load a catalogue."""
    with demo_database.transaction() as session:
        session.execute(text("DELETE FROM demo_space"))
    return demo_database


def stored(database: Database) -> Catalogue:
    with database.reading() as session:
        found = catalogue.stored(session, "EUR")
    assert found is not None
    return found


def loaded(database: Database, content: str, by: Member | None = None) -> None:
    with database.transaction() as session:
        subscriptions.load_catalogue(session, catalogue.from_toml(content.encode()), by=by)


def brought(app: AppTest, content: str) -> AppTest:
    return ran(app.file_uploader[0].upload("catalogue.toml", content.encode()))


def counted(database: Database, acting: int, plan: str) -> int:
    """The clients with a plan that the member sees, invited and active."""
    member = manager(database, acting)
    own = "" if acting != ACCOUNTANT else f"AND responsible_id = {member.member_id}"
    with database.reading() as session:
        return session.execute(
            text(
                "SELECT count(*) FROM subscription WHERE valid_from <= :now AND (valid_to IS NULL OR valid_to > :now) "
                f"AND status <> 'archived' AND plan = '{plan}' {own}"
            ).bindparams(bindparam("now", now(session), Instant))
        ).scalar_one()


def table(app: AppTest, number: int) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in app.dataframe[number].value.to_dict("records")}


@pytest.mark.parametrize("acting", [1, 2, FINANCE, ACCOUNTANT])
def test_everybody_reads_what_is_sold_with_what_for_how_much_and_who_has_it(
    demo_database: Database, acting: int
) -> None:
    """An accountant counts the clients they look after."""
    app = opened(CATALOGUE, acting=acting)
    plans, add_ons = table(app, 0), table(app, 1)
    assert list(plans) == ["Starter", "Standard", "Plus", "Premium", "Classic (retired)"]
    standard = plans["Standard"]
    assert (standard["monthly"], standard["yearly"]) == ("€19.00", "€190.00")
    assert plans["Starter"]["yearly"] == "–"
    assert (standard["with fixed_assets"], standard["with payroll"]) == ("✓", "")
    assert int(standard["clients"]) == counted(demo_database, acting, "standard") > 0
    assert add_ons["Payroll"]["monthly"] == "€12.00"
    assert "sample data" in plain_text(app)
    assert "Price list 1, from the beginning (in force). Whoever runs this server loaded it on" in plain_text(app)


def test_who_may_read_nothing_sees_no_catalogue(caplog: pytest.LogCaptureFixture) -> None:
    """Rule 10, by a link too."""
    assert refused_alone(CATALOGUE, caplog, acting=WITHOUT_ACCESS)


def test_a_row_leads_to_the_clients_that_have_the_plan(demo_database: Database) -> None:
    """The list, filtered."""
    app = opened(CATALOGUE)
    columns = json.loads(app.dataframe[0].proto.columns)
    assert columns["name"]["type_config"]["type"] == "button"
    assert all(columns[name]["label"] for name in app.dataframe[0].value.columns)
    app.session_state["catalogue.opened"] = 2
    ran(app)
    assert app.session_state["clients.plan"] == "plus"
    assert opened(CLIENTS, plan="plus").title[0].value == app.title[0].value


def test_the_demo_keeps_its_sample_and_says_why(demo_database: Database) -> None:
    """And others are not asked to load anything."""
    app = opened(CATALOGUE)
    assert "the demo keeps its sample data" in plain_text(app)
    assert not app.file_uploader
    for acting in (2, FINANCE, ACCOUNTANT):
        assert "Load a catalogue" not in plain_text(opened(CATALOGUE, acting=acting))


def test_a_file_is_checked_before_it_is_loaded(firm: Database) -> None:
    """What it would do for whom from when; then the button that says what it does."""
    app = brought(opened(CATALOGUE), WITH_RENEWALS)
    said = plain_text(app)
    assert "Price: Standard (standard), Monthly, €21.00, before: €19.00" in said
    assert "each from its first renewal on 1 Jun 2099 or later" in said
    assert len(stored(firm).price_lists) == 1
    do = at(app.button, "catalogue.load.do")
    assert do.label == "Load it: Price list 2, from 1 Mar 2099"
    app = ran(do.click())
    assert "Loaded, as edition" in plain_text(app)
    made = stored(firm).price_lists[1]
    assert (made.valid_from, made.renewals_from) == (date(2099, 3, 1), date(2099, 6, 1))
    assert "Price list 2, from 1 Mar 2099** · clients pay it from their first renewal on 1 Jun 2099" in plain_text(app)
    assert "Demo administrator" in plain_text(app)
    again = brought(app, WITH_RENEWALS)
    assert "Nothing changes: this is the catalogue that is stored." in plain_text(again)
    assert not [each for each in again.button if str(each.key).endswith("load.do")]


def test_what_is_to_correct_in_a_file_is_listed_with_its_places(firm: Database) -> None:
    """And a file that is no catalogue is refused in words."""
    app = brought(opened(CATALOGUE), DEARER.replace('"21.00"', "21").replace("2099-03-01", '"soon"'))
    said = plain_text(app)
    assert "catalogue.toml cannot be loaded as it is" in said
    assert "price_list, valid_from: Write a day without quotation marks" in said
    assert "prices.monthly: Write the amount as text" in said
    assert stored(firm).is_sample


def test_a_file_that_takes_away_what_clients_have_is_refused_with_its_reasons(firm: Database) -> None:
    """And there is no button."""
    app = brought(opened(CATALOGUE), DEARER.replace('code = "standard"', 'code = "usual"'))
    assert "Standard (standard) is not in the file, and is held by" in plain_text(app)
    assert "It cannot be loaded like this. Nothing was written." in plain_text(app)
    assert not [each for each in app.button if str(each.key).endswith("load.do")]


def test_a_colleagues_load_in_between_is_not_overwritten(firm: Database) -> None:
    """Rule 12: who loads is told, and the page says what the file would do now."""
    app = brought(opened(CATALOGUE), DEARER)
    loaded(firm, DEARER.replace('"21.00"', '"22.00"'))
    app = ran(at(app.button, "catalogue.load.do").click())
    assert "The catalogue was changed since you looked." in plain_text(app)
    assert stored(firm).price_lists[1].plan_prices["standard", "monthly"] == 2200
    assert "It takes the place of the list 2 that has not begun." in plain_text(app)
    ran(at(app.button, "catalogue.load.do").click())
    assert stored(firm).price_lists[1].plan_prices["standard", "monthly"] == 2100


def test_a_list_to_come_is_withdrawn_and_the_prices_of_any_list_can_be_looked_at(firm: Database) -> None:
    """Only by an administrator."""
    loaded(firm, DEARER)
    assert not [each for each in opened(CATALOGUE, acting=2).button if "withdraw" in str(each.key)]
    app = opened(CATALOGUE)
    assert table(app, 0)["Standard"]["monthly"] == "€19.00"
    app = ran(at(app.selectbox, "catalogue.list").set_value(2))
    assert table(app, 0)["Standard"]["monthly"] == "€21.00"
    app = ran(at(app.button, "catalogue.withdraw 2").click())
    assert "Price list 2 is withdrawn." in plain_text(app)
    assert [each.number for each in stored(firm).price_lists] == [1]
    assert table(app, 0)["Standard"]["monthly"] == "€19.00"
    assert "No other prices are loaded for a day to come." in plain_text(app)


def test_the_page_speaks_french(firm: Database) -> None:
    """Days and amounts too."""
    loaded(firm, WITH_RENEWALS)
    said = plain_text(opened(CATALOGUE, locale="fr-BE"))
    assert "Liste de prix 2, à partir du 1 mars 2099" in said
    assert "21,00\u00a0€" in said
