"""The list on a narrow screen: a switch in the menu, which a telephone finds turned on."""

import streamlit as st

from core.words import Setting, t
from pages.parts import keyboard

_IS_NARROW = "clients.narrow"
_ASKED = "clients.window asked"  # in the session's memory: whether the browser was asked if its window is narrow


def is_on() -> bool:
    """Whether the list is drawn for a narrow screen."""
    return bool(st.session_state.get(_IS_NARROW))


def switch() -> None:
    """The switch. It is on at first on a telephone, which says what it is, and in a narrow window, which is found out
    once, after the first time the list was drawn."""
    if _IS_NARROW not in st.session_state:
        st.session_state[_IS_NARROW] = "Mobi" in st.context.headers.get("User-Agent", "")
    is_asked = st.session_state.get(_ASKED, st.session_state[_IS_NARROW])
    st.session_state[_ASKED] = True
    with st.sidebar:
        st.toggle(
            t("Narrow list"),
            key=_IS_NARROW,
            persist_state="session",
            help=t("Name, price, subscription and source beside each other; figures and filters behind a button."),
        )
    columns = [t("Client"), t("Source"), Setting.ADD_ONS.heading, t("Takes effect on")]
    keyboard.of_a_table(columns, None if is_asked else _IS_NARROW)
