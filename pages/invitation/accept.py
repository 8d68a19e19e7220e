"""Accept an invitation: what the holder of its link is offered, and one button. Public: no sign-in, no other data."""

import streamlit as st

from core import invitations
from core.invitations import Offered, by_name, charge_text, offered_text
from core.words import LinkRefused, OfferChanged, moment, speak, t
from pages.parts import notices, presence, server, visitor
from pages.parts.text import plain

token = visitor.link_token()


def offer() -> None:
    """Who invites, what is offered (and that it changed, where it did), until when; and Accept."""
    st.title(t("{partner} invites you", partner=plain(offered.partner)), anchor=False)
    partner, client = offered.partner, offered.client
    st.text(t("{partner} invites {client} to its bookkeeping platform.", partner=partner, client=client))
    if (changed := st.session_state.get("accept.refused")) is not None:
        st.warning(plain(changed), icon=":material/difference:")
    if offered.message:
        with st.container(border=True):
            st.text(offered.message)
            st.caption(plain(offered.invited_by))
    with st.container(border=True):
        st.header(plain(offered_text(offered.settings, offered.offer)), anchor=False)
        if offered.price is None:
            st.text(t("{partner} pays for it.", partner=offered.partner))
        else:
            st.text(t("You pay: {price}, without VAT.", price=charge_text(offered.price)))
        for line in by_name(offered.settings, offered.offer):
            st.text(line)
    st.button(
        t("Accept"),
        type="primary",
        icon=":material/check:",
        key="accept.accept",
        on_click=accept,
        args=(token, offered),
    )
    st.caption(t("This invitation is valid until {moment}.", moment=moment(offered.expires_at)))


@notices.callback
def accept(token: str, offered: Offered) -> None:
    """Accept what was on the screen; refused if that changed meanwhile."""
    try:
        with server.database().transaction() as session:
            invitations.accept(session, token, seen=offered.shown)
    except OfferChanged as refusal:
        st.session_state["accept.refused"] = refusal
    except LinkRefused:  # the page says why by itself
        return
    else:
        st.session_state["accept.accepted"] = (token, offered)


def accepted(offered: Offered) -> None:
    """Right after accepting, in the same visit."""
    speak(offered.language)
    st.title(t("Welcome, {client}", client=plain(offered.client)), anchor=False)
    st.success(
        t("You accepted the invitation of {partner}. Your subscription starts today.", partner=plain(offered.partner)),
        icon=":material/check_circle:",
    )


by, welcomed = st.session_state.get("accept.accepted", ("", None))
if welcomed is not None and by == token:
    accepted(welcomed)
    st.stop()
try:
    with server.database().reading() as session:
        offered = invitations.offered_to(session, token, presence.address(), server.wrong_links())
except LinkRefused as refusal:
    st.title(t("Invitation"), anchor=False)
    st.info(plain(refusal), icon=":material/link_off:")
    st.stop()
speak(offered.language, offered.time_zone)
offer()
st.session_state.pop("accept.refused", None)  # only now: a run that is cut short has shown nothing
