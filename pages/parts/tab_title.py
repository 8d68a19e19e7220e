"""The title of the browser's tab: which page, and on the page of a client which client."""

import streamlit as st

_PRODUCT = "Billing Defaults"


def say(*parts: str) -> None:
    """Afterwards the tab says these parts, the narrowest first, and the product."""
    st.set_page_config(page_title=" · ".join((*parts, _PRODUCT)))
