"""Workbooks that people bring, as several programs write them: the first sheet that can be seen, cell by cell, or one
sentence. What would crash, hang or fill the reader ends a child process and nothing else."""

import csv
import os
import re
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import date, time
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZIP_STORED, ZipFile

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from xlsxwriter import Workbook

from core import spreadsheets
from core.spreadsheets import DATE, MAX_ROWS, NO_VALUE, Format, UnreadableFile, as_xlsx, read, workbooks
from core.spreadsheets.workbooks import MERGED, Limits, records
from tests.spreadsheets.made import (
    AUBRY,
    HEADINGS,
    MAIN,
    SMALL,
    WORKBOOKS,
    found,
    in_ods,
    refusal,
    sheet_xml,
    table,
    with_parts,
    with_sheet,
    workbook,
)

TOO_LARGE = "This workbook holds far more than a list of clients."
DAMAGED = "This workbook is damaged"
PROTECTED = "This workbook is protected by a password."
TEXT_ROW = '<row r="1"><c r="A1" t="inlineStr"><is><t>Name</t></is></c></row><row r="2"><c r="A2"><v>1</v></c></row>'


def by_libreoffice(ending: str) -> bytes:
    return (WORKBOOKS / f"libreoffice.{ending}").read_bytes()


@pytest.fixture(autouse=True)
def _no_process_is_left() -> Iterator[None]:
    """Whatever became of the child, nobody has to bury it."""
    yield
    with suppress(ChildProcessError):  # there is none
        assert os.waitpid(-1, os.WNOHANG) == (0, 0)


@pytest.mark.parametrize("kind", [Format.XLSX, Format.XLS, Format.ODS])
def test_a_workbook_by_libreoffice_holds_what_its_csv_holds(kind: Format) -> None:
    """In each of its formats, with the page header and footer that it writes by default."""
    with (WORKBOOKS / "libreoffice.csv").open(newline="", encoding="utf-8") as file:
        headings, *rows = map(tuple, csv.reader(file, delimiter=";"))
    sheet = read(f"good.{kind.value.upper()}", by_libreoffice(kind.value))
    assert (sheet.format, sheet.encoding, sheet.separator) == (kind, "", "")
    assert sheet.headings == headings
    assert found(sheet) == list(enumerate(rows, 2))
    assert not any(row.odd for row in sheet.rows)


def test_what_a_workbook_is_tells_its_content() -> None:
    """Its name may say another kind, as downloads often do; only a file that is no workbook is refused."""
    assert read("good.xls", by_libreoffice("xlsx")).rows == read("good.xlsx", by_libreoffice("xls")).rows
    assert read("good.xlsx", by_libreoffice("ods")).format is Format.XLSX


@pytest.mark.parametrize("last", ["text", 1.5, True])
def test_a_page_header_and_footer_are_not_cells(last: object) -> None:
    """Whatever stands in the last cell: the header and footer come after it in the file."""

    def fill(_: Workbook, sheet: Any) -> None:
        table(sheet, ["Name", "Last"])
        sheet.write_row(1, 0, ["Aubry", last])
        sheet.set_header("&C&A")
        sheet.set_footer("&CPage &P of &N")

    book = openpyxl.Workbook()
    book.active.append(["Name", "Last"])
    book.active.append(["Aubry", last])
    book.active.oddHeader.center.text = "&A"
    book.active.oddFooter.center.text = "Page &P of &N"
    assert found(read("list.xlsx", workbook(fill))) == [
        (2, ("Aubry", str(last).upper() if last is True else str(last)))
    ]
    assert found(read("list.xlsx", saved(book))) == found(read("list.xlsx", workbook(fill)))


def saved(book: openpyxl.Workbook) -> bytes:
    content = BytesIO()
    book.save(content)
    return content.getvalue()


def test_text_in_several_fonts_is_its_text() -> None:
    """Shared among cells or kept in one, by XlsxWriter and openpyxl."""

    def fill(book: Workbook, sheet: Any) -> None:
        table(sheet, ["Name"])
        sheet.write_rich_string(1, 0, "Aubry ", book.add_format({"bold": True}), "& Fils", " SA")

    book = openpyxl.Workbook()
    book.active.append(["Name"])
    book.active.append([CellRichText("Aubry ", TextBlock(InlineFont(b=True), "& Fils"), " SA")])
    for content in (workbook(fill), workbook(fill, constant_memory=True), saved(book)):
        assert found(read("list.xlsx", content)) == [(2, ("Aubry & Fils SA",))]


