"""Files that people bring: what is read, how it is numbered, and that nothing harmful or unreadable gets further."""

import csv
import re
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import date
from io import BytesIO
from typing import Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from xlsxwriter import Workbook

from core import spreadsheets, workbooks, worksheets
from core.exports import harmless
from core.language import speak
from core.spreadsheets import MAX_BYTES, MAX_ROWS, Format, SheetRow, UnreadableFile, as_csv, as_xlsx, read, read_pasted

HEADINGS = ["Name", "Country", "E-mail"]
AUBRY = ["Aubry & Fils", "BE", "aubry@example.com"]


def workbook(fill: Callable[[Workbook, Any], None]) -> bytes:
    """A workbook whose one sheet is filled so."""
    content = BytesIO()
    with Workbook(content) as book:
        fill(book, book.add_worksheet())
    return content.getvalue()


def table(sheet: Any, *rows: list[str], first: int = 0) -> None:
    for number, row in enumerate(rows, first):
        sheet.write_row(number, 0, row)


def with_sheet(xml: str | Iterator[str], *, strings: str = "", compression: int = ZIP_DEFLATED) -> bytes:
    """A workbook whose sheet is this XML."""
    original = workbook(lambda _, sheet: table(sheet, HEADINGS, AUBRY))
    content = BytesIO()
    with ZipFile(BytesIO(original)) as old, ZipFile(content, "w", compression) as new:
        for name in old.namelist():
            if name == "xl/worksheets/sheet1.xml":
                with new.open(name, "w") as part:
                    for piece in [xml] if isinstance(xml, str) else xml:
                        part.write(piece.encode())
            elif name == "xl/sharedStrings.xml" and strings:
                new.writestr(name, strings)
            else:
                new.writestr(name, old.read(name))
    return content.getvalue()


def sheet_xml(rows: str, after: str = "") -> str:
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    return f'<worksheet xmlns="{main}"><sheetData>{rows}</sheetData>{after}</worksheet>'


def refusal(name: str, content: bytes) -> str:
    with pytest.raises(UnreadableFile) as refused:
        read(name, content)
    return str(refused.value)


def as_brought(cell: str) -> str:
    """A cell as it comes back: trimmed, and without the apostrophe that keeps it from being a formula."""
    cell = cell.strip()
    return cell[1:].strip() if cell.startswith("'") and harmless(cell[1:]) != cell[1:] else cell


CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\ufffe\uffff"), max_size=12)
NAMED = st.sampled_from(["Name", "E-mail", "a\nb", "'", '"', "=1", "é;,\t"]) | CELLS.filter(as_brought)


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[str], list[list[str]]]:
    headings = draw(st.lists(NAMED, min_size=1, max_size=5))
    row = st.lists(CELLS | NAMED, min_size=len(headings), max_size=len(headings))
    return headings, draw(st.lists(row, max_size=6))


def expected(rows: list[list[str]]) -> list[tuple[int, tuple[str, ...]]]:
    trimmed = [(line, tuple(map(as_brought, row))) for line, row in enumerate(rows, 2)]
    return [(line, row) for line, row in trimmed if any(row)]


def found(sheet: spreadsheets.Sheet) -> list[tuple[int, tuple[str, ...]]]:
    return [(row.line, row.cells) for row in sheet.rows]


@given(tables())
def test_a_workbook_written_is_read_back(brought: tuple[list[str], list[list[str]]]) -> None:
    """Every cell returns trimmed, on the line where the spreadsheet shows it; blank rows are left out."""
    headings, rows = brought
    content = as_xlsx(headings, rows)
    if not expected(rows):
        assert "no rows below" in refusal("list.xlsx", content)
        return
    sheet = read("list.xlsx", content)
    assert (sheet.format, sheet.encoding, sheet.separator) == (Format.XLSX, "", "")
    assert sheet.headings == tuple(map(as_brought, headings))
    assert found(sheet) == expected(rows)
    assert not any(row.odd for row in sheet.rows)


