"""The figures above the list of clients, each a way to the clients behind it."""

from typing import Any

import streamlit as st

from core.language import nt, number, t
from core.listing import SourceFilter
from core.reports import Figures
from core.terms import Payer
from pages.parts.text import plain

_EVERY = {"search": "", "status": None, "plan": None, "billing_period": None, "payer": None, "source": None}


def row(counted: Figures) -> bool:
    """The five figures, each a way in; whether the amount was clicked, which leads to another page."""
    _figure(
        number(counted.clients), nt("client", "clients", counted.clients), "every",
        t("Clients that match the search and the filters."), _EVERY,
    )  # fmt: skip
    _figure(
        number(counted.paid_by_partner), t("paid by us"), "paid",
        t("How many of them you pay for."), {"payer": Payer.PARTNER},
    )  # fmt: skip
    _figure(
        number(counted.overridden), t("with an override"), "exceptions",
        t("How many of them have at least one setting that is an exception."), {"source": SourceFilter.OVERRIDE},
    )  # fmt: skip
    _figure(
        number(counted.on_older_defaults), t("on older defaults"), "older",
        t("How many of them are bound to default settings older than today's."), {"source": SourceFilter.OLDER},
    )  # fmt: skip
    return _figure(
        str(counted.per_month), t("a month"), "monthly",
        t("What they cost together, whoever pays. A yearly price counts a twelfth; archived clients are not counted.")
        + " " + t("How it spreads over the plans: Plan distribution."),
        {},
    )  # fmt: skip


def _figure(value: str, label: str, key: str, meaning: str, filters: dict[str, Any]) -> bool:
    """A figure, and the way to the clients behind it; whether it was clicked."""
    return st.button(
        f"**{plain(value)}** {label}", key=f"clients.{key}", help=meaning,
        on_click=_narrow, kwargs=filters, width="stretch",
    )  # fmt: skip


def _narrow(**filters: object) -> None:
    """Show only these: what a figure leads to."""
    for name, value in filters.items():
        st.session_state[f"clients.{name}"] = value
