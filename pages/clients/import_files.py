"""Files to take away from an import: a template to begin with, and what needs correction. Made when asked for."""

from functools import partial

import streamlit as st

from core import imports, members, spreadsheets
from core.catalogue import Catalogue
from core.imports import ImportPreview, Verdict
from core.members import Member
from core.spreadsheets import Format
from core.words import ActivityKind, language, speak, t
from pages.parts import server

MIME = {
    Format.CSV: "text/csv",
    Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}  # of the files that we write


def templates(member: Member, offer: Catalogue, key: str) -> None:
    """A list with every column and three examples, in both formats."""
    called = t("clients to invite (template)")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(t("A template with every column and three examples:"), width="content")
        for kind, mime in MIME.items():
            st.download_button(
                kind.value.upper(),
                data=partial(_template, member, offer, language(), kind),
                file_name=f"{called}.{kind.value}",
                mime=mime,
                on_click="ignore",
                icon=":material/download:",
                key=f"{key}.template {kind.value}",
                type="tertiary",
            )


def corrections(member: Member, previewed: ImportPreview) -> None:
    """The rows that need correction, each with its reasons: as CSV if they came in a CSV file, else as a workbook."""
    if not previewed.counts[Verdict.NEEDS_CORRECTION]:
        return
    kind = Format.CSV if previewed.sheet.encoding else Format.XLSX  # pasted rows come from a spreadsheet
    st.download_button(
        t("Download what needs correction"),
        file_name=f"corrections.{kind.value}",
        mime=MIME[kind],
        data=partial(_corrections, member, previewed, language(), kind),
        on_click="ignore",
        icon=":material/download:",
        key="import.corrections",
        help=t("The same list with these rows only, and a column that says why. Correct it and bring it back."),
    )


def _corrections(member: Member, previewed: ImportPreview, reader: str, kind: Format) -> bytes:
    """In another thread, which does not know the reader's language. Who took the rows is kept, with how many."""
    speak(reader, member.partner.time_zone)
    headings, rows = imports.corrections(previewed)
    with server.database().transaction() as session:
        members.note_activity(session, member.partner_id, member, ActivityKind.CORRECTIONS_FILE, number=len(rows))
    if kind is Format.XLSX:
        return spreadsheets.as_xlsx(headings, rows)
    return spreadsheets.as_csv([headings, *rows], previewed.sheet.separator).encode("utf-8-sig")


def _template(member: Member, offer: Catalogue, reader: str, kind: Format) -> bytes:
    """The same; the CSV as the reader's spreadsheet expects it."""
    speak(reader)
    headings, rows = imports.template(offer, member.email)
    if kind is Format.XLSX:
        return spreadsheets.as_xlsx(headings, rows)
    return spreadsheets.as_csv([headings, *rows]).encode("utf-8-sig")