@given(tables(), st.sampled_from(",;\t"))
@example((["Name", "E-mail"], [["a", "=1+1"], ["", ""], ["'-", " \t@x "]]), ";")
def test_a_csv_file_written_is_read_back(brought: tuple[list[str], list[list[str]]], separator: str) -> None:
    """With any separator, when the headings are of an import."""
    headings, rows = ["Name", "E-mail", *brought[0]], [["n", "e", *row] for row in brought[1]]
    content = as_csv(headings, rows, separator)
    if not rows:
        assert "no rows below" in refusal("list.csv", content)
        return
    sheet = read("list.CSV", content)
    assert (sheet.format, sheet.encoding, sheet.separator) == (Format.CSV, "UTF-8", separator)
    assert sheet.headings == tuple(map(as_brought, headings))
    assert found(sheet) == expected(rows)


@given(
    st.sampled_from(["list.xlsx", "list.csv", "list", "list.ods"]),
    st.binary() | st.binary().map(lambda b: b"PK\3\4" + b),
)
@settings(max_examples=300)
def test_any_bytes_are_read_or_refused(name: str, content: bytes) -> None:
    """Nothing else than a refusal leaves the reader."""
    try:
        assert read(name, content).rows
    except UnreadableFile as refused:
        assert str(refused)


SMALL = workbook(lambda _, sheet: table(sheet, HEADINGS, AUBRY))


@given(st.data())
@settings(max_examples=300)
def test_a_workbook_damaged_anywhere_is_read_or_refused(data: st.DataObject) -> None:
    """Bytes changed, in the archive or in the XML of a part, lead to a table or a refusal."""
    content = bytearray(SMALL)
    if data.draw(st.booleans()):
        content = bytearray(stored(SMALL))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        assert read("list.xlsx", bytes(content)).rows
    except UnreadableFile as refused:
        assert str(refused)


@given(
    st.sampled_from(["xl/workbook.xml", "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/styles.xml"]), st.data()
)
@settings(max_examples=300)
def test_a_part_rewritten_is_read_or_refused(name: str, data: st.DataObject) -> None:
    """A piece of XML left out, doubled or replaced leads to a table or a refusal."""
    with ZipFile(BytesIO(SMALL)) as old:
        parts = {part: old.read(part) for part in old.namelist()}
    tokens = re.findall(rb"<[^>]*>|[^<]+", parts[name])
    index = data.draw(st.integers(0, len(tokens) - 1))
    other = data.draw(
        st.sampled_from([b"", tokens[index] * 2, b"<c/>", b'<c r="ZZZ99"><v>1</v></c>', b"-1", b"1e999", b"\xff"])
    )
    parts[name] = b"".join([*tokens[:index], other, *tokens[index + 1 :]])
    content = BytesIO()
    with ZipFile(content, "w") as new:
        for part, text in parts.items():
            new.writestr(part, text)
    try:
        assert read("list.xlsx", content.getvalue()).rows
    except UnreadableFile as refused:
        assert str(refused)


def stored(content: bytes) -> bytes:
    plain = BytesIO()
    with ZipFile(BytesIO(content)) as old, ZipFile(plain, "w", ZIP_STORED) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
    return plain.getvalue()


@given(st.text(st.characters()))
@example("\ud800,\n1,2")
@example('"')
def test_any_pasted_text_is_read_or_refused(text: str) -> None:
    """Nothing else than a refusal leaves the reader."""
    try:
        sheet = read_pasted(text)
    except UnreadableFile as refused:
        assert str(refused)
    else:
        assert sheet.headings[-1]
        assert all(len(row.cells) == len(sheet.headings) and any(row.cells) for row in sheet.rows)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_rows_pasted_from_a_spreadsheet_are_read(separator: str) -> None:
    """Tab separated, or with commas or semicolons; a cell may hold a line break between quotation marks."""
    rows = [["Name", "E-mail"], ['"Aubry\n& Fils"', "aubry@example.com"]]
    sheet = read_pasted("\r\n".join(separator.join(row) for row in rows))
    assert sheet.rows == (SheetRow(2, ("Aubry\n& Fils", "aubry@example.com")),)
    assert (sheet.format, sheet.encoding, sheet.separator) == (Format.CSV, "", separator)


def test_the_separator_is_the_one_that_shows_the_headings() -> None:
    """Commas within headings do not win over the semicolons between them."""
    sheet = read("list.csv", b"Name;E-mail;Note (a, b, c, d, e)\nAubry;a@example.com;x,y\n")
    assert sheet.separator == ";"
    assert sheet.headings == ("Name", "E-mail", "Note (a, b, c, d, e)")
    assert read("list.csv", b"one;two;three\n1;2;3").separator == ";"
    assert read("list.csv", b"sep=;\r\none,a;two\r\n1;2").headings == ("one,a", "two")


