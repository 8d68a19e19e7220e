"""The keyboard: "/" goes to the search box of a page, and a form that opens takes the focus.

Streamlit's own shortcuts know letters and Esc, not "/", and it has no way to set the focus. Its st.html runs a script
where it is told to; ours is one file of this server's, so what a browser may run stays as narrow as it is.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

PATH = "/keyboard.js"  # where the server has the script
_NOT_IN_A_CLASS = re.compile(r"[^a-zA-Z0-9_-]")


def listen() -> None:
    """Afterwards "/" goes to the search box, wherever there is one."""
    _run("")


@contextmanager
def in_focus(name: str) -> Iterator[None]:
    """What is drawn within takes the focus when it appears, not again on a later run."""
    with st.container(key=name):
        yield
        _run(f' data-into="st-key-{_NOT_IN_A_CLASS.sub("-", name)}"')


def _run(attributes: str) -> None:
    st.html(f'<script src=".{PATH}"{attributes}></script>', unsafe_allow_javascript=True)
