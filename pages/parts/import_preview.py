"""A list that somebody brought, before anybody is invited: what was understood, its rows, and those to correct."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import streamlit as st

from core.catalogue import Catalogue
from core.errors import BillingError
from core.import_columns import Column
from core.imports import ImportPreview, ImportReport, ImportRow, Verdict, reasons_text
from core.language import listed, nt, number, t
from core.spreadsheets import Format
from core.terms import Setting, Source
from core.text import one_line
from pages.parts.choices import choose
from pages.parts.text import plain, source_colour, source_text, value_text

PAGE_SIZE = 100
EVERY = "every"  # the option that shows all rows, whatever their verdict

_COLOURS = {
    Verdict.READY: "green",
    Verdict.NEEDS_CORRECTION: "orange",
    Verdict.TWICE: "gray",
    Verdict.ALREADY_CLIENT: "blue",
}
_SETTLED = ("source", "plan", "add_ons", "billing_period", "payer", "monthly")
_SHOWN: dict[str, tuple[str, ...]] = {
    EVERY: ("line", "name", "open", "verdict", "reasons", "email", *_SETTLED),
    Verdict.READY: ("line", "name", "email", *_SETTLED),
    Verdict.ALREADY_CLIENT: ("line", "name", "open", "email"),
}
_HIGH, _MANY = 560, 15  # above so many rows the table is so high, in pixels, and its headings stay in sight


@dataclass(slots=True)
class Brought:
    """A list on its way in. It is changed in place: a click that cuts a run short undoes nothing.

    `typed` are corrections that are not yet checked, by line and index of the column; `began` those of them that were
    there when the editor of this `turn` began. `inviting` is the work under way, of which `done` clients are invited.
    """

    name: str
    previewed: ImportPreview
    typed: dict[int, dict[int, str]] = field(default_factory=dict)
    began: dict[int, dict[int, str]] = field(default_factory=dict)
    turn: int = 0
    shown: tuple[int, ...] = ()
    is_stale: bool = False
    refusal: BillingError | None = None
    inviting: Future[ImportReport] | None = None
    done: int = 0
    report: ImportReport | None = None


def understood(brought: Brought) -> None:
    """What was brought and how it was read, and the headings that mean nothing here."""
    previewed, sheet = brought.previewed, brought.previewed.sheet
    with st.container(gap="xxsmall"):
        if brought.name:
            st.text(one_line(brought.name))
        told = {"separator": _separator(sheet.separator), "encoding": sheet.encoding}
        if sheet.format is Format.XLSX:
            kind = t("Excel workbook")
        elif sheet.encoding:
            kind = t("CSV, {encoding}, separated by {separator}", **told)
        else:
            kind = t("Pasted rows, separated by {separator}", **told)
        rows = nt("{count} row", "{count} rows", len(previewed.rows))
        found = [column.label for column in Column if column in previewed.columns.places]
        st.caption(f"{plain(kind)} · {rows} · {plain(t('Columns: {columns}', columns=listed(found)))}")
        if previewed.columns.unused:
            st.text(t("Not used: {headings}", headings=_headings_text(previewed.columns.unused)))


def cost(previewed: ImportPreview) -> None:
    """What the ready rows would cost a month, who would pay it, and which defaults they would be bound to."""
    with st.container(horizontal=True, gap="small"):
        st.metric(t("A month, paid by us"), plain(previewed.paid_by_us), border=True, width=230,
                  help=t("What the ready rows add to your monthly costs. A year counts a twelfth."))  # fmt: skip
        st.metric(t("A month, paid by the clients"), plain(previewed.paid_by_clients), border=True, width=230,
                  help=t("What the clients of the ready rows would pay together."))  # fmt: skip
    version = previewed.defaults_version
    if version is None:
        st.caption(t("No default settings are saved yet: every row says all four settings itself."))
    else:
        st.caption(t("Bound to default settings v{version}: later versions will not change these clients.",
                     version=str(version)))  # fmt: skip


def choose_verdict(previewed: ImportPreview) -> str:
    """Which rows to look at: those of one verdict, or all. What needs correction is looked at first."""
    counts = {verdict.value: previewed.counts[verdict] for verdict in Verdict if previewed.counts[verdict]}
    words = {EVERY: t("All rows"), **{verdict.value: verdict.label for verdict in Verdict}}
    counts = {EVERY: len(previewed.rows), **counts}
    chosen: str = choose(
        st.segmented_control, t("Rows"), list(counts), lambda kind: f"{words[kind]} · {number(counts[kind])}",
        "import.verdict", required=True, wrap=True, label_visibility="collapsed",
        at_first=Verdict.NEEDS_CORRECTION.value if Verdict.NEEDS_CORRECTION.value in counts else EVERY,
    )  # fmt: skip
    return chosen


def rows(brought: Brought, kind: str, offer: Catalogue) -> None:
    """A page of the rows of this kind: to correct in place, or to look at."""
    found = [row for row in brought.previewed.rows if kind in (EVERY, row.verdict.value)]
    pages = max(1, -(-len(found) // PAGE_SIZE))
    pager = f"import.pager {kind} {pages}"
    page: int = st.session_state.get(pager, 1)
    shown = found[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]
    if kind in _SHOWN:
        _table(shown, kind, page, brought, offer)
    else:
        _editor(brought, shown)
    if pages > 1:
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.pagination(pages, key=pager, persist_state="session")
            first = (page - 1) * PAGE_SIZE + 1
            st.caption(t("{first}–{last} of {total}", first=first, last=first + len(shown) - 1, total=len(found)))


def opened() -> int | None:
    """The client asked for by the click that began this run."""
    client_id: int | None = st.session_state.pop("import.opened", None)
    return client_id


def _open() -> None:
    row = st.session_state["import.open"]["row"]
    shown = st.session_state.get("import.shown", [])
    if row < len(shown) and shown[row] is not None:
        st.session_state["import.opened"] = shown[row]


def _table(shown: Sequence[ImportRow], kind: str, page: int, brought: Brought, offer: Catalogue) -> None:
    st.session_state["import.shown"] = [row.client_id for row in shown]
    places = brought.previewed.columns.places
    pills = [_pill(row) for row in shown]
    colours = {pill: source_colour(source, older=False) for pill, source in pills if pill}
    settings = [None if row.effective is None else row.effective.settings for row in shown]
    columns: dict[str, list[Any]] = {
        "line": [str(row.line) for row in shown],
        "name": [row.cells[places[Column.NAME]] for row in shown],
        "open": ["" if row.client_id is None else ":material/chevron_right:" for row in shown],
        "verdict": [[row.verdict.label] for row in shown],
        "reasons": [reasons_text(row) for row in shown],
        "email": [row.cells[places[Column.EMAIL]] for row in shown],
        "source": [[pill] if pill else [] for pill, _ in pills],
        "plan": ["" if each is None else value_text(each.plan, offer) for each in settings],
        "add_ons": ["" if each is None else value_text(each.add_ons, offer) for each in settings],
        "billing_period": ["" if each is None else each.billing_period.label for each in settings],
        "payer": ["" if each is None else each.payer.label for each in settings],
        "monthly": ["" if row.price is None else str(row.price.per_month) for row in shown],
    }
    column = st.column_config
    st.dataframe(
        pa.table({name: columns[name] for name in _SHOWN[kind]}),
        key=f"import.table {kind} {brought.turn} {page}",
        hide_index=True,
        height=_height(shown),
        placeholder="",
        alt=t("The rows of the list, each with what would become of it"),
        column_config={
            "line": column.TextColumn(t("Row"), pinned=True, alignment="right", width=55),
            "name": column.TextColumn(t("Client"), pinned=True, width=200),
            "open": column.ButtonColumn("", key="import.open", on_click=_open, type="tertiary", width=40,
                                        help=t("Open the client")),
            "verdict": column.MultiselectColumn(
                t("Verdict"), options=[verdict.label for verdict in _COLOURS], color=list(_COLOURS.values()),
                width=150),
            "reasons": column.TextColumn(t("Reasons"), width=260),
            "email": column.TextColumn(t("E-mail"), width=215),
            "source": column.MultiselectColumn(
                t("Source"), options=list(colours), color=list(colours.values()), width=190),
            "plan": column.TextColumn(t("Subscription"), width=90),
            "add_ons": column.TextColumn(t("Add-ons"), width=150),
            "billing_period": column.TextColumn(t("Period"), width=75),
            "payer": column.TextColumn(t("Paid by"), width=75),
            "monthly": column.TextColumn(t("A month"), alignment="right", width=75),
        },
    )  # fmt: skip


def _editor(brought: Brought, shown: Sequence[ImportRow]) -> None:
    """These rows as they are in the file, to correct; what is typed is kept in `brought.typed` from then on.

    The editor of a turn keeps its rows, so that no correction is taken for another row's: what was typed before is
    part of them, what is typed now comes as its changes. Another page, or looking elsewhere, begins another turn.
    """
    lines = tuple(row.line for row in shown)
    if lines != brought.shown or f"import.editor {brought.turn}" not in st.session_state:
        brought.turn += 1
        brought.shown, brought.began = lines, {line: dict(cells) for line, cells in brought.typed.items()}
    headings = brought.previewed.sheet.headings
    indexes = {f"c{index}": index for index, heading in enumerate(headings) if heading}
    columns: dict[str, list[str]] = {
        "line": [str(row.line) for row in shown],
        "reasons": [reasons_text(row) for row in shown],
    }
    for name, index in indexes.items():
        columns[name] = [brought.began.get(row.line, {}).get(index, row.cells[index]) for row in shown]
    column = st.column_config
    st.data_editor(
        pa.table(columns),
        key=f"import.editor {brought.turn}",
        hide_index=True,
        num_rows="fixed",
        height=_height(shown),
        disabled=["line", "reasons"],
        placeholder="",
        alt=t("The rows to correct, as they are in the list"),
        column_config={
            "line": column.TextColumn(t("Row"), pinned=True, alignment="right", width=55),
            "reasons": column.TextColumn(t("Reasons"), pinned=True, width=330),
            **{name: column.TextColumn(one_line(headings[index])[:60]) for name, index in indexes.items()},
        },
    )  # fmt: skip
    edited = st.session_state[f"import.editor {brought.turn}"]["edited_rows"]
    brought.typed = _typed(brought.began, edited, shown, indexes)


def _typed(
    began: Mapping[int, Mapping[int, str]],
    edited: Mapping[Any, Mapping[str, Any]],
    shown: Sequence[ImportRow],
    indexes: Mapping[str, int],
) -> dict[int, dict[int, str]]:
    """What is typed so far where it differs from the list; a browser's word counts for these rows and columns only."""
    typed = {line: dict(cells) for line, cells in began.items()}
    for place, changed in edited.items():
        if not 0 <= int(place) < len(shown):
            continue
        row = shown[int(place)]
        cells = typed.setdefault(row.line, {})
        cells |= {indexes[name]: str(value or "").strip() for name, value in changed.items() if name in indexes}
        typed[row.line] = {index: text for index, text in cells.items() if text != row.cells[index]}
    return {line: cells for line, cells in typed.items() if cells}


def _pill(row: ImportRow) -> tuple[str, Source]:
    """The words of a ready row's source pill; none for another row."""
    if row.effective is None:
        return "", Source.DEFAULT
    overridden = ";".join(setting for setting in Setting if setting in row.effective.overridden)
    source = Source.OVERRIDE if overridden else Source.DEFAULT
    return source_text(overridden, row.effective.defaults_version, older=False), source


def _separator(separator: str) -> str:
    return {",": t("comma"), ";": t("semicolon"), "\t": t("tab")}.get(separator, separator)


def _headings_text(headings: Sequence[str]) -> str:
    told = [one_line(heading)[:60] for heading in headings[:20]]
    more = len(headings) - len(told)
    return listed(told) if not more else ", ".join([*told, nt("{count} more", "{count} more", more)])


def _height(shown: Sequence[ImportRow]) -> Any:
    return _HIGH if len(shown) > _MANY else "content"
