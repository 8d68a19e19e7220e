"""Telling an active client that it pays (rule 30): at the decision, with the day from which it does; and taking that
back.

A change that waits for the renewal is told when it is decided: nothing runs at a renewal (rule 25), and whoever is to
pay has until then to ask. A message that still waits is withdrawn when what it says is decided otherwise. One that left
is replaced by another; if the client does not become the payer after all, by one that says so, until the day it named
is over. Nobody else is told: a client that stops paying later is told by its charges.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from core import members, subscriptions
from core.invitations import outbox
from core.invitations.outbox import Delivery
from core.invitations.tables import PayerMessage
from core.members import Member, Permission
from core.storage import now
from core.subscriptions import Client, Decision, Known, Revision, held_at, local_date
from core.words import (
    ActivityKind,
    BillingPeriod,
    ClientStatus,
    DeliveryStatus,
    NothingToTellAgain,
    Payer,
    StaleMessage,
    note_text,
)


class _Takeover(NamedTuple):
    """That the client pays for this from a renewal on (None: it pays already, for whatever it has)."""

    paid_from: datetime | None = None
    plan: str = ""
    add_ons: frozenset[str] = frozenset()
    billing_period: BillingPeriod | None = None


def to_tell_again(session: Session, client: Client, every: tuple[Delivery, ...]) -> Delivery | None:
    """The newest of these messages about who pays, if it was given up and what it says is so, or is going to be; None:
    there is nothing to send again."""
    if not every or every[0].status is not DeliveryStatus.GIVEN_UP:
        return None
    given_up = every[0]
    assert given_up.paid_from is not None  # noqa: S101 - it is about who pays
    history = subscriptions.history(session, client.partner_id, client.client_id)
    held = held_at(history, max(now(session), given_up.paid_from))
    is_so = held is not None and held.status is ClientStatus.ACTIVE and held.settings.payer is given_up.payer
    return given_up if is_so else None


def tell_again(
    session: Session, member: Member, client_id: int, *, seen: int, reason: str = "", attempt: str = ""
) -> None:
    """Afterwards the message about who pays that was given up waits anew, for the address that the client has now.
    `seen` counts the messages about who pays that the member saw; the reason is kept with the message. The same form
    (`attempt`) sent twice sends it once.

    Raises NotAllowed, ClientNotFound, StaleMessage, NothingToTellAgain, BadInput; nothing is written then.
    """
    members.act(session, member, Permission.INVITE)
    reason = note_text("reason", reason)
    form = members.form_sent(session, member, attempt, "tell who pays again", client_id=client_id, reason=reason)
    if form.answer is not None:
        return
    client = subscriptions.visible(session, member, client_id)
    every = outbox.deliveries(session, client.partner_id, client.client_id, PayerMessage)
    if len(every) > seen:
        raise StaleMessage(name=client.name, changed_by=every[0].queued_by, changed_at=every[0].queued_at)
    if to_tell_again(session, client, every) is None:
        raise NothingToTellAgain(name=client.name)
    _tell_anew(session, member, client, every, reason)
    members.note_activity(session, member.partner_id, member, ActivityKind.PAYER_TOLD_AGAIN, client_id=client_id)
    form.done()


def follow_address(session: Session, by: Member, client: Client) -> None:
    """Afterwards the message about who pays that waits for this client, or was given up, waits for the address that the
    client has now. Asks no permission: use cases do."""
    every = outbox.deliveries(session, client.partner_id, client.client_id, PayerMessage)
    if every and every[0].status in (DeliveryStatus.WAITING, DeliveryStatus.GIVEN_UP):
        _tell_anew(session, by, client, every)


def _tell_anew(session: Session, by: Member, client: Client, every: Sequence[Delivery], reason: str = "") -> None:
    """Afterwards a message waits that says what the newest of these says; that one does not wait any more."""
    payer, paid_from = every[0].payer, every[0].paid_from
    assert payer is not None  # noqa: S101 - it is about who pays
    assert paid_from is not None  # noqa: S101 - the same
    outbox.withdraw(session, client.partner_id, client.client_id, PayerMessage)
    outbox.queue(session, [_message(session, by, client, every, payer, paid_from, reason)], PayerMessage)


def _follow_decisions(session: Session, decisions: Sequence[Decision]) -> None:
    """The clients are told what these decisions make them pay, and what is not so any more."""
    ended, changed = [], []
    for decision in decisions:
        if decision.by is None or decision.held_before.status is not ClientStatus.ACTIVE:
            continue
        if decision.held.status is not ClientStatus.ACTIVE:
            ended.append(decision.client.client_id)
        elif _takes_over(decision) != _took_over(decision):
            changed.append(decision)
    if not ended and not changed:
        return
    partner_id, clients = decisions[0].client.partner_id, [each.client.client_id for each in changed]
    sent = outbox.deliveries_of(session, partner_id, clients, PayerMessage) if clients else {}
    outbox.withdraw_all(session, partner_id, [*ended, *clients], PayerMessage)
    rows = []
    for decision in changed:
        every = sent.get(decision.client.client_id, ())
        if (told := _to_be_told(decision, every)) is not None:
            assert decision.by is not None  # noqa: S101 - nobody is told of others, above
            rows.append(_message(session, decision.by, decision.client, every, *told))
    if rows:
        outbox.queue(session, rows, PayerMessage)


subscriptions.when_decided(_follow_decisions)


def _took_over(decision: Decision) -> _Takeover | None:
    return _takeover(decision.held_before, decision.pending_before)


def _takes_over(decision: Decision) -> _Takeover | None:
    return _takeover(decision.held, decision.pending)


def _to_be_told(decision: Decision, every: Sequence[Delivery]) -> tuple[Payer, datetime] | None:
    """Who pays, from when, by the message that is due now; None: none is."""
    assert decision.by is not None  # noqa: S101 - as for who asks
    after = _takes_over(decision)
    if after is not None:
        return Payer.CLIENT, after.paid_from or decision.held.valid_from
    if _was_told(decision.by, every, decision.moment):
        return Payer.PARTNER, decision.held.valid_from
    return None


def _takeover(held: Revision, pending: Revision | None) -> _Takeover | None:
    """None: the client is not the payer, and does not become it."""
    if held.settings.payer is Payer.CLIENT:
        return _Takeover()
    if pending is None or pending.status is not ClientStatus.ACTIVE or pending.settings.payer is not Payer.CLIENT:
        return None
    wanted = pending.settings
    return _Takeover(pending.valid_from, wanted.plan, wanted.add_ons, wanted.billing_period)


def _was_told(by: Member, every: Sequence[Delivery], moment: datetime) -> bool:
    """Whether the client was told that it pays from today on, or from a day to come."""
    last = next((each for each in every if each.may_have_left), None)
    if last is None or last.payer is not Payer.CLIENT or last.paid_from is None:
        return False
    zone = by.partner.time_zone
    return local_date(last.paid_from, zone) >= local_date(moment, zone)


def _message(
    session: Session,
    by: Member,
    client: Known,
    every: Sequence[Delivery],
    payer: Payer,
    paid_from: datetime,
    reason: str = "",
) -> dict[str, Any]:
    """The next message to the client, which tells this."""
    sending = max((each.sending for each in every), default=0) + 1
    return outbox.new_payer_message(session, by, client, sending, payer, paid_from, reason=reason)