def test_line_numbers_are_those_of_the_spreadsheet() -> None:
    """Blank rows count, before the headings too, and blank columns before the list are headings without a name."""
    content = workbook(lambda _, sheet: (sheet.write_row(2, 2, HEADINGS), sheet.write_row(9, 2, AUBRY)))
    sheet = read("list.xlsx", content)
    assert sheet.headings == ("", "", *HEADINGS)
    assert found(sheet) == [(10, ("", "", *AUBRY))]


def test_every_column_that_holds_something_has_a_heading() -> None:
    """The letter is the one shown above the column."""
    content = workbook(lambda _, sheet: (table(sheet, HEADINGS, AUBRY), sheet.write(1, 27, "x")))
    assert refusal("list.xlsx", content).startswith("Column AB holds something in row 2")


def test_numbers_are_read_as_they_are_shown() -> None:
    """A company number stored as a number has no decimals; other numbers keep theirs."""
    content = workbook(
        lambda _, sheet: (
            sheet.write_row(0, 0, ["a", "b", "c", "d", "e"]),
            sheet.write_row(1, 0, [471730202, 12.5, True, 1e20, -0.0]),
        )
    )
    assert found(read("list.xlsx", content)) == [(2, ("471730202", "12.5", "TRUE", "1e+20", "0"))]


def test_the_value_that_a_formula_had_is_its_value() -> None:
    """Text, a number, a truth; text that is empty is a blank cell, as it looks."""
    rows = (
        '<row r="2"><c r="A2" t="str"><f>B1</f><v>Aubry</v></c><c r="B2"><f>1+1</f><v>2</v></c>'
        '<c r="C2" t="b"><f>TRUE()</f><v>1</v></c><c r="D2" t="str"><f>""</f><v></v></c>'
        '<c r="E2" t="inlineStr"><f>A2</f><is><t>Bois</t></is></c></row>'
    )
    heads = "".join(f'<c r="{letter}1" t="inlineStr"><is><t>{letter}</t></is></c>' for letter in "ABCDE")
    (row,) = read("list.xlsx", with_sheet(sheet_xml(f'<row r="1">{heads}</row>{rows}'))).rows
    assert (row.cells, row.odd) == (("Aubry", "2", "TRUE", "", "Bois"), {})


def test_the_value_of_shared_and_array_formulas_is_stored_in_every_cell() -> None:
    """Whatever the prefix, the quotes and the order of attributes."""
    rows = (
        "<x:row r='1'><x:c t='inlineStr' r='A1'><x:is><x:t>a</x:t></x:is></x:c></x:row>"
        "<x:row r='2'><x:c r='A2'><x:f si='0' t='shared' ref='A2:A3'>1</x:f><x:v>1</x:v></x:c></x:row>"
        "<x:row r='3'><x:c r='A3'><x:f t='shared' si='0'/><x:v>2</x:v></x:c></x:row>"
        "<x:row r='4'><x:c r='A4'><x:f t='array' ref='A4:A5'>1</x:f><x:v>3</x:v></x:c></x:row>"
        "<x:row r='5'><x:c r='A5'><x:f t='shared' si='0'/></x:c></x:row><x:row r='6'><x:c t='e' r='A6'/></x:row>"
    )
    xml = f"<x:worksheet xmlns:x='{MAIN}'><x:sheetData>{rows}</x:sheetData></x:worksheet>"
    sheet = read("list.xlsx", with_sheet(xml))
    assert [(row.cells[0], row.odd) for row in sheet.rows] == [
        *((value, {}) for value in "123"),
        *(("#ERROR!", {0: NO_VALUE}),) * 2,
    ]


def test_a_formula_that_was_never_calculated_has_no_value() -> None:
    """As programs write it that do not calculate: it is not a blank cell, which would mean the default."""
    book = openpyxl.Workbook()
    book.active.append(["Name", "Paid by", "Plan"])
    book.active.append(["Aubry", "=VLOOKUP(A2,X:Y,2)", None])
    book.active.append([None, None, "=1"])
    lookup, alone = read("list.xlsx", saved(book)).rows
    assert (lookup.cells, lookup.odd) == (("Aubry", "#ERROR!", ""), {1: NO_VALUE})
    assert (alone.line, alone.cells, alone.odd) == (3, ("", "", "#ERROR!"), {2: NO_VALUE})
    assert NO_VALUE == "This cell holds no value. Type it instead."


