"""Tables written: as CSV, which is safe to open in a spreadsheet, or as a workbook, of text or of typed cells."""

import csv
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from io import BytesIO, StringIO
from itertools import chain
from typing import Any
from unicodedata import category, normalize

from xlsxwriter import Workbook  # type: ignore[import-untyped]

from core.words import language

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_SPREADSHEET = {
    "en": (",", "."),
    "fr": (";", ","),
    "nl": (";", ","),
}  # what separates cells, and the decimals, where it is opened
_ROWS_OF_A_SHEET = 1_048_576
_LONGEST_CELL = 32_767  # characters, in a workbook
_NO_CHARACTERS = dict.fromkeys((0xFFFE, 0xFFFF), "\ufffd")


def as_csv(rows: Iterable[Iterable[object]], separator: str | None = None) -> str:
    """The rows as CSV text, separated as the reader's spreadsheet expects unless `separator` says otherwise.

    Text is quoted, and made harmless where a spreadsheet would take it for a formula; `read` gives the same cells back,
    trimmed. A file begins with a byte order mark: encode it as "utf-8-sig".
    """
    text = StringIO()
    separator = separator or _SPREADSHEET[language()][0]
    written = csv.writer(text, delimiter=separator, quoting=csv.QUOTE_NONNUMERIC)
    written.writerows([harmless(cell) if isinstance(cell, str) else cell for cell in row] for row in rows)
    return _showable(text.getvalue())


def as_xlsx(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """The table as a workbook, every cell text and every column kept as text when someone types in it.

    Memory does not grow with the rows. A cell is cut where a workbook can hold no more of it.
    """
    content = BytesIO()
    with Workbook(content, {"constant_memory": True}) as book:
        sheet = book.add_worksheet()
        as_text = book.add_format({"num_format": "@"})
        heading = book.add_format({"num_format": "@", "bold": True})
        sheet.freeze_panes(1, 0)
        for column, name in enumerate(headings):
            sheet.set_column(column, column, min(max(len(name) + 4, 14), 40), as_text)
        for line, row in enumerate(chain([headings], rows)):
            for column, cell in enumerate(row):
                kept = _showable(cell).translate(_NO_CHARACTERS)[:_LONGEST_CELL]
                sheet.write_string(line, column, kept, as_text if line else heading)
    return content.getvalue()


def as_typed_xlsx(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """The table as a workbook in which numbers are numbers, amounts (Decimal) have two decimals, days are days, and
    None is an empty cell; the headings stay in sight.

    Memory does not grow with the rows, except by what the file itself takes. What a sheet cannot hold goes on in
    another one.
    """
    content = BytesIO()
    with Workbook(content, {"constant_memory": True, "default_date_format": "yyyy-mm-dd"}) as book:
        amount, heading = book.add_format({"num_format": "#,##0.00"}), book.add_format({"bold": True})
        sheet, line = _typed_sheet(book, headings, heading), 0
        for row in rows:
            if line == _ROWS_OF_A_SHEET - 1:
                sheet, line = _typed_sheet(book, headings, heading), 0
            line += 1
            for column, cell in enumerate(row):
                if isinstance(cell, str):
                    sheet.write_string(line, column, _showable(cell).translate(_NO_CHARACTERS)[:_LONGEST_CELL])
                elif isinstance(cell, Decimal):
                    sheet.write_number(line, column, float(cell), amount)
                elif isinstance(cell, date):
                    sheet.write_datetime(line, column, cell)
                elif isinstance(cell, int):
                    sheet.write_number(line, column, cell)
    return content.getvalue()


def _typed_sheet(book: Workbook, headings: Sequence[str], heading: Any) -> Any:
    """Another sheet of the workbook, with its headings in this format."""
    sheet = book.add_worksheet()
    sheet.freeze_panes(1, 0)
    sheet.set_column(0, len(headings) - 1, 18)
    for column, name in enumerate(headings):
        sheet.write_string(0, column, name, heading)
    return sheet


def harmless(text: str) -> str:
    """The text, with an apostrophe before it when a spreadsheet would take it for a formula."""
    if not text.strip():  # nothing to calculate, and its apostrophe would be all that is left of it
        return text
    seen = "".join(c for c in normalize("NFKC", text) if category(c) != "Cf").lstrip(" ")
    return f"'{text}" if seen.startswith(_FORMULA) else text


def decimal(cents: int) -> str:
    """An amount of cents with two decimals, as the reader's spreadsheet reads a number."""
    _, point = _SPREADSHEET[language()]
    return f"{cents // 100}{point}{cents % 100:02}"


def _showable(text: str) -> str:
    """The text with a question mark for each half of a character, which no file can hold."""
    return text.encode("utf-8", "replace").decode()
