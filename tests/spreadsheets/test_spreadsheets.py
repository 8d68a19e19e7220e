"""Lists that people bring as CSV or paste, and tables written: what is read, how it is numbered, what is refused."""

import csv
from collections.abc import Sequence
from io import BytesIO
from zipfile import ZipFile

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.spreadsheets import (
    MAX_BYTES,
    MAX_ROWS,
    Format,
    SheetRow,
    UnreadableFile,
    as_csv,
    as_xlsx,
    decimal,
    harmless,
    read,
    read_pasted,
)
from core.words import speak
from tests.spreadsheets.made import AUBRY, HEADINGS, SMALL, as_brought, found, refusal, table, workbook

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


def known(headings: Sequence[str]) -> int:
    """How many of these headings are known to somebody who knows two."""
    return len({"Name", "E-mail"} & set(headings))


@given(tables())
@settings(max_examples=30)
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
@example((["Name"], [["\r"]]), ",")
def test_a_csv_file_written_is_read_back(brought: tuple[list[str], list[list[str]]], separator: str) -> None:
    """With any separator, when the headings are known."""
    headings, rows = ["Name", "E-mail", *brought[0]], [["n", "e", *row] for row in brought[1]]
    content = as_csv([headings, *rows], separator).encode("utf-8-sig")
    if not rows:
        assert "no rows below" in refusal("list.csv", content)
        return
    sheet = read("list.CSV", content, recognised=known)
    assert (sheet.format, sheet.encoding, sheet.separator) == (Format.CSV, "UTF-8", separator)
    assert sheet.headings == tuple(map(as_brought, headings))
    assert found(sheet) == expected(rows)


@given(st.sampled_from(["list.csv", "list", "list.pdf"]), st.binary() | st.binary().map(lambda b: b"PK\3\4" + b))
@settings(max_examples=300)
def test_any_bytes_are_read_or_refused(name: str, content: bytes) -> None:
    """Nothing else than a refusal leaves the reader."""
    try:
        assert read(name, content).rows
    except UnreadableFile as refused:
        assert str(refused)


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
    """Commas within headings do not win over the semicolons between them; where none is known, most headings win."""
    content = b"Name;E-mail;Note (a, b, c, d, e)\nAubry;a@example.com;x,y\n"
    sheet = read("list.csv", content, recognised=known)
    assert sheet.separator == ";"
    assert sheet.headings == ("Name", "E-mail", "Note (a, b, c, d, e)")
    assert read_pasted(content.decode(), recognised=known).headings == sheet.headings
    assert read("list.csv", b"one;two;three\n1;2;3").separator == ";"
    assert read("list.csv", b"one;two;three,,,,\n1;2;3").separator == ";"
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


@pytest.mark.parametrize("content", [b"Name,E-mail\nA\0,b", "Name,E-mail\na,b".encode("utf-16-le"), b"Name\nA\x81\xff"])
def test_a_file_that_is_not_text_is_refused(content: bytes) -> None:
    """NUL bytes, UTF-16 without its mark and bytes of no encoding."""
    assert refusal("list.csv", content).startswith("This is not a text file.")


def test_line_numbers_are_those_of_the_spreadsheet() -> None:
    """Blank rows count, before the headings too; a cell with line breaks is one row."""
    sheet = read("list.csv", b'\n;;\nName;E-mail;\n"A\nB\nC";a@example.com\n;;\n\n D ;;\n')
    assert sheet.headings == ("Name", "E-mail")
    assert found(sheet) == [(4, ("A\nB\nC", "a@example.com")), (7, ("D", ""))]
    content = workbook(lambda _, sheet: (table(sheet, HEADINGS, first=2), table(sheet, AUBRY, first=9)))
    assert found(read("list.xlsx", content)) == [(10, tuple(AUBRY))]


def test_uneven_rows_are_filled_up_and_cells_beyond_the_headings_are_refused() -> None:
    """Short rows get blank cells; a surplus cell that holds something names its row."""
    assert found(read("list.csv", b"a,b,c\n1\n1,2,3,,,\n")) == [(2, ("1", "", "")), (3, ("1", "2", "3"))]
    assert "Row 3 has more cells" in refusal("list.csv", b"a,b\n1,2\n1,2,3\n")


@pytest.mark.parametrize("content", [b"a,,c\n1,,3\n1,2,3", b"a,,c,\n1,2,3"])
def test_a_column_without_a_heading_is_refused_by_its_letter(content: bytes) -> None:
    """As merged headings look when a spreadsheet writes them as CSV."""
    assert refusal("list.csv", content).startswith("Column B holds something in row ")


def test_quotation_marks_that_are_wrong_are_refused() -> None:
    """Never closed or out of place: the row where it begins is named."""
    assert "in or after row 3" in refusal("list.csv", b'a,b\n1,2\n"1,2\n3,4\n')
    assert "in or after row 2" in refusal("list.csv", b'a,b\n"1"x,2\n')
    assert "far too long" in refusal("list.csv", b"a,b\n1," + b"x" * (csv.field_size_limit() + 1))
    with pytest.raises(UnreadableFile, match="in or after row 2"):
        read_pasted('a\tb\n"1\t2')


def test_a_formula_guard_is_taken_off() -> None:
    """What our own export writes before text that looks like a formula is not part of the text."""
    assert read("list.csv", b"a,b\n'=1+1,'s-Hertogenbosch\n'+32 2,'@x\n").rows == (
        SheetRow(2, ("=1+1", "'s-Hertogenbosch")),
        SheetRow(3, ("+32 2", "@x")),
    )
    assert as_csv([["a"], ["=1+1"], ["@x"]]) == '"a"\r\n"\'=1+1"\r\n"\'@x"\r\n'


