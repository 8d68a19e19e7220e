"""The child that opens a workbook for workbooks.py: a script, so that it starts fast and holds nothing of the product.

It reads the file from its input and answers with lines of JSON: each row that holds something as [its number, its
cells, {index of a cell: "date", "no value" or "merged"}, whether it is hidden], or {"refused": why, ...} as the last
line. Asked for sheet 0, it answers with the beginnings of all visible sheets instead: [name, [cells of a row, ...]].
It sets limits to itself; when it goes past them it is killed, and the parent sees that.

calamine reads the values. It gives errors and formulas that were never calculated as blank cells, and in a list a blank
cell means something; so those cells are looked up beside it.
"""

import json
import os
import signal
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import date, time, timedelta
from io import BytesIO, StringIO
from itertools import chain, islice, repeat
from posixpath import join, normpath
from typing import Any
from xml.etree.ElementTree import Element, fromstring, iterparse
from zipfile import ZipFile

import xlrd  # type: ignore[import-untyped]
from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

_OLE = b"\xd0\xcf\x11\xe0"  # how an .xls begins, and any workbook with a password
_ZIP = b"PK"
_EXACT = 2**53  # whole numbers up to here are exact in a workbook
_DATES = (date, time, timedelta)
_DATE, _NO_VALUE, _MERGED = "date", "no value", "merged"
_SHOWN = "#ERROR!"
_TEXT = ("str", "inlineStr")  # kinds of an .xlsx cell whose text may be empty
_ERRORS = ("#N/A", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#NULL!", "Err:")

# without any of these no cell of a part holds an error or a formula; the last means another encoding
_XLSX_SIGNS = (b'"e"', b"'e'", b"<f", b":f", b"\0")
_XLSX_HIDDEN, _ODS_HIDDEN = (b" hidden", b"\0"), (b":visibility", b"\0")
_LAST_ROW = 2**20
_ODS_SIGNS = (b'"error"', b"'error'", b":formula", b"\0")
_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_CALC = "{urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0}"

_MANIFEST, _ODS_SHEETS = "META-INF/manifest.xml", "content.xml"

Place = tuple[int, int]  # row and column of a cell, from 0
Row = tuple[int, list[str], dict[int, str], bool]
_HEADS = 21  # rows that hold something, among which the headings of a sheet may be


class Refused(Exception):
    """Why a workbook is not read: a word that the parent knows, and the values of its sentence."""

    def __init__(self, why: str, **values: object) -> None:
        super().__init__(why)
        self.answer = {"refused": why, **values}


def rows(content: bytes, most_rows: int, most_columns: int, which: int = 1) -> Iterator[Row]:
    """The rows of a visible sheet, counted from 1, that hold something. Raises Refused, and whatever the readers
    raise."""
    book = _opened(content)
    name, sheet = _visible(book, which)
    if sheet.end is not None and sheet.end[1] >= most_columns:
        raise Refused("too far", row=sheet.end[0] + 1, column=sheet.end[1])
    filled, merged = 0, list(sheet.merged_cell_ranges or ())
    without_value, hidden = _looked_up(content, name)
    for number, cells, odd in _rows(sheet, without_value):
        filled += 1
        if merged:
            odd |= dict.fromkeys(_merged(number, merged, most_columns), _MERGED)
        if filled <= most_rows + 1:  # the headings are one of them
            yield number, cells, odd, number - 1 in hidden
    if filled > most_rows + 1:
        raise Refused("too many rows", rows=filled - 1)


def heads(content: bytes, most_columns: int) -> Iterator[tuple[str, list[list[str]]]]:
    """The name and the first filled rows of each visible sheet. Raises Refused, and whatever the readers raise."""
    book = _opened(content)
    for which in range(1, len(_visible_sheets(book)) + 1):
        name, sheet = _visible(book, which)
        filled = (cells[:most_columns] for _, cells, _ in _rows(sheet, ()))
        yield name, list(islice(filled, _HEADS))


def _opened(content: bytes) -> CalamineWorkbook:
    try:
        return CalamineWorkbook.from_filelike(BytesIO(content))
    except CalamineError:  # it does not say more
        raise Refused(_why_not(content)) from None


def _why_not(content: bytes) -> str:
    if content.startswith(_OLE):
        if "EncryptedPackage".encode("utf-16-le") in content:
            return "protected"
        try:
            _xls(content)
        except xlrd.XLRDError as error:
            return "protected" if "encrypted" in str(error) else "damaged"
        return "damaged"
    if not content.startswith(_ZIP):
        return "not a workbook"
    with ZipFile(BytesIO(content)) as archive:
        names = archive.namelist()
        if any(info.flag_bits & 1 for info in archive.infolist()):
            return "protected"
        if _MANIFEST in names and b"encryption-data" in archive.read(_MANIFEST):
            return "protected"
    return "damaged" if {"xl/workbook.xml", "content.xml"} & set(names) else "not a workbook"


def _visible_sheets(book: CalamineWorkbook) -> list[int]:
    return [
        index
        for index, sheet in enumerate(book.sheets_metadata)
        if sheet.typ == SheetTypeEnum.WorkSheet and sheet.visible == SheetVisibleEnum.Visible
    ]


def _visible(book: CalamineWorkbook, which: int) -> tuple[str, CalamineSheet]:
    indexes = _visible_sheets(book)
    if which > len(indexes):
        raise Refused("no sheet")
    index = indexes[which - 1]
    return book.sheets_metadata[index].name, book.get_sheet_by_index(index)


def _merged(number: int, ranges: Iterable[tuple[Place, Place]], most_columns: int) -> Iterator[int]:
    """The columns whose cells in this row are merged with others."""
    for (top, left), (bottom, right) in ranges:
        if top < number <= bottom + 1:
            yield from range(left, min(right + 1, most_columns))


def _rows(sheet: CalamineSheet, without_value: Iterable[Place]) -> Iterator[tuple[int, list[str], dict[int, str]]]:
    unvalued: defaultdict[int, list[int]] = defaultdict(list)
    for row, column in without_value:
        unvalued[row].append(column)
    height = max(-1 if sheet.end is None else sheet.end[0], *unvalued, -1) + 1
    before = [""] * (0 if sheet.start is None else sheet.start[1])
    for row, values in zip(range(height), chain(sheet.iter_rows(), repeat([])), strict=False):
        cells = before + [_text(value) for value in values]
        odd = {column: _DATE for column, value in enumerate(values, len(before)) if isinstance(value, _DATES)}
        for column in unvalued.get(row, ()):
            cells += [""] * (column + 1 - len(cells))
            cells[column], odd[column] = _SHOWN, _NO_VALUE
        if any(cells):
            yield row + 1, cells, odd


def _text(value: object) -> str:
    match value:
        case str():
            return value.replace("\ufeff", "").strip()  # a byte order mark, from a list that was joined
        case bool():
            return "TRUE" if value else "FALSE"
        case float() if value.is_integer() and abs(value) <= _EXACT:
            return str(int(value))
        case date() | time():
            return value.isoformat()
    return str(value)


def _looked_up(content: bytes, name: str) -> tuple[list[Place], set[int]]:
    """The cells of this sheet that hold an error, or a formula whose value was never stored; and the rows, from 0, that
    are hidden (of an .xls that is not known)."""
    if content.startswith(_OLE):
        return list(_without_value_xls(_xls(content).sheet_by_name(name))), set()
    with ZipFile(BytesIO(content)) as archive:
        parts = {info.filename.replace("\\", "/").lstrip("/").casefold(): info for info in archive.infolist()}
        if _ODS_SHEETS in parts:
            xml = archive.read(parts[_ODS_SHEETS])
            return list(_without_value_ods(xml, name)), set(_hidden_ods(xml, name))

        def part(path: str) -> bytes:
            return archive.read(parts[path.casefold()])

        xml = part(_place_of(name, part))
        return list(_without_value_xlsx(xml)), set(_hidden_xlsx(xml))


def _xls(content: bytes) -> Any:
    return xlrd.open_workbook(file_contents=content, logfile=StringIO(), on_demand=True)


def _without_value_xls(sheet: Any) -> Iterator[Place]:
    for row in range(sheet.nrows):
        kinds = sheet.row_types(row)
        if xlrd.XL_CELL_ERROR in kinds:
            yield from ((row, column) for column, kind in enumerate(kinds) if kind == xlrd.XL_CELL_ERROR)


def _without_value_ods(xml: bytes, name: str) -> Iterator[Place]:
    if not any(sign in xml for sign in _ODS_SIGNS):
        return
    for row, bottom, element in _rows_ods(xml, name):
        columns = list(_columns_without_value(element))
        yield from ((line, column) for line in range(row, bottom) for column in columns)


def _hidden_ods(xml: bytes, name: str) -> Iterator[int]:
    if any(sign in xml for sign in _ODS_HIDDEN):
        for row, bottom, element in _rows_ods(xml, name):
            if element.get(f"{_TABLE}visibility") in ("filter", "collapse"):
                yield from range(row, min(bottom, _LAST_ROW))


def _rows_ods(xml: bytes, name: str) -> Iterator[tuple[int, int, Element]]:
    """The rows of this sheet, each element with its first row, from 0, and the one below its last."""
    table, row = None, 0
    for event, element in iterparse(BytesIO(xml), ["start", "end"]):  # noqa: S314 - this process has limits
        if event == "start" and element.tag == f"{_TABLE}table":
            table, row = element.get(f"{_TABLE}name"), 0
        elif event == "end" and element.tag == f"{_TABLE}table-row":
            bottom = row + int(element.get(f"{_TABLE}number-rows-repeated", 1))
            if table == name:
                yield row, bottom, element
            row = bottom
            element.clear()


def _columns_without_value(row: Element) -> Iterator[int]:
    column = 0
    for cell in row:
        right = column + int(cell.get(f"{_TABLE}number-columns-repeated", 1))
        is_formula, kind = cell.get(f"{_TABLE}formula") is not None, cell.get(f"{_OFFICE}value-type")
        if cell.get(f"{_CALC}value-type") == "error" or (
            is_formula and (kind is None or "".join(cell.itertext()).startswith(_ERRORS))
        ):
            yield from range(column, right)
        column = right


def _without_value_xlsx(xml: bytes) -> Iterator[Place]:
    if not any(sign in xml for sign in _XLSX_SIGNS):
        return
    row = 0
    for _, element in iterparse(BytesIO(xml)):  # noqa: S314 - this process has limits
        if _local(element.tag) != "row":
            continue
        row, column = int(element.get("r", row + 1)), 0
        for cell in element:
            row, column = _coordinates(cell.get("r"), row, column + 1)
            kind, parts = cell.get("t"), {_local(part.tag): part.text for part in cell}
            if kind == "e" or ("f" in parts and not parts.get("v") and kind not in _TEXT):
                yield row - 1, column - 1
        element.clear()


def _hidden_xlsx(xml: bytes) -> Iterator[int]:
    if not any(sign in xml for sign in _XLSX_HIDDEN):
        return
    row = 0
    for _, element in iterparse(BytesIO(xml)):  # noqa: S314 - this process has limits
        if _local(element.tag) == "row":
            row = int(element.get("r", row + 1))
            if element.get("hidden") in ("1", "true"):
                yield row - 1
            element.clear()


def _coordinates(reference: str | None, row: int, column: int) -> Place:
    """Row and column, from 1, of a cell that says A1 or stands there without saying where it is."""
    if reference is None:
        return row, column
    name = reference.rstrip("0123456789")
    column = 0
    for letter in name.upper():
        column = column * 26 + ord(letter) - ord("A") + 1
    return int(reference[len(name) :]), column


def _place_of(name: str, part: Callable[[str], bytes]) -> str:
    """Where the worksheet of this name is in an .xlsx, whose parts `part` gives by their path."""
    targets = {relation.get("Id"): relation.attrib["Target"] for relation in _root(part("xl/_rels/workbook.xml.rels"))}
    for sheet in _root(part("xl/workbook.xml")).iterfind("{*}sheets/{*}sheet"):
        if sheet.get("name") == name:
            (target,) = (targets[value] for key, value in sheet.items() if _local(key) == "id")
            return normpath(join("/xl", target.replace("\\", "/"))).lstrip("/")
    raise LookupError(name)


def _root(xml: bytes) -> Element:
    return fromstring(xml)  # noqa: S314 - this process has limits


def _local(name: str) -> str:
    """The name without its namespace."""
    return name.rpartition("}")[2]


def _limit(memory: int, answer: int, seconds: int) -> None:
    """Bytes and seconds from which on the system ends this process; nothing where it cannot."""
    try:
        import resource
    except ImportError:
        return
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)  # Python would go on
    for kind, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_FSIZE, answer),
        (resource.RLIMIT_CPU, seconds),
    ):
        with suppress(ValueError, OSError):
            resource.setrlimit(kind, (most, most))


def _answer(*limits: int) -> None:
    memory, answer, seconds, most_rows, most_columns, which = limits
    _limit(memory, answer, seconds)
    try:
        content = sys.stdin.buffer.read()
        for said in rows(content, most_rows, most_columns, which) if which else heads(content, most_columns):
            _say(said)
    except Refused as refused:
        _say(refused.answer)
    except MemoryError:
        os.abort()
    except BaseException:  # noqa: BLE001 - readers fail in many ways; Rust's panic is not even an Exception
        _say({"refused": "damaged"})


def _say(answer: object) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    _answer(*map(int, sys.argv[1:]))
