"""The table of clients: a page of the list in the reader's words, one click from each client."""

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import pyarrow as pa
import streamlit as st

from core.catalogue import Catalogue
from core.reports import ListedClient, Order
from core.words import (
    LISTED_SETTINGS,
    BillingSettings,
    ClientStatus,
    ListedStatus,
    Setting,
    day,
    local_day,
    t,
)
from pages.clients.column_widths import BUTTON, PILL, ROOM, fitting, needed, steps
from pages.clients.list_filters import current_order
from pages.parts.row_buttons import open_column, words, words_column
from pages.parts.text import price_text, source_colour, source_short, source_text

OPENED, LETTER = "clients.opened", "clients.letter opened"  # in the session's memory: what a click in a row asks for
_SORTS = {  # the order by the heading of a column, first one way, then the other
    "name": (Order.NAME, Order.NAME_DESCENDING),
    "monthly": (Order.PRICE, Order.PRICE_DESCENDING),
    "invited_on": (Order.NEWEST, Order.OLDEST),
}
_DATED = (Order.NEWEST, Order.OLDEST)
_ON_A_NARROW_SCREEN = {"name": 138, "monthly": 64, "plan": 68, "source": 92}  # pixels: what a telephone shows at once


def show(
    clients: Sequence[ListedClient],
    offer: Catalogue,
    key: str,
    *,
    are_all_own: bool,
    ticked: frozenset[int] | None,
    is_past: bool = False,
    is_narrow: bool = False,
) -> frozenset[int]:
    """The table of a page of the list; `key` changes with the rows, so that no click is taken for another row's. Where
    the reader sees no clients but their own, it does not say who looks after them. `ticked`: the clients whose rows are
    ticked at first, None where rows cannot be; returned are those ticked now. `is_past`: nothing can be done from it.
    Narrow: for a screen that shows name, price, subscription and source beside each other, and no boxes to tick.

    Columns can be selected, so that the browser does not sort the page as if it were all: a click on a heading sorts
    every client, where there is an order by it.
    """
    cells = _cells(clients, offer)
    without = {"responsible"} if are_all_own else set()
    without |= set() if any(cells["pending"]) else {"pending"}
    headings = {name: heading for name, heading in _headings().items() if name not in without}
    if is_narrow:
        headings["monthly"] = t("A month")
    labels = _short(clients, offer, cells)
    widths = {name: _width(name, heading, cells, labels, offer) for name, heading in headings.items()}
    widths, shown = _narrow(widths) if is_narrow else _in_order(widths)
    can_tick = ticked is not None and not is_narrow
    rows = [row for row, each in enumerate(clients) if each.client_id in (ticked or ())]
    key = f"{key} narrow" if is_narrow else key
    said: Any = st.dataframe(
        pa.table({name: cells[name] for name in widths}),
        key=key,
        hide_index=True,
        height="content",
        placeholder="",
        on_select=partial(_sort, key),
        selection_mode=["multi-row", "single-column"] if can_tick else ["single-column"],
        selection_default={"selection": {"rows": rows if can_tick else [], "columns": [], "cells": []}},
        alt=t("The clients that match, one per row"),
        column_config={
            name: _column(name, headings[name], width, clients, labels, is_past=is_past)
            if name in shown
            else {"label": headings[name], "hidden": True}
            for name, width in widths.items()
        },
    )
    if not can_tick:
        return ticked or frozenset()
    return frozenset(clients[row].client_id for row in said.selection.rows if row < len(clients))


def source_column(
    colours: dict[str, Any], width: int, labels: Mapping[str, str] | None = None, meaning: str | None = None
) -> Any:
    """The column of source pills, each with its colour; `labels`: shorter words for what is drawn."""
    short: Any = None if labels is None else labels.__getitem__
    return st.column_config.MultiselectColumn(
        t("Source"), options=list(colours), color=list(colours.values()), format_func=short, width=width, help=meaning
    )


