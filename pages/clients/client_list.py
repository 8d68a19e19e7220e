"""The list of clients: the search, the filters, the figures, the table and its pages, and what can be done with those
that are ticked. A click in it runs it alone."""

from collections.abc import Sequence
from contextlib import nullcontext
from datetime import date
from typing import Any

import streamlit as st

from core import catalogue, reports
from core.catalogue import Catalogue
from core.defaults import Sets
from core.members import Member, Permission, may, reads_all_clients
from core.reports import FILTERS, Order, SourceFilter
from core.subscriptions import ResponsibleMember
from core.words import ListedStatus, Setting, end_of_day, language, t
from pages.clients import client_table, list_figures, list_file, many_chosen, narrow_list, set_filters
from pages.parts import (
    as_of,
    choices,
    colleagues,
    default_sets,
    figures,
    invitation,
    meanwhile,
    page_url,
    row_buttons,
    server,
)
from pages.parts.choices import choose
from pages.parts.text import plain

PAGE_SIZE = 50
CLIENT = "pages/clients/client_subscription.py"
WIDTHS = {"status": 105, "source": 118, "default_set": 118, "responsible": 118}  # pixels


def version_named(sets: Sets) -> int:
    """The version of the defaults that the page names above the list; 0: none is saved, or there are several sets."""
    return 0 if sets.are_several or sets.standard is None else sets.standard.version


