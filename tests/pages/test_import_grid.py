"""The grid in which the rows of a list are corrected: what stands in it, in which order, and its lists."""

import json
from typing import Any

from streamlit.testing.v1 import AppTest

from core.storage import Database
from tests.pages.conftest import at, emptied, plain_text, ran
from tests.pages.test_import_page import as_csv, brought, clients, correct, invite, verdicts


def column_config(app: AppTest, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(app.dataframe[0].proto.columns)[name]
    return found


def test_the_name_stays_in_sight_and_what_is_to_correct_comes_first() -> None:
    """Then the other columns, as they are in the list."""
    rows = [["x", "Aubry", "", "BE", "aubry"]]
    app = brought(as_csv(rows, ["Notes", "Name", "Subscription", "Country", "E-mail"]))
    assert list(app.dataframe[0].value.columns) == ["line", "c1", "reasons", "c4", "c0", "c2", "c3"]
    assert column_config(app, "c1")["pinned"]
    assert not column_config(app, "reasons").get("pinned")


def test_settings_and_language_are_corrected_with_lists(demo_database: Database) -> None:
    """What stands in the cell stays to be seen, and what is picked is understood."""
    headings = ["Name", "E-mail", "Language", "Paid by", "Billing period", "Subscription"]
    app = brought(as_csv([["Zoe", "zoe@new.example", "Klingon", "nobody", "weekly", "Gold"]], headings))
    for name, first in {"c2": "English", "c3": "Us", "c4": "Monthly", "c5": "Starter"}.items():
        options = column_config(app, name)["type_config"]["options"]
        assert options[:2] == ["", first]
        assert options[-1] in {"Klingon", "nobody", "weekly", "Gold"}
    correct(app, row0={"c2": "Français", "c3": "The client", "c4": "Yearly", "c5": "Plus"})
    ran(at(app.button, "import.check").click())
    assert verdicts(app) == ["All rows · 1", "Ready · 1"]
    invite(app)
    assert clients(demo_database) == ["zoe@new.example"]


def test_columns_that_the_list_lacks_are_there_to_be_filled_in(demo_database: Database) -> None:
    """When the reasons speak of them: without defaults a row says every setting."""
    emptied(demo_database)
    app = brought(b"Name,E-mail\nZoe,zoe@new.example\n")
    shown = app.dataframe[0].value
    assert list(shown.columns) == ["line", "c0", "reasons", "c2", "c3", "c4", "c5", "c1"]
    assert list(shown["c2"]) == [""]
    correct(app, row0={"c2": "Us", "c3": "Monthly", "c4": "Plus", "c5": "none"})
    ran(at(app.button, "import.check").click())
    assert verdicts(app) == ["All rows · 1", "Ready · 1"]
    assert "Columns: Name, E-mail, Paid by, Billing period, Subscription and Add-ons" in plain_text(app)
    invite(app)
    assert clients(demo_database) == ["zoe@new.example"]


def test_a_row_is_as_high_as_its_longest_reasons() -> None:
    """They are read whole; short ones take no more room than three lines."""
    long = [["x", "Aubry", "0471730203", "BE0471730203", "nobody", "Gold", "weekly"]]
    headings = ["E-mail", "Name", "Company number", "VAT number", "Paid by", "Subscription", "Billing period"]
    high = brought(as_csv(long, headings)).dataframe[0].proto.row_height
    assert high > brought(b"Name,E-mail\nZoe,x\n").dataframe[0].proto.row_height == 62


def test_wrong_check_digits_are_said_to_be_that() -> None:
    """The number begins as it should and is long enough."""
    reasons = brought(b"Name,E-mail,KBO\nZoe,zoe@new.example,0123456789\n").dataframe[0].value["reasons"][0]
    assert "The last two digits of this company number do not fit the others" in reasons
