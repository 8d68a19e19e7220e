"""Bare Streamlit pages: ready rows, and nothing behind them. Streamlit runs it; the environment says where the rows are
(tests/bench/shown.py puts them there)."""

import json
import os
from pathlib import Path

import pandas as pd
import streamlit as st

folder = Path(os.environ["BENCH_ROWS"])
said = json.loads((folder / "said.json").read_text())


def rows(name: str) -> pd.DataFrame:
    return pd.read_feather(folder / f"{name}.feather")


def clients() -> None:
    searched = st.text_input("Search", type="search", live=True, key="search")
    filtered = st.selectbox("Subscription", ["All", *said["filters"]], filter_mode=None, key="filter")
    above = st.container()
    turned_to = st.pagination(said["pages"], key="page")
    shown = f"page {turned_to}"
    if searched in said["searches"]:
        shown = f"search {said['searches'].index(searched)}"
    elif filtered != "All":
        shown = f"filter {said['filters'].index(filtered)}"
    table = rows(shown)
    opening = st.column_config.ButtonColumn("Client", key="opened", on_click=lambda: None, type="tertiary")
    with above:
        st.dataframe(table, hide_index=True, height="content", column_config={"name": opening})
    if (opened := st.session_state.get("opened")) is not None:
        st.switch_page(a_client, query_params={"client": str(said["clients"][opened["row"]])})


def client() -> None:
    number = st.query_params["client"]
    st.title(said["names"][number])
    for table in sorted(folder.glob(f"client {number} *.feather")):
        st.header("History")
        st.table(pd.read_feather(table))


def distribution() -> None:
    st.title("Plan distribution")
    st.vega_lite_chart(spec=json.loads((folder / "chart.json").read_text()))
    st.dataframe(rows("distribution"), hide_index=True)


st.set_page_config(layout="wide")
a_client = st.Page(client, url_path="client_subscription", title="Client subscription", visibility="hidden")
st.navigation(
    [
        st.Page(clients, default=True, title="Clients"),
        a_client,
        st.Page(distribution, url_path="plan_distribution", title="Plan distribution"),
    ]
).run()
