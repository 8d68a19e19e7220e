"""Telling an active client that it pays (rule 30): at the decision, with the day from which it does; and taking that
back.

A change that waits for the renewal is told when it is decided: nothing runs at a renewal (rule 25), and whoever is to
pay has until then to ask. A message that still waits is withdrawn when what it says is decided otherwise. One that left
is replaced by another; if the client does not become the payer after all, by one that says so, until the day it named
is over. Nobody else is told: a client that stops paying later is told by its charges.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from core import members, subscriptions
from core.invitations import outbox
from core.invitations.outbox import Delivery
from core.invitations.tables import PayerMessage
from core.members import Member, Permission
from core.storage import now
from core.subscriptions import Client, Decision, Revision, held_at, local_date
from core.words import BillingPeriod, ClientStatus, DeliveryStatus, NothingToTellAgain, Payer, StaleMessage


@dataclass(frozen=True, slots=True)
class _Takeover:
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


def tell_again(session: Session, member: Member, client_id: int, *, seen: int, attempt: str = "") -> None:
    """Afterwards the message about who pays that was given up waits anew, for the address that the client has now.
    `seen` counts the messages about who pays that the member saw. The same form (`attempt`) sent twice sends it once.

    Raises NotAllowed, ClientNotFound, StaleMessage, NothingToTellAgain; nothing is written then.
    """
    members.act(session, member, Permission.INVITE)
    form = members.form_sent(session, member, attempt, "tell who pays again", client_id=client_id)
    if form.answer is not None:
        return
    client = subscriptions.visible(session, member, client_id)
    every = outbox.deliveries(session, client.partner_id, client.client_id, PayerMessage)
    if len(every) > seen:
        raise StaleMessage(name=client.name, changed_by=every[0].queued_by, changed_at=every[0].queued_at)
    found = to_tell_again(session, client, every)
    if found is None:
        raise NothingToTellAgain(name=client.name)
    assert found.payer is not None  # noqa: S101 - it is about who pays
    assert found.paid_from is not None  # noqa: S101 - the same
    _tell(session, member, client, every, found.payer, found.paid_from)
    form.done()


def follow_address(session: Session, by: Member, client: Client) -> None:
    """Afterwards the message about who pays that waits for this client, or was given up, waits for the address that the
    client has now. Asks no permission: use cases do."""
    every = outbox.deliveries(session, client.partner_id, client.client_id, PayerMessage)
    for newest in every[:1]:
        if newest.status in (DeliveryStatus.WAITING, DeliveryStatus.GIVEN_UP):
            assert newest.payer is not None  # noqa: S101 - it is about who pays
            assert newest.paid_from is not None  # noqa: S101 - the same
            _tell(session, by, client, every, newest.payer, newest.paid_from)


def _follow_decision(session: Session, decision: Decision) -> None:
    """The client is told what this decision makes it pay, and what is not so any more."""
    client, by = decision.client, decision.by
    if by is None or decision.held_before.status is not ClientStatus.ACTIVE:
        return
    if decision.held.status is not ClientStatus.ACTIVE:
        outbox.withdraw(session, client.partner_id, client.client_id, PayerMessage)
        return
    before = _takeover(decision.held_before, decision.pending_before)
    after = _takeover(decision.held, decision.pending)
    if after == before:
        return
    every = outbox.deliveries(session, client.partner_id, client.client_id, PayerMessage)
    if after is not None:
        _tell(session, by, client, every, Payer.CLIENT, after.paid_from or decision.held.valid_from)
    elif _was_told(by, every, decision.moment):
        _tell(session, by, client, every, Payer.PARTNER, decision.held.valid_from)
    else:
        outbox.withdraw(session, client.partner_id, client.client_id, PayerMessage)


subscriptions.when_decided(_follow_decision)


def _takeover(held: Revision, pending: Revision | None) -> _Takeover | None:
    """None: the client is not the payer, and does not become it."""
    if held.settings.payer is Payer.CLIENT:
        return _Takeover()
    if pending is None or pending.status is not ClientStatus.ACTIVE or pending.settings.payer is not Payer.CLIENT:
        return None
    wanted = pending.settings
    return _Takeover(pending.valid_from, wanted.plan, wanted.add_ons, wanted.billing_period)


def _was_told(by: Member, every: tuple[Delivery, ...], moment: datetime) -> bool:
    """Whether the client was told that it pays from today on, or from a day to come."""
    last = next((each for each in every if each.may_have_left), None)
    if last is None or last.payer is not Payer.CLIENT or last.paid_from is None:
        return False
    zone = by.partner.time_zone
    return local_date(last.paid_from, zone) >= local_date(moment, zone)


def _tell(
    session: Session, by: Member, client: Client, every: tuple[Delivery, ...], payer: Payer, paid_from: datetime
) -> None:
    """Afterwards this message waits, and no other about who pays."""
    outbox.withdraw(session, client.partner_id, client.client_id, PayerMessage)
    sending = max((each.sending for each in every), default=0) + 1
    row = outbox.new_payer_message(session, by, client, sending, payer, paid_from)
    outbox.queue(session, [row], PayerMessage)
