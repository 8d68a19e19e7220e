"""Changing what a member may do, letting them go, bringing them back; each change is kept, from what to what.

Every use case holds the partner's turn (members.act), so that what it reads stays true until it has written: of two
administrators who take the role from each other at once, one is refused.
"""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import invitations, members
from core.members import Member, Permission
from core.team.finding import found, refuse_stale
from core.team.new_member import name_of
from core.words import LastAdministrator, OwnAccess, Role


def change_member(
    session: Session,
    member: Member,
    member_id: int,
    *,
    role: Role,
    client_access: bool,
    name: str | None = None,
    seen: int,
) -> bool:
    """Afterwards the member has this role, this access to clients and this name (None: as before); it holds at their
    next click. Whether anything changed: the same change sent twice is one.

    `seen` is the number of the member's change that was shown as the newest. Raises NotAllowed, MemberNotFound,
    StaleMember, LastAdministrator, OwnAccess, BadInput; nothing is written then.
    """
    members.act(session, member, Permission.KEEP_MEMBERS)
    target = found(session, member.partner_id, member_id)
    wanted = {
        "role": role,
        "client_access": client_access,
        "name": target.name if name is None else name_of(name),
    }
    if all(getattr(target, what) == value for what, value in wanted.items()):
        return False
    refuse_stale(session, target, seen)
    if role is not target.role or client_access != target.client_access:
        _refuse_own(session, member, target, stays_administrator=role is Role.ADMINISTRATOR)
    return members.change(session, target, by=member, **wanted)


def deactivate(session: Session, member: Member, member_id: int, *, successor_id: int | None = None, seen: int) -> bool:
    """Afterwards the member is inactive: they may nothing from their next click on, and a message that waits for them
    is withdrawn. Whether anything changed.

    `seen` as for `change_member`. Raises NotAllowed, MemberNotFound, StaleMember, LastAdministrator, OwnAccess;
    nothing is written then.
    """
    members.act(session, member, Permission.KEEP_MEMBERS)
    target = found(session, member.partner_id, member_id)
    if not target.is_active:
        return False
    refuse_stale(session, target, seen)
    _refuse_own(session, member, target, stays_administrator=False)
    members.change(session, target, by=member, is_active=False)
    invitations.tell_no_more(session, target)
    return True


def bring_back(session: Session, member: Member, member_id: int, *, seen: int) -> bool:
    """Afterwards the member is active again, with the role and access they had. Whether anything changed.

    `seen` as for `change_member`. Raises NotAllowed, MemberNotFound, StaleMember; nothing is written then.
    """
    members.act(session, member, Permission.KEEP_MEMBERS)
    target = found(session, member.partner_id, member_id)
    if target.is_active:
        return False
    refuse_stale(session, target, seen)
    return members.change(session, target, by=member, is_active=True)


def _refuse_own(session: Session, member: Member, target: Member, *, stays_administrator: bool) -> None:
    """Raise LastAdministrator where no active administrator would be left, OwnAccess where it is one's own."""
    if not stays_administrator and target.role is Role.ADMINISTRATOR and target.is_active:
        others = session.scalars(
            select(func.count())
            .select_from(Member)
            .where(
                Member.partner_id == target.partner_id,
                Member.member_id != target.member_id,
                Member.role == Role.ADMINISTRATOR,
                Member.is_active,
            )
        ).one()
        if not others:
            raise LastAdministrator(name=target.name)
    if target.member_id == member.member_id:
        raise OwnAccess
