"""Files made for these tests, as spreadsheets make them and as nobody should."""

from collections.abc import Callable, Iterable
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from xlsxwriter import Workbook

from core.spreadsheets import Sheet, UnreadableFile, harmless, read

WORKBOOKS = Path(__file__).parent / "workbooks"
HEADINGS = ["Name", "Country", "E-mail"]
AUBRY = ["Aubry & Fils", "BE", "aubry@example.com"]
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def workbook(fill: Callable[[Workbook, Any], object], **options: object) -> bytes:
    """A workbook whose one sheet is filled so."""
    content = BytesIO()
    with Workbook(content, options) as book:
        fill(book, book.add_worksheet())
    return content.getvalue()


def table(sheet: Any, *rows: list[str], first: int = 0) -> None:
    for number, row in enumerate(rows, first):
        sheet.write_row(number, 0, row)


SMALL = workbook(lambda _, sheet: table(sheet, HEADINGS, AUBRY))


def with_parts(content: bytes, parts: dict[str, str | Iterable[str]], compression: int = ZIP_DEFLATED) -> bytes:
    """The workbook with these parts instead of its own."""
    changed = BytesIO()
    with ZipFile(BytesIO(content)) as old, ZipFile(changed, "w", compression) as new:
        for name in dict.fromkeys([*old.namelist(), *parts]):
            pieces = parts.get(name)
            with new.open(name, "w") as part:
                for piece in [old.read(name)] if pieces is None else [pieces] if isinstance(pieces, str) else pieces:
                    part.write(piece if isinstance(piece, bytes) else piece.encode())
    return changed.getvalue()


def with_sheet(xml: str | Iterable[str], *, strings: str = "") -> bytes:
    """A workbook whose sheet is this XML."""
    parts: dict[str, str | Iterable[str]] = {"xl/worksheets/sheet1.xml": xml}
    return with_parts(SMALL, parts | ({"xl/sharedStrings.xml": strings} if strings else {}))


def sheet_xml(rows: str, after: str = "") -> str:
    return f'<worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData>{after}</worksheet>'


def in_ods(*changes: str) -> bytes:
    """LibreOffice's .ods with pieces of its content changed: an old one, its new one, and so on."""
    content = (WORKBOOKS / "libreoffice.ods").read_bytes()
    with ZipFile(BytesIO(content)) as archive:
        xml = archive.read("content.xml").decode()
    for old, new in zip(changes[::2], changes[1::2], strict=True):
        assert old in xml
        xml = xml.replace(old, new, 1)
    return with_parts(content, {"content.xml": xml})


def refusal(name: str, content: bytes) -> str:
    with pytest.raises(UnreadableFile) as refused:
        read(name, content)
    return str(refused.value)


def found(sheet: Sheet) -> list[tuple[int, tuple[str, ...]]]:
    return [(row.line, row.cells) for row in sheet.rows]


def as_brought(cell: str) -> str:
    """A cell as it comes back: trimmed, without byte order marks and without the apostrophe that keeps it from
    being a formula."""
    cell = cell.replace("\ufeff", "").strip()
    return cell[1:].strip() if cell.startswith("'") and harmless(cell[1:]) != cell[1:] else cell