def show(member: Member, version: int) -> None:
    """The list, of today or as of a past day. `version` is the one that the page names above it: where that is another
    one by now, the whole page runs."""
    open_clicked()
    database = server.database()
    sets = default_sets.known(database, member)
    if version_named(sets) != version:
        st.rerun()
    with database.reading(single=True) as session:
        in_force = reports.in_force(session, member)
        offer = catalogue.current(session, member.partner, edition=in_force.edition)
    looking_after, sees_all, labels = colleagues.looking_after(database, member), reads_all_clients(member), _labels()

    is_narrow = narrow_list.is_on()
    above_the_table = st.popover(t("Figures")) if is_narrow else st.container(horizontal=True, gap="xsmall")
    chosen = _choices(member, offer, sets, looking_after, labels, is_narrow=is_narrow)
    below_the_filters = st.container(horizontal=True, vertical_alignment="center", gap="small")
    with below_the_filters:
        order_by = _order()
        st.caption(t("As of"), width="content")
        shown_day = as_of.pick("clients.as_of", t("As of"), in_force.day, label_visibility="collapsed")
    past = None if shown_day == in_force.day else shown_day
    if as_of.is_to_come("clients.as_of", shown_day, in_force.day):
        page_url.write("clients", chosen | {"order_by": order_by, "as_of": past})
        return
    then = None if past is None else end_of_day(past)
    if past is not None:
        as_of.banner("clients.as_of", past, _as_of_sentence)
    question = str((past, order_by, *chosen.values()))
    pager = f"clients.pager {question}"
    asked_for = st.session_state.get(pager) or st.session_state.pop("clients.page", None)
    page = max(1, asked_for or _page_turned_to(question))
    prices = figures.counted(database, member, in_force, as_of=then, **chosen).prices if order_by.is_by_price else None
    wanted: dict[str, Any] = {"order_by": order_by, "page": page, "page_size": PAGE_SIZE, "prices": prices}
    with database.reading(single=True) as session:
        since = None if past else reports.seen(session, member)
        clients = reports.listed(session, member, as_of=then, **wanted, **chosen)
    meanwhile.shows(since, clients)
    unusual = {"order_by": None if order_by is Order.NAME else order_by, "page": None if page == 1 else page}
    page_url.write("clients", chosen | unusual | {"as_of": past})

    may_change, ticked = may(member, Permission.OVERRIDE) and past is None, many_chosen.ticked(question)
    ticked_bar, table = st.container(), f"clients.table {question} {page} {many_chosen.times_forgotten()}"
    letter_of = row_buttons.opened(client_table.LETTER)
    if clients:
        if letter_of is not None:
            invitation.window(member, letter_of, language())
        ticked = (ticked - {each.client_id for each in clients}) | client_table.show(
            clients,
            offer,
            key=table,
            are_all_own=not sees_all,
            is_past=past is not None,
            ticked=many_chosen.at_first(question, table) if may_change else None,
            is_narrow=is_narrow,
        )
        many_chosen.keep(question, ticked)

    counted = figures.counted(database, member, in_force, as_of=then, **chosen)
    with above_the_table:
        list_figures.row(counted, sets_are_several=sets.are_several)
        if sees_all and any(each.member_id == member.member_id and each.has_clients for each in looking_after):
            _mine(member, are_mine=chosen["responsible"] == member.member_id)
    with below_the_filters:
        if list_figures.amount(counted, leads_to_distribution=may(member, Permission.READ_DISTRIBUTION)):
            revenue = {"measure": "revenue", "day": shown_day.isoformat()}
            st.switch_page("pages/finance/plan_distribution.py", query_params=revenue)
        st.caption(plain(list_figures.still_to_come(counted)))
        if narrowing := [labels[name] for name, value in chosen.items() if value not in (None, "", ())]:
            icon = ":material/filter_alt_off:"
            st.button(t("Clear filters"), key="clients.clear", type="tertiary", icon=icon, on_click=list_figures.clear)
    pages = max(1, -(-counted.clients // PAGE_SIZE))
    if page > pages:
        st.session_state.pop(pager, None)
        st.session_state["clients.page"] = pages
        st.rerun()
    st.session_state["clients.turned to"] = (question, page)
    if not counted.clients:
        _nobody(narrowing, shown_day if past else None, sees_all=sees_all)
        return
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.pagination(pages, default=page, key=pager)
        first = (page - 1) * PAGE_SIZE + 1
        last = first + len(clients) - 1
        st.caption(t("{first}–{last} of {total}", first=first, last=last, total=counted.clients))
        list_file.download(database, member, chosen | {"as_of": then}, counted.clients, shown_day)
    if may_change:
        with ticked_bar if ticked else st.container():
            many_chosen.bar(ticked, counted.clients, chosen)


def open_clicked() -> None:
    """Go to the client whose button in the table was clicked, if one was."""
    if (opened := row_buttons.opened(client_table.OPENED)) is not None:
        st.switch_page(CLIENT, query_params={"client": str(opened)})


def _labels() -> dict[str, str]:
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


def _choices(
    member: Member,
    offer: Catalogue,
    sets: Sets,
    looking_after: Sequence[ResponsibleMember],
    labels: dict[str, str],
    *,
    is_narrow: bool,
) -> dict[str, Any]:
    """The search and the filters, as they are chosen now. Who sees only their own clients has no choice of who looks
    after them."""
    filters = [name for name in FILTERS if reads_all_clients(member) or name != "responsible"]
    set_filters.leave_out(filters, sets)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall"):
        st.text_input(
            labels["search"],
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
            for name in filters:
                if name not in {"search", "attention"}:
                    _filter_box(name, labels[name], _filter_words(name, member, offer, sets, looking_after))
    chosen = {name: st.session_state.get(f"clients.{name}") for name in filters}
    return chosen | {"status": tuple(chosen["status"] or ())}


def _order() -> Order:
    """The box for the order, without its name: each order says what it is."""
    order: Order = choose(
        st.selectbox,
        t("Sort"),
        list(Order),
        lambda order: order.label,
        "clients.order_by",
        at_first=Order.NAME,
        filter_mode=None,
        label_visibility="collapsed",
        width=190 if choices.chosen("clients.order_by", Order.NAME).is_by_price else 122,
    )
    return order


def _filter_box(name: str, label: str, words: dict[Any, str]) -> None:
    if name == "status":
        width = WIDTHS["status"] + 80 * len(choices.chosen("clients.status", ()))  # each has its words in the box
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
        width=WIDTHS.get(name, 90),
    )


def _filter_words(
    name: str, member: Member, offer: Catalogue, sets: Sets, looking_after: Sequence[ResponsibleMember]
) -> dict[Any, str]:
    """The values that a filter can have, each in words."""
    if name == Setting.PLAN:
        return {code: str(plan) for code, plan in offer.plans.items()}
    if name == "responsible":
        return colleagues.in_words(looking_after, member, t("Mine"), beside=[t("All")])
    if name in {"default_set", "version"}:
        return set_filters.words(name, sets)
    terms: Any = ListedStatus if name == "status" else FILTERS[name]
    return {term: term.label for term in terms if sets.are_several or term is not SourceFilter.RETIRED_SET}


def _page_turned_to(question: str) -> int:
    """The page looked at last, if it was of this question; another question begins at its first page."""
    asked, turned_to = st.session_state.get("clients.turned to", ("", 1))
    return turned_to if asked == question else 1


def _mine(member: Member, *, are_mine: bool) -> None:
    """The way to the clients that the reader looks after, and back to everybody's."""
    st.button(
        t("Mine"),
        key="clients.mine",
        type="primary" if are_mine else "secondary",
        icon=":material/person:",
        help=t("Only the clients you look after. Click again for all clients."),
        on_click=list_figures.narrow,
        kwargs={"responsible": None if are_mine else member.member_id},
    )


def _as_of_sentence(past: str) -> str:
    return t(
        "As of {day}: what held at the end of that day, under the names of today. Nothing can be changed here.",
        day=past,
    )


def _nobody(narrowing: list[str], past: date | None, *, sees_all: bool) -> None:
    """Why there are no clients to show; `narrowing`: the filters that are set; `past`: the day that is looked at."""
    if narrowing:
        nobody = t("No client matches. Widen or remove: {filters}.", filters=narrowing)
        st.info(nobody, icon=":material/filter_alt_off:")
    elif past is not None:
        st.info(t("There were no clients yet on {day}.", day=past), icon=":material/history:")
    elif not sees_all:
        nobody = t("You look after no clients yet. Here you will see the clients whose account manager you are.")
        st.info(nobody, icon=":material/person_search:")
    else:
        st.info(t("No clients yet. Save the default settings, then invite the first one."), icon=":material/group_add:")
