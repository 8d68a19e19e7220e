"""The table of billing sources: a page of the list in the reader's words, one click from each client."""

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import streamlit as st

from core.catalogue import Catalogue
from core.columns import codes
from core.language import Money, day, t
from core.terms import BillingPeriod, ClientStatus, InvitationStatus, Payer, Source
from pages.parts.text import source_colour, source_text, value_text


def show(listed: Mapping[str, Sequence[Any]], offer: Catalogue, key: str) -> None:
    """The table of `reports.listed`; `key` changes with the rows, so that no click is taken for another row's."""
    st.session_state["clients.shown"] = list(listed["client_id"])
    shown, colours = _as_shown(listed, offer)
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
            "source": column.MultiselectColumn(
                t("Source"), options=list(colours), color=list(colours.values()), width=215),
            "status": column.TextColumn(t("Status"), width=85),
            "letter": column.ButtonColumn("", key="clients.letter", on_click=_open_letter, type="tertiary", width=40,
                                          help=t("The invitation: send again, revoke, invite again")),
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


def letter_opened() -> int | None:
    """The client whose invitation was asked for by the click that began this run."""
    client_id: int | None = st.session_state.pop("clients.letter opened", None)
    return client_id


def _open() -> None:
    clicked("clients.open", "clients.shown", "clients.opened")


def _open_letter() -> None:
    clicked("clients.letter", "clients.shown", "clients.letter opened")


def clicked(button: str, shown_as: str, opened_as: str) -> None:
    """A click tells a row; which client it was, the rows that were shown tell (they may be others by now)."""
    row = st.session_state[button]["row"]
    shown = st.session_state.get(shown_as, [])
    if row < len(shown) and shown[row] is not None:
        st.session_state[opened_as] = shown[row]


def _as_shown(listed: Mapping[str, Sequence[Any]], offer: Catalogue) -> tuple[pa.Table, dict[str, Any]]:
    """The page of the list in the reader's words, and the colour of each source pill on it."""
    words = {
        term.value: term.label for terms in (InvitationStatus, ClientStatus, BillingPeriod, Payer) for term in terms
    }
    stands = [  # an invited client whose invitation lapsed or was revoked is told as such
        invitation if status == ClientStatus.INVITED and invitation != InvitationStatus.PENDING else status
        for status, invitation in zip(listed["status"], listed["invitation"], strict=True)
    ]
    plans = {code: str(plan) for code, plan in offer.plans.items()}
    prices = {
        cents: "–" if cents is None else str(Money(cents, offer.currency)) for cents in set(listed["monthly_cents"])
    }
    add_ons = {stored: value_text(codes(stored), offer) for stored in set(listed["add_ons"])}
    versions = listed["defaults_version"]
    bound = list(zip(listed["overridden"], versions, listed["on_older_defaults"], strict=True))
    pills = {kind: source_text(kind[0], kind[1], older=kind[2]) for kind in dict.fromkeys(bound)}
    colours: dict[str, Any] = {
        pill: source_colour(Source.OVERRIDE if overridden else Source.DEFAULT, older=older)
        for (overridden, _, older), pill in pills.items()
    }
    shown = {
        "name": listed["name"],
        "open": [":material/chevron_right:"] * len(bound),
        "source": [[pills[kind]] for kind in bound],
        "status": [words[kind] for kind in stands],
        "letter": ["" if kind == ClientStatus.ACTIVE else ":material/mail:" for kind in listed["status"]],
        "plan": [plans.get(plan, plan) for plan in listed["plan"]],
        "add_ons": [add_ons[stored] for stored in listed["add_ons"]],
        "billing_period": [words[period] for period in listed["billing_period"]],
        "payer": [words[payer] for payer in listed["payer"]],
        "monthly": [prices[cents] for cents in listed["monthly_cents"]],
        "version": ["–" if version is None else f"v{version}" for version in versions],
        "invited_on": [day(instant) for instant in listed["invited_at"]],
    }
    return pa.table(shown), colours
