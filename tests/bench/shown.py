"""What the product shows, taken from its pages and written down for the bare pages, which show the same
(tests/bench/bare_page.py)."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pandas as pd
import pyarrow as pa
import streamlit as st
from streamlit.testing.v1 import AppTest

from core import reports
from tests.bench import pages
from tests.bench.databases import Bench

_SEARCHES = ["northfield", "riverside", "zwaluw", "greenway"]


@dataclass(frozen=True, slots=True)
class Shown:
    """What is drawn last, and tells that the rows are there: by page, filter, search and number of client, and of the
    distribution. The names of a page of the list are all there."""

    pages: list[list[str]]
    filters: dict[str, list[str]]
    searches: dict[str, list[str]]
    clients: dict[int, str]
    distribution: str


def write_down(bench: Bench, folder: Path, *, each: int) -> Shown:
    """The rows of so many filters, searches and clients, of three times as many pages of the list, and of the
    distribution."""
    folder.mkdir(exist_ok=True)
    turned, filters, searches = [], {}, {}
    for number, shown in enumerate(pages.of_the_list(bench, min(each * 3, -(-bench.clients // 50))), start=1):
        turned.append(_kept(shown, folder / f"page {number}.feather"))
    with pages.served(bench):
        app = pages.ran(AppTest.from_file(pages.APP, default_timeout=120))
        for place, (label, shown) in enumerate(_filtered(app, each)):
            filters[label] = _kept(shown, folder / f"filter {place}.feather")
        for place, (words, shown) in enumerate(_searched(app, each)):
            searches[words] = _kept(shown, folder / f"search {place}.feather")
        clients = dict(_client_tables(bench, app, folder, each))
        distribution = _distribution(app, folder)
    with bench.database.reading() as session:
        listed = reports.listed(session, bench.member, page_size=50)
    said = {
        "pages": len(turned),
        "filters": list(filters),
        "searches": list(searches),
        "clients": [client.client_id for client in listed],
        "names": {str(client.client_id): client.name for client in listed},
    }
    (folder / "said.json").write_text(json.dumps(said))
    return Shown(turned, filters, searches, clients, distribution)


def _kept(rows: pd.DataFrame, file: Path) -> list[str]:
    rows.to_feather(file)
    return [str(name) for name in rows["name"]]


def _filtered(app: AppTest, most: int) -> Iterator[tuple[str, pd.DataFrame]]:
    """A subscription by its label, and the first page of its clients."""

    def menu() -> Any:
        return next(menu for menu in app.menu_button if menu.key == "clients.plan menu")

    for place, label in enumerate(menu().options[1 : most + 1], start=1):
        menu().click_index(place)
        pages.ran(app)
        yield label, app.dataframe[0].value
    menu().click_index(0)
    pages.ran(app)


def _searched(app: AppTest, most: int) -> Iterator[tuple[str, pd.DataFrame]]:
    def box() -> Any:
        return next(box for box in app.text_input if str(box.key).startswith("clients.search"))

    for words in _SEARCHES[:most]:
        box().set_value(words)
        pages.ran(app)
        yield words, app.dataframe[0].value
    box().set_value("")
    pages.ran(app)


def _client_tables(bench: Bench, app: AppTest, folder: Path, most: int) -> Iterator[tuple[int, str]]:
    """The clients of the first rows, each with the moment in the last line of its history."""
    with bench.database.reading() as session:
        first = reports.listed(session, bench.member, page_size=most)
    for client in first:
        app.query_params["client"] = str(client.client_id)
        pages.ran(app.switch_page("pages/clients/client_subscription.py"))
        for place, table in enumerate(app.table):
            table.value.to_feather(folder / f"client {client.client_id} {place}.feather")
        yield client.client_id, str(app.table[-1].value.iloc[-1, 0])
    app.query_params.clear()


def _distribution(app: AppTest, folder: Path) -> str:
    """The chart and the table; returns the last of its totals."""
    charts = []
    drawn = st.vega_lite_chart

    def kept(*anything: Any, spec: dict[str, Any], **named: Any) -> Any:
        charts.append(json.dumps(spec, default=pa.Table.to_pylist))
        return drawn(*anything, spec=spec, **named)

    with patch.object(st, "vega_lite_chart", kept):
        pages.ran(app.switch_page("pages/finance/plan_distribution.py"))
    (folder / "chart.json").write_text(charts[-1])
    table = app.dataframe[0].value
    table.to_feather(folder / "distribution.feather")
    return str(table.iloc[-1, -1])
