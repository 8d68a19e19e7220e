"""The outbox: messages wait here from the transaction that makes an invitation until they are sent or given up."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import token_hex
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.orm import Session

from core.invitations.tables import DeliveryFailure, Invitation, OutboxMessage
from core.members import Member, Partner
from core.storage import action_of, now
from core.subscriptions import Client
from core.words import DeliveryStatus

GIVEN_UP_AFTER = timedelta(days=1)
LEASE = timedelta(minutes=10)  # an attempt that says nothing for this long was killed: the message is due again
_FIRST_PAUSE = timedelta(minutes=1)
_LONGEST_PAUSE = timedelta(hours=4)

_NEW = insert(OutboxMessage)
_WHOSE = (
    OutboxMessage.partner_id == bindparam("of_partner", type_=OutboxMessage.partner_id.type),
    OutboxMessage.client_id == bindparam("of_client", type_=OutboxMessage.client_id.type),
)
_SENT = (
    select(OutboxMessage, Member.name)
    .join(Member, (Member.partner_id == OutboxMessage.partner_id) & (Member.member_id == OutboxMessage.queued_by_id))
    .where(*_WHOSE)
    .order_by(OutboxMessage.number.desc(), OutboxMessage.sending.desc())
    .execution_options(populate_existing=True)
)
_FAILED = (
    select(DeliveryFailure.number, DeliveryFailure.sending, DeliveryFailure.failed_at, DeliveryFailure.said)
    .where(DeliveryFailure.partner_id == bindparam("of_partner"), DeliveryFailure.client_id == bindparam("of_client"))
    .order_by(DeliveryFailure.attempt)
)
_ENDED = {"token": None, "next_attempt_at": None}


@dataclass(frozen=True, slots=True)
class Delivery:
    """How the delivery of one message went: when it was queued and by whom, what failed, how it ended."""

    number: int
    sending: int
    recipient: str
    queued_at: datetime
    queued_by: str
    attempts: int
    next_attempt_at: datetime | None
    status: DeliveryStatus
    ended_at: datetime | None
    failures: tuple[tuple[datetime, str], ...]


def new_message(
    session: Session, member: Member, key: tuple[int, int, int], sending: int, recipient: str, token: str
) -> dict[str, Any]:
    """A message for `queue`, due at once: what waits is the token of the link and who it is for."""
    partner_id, client_id, number = key
    host = urlsplit(action_of(session).deployment.public_url).hostname or "localhost"
    return {
        "partner_id": partner_id,
        "client_id": client_id,
        "number": number,
        "sending": sending,
        "message_id": f"<{token_hex(16)}@{host}>",
        "recipient": recipient,
        "token": token,
        "queued_by_id": member.member_id,
        "queued_at": now(session),
        "next_attempt_at": now(session),
        "attempts": 0,
    }


def queue(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Afterwards these messages wait, exactly when the transaction commits."""
    session.connection().execute(_NEW, rows)


def withdraw(session: Session, partner_id: int, client_id: int) -> None:
    """Afterwards nothing waits for this client: its link died, or was used."""
    session.connection().execute(
        update(OutboxMessage)
        .where(*_WHOSE, OutboxMessage.token.is_not(None))
        .values(**_ENDED, withdrawn_at=bindparam("moment")),
        {"of_partner": partner_id, "of_client": client_id, "moment": now(session)},
    )


def waiting(session: Session, partner_id: int, client_id: int) -> OutboxMessage | None:
    """The message that waits for a client. Asks no permission: use cases do."""
    return session.scalar(
        select(OutboxMessage).where(*_WHOSE, OutboxMessage.token.is_not(None)),
        {"of_partner": partner_id, "of_client": client_id},
    )


def deliveries(session: Session, partner_id: int, client_id: int) -> tuple[Delivery, ...]:
    """How the delivery of each message to a client went, newest first. Asks no permission: use cases do."""
    whose = {"of_partner": partner_id, "of_client": client_id}
    sent = session.execute(_SENT, whose).all()
    failed: dict[tuple[int, int], list[tuple[datetime, str]]] = {}
    if any(message.attempts > 1 or (message.attempts and message.sent_at is None) for message, _ in sent):
        for number, sending, failed_at, said in session.execute(_FAILED, whose):
            failed.setdefault((number, sending), []).append((failed_at, said))
    return tuple(_delivery(message, by, failed.get((message.number, message.sending), [])) for message, by in sent)


