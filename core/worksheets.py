"""The XML of a worksheet looked through in pieces: how far it reaches, what is odd, and whether it is safe to read."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from re import compile as pattern
from xml.parsers.expat import ParserCreate, XMLParserType

from core.errors import BillingError
from core.language import N_

MAX_ROWS = 50_000
MAX_COLUMNS = 200

_MAX_AREA, _MAX_ELEMENTS, _MAX_TEXT, _MAX_DEPTH = 3_000_000, 4_000_000, 32 * 2**20, 1_000
_MAX_TAG = 2**18  # bytes
_RANGE = pattern(r"\$?([A-Z]{1,3})\$?([1-9][0-9]{0,6})(?::\$?([A-Z]{1,3})\$?([1-9][0-9]{0,6}))?")
_DIGITS = "0123456789"

TOO_MANY_ROWS = N_("This file has {rows} rows, and at most {limit} are taken at once. Split it into several files.")
DAMAGED = N_("This workbook is damaged and cannot be read. Open it in your spreadsheet and save it again as .xlsx.")
TOO_LARGE = N_("This workbook holds far more than a list of clients. Copy the list alone to a new workbook.")
FORMULA = N_("This cell holds a formula. Paste its value instead.")
ERROR = N_("This cell holds no value. Type it instead.")
DATE = N_("This cell holds a date. Format the column as text and type it again.")
_TOO_FAR = N_(
    "This sheet reaches as far as cell {cell}, more than a list of clients needs. "
    "Copy the list alone to a new workbook."
)

_ODD_KINDS: dict[str | None, str] = {"e": ERROR, "d": DATE}
_CONTENT = frozenset({"v", "f", "is"})
_LOCAL = {name: name for name in ("c", "row", "mergeCell", *_CONTENT)}

Start = Callable[[str, dict[str, str]], None]


class UnreadableFile(BillingError):
    """What was brought cannot be read as a table; the sentence says why and what to do."""

    def __init__(self, sentence: str, **values: object) -> None:
        super().__init__(**values)
        self.sentence = sentence


@dataclass(slots=True)
class Findings:
    """Of a sheet: its rows that hold something, its last row and column (from 1), odd cells, merged rows."""

    filled: int = 0
    height: int = 0
    width: int = 0
    odd: defaultdict[int, dict[int, str]] = field(default_factory=lambda: defaultdict(dict))
    merged: list[tuple[int, int]] = field(default_factory=list)

    def hold(self, row: int, column: int) -> None:
        """The cell here holds something."""
        self.filled += row != self.height
        self.height = row
        self.width = max(self.width, column)

    def mark(self, reference: str | None, row: int, column: int) -> None:
        """The cell here, or the whole range, holds a formula."""
        self.odd[row][column - 1] = FORMULA
        if reference is None:
            return
        top, left, bottom, right = corners(reference)
        if (bottom - top + 1) * (right - left + 1) > MAX_ROWS:
            raise UnreadableFile(TOO_LARGE)
        for line in range(top, bottom + 1):
            self.odd[line].update(dict.fromkeys(range(left, right + 1), FORMULA))


def look_through(pieces: Iterable[bytes], lengths: list[int]) -> Findings:
    """What is found in a worksheet whose shared texts have these lengths.

    Raises UnreadableFile when it is too large to be read as a list; ExpatError, ValueError or LookupError when it is
    malformed.
    """
    found = Findings()
    elements = row = column = shared = 0
    number: list[str] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal elements, row, column, shared
        elements += 1
        local = _LOCAL.get(name) or local_name(name)
        if local == "c":
            shared += _length(number, lengths)
            row, column = _place(attributes.get("r"), row, column)
            kind = attributes.get("t")
            parser.CharacterDataHandler = number.append if kind == "s" else None
            if kind in _ODD_KINDS:
                found.odd[row][column - 1] = _ODD_KINDS[kind]
        elif local == "row":
            row, column = _following(attributes.get("r"), row), 0
        elif local in _CONTENT:
            found.hold(row, column)
            if local == "f":
                found.mark(attributes.get("ref") if attributes.get("t") == "array" else None, row, column)
        elif local == "mergeCell":
            top, _, bottom, _ = corners(attributes["ref"])
            found.merged.append((top, bottom))

    parser = new_parser(start)
    feed(parser, pieces, lambda: elements)
    _refuse_too_much(found, shared + _length(number, lengths))
    return found


def _length(number: list[str], lengths: list[int]) -> int:
    """The length of the shared text whose number was read in pieces; the pieces are used up."""
    if not number:
        return 0
    index = int("".join(number))
    number.clear()
    if index < 0:
        raise ValueError("no such text")
    return lengths[index]


def _following(reference: str | None, row: int) -> int:
    following = row + 1 if reference is None else int(reference)
    if following <= row:
        raise ValueError("rows out of order")
    return following


def _refuse_too_much(found: Findings, shared: int) -> None:
    if found.filled - 1 > MAX_ROWS and found.width <= MAX_COLUMNS:
        raise UnreadableFile(TOO_MANY_ROWS, rows=found.filled - 1, limit=MAX_ROWS)
    if found.width > MAX_COLUMNS or found.height * found.width > _MAX_AREA:
        raise UnreadableFile(_TOO_FAR, cell=f"{letters(found.width - 1)}{found.height}")
    if shared > _MAX_TEXT:
        raise UnreadableFile(TOO_LARGE)


def new_parser(start: Start) -> XMLParserType:
    """A parser of XML in UTF-8 that gives `start` every element and refuses a document type, so also entities."""
    parser = ParserCreate("UTF-8")
    parser.buffer_text = True
    parser.StartElementHandler = start
    parser.StartDoctypeDeclHandler = _refuse
    return parser


def feed(parser: XMLParserType, pieces: Iterable[bytes], starts: Callable[[], int]) -> None:
    """Parse the pieces one by one; `starts` tells how many elements have begun.

    Raises UnreadableFile for more, deeper or longer tags than a spreadsheet writes, ExpatError for what is not XML.
    """
    fed = 0
    ends: list[str] = []
    parser.EndElementHandler = ends.append
    for piece in pieces:
        parser.Parse(piece)
        fed += len(piece)
        if starts() > _MAX_ELEMENTS or starts() - len(ends) > _MAX_DEPTH or fed - parser.CurrentByteIndex > _MAX_TAG:
            raise UnreadableFile(TOO_LARGE)
    parser.Parse(b"", True)


def local_name(name: str) -> str:
    """The name without its prefix."""
    return name.rpartition(":")[2]


def _refuse(*_: object) -> None:
    raise UnreadableFile(DAMAGED)


def letters(index: int) -> str:
    """The letters that a spreadsheet shows above the column of this index: A for 0, AA for 26."""
    return (letters(index // 26 - 1) if index >= 26 else "") + chr(ord("A") + index % 26)


def corners(reference: str) -> tuple[int, int, int, int]:
    """Top row, left index, bottom row and right index of a range such as A1:C1. Raises ValueError."""
    if (match := _RANGE.fullmatch(reference)) is None:
        raise ValueError("not a range")
    left, top, right, bottom = match.groups()
    return int(top), _number(left) - 1, int(bottom or top), _number(right or left) - 1


def _place(reference: str | None, row: int, column: int) -> tuple[int, int]:
    if reference is None:
        return row, column + 1
    name = reference.rstrip(_DIGITS)
    if int(reference[len(name) :]) != row or (following := _number(name)) <= column:
        raise ValueError("cells out of order")
    return row, following


@lru_cache(maxsize=1_024)
def _number(name: str) -> int:
    if not (name.isascii() and name.isalpha() and len(name) <= 3):
        raise ValueError("not a column")
    number = 0
    for letter in name.upper():
        number = number * 26 + ord(letter) - ord("A") + 1
    return number
