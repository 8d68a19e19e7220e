"""Choices whose words can change while their value stays: another language, or prices for another billing period.

Streamlit tells options apart by their words. When the words under a key change, the browser still holds the old ones,
and the choice is lost at the next click. So the value is kept under a key of ours, and the widget has one that goes
with its words.
"""

from collections.abc import Callable, Sequence
from typing import Any
from zlib import crc32

import streamlit as st

_MADE = "choices"  # in the session's memory: each choice's widget, the value it told last, its turn, where it began
_ANY = ""  # stands for the option None, which a widget would take for "nothing chosen"


def choose(
    widget: Callable[..., Any],
    label: str,
    options: Sequence[Any],
    words: Callable[[Any], str],
    key: str,
    *,
    at_first: Any,
    **named: Any,
) -> Any:
    """What is chosen with `widget` (a selectbox, multiselect, segmented control or pills) among `options`.

    `st.session_state[key]` holds the value, begins at `at_first`, can be set before this is called, and stays when the
    reader leaves the page. An option that is no longer offered is not chosen any more.
    """
    state = st.session_state
    worded = {_ANY if option is None else option: words(option) for option in options}
    made = state.setdefault(_MADE, {})
    told_key, told, turn, begun_at = made.get(key, (None, None, 0, at_first))
    wanted = state.get(key, at_first)
    if told_key is not None and wanted != told:  # set since, by something else than the widget: begin a new one
        turn += 1
    elif told_key is not None:
        wanted = _meant(state.get(told_key, wanted))
    wanted = _offered(wanted, options, at_first)
    widget_key = f"{key} {crc32(repr(list(worded.values())).encode()):08x}.{turn}"
    if widget_key != told_key or widget_key not in state:
        begun_at = wanted
    beginning = _begin(widget, options, begun_at)
    value = _meant(widget(label, list(worded), format_func=worded.__getitem__, key=widget_key, **beginning, **named))
    state[key] = value
    made[key] = (widget_key, value, turn, begun_at)
    return value


def _begin(widget: Callable[..., Any], options: Sequence[Any], value: Any) -> dict[str, Any]:
    """Where a widget begins, said with the widget itself: a value set apart could miss a browser that was leaving."""
    if widget is not st.selectbox:
        return {"default": value}
    return {"index": options.index(value) if value in options else None}


def _meant(chosen: Any) -> Any:
    return None if chosen == _ANY else chosen


def _offered(wanted: Any, options: Sequence[Any], at_first: Any) -> Any:
    if isinstance(wanted, list):
        return [option for option in wanted if option in options]
    return wanted if wanted in options else at_first


def forget(key: str) -> None:
    """Begin again: what was chosen and typed under this key is gone, and its widgets are new ones."""
    state = st.session_state
    for name in [name for name in state if str(name).startswith((f"{key}.", f"{key}#"))]:
        del state[name]
    made = state.get(_MADE, {})
    for name in [name for name in made if name.startswith((f"{key}.", f"{key}#"))]:
        del made[name]
    state[f"generation of {key}"] = state.get(f"generation of {key}", 0) + 1


def form(key: str) -> str:
    """The prefix of the widgets' keys of a form that `forget` begins again."""
    return f"{key}#{st.session_state.get(f'generation of {key}', 0)}"