def claim(session: Session, partner_id: int, client_id: int | None = None) -> OutboxMessage | None:
    """A due message of this partner (and client), claimed: no other deliverer gets it while the attempt runs (LEASE).

    It goes to the address that the client has now. None when none is due. A message whose invitation lapsed meanwhile
    is given up.
    """
    moment = now(session)
    due = (
        select(OutboxMessage, Invitation.expires_at, Client.email)
        .join(
            Invitation,
            (Invitation.partner_id == OutboxMessage.partner_id)
            & (Invitation.client_id == OutboxMessage.client_id)
            & (Invitation.number == OutboxMessage.number),
        )
        .join(Client, (Client.partner_id == OutboxMessage.partner_id) & (Client.client_id == OutboxMessage.client_id))
        .where(OutboxMessage.partner_id == partner_id, OutboxMessage.next_attempt_at <= moment)
        .order_by(OutboxMessage.next_attempt_at)
        .limit(1)
        .with_for_update(skip_locked=True, of=OutboxMessage)
        .execution_options(populate_existing=True)
    )
    if client_id is not None:
        due = due.where(OutboxMessage.client_id == client_id)
    while (found := session.execute(due).first()) is not None:
        message, expires_at, email = found
        if expires_at > moment:
            attempt = message.attempts + 1
            _change(session, message, attempts=attempt, next_attempt_at=moment + LEASE, recipient=email)
            session.expunge(message)
            message.attempts, message.recipient = attempt, email
            return message
        _change(session, message, **_ENDED, given_up_at=moment)
    return None


def partners_with_due(session: Session) -> list[int]:
    """The partners for whom a message is due."""
    some = (
        select(OutboxMessage.partner_id)
        .where(OutboxMessage.partner_id == Partner.partner_id, OutboxMessage.next_attempt_at <= now(session))
        .exists()
    )
    return list(session.scalars(select(Partner.partner_id).where(some).order_by(Partner.partner_id)))


def record_sent(session: Session, message: OutboxMessage) -> None:
    """Afterwards the message is known as sent, and its token is gone."""
    _change(session, message, **_ENDED, sent_at=now(session))


def record_failure(session: Session, message: OutboxMessage, said: str, *, is_final: bool) -> bool:
    """Keep the server's words; try again after a growing pause, or give up. Whether it was given up.

    An attempt that was overtaken (its lease ended and another deliverer took the message) changes nothing else.
    """
    moment = now(session)
    attempt = message.attempts
    session.execute(insert(DeliveryFailure), {**_key(message), "attempt": attempt, "failed_at": moment, "said": said})
    first = session.scalar(
        select(DeliveryFailure.failed_at)
        .where(*_of(DeliveryFailure, message))
        .order_by(DeliveryFailure.attempt)
        .limit(1)
    )
    pause = min(_FIRST_PAUSE * 2 ** min(attempt - 1, 16), _LONGEST_PAUSE)
    gives_up = is_final or moment + pause >= (first or moment) + GIVEN_UP_AFTER
    values: dict[str, Any] = {**_ENDED, "given_up_at": moment} if gives_up else {"next_attempt_at": moment + pause}
    changed = _change(session, message, OutboxMessage.attempts == attempt, OutboxMessage.token.is_not(None), **values)
    return gives_up and changed


def _change(session: Session, message: OutboxMessage, *conditions: Any, **values: Any) -> bool:
    changed = session.execute(
        update(OutboxMessage)
        .where(*_of(OutboxMessage, message), *conditions)
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    return bool(changed.rowcount)  # type: ignore[attr-defined]


def _of(table: Any, message: OutboxMessage) -> list[Any]:
    return [getattr(table, name) == value for name, value in _key(message).items()]


def _key(message: OutboxMessage) -> dict[str, int]:
    return {
        "partner_id": message.partner_id, "client_id": message.client_id, "number": message.number,
        "sending": message.sending,
    }  # fmt: skip


def _delivery(message: OutboxMessage, by: str, failures: list[tuple[datetime, str]]) -> Delivery:
    status, ended_at = DeliveryStatus.WAITING, None
    for instant, meaning in (
        (message.withdrawn_at, DeliveryStatus.WITHDRAWN),
        (message.given_up_at, DeliveryStatus.GIVEN_UP),
        (message.sent_at, DeliveryStatus.SENT),
    ):
        if instant is not None:
            status, ended_at = meaning, instant
    return Delivery(
        message.number, message.sending, message.recipient, message.queued_at, by, message.attempts,
        message.next_attempt_at, status, ended_at, tuple(failures),
    )  # fmt: skip
