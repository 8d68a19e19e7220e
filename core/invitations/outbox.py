"""The outbox: messages wait here from the transaction that makes them until they are sent, given up or withdrawn.

There are three kinds, to invited clients, to clients about who pays, and to members, each in a table of its own; they
are claimed, sent, tried again and given up by the same code (`_Kind` says in what they differ).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from secrets import token_hex
from typing import Any, TypeVar
from urllib.parse import urlsplit

from sqlalchemy import bindparam, case, exists, func, insert, or_, select, update
from sqlalchemy.orm import Session

from core import subscriptions
from core.invitations.deliveries import Delivery, delivery
from core.invitations.tables import (
    DeliveryFailure,
    Invitation,
    MemberDeliveryFailure,
    MemberMessage,
    Message,
    OutboxMessage,
    PayerDeliveryFailure,
    PayerMessage,
)
from core.members import Member, Partner
from core.storage import action_of, execute_many, now, one_of
from core.subscriptions import Client, Known, Subscription
from core.words import ClientStatus, Payer

GIVEN_UP_AFTER = timedelta(days=1)
LEASE = timedelta(minutes=10)  # an attempt that says nothing for this long was killed: the message is due again
_FIRST_PAUSE = timedelta(minutes=1)
_LONGEST_PAUSE = timedelta(hours=4)
Only = tuple[Collection[type[Message]], int]  # messages of these kinds, to this client or member
_Waiting = TypeVar("_Waiting", bound=Message)


@dataclass(frozen=True, slots=True)
class _Kind:
    """Messages of one table: `whom` is the column of who gets them, `key` names its primary key, `ended` is what is so
    of one that waits no more; the rest are the statements that are run on them."""

    table: type[Any]
    failures: type[Any]
    whom: Any
    key: tuple[str, ...]
    ended: Mapping[str, None]
    insert: Any
    waiting: Any
    withdraw: Any
    sent: Any
    failed: Any
    due: Any


def _kind(
    table: type[Any],
    failures: type[Any],
    whom: str,
    *,
    joined: Sequence[tuple[type[Any], Any]],
    address: Any,
    is_void: Any,
    ended: Mapping[str, None],
) -> _Kind:
    """`whom` names the column of who gets the message; for `joined`, `address` and `is_void` see `_due`."""
    key = tuple(column.name for column in table.__table__.primary_key)
    column = getattr(table, whom)
    whose = (
        table.partner_id == bindparam("of_partner", type_=table.partner_id.type),
        column == bindparam("of_whom", type_=column.type),
    )
    of_many = (
        table.partner_id == bindparam("of_partner", type_=table.partner_id.type),
        one_of(column, "of_whom"),
    )
    waits = table.next_attempt_at.is_not(None)
    ends = {**ended, "withdrawn_at": bindparam("moment", type_=table.withdrawn_at.type)}
    return _Kind(
        table=table,
        failures=failures,
        whom=column,
        key=key,
        ended=ended,
        insert=insert(table),
        waiting=select(table).where(*whose, waits),
        # said so that SQLite looks up the few by their keys and does not walk all that waits of the partner
        withdraw=update(table).where(*of_many, func.coalesce(table.next_attempt_at, None).is_not(None)).values(**ends),
        sent=(
            select(*table.__table__.columns, Member.name.label("queued_by"))
            .join(Member, (Member.partner_id == table.partner_id) & (Member.member_id == table.queued_by_id))
            .where(*of_many)
            .order_by(*(getattr(table, name).desc() for name in key[2:]))
        ),
        failed=(
            select(failures)
            .where(
                failures.partner_id == bindparam("of_partner"),
                one_of(getattr(failures, whom), "of_whom"),
            )
            .order_by(failures.attempt)
        ),
        due=_due(table, joined, address, is_void),
    )


def _due(table: type[Any], joined: Sequence[tuple[type[Any], Any]], address: Any, is_void: Any) -> Any:
    """The message that is due first, locked; with its `address`, and whether it `is_void`: would say nothing any more.
    Both are read from the tables that are joined, each with its condition."""
    due = select(table, is_void.label("is_void"), address.label("address")).select_from(table)
    for other, condition in joined:
        due = due.join(other, condition)
    return (
        due.where(
            table.partner_id == bindparam("of_partner"),
            table.next_attempt_at <= bindparam("moment", type_=table.next_attempt_at.type),
        )
        .order_by(table.next_attempt_at)
        .limit(1)
        .with_for_update(skip_locked=True, of=table)
        .execution_options(populate_existing=True)
    )


_TO_CLIENTS = _kind(
    OutboxMessage,
    DeliveryFailure,
    "client_id",
    joined=[
        (
            Invitation,
            (Invitation.partner_id == OutboxMessage.partner_id)
            & (Invitation.client_id == OutboxMessage.client_id)
            & (Invitation.number == OutboxMessage.number),
        ),
        (Client, (Client.partner_id == OutboxMessage.partner_id) & (Client.client_id == OutboxMessage.client_id)),
    ],
    address=Client.email,
    is_void=Invitation.expires_at <= bindparam("moment", type_=Invitation.expires_at.type),
    ended={"token": None, "next_attempt_at": None},
)
_TO_MEMBERS = _kind(
    MemberMessage,
    MemberDeliveryFailure,
    "member_id",
    joined=[(Member, (Member.partner_id == MemberMessage.partner_id) & (Member.member_id == MemberMessage.member_id))],
    address=Member.email,
    is_void=Member.is_active.is_(False),
    ended={"next_attempt_at": None},
)
_AT = case(  # what it says has to be so when it begins, or when it leaves if that is later
    (PayerMessage.paid_from > bindparam("moment", type_=PayerMessage.paid_from.type), PayerMessage.paid_from),
    else_=bindparam("moment", type_=PayerMessage.paid_from.type),
)
_ABOUT_PAYERS = _kind(
    PayerMessage,
    PayerDeliveryFailure,
    "client_id",
    joined=[(Client, (Client.partner_id == PayerMessage.partner_id) & (Client.client_id == PayerMessage.client_id))],
    address=Client.email,
    is_void=~exists().where(
        Subscription.partner_id == PayerMessage.partner_id,
        Subscription.client_id == PayerMessage.client_id,
        Subscription.status == ClientStatus.ACTIVE,
        Subscription.payer == PayerMessage.payer,
        subscriptions.holds_then(at=_AT),
    ),
    ended={"next_attempt_at": None},
)
_KINDS: dict[type[Message], _Kind] = {
    OutboxMessage: _TO_CLIENTS,
    PayerMessage: _ABOUT_PAYERS,
    MemberMessage: _TO_MEMBERS,
}


def new_message(
    session: Session,
    member: Member,
    key: tuple[int, int, int],
    sending: int,
    recipient: str,
    token: str,
    *,
    reason: str = "",
) -> dict[str, Any]:
    """A client's message for `queue`, due at once: what waits is the token of the link and who it is for. `reason`: why
    it is sent again."""
    partner_id, client_id, number = key
    return {
        "partner_id": partner_id,
        "client_id": client_id,
        "number": number,
        "sending": sending,
        "token": token,
        "reason": reason,
        **_due_at_once(session, member, recipient),
    }


def new_member_message(session: Session, by: Member, member_id: int, sending: int, recipient: str) -> dict[str, Any]:
    """A member's message for `queue`, due at once."""
    return {
        "partner_id": by.partner_id,
        "member_id": member_id,
        "sending": sending,
        **_due_at_once(session, by, recipient),
    }


