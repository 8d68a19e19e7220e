"""A client's invitation: where it stands, how its message was delivered, and what can be done about it."""

from collections.abc import Callable
from dataclasses import replace

import streamlit as st
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from core import access, answers, delivery, messages
from core.access import Permission, may
from core.client_subscription import ClientSubscription
from core.errors import BillingError
from core.language import day, moment, speak, t
from core.models import Member
from core.outbox import Delivery
from core.outbox_tables import OutboxMessage
from core.terms import ClientStatus, DeliveryStatus, InvitationStatus
from pages.parts import here
from pages.parts.text import plain

_PATIENCE = 10  # seconds for each answer of the mail server, while somebody looks at the page
_STANDING = {
    InvitationStatus.PENDING: "blue",
    InvitationStatus.ACCEPTED: "green",
    InvitationStatus.EXPIRED: "orange",
    InvitationStatus.REVOKED: "gray",
}


def send(member: Member, client_id: int) -> None:
    """Send what waits for a client now, where a mail server is set. What fails is kept and tried again later."""
    server = here.configuration().smtp
    if server is None:
        return
    with st.spinner(t("Sending the message…")):
        delivery.deliver(
            here.database(), replace(server, timeout=min(server.timeout, _PATIENCE)), partner_id=member.partner_id,
            client_id=client_id,
        )  # fmt: skip


def card(member: Member, shown: ClientSubscription) -> None:
    """Where the invitation stands, when and by whom, how delivery went; and what this member can do about it."""
    told = answers.deliveries(here.glance(), member, shown.client.client_id)
    with st.container(border=True):
        title, colour = t("Invitation"), _STANDING[shown.invitation_status]
        badge = f":{colour}-badge[{plain(shown.invitation_status.label)}]"
        st.markdown(f"**{title}** {badge} {plain(_until(member, shown, told))}")
        for each in told[:3]:
            st.text(_delivered(each, shown.invitation_status))
            for failed_at, said in each.failures[-3:]:
                st.caption(f"{moment(failed_at)}: {plain(said)}")
        if may(member, Permission.INVITE):
            _actions(member, shown, told)


def waiting(member: Member, client_id: int, *, unfolded: bool = False) -> None:
    """The message that waits, as it would look: its link to copy, and a file to send it by hand."""
    with here.database().reading() as session:
        message = answers.waiting_message(session, member, client_id)
    if message is None or message.text is None:
        return
    with st.expander(t("The message that waits"), icon=":material/mail:", expanded=unfolded):
        st.caption(_why_it_waits(message))
        st.text(t("To: {recipient}", recipient=f"{message.recipient_name} <{message.recipient}>"))
        st.text(t("Subject: {subject}", subject=message.subject))
        with st.container(border=True):
            st.text(message.text)
        st.caption(t("The link alone, to copy. Whoever has it can accept the invitation."))
        st.code(_link(message.text), language=None, wrap_lines=True)
        if (written := _eml(member, message)) is not None:
            st.download_button(
                t("Download as e-mail (.eml)"), data=written, file_name="invitation.eml",
                mime="message/rfc822", on_click="ignore", icon=":material/download:", key=f"invitation.{client_id}.eml",
            )  # fmt: skip


@st.dialog("⁠", width="medium")
def opened(member: Member, shown: ClientSubscription, reader: str) -> None:
    """The same from the table of clients, in a window over it; `reader`: the language, as the window runs alone."""
    speak(reader, member.partner.time_zone)
    st.subheader(plain(shown.client.name), anchor=False)
    card(member, shown)
    if may(member, Permission.INVITE):
        waiting(member, shown.client.client_id)


def _until(member: Member, shown: ClientSubscription, told: tuple[Delivery, ...]) -> str:
    invitation = shown.invitation
    by = next((each.queued_by for each in reversed(told) if each.number == invitation.number), "")
    match shown.invitation_status:
        case InvitationStatus.ACCEPTED:
            return t("accepted on {day}", day=invitation.accepted_at)
        case InvitationStatus.REVOKED:
            members = access.members(here.glance(), member.partner_id)
            by = next((each.name for each in members if each.member_id == invitation.revoked_by_id), by)
            return t("revoked on {day} by {name}", day=invitation.revoked_at, name=by)
        case InvitationStatus.EXPIRED:
            return t("expired on {day}", day=day(invitation.expires_at))
    until = day(invitation.expires_at)
    return t("of {day} by {name}, holds until {until}", day=day(invitation.invited_at), name=by, until=until)


