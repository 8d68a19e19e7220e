"""A bare Streamlit page: ready rows, a page at a time. Streamlit runs it; the environment says where the rows are."""

import os
from pathlib import Path

import pandas as pd
import streamlit as st

pages = sorted(Path(os.environ["BENCH_ROWS"]).glob("*.feather"))
above = st.container()
turned_to = st.pagination(len(pages), key="page")
above.dataframe(pd.read_feather(pages[turned_to - 1]), hide_index=True, height="content")
