"""The rows of a list that somebody uploaded: each with what would become of it, or to correct in place."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pyarrow as pa
import streamlit as st

from core import imports
from core.catalogue import Catalogue
from core.imports import Column, ImportPreview, ImportReport, ImportRow, Verdict, reasons_text
from core.members import Member
from core.words import LISTED_SETTINGS, BillingError, Source, number, one_line, t
from pages.clients import client_table
from pages.parts import default_sets, row_buttons, server
from pages.parts.choices import choose
from pages.parts.paging import Pages
from pages.parts.text import source_colour, source_text

EVERY = "every"  # the option that shows all rows, whatever their verdict

_LINES = 62  # pixels: three lines of a sentence; a lower row would not break it
_NAME, _REASONS, _IN_A_LINE = 130, 320, 42  # pixels wide, and letters of a reason that surely fit in a line of it
_COLOURS = {
    Verdict.READY: "green",
    Verdict.NEEDS_CORRECTION: "orange",
    Verdict.TWICE: "gray",
    Verdict.ALREADY_CLIENT: "blue",
}
_WHAT_IT_GETS = ("source", *(setting.value for setting in LISTED_SETTINGS), "monthly", "responsible")
_SHOWN: dict[str, tuple[str, ...]] = {  # the columns of the rows that are only looked at
    EVERY: ("line", "name", "verdict", "reasons", "email", *_WHAT_IT_GETS),
    Verdict.READY: ("line", "name", "email", *_WHAT_IT_GETS),
    Verdict.ALREADY_CLIENT: ("line", "name", "email"),
}
_IF_ANY = frozenset({"reasons", "responsible"})  # columns that are left out of a page where no row has anything in them

Cells = Mapping[int, Mapping[int, str]]  # text by line of the list and index of the column


@dataclass(slots=True)
class Upload:
    """A list that somebody uploaded, as this visit remembers it. It is changed in place: a click that cuts a run short
    undoes nothing. `country` is that of rows without one.

    `typed` are the corrections that are not yet checked. The editor that shows the rows of `lines` is the `editors`th,
    and began with those of the corrections that were there by then. `inviting` is the work under way, with `done`
    clients invited so far. `attempt` is the key of what was checked, by which inviting twice is known as once.
    """

    name: str
    previewed: ImportPreview
    country: str = "BE"
    typed: Cells = field(default_factory=dict)
    editors: int = 0
    lines: tuple[int, ...] = ()
    began_with: Cells = field(default_factory=dict)
    is_stale: bool = False
    refusal: BillingError | None = None
    inviting: Future[ImportReport] | None = None
    done: int = 0
    attempt: str = field(default_factory=lambda: uuid4().hex)
    report: ImportReport | None = None

    @property
    def unchecked(self) -> int:
        """How many corrections are not yet checked."""
        return sum(len(cells) for cells in self.typed.values())

    @property
    def editor(self) -> str:
        """The key of the editor that is shown now."""
        return f"import.editor {self.editors}"

    def begin_editor(self, lines: tuple[int, ...] = ()) -> None:
        """From here on another editor shows these rows, with what is typed by now."""
        self.editors += 1
        self.lines, self.began_with = lines, self.typed


def choose_verdict(previewed: ImportPreview) -> str:
    """Which rows to look at: those of one verdict, or all. What needs correction is looked at first."""
    counts = {verdict.value: previewed.counts[verdict] for verdict in Verdict if previewed.counts[verdict]}
    words = {EVERY: t("All rows"), **{verdict.value: verdict.label for verdict in Verdict}}
    at_first = next((kind.value for kind in (Verdict.NEEDS_CORRECTION, Verdict.READY) if kind.value in counts), EVERY)
    counts = {EVERY: len(previewed.rows), **counts}
    chosen: str = choose(
        st.segmented_control,
        t("Rows"),
        list(counts),
        lambda kind: f"{words[kind]} · {number(counts[kind])}",
        "import.verdict",
        at_first=at_first,
        required=True,
        wrap=True,
        label_visibility="collapsed",
    )
    return chosen


def show(member: Member, upload: Upload, kind: str, offer: Catalogue) -> bool:
    """A page of the rows of this kind: to look at, or to correct in place. Whether they are to correct."""
    found = [row for row in upload.previewed.rows if kind in (EVERY, row.verdict.value)]
    pages = Pages(f"import.pager {kind}", len(found), 100)
    shown = found[(pages.page - 1) * pages.size : pages.page * pages.size]
    if kind in _SHOWN:
        _table(member, upload, shown, kind, pages.page, offer)
    else:
        _edit(member, upload, shown, offer)
    pages.turn(len(shown))
    return kind not in _SHOWN


def opened() -> int | None:
    """The client asked for by the click that began this run."""
    return row_buttons.opened("import.opened")


def _table(member: Member, upload: Upload, shown: Sequence[ImportRow], kind: str, page: int, offer: Catalogue) -> None:
    upload.lines = ()  # the next editor is another one
    places = upload.previewed.columns.places
    settings = [None if row.effective is None else row.effective.settings for row in shown]
    pills = [_pill(row, upload.previewed) for row in shown]
    colours = {pill: source_colour(source, older=False) for pill, source in pills if pill}
    cells: dict[str, list[Any]] = {
        "line": [str(row.line) for row in shown],
        "name": [row_buttons.words(row.cells[places[Column.NAME]]) for row in shown],
        "verdict": [[row.verdict.label] for row in shown],
        "reasons": [reasons_text(row) for row in shown],
        "email": [row.cells[places[Column.EMAIL]] for row in shown],
        "source": [[pill] if pill else [] for pill, _ in pills],
        **client_table.setting_cells(settings, offer),
        "monthly": ["" if row.price is None else str(row.price.per_month) for row in shown],
        "responsible": _responsible(member, upload.previewed, shown),
    }
    column = st.column_config
    st.dataframe(
        pa.table({name: cells[name] for name in _SHOWN[kind] if name not in _IF_ANY or any(cells[name])}),
        key=f"import.table {kind} {upload.editors} {page}",
        hide_index=True,
        height=_height(shown),
        placeholder="",
        alt=t("The rows of the list, each with what would become of it"),
        column_config={
            "line": column.TextColumn(t("Row"), pinned=True, alignment="right", width=55),
            "name": _name_column([row.client_id for row in shown if row.client_id is not None], len(shown)),
            "verdict": column.MultiselectColumn(
                t("Verdict"),
                options=[verdict.label for verdict in _COLOURS],
                color=list(_COLOURS.values()),
                width=150,
            ),
            "reasons": column.TextColumn(t("Reasons"), width=260),
            "email": column.TextColumn(t("E-mail"), width=180),
            "source": client_table.source_column(colours, width=180),
            **client_table.setting_columns(),
            "monthly": column.TextColumn(t("Price a month"), alignment="right", width=95),
            "responsible": column.TextColumn(t("Account manager"), width=150),
        },
    )


def _name_column(clients: Sequence[int], count: int) -> Any:
    """The names, as ways to the clients where all of these rows are clients already."""
    if len(clients) < count:
        return st.column_config.TextColumn(t("Client"), pinned=True, width=170)
    meaning = t("Open the client")
    return row_buttons.open_column(
        t("Client"), "import.open", "import.opened", clients, 210, meaning=meaning, pinned=True
    )


def _responsible(member: Member, previewed: ImportPreview, shown: Sequence[ImportRow]) -> list[str]:
    """Who would look after the client of each ready row; nothing where the list names nobody, as it is the reader."""
    if not previewed.responsible:
        return [""] * len(shown)
    names = previewed.responsible
    return [names.get(row.responsible_id or 0, member.name) if row.verdict is Verdict.READY else "" for row in shown]


def _pill(row: ImportRow, previewed: ImportPreview) -> tuple[str, Source]:
    """The words of a ready row's source pill; none for another row."""
    if row.effective is None:
        return "", Source.DEFAULT
    overridden, bound = row.effective.overridden, row.effective.bound
    defaults_text = "" if bound is None else previewed.defaults_text(bound)
    source = Source.OVERRIDE if overridden else Source.DEFAULT
    return source_text(overridden, defaults_text), source


