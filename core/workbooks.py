"""An .xlsx workbook read as records of text: its first visible sheet, looked through before anything is made of it.

The reader of workbooks is given a copy of only the parts that were looked through, so a part that is hidden, doubled or
larger than it says is never opened.
"""

import zlib
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from io import BytesIO
from posixpath import basename, dirname, join, normpath
from struct import error as NotPacked  # noqa: N812 - an exception, named as one
from xml.parsers.expat import ExpatError
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from python_calamine import CalamineError, CalamineWorkbook

from core.language import N_
from core.worksheets import (
    DAMAGED,
    DATE,
    ERROR,
    TOO_LARGE,
    Findings,
    UnreadableFile,
    feed,
    local_name,
    look_through,
    new_parser,
)

_MAX_PARTS, _MAX_BYTES, _MAX_PART_BYTES, _MAX_SHEET_BYTES = 2_000, 256 * 2**20, 64 * 2**20, 96 * 2**20
_PIECE = 2**16
_EXACT = 2**53  # whole numbers up to here are exact in a workbook
_FAILURES = (
    BadZipFile, zlib.error, NotPacked, ExpatError, OSError, EOFError, ValueError, LookupError, NotImplementedError,
    OverflowError,
)  # fmt: skip
_DATES = (date, time, timedelta)
_SHEET = "worksheet"

NOT_A_WORKBOOK = N_(
    "This file is not an Excel workbook, though its name ends in .xlsx. "
    "Open it in your spreadsheet and save it as .xlsx or as CSV."
)
PROTECTED = N_(
    "This workbook is protected by a password or has the old .xls format. Save it as .xlsx without a password."
)
_NO_SHEET = N_("This workbook has no sheet that can be seen. Put the list on a sheet that is not hidden.")
_MERGED = N_("The headings in row {line} are merged with other cells. Unmerge them, so that each column has its own.")

_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_WORKBOOK = (
    f'<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="{_OFFICE}">'
    f'<workbookPr date1904="{{}}"/><sheets><sheet name="{_SHEET}" sheetId="1" r:id="{_SHEET}"/></sheets></workbook>'
)
_REFERENCES = '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{}</Relationships>'
_REFERENCE = f'<Relationship Id="{{0}}" Target="/xl/{{0}}.xml" Type="{_OFFICE}/{{1}}"/>'
_CONTENT_TYPES = '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'


@dataclass(frozen=True, slots=True)
class Record:
    """A row as the spreadsheet numbers it: its trimmed cells from column A on, and what is odd about some of them."""

    line: int
    cells: list[str]
    odd: Mapping[int, str] = field(default_factory=dict)


def records(content: bytes) -> Iterator[Record]:
    """The rows of the first visible sheet that hold something. Raises UnreadableFile."""
    try:
        with ZipFile(BytesIO(content)) as archive:
            book, found = _looked_through(archive)
    except _FAILURES as error:
        raise UnreadableFile(DAMAGED) from error
    filled = (record for record in _values(book, found) if any(record.cells))
    for number, record in enumerate(filled):
        if number == 0 and any(top <= record.line <= bottom for top, bottom in found.merged):
            raise UnreadableFile(_MERGED, line=str(record.line))
        yield record


def _values(book: BytesIO, found: Findings) -> Iterator[Record]:
    nothing: dict[int, str] = {}
    try:
        sheet = CalamineWorkbook.from_filelike(book).get_sheet_by_index(0)
        before = [""] * (0 if sheet.start is None else sheet.start[1])
        for line, row in enumerate(sheet.iter_rows(), 1):
            odd = dict(found.odd.get(line, nothing))
            cells = before + [_text(value) for value in row]
            odd |= {index: DATE for index, value in enumerate(row, len(before)) if isinstance(value, _DATES)} | odd
            for index in (index for index, sentence in odd.items() if sentence == ERROR and index < len(cells)):
                cells[index] = cells[index] or "#ERROR!"
            yield Record(line, cells, odd)
    except (CalamineError, ValueError, OverflowError, MemoryError, OSError) as error:
        raise UnreadableFile(DAMAGED) from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # how the reader, in Rust, fails; it can be imported from nowhere
            raise
        raise UnreadableFile(DAMAGED) from error


def _text(value: object) -> str:
    match value:
        case str():
            return value.strip()
        case bool():
            return "TRUE" if value else "FALSE"
        case float() if value.is_integer() and abs(value) <= _EXACT:
            return str(int(value))
        case date() | time():
            return value.isoformat()
    return str(value)


