"""The list of clients as a file to take away: every client that matches, not only the page that is shown."""

from collections.abc import Callable
from functools import partial
from typing import Any

import streamlit as st
from sqlalchemy.orm import Session

from core import members, reports
from core.members import Member
from core.storage import Database
from core.words import ActivityKind, language, speak, t
from pages.parts import visitor

LARGE = 100_000  # clients


def download(database: Database, member: Member, filters: dict[str, Any], clients: int) -> None:
    """The button that gives the file, for the filters as they are now and the `clients` that match them."""
    zipped = clients > LARGE  # a browser's download is held in memory: a tenth of it will do
    st.download_button(
        t("Download as CSV"),
        data=partial(_made, database, visitor.later(member), filters, zipped, language(), member.partner.time_zone),
        on_click="ignore",
        key="clients.csv",
        file_name="clients.zip" if zipped else "clients.csv",
        mime="application/zip" if zipped else "text/csv",
        icon=":material/download:",
        help=t("Every client that matches, not only this page."),
    )


def _made(
    database: Database,
    find: Callable[[Session], Member],
    filters: dict[str, Any],
    zipped: bool,
    reader: str,
    time_zone: str,
) -> bytes:
    """The file; made when it is asked for, in another thread. Who took it is kept, with how many clients are in it."""
    speak(reader, time_zone)
    clients: list[int] = []
    with database.reading() as session:
        member = find(session)
        pieces = reports.csv_pieces(session, member, counted=clients.append, **filters)
        made = reports.zipped(pieces, "clients.csv") if zipped else "".join(pieces).encode()
    with database.transaction() as session:
        members.note_activity(session, member.partner_id, member, ActivityKind.CLIENTS_FILE, number=sum(clients))
    return made
