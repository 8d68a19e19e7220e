"""Inviting a member: they can sign in from now on, and a message tells them where."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import invitations, members
from core.members import Member, Permission
from core.team.new_member import NewMember
from core.team.reading import member_numbered
from core.words import AlreadyMember, InactiveMember


def invite_member(session: Session, member: Member, new_member: NewMember, *, attempt: str = "") -> Member:
    """Afterwards the person is an active member, and a message that tells them so waits in the outbox.

    `attempt` names one filled-in form: the same one sent twice gives the member it made the first time.
    Raises NotAllowed, AlreadyMember; nothing is written then.
    """
    members.act(session, member, Permission.MANAGE_MEMBERS)
    if attempt and (made := invitations.sent_by_form(session, member.partner_id, attempt)) is not None:
        return member_numbered(session, member.partner_id, made)
    known = session.scalar(
        select(Member).where(Member.partner_id == member.partner_id, func.lower(Member.email) == new_member.email)
    )
    if known is not None:
        raise AlreadyMember(member_id=known.member_id, name=known.name, is_active=known.is_active)
    invited = members.add(session, member.partner_id, **new_member.model_dump(), by=member)
    invitations.message_member(session, member, invited, sending=1, attempt=attempt)
    return invited


def send_again(session: Session, member: Member, member_id: int, *, seen: int) -> None:
    """Afterwards another message waits for the member, in their language and to the address they have now. `seen`
    counts the messages to them that were shown: asked twice, it is sent once.

    Raises NotAllowed, MemberNotFound, InactiveMember; nothing is written then.
    """
    members.act(session, member, Permission.MANAGE_MEMBERS)
    target = member_numbered(session, member.partner_id, member_id)
    if not target.is_active:
        raise InactiveMember(name=target.name)
    sendings = len(invitations.messages_to(session, member.partner_id, member_id))
    if sendings > seen:
        return
    invitations.message_member(session, member, target, sending=sendings + 1)