def test_a_lookup_that_failed_is_no_blank_cell() -> None:
    """An error, of a formula or typed, in .xlsx: on this sheet only, wherever the list begins."""

    def fill(book: Workbook, sheet: Any) -> None:
        sheet.write_row(2, 1, ["Name", "Paid by", "Plan"])
        sheet.write_row(3, 1, ["Aubry"])
        sheet.write_formula(3, 2, "=VLOOKUP(A1,X:Y,2)", None, "#N/A")
        sheet.write_formula(5, 3, "=1/0", None, "#DIV/0!")
        sheet.write_formula(6, 1, "=1+1", None, 2)
        book.add_worksheet().write_formula(6, 1, "=1/0", None, "#DIV/0!")

    assert [(row.line, row.cells[1:], row.odd) for row in read("list.xlsx", workbook(fill)).rows] == [
        (4, ("Aubry", "#ERROR!", ""), {2: NO_VALUE}),
        (6, ("", "", "#ERROR!"), {3: NO_VALUE}),
        (7, ("2", "", ""), {}),
    ]
    book = openpyxl.Workbook()
    book.active.append(["Name", "Paid by"])
    book.active.append(["Aubry", "#N/A"])
    assert read("list.xlsx", saved(book)).rows[0].odd == {1: NO_VALUE}


@pytest.mark.parametrize("cell", ['<c t="e"/>', "<c t='e'/>", "<c><f/></c>", f"<x:c xmlns:x='{MAIN}'><x:f/></x:c>"])
def test_a_cell_without_value_is_seen_however_it_is_written(cell: str) -> None:
    """In any quotes and with any prefix, alone on its sheet."""
    content = with_sheet(sheet_xml(f'<row><c t="inlineStr"><is><t>a</t></is></c></row><row>{cell}</row>'))
    assert read("list.xlsx", content).rows[0].odd == {0: NO_VALUE}


def test_an_xls_is_read_cell_by_cell() -> None:
    """The sheet that can be seen, its errors, a date, a truth and a whole number."""
    sheet = read("list.xls", (WORKBOOKS / "xlwt.xls").read_bytes())
    assert sheet.headings == ("", "Name", "E-mail", "Paid by", "Since", "Active", "Number")
    assert [(row.line, row.cells[1:], row.odd) for row in sheet.rows] == [
        (5, ("Aubry", "", "#ERROR!", "2026-03-01", "TRUE", "471730202"), {3: NO_VALUE, 4: DATE}),
        (7, ("#ERROR!", "", "", "", "", ""), {1: NO_VALUE}),
    ]


BLANK = "<table:table-cell/>"  # the one in row 3, D
BLANKS = '<table:table-cell table:number-columns-repeated="4"/>'  # row 2, from E


@pytest.mark.parametrize(
    "cell",
    [
        '<table:table-cell table:formula="of:=NA()" office:value-type="string" office:string-value=""'
        ' calcext:value-type="error"><text:p>#NV</text:p></table:table-cell>',
        '<table:table-cell table:formula="of:=1/0" office:value-type="float" office:value="0"><text:p>#DIV/0!</text:p>'
        "</table:table-cell>",
        '<table:table-cell table:formula="of:=1+1"/>',
    ],
    ids=["an error", "an error with a number", "never calculated"],
)
def test_an_ods_tells_errors_from_blank_cells(cell: str) -> None:
    """Also where a cell or a row stands for several."""
    rows = read("list.ods", in_ods(BLANK, cell)).rows
    assert [(row.cells[3], row.odd) for row in rows[1:]] == [("#ERROR!", {3: NO_VALUE}), ("BE 0471.730.202", {})]
    several = cell.replace("<table:table-cell", '<table:table-cell table:number-columns-repeated="4"', 1)
    row = read("list.ods", in_ods(BLANKS, several)).rows[0]
    assert (row.cells[4:], row.odd) == (("#ERROR!",) * 4, dict.fromkeys(range(4, 8), NO_VALUE))
    before = '<table:table-row table:number-rows-repeated="3"><table:table-cell table:number-columns-repeated="9"/>'
    first = '<table:table-row table:style-name="ro1"><table:table-cell office:value-type="string"'
    shifted = in_ods(BLANK, cell, first, f"{before}</table:table-row>{first}")
    assert [(row.line, row.odd) for row in read("list.ods", shifted).rows] == [(5, {}), (6, {3: NO_VALUE}), (7, {})]


