"""Words in the rows of a table that are buttons: a column of them, and what the click on one asked for."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import streamlit as st

_JOIN = "\u2060"  # an invisible joiner before words that Streamlit would read as an icon or as a list of buttons


def open_column(
    heading: str,
    button: str,
    what: str,
    numbers: Sequence[int],
    width: int,
    *,
    meaning: str | None = None,
    pinned: bool = False,
) -> Any:
    """A column whose words open what their row is about, by number; its cells are `words`."""
    clicked = partial(_open, button, what, numbers)
    return words_column(heading, button, clicked, width, meaning=meaning, pinned=pinned)


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


def words(text: str) -> str:
    """What people wrote, as the words of a button, no icon and no menu."""
    is_read_as_more = text.startswith(":material/") or (text.startswith("[") and text.endswith("]"))
    return f"{_JOIN}{text}" if is_read_as_more else text


def opened(what: str) -> int | None:
    """The number asked for by the click that began this run."""
    number: int | None = st.session_state.pop(what, None)
    return number


def _open(button: str, what: str, numbers: Sequence[int]) -> None:
    """A click tells its row; `numbers` are those of the rows as they were shown."""
    row = st.session_state[button]["row"]
    if 0 <= row < len(numbers):
        st.session_state[what] = numbers[row]
