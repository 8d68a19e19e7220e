"""Values that no widget can give, sent all the same: each counts for the default, and the visit goes on."""

from datetime import timedelta
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from pages.parts.choices import _Widget
from tests.pages.conftest import CLIENTS, DEFAULTS, DISTRIBUTION, INVITE, at, opened, plain_text, ran

MEMBERS = "pages/settings/members.py"


def is_well(app: AppTest) -> None:
    """Nothing went wrong on it, and it shows what it is for."""
    assert "Something went wrong" not in plain_text(app)
    assert app.title


def choices_of(app: AppTest) -> dict[str, _Widget]:
    return dict(app.session_state["choices"])


@pytest.mark.parametrize("page", [CLIENTS, INVITE, DEFAULTS, DISTRIBUTION, MEMBERS])
def test_no_choice_takes_what_it_does_not_offer(page: str) -> None:
    """On every page with a choice: nothing at all is what a browser can send for any of them."""
    app = opened("" if page == CLIENTS else page)
    if page == MEMBERS:
        ran(at(app.button, "members.invite").click())
    for widget in choices_of(app).values():
        app.session_state[widget.key] = [] if isinstance(widget.value, list) else None
    is_well(ran(app))
    is_well(ran(app))
    for key, widget in choices_of(app).items():
        kept = app.session_state[key]
        for value in kept if isinstance(kept, list) else [kept]:
            assert value in widget.options or (value is None and (widget.may_be_empty or widget.otherwise is None))


@pytest.mark.parametrize(
    ("widget", "said", "taken"),
    [
        (_Widget("k", None, 0, None, ("a", "b"), "a", may_be_empty=False), None, "a"),
        (_Widget("k", None, 0, None, ("a", "b"), "a", may_be_empty=False), "c", "a"),
        (_Widget("k", None, 0, None, ("a", "b"), "a", may_be_empty=False), "b", "b"),
        (_Widget("k", None, 0, None, ("a", "b"), None, may_be_empty=True), None, None),
        (_Widget("k", None, 0, None, (None, "b"), None, may_be_empty=False), "", None),
        (_Widget("k", None, 0, None, ("a", "b"), ["a"], may_be_empty=True), ["b", "c"], ["b"]),
        (_Widget("k", None, 0, None, ("a", "b"), ["a"], may_be_empty=True), [], []),
    ],
)
def test_what_a_widget_says_counts_only_where_it_offers_it(widget: _Widget, said: Any, taken: Any) -> None:
    assert widget.takes(said) == taken


def test_an_empty_choice_of_the_distribution_is_its_first_one() -> None:
    """A control that must have a value can be sent without one; the page does not break until it is loaded anew."""
    app = opened(DISTRIBUTION)
    for name in ("distribution.measure", "distribution.split"):
        app.session_state[choices_of(app)[name].key] = None
    is_well(ran(app))
    assert app.session_state["distribution.measure"] == "clients"
    assert app.session_state["distribution.split"] == "source"
    is_well(ran(app))


def test_a_save_with_an_empty_choice_takes_the_default_of_the_form() -> None:
    """Also in the callback, which runs before the page."""
    app = opened(DEFAULTS)
    ran(at(app.toggle, "defaults 1.pays").set_value(False))
    key = next(key for key in choices_of(app) if key.endswith(".billing_period"))
    app.session_state[choices_of(app)[key].key] = None
    ran(at(app.button, "defaults 1.save").click())
    is_well(app)
    assert "Version 4 is saved" in plain_text(app)


def test_a_day_that_cannot_be_chosen_is_today() -> None:
    """None, or one that has not come."""
    app = opened(DISTRIBUTION)
    today = app.date_input[0].value
    for day in (None, today + timedelta(days=400)):
        app.session_state["distribution.day"] = day
        app.run()
        assert "Something went wrong" not in plain_text(app)
        assert app.title


@pytest.mark.parametrize("cell", [(10**6, "Total"), (-9, "Total"), (0, "nonsense")])
def test_a_cell_that_is_not_there_leads_to_clients_all_the_same(cell: tuple[int, str]) -> None:
    app = opened(DISTRIBUTION)
    key = next(key for key in app.session_state._state.filtered_state if key.startswith("distribution.table"))
    app.session_state[key] = {"selection": {"rows": [], "columns": [], "cells": [cell]}}
    is_well(ran(app))


@pytest.mark.parametrize("page", [0, -3, 10**9, 2**70])
def test_a_page_that_is_not_there_is_one_that_is(page: int) -> None:
    app = opened()
    pager = next(key for key in app.session_state._state.filtered_state if key.startswith("clients.pager"))
    app.session_state[pager] = page
    app.run()
    assert "Something went wrong" not in plain_text(app)
    assert app.title


@pytest.mark.parametrize(
    "parameters",
    [
        {"plan": "nonsense", "status": "", "payer": "7"},
        {"responsible": str(2**63)},
        {"responsible": "-1", "order_by": "nonsense", "page": "0"},
        {"page": "9" * 5000},
        {"search": "\u202e%_\\"},
    ],
)
def test_a_url_that_asks_for_what_there_is_not_shows_the_list(parameters: dict[str, str]) -> None:
    is_well(opened(**parameters))


@pytest.mark.parametrize("number", ["", "0", "-1", "999999999", str(2**63), "1e3", "\u0663"])
def test_a_url_with_a_number_that_nothing_goes_by(number: str) -> None:
    is_well(opened("pages/clients/client_subscription.py", client=number))
    is_well(opened(MEMBERS, member=number))
