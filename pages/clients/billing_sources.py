"""Clients: every client, the settings in force, and where each one comes from.

What a widget calls later lies in other files: a visit would hold all that this page has read until its next click.
"""

from typing import Any

import streamlit as st

from core import catalogue, reports
from core.catalogue import Catalogue
from core.members import Permission, may, reads_all_clients
from core.reports import FILTERS, Order, SourceFilter
from core.words import ListedStatus, Setting, language, t
from pages.clients import client_table, list_file, list_url, many_chosen, saved_views, set_filters
from pages.parts import colleagues, default_sets, figures, invitation, row_buttons, server, visitor
from pages.parts.choices import choose
from pages.parts.choices import chosen as now_chosen
from pages.parts.text import heading, plain

PAGE_SIZE = 50
CLIENT = "pages/clients/client_subscription.py"
WIDTHS = {"status": 105, "source": 118, "default_set": 118, "responsible": 118}  # pixels

member = visitor.member(Permission.READ_CLIENTS)
database = server.database()
sees_all = reads_all_clients(member)
# who sees only their own has no choice of who looks after them
filters = [name for name in FILTERS if sees_all or name != "responsible"]


def page_number(asked: str) -> int:
    """The page a link asks for. Raises ValueError."""
    return min(max(1, int(asked)), 1_000_000)


def page_turned_to(question: str) -> int:
    """The page looked at last, if it was of this question; another question begins at its first page."""
    asked, turned_to = st.session_state.get("clients.turned to", ("", 1))
    return turned_to if asked == question else 1


def filter_words(name: str, offer: Catalogue) -> dict[Any, str]:
    """The values that a filter can have, each in words."""
    if name == Setting.PLAN:
        return {code: str(plan) for code, plan in offer.plans.items()}
    if name == "responsible":
        return colleagues.in_words(looking_after, member, t("Mine"), beside=[t("All")])
    if name in {"default_set", "version"}:
        return set_filters.words(name, sets)
    terms: Any = ListedStatus if name == "status" else FILTERS[name]
    if not sets.are_several:
        return {term: term.label for term in terms if term is not SourceFilter.RETIRED_SET}
    return {term: term.label for term in terms}


def filter_box(name: str, label: str, words: dict[Any, str]) -> None:
    if name == "status":
        width = WIDTHS["status"] + 80 * len(now_chosen("clients.status", ()))  # each has its words in the box
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


def mine() -> None:
    """The way to the clients that the reader looks after, if there are any, and back to everybody's."""
    if not (sees_all and any(each.member_id == member.member_id and each.has_clients for each in looking_after)):
        return
    are_mine = chosen["responsible"] == member.member_id
    st.button(
        t("Mine"),
        key="clients.mine",
        type="primary" if are_mine else "secondary",
        icon=":material/person:",
        help=t("Only the clients you look after. Click again for all clients."),
        on_click=figures.narrow,
        kwargs={"responsible": None if are_mine else member.member_id},
    )


if (opened := row_buttons.opened("clients.opened")) is not None:
    st.switch_page(CLIENT, query_params={"client": str(opened)})
letter_of = row_buttons.opened("clients.letter opened")
list_url.read(FILTERS | {"order_by": Order, "page": page_number})
st.session_state.setdefault("clients.search", "")

with database.reading(single=True) as session:
    in_force = reports.in_force(session, member)
    offer = catalogue.current(session, member.partner, edition=in_force.edition)
looking_after = colleagues.looking_after(database, member)
sets = default_sets.known(database, member)
set_filters.leave_out(filters, sets)

with st.container(horizontal=True, vertical_alignment="bottom"):
    with st.container(gap=None):
        every = t("Every client, the settings in force, and where each one comes from.")
        own = t("The clients you look after, the settings in force, and where each one comes from.")
        heading(t("Clients"), every if sees_all else own)
    version = in_force.defaults_version
    label = t("Default settings")
    if version and not sets.are_several:
        label = t("Default settings · v{version}", version=str(version))
    saved_views.menu(member)
    st.page_link("pages/settings/defaults.py", label=label, icon=":material/settings:", width="content")
    if may(member, Permission.INVITE) and st.button(t("Invite a client"), type="primary", icon=":material/add:"):
        st.switch_page("pages/clients/invite_client.py")

