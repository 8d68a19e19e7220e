"""Accept an invitation: what the holder of its link is offered, and one button. Public: no sign-in, no other data."""

import streamlit as st

from core import answers
from core.errors import LinkRefused, OfferChanged
from core.language import moment, speak, t
from core.messages import offered_text, price_text
from pages.parts import here
from pages.parts.text import plain

token = here.link_token()


def offer() -> None:
    """Who invites, what is offered, until when; and Accept."""
    st.title(t("{partner} invites you", partner=plain(offered.partner)), anchor=False)
    partner, client = offered.partner, offered.client
    st.text(t("{partner} invites {client} to its bookkeeping platform.", partner=partner, client=client))
    if offered.message:
        with st.container(border=True):
            st.text(offered.message)
            st.caption(plain(offered.invited_by))
    with st.container(border=True):
        st.subheader(plain(offered_text(offered.settings, offered.offer)), anchor=False)
        if offered.price is None:
            st.text(t("{partner} pays for it.", partner=offered.partner))
        else:
            st.text(t("You pay: {price}.", price=price_text(offered.price)))
    seen = st.session_state.get("accept.seen", offered.revision)  # on the screen when it was clicked
    st.session_state["accept.seen"] = offered.revision
    if st.button(t("Accept"), type="primary", icon=":material/check:", key="accept.accept"):
        with here.database().transaction() as session:
            answers.accept(session, token, seen=seen)
        st.session_state["accept.accepted"] = (token, offered.partner, offered.client, offered.language)
        st.rerun()
    st.caption(t("This invitation holds until {moment}.", moment=moment(offered.expires_at)))


def accepted() -> None:
    """Right after accepting, in the same visit."""
    _, partner, client, language = st.session_state["accept.accepted"]
    speak(language)
    st.title(t("Welcome, {client}", client=plain(client)), anchor=False)
    st.success(
        t("You accepted the invitation of {partner}. Your subscription starts today.", partner=plain(partner)),
        icon=":material/check_circle:",
    )


if st.session_state.get("accept.accepted", ("",))[0] == token and token:
    accepted()
    st.stop()
try:
    with here.database().reading() as session:
        offered = answers.offered(session, token)
    speak(offered.language, offered.time_zone)
    offer()
except OfferChanged as refusal:  # what holds now stands above
    st.warning(plain(refusal), icon=":material/difference:")
except LinkRefused as refusal:
    st.title(t("Invitation"), anchor=False)
    st.info(plain(refusal), icon=":material/link_off:")
