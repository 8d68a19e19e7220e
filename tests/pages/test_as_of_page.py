"""Plan distribution and Clients as of a day: the choices in the address, each number and its clients, nothing to do."""

import csv
from datetime import date, timedelta
from typing import Any

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from core import reports
from core.storage import Database
from core.words import ListedStatus, day, end_of_day, speak, t
from pages.finance import distribution_file
from tests.pages.conftest import CLIENTS, DISTRIBUTION, at, button, manager, opened, plain_text, ran, rows

PAST = {"measure": "revenue", "split": "payer", "statuses": "active,invited"}


def past(app: AppTest, days: int = 90) -> date:
    """A day of the past, as the page that is open counts days."""
    today: date = app.date_input[0].value
    return today - timedelta(days=days)


def chosen(app: AppTest) -> tuple[Any, ...]:
    state = app.session_state
    measure, split, which, then = (state[f"distribution.{name}"] for name in ("measure", "split", "statuses", "day"))
    return measure, split, set(which), then


def test_the_choices_of_the_distribution_are_in_its_address() -> None:
    """What is chosen is written, and an address with it opens the page so."""
    app = opened(DISTRIBUTION)
    assert dict(app.query_params) == {}
    then = past(app)
    ran(at(app.button_group, "distribution.measure").set_value("revenue"))
    ran(at(app.button_group, "distribution.split").set_value("payer"))
    ran(at(app.button_group, "distribution.statuses").set_value([ListedStatus.ACTIVE, ListedStatus.INVITED]))
    ran(at(app.date_input, "distribution.day").set_value(then))
    said = dict(app.query_params)
    assert said == {**PAST, "statuses": "invited,active", "day": then.isoformat()}
    again = opened(DISTRIBUTION, **said)
    assert chosen(again) == chosen(app)
    assert rows(again).equals(rows(app))
    assert at(again.date_input, "distribution.day").value == then


@pytest.mark.parametrize(
    "address",
    [
        {"measure": "profit", "split": "moon", "statuses": "active,gone", "day": "yesterday", "as_of": "x"},
        {"measure": "", "split": "", "statuses": "", "day": "", "as_of": ""},
        {"as_of": "0001-01-01", "day": "0001-01-01"},
        {"as_of": "2026-02-30", "day": "2026-02-30"},
    ],
)
def test_what_an_address_says_wrong_is_left_out(address: dict[str, str]) -> None:
    """The page opens with what it begins with."""
    for page in (DISTRIBUTION, CLIENTS):
        app = opened(page, **address)
        assert app.session_state["distribution.day" if page == DISTRIBUTION else "clients.as_of"] is None
        assert len(rows(app))
    assert chosen(opened(DISTRIBUTION, **address)) == ("clients", "source", {ListedStatus.ACTIVE}, None)


@pytest.mark.parametrize("locale", ["en-GB", "fr-BE", "nl-BE"])
@pytest.mark.parametrize("page", [DISTRIBUTION, CLIENTS])
@pytest.mark.parametrize("to_come", ["2199-01-01", "9999-12-31"])
def test_a_day_to_come_is_a_sentence_with_the_way_back(page: str, locale: str, to_come: str) -> None:
    """No figures and no table of it."""
    app = opened(page, locale=locale, **{"day" if page == DISTRIBUTION else "as_of": to_come})
    speak(locale[:2])
    said = t("{day} is still to come. Choose today or a day before it.", day=day(date.fromisoformat(to_come)))
    assert said in plain_text(app)
    assert not app.dataframe
    ran(button(app, t("Back to today")).click())
    assert said not in plain_text(app)
    assert len(rows(app))
    assert dict(app.query_params) == {}


