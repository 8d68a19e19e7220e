"""The member whom a use case is about, found in the partner space of the one who acts."""

from sqlalchemy.orm import Session

from core import members
from core.members import Member
from core.storage import LARGEST_NUMBER
from core.words import MemberNotFound, StaleMember


def found(session: Session, partner_id: int, member_id: int) -> Member:
    """The member with this number, as they are now. Raises MemberNotFound."""
    target = members.find(session, partner_id, member_id) if 0 < member_id <= LARGEST_NUMBER else None
    if target is None:
        raise MemberNotFound(member_id=str(member_id))
    return target


def refuse_stale(session: Session, target: Member, seen: int) -> None:
    """Raise StaleMember if the member was changed since `seen`, the number of the change that was shown as newest."""
    newest = members.newest_change(session, target.partner_id, target.member_id)
    if newest is not None and newest.number != seen:
        raise StaleMember(name=target.name, changed_by=newest.changed_by, changed_at=newest.changed_at)
