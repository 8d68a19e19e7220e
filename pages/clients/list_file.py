"""The list of clients as a file to take away: every client that matches, not only the page that is shown."""

from collections.abc import Callable
from datetime import date
from functools import partial
from typing import Any

import streamlit as st
from sqlalchemy.orm import Session

from core import members, reports
from core.members import Member
from core.storage import Database
from core.words import ActivityKind, language, speak, t
from pages.parts import visitor

LARGE = 100_000  # clients: CSV alone, in an archive, as a workbook of more takes minutes


def download(database: Database, member: Member, filters: dict[str, Any], clients: int, on: date) -> None:
    """The buttons that give the file, as CSV or as a workbook, for the filters as they are now and the `clients` that
    match them on this day; a past one where the filters say as of when."""
    is_large = clients > LARGE  # a browser's download is held in memory: a tenth of it will do
    named = f"clients as of {on.isoformat()}" if filters.get("as_of") else f"clients {on.isoformat()}"
    made = partial(_made, database, visitor.later(member), filters, named, language(), member.partner.time_zone)
    every = t("Every client that matches, not only this page.")
    _button(t("Download as CSV"), f"{named}.zip" if is_large else f"{named}.csv", made, "clients.csv", every)
    if not is_large:
        _button(t("Download as Excel"), f"{named}.xlsx", made, "clients.xlsx", every)


def _button(label: str, file: str, made: Callable[[str], bytes], key: str, meaning: str) -> None:
    ending = file.rpartition(".")[2]
    st.download_button(
        label,
        data=partial(made, ending),
        on_click="ignore",
        key=key,
        file_name=file,
        mime={
            "csv": "text/csv",
            "zip": "application/zip",
            "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        }[ending],
        icon=":material/download:",
        help=meaning,
    )


def _made(
    database: Database,
    find: Callable[[Session], Member],
    filters: dict[str, Any],
    named: str,
    reader: str,
    time_zone: str,
    ending: str,
) -> bytes:
    """The file; made when it is asked for, in another thread. Who took it is kept, with how many clients are in it."""
    speak(reader, time_zone)
    clients: list[int] = []
    with database.reading() as session:
        member = find(session)
        if ending == "xlsx":
            made = reports.workbook(session, member, counted=clients.append, **filters)
        else:
            pieces = reports.csv_pieces(session, member, counted=clients.append, **filters)
            made = reports.zipped(pieces, f"{named}.csv") if ending == "zip" else "".join(pieces).encode()
    with database.transaction() as session:
        members.note_activity(session, member.partner_id, member, ActivityKind.CLIENTS_FILE, number=sum(clients))
    return made
