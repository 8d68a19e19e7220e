"""Undo on the page of a client: right after a save, the same change backwards, previewed like any change."""

from typing import Any

from streamlit.testing.v1 import AppTest

from core import subscriptions
from core.storage import Database
from core.words import Overrides
from tests.pages.conftest import CLIENT, asked, at, opened, plain_text, ran
from tests.pages.test_sent_again_pages import overridden_by_a_colleague, plainly_bound


def test_a_change_is_undone_right_after_it_was_saved(demo_database: Database) -> None:
    """The way to it is there at once, says what it does, and is gone when it is done another way."""
    client_id = plainly_bound(demo_database)
    app = opened(CLIENT, client=str(client_id))
    assert undo(app) is None
    change(app, client_id, "premium")
    ran(undo(app).click())
    assert "Subscription: Premium → Standard, from default v2" in plain_text(app)
    assert at(app.text_input, f"client.{client_id}.reason").value == "Undone"
    ran(at(app.text_input, f"client.{client_id}.reason").set_value("it was another client"))
    ran(at(app.button, f"client.{client_id}.save").click())
    newest, changed, *_ = asked(demo_database, subscriptions.detail, client_id).history
    assert (newest.settings.plan, newest.overridden, newest.reason) == (
        "standard",
        frozenset(),
        "it was another client",
    )
    assert changed.settings.plan == "premium"
    assert "Saved. Subscription: Premium → Standard, from default v2." in plain_text(app)


def test_once_a_colleague_decided_there_is_nothing_to_undo(demo_database: Database) -> None:
    """It is theirs that holds now."""
    client_id = plainly_bound(demo_database)
    app = opened(CLIENT, client=str(client_id))
    change(app, client_id, "premium")
    overridden_by_a_colleague(demo_database, client_id, Overrides(plan="plus"))
    ran(app)
    assert undo(app) is None


def test_an_undo_that_a_colleague_was_ahead_of_is_refused(demo_database: Database) -> None:
    """Who saved what is said, and nothing is written (rule 12)."""
    client_id = plainly_bound(demo_database)
    app = opened(CLIENT, client=str(client_id))
    change(app, client_id, "premium")
    ran(undo(app).click())
    overridden_by_a_colleague(demo_database, client_id, Overrides(plan="plus"))
    ran(at(app.button, f"client.{client_id}.save").click())
    assert asked(demo_database, subscriptions.detail, client_id).effective.plan.value == "plus"
    assert any("changed" in each.value for each in app.error)


def change(app: AppTest, client_id: int, plan: str) -> None:
    ran(at(app.button, f"client.{client_id}.open change").click())
    ran(at(app.selectbox, f"client.{client_id}.plan").set_value(plan))
    ran(at(app.button, f"client.{client_id}.save").click())


def undo(app: AppTest) -> Any:
    """The button, if it is there."""
    return next((each for each in app.button if each.label == "Undo"), None)