@pytest.mark.parametrize(
    ("codec", "encoding"), [("utf-8", "UTF-8"), ("utf-8-sig", "UTF-8"), ("cp1252", "Windows-1252")]
)
def test_a_file_in_the_usual_encodings_is_read(codec: str, encoding: str) -> None:
    """UTF-8 with or without its mark, and what Excel writes on Windows."""
    sheet = read("list.csv", "Name;E-mail\nCafé « L’Été » €;cafe@example.com\n".encode(codec))
    assert sheet.headings == ("Name", "E-mail")
    assert sheet.rows[0].cells[0] == "Café « L’Été » €"
    assert sheet.encoding == encoding


@pytest.mark.parametrize("content", [b"Name,E-mail\nA\0,b", "Name,E-mail\na,b".encode("utf-16"), b"Name\nA\x81\xff"])
def test_a_file_that_is_not_text_is_refused(content: bytes) -> None:
    """NUL bytes, UTF-16 and bytes of no encoding."""
    assert refusal("list.csv", content).startswith("This is not a text file.")


def test_line_numbers_are_those_of_the_spreadsheet() -> None:
    """Blank rows count, before the headings too; a cell with line breaks is one row."""
    sheet = read("list.csv", b'\n;;\nName;E-mail;\n"A\nB\nC";a@example.com\n;;\n\n D ;;\n')
    assert sheet.headings == ("Name", "E-mail")
    assert found(sheet) == [(4, ("A\nB\nC", "a@example.com")), (7, ("D", ""))]
    content = workbook(lambda _, sheet: (table(sheet, HEADINGS, first=2), table(sheet, AUBRY, first=9)))
    assert found(read("list.xlsx", content)) == [(10, tuple(AUBRY))]


def test_a_list_that_begins_further_right_keeps_its_columns_apart() -> None:
    """Empty columns before the list are headings without a name."""
    content = workbook(lambda _, sheet: [sheet.write_row(row, 2, cells) for row, cells in enumerate([HEADINGS, AUBRY])])
    assert read("list.xlsx", content).headings == ("", "", *HEADINGS)


def test_uneven_rows_are_filled_up_and_cells_beyond_the_headings_are_refused() -> None:
    """Short rows get blank cells; a surplus cell that holds something names its row."""
    assert found(read("list.csv", b"a,b,c\n1\n1,2,3,,,\n")) == [(2, ("1", "", "")), (3, ("1", "2", "3"))]
    assert "Row 3 has more cells" in refusal("list.csv", b"a,b\n1,2\n1,2,3\n")


@pytest.mark.parametrize("content", [b"a,,c\n1,,3\n1,2,3", b"a,,c,\n1,2,3"])
def test_a_column_without_a_heading_is_refused_by_its_letter(content: bytes) -> None:
    """As merged headings look when a spreadsheet writes them as CSV."""
    assert refusal("list.csv", content).startswith("Column B holds something in row ")


def test_in_a_workbook_every_column_that_holds_something_has_a_heading() -> None:
    """The letter is the one shown above the column."""
    content = workbook(lambda _, sheet: (table(sheet, HEADINGS, AUBRY), sheet.write(1, 27, "x")))
    assert refusal("list.xlsx", content).startswith("Column AB holds something in row 2")


def test_quotation_marks_that_are_wrong_are_refused() -> None:
    """Never closed or out of place: the row where it begins is named."""
    assert "in or after row 3" in refusal("list.csv", b'a,b\n1,2\n"1,2\n3,4\n')
    assert "in or after row 2" in refusal("list.csv", b'a,b\n"1"x,2\n')
    assert "far too long" in refusal("list.csv", b"a,b\n1," + b"x" * (csv.field_size_limit() + 1))
    with pytest.raises(UnreadableFile, match="in or after row 2"):
        read_pasted('a\tb\n"1\t2')


def test_numbers_are_read_as_they_are_shown() -> None:
    """A company number stored as a number has no decimals; other numbers keep theirs."""
    content = workbook(
        lambda _, sheet: (
            sheet.write_row(0, 0, ["a", "b", "c", "d", "e"]),
            sheet.write_row(1, 0, [471730202, 12.5, True, 1e20, -0.0]),
        )
    )
    assert found(read("list.xlsx", content)) == [(2, ("471730202", "12.5", "TRUE", "1e+20", "0"))]