def setting_columns() -> dict[str, Any]:
    """A column for each setting, as lists show them."""
    widths = {Setting.PLAN: 90, Setting.ADD_ONS: 150}
    return {
        setting.value: st.column_config.TextColumn(setting.heading, width=widths.get(setting, 75))
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


def _headings() -> dict[str, str]:
    """Every column, and what is written above it."""
    return {
        "name": t("Client"),
        "monthly": t("Price a month"),
        "source": t("Source"),
        "status": t("Status"),
        **{setting.value: setting.heading for setting in LISTED_SETTINGS},
        "pending": t("Takes effect on"),
        "responsible": t("Account manager"),
        "invited_on": t("Invited on"),
        "version": t("Bound to"),
    }


def _cells(clients: Sequence[ListedClient], offer: Catalogue) -> dict[str, list[Any]]:
    """What stands in each column, in full."""
    return {
        "name": _names(clients),
        "monthly": ["–" if each.price is None else str(each.price.per_month) for each in clients],
        "source": [[source_text(each.overridden, each.defaults_text)] for each in clients],
        "status": [each.listed_status.label for each in clients],
        **setting_cells([each.settings for each in clients], offer),
        "pending": [_waits(each, offer) for each in clients],
        "responsible": [each.responsible for each in clients],
        "invited_on": [day(local_day(each.first_invited_at)) for each in clients],
        "version": [_version(each) for each in clients],
    }


def _names(clients: Sequence[ListedClient]) -> list[str]:
    """The clients by name; those of the same name with the company number, or else the e-mail, that tells them
    apart."""
    names = Counter(each.sort_name for each in clients)
    numbers = Counter((each.sort_name, each.company_number) for each in clients)
    found = []
    for each in clients:
        name = each.name
        if names[each.sort_name] > 1:
            is_told = each.company_number and numbers[each.sort_name, each.company_number] == 1
            name = f"{name} · {each.company_number if is_told else each.email}"
        found.append(words(name))
    return found


def _short(
    clients: Sequence[ListedClient], offer: Catalogue, cells: Mapping[str, Sequence[Any]]
) -> dict[str, dict[str, str]]:
    """What is drawn of the columns whose cells say more: which settings are exceptions, which add-ons, what is pending
    are read when one points at the row."""
    source = {
        text: source_short(each.overridden, each.defaults_text)
        for each, (text,) in zip(clients, cells["source"], strict=True)
    }
    pending = {
        text: "" if each.waiting is None else day(local_day(each.waiting.takes_effect_at))
        for each, text in zip(clients, cells["pending"], strict=True)
    }
    add_ons = {}
    for each, text in zip(clients, cells["add_ons"], strict=True):
        chosen_ones = each.settings.add_ons
        first = text if len(chosen_ones) < 2 else offer.value_text(frozenset({min(chosen_ones)}))
        add_ons[text] = first if len(chosen_ones) < 2 else f"{first} +{len(chosen_ones) - 1}"
    return {"source": source, "pending": pending, "add_ons": add_ons}


def _width(
    name: str,
    heading: str,
    cells: Mapping[str, Sequence[Any]],
    labels: Mapping[str, Mapping[str, str]],
    offer: Catalogue,
) -> int:
    """How wide a column is: for what it can say where that is little, else for what it says."""
    if name == "name":
        return steps(needed(*cells["name"], beside=BUTTON), least=180, most=230)
    if name == "source":
        return max(needed(heading), needed(*labels["source"].values(), beside=PILL))
    if name == "status":
        return needed(heading, *(status.label for status in ListedStatus))
    if name == Setting.PLAN:
        return needed(heading, *map(str, offer.plans.values()))
    if name in labels:
        return needed(heading, *labels[name].values())
    terms = {setting.value: setting.terms for setting in Setting}.get(name)
    return needed(heading, *(cells[name] if terms is None else (term.label for term in terms)))


def _in_order(widths: Mapping[str, int]) -> tuple[dict[str, int], set[str]]:
    """The columns in order, each with its width, and those that are shown; the others are in the table's own menu.
    Sorted by the day of the invitation, the list shows that day."""
    order = list(widths)
    after_payer = order.index("payer") + 1
    beside = sum(widths[name] for name in order[1:after_payer]) + widths.get("pending", 0)
    name_width = max(200, min(widths["name"], ROOM - beside))  # a long name makes way for what is pending
    if current_order() in _DATED:
        order.remove("invited_on")
        order.insert(after_payer, "invited_on")
    in_order = {name: name_width if name == "name" else widths[name] for name in order}
    return in_order, fitting(in_order)


def _narrow(widths: Mapping[str, int]) -> tuple[dict[str, int], set[str]]:
    """The same on a narrow screen: what it shows at once, then the others but the version, which are scrolled to."""
    others = {name: width for name, width in widths.items() if name not in _ON_A_NARROW_SCREEN}
    return _ON_A_NARROW_SCREEN | others, widths.keys() - {"version"}


def _column(
    name: str,
    heading: str,
    width: int,
    clients: Sequence[ListedClient],
    labels: Mapping[str, Mapping[str, str]],
    *,
    is_past: bool,
) -> Any:
    column = st.column_config
    if name == "name":
        return open_column(heading, "clients.open", OPENED, [each.client_id for each in clients], width, pinned=True)
    if name == "status" and not is_past:
        meaning = t("Click an invitation that is open, expired or revoked to send it again, revoke it or invite again.")
        has_letter = {each.client_id: each.status is not ClientStatus.ACTIVE for each in clients}
        clicked = partial(_open_letter, "clients.letter", has_letter)
        return words_column(heading, "clients.letter", clicked, width, meaning=meaning)
    if name == "source":
        colours = {
            source_text(each.overridden, each.defaults_text): source_colour(each.source, older=each.on_older_defaults)
            for each in clients
        }
        meaning = t("The number after an override says how many settings it is of. Point at the row to read which.")
        return source_column(colours, width, labels["source"], meaning)
    if name in labels:
        waits = t("What is decided for the client takes effect at this renewal. Point at the row to read what it is.")
        short: Any = labels[name].__getitem__
        return column.SelectboxColumn(
            heading, options=[*labels[name]], format_func=short, width=width, help=waits if name == "pending" else None
        )
    if name == "monthly":
        return column.TextColumn(heading, width=width, alignment="right")
    bound = t("The version of the default settings the client is bound to.") if name == "version" else None
    return column.TextColumn(heading, width=width, help=bound)


def _sort(table: str) -> None:
    """Sort by the column whose heading was clicked."""
    clicked = st.session_state[table]["selection"]["columns"]
    if clicked and clicked[0] in _SORTS:
        first, other = _SORTS[clicked[0]]
        st.session_state["clients.order_by"] = other if current_order() is first else first


def _open_letter(button: str, has_letter: Mapping[int, bool]) -> None:
    """Keep whose invitation was clicked; of a client that has none to look at, that the client was."""
    row = st.session_state[button]["row"]
    if 0 <= row < len(has_letter):
        client_id = list(has_letter)[row]
        st.session_state[LETTER if has_letter[client_id] else OPENED] = client_id


def _waits(client: ListedClient, offer: Catalogue) -> str:
    """1 Feb 2027 · €19.00 a month · Subscription: Plus → Standard."""
    if (waits := client.waiting) is None:
        return ""
    price = [] if waits.price is None else [price_text(waits.price)]
    return " · ".join([day(local_day(waits.takes_effect_at)), *price, waits.text(offer)])


def _version(client: ListedClient) -> str:
    """What a client is bound to: v3; Freelancers v3, where there are several sets."""
    if client.defaults_version is None:
        return "–"
    return client.defaults_text if client.sets_are_several else f"v{client.defaults_version}"
