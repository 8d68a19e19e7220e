"""The figures of the list of clients, in words: each number a way to the clients behind it."""

from typing import Any, Literal

import streamlit as st

from core.reports import FILTERS, AttentionFilter, Figures, PendingFilter, SourceFilter
from core.words import ListedStatus, Payer, nt, number, t
from pages.parts.text import plain

_EVERY: dict[str, Any] = dict.fromkeys(FILTERS) | {"search": "", "status": []}


def row(figures: Figures, *, sets_are_several: bool) -> None:
    """How many clients, each number a way to them."""
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
        nt(
            "paid by us · {amount} a month",
            "paid by us · {amount} a month",
            figures.paid_by_partner,
            amount=figures.paid_by_partner_per_month,
        ),
        t("How many active clients you pay for, and what that costs."),
        {"payer": Payer.PARTNER, "status": [ListedStatus.ACTIVE]},
    )
    _figure(
        "exceptions",
        number(figures.overridden),
        t("with an override"),
        t("How many of them have at least one setting that is an override. Archived clients are not counted."),
        {"source": SourceFilter.OVERRIDE},
    )
    _figure(
        "older",
        number(figures.on_older_defaults),
        t("on older defaults"),
        t("How many of them are bound to an older version of their own default set. Archived clients are not counted.")
        if sets_are_several
        else t("How many of them are bound to default settings older than today's. Archived clients are not counted."),
        {"source": SourceFilter.OLDER},
    )
    if figures.on_retired_set:
        _figure(
            "retired set",
            number(figures.on_retired_set),
            t("on a retired set"),
            t("How many of them are bound to a retired set and keep everything. Archived clients are not counted."),
            {"source": SourceFilter.RETIRED_SET},
        )
    _figure(
        "waiting",
        number(figures.pending),
        t("with a pending change"),
        t("How many of them change, or end, at their renewal."),
        {"pending": PendingFilter.PENDING},
    )
    _figure(
        "to attend to",
        number(figures.attention),
        nt("needs attention", "need attention", figures.attention),
        t("The invitation expired or was revoked, or a message to the client was given up."),
        {"attention": AttentionFilter.NEEDED},
    )


def amount(figures: Figures, *, leads_to_distribution: bool) -> bool:
    """What the clients cost a month; whether it was clicked, which leads to another page for who may open it."""
    meaning = t("What the active clients cost together, whoever pays. A yearly price counts a twelfth.")
    where = t("How it spreads over the plans: Plan distribution.")
    meaning = f"{meaning} {where}" if leads_to_distribution else meaning
    clicked = _figure("monthly", str(figures.per_month), t("a month"), meaning, {}, width="content")
    return clicked and leads_to_distribution


def still_to_come(figures: Figures) -> str:
    """What comes on top of the figures when those who are invited accept, and what prices leave out."""
    more = nt(
        "{amount} a month more when {count} invitation is accepted.",
        "{amount} a month more when {count} invitations are accepted.",
        figures.invited,
        amount=figures.invited_per_month,
    )
    without_vat = t("Prices are without VAT.")
    return f"{more} {without_vat}" if figures.invited else without_vat


def _figure(
    name: str,
    value: str,
    label: str,
    meaning: str,
    filters: dict[str, Any],
    width: Literal["stretch", "content"] = "stretch",
) -> bool:
    """A figure, and the way to the clients behind it; whether it was clicked."""
    return st.button(
        f"**{plain(value)}** {label}",
        key=f"clients.{name}",
        help=meaning,
        on_click=narrow,
        kwargs=filters,
        width=width,
    )


def clear() -> None:
    """Take every filter away, and what is searched for."""
    narrow(**_EVERY)


def narrow(**filters: object) -> None:
    """Show only these: what a figure leads to."""
    for name, value in filters.items():
        st.session_state[f"clients.{name}"] = value
