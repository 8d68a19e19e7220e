"""The table of clients: a page of the list in the reader's words, one click from each client."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import pyarrow as pa
import streamlit as st

from core.catalogue import Catalogue
from core.reports import ListedClient, Order
from core.words import LISTED_SETTINGS, BillingSettings, ClientStatus, Setting, day, local_day, t
from pages.parts.choices import chosen
from pages.parts.row_buttons import open_column
from pages.parts.text import price_text, source_colour, source_text

_WIDTHS = {Setting.PLAN: 90, Setting.ADD_ONS: 150}  # pixels; a word or two needs _NARROW
_NARROW = 75
_SORTS = {  # the order by the heading of a column, first one way, then the other
    "name": (Order.NAME, Order.NAME_DESCENDING),
    "monthly": (Order.PRICE, Order.PRICE_DESCENDING),
    "invited_on": (Order.NEWEST, Order.OLDEST),
}


def show(
    clients: Sequence[ListedClient], offer: Catalogue, key: str, *, are_all_own: bool, ticked: frozenset[int] | None
) -> frozenset[int]:
    """The table of a page of the list; `key` changes with the rows, so that no click is taken for another row's. Where
    the reader sees no clients but their own, it does not say who looks after them. `ticked`: the clients whose rows are
    ticked at first, None where rows cannot be; returned are those ticked now.

    Columns can be selected, so that the browser does not sort the page as if it were all: a click on a heading sorts
    every client, where there is an order by it.
    """
    pills = {_bound(each): source_text(each.overridden, each.defaults_text) for each in clients}
    colours = {pills[_bound(each)]: source_colour(each.source, older=each.on_older_defaults) for each in clients}
    cells: dict[str, list[Any]] = {
        "name": [each.name for each in clients],
        "open": [":material/chevron_right:"] * len(clients),
        "source": [[pills[_bound(each)]] for each in clients],
        "status": [each.listed_status.label for each in clients],
        "pending": [_waits(each, offer) for each in clients],
        "letter": ["" if each.status is ClientStatus.ACTIVE else ":material/mail:" for each in clients],
        **setting_cells([each.settings for each in clients], offer),
        "monthly": ["–" if each.price is None else str(each.price.per_month) for each in clients],
        "responsible": [each.responsible for each in clients],
        "version": [_version(each) for each in clients],
        "invited_on": [day(local_day(each.first_invited_at)) for each in clients],
    }
    without = {"responsible"} if are_all_own else set()
    without |= set() if any(cells["pending"]) else {"pending"}
    column = st.column_config
    rows = [row for row, each in enumerate(clients) if each.client_id in (ticked or ())]
    said: Any = st.dataframe(
        pa.table({name: cells[name] for name in cells if name not in without}),
        key=key,
        hide_index=True,
        height="content",
        placeholder="",
        on_select=partial(_sort, key),
        selection_mode=["single-column"] if ticked is None else ["multi-row", "single-column"],
        selection_default={"selection": {"rows": rows, "columns": [], "cells": []}},
        alt=t("The clients that match, one per row"),
        column_config={
            "name": column.TextColumn(t("Client"), pinned=True, width=215),
            "open": open_column(t("Open the client"), "clients.open", "clients.opened", _ids(clients), pinned=True),
            "source": source_column(colours, width=215),
            "status": column.TextColumn(t("Status"), width=85),
            "pending": column.TextColumn(
                t("Pending change"),
                width=430 if all(cells["pending"]) else 150,
                help=t("What is decided for the client takes effect at this renewal."),
            ),
            "letter": open_column(
                t("The invitation: send again, revoke, invite again"),
                "clients.letter",
                "clients.letter opened",
                _ids(clients),
            ),
            **setting_columns(),
            "monthly": column.TextColumn(t("Price a month"), alignment="right", width=95),
            "responsible": column.TextColumn(t("Account manager"), width=140),
            "version": column.TextColumn(
                t("Bound to"),
                width=150 if any(each.sets_are_several for each in clients) else 70,
                help=t("The version of the default settings the client is bound to."),
            ),
            "invited_on": column.TextColumn(t("Invited on"), width=95),
        },
    )
    if ticked is None:
        return frozenset()
    return frozenset(clients[row].client_id for row in said.selection.rows if row < len(clients))


def source_column(colours: dict[str, Any], width: int) -> Any:
    """The column of source pills, each with its colour."""
    return st.column_config.MultiselectColumn(
        t("Source"), options=list(colours), color=list(colours.values()), width=width
    )


def setting_columns() -> dict[str, Any]:
    """A column for each setting, as lists show them."""
    return {
        setting.value: st.column_config.TextColumn(setting.heading, width=_WIDTHS.get(setting, _NARROW))
        for setting in LISTED_SETTINGS
    }


def setting_cells(settings: Sequence[BillingSettings | None], offer: Catalogue) -> dict[str, list[str]]:
    """The cells of those columns; None: a row without settings."""
    words = {
        each: {setting.value: offer.value_text(setting.of(each)) for setting in LISTED_SETTINGS}
        for each in {*settings} - {None}
    }
    return {
        setting.value: ["" if each is None else words[each][setting.value] for each in settings]
        for setting in LISTED_SETTINGS
    }


def _sort(table: str) -> None:
    """Sort by the column whose heading was clicked."""
    clicked = st.session_state[table]["selection"]["columns"]
    if clicked and clicked[0] in _SORTS:
        first, other = _SORTS[clicked[0]]
        st.session_state["clients.order_by"] = other if chosen("clients.order_by", Order.NAME) is first else first


def _ids(clients: Sequence[ListedClient]) -> list[int | None]:
    return [each.client_id for each in clients]


def _waits(client: ListedClient, offer: Catalogue) -> str:
    """1 Feb 2027 · €19.00 a month · Subscription: Plus → Standard."""
    if (waits := client.waiting) is None:
        return ""
    price = [] if waits.price is None else [price_text(waits.price)]
    return " · ".join([day(local_day(waits.takes_effect_at)), *price, waits.text(offer)])


def _bound(client: ListedClient) -> tuple[frozenset[Setting], int | None, int | None]:
    """What the words of its source pill depend on."""
    return client.overridden, client.set_number, client.defaults_version


def _version(client: ListedClient) -> str:
    """What a client is bound to: v3; Freelancers v3, where there are several sets."""
    if client.defaults_version is None:
        return "–"
    return client.defaults_text if client.sets_are_several else f"v{client.defaults_version}"
