"""The history of a client: one feed of everything that happened to it, newest first; each thing with who, when and why,
and of its subscription the price before and after (rule 11)."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime

import pyarrow as pa
import streamlit as st

from core import subscriptions
from core.catalogue import Catalogue, Price
from core.invitations import InvitationDetail
from core.subscriptions import ClientEdit, ClientSubscription, ResponsibleSince, Revision
from core.words import ClientStatus, DeliveryStatus, Money, Origin, local_day, moment, t
from pages.clients import client_details, provenance, responsible
from pages.clients.provenance import Event
from pages.parts.text import joined, payer_text, plain, price_text

BULK_CHANGES = "pages/clients/bulk_changes.py"
_SHOWN = 50  # at first


def show(
    shown: ClientSubscription,
    offer: Catalogue,
    edits: Sequence[ClientEdit],
    looked_after: Sequence[ResponsibleSince],
    invited: InvitationDetail,
    *,
    opens_batches: bool,
) -> None:
    """The feed; what was long ago on demand. `opens_batches`: whether the reader may look at the bulk changes and the
    import that it names."""
    st.header(t("History"), anchor=False)
    if opens_batches:
        _batches({each.batch for each in shown.history} | {each.batch for each in looked_after})
    edited: list[Event] = [
        (each.changed_at, each.changed_by, each.origin.label, client_details.what_happened(each), each.reason)
        for each in edits
    ]
    accepted_at = {each.invitation.accepted_at: each.accepted_price for each in invited.past}
    told_at = {each.valid_from for each in shown.history} | {each.decided_at for each in shown.history}
    told_at |= {each.changed_at for each in edits}
    feed = [
        *edited,
        *_of_invitations(invited, frozenset(told_at), shown.moment),
        *responsible.events(looked_after),
        *_of_subscription(shown, offer, looked_after, accepted_at),
    ]
    feed.sort(key=lambda event: event[0], reverse=True)
    unfolded = f"history of {shown.client.client_id}"
    rows = [
        (moment(at), plain(who), via, plain(what), plain(why))
        for at, who, via, what, why in feed[: st.session_state.get(unfolded, _SHOWN)]
    ]
    headings = [t("When"), t("Who"), t("Via"), t("What"), t("Why")]
    st.table(pa.table(dict(zip(headings, zip(*rows, strict=True), strict=True))), border="horizontal")
    if len(rows) < len(feed) and st.button(t("Show the whole history"), key=f"{unfolded} whole"):
        st.session_state[unfolded] = len(feed)
        st.rerun()


def _batches(named: set[int | None]) -> None:
    """A way to each batch that the history names (None: what was done alone), the newest first."""
    numbers = sorted((each for each in named if each is not None), reverse=True)
    if not numbers:
        return
    with st.container(horizontal=True, gap="small"):
        for number in numbers[:_SHOWN]:
            label = t("Batch {batch}", batch=str(number))
            address = {"batch": str(number)}
            st.page_link(BULK_CHANGES, label=label, icon=":material/checklist:", query_params=address, width="content")


def _of_subscription(
    shown: ClientSubscription,
    offer: Catalogue,
    looked_after: Sequence[ResponsibleSince],
    accepted_at: Mapping[datetime | None, Price | None],
) -> list[Event]:
    """What was decided, each once; and what was decided before and has come into force since."""
    events: list[Event] = []
    prices = subscriptions.prices_of(offer, shown.time_zone, shown.history)
    charges = subscriptions.charges_of(offer, shown.time_zone, shown.history)
    withdrawing = {each.withdrawn_by: each for each in shown.history if each.was_withdrawn}
    for each in shown.history:
        who, via, changed = provenance.who(each), provenance.via(each), _priced(each, prices)
        took_effect = each.waited and not each.was_withdrawn and each.valid_from <= shown.moment
        if took_effect:
            events.append((each.valid_from, who, via, joined([_in_force(each), *changed]), each.reason))
        if _restates(each, shown.history):
            continue
        said = [provenance.what_happened(each, offer, shown.sets, accepted_at.get(each.valid_from)), *changed]
        if each.revision == 1:
            said.append(responsible.at_the_invitation(looked_after))
        if (replaced := withdrawing.get(each.revision)) is not None:
            left = _left_of(replaced, shown.history)
            said = _withdrew(replaced, said, left=left, is_all=not _changes_anything(each))
        if each.waited:
            said = [_decided_for(each, *prices[each.revision]), *said]
        if each.revision in charges:
            said.append(_charged(each, *charges[each.revision]))
        events.append((each.decided_at, who, via, joined(filter(None, said)), each.reason))
    return events


def _of_invitations(invited: InvitationDetail, told_at: frozenset[datetime], now: datetime) -> list[Event]:
    """What became of the invitations and of the messages, those about who pays too: asked in again, sent again,
    revoked, lapsed, and what could not be delivered. What was done with a revision or an edit, at its instant, is told
    with it."""
    events: list[Event] = []
    for each in invited.past:
        made, via = each.invitation, Origin.PAGE.label
        if made.revoked_at is not None:
            events.append(
                (made.revoked_at, each.revoked_by or "", via, t("Revoked the invitation"), made.revoke_reason)
            )
        if made.number > 1 and made.invited_at not in told_at:
            events.append((made.invited_at, each.invited_by, via, t("Invited again"), made.reason))
        if made.accepted_at is None and made.revoked_at is None and made.expires_at <= now:
            events.append((made.expires_at, "–", Origin.SYSTEM.label, t("The invitation lapsed"), ""))
    for sent in (*invited.deliveries, *invited.about_payer):
        again, lost = t("Sent the invitation again"), t("Its message could not be delivered")
        if sent.payer is not None:
            again = t("Sent the message about who pays again")
            lost = t("The message about who pays could not be delivered")
        if sent.sending > 1 and sent.queued_at not in told_at:
            events.append((sent.queued_at, sent.queued_by, Origin.PAGE.label, again, sent.reason))
        if sent.status is DeliveryStatus.GIVEN_UP and sent.ended_at is not None:
            why = sent.failures[-1][1] if sent.failures else ""  # the mail server's last answer
            events.append((sent.ended_at, "–", Origin.SYSTEM.label, lost, why))
    return events


def _priced(revision: Revision, prices: Mapping[int, tuple[Price | None, Price | None]]) -> list[str]:
    """The price before and after, where it changed."""
    before, after = prices[revision.revision]
    if before is None or after is None or before == after:
        return []
    return [f"{price_text(before)} → {price_text(after)}"]


def _decided_for(revision: Revision, before: Price | None, after: Price | None) -> str:
    """From when it is to hold, and why not at once."""
    day, why = local_day(revision.valid_from), subscriptions.why_it_waits(revision, before, after)
    if why is None:
        return t("Decided for {day}", day=day)
    return t("Decided for {day}, at the renewal: {why}", day=day, why=why)


def _charged(revision: Revision, charge: Money, renewal: date) -> str:
    """What the upgrades of its day cost, for how long and whom."""
    payer = payer_text(revision.settings.payer)
    return t("{charge} more for the days until {day}, {payer}", charge=charge, day=renewal, payer=payer)


def _in_force(revision: Revision) -> str:
    if revision.status is ClientStatus.ARCHIVED:
        return t("Ended, as decided on {day}", day=local_day(revision.decided_at))
    return t("In force, as decided on {day}", day=local_day(revision.decided_at))


def _withdrew(replaced: Revision, said: list[str], *, left: Revision | None, is_all: bool) -> list[str]:
    """What a decision did, and what it withdrew; `left`: what it left of that."""
    what = t("what was decided for {day}", day=local_day(replaced.valid_from))
    if replaced.status is ClientStatus.ARCHIVED:
        what = t("the end on {day}", day=local_day(replaced.valid_from))
    if is_all:
        return [t("Cancelled {what}", what=what)]
    if left is None:
        return [*said, t("in place of {what}", what=what)]
    return said if _is_whole(left, replaced) else [*said, t("partly in place of {what}", what=what)]


def _is_whole(left: Revision, withdrawn: Revision) -> bool:
    """Whether everything that was decided then is left."""
    decided = {change.setting for change in withdrawn.changes} | withdrawn.newly_chosen | withdrawn.cleared
    return all(
        setting.of(left.settings) == setting.of(withdrawn.settings)
        and (setting in left.overridden) is (setting in withdrawn.overridden)
        for setting in decided
    )


def _changes_anything(revision: Revision) -> bool:
    return (
        bool(revision.changes or revision.newly_chosen or revision.cleared)
        or revision.status is not revision.status_before
        or revision.bound != revision.bound_before
    )


def _left_of(withdrawn: Revision, history: Sequence[Revision]) -> Revision | None:
    """What was left of a decision that was withdrawn, beside the one that took its place (rule 32)."""
    return next((each for each in history if _restates(each, [withdrawn])), None)


def _restates(revision: Revision, history: Sequence[Revision]) -> bool:
    """Whether it is what is left of an earlier decision, which is told already (rule 32)."""
    return any(
        each.was_withdrawn
        and each.revision < revision.revision
        and each.decided_at == revision.decided_at
        and revision.waited
        for each in history
    )