def new_payer_message(
    session: Session,
    by: Member,
    client: Known,
    sending: int,
    payer: Payer,
    paid_from: datetime,
    *,
    reason: str = "",
) -> dict[str, Any]:
    """A message for `queue` that tells a client who pays, due at once. `reason`: why it is sent again."""
    return {
        "partner_id": client.partner_id,
        "client_id": client.client_id,
        "sending": sending,
        "payer": payer,
        "paid_from": paid_from,
        "reason": reason,
        **_due_at_once(session, by, client.email),
    }


def queue(session: Session, rows: Sequence[dict[str, Any]], kind: type[Message] = OutboxMessage) -> None:
    """Afterwards these messages wait, exactly when the transaction commits."""
    execute_many(session.connection(), _KINDS[kind].insert, rows)


def withdraw(session: Session, partner_id: int, whom: int, kind: type[Message] = OutboxMessage) -> None:
    """Afterwards nothing waits for this client (its link died, or was used) or this member."""
    withdraw_all(session, partner_id, [whom], kind)


def withdraw_all(session: Session, partner_id: int, whom: Sequence[int], kind: type[Message] = OutboxMessage) -> None:
    """The same for many."""
    session.connection().execute(
        _KINDS[kind].withdraw, {"of_partner": partner_id, "of_whom": whom, "moment": now(session)}
    )


def waiting(session: Session, partner_id: int, whom: int, kind: type[_Waiting]) -> _Waiting | None:
    """The message of this kind that waits for a client or a member. Asks no permission: use cases do."""
    found: _Waiting | None = session.scalar(_KINDS[kind].waiting, {"of_partner": partner_id, "of_whom": whom})
    return found


def deliveries(
    session: Session, partner_id: int, whom: int, kind: type[Message] = OutboxMessage
) -> tuple[Delivery, ...]:
    """How the delivery of each message to a client or a member went, newest first. Asks no permission: use cases do."""
    return deliveries_of(session, partner_id, [whom], kind).get(whom, ())


