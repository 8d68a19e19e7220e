"""Inviting from a spreadsheet, driven as somebody with a list drives it; then core is asked what is true."""

import csv
import json
from collections.abc import Iterable
from dataclasses import replace
from io import StringIO
from typing import Any

import pytest
from sqlalchemy import update
from streamlit.testing.v1 import AppTest

from core import bulk, catalogue, defaults, demo, members, reports, spreadsheets, subscriptions
from core.members import Member
from core.storage import Database
from core.words import ActivityKind, NotAllowed, Role, Setting, listed, speak, t
from pages.clients import import_files, import_list, import_rows
from pages.parts import invitation, server
from tests.conftest import STANDARD
from tests.pages.conftest import (
    INVITE,
    ROOT,
    asked,
    at,
    emptied,
    manager,
    opened,
    plain_text,
    ran,
    refused_alone,
    saved_by_a_colleague,
)

WORKBOOKS = ROOT / "tests" / "spreadsheets" / "workbooks"
HEADINGS = ["Name", "Country", "E-mail", "Subscription", "Paid by", "Notes"]
GOOD = [
    ["Aubry & Fils", "BE", "aubry@new.example", "", "", "an old friend"],
    ["Brasserie du Parc", "BE", "brasserie@new.example", "Plus", "client", ""],
    ["Cordier *Consulting*", "FR", "cordier@new.example", "", "us", ""],
]
BAD = [
    ["Dupont", "BE", "dupont", "", "", ""],
    ["", "BE", "emile@new.example", "Gold", "", ""],
    ["Aubry again", "BE", "AUBRY@new.example", "", "", ""],
]


def as_csv(rows: Iterable[list[str]], headings: list[str] = HEADINGS, separator: str = ",") -> bytes:
    text = StringIO()
    csv.writer(text, delimiter=separator).writerows([headings, *rows])
    return text.getvalue().encode()


def tab(acting: int = 2, locale: str = "en-GB") -> AppTest:
    """The second tab, open: AppTest cannot click on tabs."""
    app = opened(INVITE, acting=acting, locale=locale)
    app.session_state[f"inviting.way {app.session_state['language']}"] = t("A spreadsheet")
    return ran(app)


def uploaded(app: AppTest, content: bytes, name: str = "list.csv") -> AppTest:
    return ran(app.file_uploader[0].upload(name, content))


def brought(content: bytes, name: str = "list.csv", **who: Any) -> AppTest:
    return uploaded(tab(**who), content, name)


def verdicts(app: AppTest) -> list[str]:
    """The kinds of rows one can look at, each with how many there are."""
    return list(at(app.button_group, "import.verdict").options)


def look_at(app: AppTest, kind: str) -> AppTest:
    return ran(at(app.button_group, "import.verdict").set_value(kind))


def correct(app: AppTest, **rows: dict[str, str]) -> AppTest:
    """Type in the editor: row0={"c2": "..."}."""
    return edit(app, {int(row.removeprefix("row")): cells for row, cells in rows.items()})


def edit(app: AppTest, rows: dict[int, dict[str, str]], **beside: list[Any]) -> AppTest:
    """What a browser says when cells are typed in, which AppTest has no words for; `beside`: rows added and deleted."""
    states = app._tree.get_widget_states()
    said = {"edited_rows": rows, "added_rows": [], "deleted_rows": []} | beside
    states.widgets.add(id=app.dataframe[0].proto.id, string_value=json.dumps(said))
    app._run(states)
    assert not app.exception
    return app


def invite(app: AppTest) -> AppTest:
    return ran(at(app.button, "import.invite").click())


def clients(database: Database, search: str = "new.example") -> list[str]:
    found = asked(database, reports.billing_sources, search=search)
    return sorted(asked(database, subscriptions.detail, int(number)).client.email for number in found["client_id"])


def counted(app: AppTest) -> list[str]:
    """The lines of the report: each a label and its number."""
    said = plain_text(app).splitlines()
    return [line for line in said if line.isdecimal()]


# --- bring a list


def test_the_tab_says_what_one_does_and_offers_templates() -> None:
    """A file, pasted rows, and a list to begin with."""
    app = tab()
    assert "Nobody is invited before you say so" in plain_text(app)
    assert app.file_uploader[0].allowed_type == [".csv", ".xlsx", ".xls", ".ods", ".txt"]
    assert [button.label for button in app.download_button] == ["CSV", "XLSX"]
    assert not [button for button in app.button if str(button.key).endswith(".send")]  # the other tab is not there


