"""A list that somebody brought, before anybody is invited: what was understood, what it costs, and its rows."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import streamlit as st

from core.catalogue import Catalogue
from core.import_columns import Column
from core.imports import ImportPreview, ImportRow, Verdict, reasons_text
from core.language import listed, nt, number, t
from core.spreadsheets import Format
from core.terms import Setting, Source
from core.text import one_line
from pages.parts import client_table, import_editor
from pages.parts.choices import choose
from pages.parts.import_brought import Brought
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
_IF_ANY = frozenset({"open", "reasons"})  # columns that are left out of a page where no row has anything in them


def understood(brought: Brought) -> None:
    """What was brought and how it was read, and the headings that mean nothing here."""
    previewed, sheet = brought.previewed, brought.previewed.sheet
    with st.container(gap="xxsmall"):
        if brought.name:
            st.text(one_line(brought.name))
        separator = _separator(sheet.separator)
        if sheet.format is Format.XLSX:
            kind = t("Excel workbook")
        elif sheet.encoding:
            kind = t("CSV, {encoding}, separated by {separator}", encoding=sheet.encoding, separator=separator)
        else:
            kind = t("Pasted rows, separated by {separator}", separator=separator)
        rows = nt("{count} row", "{count} rows", len(previewed.rows))
        found = [column.label for column in Column if column in previewed.columns.places]
        columns = t("Columns: {columns}", columns=listed(found))
        st.caption(f"{plain(kind)} · {rows} · {plain(columns)}")
        if previewed.columns.unused:
            st.text(t("Not used: {headings}", headings=_headings_text(previewed.columns.unused)))


def cost(previewed: ImportPreview) -> None:
    """What the ready rows would cost a month, and who would pay it."""
    with st.container(horizontal=True, gap="small"):
        st.metric(t("A month, paid by us"), plain(previewed.paid_by_us), border=True, width=230,
                  help=t("What the ready rows add to what you pay. A yearly price counts a twelfth."))  # fmt: skip
        st.metric(t("A month, paid by the clients"), plain(previewed.paid_by_clients), border=True, width=230,
                  help=t("What the clients of the ready rows would pay together."))  # fmt: skip


def bound(previewed: ImportPreview) -> None:
    """Which default settings the clients would be bound to."""
    version = previewed.defaults_version
    if version is None:
        st.caption(t("No default settings are saved yet: each row says all four settings."), width="content")
    else:
        st.caption(t("Bound to default settings v{version}", version=str(version)), width="content",
                   help=t("Later versions will not change these clients."))  # fmt: skip


def choose_verdict(previewed: ImportPreview) -> str:
    """Which rows to look at: those of one verdict, or all. What needs correction is looked at first."""
    counts = {verdict.value: previewed.counts[verdict] for verdict in Verdict if previewed.counts[verdict]}
    words = {EVERY: t("All rows"), **{verdict.value: verdict.label for verdict in Verdict}}
    at_first = next((kind.value for kind in (Verdict.NEEDS_CORRECTION, Verdict.READY) if kind.value in counts), EVERY)
    counts = {EVERY: len(previewed.rows), **counts}
    chosen: str = choose(
        st.segmented_control, t("Rows"), list(counts), lambda kind: f"{words[kind]} · {number(counts[kind])}",
        "import.verdict", at_first=at_first, required=True, wrap=True, label_visibility="collapsed",
    )  # fmt: skip
    return chosen


def rows(brought: Brought, kind: str, offer: Catalogue) -> bool:
    """A page of the rows of this kind: to look at, or to correct in place. Whether they are to correct."""
    found = [row for row in brought.previewed.rows if kind in (EVERY, row.verdict.value)]
    pages = max(1, -(-len(found) // PAGE_SIZE))
    pager = f"import.pager {kind} {pages}"
    page: int = st.session_state.get(pager, 1)
    shown = found[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]
    if kind in _SHOWN:
        brought.lines = ()  # the editor, when it is looked at again, begins another turn
        _table(shown, kind, page, brought, offer)
    else:
        import_editor.edit(brought, shown)
    if pages > 1:
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.pagination(pages, key=pager, persist_state="session")
            first = (page - 1) * PAGE_SIZE + 1
            st.caption(t("{first}–{last} of {total}", first=first, last=first + len(shown) - 1, total=len(found)))
    return kind not in _SHOWN


def opened() -> int | None:
    """The client asked for by the click that began this run."""
    client_id: int | None = st.session_state.pop("import.opened", None)
    return client_id


def _open() -> None:
    client_table.clicked("import.open", "import.shown", "import.opened")


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
        pa.table({name: columns[name] for name in _SHOWN[kind] if name not in _IF_ANY or any(columns[name])}),
        key=f"import.table {kind} {brought.turn} {page}",
        hide_index=True,
        height=import_editor.height(shown),
        placeholder="",
        alt=t("The rows of the list, each with what would become of it"),
        column_config={
            "line": column.TextColumn(t("Row"), pinned=True, alignment="right", width=55),
            "name": column.TextColumn(t("Client"), pinned=True, width=170),
            "open": column.ButtonColumn("", key="import.open", on_click=_open, type="tertiary", width=40,
                                        pinned=True, help=t("Open the client")),
            "verdict": column.MultiselectColumn(
                t("Verdict"), options=[verdict.label for verdict in _COLOURS], color=list(_COLOURS.values()),
                width=150),
            "reasons": column.TextColumn(t("Reasons"), width=260),
            "email": column.TextColumn(t("E-mail"), width=180),
            "source": column.MultiselectColumn(
                t("Source"), options=list(colours), color=list(colours.values()), width=180),
            "plan": column.TextColumn(t("Subscription"), width=85),
            "add_ons": column.TextColumn(t("Add-ons"), width=135),
            "billing_period": column.TextColumn(t("Period"), width=70),
            "payer": column.TextColumn(t("Paid by"), width=75),
            "monthly": column.TextColumn(t("A month"), alignment="right", width=75),
        },
    )  # fmt: skip


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