def test_a_csv_file_is_separated_as_the_readers_spreadsheet_expects() -> None:
    """Commas and points in English, semicolons and commas in French; a list that was brought keeps its own."""
    rows = [["Name", "A month"], ["Aubry", 12], ["Bois", decimal(123456)]]
    assert as_csv(rows) == '"Name","A month"\r\n"Aubry",12\r\n"Bois","1234.56"\r\n'
    speak("fr")
    assert as_csv(rows[:2]) == '"Name";"A month"\r\n"Aubry";12\r\n'
    assert decimal(5) == "0,05"
    assert as_csv(rows[:1], "\t") == '"Name"\t"A month"\r\n'


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@x", "\tx", "\rx", " =1", "\u200b=1", "＝1", "\u3000＋1"])
def test_text_that_a_spreadsheet_takes_for_a_formula_is_made_harmless(text: str) -> None:
    """Also behind characters that do not show, and in wide forms."""
    assert harmless(text) == f"'{text}"
    assert harmless(f"x{text}") == f"x{text}"


def test_text_that_no_file_can_hold_is_written_with_a_question_mark() -> None:
    """Half a character, which a browser may send."""
    assert as_csv([["a\ud800"]]).encode("utf-8-sig") == b'\xef\xbb\xbf"a?"\r\n'


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


OTHER_KIND = "Only files that end in .xlsx, .xls, .ods or .csv can be read."


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("list.csv", SMALL, "This file is a workbook, though its name ends in .csv."),
        ("list.csv", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "This file is a workbook, though its name ends in .csv."),
        ("list.csv", b"%PDF-1.7", "This file is a PDF"),
        ("list.xlsx", b"%PDF-1.7", "This file is a PDF"),
        ("list.ods", b"%PDF-1.7", "This file is a PDF"),
        ("list.pdf", b"%PDF-1.7", OTHER_KIND),
        ("list", SMALL, OTHER_KIND),
        ("list.", SMALL, OTHER_KIND),
        ("list.numbers", SMALL, OTHER_KIND),
        ("list.csv", b"", "This list is empty."),
        ("list.csv", b"\n , \n\n", "This list is empty."),
        ("list.csv", b"Name,E-mail\n,\n", "This list has headings and no rows below them."),
        ("list.csv", b"x" * (MAX_BYTES + 1), "This file has 21 MB, and at most 20 MB are taken."),
        ("list.csv", b"," .join([b"a"] * 201) + b"\nb", "This list has 201 columns, and at most 200 are taken."),
    ],
    ids=lambda value: value[:30] if isinstance(value, str) else "",
)  # fmt: skip
def test_a_file_that_is_something_else_is_refused_with_what_to_do(name: str, content: bytes, sentence: str) -> None:
    """Each refusal says what the file is and how to bring it."""
    assert refusal(name, content).startswith(sentence)


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
    """From a file; workbooks are tested beside the rest of them."""
    rows = [["Name", "E-mail"], *[["Name", "a@example.com"]] * MAX_ROWS]
    assert len(read("list.csv", as_csv(rows).encode()).rows) == MAX_ROWS
    too_many = "This file has 50,001 rows, and at most 50,000 are taken at once."
    assert refusal("list.csv", as_csv([*rows, ["one", "more"]]).encode()).startswith(too_many)


def test_titles_above_the_headings_are_skipped_when_the_headings_are_known() -> None:
    """Only rows above a row of known headings; where none is known, the first row has them as before."""
    known = {"Name", "E-mail"}
    content = b"Clients;\n;\nMade on Monday;;\nName;E-mail\nA;a@example.com\n"
    found = read("a.csv", content, recognised=lambda headings: len(known & set(headings)))
    assert (found.headings, found.headings_line, found.skipped) == (("Name", "E-mail"), 4, 2)
    assert [(row.line, row.cells) for row in found.rows] == [(5, ("A", "a@example.com"))]
    plain = read("a.csv", b"One;Two\nName;E-mail\nA;B\n", recognised=lambda _: 0)
    assert (plain.headings, plain.skipped) == (("One", "Two"), 0)


def test_a_title_that_is_a_known_word_is_skipped_for_a_row_that_has_more_of_them() -> None:
    """As in "Name: Aubry" above the list; a row that knows one more only may be a client's."""
    known = {"Name", "E-mail", "Country"}

    def recognised(headings: Sequence[str]) -> int:
        return len(known & set(headings))

    title = read("a.csv", b"Name;Aubry;\nName;E-mail;Country\nA;a@example.com;BE\n", recognised=recognised)
    assert (title.headings_line, title.skipped) == (2, 1)
    alone = read("a.csv", b"Name;To whom\nE-mail;Name\n", recognised=recognised)
    assert (alone.headings, alone.skipped) == (("Name", "To whom"), 0)


def test_the_unicode_text_of_a_spreadsheet_is_read() -> None:
    """It ends in .txt, is UTF-16 and separated by tabs."""
    found = read("list.txt", "Name\tE-mail\nZoë\tz@example.com\n".encode("utf-16"))
    assert (found.encoding, found.separator, found.rows[0].cells) == ("UTF-16", "\t", ("Zoë", "z@example.com"))
