"""A table that someone brings: a workbook, a CSV file or pasted rows, read as text."""

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from enum import StrEnum
from io import StringIO
from itertools import chain, islice
from pathlib import PurePath

from core.spreadsheets.encodings import MAC, NOT_TEXT, WINDOWS, decoded, without_marks
from core.spreadsheets.files import harmless
from core.spreadsheets.limits import MAX_BYTES, MAX_COLUMNS, MAX_ROWS, TOO_MANY_ROWS, UnreadableFile, letters
from core.spreadsheets.workbooks import MERGED, Record, heads, records
from core.words import N_

_OLE, _ZIP, _PDF = b"\xd0\xcf\x11\xe0", b"PK\x03\x04", b"%PDF"
_TITLES, _ENOUGH = 20, 2  # rows that may stand above the headings; headings that are known, by which a row has them
_LOOKED_AT, _MAX_RECORDS = 1_000, 2**20  # rows, among which the headings are; rows that a spreadsheet can have

Recognised = Callable[[Sequence[str]], int]  # how many of these headings are known

_OTHER_KIND = N_(
    "Only files that end in .xlsx, .xls, .ods or .csv can be read. Save the list as one of these, or paste its rows."
)
_TOO_BIG = N_("This file has {megabytes} MB, and at most {limit} MB are taken. Split it, or keep only the list.")
_EMPTY = N_("This list is empty. Bring a list with a row of headings and a row for each client.")
_EMPTY_SHEET = N_(
    "The first sheet, “{name}”, is empty. The list may be on another one: {others}. "
    "Put that sheet first, with a row of headings and a row for each client."
)
_ONLY_HEADINGS_HERE = N_(
    "The first sheet, “{name}”, has headings and no rows below them. The list may be on another one: {others}. "
    "Put that sheet first, with a row of headings and a row for each client."
)
_ONLY_HEADINGS = N_("This list has headings and no rows below them. Add a row for each client.")
_A_WORKBOOK = N_(
    "This file is a workbook, though its name ends in .csv. Open it in your spreadsheet and save it as CSV or .xlsx."
)
_A_PDF = N_("This file is a PDF, whatever its name ends in. Bring the list it was made from, as .xlsx or CSV.")
_MERGED_HEADINGS = N_(
    "The headings in row {line} are merged with other cells. Unmerge them, so that each column has its own."
)
_BAD_QUOTES = N_(
    "A quotation mark is out of place, or opened and never closed, in or after row {line}. "
    "Correct it, or save the list as .xlsx."
)
_LONG_CELL = N_("A cell in or after row {line} is far too long, perhaps for a missing quotation mark. Shorten it.")
_TOO_MANY_COLUMNS = N_("This list has {columns} columns, and at most {limit} are taken. Remove those you do not need.")
_NO_HEADING = N_("Column {column} holds something in row {line} but has no heading. Give it one, or empty the column.")
_TOO_MANY_CELLS = N_(
    "Row {line} has more cells than there are headings. Give every column a heading, or empty the cells beyond."
)


class Format(StrEnum):
    """What was brought, by the ending of its name."""

    CSV = "csv"
    XLSX = "xlsx"
    XLS = "xls"
    ODS = "ods"