def deliveries_of(
    session: Session, partner_id: int, whom: Sequence[int], kind: type[Message]
) -> dict[int, tuple[Delivery, ...]]:
    """The same of many, by the number of each who got any."""
    of, whose = _KINDS[kind], {"of_partner": partner_id, "of_whom": whom}
    sent = session.execute(of.sent, whose).all()
    failed: dict[tuple[Any, ...], list[tuple[datetime, str]]] = {}
    if any(message.attempts > 1 or (message.attempts and message.sent_at is None) for message in sent):
        for failure in session.scalars(of.failed, whose):
            failed.setdefault(_values(failure, of), []).append((failure.failed_at, failure.said))
    found: dict[int, list[Delivery]] = {}
    for message in sent:
        failures = failed.get(_values(message, of), ()) if failed else ()
        found.setdefault(getattr(message, of.whom.key), []).append(delivery(message, message.queued_by, failures))
    return {to: tuple(every) for to, every in found.items()}


def claim(
    session: Session, partner_id: int, only: tuple[Collection[type[Message]], int] | None = None
) -> Message | None:
    """A due message of this partner, claimed: no other deliverer gets it while the attempt runs (LEASE).

    `only`: of these kinds and to this client or member. It goes to the address that they have now. None when none is
    due. A message whose invitation lapsed meanwhile, whose member is inactive, or that tells of a payer who does not
    pay any more, is given up.
    """
    moment = now(session)
    for table, kind in _KINDS.items():
        due = kind.due
        if only is not None:
            if table not in only[0]:
                continue
            due = due.where(kind.whom == only[1])
        while (found := session.execute(due, {"of_partner": partner_id, "moment": moment}).first()) is not None:
            message: Any = found[0]
            if found.is_void:
                _change(session, message, **kind.ended, given_up_at=moment)
                continue
            attempt, address = message.attempts + 1, found.address
            _change(session, message, attempts=attempt, next_attempt_at=moment + LEASE, recipient=address)
            session.expunge(message)
            message.attempts, message.recipient = attempt, address
            claimed: Message = message
            return claimed
    return None


def partners_with_due(session: Session) -> list[int]:
    """The partners for whom a message is due."""
    some = [
        exists().where(kind.table.partner_id == Partner.partner_id, kind.table.next_attempt_at <= now(session))
        for kind in _KINDS.values()
    ]
    return list(session.scalars(select(Partner.partner_id).where(or_(*some)).order_by(Partner.partner_id)))


def record_sent(session: Session, message: Message) -> None:
    """Afterwards the message is known as sent, and what waited of it is gone."""
    _change(session, message, **_KINDS[type(message)].ended, sent_at=now(session))


def record_failure(session: Session, message: Message, said: str, *, is_final: bool) -> bool:
    """Keep the server's words; try again after a growing pause, or give up. Whether it was given up.

    An attempt that was overtaken (its lease ended and another deliverer took the message) changes nothing else.
    """
    kind, moment, attempt = _KINDS[type(message)], now(session), message.attempts
    failure = {**_key(message, kind), "attempt": attempt, "failed_at": moment, "said": said}
    session.execute(insert(kind.failures), failure)
    first = session.scalar(
        select(kind.failures.failed_at)
        .where(*_of(kind.failures, message, kind))
        .order_by(kind.failures.attempt)
        .limit(1)
    )
    pause = min(_FIRST_PAUSE * 2 ** min(attempt - 1, 16), _LONGEST_PAUSE)
    gives_up = is_final or moment + pause >= (first or moment) + GIVEN_UP_AFTER
    values: dict[str, Any] = {**kind.ended, "given_up_at": moment} if gives_up else {"next_attempt_at": moment + pause}
    still = (kind.table.attempts == attempt, kind.table.next_attempt_at.is_not(None))
    changed = _change(session, message, *still, **values)
    return gives_up and changed


def _due_at_once(session: Session, by: Member, recipient: str) -> dict[str, Any]:
    moment = now(session)
    return {
        "message_id": f"<{token_hex(16)}@{_host(action_of(session).deployment.public_url)}>",
        "recipient": recipient,
        "queued_by_id": by.member_id,
        "queued_at": moment,
        "next_attempt_at": moment,
        "attempts": 0,
    }


@lru_cache(maxsize=16)
def _host(url: str) -> str:
    return urlsplit(url).hostname or "localhost"


def _change(session: Session, message: Message, *conditions: Any, **values: Any) -> bool:
    kind = _KINDS[type(message)]
    changed = session.execute(
        update(kind.table)
        .where(*_of(kind.table, message, kind), *conditions)
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    return bool(changed.rowcount)  # type: ignore[attr-defined]


def _of(table: Any, message: Message, kind: _Kind) -> list[Any]:
    return [getattr(table, name) == value for name, value in _key(message, kind).items()]


def _key(row: Any, kind: _Kind) -> dict[str, int]:
    return {name: getattr(row, name) for name in kind.key}


def _values(row: Any, kind: _Kind) -> tuple[int, ...]:
    return tuple(_key(row, kind).values())
