"""What is decided for a client and not in force yet: what, from when, who decided it and why, and the price then."""

import streamlit as st

from core import subscriptions
from core.catalogue import Catalogue
from core.members import Member, Permission, may
from core.subscriptions import ClientSubscription
from core.words import local_day, t
from pages.clients import change_settings, provenance
from pages.parts.text import joined, plain, price_text


def show(member: Member, shown: ClientSubscription, offer: Catalogue) -> None:
    """One box with *Cancel*, which says why it waits; nothing where nothing does."""
    if (pending := shown.pending) is None:
        return
    day = local_day(pending.valid_from)
    with st.container(border=True):
        if shown.is_ending:
            ends = t("Ends on {day}", day=day)
            st.markdown(f"**:material/event: {plain(ends)}**")
        else:
            what = joined(provenance.revision_lines(pending, offer, shown.sets))
            before, after = subscriptions.prices_of(offer, shown.time_zone, shown.history)[pending.revision]
            why = subscriptions.why_it_waits(pending, before, after)
            begins = (
                t("From {day}", day=day) if why is None else t("From {day}, at the renewal: {why}", day=day, why=why)
            )
            st.markdown(f"**:material/event: {plain(begins)}** {plain(what)}")
        price = subscriptions.price_on(offer, pending, day)
        if price is not None:
            st.text(t("{price} from then on", price=price_text(price)))
        decided = t("Decided by {name} on {day}", name=provenance.who(pending), day=local_day(pending.decided_at))
        if pending.reason:
            decided = t("{words}: “{reason}”", words=decided, reason=pending.reason)
        st.caption(plain(decided))
        if may(member, Permission.OVERRIDE):
            change_settings.cancel_button(shown)
