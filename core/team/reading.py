"""What an administrator sees of the team: the table, one member, and what was changed by whom."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session, aliased

from core import invitations, members, subscriptions
from core.invitations import Delivery, WaitingMessage
from core.members import Member, MemberChange, MemberSignIn, Permission
from core.words import MemberFact, MemberNotFound, StaleMember, fold


@dataclass(frozen=True, slots=True)
class ListedMember:
    """A row of the table. `clients`: how many they look after. `message`: the newest one to the member, None
    where none was ever sent."""

    member: Member
    clients: int
    message: Delivery | None


@dataclass(frozen=True, slots=True)
class PastChange:
    """One change of a member: when and by whom (None: from a shell), and each fact from what to what, as stored.

    `number` counts the changes of the member: the newest one's is what a change must name as `seen`.
    """

    member_id: int
    name: str
    number: int
    changed_at: datetime
    changed_by: str | None
    facts: tuple[tuple[MemberFact, str | None, str | None], ...]


@dataclass(frozen=True, slots=True)
class MemberDetail:
    """One member: every message to them and how its delivery went, and every change, both newest first.

    `clients`: how many they look after. `account`: with which they sign in, None before the first time. `waiting`: the
    message that has not left yet.
    """

    member: Member
    clients: int
    account: MemberSignIn | None
    deliveries: tuple[Delivery, ...]
    waiting: WaitingMessage | None
    history: tuple[PastChange, ...]

    @property
    def seen(self) -> int:
        """What a change must name as `seen`."""
        return self.history[0].number if self.history else 0


_BY = aliased(Member)
_CHANGES = select(MemberChange.member_id, MemberChange.number).where(
    MemberChange.partner_id == bindparam("partner_id", type_=MemberChange.partner_id.type)
)


def listed(session: Session, member: Member) -> list[ListedMember]:
    """Every member, the active ones first, each group by name as it sorts. Raises NotAllowed."""
    members.require(member, Permission.MANAGE_MEMBERS)
    messages = invitations.newest_messages(session, member.partner_id)
    clients = subscriptions.responsible_counts(session, member.partner_id)
    everyone = members.of_partner(session, member.partner_id)
    return [
        ListedMember(each, clients.get(each.member_id, 0), messages.get(each.member_id))
        for each in sorted(everyone, key=_order)
    ]


def detail(session: Session, member: Member, member_id: int) -> MemberDetail:
    """Everything about one member. Raises NotAllowed, MemberNotFound."""
    members.require(member, Permission.MANAGE_MEMBERS)
    target = member_numbered(session, member.partner_id, member_id)
    asked = {"partner_id": member.partner_id, "member_id": member_id}
    return MemberDetail(
        member=target,
        clients=subscriptions.responsible_counts(session, member.partner_id).get(member_id, 0),
        account=members.account_of(session, target),
        deliveries=invitations.messages_to(session, member.partner_id, member_id),
        waiting=invitations.waiting_for_member(session, target),
        history=_changes(session, _CHANGES.where(MemberChange.member_id == bindparam("member_id")), asked),
    )


def history(session: Session, member: Member, *, limit: int = 50) -> tuple[PastChange, ...]:
    """The newest changes of all members, newest first, at most `limit`. Raises NotAllowed."""
    members.require(member, Permission.MANAGE_MEMBERS)
    return _changes(session, _CHANGES, {"partner_id": member.partner_id}, limit)


def member_numbered(session: Session, partner_id: int, member_id: int) -> Member:
    """The member with this number, as they are now. Raises MemberNotFound."""
    target = members.find(session, partner_id, member_id)
    if target is None:
        raise MemberNotFound(member_id=str(member_id))
    return target


def refuse_stale(session: Session, target: Member, seen: int) -> None:
    """Raise StaleMember if the member was changed since `seen`, the number of the change that was shown as newest."""
    newest = members.newest_change(session, target.partner_id, target.member_id)
    if newest is not None and newest.number != seen:
        raise StaleMember(name=target.name, changed_by=newest.changed_by, changed_at=newest.changed_at)


def _changes(session: Session, which: Any, asked: dict[str, int], limit: int | None = None) -> tuple[PastChange, ...]:
    """These changes, newest first; those of one instant in the order they were made of each member."""
    newest = (
        which.group_by(MemberChange.member_id, MemberChange.number)
        .order_by(func.max(MemberChange.changed_at).desc(), MemberChange.number.desc(), MemberChange.member_id.desc())
        .limit(limit)
        .subquery()
    )
    rows = session.execute(
        select(MemberChange, Member.name, _BY.name)
        .join(newest, (newest.c.member_id == MemberChange.member_id) & (newest.c.number == MemberChange.number))
        .join(Member, (Member.partner_id == MemberChange.partner_id) & (Member.member_id == MemberChange.member_id))
        .outerjoin(_BY, (_BY.partner_id == MemberChange.partner_id) & (_BY.member_id == MemberChange.changed_by_id))
        .where(MemberChange.partner_id == bindparam("partner_id"))
        .order_by(MemberChange.changed_at.desc(), MemberChange.number.desc(), MemberChange.member_id.desc()),
        asked,
    )
    return tuple(_change(group) for _, group in groupby(rows, lambda row: (row[0].member_id, row[0].number)))


def _change(rows: Iterable[Any]) -> PastChange:
    (first, name, by), *others = rows
    facts = sorted([first, *(row[0] for row in others)], key=lambda fact: list(MemberFact).index(fact.what))
    return PastChange(
        member_id=first.member_id,
        name=name,
        number=first.number,
        changed_at=first.changed_at,
        changed_by=by,
        facts=tuple((fact.what, fact.before, fact.after) for fact in facts),
    )


def _order(member: Member) -> tuple[bool, str, int]:
    return (not member.is_active, fold(member.name), member.member_id)
