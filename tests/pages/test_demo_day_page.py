"""The demo moved to a later day from the menu, as everybody then sees it, and begun again."""

from datetime import date, timedelta

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from core import demo, subscriptions
from core.storage import Database
from core.words import day
from tests.pages.conftest import (
    CLIENT,
    CLIENTS,
    DEFAULTS,
    DISTRIBUTION,
    asked,
    at,
    button,
    manager,
    opened,
    plain_text,
    ran,
)

RENEWS_TOMORROW = 240


def shown(database: Database) -> demo.ShownDay:
    with database.reading() as session:
        return demo.shown_day(session, manager(database).partner)


def counted(app: AppTest) -> int:
    """How many clients the list says it finds."""
    return int(at(app.button, "clients.every").label.split("**")[1].replace("\\", ""))


def test_a_day_later_what_waited_is_in_force_for_everybody(demo_database: Database) -> None:
    """The banner says which day it is shown as; the figures of the list are counted again."""
    today = shown(demo_database).day
    listed = opened(plan="starter", status="active")
    before = counted(listed)
    assert f"Today is {day(today)}" in plain_text(listed)
    app = ran(button(opened(CLIENTS), "+1 day").click())
    assert shown(demo_database) == demo.ShownDay(today + timedelta(days=1), is_today=False)
    assert f"Demo, shown as {day(today + timedelta(days=1))}." in plain_text(app)
    assert asked(demo_database, subscriptions.detail, RENEWS_TOMORROW).pending is None
    assert counted(opened(plan="starter", status="active")) > before


def test_a_month_later_is_one_click(demo_database: Database) -> None:
    """As renewals count months."""
    today = shown(demo_database).day
    ran(button(opened(DEFAULTS), "+1 month").click())
    assert shown(demo_database).day == demo.month_after(today)


def test_a_clients_page_leads_to_its_renewal_and_other_pages_do_not(demo_database: Database) -> None:
    """There what waited for it holds; one that is archived has none."""
    number = next(n for n in range(239, 0, -1) if asked(demo_database, subscriptions.detail, n).pending)
    pending = asked(demo_database, subscriptions.detail, number).pending
    renewal = asked(demo_database, subscriptions.detail, number).period.renewal
    app = opened(CLIENT, client=str(number))
    ran(button(app, f"To its renewal on {day(renewal)}").click())
    assert shown(demo_database).day == renewal
    assert asked(demo_database, subscriptions.detail, number).held == pending
    assert not [each for each in opened(CLIENTS).button if "renewal" in each.label]


def test_whoever_clicks_on_the_day_that_it_was_does_not_move_it_twice(demo_database: Database) -> None:
    """Two who look at the same day move it to the same one."""
    today = shown(demo_database).day
    first, second = opened(DEFAULTS), opened(DEFAULTS, acting=2)
    ran(button(first, "+1 day").click())
    ran(button(second, "+1 day").click())
    assert shown(demo_database).day == today + timedelta(days=1)


def test_beginning_again_brings_today_back_and_leaves_nothing_of_before(demo_database: Database) -> None:
    """On a page that knew a later day too."""
    today = shown(demo_database).day
    moved = ran(button(opened(DISTRIBUTION), "+1 month").click())
    assert at(moved.date_input, "distribution.day").value == demo.month_after(today)
    somebody_else = opened(DISTRIBUTION, acting=4)
    app = ran(button(moved, "Make it anew").click())
    assert shown(demo_database) == demo.ShownDay(today, is_today=True)
    for each in (app, ran(somebody_else)):
        assert at(each.date_input, "distribution.day").value == today
        assert "shown as" not in plain_text(each)


def test_it_is_said_in_french(demo_database: Database) -> None:
    """Banner, day and ways."""
    app = ran(button(opened(DEFAULTS, locale="fr-BE"), "+1 mois").click())
    later: date = shown(demo_database).day
    assert f"Démo, affichée au {day(later)}." in plain_text(app)


def test_outside_demo_mode_there_is_no_such_control(demo_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor does its database remember another day."""
    ran(button(opened(DEFAULTS), "+1 month").click())
    monkeypatch.setenv("BILLING_DEMO", "0")
    st.cache_resource.clear()
    app = opened()
    assert not [each for each in app.button if each.label in ("+1 day", "+1 month", "Make it anew")]


def test_an_operator_can_switch_the_control_off(demo_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever opens the demo then moves its day for nobody, and begins it anew for nobody; the day is still said."""
    today = shown(demo_database).day
    monkeypatch.setenv("BILLING_DEMO_CONTROL", "0")
    st.cache_resource.clear()
    for app in (opened(CLIENTS), opened(CLIENT, client=str(RENEWS_TOMORROW))):
        assert f"Today is {day(today)}" in plain_text(app)
        ways = ("+1 day", "+1 month", "Make it anew", f"To its renewal on {day(today + timedelta(days=1))}")
        assert not [each.label for each in app.button if each.label in ways]