def test_dates_errors_and_formulas_are_odd_cells() -> None:
    """Each says what to do; the rest of the row is read."""

    def fill(book: Workbook, sheet: Any) -> None:
        table(sheet, ["Name", "Since", "Sum", "Error", "At"], ["Aubry"])
        sheet.write_datetime(1, 1, date(2026, 3, 1), book.add_format({"num_format": "dd/mm/yyyy"}))
        sheet.write_formula(1, 2, "=1+1", None, 2)
        sheet.write_formula(1, 4, "=1/0", None, "#DIV/0!")
        sheet.write_number(2, 1, 0.5, book.add_format({"num_format": "hh:mm"}))

    row, at = read("list.xlsx", workbook(fill)).rows
    assert row.cells[:3] == ("Aubry", "2026-03-01", "2")
    assert row.odd == {1: worksheets.DATE, 2: worksheets.FORMULA, 4: worksheets.FORMULA}
    assert (at.cells[1], at.odd) == ("12:00:00", {1: worksheets.DATE})
    assert "Paste its value" in worksheets.FORMULA


def test_days_counted_from_1904_are_the_days_shown() -> None:
    """As workbooks made on older Macs count them."""
    content = BytesIO()
    with Workbook(content, {"date_1904": True}) as book:
        sheet = book.add_worksheet()
        table(sheet, ["Since"])
        sheet.write_datetime(1, 0, date(2026, 3, 1), book.add_format({"num_format": "dd/mm/yyyy"}))
    assert found(read("list.xlsx", content.getvalue())) == [(2, ("2026-03-01",))]


def test_an_error_or_a_date_written_as_text_is_odd() -> None:
    """Cells of the types e and d, which spreadsheets write for values."""
    rows = (
        '<row><c t="inlineStr"><is><t>a</t></is></c><c t="inlineStr"><is><t>b</t></is></c></row>'
        '<row><c t="e"><v>#N/A</v></c><c t="d"><v>2026-03-01T00:00:00</v></c></row>'
    )
    (row,) = read("list.xlsx", with_sheet(sheet_xml(rows))).rows
    assert row.cells[0] == "#ERROR!"
    assert row.odd == {0: worksheets.ERROR, 1: worksheets.DATE}


def test_shared_and_array_formulas_are_formulas_in_every_cell() -> None:
    """Whatever the prefix, the quotes and the order of attributes."""
    rows = (
        "<x:row r='1'><x:c t='inlineStr' r='A1'><x:is><x:t>a</x:t></x:is></x:c></x:row>"
        "<x:row r='2'><x:c r='A2'><x:f si='0' t='shared' ref='A2:A3'>1</x:f><x:v>1</x:v></x:c></x:row>"
        "<x:row r='3'><x:c r='A3'><x:f t='shared' si='0'/><x:v>1</x:v></x:c></x:row>"
        "<x:row r='4'><x:c r='A4'><x:f t='array' ref='A4:A5'>1</x:f><x:v>1</x:v></x:c></x:row>"
        "<x:row r='5'><x:c r='A5'><x:v>1</x:v></x:c></x:row><x:row r='6'><x:c r='A6'><x:v>6</x:v></x:c></x:row>"
    )
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    xml = f"<x:worksheet xmlns:x='{main}'><x:sheetData>{rows}</x:sheetData></x:worksheet>"
    sheet = read("list.xlsx", with_sheet(xml))
    assert [(row.line, row.odd) for row in sheet.rows] == [
        *((line, {0: worksheets.FORMULA}) for line in (2, 3, 4, 5)),
        (6, {}),
    ]


def test_the_first_visible_sheet_is_read() -> None:
    """Hidden sheets and charts before it are passed over."""
    content = BytesIO()
    with Workbook(content) as book:
        hidden = book.add_worksheet("Hidden")
        table(hidden, ["secret"], ["x"])
        chart = book.add_chart({"type": "line"})
        chart.add_series({"values": "=Hidden!$A$1:$A$2"})
        book.add_chartsheet("Chart").set_chart(chart)
        shown = book.add_worksheet("Clients")
        table(shown, HEADINGS, AUBRY)
        shown.activate()
        hidden.hide()
        table(book.add_worksheet("Other"), ["other"], ["x"])
    assert read("list.xlsx", content.getvalue()).headings == tuple(HEADINGS)


