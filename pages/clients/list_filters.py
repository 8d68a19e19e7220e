"""The boxes in which people ask the list of clients: the search, the filters and the order."""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import streamlit as st

from core.catalogue import Catalogue
from core.defaults import Sets
from core.members import Member, reads_all_clients
from core.reports import FILTERS, InForce, Order, SourceFilter
from core.subscriptions import ResponsibleMember
from core.words import ListedStatus, Setting, t
from pages.clients import set_filters
from pages.parts import choices, colleagues
from pages.parts.choices import choose

_WIDTHS = {"status": 105, "source": 118, "default_set": 118, "responsible": 118}  # pixels


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
    with st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall"):
        st.text_input(
            called["search"],
            key="clients.search",
            type="search",
            live=True,
            persist_state="session",
            max_chars=200,
            placeholder=t("Name, e-mail or company number"),
            icon=":material/search:",
            width=150,
        )
        with st.popover(t("Filters"), icon=":material/filter_alt:") if is_narrow else nullcontext():
            for name in names:
                if name not in {"search", "attention"}:
                    _filter_box(name, called[name], _filter_words(name, space))
    held = {name: st.session_state.get(f"clients.{name}") for name in names}
    return held | {"status": tuple(held["status"] or ())}


def order() -> Order:
    """The box for the order, without its name: each order says what it is."""
    picked: Order = choose(
        st.selectbox,
        t("Sort"),
        list(Order),
        lambda each: each.label,
        "clients.order_by",
        at_first=Order.NAME,
        filter_mode=None,
        label_visibility="collapsed",
        width=190 if choices.chosen("clients.order_by", Order.NAME).is_by_price else 122,
    )
    return picked


def _filter_box(name: str, label: str, words: dict[Any, str]) -> None:
    if name == "status":
        width = _WIDTHS["status"] + 80 * len(choices.chosen("clients.status", ()))  # each has its words in the box
        several = {"at_first": [], "placeholder": t("All"), "width": min(width, 345)}
        choose(st.multiselect, label, [*words], words.__getitem__, "clients.status", **several)
        return
    choose(
        st.selectbox,
        label,
        [None, *words],
        lambda option: t("All") if option is None else words[option],
        f"clients.{name}",
        at_first=None,
        filter_mode=None,
        width=_WIDTHS.get(name, 90),
    )


def _filter_words(name: str, space: Space) -> dict[Any, str]:
    """The values that a filter can have, each in words."""
    if name == Setting.PLAN:
        return {code: str(plan) for code, plan in space.offer.plans.items()}
    if name == "responsible":
        return colleagues.in_words(space.looking_after, space.member, t("Mine"), beside=[t("All")])
    if name in {"default_set", "version"}:
        return set_filters.words(name, space.sets)
    terms: Any = ListedStatus if name == "status" else FILTERS[name]
    return {term: term.label for term in terms if space.sets.are_several or term is not SourceFilter.RETIRED_SET}
