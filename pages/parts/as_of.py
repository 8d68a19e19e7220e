"""The day that a page is read as of: today, or one before it, also from a link; and the sentence about one to come."""

from collections.abc import Callable
from datetime import date
from typing import Any

import streamlit as st

from core.words import day, t

_FIRST_DAY = date(1900, 1, 1)  # that can be asked for


def linked(asked: str) -> date:
    """The day a link asks for: 2026-10-31. Raises ValueError."""
    found = date.fromisoformat(asked)
    if found < _FIRST_DAY:
        raise ValueError
    return found


def pick(name: str, label: str, today: date, **options: Any) -> date:
    """The day that is picked, today at first. `st.session_state[name]` holds it, None for today, and can be set before
    this is called: by a link."""
    state = st.session_state
    widget, said = f"{name} {today}", f"{name} said"  # another one tomorrow
    if widget not in state or state.get(name) != state.get(said):
        state[widget] = state.get(name) or today
    picked: date | None = st.date_input(
        label,
        min_value=_FIRST_DAY,
        max_value=date.max,  # Streamlit's own refusal would lie over the page; `is_to_come` says it in a sentence
        key=widget,
        format="DD/MM/YYYY",
        width=150,
        persist_state="session",
        **options,
    )
    state[name] = state[said] = None if picked in (None, today) else picked
    return picked or today


def is_to_come(name: str, picked: date, today: date) -> bool:
    """Whether the day has not come yet; the page says so then, with the way back."""
    if picked <= today:
        return False
    _note(name, t("{day} is still to come. Choose today or a day before it.", day=day(picked)), ":material/event:")
    return True


def banner(name: str, picked: date, sentence: Callable[[str], str]) -> None:
    """That the page shows a past day, with the way back to today. `sentence` says so of the day."""
    _note(name, sentence(day(picked)), ":material/history:")


def _note(name: str, sentence: str, icon: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.info(sentence, icon=icon)
        st.button(t("Back to today"), key=f"{name} today", icon=":material/today:", on_click=_to_today, args=(name,))


def _to_today(name: str) -> None:
    st.session_state[name] = None
