"""How the delivery of a message went."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from core.words import DeliveryStatus, Payer


class Delivery(NamedTuple):
    """How the delivery of one message went: when it was queued and by whom, what failed, how it ended. `number` is that
    of the client's invitation; None: it is another message. `payer`: who pays, by a message that tells it, and
    `paid_from` (UTC) since when. `reason`: why it was sent again, as somebody typed it."""

    number: int | None
    sending: int
    recipient: str
    queued_at: datetime
    queued_by: str
    attempts: int
    next_attempt_at: datetime | None
    status: DeliveryStatus
    ended_at: datetime | None
    failures: tuple[tuple[datetime, str], ...] = ()
    payer: Payer | None = None
    paid_from: datetime | None = None
    reason: str = ""

    @property
    def may_have_left(self) -> bool:
        """Whether it may have reached the recipient: it was sent, or of an attempt nobody knows how it ended."""
        return self.status is DeliveryStatus.SENT or self.attempts > len(self.failures)


def delivery(message: Any, by: str, failures: Sequence[tuple[datetime, str]] = ()) -> Delivery:
    """How the delivery of this message went, which `by` queued."""
    status, ended_at = DeliveryStatus.WAITING, None
    for instant, meaning in (
        (message.withdrawn_at, DeliveryStatus.WITHDRAWN),
        (message.given_up_at, DeliveryStatus.GIVEN_UP),
        (message.sent_at, DeliveryStatus.SENT),
    ):
        if instant is not None:
            status, ended_at = meaning, instant
    return Delivery(
        getattr(message, "number", None), message.sending, message.recipient, message.queued_at, by, message.attempts,
        message.next_attempt_at, status, ended_at, tuple(failures), getattr(message, "payer", None),
        getattr(message, "paid_from", None), getattr(message, "reason", ""),
    )  # fmt: skip
