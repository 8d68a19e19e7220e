"""Client subscription: who a client is, how it is billed, why and since when; edit it, make or clear an exception."""

import pyarrow as pa
import streamlit as st

from core import catalogue, invitations, reports, subscriptions
from core.members import Permission, may
from core.words import ClientNotFound, ClientStatus, Setting, t
from pages.clients import (
    change_settings,
    client_details,
    history,
    provenance,
    responsible,
    what_is_billed,
    what_waits,
)
from pages.parts import demo_day, invitation, keyboard, meanwhile, notices, presence, server, tab_title, visitor
from pages.parts.text import heading, pill_text, plain, source_colour

CLIENTS = "pages/clients/billing_sources.py"
THIS_PAGE = "pages/clients/client_subscription.py"

member = visitor.member(Permission.READ_CLIENTS)


def look_up() -> None:
    """No client chosen yet: find one."""
    heading(t("Client subscription"), t("Find a client to see how it is billed, and why."))
    with keyboard.in_focus("client.search box"):
        search = st.text_input(
            t("Search"),
            key="client.search",
            type="search",
            live=True,
            persist_state="session",
            icon=":material/search:",
            width=420,
            placeholder=t("Name, e-mail or number"),
        )
    if not search or not search.strip():
        return
    with server.database().reading(single=True) as session:
        found = reports.listed(session, member, search=search, page_size=10)
    if not found:
        st.info(t("No client matches. Try part of the name, the e-mail or the company number."))
    for client in found:
        number = str(client.client_id)
        st.page_link(THIS_PAGE, label=plain(client.name), icon=":material/badge:", query_params={"client": number})


def asked_for() -> int | None:
    """The client in the URL, else the one looked at last (the browser's Back can lose the URL's)."""
    asked = st.query_params.get("client") or st.session_state.get("client.last", "")
    if not (asked.isascii() and asked.isdecimal() and len(asked) <= 9):
        return None
    if st.session_state.get("client.last") != asked or "client" not in st.query_params:
        st.query_params["client"] = asked  # said anew: a link on this page changes the page, and not the address
    st.session_state["client.last"] = asked
    return int(asked)


def find_another() -> None:
    st.session_state.pop("client.last", None)
    presence.clear_url()


def overview() -> None:
    """What is billed, beside who it is."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.page_link(CLIENTS, label=t("Clients"), icon=":material/arrow_back:")
        st.button(
            t("Find another client"),
            type="tertiary",
            icon=":material/search:",
            key="client.find another",
            on_click=find_another,
        )
    heading(
        shown.client.name,
        t("What this client is billed, where each setting comes from, and how to make an override."),
        beside=lambda: meanwhile.of_client(member, since, shown.client.client_id),
        shows_prices=True,
    )
    left, right = st.columns(2, gap="large")
    with left:
        what_is_billed.show(shown, invited, offer)
        change_settings.offer_undo(member, shown)
    with right:
        st.header(t("Who it is"), anchor=False)
        with st.container(border=True, gap="xxsmall"):
            client_details.lines(shown.client)
            responsible.line(member, shown.client, looked_after)
            client_details.button(member, shown.client)


def settings_in_force() -> None:
    st.header(t("Settings in force"), anchor=False)
    rows = []
    for setting in Setting:
        found = setting.of(shown.effective)
        words = pill_text(found.source, shown.defaults_text)
        colour = source_colour(found.source, older=shown.on_older_defaults)
        rows.append(
            (
                plain(setting.label),
                plain(offer.value_text(found.value)),
                f":{colour}-badge[{plain(words)}]",
                plain(provenance.where_from(shown, setting, found.source)),
                plain(provenance.compared(setting, shown.bound, found.value, offer)),
                plain(provenance.compared(setting, shown.current, found.value, offer)),
            )
        )
    bound = t("Invited with")
    if shown.bound is not None:
        version = str(shown.bound.version)
        invited_with = t("Invited with v{version}", version=version)
        bound = t("Adopted v{version}", version=version) if shown.has_adopted else invited_with
    today = t("Today's default")
    if shown.current is not None:
        today = t("Today's default v{version}", version=str(shown.current.version))
    if shown.current is not None and shown.sets.are_several:
        today = t("Today: {defaults}", defaults=plain(shown.sets.said(shown.current.bound)))
    if shown.bound is not None and shown.sets.are_several:
        held = plain(shown.sets.said(shown.bound.bound))
        invited_with = t("Invited with {defaults}", defaults=held)
        bound = t("Adopted: {defaults}", defaults=held) if shown.has_adopted else invited_with
    headings = [t("Setting"), t("In force"), t("Source"), t("Where it comes from"), bound, today]
    st.table(pa.table(dict(zip(headings, zip(*rows, strict=True), strict=True))), border="horizontal")


client_id = asked_for()
if client_id is None:
    look_up()
    st.stop()
try:
    with server.database().reading() as session:
        since = reports.seen(session, member)
        offer = catalogue.current(session, member.partner)
        shown = subscriptions.detail(session, member, client_id)
        edits = subscriptions.edits(session, member, client_id)
        looked_after = subscriptions.responsible_history(session, member, client_id)
        invited = invitations.of_client(session, member, client_id)
        waiting = invitation.waiting(session, member, client_id)
except ClientNotFound as refusal:
    st.session_state.pop("client.last", None)
    heading(t("Client subscription"), t("Find a client to see how it is billed, and why."))
    notices.refused(refusal)
    st.page_link(CLIENTS, label=t("Clients"), icon=":material/arrow_back:")
    st.stop()
demo_day.offer_renewal(shown)
tab_title.say(shown.client.name, t("Client subscription"))
overview()
client_details.form(member, shown.client, edits, invited)
responsible.change(member, shown.client, looked_after)
what_waits.show(member, shown, offer)
if shown.status is not ClientStatus.ACTIVE:
    invitation.card(member, shown, invited)
    invitation.message(member, waiting)
settings_in_force()
if may(member, Permission.OVERRIDE):
    change_settings.offered(member, shown, offer)
if shown.status is ClientStatus.ACTIVE:
    invitation.card(member, shown, invited)
    invitation.message(member, waiting)
history.show(shown, offer, edits, looked_after, invited, opens_batches=may(member, Permission.READ_BATCHES))
