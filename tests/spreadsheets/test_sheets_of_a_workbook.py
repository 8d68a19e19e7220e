"""A workbook with several sheets, and with rows that are hidden: which list is read, and what is told of it."""

from io import BytesIO
from typing import Any

import pytest
from xlsxwriter import Workbook

from core import imports
from core.spreadsheets import Sheet, UnreadableFile
from tests.spreadsheets.made import AUBRY, HEADINGS, in_ods, table, workbook

NOTES = ["What was agreed", "When"]


def several(**sheets: list[list[str]]) -> bytes:
    """A workbook of these sheets, by name."""
    content = BytesIO()
    with Workbook(content) as book:
        for name, rows in sheets.items():
            table(book.add_worksheet(name), *rows)
    return content.getvalue()


def read(content: bytes, name: str = "list.xlsx") -> Sheet:
    return imports.read(name, content)


@pytest.mark.parametrize("first", [[], [NOTES, ["much", "soon"]]], ids=["empty", "notes"])
def test_a_list_on_another_sheet_is_found(first: list[list[str]]) -> None:
    """Where the first one has no headings of a list; the page can say which was taken, and which not."""
    sheet = read(several(Notes=first, Clients=[HEADINGS, AUBRY], Older=[HEADINGS]))
    assert [row.cells for row in sheet.rows] == [tuple(AUBRY)]
    assert (sheet.name, sheet.others) == ("Clients", ("Notes", "Older"))


def test_the_first_sheet_is_read_where_it_has_the_list() -> None:
    """And nothing needs to be said."""
    sheet = read(several(Clients=[HEADINGS, AUBRY], Older=[HEADINGS, AUBRY, AUBRY]))
    assert (len(sheet.rows), sheet.name, sheet.others) == (1, "", ())


def test_where_no_sheet_has_known_headings_the_first_is_read_and_all_are_named() -> None:
    """Somebody can choose its columns, or bring another."""
    sheet = read(several(One=[NOTES, ["much", "soon"]], Two=[NOTES, ["x", "y"]]))
    assert sheet.headings == tuple(NOTES)
    assert (sheet.name, sheet.others) == ("One", ("Two",))


def test_an_empty_first_sheet_beside_others_is_refused_with_their_names() -> None:
    """The list may be there."""
    with pytest.raises(UnreadableFile, match=r"“One”, is empty\. The list may be on another one: Two and Three\."):
        read(several(One=[], Two=[NOTES], Three=[]))


def test_a_first_sheet_with_headings_alone_is_not_the_list() -> None:
    """Another one has rows below its headings; where none has, the sheets are named."""
    sheet = read(several(Blank=[["Our clients"], HEADINGS], Empty=[HEADINGS], Clients=[HEADINGS, AUBRY]))
    assert [row.cells for row in sheet.rows] == [tuple(AUBRY)]
    assert (sheet.name, sheet.others) == ("Clients", ("Blank", "Empty"))
    named = r"“Blank”, has headings and no rows below them\. The list may be on another one: Notes and Empty\."
    with pytest.raises(UnreadableFile, match=named):
        read(several(Blank=[HEADINGS], Notes=[NOTES, ["much", "soon"]], Empty=[HEADINGS]))
    with pytest.raises(UnreadableFile, match=r"^This list has headings and no rows below them\."):
        read(several(Blank=[HEADINGS]))


def test_titles_above_the_list_on_another_sheet_are_skipped_there() -> None:
    """As on the first."""
    sheet = read(several(Notes=[], Clients=[["Our clients in 2026"], HEADINGS, AUBRY]))
    assert (sheet.headings_line, sheet.skipped, sheet.name) == (2, 1, "Clients")


def test_rows_hidden_by_a_filter_are_read_and_counted() -> None:
    """As XlsxWriter and LibreOffice write them; a hidden column or heading is no row."""

    def fill(_: Workbook, sheet: Any) -> None:
        table(sheet, HEADINGS, AUBRY, ["Beau", "FR", "b@example.com"], ["Cordier", "FR", "c@example.com"])
        sheet.autofilter(0, 0, 3, 2)
        sheet.filter_column("B", "x == BE")
        sheet.set_row(2, options={"hidden": True})
        sheet.set_row(3, options={"hidden": True})
        sheet.set_row(9, options={"hidden": True})
        sheet.set_column(1, 1, None, None, {"hidden": True})

    sheet = read(workbook(fill))
    assert (len(sheet.rows), sheet.hidden) == (3, 2)
    assert read(workbook(lambda _, sheet: table(sheet, HEADINGS, AUBRY))).hidden == 0


def test_rows_hidden_in_an_opendocument_list_are_counted_too() -> None:
    """LibreOffice says it of each row."""
    row = '<table:table-row table:style-name="ro1">'
    cell = '<table:table-cell office:value-type="string" calcext:value-type="string"><text:p>Boulangerie'
    hidden = row.replace(">", ' table:visibility="filter">')
    assert read(in_ods(), "list.ods").hidden == 0
    assert read(in_ods(row + cell, hidden + cell), "list.ods").hidden == 1
