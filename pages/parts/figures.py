"""The figures over many clients, counted once per filter and change: counting takes longer with every client."""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import pandas as pd
import streamlit as st

from core import members, reports
from core.members import Member
from core.reports import Figures, InForce
from core.storage import Database


def counted(database: Database, member: Member, in_force: InForce, **filters: Any) -> Figures:
    """`reports.figures`, remembered until something changes in the partner space or in the catalogue, something that
    waited takes effect, an invitation lapses, or the next day begins. Whoever sees every client
    shares it; an accountant's own are nobody else's."""
    whose = None if members.reads_all_clients(member) else member.member_id
    return _counted(database, member, filters, _version(database, member, in_force, whose, sorted(filters.items())))


def spread(database: Database, member: Member, in_force: InForce, as_of: datetime | None = None) -> pd.DataFrame:
    """`reports.plan_distribution`, remembered as `counted` is. The frame is everybody's: nobody changes it."""
    return _spread(database, member, as_of, _version(database, member, in_force, as_of))


@st.cache_resource(ttl=3600, max_entries=500, show_spinner=False)
def _counted(_database: Database, _member: Member, _filters: dict[str, Any], version: str) -> Figures:  # noqa: ARG001
    with _database.reading() as session:
        return reports.figures(session, _member, **_filters)


@st.cache_resource(ttl=3600, max_entries=100, show_spinner=False)
def _spread(_database: Database, _member: Member, _as_of: datetime | None, version: str) -> pd.DataFrame:  # noqa: ARG001 - the key
    with _database.reading() as session:
        return reports.plan_distribution(session, _member, as_of=_as_of)


@st.cache_resource(ttl=86_400, max_entries=100, show_spinner=False)
def _lapses(_database: Database, _member: Member, day: date, version: str) -> Sequence[datetime]:  # noqa: ARG001 - the key
    with _database.reading() as session:
        return reports.lapses(session, _member, day)


def _version(database: Database, member: Member, in_force: InForce, *others: object) -> str:
    """What is remembered, as one text: Streamlit takes each piece of a tuple apart to know it again."""
    *holds, moment = in_force
    changed = (member.partner_id, member.partner.change_number)
    lapsed = bisect_right(_lapses(database, member, in_force.day, repr(changed)), moment)
    return repr((*changed, *holds, lapsed, *others))
