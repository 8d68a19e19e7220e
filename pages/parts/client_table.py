"""The table of billing sources: a page of the list in the reader's words, one click from each client."""

from typing import Any

import pandas as pd
import streamlit as st

from core.catalogue import Catalogue
from core.columns import codes
from core.language import Money, day, t
from core.terms import BillingPeriod, ClientStatus, Payer, Source
from pages.parts.text import source_colour, source_text, value_text


def show(listed: pd.DataFrame, offer: Catalogue, key: str) -> None:
    """The table; `key` changes with the rows, so that no click is taken for another row's."""
    st.session_state["clients.shown"] = listed["client_id"].tolist()
    shown, pills = _as_shown(listed, offer)
    column = st.column_config
    st.dataframe(
        shown,
        key=key,
        hide_index=True,
        height="content",
        placeholder="",
        alt=t("The clients that match, one per row"),
        column_config={
            "name": column.TextColumn(t("Client"), pinned=True, width=215),
            "open": column.ButtonColumn("", key="clients.open", on_click=_open, type="tertiary", width=40,
                                        pinned=True, help=t("Open the client")),
            "source": column.MultiselectColumn(t("Source"), options=list(pills), color=list(pills.values()), width=215),
            "status": column.TextColumn(t("Status"), width=75),
            "plan": column.TextColumn(t("Subscription"), width=90),
            "add_ons": column.TextColumn(t("Add-ons"), width=150),
            "billing_period": column.TextColumn(t("Period"), width=75),
            "payer": column.TextColumn(t("Paid by"), width=75),
            "monthly": column.TextColumn(t("A month"), alignment="right", width=75),
            "version": column.TextColumn(
                t("Bound to"), width=70, help=t("The version of the default settings the client is bound to.")),
            "invited_on": column.TextColumn(t("Invited on"), width=95),
        },
    )  # fmt: skip


def opened() -> int | None:
    """The client asked for by the click that began this run."""
    client_id: int | None = st.session_state.pop("clients.opened", None)
    return client_id


def _open() -> None:
    """A click tells a row; which client it was, the rows that were shown tell (they may be others by now)."""
    row = st.session_state["clients.open"]["row"]
    shown = st.session_state.get("clients.shown", [])
    if row < len(shown):
        st.session_state["clients.opened"] = shown[row]


def _as_shown(listed: pd.DataFrame, offer: Catalogue) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The page of the list in the reader's words, and the colour of each source pill on it."""
    words = {term.value: term.label for terms in (ClientStatus, BillingPeriod, Payer) for term in terms}
    plans = {code: str(plan) for code, plan in offer.plans.items()}
    cells: dict[str, list[Any]] = {name: listed[name].tolist() for name in listed.columns}
    prices = {
        cents: "–" if pd.isna(cents) else str(Money(cents, offer.currency)) for cents in set(cells["monthly_cents"])
    }
    add_ons = {stored: value_text(codes(stored), offer) for stored in set(cells["add_ons"])}
    versions = [None if version is pd.NA else version for version in cells["defaults_version"]]
    pills: dict[str, Any] = {}
    sources = []
    for overridden, version, older in zip(cells["overridden"], versions, cells["on_older_defaults"], strict=True):
        pill = source_text(overridden, version, older=older)
        pills[pill] = source_colour(Source.OVERRIDE if overridden else Source.DEFAULT, older=older)
        sources.append([pill])
    shown = {
        "name": cells["name"],
        "open": [":material/chevron_right:"] * len(listed),
        "source": sources,
        "status": [words[status] for status in cells["status"]],
        "plan": [plans.get(plan, plan) for plan in cells["plan"]],
        "add_ons": [add_ons[stored] for stored in cells["add_ons"]],
        "billing_period": [words[period] for period in cells["billing_period"]],
        "payer": [words[payer] for payer in cells["payer"]],
        "monthly": [prices[cents] for cents in cells["monthly_cents"]],
        "version": ["–" if version is None else f"v{version}" for version in versions],
        "invited_on": [day(invited_at) for invited_at in cells["invited_at"]],
    }
    return pd.DataFrame(shown), pills
