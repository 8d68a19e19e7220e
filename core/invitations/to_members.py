"""The messages that tell members where the product is: made, withdrawn, and how their delivery went.

They ask no permission and hold nobody's turn: the use cases of core.team do.
"""

from collections.abc import Mapping

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session, aliased

from core.invitations import member_letters, outbox
from core.invitations.managing import WaitingMessage
from core.invitations.outbox import Delivery
from core.invitations.tables import MemberMessage
from core.members import Member

_LATER = aliased(MemberMessage)
_NEWEST = (
    select(MemberMessage, Member.name)
    .join(Member, (Member.partner_id == MemberMessage.partner_id) & (Member.member_id == MemberMessage.queued_by_id))
    .where(
        MemberMessage.partner_id == bindparam("partner_id"),
        MemberMessage.sending
        == select(func.max(_LATER.sending))
        .where(_LATER.partner_id == MemberMessage.partner_id, _LATER.member_id == MemberMessage.member_id)
        .correlate(MemberMessage)
        .scalar_subquery(),
    )
)


def message_member(session: Session, by: Member, recipient: Member, *, sending: int) -> None:
    """Afterwards a message waits for the recipient, and no earlier one does."""
    outbox.withdraw(session, recipient.partner_id, recipient.member_id, MemberMessage)
    row = outbox.new_member_message(session, by, recipient.member_id, sending, recipient.email)
    outbox.queue(session, [row], MemberMessage)


def withdraw_message(session: Session, recipient: Member) -> None:
    """Afterwards no message waits for this member."""
    outbox.withdraw(session, recipient.partner_id, recipient.member_id, MemberMessage)


def messages_to(session: Session, partner_id: int, member_id: int) -> tuple[Delivery, ...]:
    """How the delivery of every message to a member went, newest first."""
    return outbox.deliveries(session, partner_id, member_id, MemberMessage)


def newest_messages(session: Session, partner_id: int) -> Mapping[int, Delivery]:
    """The newest message to each member that has one, by the member's number, without what failed."""
    found = session.execute(_NEWEST, {"partner_id": partner_id})
    return {message.member_id: outbox.delivery(message, by) for message, by in found}


def waiting_for_member(session: Session, recipient: Member) -> WaitingMessage | None:
    """The message that waits for a member, with the letter as it would leave now."""
    message = outbox.waiting(session, recipient.partner_id, recipient.member_id, MemberMessage)
    return None if message is None else WaitingMessage(message, member_letters.to_member(session, message))
