"""The list of clients: the search, the filters, the figures, the table and its pages, and what can be done with those
that are ticked. A click in it runs it alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import streamlit as st

from core import catalogue, reports
from core.defaults import Sets
from core.members import Member, Permission, may
from core.reports import Figures, ListedClient, Order
from core.words import end_of_day, language, t
from pages.clients import client_table, list_figures, list_file, list_filters, many_chosen, narrow_list
from pages.clients.list_filters import Space
from pages.parts import (
    as_of,
    colleagues,
    default_sets,
    figures,
    invitation,
    meanwhile,
    page_url,
    paging,
    row_buttons,
    server,
)
from pages.parts.text import plain

PAGE_SIZE = 50
CLIENT = "pages/clients/client_subscription.py"


def version_named(sets: Sets) -> int:
    """The version of the defaults that the page names above the list; 0: none is saved, or there are several sets."""
    return 0 if sets.are_several or sets.standard is None else sets.standard.version


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is asked of the list: the search and the filters, the order, and the day; `past`: the day again where it is
    one before today, else None."""

    filters: dict[str, Any]
    order_by: Order
    day: date
    past: date | None

    @property
    def as_of(self) -> datetime | None:
        """The end of a past day (UTC); None: now."""
        return None if self.past is None else end_of_day(self.past)

    @property
    def key(self) -> str:
        """The question in one text: what was turned to, or ticked, is of this question alone."""
        return str((self.past, self.order_by, *self.filters.values()))

    @property
    def pager(self) -> str:
        """The key of the widget that turns the pages."""
        return f"clients.pager {self.key}"


def show(member: Member, version: int) -> None:
    """The list, of today or as of a past day. `version` is the one that the page names above it: where that is another
    one by now, the whole page runs."""
    open_clicked()
    sets = default_sets.known(server.database(), member)
    if version_named(sets) != version:
        st.rerun()
    space, is_narrow = _space(member, sets), narrow_list.is_on()

    place_of_figures = st.container(horizontal=True, gap="xsmall")
    filters = list_filters.chosen(space, is_narrow=is_narrow)
    below_the_filters = st.container(horizontal=True, vertical_alignment="center", gap="small")
    with below_the_filters:
        if is_narrow:
            place_of_figures = st.popover(t("Figures"))
        order_by = list_filters.order()
        st.caption(t("As of"), width="content")
        today = space.in_force.day
        shown_day = as_of.pick("clients.as_of", t("As of"), today, label_visibility="collapsed")
    asked = _Asked(filters, order_by, shown_day, None if shown_day == today else shown_day)
    if as_of.is_to_come("clients.as_of", shown_day, today):
        _write_url(asked, page=1)
        return
    if asked.past is not None:
        as_of.banner("clients.as_of", asked.past, _as_of_sentence)
    page = _page(asked)
    clients = _read(space, asked, page)
    _write_url(asked, page)

    place_of_menu = st.container()
    ticked = _table(space, asked, page, clients, is_narrow=is_narrow)

    counted = figures.counted(server.database(), member, space.in_force, as_of=asked.as_of, **filters)
    with place_of_figures:
        _figures(space, asked, counted)
    narrowing = _narrowing(asked)
    with below_the_filters:
        _amount(space, asked, counted)
        if narrowing:
            icon = ":material/filter_alt_off:"
            st.button(t("Clear filters"), key="clients.clear", type="tertiary", icon=icon, on_click=list_figures.clear)
    _turn_back(asked, page, counted.clients)
    if not counted.clients:
        _nobody(narrowing, asked.past, sees_all=space.sees_all)
        return
    _below_the_table(space, asked, page, len(clients), counted.clients)
    if _may_change(space, asked):
        with place_of_menu if ticked else st.container():
            many_chosen.menu(ticked, counted.clients, filters)


def _space(member: Member, sets: Sets) -> Space:
    database = server.database()
    with database.reading(single=True) as session:
        in_force = reports.in_force(session, member)
        offer = catalogue.current(session, member.partner, edition=in_force.edition)
    return Space(member, sets, in_force, offer, colleagues.looking_after(database, member))


def _may_change(space: Space, asked: _Asked) -> bool:
    """Whether the reader may change clients from here: never those of a past day."""
    return may(space.member, Permission.OVERRIDE) and asked.past is None