def test_merged_headings_are_refused() -> None:
    """A merged range elsewhere does no harm."""
    content = workbook(lambda _, sheet: (sheet.merge_range("A1:B1", "Name"), table(sheet, AUBRY, first=1)))
    assert refusal("list.xlsx", content).startswith("The headings in row 1 are merged")
    content = workbook(lambda _, sheet: (table(sheet, HEADINGS, AUBRY), sheet.merge_range("A3:A4", "Twice")))
    assert len(read("list.xlsx", content).rows) == 2


def test_a_formula_guard_is_taken_off() -> None:
    """What our own export writes before text that looks like a formula is not part of the text."""
    assert read("list.csv", b"a,b\n'=1+1,'s-Hertogenbosch\n'+32 2,'@x\n").rows == (
        SheetRow(2, ("=1+1", "'s-Hertogenbosch")),
        SheetRow(3, ("+32 2", "@x")),
    )
    assert as_csv(["a"], [["=1+1"], ["@x"]]) == '\ufeff"a"\r\n"\'=1+1"\r\n"\'@x"\r\n'.encode()


def test_a_workbook_written_holds_text_only() -> None:
    """Neither formulas nor links, so that nothing runs when it is opened."""
    content = as_xlsx(["a"], [["=1+1"], ["https://example.com"], ["007"], ["\ud800\ufffe"], ["x" * 40_000]])
    with ZipFile(BytesIO(content)) as archive:
        xml = archive.read("xl/worksheets/sheet1.xml")
    assert b"<f>" not in xml
    assert b"hyperlink" not in xml
    assert b'state="frozen"' in xml
    cells = [row.cells[0] for row in read("list.xlsx", content).rows]
    assert cells == ["=1+1", "https://example.com", "007", "?\ufffd", "x" * 32_767]


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("list.csv", SMALL, "This file is a workbook, though its name ends in .csv."),
        ("list.csv", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "This file is a workbook, though its name ends in .csv."),
        ("list.csv", b"%PDF-1.7", "This file is a PDF"),
        ("list.xlsx", b"%PDF-1.7", "This file is a PDF"),
        ("list.xlsx", b"Name,E-mail\na,b\n", "This file is not an Excel workbook, though its name ends in .xlsx."),
        ("list.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "This workbook is protected by a password or"),
        ("list.xlsx", SMALL[:-40], "This workbook is damaged"),
        ("list.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "Only files that end in .xlsx or .csv can be read."),
        ("list.ods", SMALL, "Only files that end in .xlsx or .csv can be read."),
        ("list.pdf", b"%PDF-1.7", "Only files that end in .xlsx or .csv can be read."),
        ("list", SMALL, "Only files that end in .xlsx or .csv can be read."),
        ("list.csv", b"", "This list is empty."),
        ("list.csv", b"\n , \n\n", "This list is empty."),
        ("list.csv", b"Name,E-mail\n,\n", "This list has headings and no rows below them."),
        ("list.xlsx", workbook(lambda _, sheet: None), "This list is empty."),
        ("list.csv", b"x" * (MAX_BYTES + 1), "This file has 21 MB, and at most 20 MB are taken."),
        ("list.csv", b"," .join([b"a"] * 201) + b"\nb", "This list has 201 columns, and at most 200 are taken."),
    ],
    ids=lambda value: value[:30] if isinstance(value, str) else "",
)  # fmt: skip
def test_a_file_that_is_something_else_is_refused_with_what_to_do(name: str, content: bytes, sentence: str) -> None:
    """Each refusal says what the file is and how to bring it."""
    assert refusal(name, content).startswith(sentence)


def test_an_archive_without_a_workbook_is_refused() -> None:
    """A text document or a folder of files is a zip too."""
    content = BytesIO()
    with ZipFile(content, "w") as archive:
        archive.writestr("word/document.xml", "<document/>")
    assert refusal("list.xlsx", content.getvalue()).startswith("This file is not an Excel workbook")