def test_the_value_of_a_formula_in_an_ods_is_its_value() -> None:
    """Text that is empty is a blank cell, a date is refused as elsewhere."""
    formula = '<table:table-cell table:formula="of:=1" office:value-type="{}><text:p>{}</text:p></table:table-cell>'
    empty = formula.format('string" office:string-value=""', "")
    number = formula.format('float" office:value="2"', "2.00")
    day = formula.format('date" office:date-value="2026-03-01"', "1/3/26")
    for cell, text, odd in ((empty, "", {}), (number, "2", {}), (day, "2026-03-01", {3: DATE})):
        row = read("list.ods", in_ods(BLANK, cell)).rows[1]
        assert (row.cells[3], row.odd) == (text, odd)


def test_dates_are_odd_cells() -> None:
    """Days, hours and durations: how they are written in a cell is not how a list says them."""
    book = openpyxl.Workbook()
    book.active.append(["Name", "Since", "At"])
    book.active.append(["Aubry", date(2026, 3, 1), time(12)])
    (row,) = read("list.xlsx", saved(book)).rows
    assert (row.cells, row.odd) == (("Aubry", "2026-03-01", "12:00:00"), {1: DATE, 2: DATE})
    rows = '<row><c t="inlineStr"><is><t>a</t></is></c></row><row><c t="d"><v>2026-03-01T00:00:00</v></c></row>'
    (row,) = read("list.xlsx", with_sheet(sheet_xml(rows))).rows
    assert row.odd == {0: DATE}


def test_days_counted_from_1904_are_the_days_shown() -> None:
    """As workbooks made on older Macs count them."""

    def fill(book: Workbook, sheet: Any) -> None:
        table(sheet, ["Since"])
        sheet.write_datetime(1, 0, date(2026, 3, 1), book.add_format({"num_format": "dd/mm/yyyy"}))

    assert found(read("list.xlsx", workbook(fill, date_1904=True))) == [(2, ("2026-03-01",))]


def with_charts(book: Workbook, *sheets: tuple[str, list[list[str]]]) -> list[Any]:
    """Sheets of these names and rows, with a chart of the first before the last one."""
    made = []
    for index, (name, rows) in enumerate(sheets):
        if index == len(sheets) - 1:
            chart = book.add_chart({"type": "line"})
            chart.add_series({"values": f"={sheets[0][0]}!$A$1:$A$2"})
            made.append(book.add_chartsheet("Chart"))
            made[-1].set_chart(chart)
        made.append(book.add_worksheet(name))
        table(made[-1], *rows)
    return made


def test_the_first_visible_sheet_is_read() -> None:
    """Hidden sheets and charts before it are passed over, and their errors are not taken for its own."""
    content = BytesIO()
    with Workbook(content) as book:
        hidden, _, shown = with_charts(book, ("Hidden", [["secret"], ["x"]]), ("Clients", [HEADINGS, AUBRY]))
        hidden.write_formula(1, 0, "=1/0", None, "#DIV/0!")
        shown.write_formula(2, 1, "=1/0", None, "#DIV/0!")
        shown.activate()
        hidden.hide()
        table(book.add_worksheet("Other"), ["other"], ["x"])
    sheet = read("list.xlsx", content.getvalue())
    assert sheet.headings == tuple(HEADINGS)
    assert [row.odd for row in sheet.rows] == [{}, {1: NO_VALUE}]


def test_the_first_visible_sheet_of_an_ods_is_read() -> None:
    """With its own errors, not those of the hidden one."""
    error = '<table:table-cell office:value-type="string" calcext:value-type="error"><text:p>Err:502</text:p>'
    hidden = f'<table:table table:name="No" table:style-name="no"><table:table-row>{error}</table:table-cell>'
    style = '<style:style style:name="no" style:family="table"><style:table-properties table:display="false"/>'
    content = in_ods(
        "<table:table ",
        f"{hidden}</table:table-row></table:table><table:table ",
        "</office:automatic-styles>",
        f"{style}</style:style></office:automatic-styles>",
        BLANK,
        f"{error}</table:table-cell>",
    )
    sheet = read("list.ods", content)
    assert sheet.headings[0] == "Name"
    assert [(row.line, row.odd) for row in sheet.rows] == [(2, {}), (3, {3: NO_VALUE}), (4, {})]