@pytest.mark.parametrize("reader", ["en", "fr"])
@pytest.mark.parametrize("kind", list(import_files.MIME))
def test_a_template_can_be_brought_as_it_is(
    reader: str,
    kind: spreadsheets.Format,
    demo_database: Database,
) -> None:
    """Its examples are ready, whatever the language of its headings."""
    with demo_database.reading() as session:
        offer = catalogue.stored(session, "EUR")
    content = import_files._template(manager(demo_database), offer, reader, kind)
    assert verdicts(brought(content, f"clients.{kind.value}")) == ["All rows · 3", "Ready · 3"]


def test_what_was_understood_is_said_before_anybody_is_invited(demo_database: Database) -> None:
    """The format, the headings that are not used, what each row would become, and what it costs whom."""
    app = brought(as_csv(GOOD + BAD, separator=";"))
    output = plain_text(app)
    assert "CSV, UTF-8, separated by semicolon · 6 rows" in output
    assert "Not used: Notes" in output
    assert "Bound to default settings v3" in output
    assert verdicts(app) == ["All rows · 6", "Ready · 3", "Needs correction · 2", "Twice in this file · 1"]
    assert [(figure.label, figure.value) for figure in app.metric] == [
        ("A month, paid by us", r"€54\.00"),
        ("A month, paid by the clients", r"€42\.00"),
    ]
    assert clients(demo_database) == []


def test_each_row_is_shown_with_what_it_would_get_and_from_where() -> None:
    """Its settings, their source, its price, and its verdict."""
    app = look_at(brought(as_csv(GOOD + BAD)), "every")
    assert name_column(app) == ("Client", "text")
    table = app.dataframe[0].value
    assert list(table["name"]) == [
        "Aubry & Fils",
        "Brasserie du Parc",
        "Cordier *Consulting*",
        "Dupont",
        "",
        "Aubry again",
    ]
    assert list(table["line"]) == ["2", "3", "4", "5", "6", "7"]
    assert [list(pills) for pills in table["source"]] == [
        ["Default v3"],
        ["Override: payer, plan"],
        ["Override: payer"],
        [],
        [],
        [],
    ]
    assert list(table["monthly"])[:3] == ["€27.00", "€42.00", "€27.00"]
    assert [pills[0] for pills in table["verdict"]] == [
        "Ready",
        "Ready",
        "Ready",
        "Needs correction",
        "Needs correction",
        "Twice in this file",
    ]
    assert "Name: Fill this in. · Subscription: “Gold” is none of" in table["reasons"][4]


def test_headings_and_file_names_are_shown_as_text() -> None:
    """Whatever they hold."""
    app = brought(as_csv(GOOD, [*HEADINGS[:5], "![i](http://x.example/i.png)"]), "**bold** :red[list].csv")
    assert "Not used: ![i](http://x.example/i.png)" in [text.value for text in app.text]
    assert "**bold** :red[list].csv" in [text.value for text in app.text]
    assert not [markdown for markdown in [*app.markdown, *app.caption] if "http" in markdown.value]


@pytest.mark.parametrize(
    ("kind", "called"),
    [("xlsx", "Excel workbook"), ("xls", "Excel workbook"), ("ods", "OpenDocument spreadsheet")],
)
def test_a_workbook_of_any_kind_is_read(kind: str, called: str) -> None:
    """The same list, saved in each format."""
    app = brought((WORKBOOKS / f"libreoffice.{kind}").read_bytes(), f"list.{kind}")
    assert f"{called} · 3 rows" in plain_text(app)


def test_pasted_rows_are_read_like_a_file() -> None:
    """As a spreadsheet copies them, separated by tabs."""
    app = tab()
    at(app.text_area, "import.pasted").set_value(as_csv(GOOD, separator="\t").decode())
    ran(at(app.button, "import.read").click())
    assert "Pasted rows, separated by tab · 3 rows" in plain_text(app)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        pytest.param("list.csv", b"%PDF-1.7 ...", "This file is a PDF", id="another kind"),
        pytest.param("list.xlsx", b"Name,E-mail", "", id="text named a workbook"),
        pytest.param("list.csv", b"Name,E-mail\n", "headings and no rows", id="no rows"),
    ],
)
def test_a_list_that_cannot_be_read_is_refused_with_what_to_do(name: str, content: bytes, sentence: str) -> None:
    """It stays said while one looks at the page, and the list before it stays."""
    app = uploaded(brought(as_csv(GOOD), "before.csv"), content, name)
    for _ in range(2):
        assert sentence in plain_text(app)
        assert verdicts(ran(app)) == ["All rows · 3", "Ready · 3"]
        assert app.error
    assert sentence in plain_text(brought(content, name))


