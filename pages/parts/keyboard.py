"""The keyboard and the window: "/" goes to the search box of a page, Enter opens what a row of a table is about, a form
that opens takes the focus; a row says in full what is short in it; a narrow window gets what is made for it.

Streamlit's own shortcuts know letters and Esc, not "/", and it has no way to set the focus, none to say more of a cell
than what is drawn, and it does not tell how wide the window is. Its st.html runs a script where it is told to; ours is
one file of this server's, so what a browser may run stays as narrow as it is.
"""

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from html import escape

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


def of_a_table(columns: Sequence[str], switch: str | None) -> None:
    """Afterwards a row says in full, where one points at it, what is in the columns with these headings; and where the
    window is narrow, the switch with this key is on (None: it was turned on or left alone before)."""
    narrow = "" if switch is None else f' data-narrow="st-key-{_NOT_IN_A_CLASS.sub("-", switch)}"'
    _run(f' data-columns="{escape(json.dumps(list(columns)))}"{narrow}')


def _run(attributes: str) -> None:
    st.html(f'<script src=".{PATH}"{attributes}></script>', unsafe_allow_javascript=True)
