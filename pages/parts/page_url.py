"""The choices made on a page, kept in the URL so that a link can be shared: stored words, the same in every language.

(Streamlit's own binding writes labels, which differ from one reader's language to the next.)
"""

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from core import reports
from pages.parts import presence


def read(page: str, parameters: Mapping[str, Callable[[str], Any]]) -> None:
    """Put what the URL says into the state of the widgets `page.parameter`, each parsed by its function.

    A URL that is not the one written last (a link was followed) decides everything; a value it cannot parse is left
    out. Otherwise the widgets keep what they hold.
    """
    asked = {name: value for name, value in st.query_params.items() if name in parameters}
    if not asked or asked == st.session_state.get(_written(page)):
        return
    for name, parse in parameters.items():
        st.session_state.pop(f"{page}.{name}", None)
        if name in asked:
            try:
                value = parse(asked[name])
                st.session_state[f"{page}.{name}"] = list(value) if isinstance(value, tuple) else value
            except ValueError:
                continue


def write(page: str, parameters: Mapping[str, Any]) -> None:
    """Make the URL say what these parameters hold, several values with commas; None, "" and () need no words."""
    held = reports.filters_said(parameters)
    st.session_state[_written(page)] = held
    presence.write_url(held)


def _written(page: str) -> str:
    """In the session's memory: what the URL was made to say last."""
    return f"{page}.url"
