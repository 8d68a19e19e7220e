"""The figures above the list of clients, each a way to the clients behind it."""

from typing import Any

import streamlit as st

from core.language import nt, number, t
from core.listing import SourceFilter
from core.reports import Figures
from core.terms import Payer

_EVERY = {"search": "", "status": None, "plan": None, "billing_period": None, "payer": None, "source": None}


def row(counted: Figures, *, narrowed: bool) -> None:
    """The five figures, each but the last a way in; `narrowed`: whether there is a filter to take away."""
    _figure(
        nt("client", "clients", counted.clients), number(counted.clients), "every",
        t("Clients that match the search and the filters."), _EVERY if narrowed else None,
    )  # fmt: skip
    _figure(
        t("paid by us"), number(counted.paid_by_partner), "paid",
        t("How many of them you pay for."), {"payer": Payer.PARTNER},
    )  # fmt: skip
    _figure(
        t("with an override"), number(counted.overridden), "exceptions",
        t("How many of them have at least one setting that is an exception."), {"source": SourceFilter.OVERRIDE},
    )  # fmt: skip
    _figure(
        t("on older defaults"), number(counted.on_older_defaults), "older",
        t("How many of them are bound to default settings older than today's."), {"source": SourceFilter.OLDER},
    )  # fmt: skip
    _figure(
        t("a month"), str(counted.per_month), "monthly",
        t("What they cost together, whoever pays. A yearly price counts a twelfth; archived clients are not counted."),
        None,
    )  # fmt: skip


def _figure(label: str, value: str, key: str, meaning: str, filters: dict[str, Any] | None) -> None:
    """A figure, and the way to the clients behind it."""
    with st.container(
        border=True, width="stretch", horizontal=True, vertical_alignment="center", wrap=False, gap="xxsmall"
    ):
        st.metric(label, value, help=meaning)
        if filters is not None:
            st.button("", key=f"clients.{key}", icon=":material/filter_alt:", type="tertiary", on_click=_narrow,
                      kwargs=filters, help=t("Show only these in the table"))  # fmt: skip


def _narrow(**filters: object) -> None:
    """Show only these: what a figure leads to."""
    for name, value in filters.items():
        st.session_state[f"clients.{name}"] = value