def _delivered(each: Delivery, standing: InvitationStatus) -> str:
    recipient, at = each.recipient, each.ended_at or each.queued_at
    match each.status:
        case DeliveryStatus.SENT:
            return t("Sent to {recipient} on {at}, for {by}", recipient=recipient, at=at, by=each.queued_by)
        case DeliveryStatus.GIVEN_UP:
            return t("Not delivered to {recipient}: given up on {at}", recipient=recipient, at=at)
        case DeliveryStatus.WITHDRAWN:
            return t("Message to {recipient}: withdrawn on {at}, before it was sent", recipient=recipient, at=at)
    if standing is InvitationStatus.EXPIRED:
        return t("Never sent to {recipient}: the invitation lapsed first", recipient=recipient)
    if each.failures and here.configuration().smtp is not None:
        return t("Not delivered to {recipient} yet: next attempt at {at}", recipient=recipient, at=each.next_attempt_at)
    return t("Waiting to be sent to {recipient} since {at}", recipient=recipient, at=at)


def _actions(member: Member, shown: ClientSubscription, told: tuple[Delivery, ...]) -> None:
    client_id, name, key = shown.client.client_id, shown.client.name, f"invitation.{shown.client.client_id}"
    is_pending = shown.invitation_status is InvitationStatus.PENDING
    with st.container(horizontal=True):
        if is_pending:
            now_told = max((d.sending for d in told if d.number == shown.invitation.number), default=0)
            seen = st.session_state.get(f"{key}.seen", now_told)  # on the screen when it was clicked
            st.session_state[f"{key}.seen"] = now_told
            if st.button(t("Send again"), key=f"{key}.resend", icon=":material/forward_to_inbox:",
                         help=t("With a new link. The old link stops working.")):  # fmt: skip
                _do(member, shown, t("The invitation of {name} has a new link.", name=name),
                    lambda s: answers.resend(s, member, client_id, seen=seen), sends=True)  # fmt: skip
            if st.button(t("Revoke"), key=f"{key}.revoke", icon=":material/block:",
                         help=t("Its link stops working. You can invite this client again.")):  # fmt: skip
                _do(member, shown, t("The invitation of {name} is revoked.", name=name),
                    lambda s: answers.revoke(s, member, client_id))  # fmt: skip
        elif shown.status is not ClientStatus.ACTIVE:
            told_why = t("With the settings this client has.")
            if shown.status is ClientStatus.ARCHIVED:
                told_why = t("On the default settings in force now, without exceptions.")
            if st.button(t("Invite again"), key=f"{key}.again", icon=":material/mail:", help=told_why):
                _do(member, shown, t("{name} is invited again.", name=name),
                    lambda s: answers.invite_again(s, member, client_id), sends=True)  # fmt: skip


def _do(
    member: Member, shown: ClientSubscription, done: str, act: Callable[[Session], object], *, sends: bool = False
) -> None:
    """One action in one transaction, then its message on its way, then the page anew."""
    try:
        with here.database().transaction() as session:
            act(session)
    except BillingError as refusal:
        here.refused(refusal)
        return
    if sends:
        try_to_send(member, shown.client.client_id)
    here.say_next(done)
    st.rerun()


def try_to_send(member: Member, client_id: int) -> None:
    """`send`; a database that does not answer leaves the message where it waits."""
    try:
        send(member, client_id)
    except OperationalError as failure:
        here.log.warning("A message was not sent yet: %s", failure)


def _why_it_waits(message: OutboxMessage) -> str:
    if here.is_demo():
        return t("In the demo nothing is ever sent.")
    if here.configuration().smtp is None:
        return t("No mail server is set, so nothing is sent. Copy the link, or send the file by hand.")
    if message.attempts == 0:
        return t("It leaves as soon as the deliverer runs.")
    return t("It is tried again at {at}, as long as the deliverer runs.", at=message.next_attempt_at)


def _link(text: str) -> str:
    beginning = here.configuration().links.to("")
    return next((line for line in reversed(text.splitlines()) if line.startswith(beginning)), "")


def _eml(member: Member, message: OutboxMessage) -> bytes | None:
    """The message from the member's own address, unsent: a mail program opens it ready to send. None where an address
    cannot be written in a header."""
    try:
        made = messages.email(message, member.partner.name, member.email, member.email, here.configuration().links)
        made["X-Unsent"] = "1"
        return made.as_bytes()
    except Exception as failure:  # noqa: BLE001 - the text and the link are there all the same
        here.log.warning("A message cannot be written as a file: %s", failure)
        return None
