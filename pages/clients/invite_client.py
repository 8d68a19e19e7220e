"""Invite a client: two fields and Enter for the defaults, an exception one click away; or many from a spreadsheet."""

from typing import Any
from uuid import uuid4

import streamlit as st

from core import defaults, editions, invitations, subscriptions
from core.access import Permission
from core.errors import AlreadyClient, BadInput, BillingError
from core.language import CLIENT_LANGUAGES, language, t
from core.new_client import NewClient
from core.resolution import Overrides
from pages.parts import here, import_tab, invitation
from pages.parts.choices import choose, forget
from pages.parts.settings_form import choose_overrides, settings_table
from pages.parts.text import heading, payer_text, plain, price_text

CLIENT = "pages/clients/client_subscription.py"

member = here.member(Permission.INVITE)
with here.database().reading() as session:
    offer = editions.current(session, member.partner.currency)
    in_force = defaults.current(session, member)
attempt = st.session_state.setdefault("invite.attempt", uuid4().hex)
form = f"invite.{attempt}"
in_force_version = None if in_force is None else in_force.version
seen_version = st.session_state.get(f"{form}.seen version", in_force_version)  # on the screen when it was sent
st.session_state[f"{form}.seen version"] = in_force_version


def invited(client_id: int) -> None:
    """What has just happened, and where to go from here."""
    with here.database().reading() as session:
        shown = subscriptions.detail(session, member, client_id)
    st.success(t("{name} is invited.", name=plain(shown.client.name)), icon=":material/check_circle:")
    with st.container(border=True, width=620):
        st.subheader(t("What this client got"), anchor=False)
        settings_table(shown.effective, offer)
        if shown.price:
            st.markdown(f"**{plain(price_text(shown.price))}**, {payer_text(shown.effective.payer.value)}")
        if shown.bound:
            st.text(t("Bound to default settings v{version}", version=str(shown.bound.version)))
        else:
            st.text(t("Bound to no default settings: all four were chosen."))
    invitation.waiting(member, client_id, unfolded=True)
    with st.container(horizontal=True):
        if st.button(t("Open the client"), key="invite.open", icon=":material/badge:"):
            begin_again()
            st.switch_page(CLIENT, query_params={"client": str(client_id)})
        st.button(t("Invite another client"), key="invite.another", type="primary", on_click=begin_again)


def begin_again() -> None:
    forget("invite")


def field(name: str, label: str, **options: Any) -> str:
    """A line of the form, with what needs a correction under it."""
    typed: str = st.text_input(label, key=f"{form}.{name}", persist_state="session", **options)
    if name in faults:
        st.caption(f":red[{plain(faults[name])}]")
    return typed or ""


def who() -> dict[str, object] | None:
    """The form of who is invited; what was typed, once it is sent."""
    with st.form(f"{form}.who", border=True):
        typed: dict[str, object] = {
            "name": field("name", t("Name"), max_chars=200),
            "email": field("email", t("E-mail"), max_chars=254),
            "company_number": field(
                "company_number", t("Company number (optional)"), max_chars=30, placeholder="0471.730.202"
            ),
            "contact_name": field("contact_name", t("Contact (optional)"), max_chars=200),
        }  # fmt: skip
        typed["language"] = choose(
            st.selectbox, t("Language of the client"), list(CLIENT_LANGUAGES), CLIENT_LANGUAGES.__getitem__,
            f"{form}.language",
            at_first=language(), filter_mode=None,
        )  # fmt: skip
        typed["message"] = st.text_area(
            t("Message (optional)"), key=f"{form}.message", max_chars=2000, height=90, persist_state="session"
        )
        if "message" in faults:
            st.caption(f":red[{plain(faults['message'])}]")
        sent = st.form_submit_button(
            t("Invite this client"), type="primary", icon=":material/send:", key=f"{form}.send"
        )
    return typed if sent else None


def what() -> Overrides:
    """The four settings, each at its default until chosen; and what the client will get, kept up to date."""
    st.subheader(t("What this client will get"), anchor=False)
    overrides = choose_overrides(form, in_force.settings if in_force else None, Overrides(), offer)
    if overrides.chosen and in_force:
        st.text_input(t("Reason for the exception (optional)"), key=f"{form}.reason", max_chars=500,
                               persist_state="session")  # fmt: skip
    with st.container(border=True):
        try:
            with here.database().reading() as session:
                effective = invitations.preview(session, member, overrides)
        except BillingError as refusal:
            here.refused(refusal)
            return overrides
        settings_table(effective, offer)
        price = offer.price(effective.settings)
        st.markdown(f"**{plain(price_text(price))}**, {payer_text(effective.payer.value)}")
        if in_force:
            st.caption(t("Bound to default settings v{version}: later versions will not change this client.",
                         version=str(in_force.version)))  # fmt: skip
    return overrides


def send(typed: dict[str, object], overrides: Overrides) -> None:
    """Invite; refused if other defaults than those on the screen came in force meanwhile."""
    reason = st.session_state.get(f"{form}.reason", "") if overrides.chosen else ""
    st.session_state["invite.faults"] = {}
    try:
        new_client = NewClient.from_typed(**typed)
        with here.database().transaction() as session:
            client = invitations.invite(
                session, member, new_client, overrides, reason=reason, attempt=attempt, seen_version=seen_version
            )
    except BadInput as refusal:
        st.session_state["invite.faults"] = refusal.fields
        st.rerun()
    except AlreadyClient as refusal:
        here.refused(refusal)
        st.page_link(CLIENT, label=t("Open the client"), icon=":material/badge:",
                     query_params={"client": str(refusal.client_id)})  # fmt: skip
    except BillingError as refusal:
        here.refused(refusal)
    else:
        invitation.try_to_send(member, client.client_id)
        st.session_state["invite.done"] = client.client_id
        st.rerun()


top = st.container()
one, many = import_tab.ways()
with top:
    by_hand = t("Type a name and an e-mail, then press Enter: the client gets your default settings.")
    heading(t("Invite a client"), import_tab.sentence() if many.open else by_hand)
if many.open:
    with many:
        import_tab.show(member, offer)
    st.stop()
with one:
    if "invite.done" in st.session_state:
        invited(st.session_state["invite.done"])
        st.stop()
    if in_force is None:
        st.info(t("No default settings are saved yet. Choose all four settings for this client."),
                icon=":material/info:")  # fmt: skip
    faults = st.session_state.get("invite.faults", {})
    left, right = st.columns(2, gap="large")
    with left:
        answer = st.container()
        typed = who()
    with right:
        overrides = what()
    if typed is not None:
        with answer:
            send(typed, overrides)
