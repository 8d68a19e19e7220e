"""Clients: every client, the settings in force, and where each one comes from."""

from typing import Any

import streamlit as st

from core import access, editions, exports, listing, reports, subscriptions
from core.access import Permission, may, sees_every_client
from core.errors import NotAllowed
from core.language import language, speak, t
from core.listing import Filters, Order, SourceFilter
from core.terms import BillingPeriod, ClientStatus, Payer
from pages.parts import cached, client_table, figures, here, invitation, url
from pages.parts.choices import choose
from pages.parts.text import heading

PAGE_SIZE = 50
LARGE_EXPORT = 100_000
FILTERS = {
    "search": str, "status": ClientStatus, "plan": str, "billing_period": BillingPeriod, "payer": Payer,
    "source": SourceFilter,
}  # fmt: skip
CLIENT = "pages/clients/client_subscription.py"

member = here.member(Permission.READ_CLIENTS)
database = here.database()


def page_number(told: str) -> int:
    """The page a link asks for. Raises ValueError."""
    return min(max(1, int(told)), 1_000_000)


def page_turned_to(question: str) -> int:
    """The page looked at last, if it was of this question; another question begins at its first page."""
    asked, turned_to = st.session_state.get("clients.turned to", ("", 1))
    return turned_to if asked == question else 1


def filter_box(label: str, name: str, options: list[Any], words: dict[Any, str]) -> None:
    choose(
        st.selectbox, label, [None, *options], lambda option: t("All") if option is None else words[option],
        f"clients.{name}", at_first=None, filter_mode=None, width=130 if name == "source" else 100,
    )  # fmt: skip


def exported(filters: Filters, zipped: bool) -> bytes:
    """The file for the filters as they were when the page was shown; made when it is asked for, in another thread."""
    speak(reader, member.partner.time_zone)
    with database.reading() as session:
        now_so = access.member(session, member.partner_id, member.member_id)
        if now_so is None:
            raise NotAllowed
        pieces = exports.billing_sources(session, now_so, **filters)
        return exports.zipped(pieces, "clients.csv") if zipped else "".join(pieces).encode()


if (opened := client_table.opened()) is not None:
    st.switch_page(CLIENT, query_params={"client": str(opened)})
asked = client_table.letter_opened()
url.read("clients", FILTERS | {"order_by": Order, "page": page_number})
st.session_state.setdefault("clients.search", "")

session = here.glance()
edition, in_force = listing.in_force(session, member)
offer = editions.current(session, member.partner.currency, edition=edition)

with st.container(horizontal=True, vertical_alignment="bottom"):
    with st.container(gap=None):
        heading(t("Clients"), t("Every client, the settings in force, and where each one comes from."))
    label = t("Default settings") if not in_force else t("Default settings · v{version}", version=str(in_force))
    st.page_link("pages/settings/defaults.py", label=label, icon=":material/settings:", width="content")
    if may(member, Permission.INVITE) and st.button(t("Invite a client"), type="primary", icon=":material/add:"):
        st.switch_page("pages/clients/invite_client.py")

if not sees_every_client(member):
    here.no_clients_assigned()
    st.stop()

above_the_table = st.container(horizontal=True, gap="small")
labels = {"search": t("Search")}
with st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall"):
    st.text_input(
        t("Search"), key="clients.search", type="search", live=True, persist_state="session", max_chars=200,
        placeholder=t("Name, e-mail or company number"), icon=":material/search:", width=172,
    )  # fmt: skip
    for label, name, words in (
        (t("Status"), "status", {status: status.label for status in ClientStatus}),
        (t("Subscription"), "plan", {code: str(plan) for code, plan in offer.plans.items()}),
        (t("Period"), "billing_period", {period: period.label for period in BillingPeriod}),
        (t("Paid by"), "payer", {payer: payer.label for payer in Payer}),
        (t("Source"), "source", {source: source.label for source in SourceFilter}),
    ):
        labels[name] = label
        filter_box(label, name, list(words), words)
    order_by = choose(
        st.selectbox, t("Sort"), list(Order), lambda order: order.label, "clients.order_by", at_first=Order.NAME,
        filter_mode=None, width=122,
    )  # fmt: skip

chosen: Any = {name: st.session_state.get(f"clients.{name}") for name in FILTERS}
question = str((order_by, *chosen.values()))
pager = f"clients.pager {question}"
page = st.session_state.get(pager) or st.session_state.pop("clients.page", None) or page_turned_to(question)
listed = reports.listed(session, member, order_by=order_by, page=page, page_size=PAGE_SIZE, **chosen)
url.write("clients", chosen | {"order_by": None if order_by is Order.NAME else order_by, "page": page})

shown = len(listed["client_id"])
if shown:
    if asked is not None:
        with database.reading() as reading:
            told = subscriptions.detail(reading, member, asked)
        invitation.opened(member, told, language())
    client_table.show(listed, offer, key=f"clients.table {question} {page}")

counted = cached.figures(database, member, offer.edition, **chosen)
with above_the_table:
    if figures.row(counted):
        st.switch_page("pages/finance/plan_distribution.py")
pages = max(1, -(-counted.clients // PAGE_SIZE))
if page > pages:
    st.session_state.pop(pager, None)
    st.session_state["clients.page"] = pages
    st.rerun()
st.session_state["clients.turned to"] = (question, page)
if not counted.clients and any(chosen.values()):
    narrowing = [labels[name] for name in FILTERS if chosen[name]]
    st.info(t("No client matches. Widen or remove: {filters}.", filters=narrowing), icon=":material/filter_alt_off:")
elif not counted.clients:
    st.info(t("No clients yet. Save the default settings, then invite the first one."), icon=":material/group_add:")
else:
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.pagination(pages, default=page, key=pager)
        first = (page - 1) * PAGE_SIZE + 1
        st.caption(t("{first}–{last} of {total}", first=first, last=first + shown - 1, total=counted.clients))
        reader = language()
        zipped = counted.clients > LARGE_EXPORT  # a browser's download is held in memory: a tenth of it will do
        st.download_button(
            t("Download as CSV"), data=lambda: exported(chosen, zipped), on_click="ignore", key="clients.csv",
            file_name="clients.zip" if zipped else "clients.csv", mime="application/zip" if zipped else "text/csv",
            icon=":material/download:", help=t("Every client that matches, not only this page."),
        )  # fmt: skip