def test_a_workbook_without_a_sheet_to_see_is_refused() -> None:
    """Only hidden sheets, or a chart."""
    content = BytesIO()
    with Workbook(content) as book:
        table(book.add_worksheet("Hidden"), HEADINGS, AUBRY)
        book.worksheets()[0].very_hidden()
        chart = book.add_chart({"type": "line"})
        chart.add_series({"values": "=Hidden!$A$1:$A$2"})
        shown = book.add_chartsheet("Chart")
        shown.set_chart(chart)
        shown.activate()
    assert refusal("list.xlsx", content.getvalue()).startswith("This workbook has no sheet that can be seen.")


def test_rows_without_end_are_refused() -> None:
    """A file of blank lines is not counted to its end."""
    assert "1,048,577 rows" in refusal("list.csv", b"\n" * (2**20 + 10) + b"Name\nx")


def test_pasted_text_that_is_too_long_is_refused() -> None:
    """As a file of that size is."""
    with pytest.raises(UnreadableFile, match="at most 20 MB"):
        read_pasted("x" * (MAX_BYTES + 1))


def test_a_refusal_is_read_in_the_readers_language() -> None:
    """The sentence is put together when it is read."""
    refused = UnreadableFile("{name} is {count}.", name="It", count=1234)
    assert str(refused) == "It is 1,234."
    speak("fr")
    assert str(refused) == "It is 1\u202f234."


def test_the_most_rows_are_read_and_one_more_is_refused_with_both_numbers() -> None:
    """From a workbook, a file and a paste."""
    rows = [["Name", "a@example.com"]] * MAX_ROWS
    too_many = "This file has 50,001 rows, and at most 50,000 are taken at once."
    assert refusal("list.csv", as_csv(HEADINGS[:2], [*rows, ["one", "more"]])).startswith(too_many)
    assert refusal("list.xlsx", with_sheet(sheet_xml("<row><c><v>1</v></c></row>" * (MAX_ROWS + 2)))).startswith(
        too_many
    )
    assert len(read("list.csv", as_csv(HEADINGS[:2], rows)).rows) == MAX_ROWS
    sheet = read("list.xlsx", as_xlsx(HEADINGS[:2], rows))
    assert (len(sheet.rows), sheet.rows[-1].line) == (MAX_ROWS, MAX_ROWS + 1)


TEXT_ROW = '<row r="1"><c r="A1" t="inlineStr"><is><t>Name</t></is></c></row><row r="2"><c r="A2"><v>1</v></c></row>'


def test_a_million_empty_rows_do_no_harm() -> None:
    """Rows that were formatted and hold nothing are passed over, or refused when each has many cells."""
    empty = (f'<row r="{line}" spans="1:1" s="1"/>' for line in range(3, 1_000_000))
    content = with_sheet(iter(["<worksheet><sheetData>" + TEXT_ROW, *empty, "</sheetData></worksheet>"]))
    assert len(read("list.xlsx", content).rows) == 1
    formatted = '<row><c s="1"/><c s="1"/><c s="1"/><c s="1"/></row>' * 999_998
    content = with_sheet(sheet_xml(TEXT_ROW + formatted))
    assert "far more than a list of clients" in refusal("list.xlsx", content)


@pytest.mark.parametrize("cell", ["XFD1048576", "A1048576", "XFD2"])
def test_a_cell_far_from_the_list_is_refused(cell: str) -> None:
    """Its row and column would otherwise be made in full."""
    content = workbook(lambda _, sheet: (table(sheet, HEADINGS, AUBRY), sheet.write(cell, "x")))
    assert f"as far as cell {'C' if cell[0] == 'A' else 'XFD'}" in refusal("list.xlsx", content)


def test_cells_without_references_count_as_they_stand() -> None:
    """Rows and cells may leave out where they are, and are still not made past the limits."""
    rows = "<row/>" * 999_999 + "<row>" + "<c/>" * 5_000 + "<c><v>1</v></c></row>"
    assert "as far as cell GJI1000000" in refusal("list.xlsx", with_sheet(sheet_xml(rows)))
    plain = "<row><c><v>1</v></c><c><v>2</v></c></row>" * 2
    assert found(read("list.xlsx", with_sheet(sheet_xml(plain)))) == [(2, ("1", "2"))]


