"""A workbook that a stranger made, read by a child process: one that crashes, hangs or grows is lost alone.

The child is workbook_reader.py; here its answer, or its death, becomes rows or one sentence.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile
from threading import BoundedSemaphore
from typing import IO, Any

from core.spreadsheets.limits import MAX_COLUMNS, MAX_ROWS, TOO_MANY_ROWS, UnreadableFile, letters
from core.words import N_

NO_VALUE = N_("This cell holds no value. Type it instead.")
DATE = N_("This cell holds a date. Format the column as text and type it again.")
MERGED = N_("This cell is merged with others. Unmerge them, so that each row has its own.")
_ODD = {"no value": NO_VALUE, "date": DATE, "merged": MERGED}

_NOT_A_WORKBOOK = N_(
    "This file is not a workbook, though its name ends in {ending}. "
    "Open it in your spreadsheet and save it as .xlsx or as CSV."
)
_PROTECTED = N_("This workbook is protected by a password. Save it without one.")
_DAMAGED = N_("This workbook is damaged and cannot be read. Open it in your spreadsheet and save it again as .xlsx.")
_TOO_LARGE = N_("This workbook holds far more than a list of clients. Copy the list alone to a new workbook.")
_NO_SHEET = N_("This workbook has no sheet that can be seen. Put the list on a sheet that is not hidden.")
_TOO_FAR = N_(
    "This sheet reaches as far as cell {cell}, more than a list of clients needs. "
    "Copy the list alone to a new workbook."
)

_READER = Path(__file__).with_name("workbook_reader.py")
_AT_ONCE = BoundedSemaphore(2)  # so that several large workbooks take the memory of two


@dataclass(frozen=True, slots=True)
class Limits:
    """What the child may use: bytes of memory and of its answer, seconds of computing and of waiting for it."""

    memory: int = 2**30
    answer: int = 64 * 2**20
    computing: int = 30
    waiting: float = 60


@dataclass(frozen=True, slots=True)
class Record:
    """A row as the spreadsheet numbers it: its trimmed cells from column A on, and what is odd about some of them."""

    line: int
    cells: list[str]
    odd: Mapping[int, str] = field(default_factory=dict)
    is_hidden: bool = False


LIMITS = Limits()


def records(content: bytes, ending: str, limits: Limits = LIMITS, *, sheet: int = 1) -> Iterator[Record]:
    """The rows of a visible sheet, counted from 1, that hold something, of a file whose name ends so. Raises
    UnreadableFile."""
    for number, cells, odd, is_hidden in _said(content, ending, limits, sheet):
        yield Record(number, cells, {int(index): _ODD[what] for index, what in odd.items()}, is_hidden)


def heads(content: bytes, ending: str, limits: Limits = LIMITS) -> list[tuple[str, list[list[str]]]]:
    """The name and the first filled rows of each visible sheet. Raises UnreadableFile."""
    return [(name, rows) for name, rows in _said(content, ending, limits, 0)]


def _said(content: bytes, ending: str, limits: Limits, sheet: int) -> Iterator[list[Any]]:
    with TemporaryFile() as answer:  # without a name: it is gone with this process
        _ask(content, answer, limits, sheet)
        answer.seek(0)
        for line in answer:
            said = json.loads(line)
            if isinstance(said, dict):
                raise _refusal(said, ending)
            yield said


def _ask(content: bytes, answer: IO[bytes], limits: Limits, sheet: int) -> None:
    numbers = (limits.memory, limits.answer, limits.computing, MAX_ROWS, MAX_COLUMNS, sheet)
    command = [sys.executable, "-I", str(_READER), *map(str, numbers)]
    try:
        with _AT_ONCE:
            child = subprocess.run(  # noqa: S603 - our own script; what was brought is its input
                command, input=content, stdout=answer, stderr=subprocess.PIPE, timeout=limits.waiting, check=False
            )
    except subprocess.TimeoutExpired as error:
        raise UnreadableFile(_TOO_LARGE) from error
    if child.returncode < 0:
        raise UnreadableFile(_TOO_LARGE)
    if child.returncode:
        raise RuntimeError(f"{_READER.name} did not run: {child.stderr.decode(errors='replace')}")


def _refusal(said: dict[str, Any], ending: str) -> UnreadableFile:
    match said:
        case {"refused": "not a workbook"}:
            return UnreadableFile(_NOT_A_WORKBOOK, ending=ending)
        case {"refused": "protected"}:
            return UnreadableFile(_PROTECTED)
        case {"refused": "no sheet"}:
            return UnreadableFile(_NO_SHEET)
        case {"refused": "too far", "row": row, "column": column}:
            return UnreadableFile(_TOO_FAR, cell=f"{letters(column)}{row}")
        case {"refused": "too many rows", "rows": rows}:
            return UnreadableFile(TOO_MANY_ROWS, rows=rows, limit=MAX_ROWS)
    return UnreadableFile(_DAMAGED)
