"""Which column of a list is which, where its headings do not say it: somebody chooses, and it is kept for the firm."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import streamlit as st

from core import imports, spreadsheets
from core.imports import Column
from core.members import Member
from core.spreadsheets import Sheet, letters
from core.words import BillingError, DatabaseFailed, listed, nt, one_line, t
from pages.parts import default_sets, notices, server
from pages.parts.choices import forget, form
from pages.parts.text import plain

NOT_THERE = ""
_SHORT = 60
_NEEDED = frozenset({Column.NAME, Column.EMAIL})  # a country is asked of whole lists


@dataclass(slots=True)
class Choosing:
    """A list of this name whose columns somebody is choosing, `because` its headings are refused; None: by choice.

    `places` is where each column seems to be, from 0. It belongs to the partner space in which it was brought.
    """

    partner_id: int
    name: str
    sheet: Sheet
    places: dict[Column, int]
    because: BillingError | None = None


def begin(choosing: Choosing) -> None:
    """From the next run on the columns of this list are chosen; at first each is where it seems to be."""
    forget("import columns")
    st.session_state["import.choosing"] = choosing


def how_it_was_read(sheet: Sheet) -> None:
    """What somebody might not expect: which sheet was taken, where the headings are, and that hidden rows count."""
    if sheet.others:
        others = listed(one_line(name) for name in sheet.others)
        st.text(t("Read from the sheet “{name}”. Not read: {others}.", name=one_line(sheet.name), others=others))
    if sheet.skipped:
        line = str(sheet.headings_line)
        st.caption(t("The headings are in row {line}; what stands above them is not read.", line=line))
    if sheet.hidden:
        st.warning(
            nt(
                "{count} row is hidden in the workbook, by a filter or by hand. It is read like the others.",
                "{count} rows are hidden in the workbook, by a filter or by hand. They are read like the others.",
                sheet.hidden,
            ),
            icon=":material/visibility_off:",
        )


def ask_encoding(sheet: Sheet, read_as: Callable[[str], None]) -> None:
    """Where its bytes do not decide how a file is encoded, it can be read in the other way too."""
    if not sheet.content:
        return
    names = {spreadsheets.WINDOWS: t("Western (Windows)"), spreadsheets.MAC: t("Mac")}
    picked = st.segmented_control(
        t("Read as"),
        list(names),
        default=sheet.encoding,
        format_func=lambda encoding: names[encoding],
        key=f"{form('import encoding')}.picked",
        required=True,
        help=t("If letters with accents are wrong, choose the other one. The file is read anew."),
    )
    if picked in names and picked != sheet.encoding:
        read_as(picked)


def show(
    member: Member, choosing: Choosing, check: Callable[[str, Sheet], None], read_as: Callable[[Sheet, str], None]
) -> None:
    """Each of our columns with a picker of the list's, and what stands there; then the list is checked."""
    key = form("import columns")
    if choosing.name:
        st.text(one_line(choosing.name))
    how_it_was_read(choosing.sheet)
    ask_encoding(choosing.sheet, partial(read_as, choosing.sheet))
    if choosing.because is not None:
        st.info(plain(choosing.because), icon=":material/info:")
    st.caption(t("Choose which column of the list holds what. It is remembered for lists with these headings."))
    said = {column: _picked(choosing, column, f"{key}.{column.value}") for column in _columns(member)}
    with st.container(horizontal=True, vertical_alignment="center"):
        is_asked = st.button(t("Check the list"), type="primary", key=f"{key}.check", icon=":material/fact_check:")
        st.button(t("Back"), key=f"{key}.back", on_click=_back, args=(choosing,))
    if is_asked:
        _choose(member, choosing, said, check)


def _columns(member: Member) -> list[Column]:
    """All of ours; that of default sets where there are several."""
    several = default_sets.known(server.database(), member).are_several
    return [column for column in Column if column is not Column.DEFAULT_SET or several]


def _picked(choosing: Choosing, column: Column, key: str) -> int | str:
    """The place of the column that somebody picks for ours; NOT_THERE: the list does not have it."""
    headings = choosing.sheet.headings
    options: list[int | str] = [NOT_THERE, *(place for place, heading in enumerate(headings) if heading)]
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        picked: int | str = st.selectbox(
            t("{column} (required)", column=column) if column in _NEEDED else column.label,
            options,
            index=options.index(choosing.places.get(column, NOT_THERE)),
            format_func=lambda place: _called(headings, place),
            key=key,
            width=320,
            persist_state="session",
        )
        found = imports.samples(choosing.sheet, picked) if isinstance(picked, int) else []
        if found:
            st.text(" · ".join(one_line(value)[:_SHORT] for value in found), width="stretch")
    return picked


def _called(headings: tuple[str, ...], place: int | str) -> str:
    if not isinstance(place, int):
        return t("Not in this list")
    return f"{letters(place)} · {one_line(headings[place])[:_SHORT]}"


def _choose(
    member: Member, choosing: Choosing, said: dict[Column, int | str], check: Callable[[str, Sheet], None]
) -> None:
    try:
        with server.database().transaction() as session:
            imports.choose_columns(session, member, choosing.sheet, said)
    except DatabaseFailed:
        raise
    except BillingError as refusal:
        notices.refused(refusal)
        return
    check(choosing.name, choosing.sheet)
    st.rerun()


@notices.callback
def _back(choosing: Choosing) -> None:
    """To the list before, or to bring another: a file that was chosen is let go, pasted rows stay in their field."""
    del st.session_state["import.choosing"]
    if choosing.name:
        upload = st.session_state.get("import.upload")
        forget("import")
        if upload is not None:
            st.session_state["import.upload"] = upload