@pytest.mark.parametrize(
    "rows",
    [
        '<row r="2"><c r="A2"><v>1</v></c></row><row r="1"><c r="A1"><v>1</v></c></row>',
        '<row r="1"><c r="B1"><v>1</v></c><c r="A1"><v>1</v></c></row>',
        '<row r="1"><c r="A7"><v>1</v></c></row>',
        '<row r="1"><c r="1A"><v>1</v></c></row>',
        '<row r="x"><c r="A1"><v>1</v></c></row>',
        '<row r="1"><c r="A1" t="s"><v>99</v></c></row>',
        '<row r="1"><c r="A1" t="s"><v>-1</v></c></row>',
        '<row r="1"><c r="A1"><f t="array" ref="A1:?">1</f></c></row>',
        "<row",
    ],
)
def test_a_sheet_that_no_spreadsheet_writes_is_refused(rows: str) -> None:
    """Rows and cells out of order, places that are none, texts that are not there."""
    assert refusal("list.xlsx", with_sheet(sheet_xml(rows))).startswith("This workbook is damaged")


def test_entities_deep_nesting_and_endless_tags_are_refused() -> None:
    """XML that grows when it is read is not read."""
    laughs = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>'
    assert refusal("list.xlsx", with_sheet(laughs + sheet_xml(TEXT_ROW))).startswith("This workbook is damaged")
    assert "far more" in refusal("list.xlsx", with_sheet(sheet_xml("<a>" * 1_000_000 + "</a>" * 1_000_000)))
    assert "far more" in refusal("list.xlsx", with_sheet(sheet_xml('<row a="' + "x" * 2**20 + '"/>')))


def test_a_zip_bomb_is_refused_before_it_grows() -> None:
    """In a sheet, in the texts, in many entries, or in a size that is not what it says."""
    zeros = " " * 2**20
    for content in (
        with_sheet(iter(["<worksheet>", *[zeros] * 100, "</worksheet>"])),
        with_sheet(sheet_xml(TEXT_ROW), strings="<sst>" + zeros * 70 + "</sst>"),
        with_entries(3_000),
    ):
        assert refusal("list.xlsx", content).startswith("This workbook holds far more")
    lying = bytearray(with_sheet(iter(["<worksheet>", *[zeros] * 60, "</worksheet>"])))
    with ZipFile(BytesIO(lying)) as archive:
        size = archive.getinfo("xl/worksheets/sheet1.xml").file_size
    lies = bytes(lying).replace(size.to_bytes(4, "little"), (100).to_bytes(4, "little"))
    assert lies != bytes(lying)
    tracemalloc.start()
    assert refusal("list.xlsx", lies).startswith("This workbook is damaged")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20 * 2**20


def with_entries(count: int) -> bytes:
    content = BytesIO(SMALL)
    with ZipFile(content, "a") as archive:
        for number in range(count):
            archive.writestr(f"{number}.xml", "")
    return content.getvalue()


def test_one_long_text_in_many_cells_is_refused() -> None:
    """A text stored once and shown everywhere would be made everywhere."""
    rows = "".join(f'<row r="{line}"><c r="A{line}" t="s"><v>0</v></c></row>' for line in range(1, 20_000))
    strings = "<sst><si><t>" + "x" * 30_000 + "</t></si></sst>"
    assert "far more" in refusal("list.xlsx", with_sheet(sheet_xml(rows), strings=strings))


def test_an_encrypted_archive_is_refused() -> None:
    """Its parts cannot be read without the password."""
    content = bytearray(SMALL)
    with ZipFile(BytesIO(SMALL)) as archive:
        starts = [info.header_offset for info in archive.infolist()]
    for start in starts:
        content[start + 6] |= 1
    for match in re.finditer(b"PK\x01\x02", SMALL):
        content[match.start() + 8] |= 1
    assert refusal("list.xlsx", bytes(content)).startswith("This workbook is protected by a password")


def test_a_panic_of_the_reader_is_a_refusal_and_an_interruption_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what the reader in Rust throws is caught."""
    panic = type("PanicException", (BaseException,), {})
    for thrown, wanted in ((panic, UnreadableFile), (KeyboardInterrupt, KeyboardInterrupt)):
        monkeypatch.setattr(workbooks, "CalamineWorkbook", failing(thrown))
        with pytest.raises(wanted):
            read("list.xlsx", SMALL)


def failing(thrown: type[BaseException]) -> Any:
    class Reader:
        @staticmethod
        def from_filelike(_: BytesIO) -> None:
            raise thrown

    return Reader
