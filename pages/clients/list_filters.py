"""What people ask the list of clients: the search, the filters and the order. A filter is a button that says what is
chosen, and opens what can be: a box to choose in takes a browser three times as long to draw."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import streamlit as st

from core.catalogue import Catalogue
from core.defaults import Sets
from core.members import Member, reads_all_clients
from core.reports import FILTERS, InForce, Order, SourceFilter
from core.subscriptions import ResponsibleMember
from core.words import ListedStatus, Setting, t
from pages.clients import set_filters
from pages.parts import colleagues
from pages.parts.text import plain

_ORDER = "clients.order_by"
_WITHOUT_MENU = ("search", "attention")  # a figure leads to who needs attention
_ALL = ""  # stands for no choice: None is what a menu says when nothing was clicked


@dataclass(frozen=True, slots=True)
class Space:
    """Who looks at the list, and what else holds in their partner space that one run of it reads once."""

    member: Member
    sets: Sets
    in_force: InForce
    offer: Catalogue
    looking_after: Sequence[ResponsibleMember]

    @property
    def sees_all(self) -> bool:
        """Whether the reader sees every client, and not only their own."""
        return reads_all_clients(self.member)


def labels() -> dict[str, str]:
    """What each filter is called."""
    return {
        "search": t("Search"),
        "status": t("Status"),
        **{setting.value: setting.heading for setting in Setting},
        "source": t("Source"),
        "pending": t("Changes"),
        "attention": t("Needs attention"),
        "default_set": t("Default set"),
        "version": t("Version"),
        "responsible": t("Account manager"),
    }


def chosen(space: Space, *, is_narrow: bool) -> dict[str, Any]:
    """The search and the filters, as they are chosen now. Who sees only their own clients has no choice of who looks
    after them."""
    called, names = labels(), [name for name in FILTERS if space.sees_all or name != "responsible"]
    set_filters.leave_out(names, space.sets)
    words = {name: _words(name, space) for name in names if name not in _WITHOUT_MENU}
    held = {name: _held(name, words[name]) for name in words}
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        _search_box(called["search"])
        if not is_narrow:
            _menus(called, words, held)
        else:
            count = sum(bool(_values(value)) for value in held.values())
            label = " · ".join((t("Filters"), str(count))) if count else t("Filters")
            behind = st.popover(label, icon=":material/filter_alt:", key="clients.filters", on_change="rerun")
            if behind.open:
                with behind, st.container(horizontal=True, gap="xsmall"):
                    _menus(called, words, held)
    return {name: st.session_state.get(f"clients.{name}") for name in names}


def order() -> Order:
    """The order, on a button that says it."""
    now = current_order()
    st.menu_button(
        plain(now.label),
        [*Order],
        format_func=partial(_option, {each: each.label for each in Order}, [now]),
        key=_menu(_ORDER),
        icon=":material/sort:",
        on_click=_choose,
        args=(_ORDER,),
    )
    return now


def current_order() -> Order:
    """How the list is sorted."""
    found: Order | None = st.session_state.get(_ORDER)
    return found or Order.NAME


def _search_box(label: str) -> None:
    st.text_input(
        label,
        key="clients.search",
        type="search",
        live=True,
        persist_state="session",
        max_chars=200,
        placeholder=t("Name, e-mail or number"),
        icon=":material/search:",
        label_visibility="collapsed",
        width=200,
    )


def _menus(called: Mapping[str, str], words: Mapping[str, Mapping[Any, str]], held: Mapping[str, Any]) -> None:
    """A button for each filter: what it is called, and what is chosen of it."""
    for name, of_filter in words.items():
        values = _values(held[name])
        label = plain(called[name])
        if values:
            said = plain(", ".join(of_filter[value] for value in values))
            label = t("{setting}: {value}", setting=label, value=f"**{said}**")
        st.menu_button(
            label,
            [_ALL, *of_filter],
            format_func=partial(_option, {_ALL: t("All"), **of_filter}, values or [_ALL]),
            key=_menu(f"clients.{name}"),
            on_click=_choose_several if name == "status" else _choose,
            args=(f"clients.{name}",),
        )


def _words(name: str, space: Space) -> dict[Any, str]:
    """The values that a filter can have, each in words."""
    if name == Setting.PLAN:
        return {code: str(plan) for code, plan in space.offer.plans.items()}
    if name == "responsible":
        return colleagues.in_words(space.looking_after, space.member, t("Mine"), beside=[t("All")])
    if name in {"default_set", "version"}:
        return set_filters.words(name, space.sets)
    terms: Any = ListedStatus if name == "status" else FILTERS[name]
    return {term: term.label for term in terms if space.sets.are_several or term is not SourceFilter.RETIRED_SET}


def _held(name: str, words: Mapping[Any, str]) -> Any:
    """What is chosen of a filter. What is no longer offered is not chosen any more."""
    offered = [value for value in _values(st.session_state.get(f"clients.{name}")) if value in words]
    held: Any = tuple(offered) if name == "status" else next(iter(offered), None)
    st.session_state[f"clients.{name}"] = held
    return held


def _values(held: Any) -> list[Any]:
    if held is None:
        return []
    return [*held] if isinstance(held, list | tuple) else [held]


def _option(words: Mapping[Any, str], chosen_ones: Sequence[Any], value: Any) -> str:
    """A value as the menu says it; before what is chosen stands a tick."""
    said = plain(words[value])
    return f"✓ {said}" if value in chosen_ones else said


def _menu(key: str) -> str:
    return f"{key} menu"


def _choose(key: str) -> None:
    """Choose what was clicked in the menu. A click on what the menu no longer offers changes nothing."""
    if (picked := st.session_state[_menu(key)]) is not None:
        st.session_state[key] = None if picked == _ALL else picked


def _choose_several(key: str) -> None:
    """Choose what was clicked beside the others, or no longer."""
    picked, others = st.session_state[_menu(key)], _values(st.session_state.get(key))
    if picked == _ALL:
        st.session_state[key] = ()
    elif picked in others:
        st.session_state[key] = tuple(value for value in others if value != picked)
    elif picked is not None:
        st.session_state[key] = (*others, picked)