def test_pasted_rows_that_are_refused_stay_in_their_field() -> None:
    """To correct and read again."""
    app = tab()
    at(app.text_area, "import.pasted").set_value("Company\tE-mail")
    ran(at(app.button, "import.read").click())
    assert "headings and no rows" in plain_text(app)
    assert "E-mail" in at(app.text_area, "import.pasted").value


def test_another_list_takes_the_place_of_the_one_before() -> None:
    """Nothing of the first one is left."""
    app = correct(brought(as_csv(GOOD + BAD)), row0={"c2": "x@new.example"})
    uploaded(app, as_csv(GOOD[:1]), "second.csv")
    assert verdicts(app) == ["All rows · 1", "Ready · 1"]
    assert not at(app.button, "import.invite").disabled


def test_the_list_survives_a_visit_to_other_pages_and_another_language() -> None:
    """With the tab open as it was, and what was typed."""
    app = correct(brought(as_csv(GOOD + BAD)), row0={"c2": "typed@new.example"})
    ran(app.switch_page("pages/clients/billing_sources.py"))
    ran(app.switch_page(INVITE))
    assert "1 correction is not checked yet." in plain_text(app)
    assert "typed@new.example" in list(app.dataframe[0].value["c2"])
    speak("en")
    ran(at(app.button_group, "language").set_value("fr"))
    assert len(verdicts(app)) == 4
    assert "typed@new.example" in list(app.dataframe[0].value["c2"])


# --- correct


def test_rows_are_corrected_in_place_and_become_ready(demo_database: Database) -> None:
    """What is typed is kept, checked when asked for, and not invited before."""
    app = brought(as_csv(GOOD + BAD))
    assert list(app.dataframe[0].value["line"]) == ["5", "6"]
    correct(app, row0={"c2": "dupont@new.example"}, row1={"c0": "Émile"})
    assert "2 corrections are not checked yet." in plain_text(app)
    assert at(app.button, "import.invite").disabled
    ran(at(app.button, "import.check").click())
    assert verdicts(app) == ["All rows · 6", "Ready · 4", "Needs correction · 1", "Twice in this file · 1"]
    assert list(app.dataframe[0].value["c0"]) == ["Émile"]
    invite(app)
    assert "dupont@new.example" in clients(demo_database)


def test_what_was_typed_is_kept_while_one_looks_elsewhere() -> None:
    """And can be typed over."""
    app = correct(brought(as_csv(GOOD + BAD)), row0={"c2": "one@new.example"}, row1={"c0": "Émile"})
    look_at(app, "ready")
    assert "2 corrections are not checked yet." in plain_text(app)
    look_at(app, "needs_correction")
    assert list(app.dataframe[0].value["c2"]) == ["one@new.example", "emile@new.example"]
    correct(app, row0={"c2": "two@new.example"})
    assert app.session_state["import.upload"].typed == {5: {2: "two@new.example"}, 6: {0: "Émile"}}
    correct(app, row0={"c2": "dupont"})
    assert "1 correction is not checked yet." in plain_text(app)  # typed back as it was


def test_what_is_typed_is_kept_when_the_same_click_turns_the_page() -> None:
    """A browser that leaves a cell for the next page says both at once."""
    rows = [[f"Client {number}", "BE", f"nobody {number}", "", "", ""] for number in range(150)]
    app = brought(as_csv(rows))
    app.pagination[0].set_value(2)
    edit(app, {0: {"c2": "first@new.example"}})
    assert app.dataframe[0].value["c0"][0] == "Client 100"
    assert app.session_state["import.upload"].typed == {2: {2: "first@new.example"}}


def test_a_row_that_is_there_twice_can_be_corrected_too() -> None:
    """Its e-mail may have been a slip."""
    app = look_at(brought(as_csv(GOOD + BAD)), "twice")
    correct(app, row0={"c2": "other@new.example"})
    ran(at(app.button, "import.check").click())
    assert verdicts(app) == ["All rows · 6", "Ready · 4", "Needs correction · 2"]


