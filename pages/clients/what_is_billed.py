"""What a client is billed: the price, who pays and since when, until when it is paid, and where the client stands."""

import streamlit as st

from core.catalogue import Catalogue
from core.invitations import InvitationDetail
from core.subscriptions import ClientSubscription, Revision
from core.words import ClientStatus, Payer, Setting, day, local_day, t
from pages.parts import invitation
from pages.parts.text import payer_text, plain, price_text


def show(shown: ClientSubscription, invited: InvitationDetail, offer: Catalogue) -> None:
    """The first thing on the page after who the client is."""
    st.header(t("What this client is billed"), anchor=False)
    with st.container(border=True, gap="xxsmall"):
        st.markdown(_price(shown, offer))
        for line in _lines(shown, invited):
            st.text(line)


def _price(shown: ClientSubscription, offer: Catalogue) -> str:
    what = plain(offer.value_text(shown.effective.plan.value))
    if shown.status is ClientStatus.ARCHIVED:
        nothing = t("Nothing")
        return f"**{nothing}**"
    if shown.price is None:
        without = t("{plan}: it has no price any more", plan=offer.value_text(shown.effective.plan.value))
        return f"**{plain(without)}**"
    return f"**{plain(price_text(shown.price))}**, {plain(payer_text(shown.effective.payer.value))} · {what}"


def _lines(shown: ClientSubscription, invited: InvitationDetail) -> list[str]:
    if shown.status is ClientStatus.ARCHIVED:
        return [t("Archived on {day}", day=day(shown.held.valid_from))]
    if shown.status is ClientStatus.INVITED:
        return [t("Nothing is billed before the invitation is accepted."), invitation.standing(invited)]
    lines = []
    if (since := _began(shown)) is not None:
        since_day, made = day(local_day(since.valid_from)), invited.invitation
        invited_on = day(made.invited_at)
        lines.append(
            t(
                "Active since {day}, invited on {invited_on} by {name}",
                day=since_day,
                invited_on=invited_on,
                name=invited.invited_by,
            )
        )
    pays = _paying_since(shown)
    if pays is not None and pays is not since:
        lines.append(_pays_since(shown.effective.payer.value, day(local_day(pays.valid_from))))
    if shown.period is not None:
        until = shown.period.renewal
        ends = t("Paid until {day}, ends then", day=until)
        lines.append(ends if shown.is_ending else t("Paid until {day}, renews then", day=until))
    return lines


def _pays_since(payer: Payer, since: str) -> str:
    if payer is Payer.PARTNER:
        return t("Paid by us since {day}", day=since)
    return t("Paid by the client since {day}", day=since)


def _held(shown: ClientSubscription) -> list[Revision]:
    """What held until now, the newest first."""
    past = [each for each in shown.history if not each.was_withdrawn and each.valid_from <= shown.held.valid_from]
    return sorted(past, key=lambda each: each.valid_from, reverse=True)


def _began(shown: ClientSubscription) -> Revision | None:
    """The revision with which the client became active."""
    return next((each for each in _held(shown) if each.status is not each.status_before), None)


def _paying_since(shown: ClientSubscription) -> Revision | None:
    """The revision since which whoever pays now pays; of an active client, not before it was active."""
    for each in _held(shown):
        if each.status is not each.status_before:
            return each
        if any(change.setting is Setting.PAYER for change in each.changes):
            return each
    return None
