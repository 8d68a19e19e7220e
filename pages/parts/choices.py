"""Choices whose words can change while their value stays: another language, or prices for another billing period.

Streamlit tells options apart by their words. When the words under a key change, the browser still holds the old ones,
and the choice is lost at the next click. So the value is kept under a key of ours, and the widget has one that goes
with its words.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple
from uuid import uuid4
from zlib import crc32

import streamlit as st

_WIDGETS = "choices"  # in the session's memory: the last widget of each choice, by the choice's key
_ANY = ""  # stands for the option None, which a widget would take for "nothing chosen"


class _Widget(NamedTuple):
    """The last widget of a choice: its key, what it said, how many were begun before it, and where it began; what can
    be chosen with it, what stands for anything else, and whether nothing may be chosen."""

    key: str
    value: Any
    number: int
    began_at: Any
    options: tuple[Any, ...]
    otherwise: Any
    may_be_empty: bool

    def takes(self, said: Any) -> Any:
        """What the widget says, as the browser sent it: what it cannot give counts for nothing."""
        if isinstance(said, list | tuple):
            return [option for option in map(_meant, said) if option in self.options]
        value = _meant(said)
        if value in self.options or (value is None and self.may_be_empty):
            return value
        return self.otherwise


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
    widgets = state.setdefault(_WIDGETS, {})
    last: _Widget | None = widgets.get(key)
    wanted = _offered(chosen(key, at_first), options, at_first)
    number = 0 if last is None else last.number
    if last is not None and state.get(key, at_first) != last.value:  # set by something else: a new widget says so
        number += 1
    widget_key = f"{key} {crc32(repr(list(worded.values())).encode()):08x}.{number}"
    is_new = last is None or widget_key != last.key or widget_key not in state
    began_at = wanted if last is None or is_new else last.began_at
    beginning = _beginning(widget, options, began_at)
    may_be_empty = widget is not st.selectbox and not named.get("required", False)
    otherwise = _offered(at_first, options, None)
    made = _Widget(widget_key, None, number, began_at, tuple(options), otherwise, may_be_empty)
    value = made.takes(
        widget(label, list(worded), format_func=worded.__getitem__, key=widget_key, **beginning, **named)
    )
    state[key] = value
    widgets[key] = made._replace(value=value)
    return value


def chosen(key: str, at_first: Any = None) -> Any:
    """What is chosen under this key: also in a callback, which runs before the widget says it to `choose`."""
    state = st.session_state
    value = state.get(key, at_first)
    last: _Widget | None = state.get(_WIDGETS, {}).get(key)
    if last is None or value != last.value:
        return value
    return last.takes(state.get(last.key, value))


def form(key: str) -> str:
    """The prefix of the widgets' keys of a form that `forget` begins again."""
    return f"{key}#{st.session_state.get(f'generation of {key}', 0)}"


def open_form(form: str, what: str | bool = True) -> None:
    """From the next run on the form is open; `what`: which of those that may stand in its place."""
    st.session_state[f"{form}.open"] = what


def attempt(form: str) -> str:
    """The key of this form as it is drawn, by which a form that is sent twice is known again (members.form_sent).

    It stays until `forget`, so also after a refusal, or when nobody knows whether the form was saved.
    """
    key: str = st.session_state.setdefault(f"{form}.attempt", uuid4().hex)
    return key


def forget(key: str) -> None:
    """Begin again: what was chosen and typed under this key is gone, and its widgets are new ones."""
    state = st.session_state
    state[f"generation of {key}"] = state.get(f"generation of {key}", 0) + 1
    begins = (f"{key}.", f"{key}#")
    for name in [name for name in state if str(name).startswith(begins)]:
        del state[name]
    widgets = state.get(_WIDGETS, {})
    for name in [name for name in widgets if name.startswith(begins)]:
        del widgets[name]


def keep() -> None:
    """The page could not be shown: what its choices said stays chosen, though their widgets leave with it."""
    state = st.session_state
    for key in list(state.get(_WIDGETS, {})):
        state[key] = chosen(key)


def _beginning(widget: Callable[..., Any], options: Sequence[Any], value: Any) -> dict[str, Any]:
    """Where a widget begins, said with the widget itself: a value set apart could miss a browser that was leaving."""
    if widget is not st.selectbox:
        return {"default": value}
    return {"index": options.index(value) if value in options else None}


def _meant(said: Any) -> Any:
    return None if said == _ANY else said


def _offered(wanted: Any, options: Sequence[Any], at_first: Any) -> Any:
    if isinstance(wanted, list):
        return [option for option in wanted if option in options]
    return wanted if wanted in options else at_first