labels = {
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
above_the_table = st.container(horizontal=True, gap="small")
below_the_figures = st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center")
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
    for name in filters:
        if name not in {"search", "attention"}:
            filter_box(name, labels[name], filter_words(name, offer))
    order_by = choose(
        st.selectbox,
        t("Sort"),
        list(Order),
        lambda order: order.label,
        "clients.order_by",
        at_first=Order.NAME,
        filter_mode=None,
        width=190 if now_chosen("clients.order_by", Order.NAME).is_by_price else 122,
    )
chosen: dict[str, Any] = {name: st.session_state.get(f"clients.{name}") for name in filters}
chosen["status"] = tuple(chosen["status"] or ())

question = str((order_by, *chosen.values()))
pager = f"clients.pager {question}"
page = max(1, st.session_state.get(pager) or st.session_state.pop("clients.page", None) or page_turned_to(question))
prices = figures.counted(database, member, in_force, **chosen).prices if order_by.is_by_price else None
with database.reading(single=True) as session:
    clients = reports.listed(
        session, member, order_by=order_by, page=page, page_size=PAGE_SIZE, prices=prices, **chosen
    )
unusual = {"order_by": None if order_by is Order.NAME else order_by, "page": None if page == 1 else page}
list_url.write(chosen | unusual)

ticked = many_chosen.ticked(question)
ticked_bar = st.container()
if clients:
    if letter_of is not None:
        invitation.window(member, letter_of, language())
    on_page = {each.client_id for each in clients}
    may_choose = may(member, Permission.OVERRIDE)
    ticked = (ticked - on_page) | client_table.show(
        clients,
        offer,
        key=f"clients.table {question} {page} {many_chosen.times_forgotten()}",
        are_all_own=not sees_all,
        ticked=many_chosen.at_first(question, page) if may_choose else None,
    )
    many_chosen.keep(question, ticked)

counted = figures.counted(database, member, in_force, **chosen)
with above_the_table:
    if figures.row(
        counted, sets_are_several=sets.are_several, leads_to_distribution=may(member, Permission.READ_DISTRIBUTION)
    ):
        st.switch_page("pages/finance/plan_distribution.py")
    mine()
with below_the_figures:
    st.caption(plain(figures.still_to_come(counted)))
    if any(chosen.values()):
        icon = ":material/filter_alt_off:"
        st.button(t("Clear filters"), key="clients.clear", type="tertiary", icon=icon, on_click=figures.clear)
pages = max(1, -(-counted.clients // PAGE_SIZE))
if page > pages:
    st.session_state.pop(pager, None)
    st.session_state["clients.page"] = pages
    st.rerun()
st.session_state["clients.turned to"] = (question, page)
if not counted.clients and any(chosen.values()):
    narrowing = [labels[name] for name in filters if chosen[name]]
    st.info(t("No client matches. Widen or remove: {filters}.", filters=narrowing), icon=":material/filter_alt_off:")
elif not counted.clients and not sees_all:
    nobody = t("You look after no clients yet. Here you will see the clients whose account manager you are.")
    st.info(nobody, icon=":material/person_search:")
elif not counted.clients:
    st.info(t("No clients yet. Save the default settings, then invite the first one."), icon=":material/group_add:")
else:
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.pagination(pages, default=page, key=pager)
        first = (page - 1) * PAGE_SIZE + 1
        last = first + len(clients) - 1
        st.caption(t("{first}–{last} of {total}", first=first, last=last, total=counted.clients))
        list_file.download(database, member, chosen, counted.clients)
if may(member, Permission.OVERRIDE) and counted.clients:
    with ticked_bar if ticked else st.container():
        many_chosen.bar(ticked, counted.clients, chosen)
