"""Client subscription: what holds for one client, why and since when; make an exception, or clear one."""

import pandas as pd
import streamlit as st

from core import editions, reports, subscriptions
from core.access import Permission, may, sees_every_client
from core.errors import ClientNotFound
from core.language import day, moment, t
from core.terms import ClientStatus
from pages.parts import client_actions, explained, here, invitation
from pages.parts.text import heading, payer_text, pill_text, plain, price_text, source_colour, value_text

CLIENTS = "pages/clients/billing_sources.py"
THIS_PAGE = "pages/clients/client_subscription.py"
HISTORY = 50  # revisions shown at first

member = here.member(Permission.READ_CLIENTS)


def look_up() -> None:
    """No client chosen yet: find one."""
    heading(t("Client subscription"), t("Find a client to see what holds for it, and why."))
    search = st.text_input(
        t("Search"), key="client.search", type="search", live=True, icon=":material/search:", width=420,
        placeholder=t("Name, e-mail or company number"),
    )  # fmt: skip
    if not search or not search.strip():
        return
    with here.database().reading() as session:
        found = reports.billing_sources(session, member, search=search, page_size=10)
    if not sees_every_client(member):
        st.info(
            t("No clients are assigned to you yet. As an accountant you will see the clients assigned to you here.")
        )
    elif found.empty:
        st.info(t("No client matches. Try part of the name, the e-mail or the company number."))
    for client_id, name in zip(found["client_id"], found["name"], strict=True):
        st.page_link(THIS_PAGE, label=plain(name), icon=":material/badge:", query_params={"client": str(client_id)})


def asked_for() -> int | None:
    """The client in the URL, else the one looked at last (the browser's Back can lose the URL's)."""
    told = st.query_params.get("client") or st.session_state.get("client.last", "")
    if not (told.isascii() and told.isdecimal() and len(told) <= 9):
        return None
    st.session_state["client.last"] = told
    if "client" not in st.query_params:
        st.query_params["client"] = told
    return int(told)


def who_it_is() -> None:
    client, first = shown.client, shown.history[-1]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.page_link(CLIENTS, label=t("Clients"), icon=":material/arrow_back:")
        if st.button(t("Find another client"), type="tertiary", icon=":material/search:", key="client.find another"):
            st.session_state.pop("client.last", None)
            st.query_params.clear()
            st.rerun()
    heading(client.name, t("What holds for this client, where each setting comes from, and how to make an exception."))
    with st.container(horizontal=True, horizontal_alignment="distribute"):
        with st.container(width="content", gap="xxsmall"):
            st.text(
                t("{status} · invited on {day} by {name}", status=shown.status, day=day(first.valid_from),
                  name=explained.who(first))
            )  # fmt: skip
            told = (
                client.email,
                client.company_number,
                client.vat_number,
                client.external_reference,
                client.contact_name,
            )
            st.text(" · ".join(part for part in told if part))
        if shown.price is not None:
            st.markdown(f"**{plain(price_text(shown.price))}**, {payer_text(shown.effective.payer.value)}")


def settings_in_force() -> None:
    rows = []
    for setting, found in explained.effective(shown):
        words = pill_text(found.source, shown.effective.defaults_version, older=shown.on_older_defaults)
        rows.append((
            plain(setting.label),
            plain(value_text(found.value, offer)),
            f":{source_colour(found.source, older=shown.on_older_defaults)}-badge[{plain(words)}]",
            plain(explained.where_from(shown, setting, found.source)),
            plain(explained.compared(setting, shown.bound, found.value, offer)),
            plain(explained.compared(setting, shown.current, found.value, offer)),
        ))  # fmt: skip
    bound = t("Invited with")
    if shown.bound is not None:
        version = str(shown.bound.version)
        invited_with = t("Invited with v{version}", version=version)
        bound = t("Adopted v{version}", version=version) if shown.has_adopted else invited_with
    today = t("Today's default")
    if shown.current is not None:
        today = t("Today's default v{version}", version=str(shown.current.version))
    headings = [t("Setting"), t("In force"), t("Source"), t("Where it comes from"), bound, today]
    st.table(pd.DataFrame(rows, columns=headings), border="horizontal")


def history() -> None:
    st.subheader(t("History"), anchor=False)
    unfolded = f"history of {client_id}"
    rows = [
        (
            moment(revision.valid_from),
            plain(explained.who(revision)),
            explained.door(revision),
            plain(explained.what_happened(revision, offer)),
            plain(revision.reason),
        )
        for revision in shown.history[: st.session_state.get(unfolded, HISTORY)]
    ]
    headings = [t("When"), t("Who"), t("Via"), t("What"), t("Why")]
    st.table(pd.DataFrame(rows, columns=headings), border="horizontal")
    if len(rows) < len(shown.history) and st.button(t("Show the whole history"), key=f"{unfolded} whole"):
        st.session_state[unfolded] = len(shown.history)
        st.rerun()


client_id = asked_for()
if client_id is None:
    look_up()
    st.stop()
try:
    with here.database().reading() as session:
        offer = editions.current(session, member.partner.currency)
        shown = subscriptions.detail(session, member, client_id)
except ClientNotFound as refusal:
    st.session_state.pop("client.last", None)
    heading(t("Client subscription"), t("Find a client to see what holds for it, and why."))
    here.refused(refusal)
    st.page_link(CLIENTS, label=t("Clients"), icon=":material/arrow_back:")
    st.stop()
who_it_is()
if shown.status is not ClientStatus.ACTIVE:
    invitation.card(member, shown)
    if may(member, Permission.INVITE):
        invitation.waiting(member, client_id)
settings_in_force()
if may(member, Permission.OVERRIDE):
    client_actions.offered(member, shown, offer)
history()
if shown.status is ClientStatus.ACTIVE:
    invitation.card(member, shown)