@pytest.mark.parametrize(("split", "statuses"), [("payer", "invited,active"), ("source", "active,archived,expired")])
def test_each_number_opens_its_clients(split: str, statuses: str) -> None:
    """Of a past day and of several statuses: so many are listed as the number says."""
    app = opened(DISTRIBUTION)
    then = past(app)
    address = {"split": split, "statuses": statuses, "day": then.isoformat()}
    table = rows(opened(DISTRIBUTION, **address))
    opened_some = 0
    for row in range(len(table)):
        for name in table.columns[1:]:
            app = opened(DISTRIBUTION, **address)
            key = next(key for key in app.session_state._state.filtered_state if key.startswith("distribution.table"))
            app.session_state[key] = {"selection": {"rows": [], "columns": [], "cells": [(row, name)]}}
            ran(app)
            assert app.title[0].value == "Clients"
            assert at(app.date_input, "clients.as_of").value == then
            number = table[name].iloc[row]
            assert at(app.button, "clients.every").label.split()[0] == f"**{number}**", (row, name)
            opened_some += number != "0"
    assert opened_some > 8


def test_a_past_day_of_clients_is_told_and_changes_nothing(demo_database: Database) -> None:
    """A banner, the rows of then, no ticks, no acts, no letters; the filters stay; and the way back."""
    today = opened(CLIENTS, acting=2)
    assert [each for each in today.menu_button if each.key == "clients.many"]
    then = past(today)
    app = opened(CLIENTS, acting=2, as_of=then.isoformat(), plan="standard")
    assert f"As of {day(then)}:" in plain_text(app)
    with demo_database.reading() as session:
        listed = reports.listed(session, manager(demo_database), as_of=end_of_day(then), plan="standard")
    assert list(rows(app)["name"]) == [each.name for each in listed]
    assert "clients.letter" in str(today.dataframe[0].proto)
    assert "clients.letter" not in str(app.dataframe[0].proto)
    assert not [each for each in app.menu_button if each.key == "clients.many"]
    assert app.query_params["as_of"] == then.isoformat()
    ran(button(app, "Back to today").click())
    assert f"As of {day(then)}:" not in plain_text(app)
    assert "as_of" not in app.query_params
    assert app.query_params["plan"] == "standard"


def test_a_view_that_is_kept_on_a_past_day_keeps_no_day(demo_database: Database) -> None:
    """It shows whoever fits it when it is opened."""
    app = opened(CLIENTS, acting=2)
    app = opened(CLIENTS, acting=2, plan="plus", as_of=past(app).isoformat())
    at(app.text_input, "saved view.name").set_value("Plus")
    ran(button(app, "Keep this view").click())
    with demo_database.reading() as session:
        (view,) = reports.views(session, manager(demo_database))
    assert view.asked == {"plan": "plus"}


def test_the_amount_opens_the_revenue_of_the_same_day() -> None:
    """From the list as of a day to the distribution as of it."""
    app = opened(CLIENTS)
    then = past(app)
    app = opened(CLIENTS, as_of=then.isoformat())
    amount = at(app.button, "clients.monthly").label.split("**")[1]
    ran(at(app.button, "clients.monthly").click())
    assert app.title[0].value == "Plan distribution"
    assert at(app.date_input, "distribution.day").value == then
    assert rows(app)["Total"].iloc[-1] == amount.replace("\\", "")


def test_a_day_before_the_first_client_says_so() -> None:
    assert "There were no clients yet on" in plain_text(opened(CLIENTS, as_of="2001-01-01"))


def test_the_file_of_the_distribution_says_day_measure_and_statuses() -> None:
    """In its name, and beside each row; amounts are numbers."""
    counted, on = [ListedStatus.INVITED, ListedStatus.ACTIVE], date(2026, 10, 31)
    assert distribution_file.named(on, "revenue", counted) == "plan distribution 2026-10-31 revenue invited+active.csv"
    assert distribution_file.named(on, "clients", list(ListedStatus)).endswith("clients all.csv")
    table = pd.DataFrame({"Us": [24000, 24000], "Total": [24001, 24001]}, index=["Plus", "Total"])
    said = distribution_file.content(table, on, "Revenue a month (EUR)", counted, is_money=True).decode("utf-8-sig")
    assert list(csv.reader(said.splitlines())) == [
        ["Subscription", "Us", "Total", "At the end of", "Measure", "Statuses counted"],
        ["Plus", "20.00", "20.00", "2026-10-31", "Revenue a month (EUR)", "Invited and Active"],
        ["Total", "20.00", "20.00", "2026-10-31", "Revenue a month (EUR)", "Invited and Active"],
    ]
