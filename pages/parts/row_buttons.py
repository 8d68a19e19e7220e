"""Buttons in the rows of a table: a column of them, and what the click on one asked for."""

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st


def open_column(
    meaning: str, button: str, what: str, numbers: Sequence[int | None], *, pinned: bool | None = None
) -> Any:
    """A column of buttons, each of which opens what its row is about, by number (None: a row without one)."""
    return st.column_config.ButtonColumn(
        "",
        key=button,
        on_click=_open,
        args=(button, what, numbers),
        type="tertiary",
        width=40,
        pinned=pinned,
        help=meaning,
    )


def words_column(
    heading: str,
    button: str,
    clicked: Callable[[], None],
    width: int,
    *,
    meaning: str | None = None,
    pinned: bool = False,
) -> Any:
    """A column whose words are buttons themselves, dark and from the left as text is."""
    return st.column_config.ButtonColumn(
        heading,
        key=button,
        on_click=clicked,
        type="tertiary",
        alignment="left",
        width=width,
        pinned=pinned,
        help=meaning,
    )


def opened(what: str) -> int | None:
    """The number asked for by the click that began this run."""
    number: int | None = st.session_state.pop(what, None)
    return number


def _open(button: str, what: str, numbers: Sequence[int | None]) -> None:
    """A click tells its row; `numbers` are those of the rows as they were shown."""
    row = st.session_state[button]["row"]
    if 0 <= row < len(numbers) and numbers[row] is not None:
        st.session_state[what] = numbers[row]
