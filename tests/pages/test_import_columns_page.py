"""A list whose headings do not say enough, on the page: each of our columns is picked among those of the list."""

from io import BytesIO
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest
from xlsxwriter import Workbook

from core.imports import Column
from core.storage import Database
from tests.pages.conftest import at, plain_text, ran
from tests.pages.test_import_page import (
    GOOD,
    HEADINGS,
    as_csv,
    brought,
    clients,
    correct,
    invite,
    tab,
    uploaded,
    verdicts,
)

ODD = b"Firm;Contact point;Nr\nAubry;aubry@new.example;BE0471730202\nCordier;cordier@new.example;\n"


def several_sheets() -> bytes:
    """A workbook whose list is on its second sheet, below a title and with a hidden row."""
    content = BytesIO()
    with Workbook(content) as book:
        book.add_worksheet("Notes").write(0, 0, "see the other sheet")
        sheet = book.add_worksheet("Our $clients$")
        for number, row in enumerate([["Clients of 2026"], HEADINGS, *GOOD]):
            sheet.write_row(number, 0, row)
        sheet.set_row(3, options={"hidden": True})
    return content.getvalue()


def test_how_a_workbook_was_read_is_told() -> None:
    """Which sheet, where its headings are, and that hidden rows count."""
    app = brought(several_sheets(), "list.xlsx")
    output = plain_text(app)
    assert "Read from the sheet “Our $clients$”. Not read: Notes." in output
    assert "The headings are in row 2; what stands above them is not read." in output
    assert "1 row is hidden in the workbook, by a filter or by hand." in output
    assert verdicts(app) == ["All rows · 3", "Ready · 3"]


def picker(app: AppTest, column: Column) -> Any:
    return at(app.selectbox, f"import columns.{column.value}")


def pick(app: AppTest, column: Column, place: int | str) -> AppTest:
    return ran(picker(app, column).set_value(place))


def checked(app: AppTest) -> AppTest:
    return ran(at(app.button, "import columns.check").click())


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        pytest.param(ODD, "No column was recognised as: Name and E-mail", id="unknown headings"),
        pytest.param(b"Name,Client,E-mail\na,b,c@new.example\n", "both mean: Name", id="a column twice"),
    ],
)
def test_a_list_with_other_headings_asks_which_column_is_which(content: bytes, sentence: str) -> None:
    """It says why, and each of our columns has a picker; default sets have none where there is one set."""
    app = brought(content)
    assert sentence in plain_text(app)
    for column in Column:
        if column is not Column.DEFAULT_SET:
            assert picker(app, column).options[0] == "Not in this list"
    assert not [each for each in app.selectbox if each.key.endswith("default_set")]


def test_the_best_guess_is_chosen_with_values_of_the_list_beside_it() -> None:
    """Another choice shows what stands there."""
    app = brought(ODD)
    assert {column: picker(app, column).value for column in (Column.NAME, Column.EMAIL, Column.VAT_NUMBER)} == {
        Column.NAME: 0, Column.EMAIL: 1, Column.VAT_NUMBER: 2,
    }  # fmt: skip
    assert picker(app, Column.MESSAGE).value == ""
    assert "Aubry · Cordier" in plain_text(app)
    assert plain_text(pick(app, Column.MESSAGE, 0)).count("Aubry · Cordier") == 2


def test_a_list_is_read_as_it_was_chosen_and_the_next_one_of_these_headings_too(demo_database: Database) -> None:
    """The page says that it was chosen."""
    app = checked(brought(ODD))
    assert verdicts(app) == ["All rows · 2", "Ready · 2"]
    invite(app)
    assert clients(demo_database) == ["aubry@new.example", "cordier@new.example"]
    again = brought(ODD.replace(b"aubry", b"other"))
    assert verdicts(again) == ["All rows · 2", "Ready · 1", "Already a client · 1"]
    assert "as they were chosen for these headings" in plain_text(again)


def test_one_column_for_two_of_ours_is_refused_in_words_and_the_choices_stay() -> None:
    """Nothing is checked before that is mended."""
    app = checked(pick(brought(ODD), Column.MESSAGE, 0))
    assert "“Firm” is chosen for Name and for Message" in plain_text(app)
    assert picker(app, Column.MESSAGE).value == 0
    assert verdicts(checked(pick(app, Column.MESSAGE, ""))) == ["All rows · 2", "Ready · 2"]


def test_back_leaves_the_list_before_as_it_was() -> None:
    """And asks for another file where there was none."""
    app = uploaded(brought(as_csv(GOOD), "before.csv"), ODD, "odd.csv")
    ran(at(app.button, "import columns.back").click())
    assert verdicts(app) == ["All rows · 3", "Ready · 3"]
    app = brought(ODD)
    ran(at(app.button, "import columns.back").click())
    assert app.file_uploader[0].value is None