def test_a_workbook_without_a_sheet_to_see_is_refused() -> None:
    """Only hidden sheets, or a chart."""
    content = BytesIO()
    with Workbook(content) as book:
        hidden, chart, also = with_charts(book, ("Hidden", [HEADINGS, AUBRY]), ("Also", [HEADINGS, AUBRY]))
        chart.activate()
        hidden.very_hidden()
        also.hide()
    assert refusal("list.xlsx", content.getvalue()).startswith("This workbook has no sheet that can be seen.")


def test_merged_headings_are_refused() -> None:
    """A merged range below them is odd in each of its cells, also in those that look blank; above, it is a title."""
    content = workbook(
        lambda _, sheet: (sheet.merge_range("A1:B1", "Name"), sheet.write("C1", "To"), table(sheet, AUBRY, first=1))
    )
    assert refusal("list.xlsx", content).startswith("The headings in row 1 are merged")
    content = workbook(
        lambda _, sheet: (sheet.merge_range("A3:A4", "Name"), sheet.write("B3", "To"), table(sheet, AUBRY, first=4))
    )
    assert refusal("list.xlsx", content).startswith("The headings in row 3 are merged")
    content = workbook(lambda _, sheet: (sheet.merge_range("A1:A2", ""), sheet.write_row(1, 1, HEADINGS)))
    assert refusal("list.xlsx", content).startswith("The headings in row 2 are merged")
    content = workbook(lambda _, sheet: (table(sheet, HEADINGS, AUBRY), sheet.merge_range("A3:A4", "Twice")))
    plain, merged = read("list.xlsx", content).rows
    assert (dict(plain.odd), dict(merged.odd)) == ({}, {0: MERGED})
    content = workbook(lambda _, sheet: (sheet.merge_range("A1:B1", "Clients"), table(sheet, HEADINGS, AUBRY, first=1)))
    found = spreadsheets.read("list.xlsx", content, recognised=lambda row: len(set(HEADINGS) & set(row)))
    assert (found.headings_line, found.skipped, len(found.rows)) == (2, 1, 1)


def named_otherwise(name: str) -> bytes:
    """LibreOffice's .xls with its one stream named so."""
    content = bytearray(by_libreoffice("xls"))
    at, new = content.index("Workbook".encode("utf-16-le")), name.encode("utf-16-le")
    content[at : at + len(new)] = new
    content[at + 64 : at + 66] = (len(new) + 2).to_bytes(2, "little")
    return bytes(content)


def with_password_xls() -> bytes:
    """LibreOffice's .xls whose second record says that the rest is encrypted."""
    content = bytearray(by_libreoffice("xls"))
    second = content.index(bytes([0x09, 0x08, 0x10, 0x00])) + 20
    content[second : second + 2] = b"\x2f\x00"
    return bytes(content)


def with_password_ods() -> bytes:
    content = by_libreoffice("ods")
    with ZipFile(BytesIO(content)) as archive:
        manifest = archive.read("META-INF/manifest.xml").decode()
    entry = 'manifest:full-path="content.xml" manifest:media-type="text/xml"'
    data = '<manifest:encryption-data manifest:checksum-type="SHA1/1K"/></manifest:file-entry>'
    changed = manifest.replace(f"{entry}/>", f"{entry}>{data}")
    assert changed != manifest
    return with_parts(content, {"META-INF/manifest.xml": changed})


def with_encrypted_entries() -> bytes:
    content = bytearray(SMALL)
    with ZipFile(BytesIO(SMALL)) as archive:
        for info in archive.infolist():
            content[info.header_offset + 6] |= 1
    for match in re.finditer(b"PK\x01\x02", SMALL):
        content[match.start() + 8] |= 1
    return bytes(content)