@pytest.mark.parametrize("edited", [{0: {"reasons": "none"}}, {0: {"line": "3"}}, {-1: {"c0": "x"}}], ids=str)
def test_a_browser_that_says_more_than_was_asked_changes_nothing(edited: dict[int, Any]) -> None:
    """Only cells of the list that are shown can be typed in; no row is added or taken away."""
    app = brought(as_csv(GOOD + BAD))
    edit(app, edited, added_rows=[{"c0": "x"}], deleted_rows=[0])
    assert not app.error
    assert app.session_state["import.upload"].typed == {}
    assert verdicts(app)[0] == "All rows · 6"


@pytest.mark.parametrize("edited", [{99: {"c0": "x"}}, {0: {"c77": "x"}}], ids=str)
def test_a_cell_that_is_not_there_is_not_typed_in(edited: dict[int, Any]) -> None:
    """Whoever made it up."""
    rows = brought(as_csv(GOOD + BAD)).session_state["import.upload"].previewed.rows
    assert import_rows._typed({}, edited, rows, {"c0": 0}) == {}


def test_many_rows_to_correct_are_shown_a_page_at_a_time() -> None:
    """And what is typed on one page stays when another is looked at."""
    rows = [[f"Client {number}", "BE", f"nobody {number}", "", "", ""] for number in range(150)]
    app = brought(as_csv(rows))
    assert len(app.dataframe[0].value) == 100
    correct(app, row0={"c2": "first@new.example"})
    ran(app.pagination[0].set_value(2))
    assert app.dataframe[0].value["c0"][0] == "Client 100"
    correct(app, row0={"c2": "hundredth@new.example"})
    ran(app.pagination[0].set_value(1))
    assert app.dataframe[0].value["c2"][0] == "first@new.example"
    ran(at(app.button, "import.check").click())
    assert verdicts(app) == ["All rows · 150", "Ready · 2", "Needs correction · 148"]


@pytest.mark.parametrize(
    ("name", "separator", "kind"), [("list.csv", ";", "csv"), ("list.csv", ",", "csv"), ("list.xlsx", "", "xlsx")]
)
def test_what_needs_correction_goes_back_as_it_came(
    demo_database: Database, name: str, separator: str, kind: str
) -> None:
    """The same columns and the reasons; brought again as it is, it says the same. Who took it is kept."""
    rows = GOOD + BAD
    content = as_csv(rows, separator=separator) if separator else spreadsheets.as_xlsx(HEADINGS, rows)
    app = brought(content, name)
    previewed = app.session_state["import.upload"].previewed
    assert [button for button in app.download_button if button.key == "import.corrections"]
    by = manager(demo_database, 1)
    made = import_files._corrections(by, previewed, "en", spreadsheets.Format(kind))
    with demo_database.reading() as session:
        (taken,) = members.activities(session, by)
    assert (taken.by, taken.what, taken.number) == (by.name, ActivityKind.CORRECTIONS_FILE, 2)
    sheet = spreadsheets.read(f"corrections.{kind}", made)
    assert sheet.headings == (*HEADINGS, "Reasons")
    assert sheet.separator == separator
    assert [row.cells[2] for row in sheet.rows] == ["dupont", "emile@new.example"]
    assert verdicts(brought(made, f"corrections.{kind}"))[0] == "All rows · 2"


# --- invite


def test_all_ready_rows_are_invited_at_once_and_the_report_adds_up(demo_database: Database) -> None:
    """With the settings that were shown; what is not ready stays to correct."""
    known = asked(demo_database, subscriptions.detail, 7).client.email
    app = invite(brought(as_csv([*GOOD, *BAD, ["Known", "BE", known, "", "", ""]])))
    output = plain_text(app)
    assert "3 clients are invited." in output
    assert "Batch 1 · Bound to default settings v3" in output
    assert "In the demo nothing is ever sent." in output
    assert counted(app) == ["3", "2", "1", "1"]
    assert "**7**" in [markdown.value for markdown in app.markdown]
    assert clients(demo_database) == ["aubry@new.example", "brasserie@new.example", "cordier@new.example"]
    found = asked(demo_database, reports.billing_sources, search="brasserie@new.example")
    assert list(found["overridden"]) == ["payer;plan"]
    ran(at(app.button, "import.rest").click())
    assert verdicts(app) == ["All rows · 7", "Needs correction · 2", "Already a client · 5"]


