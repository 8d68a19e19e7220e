"""The figures over many clients: counted once per filter and change, and the row of them above the list."""

from typing import Any

import pandas as pd
import streamlit as st

from core import members, reports
from core.members import Member
from core.reports import FILTERS, Figures, InForce, PendingFilter, SourceFilter
from core.storage import Database
from core.words import Payer, nt, number, t
from pages.parts.text import plain

_EVERY: dict[str, object] = dict.fromkeys(FILTERS) | {"search": ""}


def counted(database: Database, member: Member, in_force: InForce, **filters: Any) -> Figures:
    """`reports.figures`, remembered until something changes in the partner space or in the catalogue, something that
    waited takes effect, or the next day begins: counting takes longer with every client. Whoever sees every client
    shares it; an accountant's own are nobody else's."""
    whose = None if members.reads_all_clients(member) else member.member_id
    return _counted(database, member, filters, _version(member, in_force, whose, sorted(filters.items())))


def spread(database: Database, member: Member, in_force: InForce) -> pd.DataFrame:
    """`reports.plan_distribution` of now, remembered as `counted` is. The frame is everybody's: nobody changes it."""
    return _spread(database, member, _version(member, in_force))


def row(figures: Figures, *, sets_are_several: bool, leads_to_distribution: bool) -> bool:
    """The figures, each a way in; whether the amount was clicked, which leads to another page for who may open
    it."""
    _figure(
        "every",
        number(figures.clients),
        nt("client", "clients", figures.clients),
        t("Clients that match the search and the filters."),
        _EVERY,
    )
    _figure(
        "paid",
        number(figures.paid_by_partner),
        nt("paid by us", "paid by us", figures.paid_by_partner),
        t("How many of them you pay for."),
        {"payer": Payer.PARTNER},
    )
    _figure(
        "exceptions",
        number(figures.overridden),
        t("with an override"),
        t("How many of them have at least one setting that is an exception."),
        {"source": SourceFilter.OVERRIDE},
    )
    _figure(
        "older",
        number(figures.on_older_defaults),
        t("on older defaults"),
        t("How many of them are bound to an older version of their own default set.")
        if sets_are_several
        else t("How many of them are bound to default settings older than today's."),
        {"source": SourceFilter.OLDER},
    )
    if figures.on_retired_set:
        _figure(
            "retired set",
            number(figures.on_retired_set),
            t("on a retired set"),
            t("How many of them are bound to a default set that is retired. They keep everything."),
            {"source": SourceFilter.RETIRED_SET},
        )
    _figure(
        "waiting",
        number(figures.pending),
        t("with a pending change"),
        t("How many of them change, or end, at their renewal."),
        {"pending": PendingFilter.PENDING},
    )
    meaning = t(
        "What they cost together, whoever pays. A yearly price counts a twelfth; archived clients are not counted."
    )
    where = t("How it spreads over the plans: Plan distribution.")
    meaning = f"{meaning} {where}" if leads_to_distribution else meaning
    clicked = _figure("monthly", str(figures.per_month), t("a month"), meaning, {})
    return clicked and leads_to_distribution


@st.cache_resource(ttl=3600, max_entries=500, show_spinner=False)
def _counted(_database: Database, _member: Member, _filters: dict[str, Any], version: str) -> Figures:  # noqa: ARG001
    with _database.reading() as session:
        return reports.figures(session, _member, **_filters)


@st.cache_resource(ttl=3600, max_entries=100, show_spinner=False)
def _spread(_database: Database, _member: Member, version: str) -> pd.DataFrame:  # noqa: ARG001 - the key
    with _database.reading() as session:
        return reports.plan_distribution(session, _member)


def _version(member: Member, in_force: InForce, *others: object) -> str:
    """What is remembered, as one text: Streamlit takes each piece of a tuple apart to know it again."""
    return repr((member.partner_id, member.partner.change_number, in_force, *others))


def _figure(name: str, value: str, label: str, meaning: str, filters: dict[str, Any]) -> bool:
    """A figure, and the way to the clients behind it; whether it was clicked."""
    return st.button(
        f"**{plain(value)}** {label}",
        key=f"clients.{name}",
        help=meaning,
        on_click=narrow,
        kwargs=filters,
        width="stretch",
    )


def narrow(**filters: object) -> None:
    """Show only these: what a figure leads to."""
    for name, value in filters.items():
        st.session_state[f"clients.{name}"] = value
