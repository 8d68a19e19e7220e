"""What is linear in the number of clients, computed once per filter and change, shared by all who may see it."""

from typing import Any

import streamlit as st

from core import access, reports
from core.database import Database
from core.models import Member
from core.reports import Figures


def figures(database: Database, member: Member, edition: int, **filters: Any) -> Figures:
    """`reports.figures`, remembered until something changes in the partner space or in the catalogue."""
    version = (member.partner_id, member.partner.change_number, edition, access.sees_every_client(member))
    return _figures(database, member, version, tuple(sorted(filters.items())))


@st.cache_resource(ttl=3600, max_entries=500, show_spinner=False)
def _figures(_database: Database, _member: Member, version: Any, filters: Any) -> Figures:  # noqa: ARG001 - the key
    with _database.reading() as session:
        return reports.figures(session, _member, **dict(filters))
