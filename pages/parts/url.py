"""A page's choice kept in the URL, so that a link can be shared: stored words, the same in every language.

(Streamlit's own binding writes labels, which differ from one reader's language to the next.)
"""

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st


def read(page: str, parameters: Mapping[str, Callable[[str], Any]]) -> None:
    """Put what the URL says into the state of the widgets `page.parameter`, each parsed by its function.

    A URL that is not the one written last (a link was followed) decides everything; a value it cannot parse is left
    out. Otherwise the widgets keep what they hold.
    """
    told = {name: value for name, value in st.query_params.items() if name in parameters}
    if not told or told == st.session_state.get(f"{page}.url"):
        return
    for name, parse in parameters.items():
        st.session_state.pop(f"{page}.{name}", None)
        if name in told:
            try:
                st.session_state[f"{page}.{name}"] = parse(told[name])
            except ValueError:
                continue


def write(page: str, parameters: Mapping[str, Any]) -> None:
    """Make the URL say what these parameters hold; None, "" and 1 (the first page) need no words."""
    told = {name: str(value) for name, value in parameters.items() if value not in (None, "", 1)}
    st.session_state[f"{page}.url"] = told
    if st.query_params.to_dict() != told:
        st.query_params.from_dict(told)
