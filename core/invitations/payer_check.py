"""Whether the messages about who pays fit the clients that they are for, and whether any message left or failed without
being tried: parts of `check`."""

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from core.invitations.tables import PayerDeliveryFailure, PayerMessage
from core.subscriptions import Client, Subscription

_TOLD = exists().where(
    Subscription.partner_id == PayerMessage.partner_id,
    Subscription.client_id == PayerMessage.client_id,
    Subscription.valid_from == PayerMessage.paid_from,
    Subscription.payer == PayerMessage.payer,
)


def last_failure(failures: Any, messages: Any) -> Any:
    """The number of the last attempt of a message that failed, as a column beside those of `messages`."""
    key = [column.name for column in messages.__table__.primary_key]
    same = [getattr(failures, name) == getattr(messages, name) for name in key]
    return select(func.max(failures.attempt)).where(*same).correlate(messages).scalar_subquery()


_MESSAGES = (
    select(
        PayerMessage.partner_id,
        PayerMessage.client_id,
        PayerMessage.sending,
        PayerMessage.payer,
        PayerMessage.paid_from,
        PayerMessage.recipient,
        PayerMessage.attempts,
        PayerMessage.next_attempt_at,
        PayerMessage.sent_at,
        Client.email,
        _TOLD.label("is_told"),
        last_failure(PayerDeliveryFailure, PayerMessage).label("failed"),
    )
    .join(Client, (Client.partner_id == PayerMessage.partner_id) & (Client.client_id == PayerMessage.client_id))
    .order_by(PayerMessage.partner_id, PayerMessage.client_id, PayerMessage.sending)
    .execution_options(yield_per=1000)
)


def payer_differences(session: Session) -> Iterator[str]:
    """One sentence per difference about messages that tell who pays, in every partner space; none when all is well.

    Checks that those of a client are numbered without gap, that one waits at most, for the address that the client has,
    that each tells what a revision says or said, and that whatever left or failed was tried.
    """
    rows = session.execute(_MESSAGES)
    for (partner_id, client_id), messages in groupby(rows, lambda row: (row.partner_id, row.client_id)):
        yield from _of_one(f"partner {partner_id}, client {client_id}", list(messages))


def _of_one(where: str, messages: list[Any]) -> Iterator[str]:
    waiting = sum(row.next_attempt_at is not None for row in messages)
    if waiting > 1:
        yield f"{where}: {waiting} messages about who pays wait"
    for number, row in enumerate(messages, 1):
        which = f"{where}, message {row.sending} about who pays"
        if row.sending != number:
            yield f"{which}: expected {number}"
        if row.next_attempt_at is not None and row.recipient != row.email:
            yield f"{which}: waits for {row.recipient!r}, its client's address is {row.email!r}"
        if not row.is_told:
            yield f"{which}: says {row.payer} from {row.paid_from}, which no revision does"
        yield from untried(which, row)


def untried(message: str, row: Any) -> Iterator[str]:
    """What left without an attempt that is kept, or failed more often than it was tried."""
    if row.sent_at is not None and not row.attempts:
        yield f"{message}: sent {row.sent_at}, but no attempt is kept"
    if (row.failed or 0) > (row.attempts or 0):
        yield f"{message}: attempt {row.failed} failed, of {row.attempts or 0} that are kept"
