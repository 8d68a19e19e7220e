"""The tables of the catalogue: plans by row with the add-ons that go with them, and the add-ons."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import streamlit as st

from core.catalogue import Item, Plan, PriceList
from core.reports import FILTERS
from core.subscriptions import CatalogueOverview
from core.words import BillingPeriod, Money, number, t
from pages.parts.row_buttons import open_column, opened, words

_OPENED = "catalogue.opened"  # in the session's memory: the place of the plan whose row was clicked
_CODES = "catalogue.codes"  # the codes of the rows as they were shown
_PRICE, _COUNT = 85, 75  # pixels


def follow_click() -> None:
    """Open the list of clients with the plan whose row was clicked."""
    place = opened(_OPENED)
    codes = st.session_state.get(_CODES, ())
    if place is None or place >= len(codes):
        return
    for name in FILTERS:
        st.session_state.pop(f"clients.{name}", None)
    st.switch_page("pages/clients/billing_sources.py", query_params={"plan": codes[place]})


def show(shown: CatalogueOverview, prices: PriceList) -> None:
    """Plans and add-ons with the prices of this list, and how many clients have each."""
    offer = shown.catalogue
    plans, add_ons = list(offer.plans.values()), list(offer.add_ons.values())
    st.session_state[_CODES] = [plan.code for plan in plans]
    offered = {
        f"with {add_on.code}": ["✓" if add_on.code in plan.add_ons else "" for plan in plans] for add_on in add_ons
    }
    column = st.column_config
    st.dataframe(
        pa.table(
            {
                "name": [words(_name(plan)) for plan in plans],
                **_amounts(plans, prices),
                "clients": [number(shown.holders(plan).clients) for plan in plans],
                **offered,
            }
        ),
        key=f"catalogue.plans {prices.number}",
        hide_index=True,
        height="content",
        placeholder="",
        alt=t("The subscriptions, one per row, and the add-ons that go with each"),
        column_config={
            "name": open_column(
                t("Subscription"),
                "catalogue.open",
                _OPENED,
                range(len(plans)),
                190,
                meaning=t("Open the clients that have it"),
                pinned=True,
            ),
            **_columns(),
            **{
                f"with {add_on.code}": column.TextColumn(str(add_on), width=98, alignment="center")
                for add_on in add_ons
            },
        },
    )
    if not add_ons:
        return
    st.dataframe(
        pa.table(
            {
                "name": [_name(add_on) for add_on in add_ons],
                **_amounts(add_ons, prices),
                "clients": [number(shown.holders(add_on).clients) for add_on in add_ons],
            }
        ),
        key=f"catalogue.add_ons {prices.number}",
        hide_index=True,
        height="content",
        width="content",
        placeholder="",
        alt=t("The add-ons, one per row"),
        column_config={"name": column.TextColumn(t("Add-on"), pinned=True, width=190), **_columns()},
    )
    st.caption(t("Clients that are invited or active. – means that it cannot be had with this billing period."))


def _columns() -> dict[str, Any]:
    column = st.column_config
    return {
        **{period.value: column.TextColumn(period.label, alignment="right", width=_PRICE) for period in BillingPeriod},
        "clients": column.TextColumn(t("Clients"), alignment="right", width=_COUNT),
    }


def _amounts(items: Sequence[Item], prices: PriceList) -> dict[str, list[str]]:
    """The cells of the prices by billing period."""
    cells: dict[str, list[str]] = {}
    for period in BillingPeriod:
        cells[period.value] = []
        for item in items:
            said = prices.plan_prices if isinstance(item, Plan) else prices.add_on_prices
            cents = said.get((item.code, period))
            cells[period.value].append("–" if cents is None else str(Money(cents, prices.currency)))
    return cells


def _name(item: Item) -> str:
    return str(item) + (t(" (retired)") if item.is_retired else "")