def an_archive(name: str) -> bytes:
    content = BytesIO()
    with ZipFile(content, "w") as archive:
        archive.writestr(name, "<document/>")
    return content.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("list.xlsx", b"Name,E-mail\na,b\n", "This file is not a workbook, though its name ends in .xlsx."),
        ("list.xls", b"<html><table><tr><td>Name", "This file is not a workbook, though its name ends in .xls."),
        ("list.ods", an_archive("word/document.xml"), "This file is not a workbook, though its name ends in .ods."),
        ("list.xlsx", named_otherwise("EncryptedPackage"), PROTECTED),
        ("list.xls", with_password_xls(), PROTECTED),
        ("list.ods", with_password_ods(), PROTECTED),
        ("list.xlsx", with_encrypted_entries(), PROTECTED),
        ("list.xlsx", SMALL[:-40], DAMAGED),
        ("list.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", DAMAGED),
        ("list.xls", named_otherwise("WordDocument"), DAMAGED),
        ("list.ods", by_libreoffice("ods")[:-40], DAMAGED),
        ("list.xlsx", an_archive("xl/workbook.xml"), DAMAGED),
        ("list.xlsx", workbook(lambda _, sheet: None), "This list is empty."),
    ],
    ids=lambda value: value[:60] if isinstance(value, str) else "",
)
def test_a_file_that_is_no_workbook_to_read_is_refused_with_what_to_do(
    name: str, content: bytes, sentence: str
) -> None:
    """Each refusal says what the file is and how to bring it."""
    assert refusal(name, content).startswith(sentence)


def test_the_most_rows_are_read_and_one_more_is_refused_with_both_numbers() -> None:
    """Rows that hold something are counted, however many there are."""
    rows = [["Name", "a@example.com"]] * MAX_ROWS
    sheet = read("list.xlsx", as_xlsx(["Name", "E-mail"], rows))
    assert (len(sheet.rows), sheet.rows[-1].line) == (MAX_ROWS, MAX_ROWS + 1)
    content = with_sheet(sheet_xml("<row><c><v>1</v></c></row><row/>" * (MAX_ROWS + 2)))
    too_many = "This file has 50,001 rows, and at most 50,000 are taken at once."
    assert refusal("list.xlsx", content).startswith(too_many)


def test_a_million_empty_rows_do_no_harm() -> None:
    """Rows that were formatted to the end of the sheet and hold nothing are passed over."""
    formatted = '<row><c s="1"/><c s="1"/><c s="1"/><c s="1"/></row>' * 999_998
    assert len(read("list.xlsx", with_sheet(sheet_xml(TEXT_ROW + formatted))).rows) == 1


def test_a_row_far_below_the_list_is_read_and_a_column_far_beyond_it_is_refused() -> None:
    """A column by the cell as far as which the sheet reaches."""
    content = workbook(lambda _, sheet: (table(sheet, HEADINGS, AUBRY), sheet.write("A1048576", "x")))
    assert found(read("list.xlsx", content)) == [(2, tuple(AUBRY)), (2**20, ("x", "", ""))]
    content = workbook(lambda _, sheet: (table(sheet, HEADINGS, AUBRY), sheet.write("XFD2", "x")))
    assert refusal("list.xlsx", content).startswith("This sheet reaches as far as cell XFD2,")


def test_cells_without_references_count_as_they_stand() -> None:
    """Rows and cells may leave out where they are; odd ones are found where the values are."""
    rows = (
        '<row><c t="inlineStr"><is><t>a</t></is></c><c t="inlineStr"><is><t>b</t></is></c></row>'
        '<row r="4"><c><v>1</v></c><c t="e"><v>#N/A</v></c></row><row><c><f>1</f></c><c><v>2</v></c></row>'
        '<row r="7"><c r="B7"><f>1</f></c></row>'
    )
    assert [(row.line, row.cells, row.odd) for row in read("list.xlsx", with_sheet(sheet_xml(rows))).rows] == [
        (4, ("1", "#ERROR!"), {1: NO_VALUE}),
        (5, ("#ERROR!", "2"), {0: NO_VALUE}),
        (7, ("", "#ERROR!"), {1: NO_VALUE}),
    ]