def name_column(app: AppTest) -> tuple[str, str]:
    """Its heading, and what a name is: a button that opens the client, or text."""
    said = json.loads(app.dataframe[0].proto.columns)["name"]
    return said["label"], said["type_config"]["type"]


def test_the_report_lists_who_was_invited_and_leads_to_each(demo_database: Database) -> None:
    """And says what is to be done by whom from here on."""
    app = invite(brought(as_csv(GOOD + BAD)))
    output = plain_text(app)
    assert "Each of them is invited until it accepts" in output
    assert "3 rows are still to correct" in output
    assert list(app.dataframe[0].value["name"]) == ["Aubry & Fils", "Brasserie du Parc", "Cordier *Consulting*"]
    assert name_column(app) == ("Client", "button")
    (made,) = asked(demo_database, bulk.batches)
    first, *_ = asked(demo_database, bulk.clients_of, made.batch)
    app.session_state["import.opened"] = first.client_id  # what a click on its row leads to
    assert "Aubry & Fils" in plain_text(ran(app))


def test_the_same_list_again_invites_nobody(demo_database: Database) -> None:
    """Everybody in it is a client, who can be opened from here."""
    app = invite(brought(as_csv(GOOD)))
    ran(at(app.button, "import.anew").click())
    assert app.file_uploader
    uploaded(app, as_csv(GOOD))
    assert verdicts(app) == ["All rows · 3", "Already a client · 3"]
    assert at(app.button, "import.invite").disabled
    assert name_column(app) == ("Client", "button")
    first = app.session_state["import.upload"].previewed.rows[0]
    app.session_state["import.opened"] = first.client_id  # what a click on its row leads to
    assert "Aubry & Fils" in plain_text(ran(app))


def test_a_second_click_invites_nobody_twice(demo_database: Database) -> None:
    """The work is begun once; what it did is told once."""
    app = brought(as_csv(GOOD))
    held = app.session_state["import.upload"]
    for _ in range(2):
        import_list._begin(demo_database, manager(demo_database), held, "en")
    assert held.inviting is not None
    assert "3 clients are invited." in plain_text(ran(app))
    import_list._begin(demo_database, manager(demo_database), held, "en")
    assert held.inviting is None
    assert len(clients(demo_database)) == 3


def test_who_became_a_client_meanwhile_is_counted_as_one(demo_database: Database) -> None:
    """The same list brought by two people at once."""
    first, second = brought(as_csv(GOOD)), brought(as_csv(GOOD))
    invite(first)
    invite(second)
    assert "Nobody was invited." in plain_text(second)
    assert counted(second) == ["0", "0", "0", "3"]


def test_defaults_that_changed_since_are_shown_before_anybody_is_invited(demo_database: Database) -> None:
    """Nobody was invited, and the rows are checked anew; the second click invites on the new ones."""
    app = brought(as_csv(GOOD + BAD))
    saved_by_a_colleague(demo_database, plan="plus", add_ons=frozenset())
    invite(app)
    output = plain_text(app)
    assert "Demo client manager saved version 4 on" in output
    assert "Nobody was invited. The rows are checked again" in output
    assert "Bound to default settings v4" in output
    assert clients(demo_database) == []
    invite(app)
    assert "3 clients are invited." in plain_text(app)
    assert "saved version 4" not in plain_text(app)


def test_a_catalogue_that_changed_since_is_checked_with_first(demo_database: Database) -> None:
    """A plan retired meanwhile needs a correction."""
    app = brought(as_csv(GOOD))
    with demo_database.transaction() as session:
        held = catalogue.stored(session, "EUR")
        plans = {**held.plans, "plus": replace(held.plans["plus"], is_retired=True)}
        catalogue.store(session, replace(held, plans=plans))
    invite(app)
    assert "Nobody was invited. The rows are checked again" in plain_text(app)
    assert verdicts(app) == ["All rows · 3", "Ready · 2", "Needs correction · 1"]