def _page(asked: _Asked) -> int:
    """The page that is looked at: the one just clicked, else the one looked at last, if it was of this question;
    another question begins at its first page."""
    clicked = st.session_state.get(asked.pager) or st.session_state.pop("clients.page", None)
    question, turned_to = st.session_state.get("clients.turned to", ("", 1))
    return max(1, clicked or (turned_to if question == asked.key else 1))


def _turn_back(asked: _Asked, page: int, clients: int) -> None:
    """Remember which page is looked at; where the list has got shorter than that, show its last one."""
    pages = paging.count(clients, PAGE_SIZE)
    if page > pages:
        st.session_state.pop(asked.pager, None)
        st.session_state["clients.page"] = pages
        st.rerun()
    st.session_state["clients.turned to"] = (asked.key, page)


def _read(space: Space, asked: _Asked, page: int) -> list[ListedClient]:
    """The clients of this page. What others do from then on is told beside the title, except of a past day."""
    database, member, prices = server.database(), space.member, None
    if asked.order_by.is_by_price:
        prices = figures.counted(database, member, space.in_force, as_of=asked.as_of, **asked.filters).prices
    with database.reading(single=True) as session:
        since = None if asked.past else reports.seen(session, member)
        clients = reports.listed(
            session,
            member,
            order_by=asked.order_by,
            page=page,
            page_size=PAGE_SIZE,
            prices=prices,
            as_of=asked.as_of,
            **asked.filters,
        )
    meanwhile.shows(since, clients)
    return clients


def _write_url(asked: _Asked, page: int) -> None:
    """Make the URL say what is not as it is at first."""
    unusual = {
        "order_by": None if asked.order_by is Order.NAME else asked.order_by,
        "page": None if page == 1 else page,
        "as_of": asked.past,
    }
    page_url.write("clients", asked.filters | unusual)


def _table(
    space: Space, asked: _Asked, page: int, clients: Sequence[ListedClient], *, is_narrow: bool
) -> frozenset[int]:
    """The table of this page; who is ticked now, on other pages of it too. Over it the invitation that was clicked."""
    ticked = many_chosen.ticked(asked.key)
    letter_of = row_buttons.opened(client_table.LETTER)
    if not clients:
        return ticked
    if letter_of is not None:
        invitation.window(space.member, letter_of, language())
    key = f"clients.table {asked.key} {page} {many_chosen.times_forgotten()}"
    ticked_here = client_table.show(
        clients,
        space.offer,
        key=key,
        are_all_own=not space.sees_all,
        is_past=asked.past is not None,
        ticked=many_chosen.at_first(asked.key, key) if _may_change(space, asked) else None,
        is_narrow=is_narrow,
    )
    ticked = (ticked - {each.client_id for each in clients}) | ticked_here
    many_chosen.keep(asked.key, ticked)
    return ticked


def _figures(space: Space, asked: _Asked, counted: Figures) -> None:
    """The figures, and beside them the way to the reader's own clients where they look after some."""
    list_figures.row(counted, sets_are_several=space.sets.are_several)
    number = space.member.member_id
    if space.sees_all and any(each.member_id == number and each.has_clients for each in space.looking_after):
        _mine(space.member, are_mine=asked.filters["responsible"] == number)


def _amount(space: Space, asked: _Asked, counted: Figures) -> None:
    """What the clients cost, with the way to how it spreads on that day, and what is still to come."""
    if list_figures.amount(counted, leads_to_distribution=may(space.member, Permission.READ_DISTRIBUTION)):
        revenue = {"measure": "revenue", "day": asked.day.isoformat()}
        st.switch_page("pages/finance/plan_distribution.py", query_params=revenue)
    st.caption(plain(list_figures.still_to_come(counted)))


def _narrowing(asked: _Asked) -> list[str]:
    """What the filters that are set are called."""
    labels = list_filters.labels()
    return [labels[name] for name, value in asked.filters.items() if value not in (None, "", ())]


def _below_the_table(space: Space, asked: _Asked, page: int, shown: int, clients: int) -> None:
    """The pages, how many of all `clients` are `shown`, and the files."""
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.pagination(paging.count(clients, PAGE_SIZE), default=page, key=asked.pager)
        paging.of_all(page, PAGE_SIZE, shown, clients)
        filters = asked.filters | {"as_of": asked.as_of}
        list_file.download(server.database(), space.member, filters, clients, asked.day)


def open_clicked() -> None:
    """Go to the client whose button in the table was clicked, if one was."""
    if (opened := row_buttons.opened(client_table.OPENED)) is not None:
        st.switch_page(CLIENT, query_params={"client": str(opened)})


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
