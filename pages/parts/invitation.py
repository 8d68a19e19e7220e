"""A client's invitation: where it stands, how its message was delivered, and what can be done about it; and the message
that waits for a client or a member."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import streamlit as st
from sqlalchemy.orm import Session

from core import invitations, subscriptions
from core.invitations import Delivery, InvitationDetail, Letter, Message, OutboxMessage, WaitingMessage, charge_text
from core.members import Member, Permission, may
from core.subscriptions import ClientSubscription
from core.words import (
    LONGEST_NOTE,
    BillingError,
    ClientStatus,
    DatabaseFailed,
    DeliveryStatus,
    InvitationStatus,
    Payer,
    day,
    moment,
    speak,
    t,
)
from pages.parts import choices, notices, server
from pages.parts.text import plain

_SECONDS_PER_ANSWER, _SECONDS_IN_ALL = 10, 20  # of the mail server, while somebody looks at the page
_TO_SEND = "invitation.to send"  # in the session's memory: to whom the next run sends what waits
_COLOURS = {
    InvitationStatus.PENDING: "blue",
    InvitationStatus.ACCEPTED: "green",
    InvitationStatus.EXPIRED: "orange",
    InvitationStatus.REVOKED: "gray",
}

Waiting = WaitingMessage | BillingError | None  # the message that waits, or why it cannot be written


def send_next(*, client_id: int | None = None, member_id: int | None = None) -> None:
    """Have the next run send what waits for this client, or for this member."""
    st.session_state[_TO_SEND] = {"client_id": client_id, "member_id": member_id}


def send_waiting(member: Member) -> None:
    """Send the message that a click just made, where a mail server is set. What fails stays where it waits."""
    whom, mail_server = st.session_state.pop(_TO_SEND, None), server.configuration().smtp
    if whom is None or mail_server is None:
        return
    patient = replace(mail_server, timeout=min(mail_server.timeout, _SECONDS_PER_ANSWER), deadline=_SECONDS_IN_ALL)
    with st.spinner(t("Sending the message…")):
        try:
            invitations.deliver(server.database(), patient, partner_id=member.partner_id, **whom)
        except DatabaseFailed as failure:
            server.log.warning("A message was not sent yet: %s", failure)


def waiting(session: Session, member: Member, client_id: int) -> Waiting:
    """The message that waits for this client, for a member who may see the link of an invitation."""
    if not may(member, Permission.INVITE):
        return None
    try:
        return invitations.waiting_message(session, member, client_id)
    except BillingError as refusal:
        return refusal


def card(member: Member, shown: ClientSubscription, invited: InvitationDetail) -> None:
    """Where the invitation stands, when and by whom, how delivery went; and what this member can do about it."""
    with st.container(border=True):
        title, colour = t("Invitation"), _COLOURS[invited.status]
        st.markdown(f"**{title}** :{colour}-badge[{plain(standing(invited))}]")
        sent = sorted([*invited.deliveries, *invited.about_payer], key=lambda each: each.queued_at, reverse=True)
        deliveries(sent, invited)
        if may(member, Permission.INVITE):
            _actions(member, shown, invited)


def message(member: Member, found: Waiting, *, unfolded: bool = False) -> None:
    """The message that waits, as it would look: its link to copy, and a file to send it by hand."""
    if found is None:
        return
    title = t("Invitation message")
    if isinstance(found, WaitingMessage) and not isinstance(found.message, OutboxMessage):
        title = t("The message that waits")
    with st.expander(title, icon=":material/mail:", expanded=unfolded):
        if isinstance(found, BillingError):
            notices.refused(found)
            return
        letter = found.letter
        st.caption(when_it_leaves(found.message))
        st.text(t("To: {recipient}", recipient=f"{letter.recipient_name} <{letter.recipient}>"))
        st.text(t("Subject: {subject}", subject=letter.subject))
        with st.container(border=True):
            st.text(letter.text)
        if isinstance(found.message, OutboxMessage):
            st.caption(t("The link alone, to copy. Whoever has it can accept the invitation."))
            st.code(letter.link, language=None, wrap_lines=True)
        if (written := _as_file(member, letter)) is not None:
            st.download_button(
                t("Download as e-mail (.eml)"),
                data=written,
                file_name="invitation.eml" if isinstance(found.message, OutboxMessage) else "message.eml",
                mime="message/rfc822",
                on_click="ignore",
                icon=":material/download:",
                key=f"invitation.{found.message.message_id}.eml",
            )


@st.dialog("⁠", width="medium")
def window(member: Member, client_id: int, reader: str) -> None:
    """The same over the table of clients. `reader`: the language, as a window runs alone."""
    speak(reader, member.partner.time_zone)
    if notices.are_waiting():  # something was done here: the page says so, and the window is closed
        st.rerun()
    with server.database().reading() as session:
        shown = subscriptions.detail(session, member, client_id)
        invited = invitations.of_client(session, member, client_id)
        found = waiting(session, member, client_id)
    st.header(plain(shown.client.name), anchor=False)
    card(member, shown, invited)
    message(member, found)


def when_it_leaves(waits: Message | None = None) -> str:
    """When a message that waits leaves, or why it does not; None: the messages of a whole list."""
    if server.is_demo():
        return t("In the demo nothing is ever sent.")
    if server.configuration().smtp is None:
        if waits is None:
            return t("No mail server is set, so their messages wait. Whoever runs this server can set one.")
        return t("No mail server is set, so nothing is sent. Copy the link, or send the file by hand.")
    if waits is None:
        return t("Their messages leave as soon as the deliverer runs.")
    if waits.attempts == 0:
        return t("It leaves as soon as the deliverer runs.")
    return t("It is tried again at {at}, as long as the deliverer runs.", at=waits.next_attempt_at)


def standing(invited: InvitationDetail) -> str:
    """Where the newest invitation stands, since when, in words that need nothing before them."""
    made = invited.invitation
    price = invited.past[0].accepted_price
    match invited.status:
        case InvitationStatus.ACCEPTED if price is not None:
            return t(
                "Accepted on {day} at {price}", day=day(made.accepted_at or made.invited_at), price=charge_text(price)
            )
        case InvitationStatus.ACCEPTED:
            return t("Accepted on {day}", day=day(made.accepted_at or made.invited_at))
        case InvitationStatus.REVOKED:
            return t("Revoked on {day} by {name}", day=day(made.revoked_at or made.invited_at), name=invited.revoked_by)
        case InvitationStatus.EXPIRED:
            return t("Expired on {day}", day=day(made.expires_at))
    until = day(made.expires_at)
    return t(
        "Invited on {day} by {name}, valid until {until}",
        day=day(made.invited_at),
        name=invited.invited_by,
        until=until,
    )


def deliveries(found: Sequence[Delivery], invited: InvitationDetail | None = None) -> None:
    """The newest messages: how the delivery of each went, and the last answers of the mail server. `invited`: where the
    invitation stands that they are about, if any."""
    for each in found[:3]:
        st.text(_delivery_text(each, invited))
        for failed_at, said in each.failures[-3:]:
            st.caption(f"{moment(failed_at)}: {plain(said)}")


def _delivery_text(each: Delivery, invited: InvitationDetail | None) -> str:
    """How the delivery of a message went, and what one about who pays tells."""
    how = _how_it_went(each, invited if each.payer is None else None)
    if each.payer is Payer.CLIENT:
        return t("Message that the client pays from {day} on", day=day(each.paid_from or each.queued_at)) + f" · {how}"
    return t("Message that we pay after all") + f" · {how}" if each.payer is Payer.PARTNER else how


def _how_it_went(each: Delivery, invited: InvitationDetail | None) -> str:
    recipient, at = each.recipient, each.ended_at or each.queued_at
    match each.status:
        case DeliveryStatus.SENT:
            return t("Sent to {recipient} on {at}, for {by}", recipient=recipient, at=at, by=each.queued_by)
        case DeliveryStatus.GIVEN_UP:
            return t("Not delivered to {recipient}: given up on {at}", recipient=recipient, at=at)
        case DeliveryStatus.WITHDRAWN:
            return _why_withdrawn(each, invited)
    if invited is not None and invited.status is InvitationStatus.EXPIRED:
        return t("Expired before it was sent")
    if server.is_demo():
        return t("Not sent: this is the demo")
    if each.failures and server.configuration().smtp is not None:
        return t("Not delivered to {recipient} yet: next attempt at {at}", recipient=recipient, at=each.next_attempt_at)
    return t("Waiting to be sent to {recipient} since {at}", recipient=recipient, at=at)


def _why_withdrawn(each: Delivery, invited: InvitationDetail | None) -> str:
    """What came before the message could leave."""
    past = () if invited is None else invited.past
    made = next((other.invitation for other in past if other.invitation.number == each.number), None)
    if made is not None and each.ended_at is not None:
        if each.ended_at == made.accepted_at:
            return t("Not sent: accepted first")
        if each.ended_at == made.revoked_at:
            return t("Not sent: revoked first")
    return t("Not sent: another message took its place")


def _actions(member: Member, shown: ClientSubscription, invited: InvitationDetail) -> None:
    client_id, name = shown.client.client_id, shown.client.name
    why = f"{choices.form(_why(client_id))}.reason"

    def button(action: str, label: str, icon: str, meaning: str, act: Callable[..., object], done: str) -> None:
        key = f"invitation.{client_id}.{action}"
        st.button(
            label,
            key=key,
            icon=icon,
            help=meaning,
            on_click=carry_out,
            args=(
                key,
                choices.attempt(key),
                partial(_because, act=act, why=why, member=member, client_id=client_id),
                done,
            ),
            kwargs={"client_id": client_id},
        )

    is_pending = invited.status is InvitationStatus.PENDING
    is_out = not is_pending and shown.status is not ClientStatus.ACTIVE and shown.client.forgotten_at is None
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if is_pending or is_out or invited.to_tell_again is not None:
            label = t("Reason (optional)")  # told apart from that of a form that is open on the same page
            if is_pending:
                label = t("Reason for sending again or revoking (optional)")
            elif not is_out:
                label = t("Reason for sending again (optional)")
            st.text_input(label, key=why, max_chars=LONGEST_NOTE, width=420, persist_state="session")
        if invited.to_tell_again is not None:
            button(
                "tell again",
                t("Send again"),
                ":material/forward_to_inbox:",
                t("The message about who pays, to the address that the client has now."),
                partial(invitations.tell_again, seen=len(invited.about_payer)),
                t("The message about who pays waits for {name} again.", name=name),
            )
        if is_pending:
            button(
                "resend",
                t("Send again"),
                ":material/forward_to_inbox:",
                t("With a new link. The old link stops working."),
                partial(invitations.send_again, seen=invited.sendings),
                t("The invitation of {name} has a new link.", name=name),
            )
            button(
                "revoke",
                t("Revoke"),
                ":material/block:",
                t("Its link stops working. You can invite this client again."),
                invitations.revoke,
                t("The invitation of {name} is revoked.", name=name),
            )
        if is_out:
            meaning = t("With the settings this client has.")
            if shown.status is ClientStatus.ARCHIVED:
                meaning = t("On the default settings in force now, without overrides.")
            button(
                "again",
                t("Invite again"),
                ":material/mail:",
                meaning,
                invitations.invite_again,
                t("{name} is invited again.", name=name),
            )


def _why(client_id: int) -> str:
    return f"invitation.{client_id}.why"


def _because(session: Session, act: Callable[..., object], why: str, **asked: Any) -> None:
    """Do it for the reason that is typed by now under the key `why`."""
    act(session, reason=st.session_state.get(why) or "", **asked)


@notices.callback
def carry_out(
    key: str,
    attempt: str,
    act: Callable[..., object],
    done: str,
    *,
    client_id: int | None = None,
    member_id: int | None = None,
) -> None:
    """One action of the button with this key in one transaction; the run that follows says so, and sends the message if
    there is one. The button that is drawn next is another form, and its reason is empty."""
    with server.database().transaction() as session:
        act(session, attempt=attempt)
    choices.forget(key)
    if client_id is not None:
        choices.forget(_why(client_id))
    notices.say_next(done)
    send_next(client_id=client_id, member_id=member_id)


def _as_file(member: Member, letter: Letter) -> bytes | None:
    """The letter from the member's own address, unsent: a mail program opens it ready to send. None where an address
    cannot be written in a header."""
    try:
        made = invitations.email(replace(letter, reply_to=member.email), member.email)
        made["X-Unsent"] = "1"
        return made.as_bytes()
    except Exception as failure:  # noqa: BLE001 - the text and the link are there all the same
        server.log.warning("A message cannot be written as a file: %s", failure)
        return None
