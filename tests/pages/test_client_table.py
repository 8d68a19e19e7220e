"""The table of clients: what is short in it, in which order its columns stand, and who is told apart from whom."""

import json
from typing import Any

from core import invitations, members, reports
from core.demo import PARTNER_ID
from core.invitations import NewClient
from core.storage import Database
from core.words import Payer
from tests.pages.conftest import asked, at, choose, opened, ran, rows

BESIDE_THE_NAME = ["name", "monthly", "source", "status", "plan", "add_ons", "billing_period", "payer"]


def columns_of(app: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(app.dataframe[0].proto.columns)
    return found


def shown(app: Any) -> list[str]:
    """The columns that are not hidden, in their order."""
    said = columns_of(app)
    return [name for name in rows(app).columns if not said[name].get("hidden")]


def drawn(app: Any, column: str) -> dict[str, str]:
    """What is drawn, by what the cell says."""
    options = columns_of(app)[column]["type_config"]["options"]
    return {option["value"]: option.get("label", option["value"]) for option in options}


def invited(database: Database, name: str, email: str, company_number: str = "") -> None:
    with database.transaction() as session:
        administrator = members.of_partner(session, PARTNER_ID)[0]
        invitations.invite(session, administrator, NewClient(name=name, email=email, company_number=company_number))


def test_the_price_stands_beside_the_name_and_nothing_that_is_shown_needs_more_than_the_screen() -> None:
    """In each language; what does not fit is in the table's own menu of columns."""
    for locale in ("en-GB", "fr-BE", "nl-BE"):
        app = opened(locale=locale)
        assert shown(app)[:9] == [*BESIDE_THE_NAME, "pending"]
        said = columns_of(app)
        assert sum(said[name]["width"] for name in shown(app)) <= 1000
        assert said["monthly"]["alignment"] == "right"
        assert said["name"]["type_config"]["type"] == "button"
        assert all(said[name]["label"] for name in rows(app).columns)


def test_a_source_is_short_and_its_cell_says_all(demo_database: Database) -> None:
    """How many exceptions are drawn, which they are is in the cell, for whoever points at it or hears it read."""
    app = opened()
    by_words = drawn(app, "source")
    for (pill,), row in zip(rows(app)["source"], asked(demo_database, reports.listed), strict=True):
        expected = f"Override · {len(row.overridden)}" if row.overridden else row.defaults_text
        assert by_words[pill] == expected
    assert any(label.startswith("Override · ") for label in by_words.values())
    add_ons = drawn(app, "add_ons")
    assert add_ons["Bank feeds, E-invoicing"] == "Bank feeds +1"
    pending = {words: label for words, label in drawn(app, "pending").items() if words}
    assert pending
    assert all(words.startswith(f"{label} · ") for words, label in pending.items())


def test_clients_of_the_same_name_are_told_apart(demo_database: Database) -> None:
    """By the company number where they have different ones, else by the e-mail."""
    invited(demo_database, "Twee Broers", "one@twins.example", "1000003682")
    invited(demo_database, "Twee  broers", "two@twins.example", "0471730202")
    invited(demo_database, "Alleen", "alone@twins.example")
    invited(demo_database, "Sans Numéro", "first@same.example")
    invited(demo_database, "Sans numero", "second@same.example")
    assert set(rows(opened(search="broers"))["name"]) == {"Twee Broers · 1000003682", "Twee broers · 0471730202"}
    assert list(rows(opened(search="alleen"))["name"]) == ["Alleen"]
    assert set(rows(opened(search="numero"))["name"]) == {
        "Sans Numéro · first@same.example",
        "Sans numero · second@same.example",
    }


def test_a_name_is_no_icon_and_no_menu_of_buttons(demo_database: Database) -> None:
    """Streamlit reads a button's words; an invisible joiner before them keeps them words."""
    invited(demo_database, ":material/delete: Sorry", "icon@odd.example")
    invited(demo_database, '["Open", "Sorry"]', "menu@odd.example")
    assert set(rows(opened(search="sorry"))["name"]) == {
        "\u2060:material/delete: Sorry",
        '\u2060["Open", "Sorry"]',
    }


def test_sorted_by_the_day_of_the_invitation_the_list_shows_it() -> None:
    """Before what is less wanted then."""
    app = opened(order_by="newest")
    assert shown(app)[:9] == [*BESIDE_THE_NAME, "invited_on"]


def test_a_narrow_list_begins_with_what_a_telephone_shows() -> None:
    """Name, price, subscription and source, without boxes; the filters and the figures are there, behind buttons."""
    app = opened()
    ran(at(app.toggle, "clients.narrow").set_value(True))
    assert shown(app)[:4] == ["name", "monthly", "plan", "source"]
    assert sum(columns_of(app)[name]["width"] for name in shown(app)[:4]) <= 362
    assert at(app.button, "clients.older").label
    assert not [menu for menu in app.menu_button if menu.key == "clients.payer menu"]
    app.session_state["clients.filters"] = True  # opened
    choose(ran(app), "clients.payer", Payer.PARTNER)
    assert app.query_params == {"payer": "partner"}
    assert {*rows(app)["payer"]} == {"Us"}
