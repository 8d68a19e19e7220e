"""The menu of saved views on Clients: what is shown is saved, found again, and removed."""

from streamlit.testing.v1 import AppTest

from core import reports
from core.storage import Database
from tests.pages.conftest import CLIENTS, at, button, manager, opened, plain_text, ran


def links(app: AppTest) -> dict[str, str]:
    """Each view's name, with what its link asks for."""
    return {each.proto.label: each.proto.query_string for each in app.get("page_link") if each.proto.query_string}


def test_what_is_shown_is_saved_under_a_name_and_found_again(demo_database: Database) -> None:
    """With what the address says; the page begins anew with an empty form."""
    app = opened(CLIENTS, acting=2, plan="plus", order_by="newest")
    at(app.text_input, "saved view.name").set_value("Plus, newest")
    ran(button(app, "Keep this view").click())
    assert "The view Plus, newest is saved" in plain_text(app)
    with demo_database.reading() as session:
        (view,) = reports.views(session, manager(demo_database))
    assert view.asked == {"plan": "plus", "order_by": "newest"}
    assert links(app)["Plus, newest"] == "order_by=newest&plan=plus"
    assert at(app.text_input, "saved view.name").value == ""
    ran(button(app, "Remove").click())
    assert "The view Plus, newest is removed." in plain_text(app)
    assert "Plus, newest" not in links(app)


def test_a_refused_name_stays_as_it_was_typed(demo_database: Database) -> None:
    """And nothing is saved."""
    app = opened(CLIENTS, acting=2)
    at(app.text_input, "saved view.name").set_value("Everything")
    ran(button(app, "Keep this view").click())
    assert "Filter or sort the clients first" in plain_text(app)
    assert at(app.text_input, "saved view.name").value == "Everything"


def test_only_an_administrator_saves_views_for_everybody(demo_database: Database) -> None:
    """Others find them, with no way to remove them."""
    app = opened(CLIENTS, acting=1, plan="plus")
    at(app.text_input, "saved view.name").set_value("*Plus*")
    at(app.checkbox, "saved view.for all").check()
    ran(button(app, "Keep this view").click())
    other = opened(CLIENTS, acting=5)
    assert r"\*Plus\*" in links(other)
    assert not [each for each in other.button if each.label == "Remove"]
    assert not [each for each in other.checkbox if "for all" in str(each.key)]