def _edit(member: Member, upload: Upload, shown: Sequence[ImportRow], offer: Catalogue) -> None:
    """These rows as they are in the list; what is typed in them is in `upload.typed` from then on.

    An editor keeps its rows, so that no correction is taken for another row's: what was typed before is part of them,
    what is typed now comes as its changes. Another page, or looking elsewhere, begins another editor.
    """
    lines = tuple(row.line for row in shown)
    if lines != upload.lines or upload.editor not in st.session_state:
        upload.begin_editor(lines)
    previewed = upload.previewed
    named = (*previewed.sheet.headings, *(column.label for column in previewed.lacking))
    indexes = {f"c{index}": index for index in _indexes(previewed, shown)}
    cells = {
        name: [upload.began_with.get(row.line, {}).get(index, _cell(row, index)) for row in shown]
        for name, index in indexes.items()
    }
    reasons = [reasons_text(row) for row in shown]
    height = _row_height(reasons)
    column = st.column_config
    headings = {name: one_line(named[index])[:60] for name, index in indexes.items()}
    name_column = f"c{previewed.columns.places[Column.NAME]}"
    st.data_editor(
        pa.table({"line": [str(line) for line in lines], "reasons": reasons, **cells}).select(
            ["line", name_column, "reasons", *(name for name in cells if name != name_column)]
        ),
        key=upload.editor,
        on_change=_keep,
        args=(upload, upload.editor, upload.began_with, shown, indexes),
        hide_index=True,
        num_rows="fixed",
        row_height=height,
        height=_height(shown, height),
        disabled=["line", "reasons"],
        placeholder="",
        alt=t("The rows to correct, as they are in the list"),
        column_config={
            "line": column.TextColumn(t("Row"), pinned=True, alignment="right", width=55),
            "reasons": column.TextColumn(t("Reasons"), width=_REASONS),
            **{name: column.TextColumn(heading) for name, heading in headings.items()},
            **_lists(member, previewed, offer, cells, headings),
            name_column: column.TextColumn(headings[name_column], pinned=True, width=_NAME),
        },
    )