def test_without_defaults_each_row_says_every_setting(demo_database: Database) -> None:
    """Rule 7: a row that does not is to be corrected."""
    emptied(demo_database)
    words = {setting: next(iter(setting.terms)).label for setting in Setting if setting.terms}
    words |= {Setting.PLAN: "Plus", Setting.ADD_ONS: "none"}
    rows = [
        ["Whole", "BE", "whole@new.example", *(words[setting] for setting in Setting)],
        ["Part", "BE", "part@new.example", *("Plus" if setting is Setting.PLAN else "" for setting in Setting)],
    ]
    app = brought(as_csv(rows, [*HEADINGS[:3], *(setting.label for setting in Setting)]))
    assert "No default settings are saved yet: each row says every setting." in plain_text(app)
    others = listed(setting.label for setting in Setting if setting is not Setting.PLAN)
    assert f"Choose these too: {others}." in app.dataframe[0].value["reasons"][0]
    assert "1 client is invited." in plain_text(invite(app))


def test_messages_on_their_way_are_told_so_only_where_a_mail_server_is_set(
    demo_database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Else they wait, and it says so."""
    assert invitation.when_it_leaves() == "In the demo nothing is ever sent."
    monkeypatch.setattr(server, "is_demo", lambda: False)
    assert "wait" in invitation.when_it_leaves()
    monkeypatch.setattr(server, "configuration", lambda: type("Set", (), {"smtp": object()}))
    assert invitation.when_it_leaves() == "Their messages leave as soon as the deliverer runs."


# --- who may


@pytest.mark.parametrize("acting", [4, 5, 6], ids=["finance", "accountant", "manager without access"])
def test_who_may_not_invite_never_sees_the_tab(acting: int, caplog: pytest.LogCaptureFixture) -> None:
    """The page is not in their menu, and refuses by itself."""
    app = opened(acting=acting)
    assert "Invite a client" not in {button.label for button in app.button}
    if acting != 6:  # to whom no page is offered at all
        app.switch_page(INVITE)
        ran(app)
    assert not app.tabs
    assert not app.text_input
    assert refused_alone(INVITE, caplog, acting=acting)


def test_who_lost_the_right_meanwhile_invites_nobody(demo_database: Database) -> None:
    """The member is asked of the database when it counts."""
    held, seen = brought(as_csv(GOOD)).session_state["import.upload"], manager(demo_database)
    with demo_database.transaction() as session:
        session.execute(update(Member).where(Member.member_id == seen.member_id).values(role=Role.FINANCE))
    import_list._begin(demo_database, seen, held, "en")
    with pytest.raises(NotAllowed):
        held.inviting.result()
    assert clients(demo_database) == []


def test_a_list_brought_in_another_partner_space_is_forgotten() -> None:
    """It belongs to the space whose defaults it was checked with."""
    app = brought(as_csv(GOOD))
    held = app.session_state["import.upload"]
    held.previewed = replace(held.previewed, partner_id=demo.PARTNER_ID + 1)
    ran(app)
    assert "import.upload" not in app.session_state


def test_one_question_gives_a_country_to_the_rows_without_one(demo_database: Database) -> None:
    """Belgium at first; another answer checks the list again, and the clients are of that country."""
    app = brought(b"Name,E-mail\nAubry,aubry@new.example\n")
    question = next(each for each in app.selectbox if each.label == "Country of rows without one")
    assert question.value == "BE"
    assert verdicts(app) == ["All rows · 1", "Ready · 1"]
    question.set_value("FR").run()
    assert app.session_state["import.upload"].previewed.rows[0].new_client.country == "FR"
    assert not [each for each in brought(as_csv(GOOD)).selectbox if each.label == "Country of rows without one"]


def test_a_row_is_corrected_with_a_list_of_the_sets_there_are(demo_database: Database) -> None:
    """What stands in the cell stays to be seen; a retired set is not offered (rules 18 and 20)."""
    with demo_database.transaction() as session:
        colleague = manager(demo_database)
        for name in ("Freelancers", "Old ones"):
            made = defaults.make_set(session, colleague, name, STANDARD)
        defaults.retire_set(session, colleague, made.set_number, seen=made.changes)
    headings = ["Name", "Country", "E-mail", "Default set"]
    app = brought(as_csv([["Zoe", "BE", "zoe@new.example", "Freelancer"]], headings))
    (place,) = (place for place in json.loads(app.dataframe[0].proto.columns).items() if place[0] == "c3")
    assert place[1]["type_config"]["options"] == ["", "Standard", "Freelancers", "Freelancer"]
    correct(app, row0={"c3": "Freelancers"})
    ran(at(app.button, "import.check").click())
    invite(app)
    (client,) = asked(demo_database, reports.listed, search="zoe@new.example")
    assert client.default_set == "Freelancers"
