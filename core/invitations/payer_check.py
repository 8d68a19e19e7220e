"""Whether the messages about who pays fit the clients that they are for: the part of `check` about them."""

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
_FAILED = (
    select(func.max(PayerDeliveryFailure.attempt))
    .where(
        PayerDeliveryFailure.partner_id == PayerMessage.partner_id,
        PayerDeliveryFailure.client_id == PayerMessage.client_id,
        PayerDeliveryFailure.sending == PayerMessage.sending,
    )
    .scalar_subquery()
)
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
        _FAILED.label("failed"),
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
        if row.sent_at is not None and not row.attempts:
            yield f"{which}: sent {row.sent_at}, but no attempt is kept"
        if (row.failed or 0) > row.attempts:
            yield f"{which}: attempt {row.failed} failed, of {row.attempts} that are kept"
