"""Rows of a list corrected in place: its own columns to type in, beside why each row needs it."""

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import streamlit as st

from core.imports import ImportPreview, ImportRow, reasons_text
from core.language import t
from core.text import one_line
from pages.parts.import_brought import Brought, Cells

_TALL = 62  # pixels: three lines of a sentence; a lower row would not break it


def edit(brought: Brought, shown: Sequence[ImportRow]) -> None:
    """These rows as they are in the list; what is typed in them is in `brought.typed` from then on.

    The editor of a turn keeps its rows, so that no correction is taken for another row's: what was typed before is
    part of them, what is typed now comes as its changes. Another page, or looking elsewhere, begins another turn.
    """
    lines = tuple(row.line for row in shown)
    if lines != brought.lines or f"import.editor {brought.turn}" not in st.session_state:
        brought.turn += 1
        brought.lines, brought.began = lines, brought.typed
    headings = brought.previewed.sheet.headings
    indexes = {f"c{index}": index for index in _columns(brought.previewed, shown)}
    cells = {
        name: [brought.began.get(row.line, {}).get(index, row.cells[index]) for row in shown]
        for name, index in indexes.items()
    }
    column = st.column_config
    st.data_editor(
        pa.table(
            {"line": [str(row.line) for row in shown], "reasons": [reasons_text(row) for row in shown], **cells}
        ),
        key=f"import.editor {brought.turn}",
        hide_index=True,
        num_rows="fixed",
        row_height=_TALL,
        height=height(shown, _TALL),
        disabled=["line", "reasons"],
        placeholder="",
        alt=t("The rows to correct, as they are in the list"),
        column_config={
            "line": column.TextColumn(t("Row"), pinned=True, alignment="right", width=55),
            "reasons": column.TextColumn(t("Reasons"), pinned=True, width=300),
            **{name: column.TextColumn(one_line(headings[index])[:60]) for name, index in indexes.items()},
        },
    )  # fmt: skip
    edited = st.session_state[f"import.editor {brought.turn}"]["edited_rows"]
    brought.typed = _typed(brought.began, edited, shown, indexes)


def height(shown: Sequence[ImportRow], row_height: int = 35) -> Any:
    """A table's height: that of its rows, until they would push the headings out of sight."""
    return 560 if len(shown) * row_height > 520 else "content"


def _columns(previewed: ImportPreview, shown: Sequence[ImportRow]) -> list[int]:
    """The indexes of the columns with a heading: those with something to correct in these rows first."""
    places = previewed.columns.places
    wrong = {places.get(reason.column) for row in shown for reason in row.reasons if reason.column is not None}
    indexes = [index for index, heading in enumerate(previewed.sheet.headings) if heading]
    return sorted(indexes, key=lambda index: index not in wrong)


def _typed(
    began: Cells, edited: Mapping[Any, Mapping[str, Any]], shown: Sequence[ImportRow], indexes: Mapping[str, int]
) -> Cells:
    """What is typed so far where it differs from the list; a browser's word counts for these rows and columns only."""
    typed = {line: dict(cells) for line, cells in began.items()}
    for place, changed in edited.items():
        if not 0 <= int(place) < len(shown):
            continue
        row = shown[int(place)]
        cells = typed.get(row.line, {}) | {
            indexes[name]: "" if value is None else str(value).strip()
            for name, value in changed.items()
            if name in indexes
        }
        typed[row.line] = {index: text for index, text in cells.items() if text != row.cells[index]}
    return {line: cells for line, cells in typed.items() if cells}
