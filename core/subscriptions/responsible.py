"""Who looks after a client: a member, no setting; a change is immediate and has a history of its own (rule 52)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, exists, func, insert, literal, or_, select, update
from sqlalchemy.orm import Session, aliased

from core import members
from core.members import Member, Permission
from core.storage import LARGEST_NUMBER, allow_minutes, execute_many, now_after, one_of
from core.subscriptions.clients import visible
from core.subscriptions.tables import Client, Responsible, Subscription
from core.words import Origin, ResponsibleUnknown, ResponsibleWithoutAccess, StaleResponsible, fold, note_text

_PARTNER = bindparam("of_partner", type_=Responsible.partner_id.type)
_CLIENT = bindparam("of_client", type_=Responsible.client_id.type)
_FROM = bindparam("from_member", type_=Responsible.member_id.type)
_TO = bindparam("to_member", type_=Responsible.member_id.type)
_MOMENT = bindparam("moment", type_=Responsible.valid_from.type)

_OF_CLIENT = (Responsible.partner_id == _PARTNER, Responsible.client_id == _CLIENT)
_OF_MEMBER = (Responsible.partner_id == _PARTNER, Responsible.member_id == _FROM, Responsible.valid_to.is_(None))
_DECIDED_BY = aliased(Member)
_HISTORY = (
    select(
        Responsible.member_id,
        Member.name,
        Responsible.valid_from,
        Responsible.valid_to,
        _DECIDED_BY.name,
        Responsible.changed_by_id,
        Responsible.origin,
        Responsible.reason,
    )
    .join(Member, (Member.partner_id == Responsible.partner_id) & (Member.member_id == Responsible.member_id))
    .outerjoin(
        _DECIDED_BY,
        (_DECIDED_BY.partner_id == Responsible.partner_id) & (_DECIDED_BY.member_id == Responsible.changed_by_id),
    )
    .where(*_OF_CLIENT)
    .order_by(Responsible.valid_from)
)
_CLOSE = update(Responsible).where(*_OF_CLIENT, Responsible.valid_to.is_(None)).values(valid_to=_MOMENT)
_NEXT = insert(Responsible)
_NOT_PAST = or_(Subscription.valid_to.is_(None), Subscription.valid_to > _MOMENT)  # it holds, or it waits
_COPY = (
    update(Subscription)
    .where(Subscription.partner_id == _PARTNER, Subscription.client_id == _CLIENT, Subscription.may_hold, _NOT_PAST)
    .values(responsible_id=_TO)
)
_LOOKS_AFTER_SOMEBODY = exists().where(
    Responsible.partner_id == Member.partner_id,
    Responsible.member_id == Member.member_id,
    Responsible.valid_to.is_(None),
)
_MEMBERS = select(Member, _LOOKS_AFTER_SOMEBODY).where(Member.partner_id == _PARTNER)
_ONE = _MEMBERS.where(Member.member_id == bindparam("of_member")).execution_options(populate_existing=True)
_COUNTS = (
    select(Responsible.member_id, func.count().label("clients"))
    .where(Responsible.partner_id == _PARTNER, Responsible.valid_to.is_(None))
    .group_by(Responsible.member_id)
)

_NOW = (
    select(Client.client_id, Client.name, Responsible.member_id)
    .join(Client, (Client.partner_id == Responsible.partner_id) & (Client.client_id == Responsible.client_id))
    .where(
        Responsible.partner_id == _PARTNER,
        one_of(Responsible.client_id, "clients"),
        Responsible.valid_to.is_(None),
    )
    .order_by(Client.client_id)
)
_LAST_GIVEN = select(func.max(Responsible.valid_from)).where(Responsible.partner_id == _PARTNER)

# a hand-over: three statements, however many clients
_NEWEST = select(func.max(Responsible.valid_from)).where(*_OF_MEMBER)
_CLOSE_ALL = update(Responsible).where(*_OF_MEMBER).values(valid_to=_MOMENT)
_STILL_OPEN = aliased(Responsible)
_NEXT_OF_ALL = insert(Responsible).from_select(
    ["partner_id", "client_id", "valid_from", "member_id", "changed_by_id", "origin", "reason"],
    select(
        Responsible.partner_id,
        Responsible.client_id,
        _MOMENT,
        _TO,
        bindparam("by", type_=Responsible.changed_by_id.type),
        literal(Origin.BULK, Responsible.origin.type),
        bindparam("why", type_=Responsible.reason.type),
    ).where(
        Responsible.partner_id == _PARTNER,
        Responsible.member_id == _FROM,
        Responsible.valid_to == _MOMENT,
        ~exists().where(
            _STILL_OPEN.partner_id == _PARTNER,
            _STILL_OPEN.client_id == Responsible.client_id,
            _STILL_OPEN.valid_to.is_(None),
        ),  # one closed at the same instant by an earlier change has the next one already
    ),
)
_COPY_TO_ALL = (
    update(Subscription)
    .where(Subscription.partner_id == _PARTNER, Subscription.responsible_id == _FROM, Subscription.may_hold, _NOT_PAST)
    .values(responsible_id=_TO)
)


@dataclass(frozen=True, slots=True)
class ResponsibleSince:
    """Who looked after a client from `valid_from` (UTC) until `valid_to` (None: does so now), who decided it and why.

    `before` is who did until then; None for the first one.
    """

    member_id: int
    name: str
    valid_from: datetime
    valid_to: datetime | None
    changed_by: str | None  # None: the product itself, when it gave each client its first one
    changed_by_id: int | None
    origin: Origin
    reason: str
    before: str | None = None
    before_id: int | None = None


@dataclass(frozen=True, slots=True)
class ResponsibleMember:
    """A member who can look after clients, or does: `can_be_chosen` for a client now, `has_clients` already."""

    member_id: int
    name: str
    email: str
    can_be_chosen: bool
    has_clients: bool


def responsible_history(session: Session, member: Member, client_id: int) -> tuple[ResponsibleSince, ...]:
    """Everyone who looked after a client, newest first: the first of them does now. Raises NotAllowed,
    ClientNotFound."""
    visible(session, member, client_id)
    return _history(session, member.partner_id, client_id)


def responsible_members(session: Session, member: Member) -> tuple[ResponsibleMember, ...]:
    """The members who can look after clients, and those who do, by name; for an accountant, only themselves.

    Raises NotAllowed.
    """
    members.require(member, Permission.READ_CLIENTS)
    found = session.execute(_MEMBERS, {"of_partner": member.partner_id}).all()
    every = [
        ResponsibleMember(each.member_id, each.name, each.email, members.can_be_responsible(each), has_clients)
        for each, has_clients in found
        if has_clients or members.can_be_responsible(each)
    ]
    seen = [each for each in every if members.reads_all_clients(member) or each.member_id == member.member_id]
    return tuple(sorted(seen, key=lambda each: (fold(each.name), each.member_id)))


def responsible_counts(session: Session, partner_id: int) -> dict[int, int]:
    """How many clients each member looks after now, by the member's number; who looks after none is not in it.

    Asks no permission: use cases do.
    """
    return {row.member_id: row.clients for row in session.execute(_COUNTS, {"of_partner": partner_id})}


def require_responsible(session: Session, partner_id: int, responsible_id: int) -> str:
    """The name of the member with this number, who can look after clients.

    Asked within the partner's turn it stays so until the transaction ends. Raises ResponsibleUnknown,
    ResponsibleWithoutAccess.
    """
    found = None
    if 0 < responsible_id <= LARGEST_NUMBER:
        found = session.scalar(_ONE, {"of_partner": partner_id, "of_member": responsible_id})
    if found is None:
        raise ResponsibleUnknown(who=str(responsible_id))
    if not members.can_be_responsible(found):
        raise ResponsibleWithoutAccess(name=found.name)
    name: str = found.name
    return name


def change_responsible(
    session: Session,
    member: Member,
    client_id: int,
    responsible_id: int,
    *,
    seen: int,
    reason: str = "",
    attempt: str = "",
) -> ResponsibleSince:
    """Afterwards this member looks after the client, an archived one too, at once. Returns who does now.

    `seen` is the number of the member who was shown as looking after it. `attempt` names one drawn form: the same one
    sent twice is one change (members.form_sent). One that changes nothing leaves no trace.
    Raises NotAllowed, ClientNotFound, StaleResponsible, ResponsibleUnknown, ResponsibleWithoutAccess, BadInput; nothing
    is written then.
    """
    members.act(session, member, Permission.CHANGE_RESPONSIBLE)
    reason = note_text("reason", reason)
    client = visible(session, member, client_id)
    form = members.form_sent(
        session, member, attempt, "change responsible",
        client_id=client_id, responsible_id=responsible_id, reason=reason,
    )  # fmt: skip
    past = _history(session, member.partner_id, client_id)
    if form.answer is not None:  # the history has one more for each change
        number: int = form.answer["number"]
        return past[-number]
    held = past[0]
    if held.member_id != seen:
        raise _stale(client, held)
    if held.member_id == responsible_id:
        form.done(number=len(past))
        return held
    name = require_responsible(session, member.partner_id, responsible_id)
    after = ResponsibleSince(
        member_id=responsible_id,
        name=name,
        valid_from=now_after(session, held.valid_from),
        valid_to=None,
        changed_by=member.name,
        changed_by_id=member.member_id,
        origin=Origin.PAGE,
        reason=reason,
        before=held.name,
        before_id=held.member_id,
    )
    _replace(session, client, after)
    form.done(number=len(past) + 1)
    return after


def hand_over(session: Session, member: Member, from_id: int, to_id: int, *, reason: str = "") -> int:
    """Afterwards one member looks after every client, archived ones too, that the other looked after; how many.

    For a member who leaves. The caller holds the partner's turn (members.act), as this is a part of another change.
    Its statements are as many for one client as for a million. Raises NotAllowed, ResponsibleUnknown,
    ResponsibleWithoutAccess, BadInput; nothing is written then.
    """
    members.require(member, Permission.CHANGE_RESPONSIBLE)
    reason = note_text("reason", reason)
    allow_minutes(session)
    require_responsible(session, member.partner_id, to_id)
    asked: dict[str, Any] = {"of_partner": member.partner_id, "from_member": from_id, "to_member": to_id}
    newest = session.scalar(_NEWEST, asked)
    if newest is None or from_id == to_id:
        return 0
    asked |= {"moment": now_after(session, newest), "by": member.member_id, "why": reason}
    closed = session.connection().execute(_CLOSE_ALL, asked).rowcount
    session.connection().execute(_NEXT_OF_ALL, asked)
    session.connection().execute(_COPY_TO_ALL, asked)
    return closed


def looked_after(session: Session, partner_id: int, clients: Sequence[int]) -> list[tuple[int, str, int]]:
    """Of these clients, by their numbers: number, name, and the member who looks after each now. Asks no permission:
    use cases do."""
    rows = session.execute(_NOW, {"of_partner": partner_id, "clients": clients})
    return [(client_id, name, member_id) for client_id, name, member_id in rows]


def last_given(session: Session, partner_id: int) -> datetime | None:
    """When somebody began to look after a client of the partner last."""
    return session.scalar(_LAST_GIVEN, {"of_partner": partner_id})


def give_all(
    session: Session,
    by: Member,
    clients: Sequence[tuple[int, int]],
    *,
    moment: datetime,
    reason: str,
    batch: int,
) -> None:
    """Afterwards each of these clients, by its number, is looked after by the member of the number beside it, who can
    (require_responsible) and did not until now. The partner's turn is held, and `moment` is later than whatever was
    decided of them."""
    whose = [{"of_partner": by.partner_id, "of_client": client_id, "moment": moment} for client_id, _ in clients]
    given = {
        "partner_id": by.partner_id,
        "valid_from": moment,
        "changed_by_id": by.member_id,
        "origin": Origin.BULK,
        "reason": reason,
        "batch": batch,
    }
    connection = session.connection()
    execute_many(connection, _CLOSE, whose)
    execute_many(connection, _NEXT, [given | {"client_id": client_id, "member_id": to} for client_id, to in clients])
    execute_many(connection, _COPY, [of | {"to_member": to} for of, (_, to) in zip(whose, clients, strict=True)])


def _history(session: Session, partner_id: int, client_id: int) -> tuple[ResponsibleSince, ...]:
    in_turn: list[ResponsibleSince] = []
    for row in session.connection().execute(_HISTORY, {"of_partner": partner_id, "of_client": client_id}):
        since = ResponsibleSince(*row)
        before = in_turn[-1] if in_turn else None
        in_turn.append(replace(since, before=before.name, before_id=before.member_id) if before else since)
    return tuple(reversed(in_turn))


def _replace(session: Session, client: Client, after: ResponsibleSince) -> None:
    """Close who looked after the client, begin who does from now on, and keep the copy in the list in step."""
    whose = {"of_partner": client.partner_id, "of_client": client.client_id}
    connection = session.connection()
    connection.execute(_CLOSE, whose | {"moment": after.valid_from})
    connection.execute(
        _NEXT,
        {
            "partner_id": client.partner_id,
            "client_id": client.client_id,
            "valid_from": after.valid_from,
            "member_id": after.member_id,
            "changed_by_id": after.changed_by_id,
            "origin": after.origin,
            "reason": after.reason,
        },
    )
    connection.execute(_COPY, whose | {"to_member": after.member_id, "moment": after.valid_from})


def _stale(client: Client, held: ResponsibleSince) -> StaleResponsible:
    return StaleResponsible(
        client=client.name, responsible=held.name, changed_by=held.changed_by, changed_at=held.valid_from
    )