@dataclass(frozen=True, slots=True)
class SheetRow:
    """A row that holds something: its number in the person's spreadsheet, and its cells, trimmed, one a heading.

    `odd` says, for the index of a cell that cannot be taken as text, why: a sentence not yet translated.
    """

    line: int
    cells: tuple[str, ...]
    odd: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table with headings. Encoding and separator are empty for a workbook, the encoding also for pasted rows.

    `skipped` is how many rows above the headings, which are in row `headings_line`, hold something else: titles.
    `hidden` is how many of the rows cannot be seen in the workbook, as far as it tells. `name` is that of a workbook's
    sheet and `others` those of its other visible ones, where the first one has not the headings of a list. `content` is
    the file, where its bytes do not decide its encoding: `read_as` another one.
    """

    headings: tuple[str, ...]
    rows: tuple[SheetRow, ...]
    format: Format
    encoding: str
    separator: str
    headings_line: int = 1
    skipped: int = 0
    hidden: int = 0
    name: str = ""
    others: tuple[str, ...] = ()
    content: bytes = field(default=b"", repr=False)


def how_many(headings: Sequence[str]) -> int:
    """How many headings there are: all that can be said by somebody who knows none of them."""
    return sum(1 for heading in headings if heading)


def read(name: str, content: bytes, *, recognised: Recognised = how_many, encoding: str = "") -> Sheet:
    """The table in a file of this name; a CSV file's separator is the one that shows most headings `recognised`, and
    its `encoding` WINDOWS or MAC as somebody says, if it is neither UTF-8 nor UTF-16.

    Raises UnreadableFile.
    """
    if not content:
        raise UnreadableFile(_EMPTY)
    if len(content) > MAX_BYTES:
        raise UnreadableFile(_TOO_BIG, megabytes=len(content) // 2**20 + 1, limit=MAX_BYTES // 2**20)
    ending = PurePath(name).suffix.casefold().removeprefix(".")
    ending = "csv" if ending == "txt" else ending  # what Excel calls "Unicode text"
    if ending not in set(Format):
        raise UnreadableFile(_OTHER_KIND)
    if content.startswith(_PDF):
        raise UnreadableFile(_A_PDF)
    if (form := Format(ending)) is not Format.CSV:
        return _from_workbook(content, form, recognised)
    if content.startswith((_OLE, _ZIP)):
        raise UnreadableFile(_A_WORKBOOK)
    return _from_bytes(content, encoding, recognised)


def read_as(sheet: Sheet, encoding: str, *, recognised: Recognised = how_many) -> Sheet:
    """The table of a file that has `content`, read anew in this encoding: WINDOWS or MAC. Raises UnreadableFile."""
    return _from_bytes(sheet.content, encoding, recognised)


def _from_bytes(content: bytes, said: str, recognised: Recognised) -> Sheet:
    text, encoding = decoded(content, said)
    sheet = _from_text(text, encoding, ",;\t", recognised)
    return replace(sheet, content=content) if encoding in (WINDOWS, MAC) else sheet


def _from_workbook(content: bytes, form: Format, recognised: Recognised) -> Sheet:
    """The list on the first visible sheet; where that has no headings of a list, or nothing below them, on the first
    other one that has."""
    every = records(content, f".{form}")
    first = list(islice(every, _TITLES + 1))
    sheets = []
    if not _has_a_list([record.cells for record in first], recognised):
        with suppress(UnreadableFile):  # another sheet may be far larger than a list
            sheets = heads(content, f".{form}")
    if len(sheets) < 2:
        return _sheet(chain(first, every), form, recognised)
    names = [name for name, _ in sheets]
    which = next((place for place, (_, rows) in enumerate(sheets, 1) if _has_a_list(rows, recognised)), 1)
    if which == 1 and not _has_rows([record.cells for record in first], recognised):
        sentence = _ONLY_HEADINGS_HERE if first else _EMPTY_SHEET
        raise UnreadableFile(sentence, name=names[0], others=tuple(names[1:]))
    found = chain(first, every) if which == 1 else records(content, f".{form}", sheet=which)
    others = tuple(names[: which - 1] + names[which:])
    return replace(_sheet(found, form, recognised), name=names[which - 1], others=others)


def _has_a_list(first: Sequence[list[str]], recognised: Recognised) -> bool:
    """Whether a sheet that begins with these rows has headings that are known, and something below them."""
    headings = _best(first, recognised)[1][:MAX_COLUMNS]
    return recognised(headings) >= _ENOUGH and _has_rows(first, recognised)


def _has_rows(first: Sequence[list[str]], recognised: Recognised) -> bool:
    """Whether something stands below the headings, as far as these rows show."""
    return len(first) > min(_best(first, recognised)[0] + 1, _TITLES)


def read_pasted(text: str, *, recognised: Recognised = how_many) -> Sheet:
    """The table in rows copied from a spreadsheet, headings first; row 1 is the first line. As `read`."""
    if len(text) > MAX_BYTES:
        raise UnreadableFile(_TOO_BIG, megabytes=len(text) // 2**20 + 1, limit=MAX_BYTES // 2**20)
    return _from_text(without_marks(text), "", "\t;,", recognised)


def _from_text(text: str, encoding: str, separators: str, recognised: Recognised) -> Sheet:
    if "\0" in text:
        raise UnreadableFile(NOT_TEXT)
    if not text.strip("\r\n " + separators):
        raise UnreadableFile(_EMPTY)
    first, _, rest = text.partition("\n")
    if (hint := first.strip("\r ").lower()).startswith("sep=") and len(hint) == 5 and hint[4] in separators:
        text, separators = rest, hint[4]
    separator = max(separators, key=lambda candidate: _promise(text, candidate, recognised))
    return _sheet(_records(text, separator), Format.CSV, recognised, encoding, separator)


def _promise(text: str, separator: str, recognised: Recognised) -> tuple[int, int]:
    """How many headings are recognised with this separator, and how many columns there are."""
    try:
        found = islice(_records(text, separator), _LOOKED_AT)
        filled = islice((record for record in found if any(record.cells)), _TITLES + 1)
        headings = _best([record.cells for record in filled], recognised)[1]
    except UnreadableFile:
        return -1, 0
    return recognised(headings[:MAX_COLUMNS]), len(headings)


def _records(text: str, separator: str) -> Iterator[Record]:
    line = 0
    try:
        for line, cells in enumerate(csv.reader(StringIO(text, newline=""), delimiter=separator, strict=True), 1):
            if line > _MAX_RECORDS:
                raise UnreadableFile(TOO_MANY_ROWS, rows=line, limit=MAX_ROWS)
            yield Record(line, [cell.strip() for cell in cells])
    except csv.Error as error:
        too_long = "field larger" in str(error)
        raise UnreadableFile(_LONG_CELL if too_long else _BAD_QUOTES, line=str(line + 1)) from error


def _best(first: Sequence[list[str]], recognised: Recognised) -> tuple[int, list[str]]:
    """Which of the first rows has the headings, and they: the first row, unless hardly anything of it and enough more
    of a later one is known. A title too may be a known word ("Company: Aubry")."""
    if not first:
        return 0, []
    if (of_the_first := recognised(first[0][:MAX_COLUMNS])) < _ENOUGH:
        for place, cells in enumerate(first):
            if recognised(cells[:MAX_COLUMNS]) >= _ENOUGH + of_the_first:
                return place, cells
    return 0, first[0]


def _sheet(
    found: Iterable[Record], form: Format, recognised: Recognised, encoding: str = "", separator: str = ""
) -> Sheet:
    every = (record for record in found if any(record.cells))
    first = list(islice(every, _TITLES + 1))
    if not first:
        raise UnreadableFile(_EMPTY)
    skipped, _ = _best([record.cells for record in first], recognised)
    header, filled = first[skipped], chain(first[skipped + 1 :], every)
    if MERGED in header.odd.values():
        raise UnreadableFile(_MERGED_HEADINGS, line=str(header.line))
    headings = _without_guards(header.cells)
    given = len(headings)
    while not headings[-1]:
        headings.pop()
    if len(headings) > MAX_COLUMNS:
        raise UnreadableFile(_TOO_MANY_COLUMNS, columns=len(headings), limit=MAX_COLUMNS)
    rows: list[SheetRow] = []
    beyond = hidden = 0
    for record in filled:
        if len(rows) == MAX_ROWS:
            beyond += 1
            continue
        _refuse_without_heading(record, headings, given if form is Format.CSV else MAX_COLUMNS)
        rows.append(_row(record, len(headings)))
        hidden += record.is_hidden
    if beyond:
        raise UnreadableFile(TOO_MANY_ROWS, rows=MAX_ROWS + beyond, limit=MAX_ROWS)
    if not rows:
        raise UnreadableFile(_ONLY_HEADINGS)
    return Sheet(tuple(headings), tuple(rows), form, encoding, separator, header.line, skipped, hidden)


def _refuse_without_heading(record: Record, headings: Sequence[str], given: int) -> None:
    """`given`: how many cells the header row has, blank ones too."""
    line = str(record.line)
    for index, cell in enumerate(record.cells):
        if cell and (index >= len(headings) or not headings[index]):
            if index < given:
                raise UnreadableFile(_NO_HEADING, column=letters(index), line=line)
            raise UnreadableFile(_TOO_MANY_CELLS, line=line)


def _row(record: Record, width: int) -> SheetRow:
    cells = _without_guards(record.cells[:width])
    odd = {index: sentence for index, sentence in record.odd.items() if index < width}
    return SheetRow(record.line, (*cells, *[""] * (width - len(cells))), odd)


def _without_guards(cells: Iterable[str]) -> list[str]:
    return [cell[1:].strip() if cell.startswith("'") and harmless(cell[1:]) != cell[1:] else cell for cell in cells]
