"""Inviting a member: they can sign in from now on, and a message tells them where."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import invitations, members
from core.members import Member, Permission
from core.team.new_member import NewMember
from core.team.reading import member_numbered
from core.words import AlreadyMember, InactiveMember, StaleMessage


def invite_member(session: Session, member: Member, new_member: NewMember, *, attempt: str = "") -> Member:
    """Afterwards the person is an active member, and a message that tells them so waits in the outbox.

    `attempt` names one drawn form: the same one sent twice gives the member it made the first time (members.form_sent).
    Raises NotAllowed, AlreadyMember; nothing is written then.
    """
    members.act(session, member, Permission.MANAGE_MEMBERS)
    form = members.form_sent(session, member, attempt, "invite member", new_member=new_member.model_dump())
    if form.answer is not None:
        return member_numbered(session, member.partner_id, form.answer["member_id"])
    known = session.scalar(
        select(Member).where(Member.partner_id == member.partner_id, func.lower(Member.email) == new_member.email)
    )
    if known is not None:
        raise AlreadyMember(member_id=known.member_id, name=known.name, is_active=known.is_active)
    invited = members.add(session, member.partner_id, **new_member.model_dump(), by=member)
    invitations.message_member(session, member, invited, sending=1)
    form.done(member_id=invited.member_id)
    return invited


def send_again(session: Session, member: Member, member_id: int, *, seen: int, attempt: str = "") -> None:
    """Afterwards another message waits for the member, in their language and to the address they have now. `seen`
    counts the messages to them that were shown. `attempt` as for `invite_member`: one message.

    Raises NotAllowed, MemberNotFound, InactiveMember, StaleMessage; nothing is written then.
    """
    members.act(session, member, Permission.MANAGE_MEMBERS)
    form = members.form_sent(session, member, attempt, "send member message again", member_id=member_id)
    if form.answer is not None:
        return
    target = member_numbered(session, member.partner_id, member_id)
    if not target.is_active:
        raise InactiveMember(name=target.name)
    sent = invitations.messages_to(session, member.partner_id, member_id)
    if len(sent) > seen:
        raise StaleMessage(name=target.name, changed_by=sent[0].queued_by, changed_at=sent[0].queued_at)
    invitations.message_member(session, member, target, sending=len(sent) + 1)
    form.done()