def test_a_list_brought_in_another_partner_space_is_forgotten_while_its_columns_are_chosen() -> None:
    """It belongs to the space in which it was brought."""
    app = brought(ODD)
    app.session_state["import.choosing"].partner_id += 1
    ran(app)
    assert "import.choosing" not in app.session_state


def test_pasted_rows_stay_in_their_field_when_going_back() -> None:
    """To correct their headings and read them again."""
    app = tab()
    at(app.text_area, "import.pasted").set_value("Company\tPhone\na\tb")
    ran(at(app.button, "import.read").click())
    ran(at(app.button, "import columns.back").click())
    assert "Phone" in at(app.text_area, "import.pasted").value


def test_columns_that_were_found_can_be_chosen_otherwise_and_what_was_typed_stays() -> None:
    """Also where nothing is unclear."""
    app = brought(b"Name,Client ref,E-mail\nAubry,x,aubry\n")
    app = correct(app, row0={"c2": "aubry@new.example"})
    ran(at(app.button, "import.choose").click())
    assert picker(app, Column.NAME).value == 0
    assert "aubry@new.example" in plain_text(app)
    app = checked(pick(app, Column.EXTERNAL_REFERENCE, 1))
    assert app.session_state["import.upload"].previewed.columns.places[Column.EXTERNAL_REFERENCE] == 1
    assert verdicts(app) == ["All rows · 1", "Ready · 1"]


MACS = "Name,Country,E-mail\nKöhler,BE,k@new.example\n".encode("mac_roman")


def encodings(app: AppTest) -> list[Any]:
    return [group for group in app.button_group if "import encoding" in str(group.key)]


def test_a_file_whose_letters_do_not_decide_is_read_in_the_other_encoding(demo_database: Database) -> None:
    """What is seen and invited are its letters then; back again too."""
    app = brought(MACS)
    assert "CSV, Windows-1252, separated by comma" in plain_text(app)
    assert encodings(app)[0].options == ["Western (Windows)", "Mac"]
    for encoding, name in (("Mac", "Köhler"), ("Western (Windows)", "Kšhler"), ("Mac", "Köhler")):
        ran(encodings(app)[0].set_value(encoding))
        assert list(app.dataframe[0].value["name"]) == [name]
    assert "CSV, Mac Roman, separated by comma" in plain_text(app)
    invite(app)
    assert clients(demo_database) == ["k@new.example"]


def test_headings_that_were_read_in_the_wrong_encoding_are_known_in_the_other() -> None:
    """The columns need not be chosen then."""
    app = brought("Officiële naam;E-mail;Land\nA;a@new.example;BE\n".encode("cp1252"))
    ran(encodings(app)[0].set_value("Mac"))
    assert "No column was recognised as: Name" in plain_text(app)
    ran(encodings(app)[0].set_value("Western (Windows)"))
    assert verdicts(app) == ["All rows · 1", "Ready · 1"]


def test_while_columns_are_chosen_the_encoding_is_changed_there_and_back() -> None:
    """Each time the file is read once; what was picked for the reading before is not picked again."""
    app = brought("Fïrm;Cöntact\nKöhler;a@new.example\n".encode("cp1252"))
    for label, encoding, name in (
        ("Mac", "Mac Roman", "Kˆhler"),
        ("Western (Windows)", "Windows-1252", "Köhler"),
        ("Mac", "Mac Roman", "Kˆhler"),
    ):
        ran(encodings(app)[0].set_value(label))
        assert encodings(app)[0].value == encoding
        assert name in plain_text(app)


def test_the_encoding_is_not_asked_where_it_is_known_or_corrections_would_be_lost() -> None:
    """UTF-8, a workbook, and a list that somebody has corrected."""
    assert not encodings(brought(as_csv(GOOD)))
    assert not encodings(brought(several_sheets(), "list.xlsx"))
    app = brought(MACS.replace(b"k@new", b"k new"))
    assert encodings(app)
    assert not encodings(correct(app, row0={"c2": "k@new.example"}))
    assert not encodings(ran(at(app.button, "import.check").click()))


def test_a_refused_encoding_leaves_the_list_as_it_was() -> None:
    """And says why."""
    app = brought("Name,Country,E-mail\nCafé ê,BE,k@new.example\nç ê è\u00e8,BE,l@new.example\n".encode("mac_roman"))
    ran(encodings(app)[0].set_value("Western (Windows)"))
    assert "do not exist in Windows’ encoding" in plain_text(app)
    assert verdicts(app) == ["All rows · 2", "Ready · 2"]
