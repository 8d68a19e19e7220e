"""Changing what a member may do, deactivating them, bringing them back; each change is kept, from what to what.

Every use case holds the partner's turn (members.act), so that what it reads stays true until it has written: of two
administrators who take the role from each other at once, one is refused.
"""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import invitations, members, subscriptions
from core.members import Member, Permission
from core.team.new_member import name_of
from core.team.reading import member_numbered, refuse_stale
from core.words import LastAdministrator, OwnAccess, Role, SuccessorMissing


def change_member(
    session: Session,
    member: Member,
    member_id: int,
    *,
    role: Role,
    client_access: bool,
    name: str | None = None,
    successor_id: int | None = None,
    seen: int,
    attempt: str = "",
) -> bool:
    """Afterwards the member has this role, this access to clients and this name (None: as before); it holds at their
    next click. Whether anything changed. `attempt` names one drawn form: the same one sent twice is one change
    (members.form_sent).

    `seen` is the number of the member's change that was shown as the newest. `successor_id`: who takes over the clients
    of a member who with this role and access looks after none. Raises NotAllowed, MemberNotFound, StaleMember,
    LastAdministrator, OwnAccess, SuccessorMissing, ResponsibleRefused, BadInput; nothing is written then.
    """
    members.act(session, member, Permission.MANAGE_MEMBERS)
    form = members.form_sent(
        session, member, attempt, "change member",
        member_id=member_id, role=role, client_access=client_access, name=name, successor_id=successor_id,
    )  # fmt: skip
    if form.answer is not None:
        return bool(form.answer["changed"])
    target = member_numbered(session, member.partner_id, member_id)
    wanted = {
        "role": role,
        "client_access": client_access,
        "name": target.name if name is None else name_of(name),
    }
    refuse_stale(session, target, seen)
    if all(getattr(target, what) == value for what, value in wanted.items()):
        form.done(changed=False)
        return False
    if role is not target.role or client_access != target.client_access:
        _refuse_own(session, member, target, stays_administrator=role is Role.ADMINISTRATOR)
    members.change(session, target, by=member, **wanted)
    _hand_over(session, member, target, successor_id)
    form.done(changed=True)
    return True


def deactivate(
    session: Session,
    member: Member,
    member_id: int,
    *,
    successor_id: int | None = None,
    seen: int,
    attempt: str = "",
) -> bool:
    """Afterwards the member is inactive: they may nothing from their next click on, a message that waits for them is
    withdrawn, and the successor looks after every client that they looked after. Whether anything changed.

    `seen`, `attempt` as for `change_member`. Raises NotAllowed, MemberNotFound, StaleMember, LastAdministrator,
    OwnAccess, SuccessorMissing (they look after clients), ResponsibleRefused (the successor cannot); nothing is written
    then.
    """
    members.act(session, member, Permission.MANAGE_MEMBERS)
    form = members.form_sent(session, member, attempt, "deactivate", member_id=member_id, successor_id=successor_id)
    if form.answer is not None:
        return bool(form.answer["changed"])
    target = member_numbered(session, member.partner_id, member_id)
    refuse_stale(session, target, seen)
    if not target.is_active:
        form.done(changed=False)
        return False
    _refuse_own(session, member, target, stays_administrator=False)
    members.change(session, target, by=member, is_active=False)
    _hand_over(session, member, target, successor_id)
    invitations.withdraw_message(session, target)
    form.done(changed=True)
    return True


def bring_back(session: Session, member: Member, member_id: int, *, seen: int, attempt: str = "") -> bool:
    """Afterwards the member is active again, with the role and access they had. Whether anything changed.

    `seen`, `attempt` as for `change_member`. Raises NotAllowed, MemberNotFound, StaleMember; nothing is written then.
    """
    members.act(session, member, Permission.MANAGE_MEMBERS)
    form = members.form_sent(session, member, attempt, "bring back", member_id=member_id)
    if form.answer is not None:
        return bool(form.answer["changed"])
    target = member_numbered(session, member.partner_id, member_id)
    refuse_stale(session, target, seen)
    if target.is_active:
        form.done(changed=False)
        return False
    changed = members.change(session, target, by=member, is_active=True)
    form.done(changed=changed)
    return changed


def release_sign_in(session: Session, member: Member, member_id: int, *, seen: int, attempt: str = "") -> bool:
    """Afterwards no account is the member's: their sign-ins are over at the next click, and the next account with their
    verified e-mail becomes theirs. For a new provider, or a mailbox that somebody else has now. Whether one was.

    `seen`, `attempt` as for `change_member`. Raises NotAllowed, MemberNotFound, StaleMember; nothing is written then.
    """
    members.act(session, member, Permission.MANAGE_MEMBERS)
    form = members.form_sent(session, member, attempt, "release sign-in", member_id=member_id)
    if form.answer is not None:
        return bool(form.answer["changed"])
    target = member_numbered(session, member.partner_id, member_id)
    refuse_stale(session, target, seen)
    if members.account_of(session, target) is None:
        form.done(changed=False)
        return False
    released = members.release_sign_in(session, target, by=member)
    form.done(changed=released)
    return released


def can_look_after(target: Member, *, role: Role, client_access: bool) -> bool:
    """Whether the member could look after clients with this role and access."""
    return members.can_be_responsible(Member(role=role, client_access=client_access, is_active=target.is_active))


def _hand_over(session: Session, member: Member, target: Member, successor_id: int | None) -> None:
    """Afterwards the successor looks after every client of a member who, as they are by now, can look after none.

    Raises SuccessorMissing, ResponsibleRefused; the transaction, with the change before it, is rolled back then.
    """
    if members.can_be_responsible(target):
        return
    clients = subscriptions.responsible_counts(session, target.partner_id).get(target.member_id, 0)
    if not clients:
        return
    if successor_id is None:
        raise SuccessorMissing(name=target.name, clients=clients)
    subscriptions.hand_over(session, member, target.member_id, successor_id)


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