@pytest.mark.parametrize(
    "rows",
    [
        '<row r="1"><c r="1A"><v>1</v></c></row>',
        '<row r="x"><c r="A1"><v>1</v></c></row>',
        '<row r="1"><c r="A1" t="s"><v>99</v></c></row>',
        "<row",
    ],
)
def test_a_sheet_that_no_spreadsheet_writes_is_refused(rows: str) -> None:
    """Places that are none, texts that are not there, an end too soon."""
    assert refusal("list.xlsx", with_sheet(sheet_xml(rows))).startswith(DAMAGED)


@pytest.mark.parametrize("target", ["worksheets/first.xml", "/xl/worksheets/first.xml", "worksheets/First.xml"])
def test_a_sheet_is_found_wherever_the_workbook_says(target: str) -> None:
    """Its errors too: beside the workbook or from the root, in capitals or not."""
    with ZipFile(BytesIO(workbook(lambda _, sheet: (table(sheet, HEADINGS), sheet.write(1, 0, "x"))))) as archive:
        parts = {name: archive.read(name).decode() for name in archive.namelist()}
    sheet = parts.pop("xl/worksheets/sheet1.xml").replace("</row></sheetData>", '<c r="B2" t="e"/></row></sheetData>')
    related = "xl/_rels/workbook.xml.rels"
    parts |= {"xl/worksheets/first.xml": sheet, related: parts[related].replace("worksheets/sheet1.xml", target)}
    content = BytesIO()
    with ZipFile(content, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    assert read("list.xlsx", content.getvalue()).rows[0].odd == {1: NO_VALUE}


LAUGHS = "".join(f'<!ENTITY {name} "{f"&{of};" * 10}">' for of, name in zip("abcdefgh", "bcdefghi", strict=True))


def one_text_in_many_cells() -> bytes:
    """Stored once, a text is made everywhere."""
    rows = "".join(f'<row r="{line}"><c r="A{line}" t="s"><v>0</v></c></row>' for line in range(1, 20_000))
    return with_sheet(sheet_xml(rows), strings="<sst><si><t>" + "x" * 30_000 + "</t></si></sst>")


def a_size_that_is_a_lie() -> bytes:
    content = with_sheet(iter(["<worksheet>", *[" " * 2**20] * 60, "</worksheet>"]))
    with ZipFile(BytesIO(content)) as archive:
        size = archive.getinfo("xl/worksheets/sheet1.xml").file_size
    lies = content.replace(size.to_bytes(4, "little"), (100).to_bytes(4, "little"))
    assert lies != content
    return lies


def with_entries(count: int) -> bytes:
    content = BytesIO(SMALL)
    with ZipFile(content, "a") as archive:
        for number in range(count):
            archive.writestr(f"{number}.xml", "")
    return content.getvalue()


Made = Callable[[], bytes]  # when its test asks for it


@pytest.mark.parametrize(
    ("made", "sentence"),
    [
        (lambda: workbook(lambda _, sheet: (table(sheet, HEADINGS, AUBRY), sheet.write("XFD1048576", "x"))), TOO_LARGE),
        (one_text_in_many_cells, TOO_LARGE),
        (lambda: in_ods(
            BLANKS, f'{BLANKS}</table:table-row><table:table-row table:number-rows-repeated="100000"><table:table-cell '
            'table:number-columns-repeated="150" office:value-type="string"><text:p>x</text:p></table:table-cell>',
        ), TOO_LARGE),
        (lambda: with_sheet(f'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">{LAUGHS}]>' + sheet_xml(
            '<row><c t="e"/></row><row><c t="inlineStr"><is><t>&i;</t></is></c></row>')), DAMAGED),
        (lambda: with_sheet(iter(["<worksheet>", *[" " * 2**20] * 100, "</worksheet>"])), "This list is empty."),
        (a_size_that_is_a_lie, DAMAGED),
    ],
    ids=["a cell at the end", "one text in many cells", "a cell for many", "laughs", "white space", "a lie"],
)  # fmt: skip
def test_what_grows_when_it_is_read_does_not_grow_here(made: Made, sentence: str) -> None:
    """It ends the child, whose limits are its own, or is nothing once it is read."""
    content = made()
    tracemalloc.start()
    assert refusal("list.xlsx", content).startswith(sentence)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20 * 2**20


@pytest.mark.parametrize(
    "made",
    [
        lambda: with_sheet(sheet_xml(TEXT_ROW + "<a>" * 1_000_000 + "</a>" * 1_000_000)),
        lambda: with_sheet(sheet_xml(TEXT_ROW + '<row a="' + "x" * 2**20 + '"/>')),
        lambda: with_sheet('<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">]>' + sheet_xml(TEXT_ROW)),
        lambda: with_sheet(sheet_xml(TEXT_ROW).replace("<sheetData>", '<dimension ref="A1:XFD1048576"/><sheetData>')),
        lambda: with_entries(3_000),
    ],
    ids=["deep", "long", "a document type", "a dimension that is a lie", "many parts"],
)
def test_what_only_looks_dangerous_is_read(made: Made) -> None:
    """The list is all that is made of it."""
    assert found(read("list.xlsx", made()))[0][0] == 2


def many_errors() -> bytes:
    """A million rows, each to be looked through."""
    rows = ['<row><c t="e"/><c/><c/><c/></row>' * 10_000] * 100
    return with_sheet(iter([f'<worksheet xmlns="{MAIN}"><sheetData>', TEXT_ROW, *rows, "</sheetData></worksheet>"]))


@pytest.mark.parametrize(
    ("made", "limits"),
    [
        (one_text_in_many_cells, Limits(memory=2**28)),
        (many_errors, Limits(computing=1)),
        (lambda: SMALL, Limits(waiting=0)),
        (lambda: SMALL, Limits(answer=20)),
    ],
    ids=["memory", "computing", "waiting", "answer"],
)
def test_a_workbook_that_takes_too_much_is_refused(made: Made, limits: Limits) -> None:
    """Of memory, of the processor, of patience, or of what it would say. The next one is read."""
    with pytest.raises(UnreadableFile, match=re.escape(TOO_LARGE)):
        list(records(made(), ".xlsx", limits))
    assert list(records(SMALL, ".xlsx"))[-1].cells == AUBRY


def test_a_reader_that_is_not_there_is_no_fault_of_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A server set up wrong fails visibly, and says what its child said."""
    monkeypatch.setattr(workbooks, "_READER", tmp_path / "gone.py")
    with pytest.raises(RuntimeError, match="No such file"):
        read("list.xlsx", SMALL)


def stored(content: bytes) -> bytes:
    return with_parts(content, {}, ZIP_STORED)


@given(st.data())
@settings(max_examples=60)
def test_a_workbook_damaged_anywhere_is_read_or_refused(data: st.DataObject) -> None:
    """Bytes changed, in the archive, in the XML of a part or in a record, lead to a table or a refusal."""
    name, original = data.draw(
        st.sampled_from(
            [
                ("list.xlsx", SMALL),
                ("list.xlsx", stored(SMALL)),
                ("list.ods", stored(by_libreoffice("ods"))),
                ("list.xls", (WORKBOOKS / "xlwt.xls").read_bytes()),
            ]
        )
    )
    content = bytearray(original)
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    read_or_refused(name, bytes(content))


@given(
    st.sampled_from(["xl/workbook.xml", "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/styles.xml"]), st.data()
)
@settings(max_examples=60)
def test_a_part_rewritten_is_read_or_refused(name: str, data: st.DataObject) -> None:
    """A piece of XML left out, doubled or replaced leads to a table or a refusal."""
    with ZipFile(BytesIO(SMALL)) as old:
        tokens = re.findall(r"<[^>]*>|[^<]+", old.read(name).decode())
    index = data.draw(st.integers(0, len(tokens) - 1))
    other = data.draw(
        st.sampled_from(["", tokens[index] * 2, "<c/>", '<c r="ZZZ99"><v>1</v></c>', "-1", "1e999", '<c t="e"/>', "\0"])
    )
    read_or_refused("list.xlsx", with_parts(SMALL, {name: "".join([*tokens[:index], other, *tokens[index + 1 :]])}))


@given(
    st.sampled_from(["list.xlsx", "list.xls", "list.ods"]),
    st.binary(),
    st.sampled_from([b"PK\3\4", b"\xd0\xcf\x11\xe0", b""]),
)
@settings(max_examples=30)
def test_any_bytes_are_read_or_refused(name: str, content: bytes, beginning: bytes) -> None:
    """Nothing else than a refusal leaves the reader."""
    read_or_refused(name, beginning + content)


def read_or_refused(name: str, content: bytes) -> None:
    try:
        assert spreadsheets.read(name, content).rows
    except UnreadableFile as refused:
        assert str(refused)