def _lists(
    member: Member,
    previewed: ImportPreview,
    offer: Catalogue,
    cells: Mapping[str, Sequence[str]],
    headings: Mapping[str, str],
) -> dict[str, Any]:
    """The columns that have a list to choose from: nothing for the default, what can be picked, and what stands in them
    now, which would not be shown otherwise."""
    config = {}
    for column, index in _places(previewed).items():
        if (name := f"c{index}") not in cells:
            continue
        if words := _sets(member) if column is Column.DEFAULT_SET else imports.words_to_pick(column, offer):
            options = list(dict.fromkeys(["", *words, *cells[name]]))
            config[name] = st.column_config.SelectboxColumn(headings[name], options=options)
    return config


def _sets(member: Member) -> Sequence[str]:
    return default_sets.known(server.database(), member).names_to_pick


def _places(previewed: ImportPreview) -> dict[Column, int]:
    """Where each column is, those too that the list lacks and its reasons speak of: they stand after the others."""
    more = enumerate(previewed.lacking, len(previewed.sheet.headings))
    return dict(previewed.columns.places) | {column: index for index, column in more}


def _cell(row: ImportRow, index: int) -> str:
    return row.cells[index] if index < len(row.cells) else ""


def _row_height(reasons: Sequence[str]) -> int:
    """Pixels in which the longest of these reasons can be read whole."""
    longest = max((len(reason) for reason in reasons), default=0)
    return max(_LINES, 22 + 20 * -(-longest // _IN_A_LINE))


def _height(shown: Sequence[ImportRow], row_height: int = 35) -> Any:
    """A table's height: that of its rows, until they would push the headings out of sight."""
    return 560 if len(shown) * row_height > 520 else "content"


def _indexes(previewed: ImportPreview, shown: Sequence[ImportRow]) -> list[int]:
    """The indexes of the columns with a heading, and after them of those that the list lacks: first what is to correct
    in these rows."""
    places = _places(previewed)
    spoken_of = imports.spoken_of(shown)
    wrong = {places.get(column) for column in spoken_of}
    indexes = [index for index, heading in enumerate(previewed.sheet.headings) if heading]
    indexes += [index for column, index in places.items() if index not in indexes and column in spoken_of]
    return sorted(indexes, key=lambda index: index not in wrong)


def _keep(
    upload: Upload, editor: str, began_with: Cells, shown: Sequence[ImportRow], indexes: Mapping[str, int]
) -> None:
    """What is typed in the editor of these rows, also when the same click looks at others."""
    upload.typed = _typed(began_with, st.session_state[editor]["edited_rows"], shown, indexes)


def _typed(
    began_with: Cells, edited: Mapping[Any, Mapping[str, Any]], shown: Sequence[ImportRow], indexes: Mapping[str, int]
) -> Cells:
    """What is typed so far where it differs from the list; a browser's word counts for these rows and columns only."""
    typed = {line: dict(cells) for line, cells in began_with.items()}
    for place, changed in edited.items():
        if not (str(place).isdecimal() and int(place) < len(shown)):
            continue
        row = shown[int(place)]
        cells = typed.get(row.line, {}) | {
            indexes[name]: "" if value is None else str(value).strip()
            for name, value in changed.items()
            if name in indexes
        }
        typed[row.line] = {index: text for index, text in cells.items() if text != _cell(row, index)}
    return {line: cells for line, cells in typed.items() if cells}