def _looked_through(archive: ZipFile) -> tuple[BytesIO, Findings]:
    listed = archive.infolist()
    parts = {info.filename.removeprefix("/").casefold(): info for info in listed}
    if len(listed) > _MAX_PARTS or sum(info.file_size for info in listed) > _MAX_BYTES:
        raise UnreadableFile(TOO_LARGE)
    needed, is_1904 = _needed(archive, parts)
    book = BytesIO()
    with ZipFile(book, "w", ZIP_DEFLATED, compresslevel=1) as copy:
        copy.writestr("[Content_Types].xml", _CONTENT_TYPES)
        copy.writestr("xl/workbook.xml", _WORKBOOK.format(int(is_1904)))
        copy.writestr("_rels/.rels", _REFERENCES.format(_REFERENCE.format("workbook", "officeDocument")))
        references = "".join(_REFERENCE.format(kind, kind) for kind in needed)
        copy.writestr("xl/_rels/workbook.xml.rels", _REFERENCES.format(references))
        lengths: list[int] = []
        for kind, part in needed.items():
            with closing(_copied(archive, part, copy, kind)) as pieces:
                if kind == _SHEET:
                    found = look_through(pieces, lengths)
                elif kind == "sharedStrings":
                    lengths = _lengths(pieces)
                else:
                    deque(pieces, maxlen=0)
    book.seek(0)
    return book, found


def _needed(archive: ZipFile, parts: Mapping[str, ZipInfo]) -> tuple[dict[str, ZipInfo], bool]:
    """The parts to read, by kind, and whether days are counted from 1904."""
    entrances = [target for _, kind, target in _references(archive, parts, "") if kind == "officeDocument"]
    path = entrances[0] if entrances else "xl/workbook.xml"
    if path not in parts or not path.endswith(".xml"):
        raise UnreadableFile(NOT_A_WORKBOOK)
    references = {name: (kind, parts.get(target)) for name, kind, target in _references(archive, parts, path)}
    elements = _elements(_pieces(archive, parts[path]))
    if not elements or elements[0][0] != "workbook":
        raise UnreadableFile(NOT_A_WORKBOOK)
    visible = [a.get("id", "") for local, a in elements if local == "sheet" and a.get("state", "visible") == "visible"]
    sheets = [references[name][1] for name in visible if name in references and references[name][0] == _SHEET]
    if not sheets:
        raise UnreadableFile(_NO_SHEET)
    if sheets[0] is None:
        raise UnreadableFile(DAMAGED)
    shared = {kind: part for kind, part in references.values() if part and kind in {"sharedStrings", "styles"}}
    is_1904 = any(local == "workbookPr" and a.get("date1904") in {"1", "true"} for local, a in elements)
    return {**shared, _SHEET: sheets[0]}, is_1904


def _references(archive: ZipFile, parts: Mapping[str, ZipInfo], path: str) -> list[tuple[str, str, str]]:
    """What the part of this path refers to: under which name, of which kind, and where it is."""
    references = parts.get(join(dirname(path), "_rels", f"{basename(path)}.rels"))
    if references is None:
        return []
    return [
        (a["Id"], a["Type"].rpartition("/")[2], _within(dirname(path), a["Target"]))
        for local, a in _elements(_pieces(archive, references))
        if local == "Relationship" and a.get("TargetMode") != "External"
    ]


def _within(folder: str, target: str) -> str:
    return normpath(join("/", folder, target.replace("\\", "/"))).lstrip("/").casefold()


def _pieces(archive: ZipFile, part: ZipInfo, limit: int = _MAX_PART_BYTES) -> Iterator[bytes]:
    if part.flag_bits & 1:
        raise UnreadableFile(PROTECTED)
    if part.compress_type not in {ZIP_STORED, ZIP_DEFLATED}:
        raise UnreadableFile(DAMAGED)
    if part.file_size > limit:
        raise UnreadableFile(TOO_LARGE)
    with archive.open(part) as opened:
        while piece := opened.read(_PIECE):
            yield piece


def _copied(archive: ZipFile, part: ZipInfo, copy: ZipFile, kind: str) -> Generator[bytes]:
    with copy.open(f"xl/{kind}.xml", "w") as written:
        for piece in _pieces(archive, part, _MAX_SHEET_BYTES if kind == _SHEET else _MAX_PART_BYTES):
            written.write(piece)
            yield piece


def _elements(pieces: Iterable[bytes]) -> list[tuple[str, dict[str, str]]]:
    found: list[tuple[str, dict[str, str]]] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        if len(found) > 10 * _MAX_PARTS:
            raise UnreadableFile(TOO_LARGE)
        found.append((local_name(name), {local_name(name): value for name, value in attributes.items()}))

    feed(new_parser(start), pieces, lambda: len(found))
    return found


def _lengths(pieces: Iterable[bytes]) -> list[int]:
    """How many characters each shared text has."""
    lengths = [0]  # the first takes what stands before any text
    elements = 0

    def start(name: str, _: dict[str, str]) -> None:
        nonlocal elements
        elements += 1
        if local_name(name) == "si":
            lengths.append(0)

    def text(said: str) -> None:
        lengths[-1] += len(said)

    parser = new_parser(start)
    parser.CharacterDataHandler = text
    feed(parser, pieces, lambda: elements)
    return lengths[1:]
