"""What becomes of an invitation: accepted through its link, sent again, revoked, followed by another (rules 13, 14)."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, insert, select
from sqlalchemy.orm import Session

from core import access, bringing_in, defaults, editions, outbox, revisions, subscriptions
from core.access import Permission
from core.catalogue import Catalogue, Price
from core.client_subscription import ClientSubscription
from core.database import now
from core.errors import (
    ClientNotFound,
    InvitationNotPending,
    LinkExpired,
    LinkRevoked,
    LinkUnknown,
    LinkUsed,
    OfferChanged,
    StillInvited,
)
from core.invitation_status import latest_invitation, standing
from core.links import key_of, opens
from core.models import Client, Invitation, Member, Partner
from core.outbox import Delivery
from core.outbox_tables import OutboxMessage
from core.resolution import BillingSettings, Overrides
from core.terms import ClientStatus, InvitationStatus, Origin, Payer

_IS_THERE = select(Client.client_id).where(
    Client.partner_id == bindparam("partner_id"), Client.client_id == bindparam("client_id")
)
_REFUSED = {
    InvitationStatus.ACCEPTED: LinkUsed,
    InvitationStatus.REVOKED: LinkRevoked,
    InvitationStatus.EXPIRED: LinkExpired,
}


@dataclass(frozen=True, slots=True)
class Offered:
    """What the holder of a link is told: who invites whom, what is offered, until when. `price`: None if the
    partner pays."""

    partner: str
    invited_by: str
    client: str
    language: str
    time_zone: str
    message: str
    settings: BillingSettings
    offer: Catalogue
    price: Price | None
    expires_at: datetime
    revision: int


def offered(session: Session, token: str) -> Offered:
    """What this link offers. Raises LinkUnknown, LinkUsed, LinkRevoked, LinkExpired."""
    client, invitation = _opened(session, token)
    partner = session.get_one(Partner, client.partner_id)
    by = session.get_one(Member, (client.partner_id, invitation.invited_by_id))
    held = revisions.history(session, client.partner_id, client.client_id)[0]
    settings = held.settings
    offer = editions.current(session, partner.currency)
    return Offered(
        partner.name, by.name, client.name, client.language, partner.time_zone, invitation.message, settings, offer,
        None if settings.payer is Payer.PARTNER else offer.price(settings), invitation.expires_at,
        held.revision,
    )  # fmt: skip


def accept(session: Session, token: str, *, seen: int | None = None) -> Client:
    """Accept the invitation of this link: the client is active and its subscription starts now; the link is used up.

    `seen` is the revision that was offered on the screen; None: whatever holds will do. Raises LinkUnknown, LinkUsed,
    LinkRevoked, LinkExpired, OfferChanged; nothing is written then.
    """
    key = key_of(token)
    if key is None:
        raise LinkUnknown
    access.take_turn(session, key[0])
    client, invitation = _opened(session, token)
    history = revisions.history(session, client.partner_id, client.client_id)
    held = history[0]
    if seen is not None and held.revision != seen:
        raise OfferChanged
    bound, _ = defaults.bound_and_current(session, client.partner_id, held.defaults_version)
    effective = defaults.resolved(bound, subscriptions.choices_of(held))
    bringing_in.change_invitation(session, invitation, accepted_at=now(session))
    outbox.withdraw(session, client.partner_id, client.client_id)
    revisions.revise(session, client, history, effective, by=None, origin=Origin.SYSTEM, status=ClientStatus.ACTIVE)
    return client


def resend(session: Session, member: Member, client_id: int, *, seen: int) -> None:
    """Send a pending invitation again with a new link; the old link is dead. `seen` counts the messages of this
    invitation that the member saw: asked twice, it is sent once.

    Raises NotAllowed, ClientNotFound, InvitationNotPending.
    """
    shown = _pending(session, member, client_id)
    sent = outbox.deliveries(session, member.partner_id, client_id)
    sendings = [each.sending for each in sent if each.number == shown.invitation.number]
    if max(sendings, default=0) > seen:
        return
    outbox.withdraw(session, member.partner_id, client_id)
    sending = max(sendings, default=0) + 1
    bringing_in.send_invitation(session, member, shown.client, shown.effective, shown.invitation, sending)


def revoke(session: Session, member: Member, client_id: int) -> None:
    """Take a pending invitation back: its link is dead, and a message that waits is not sent.

    Raises NotAllowed, ClientNotFound, InvitationNotPending.
    """
    shown = _pending(session, member, client_id)
    outbox.withdraw(session, member.partner_id, client_id)
    bringing_in.change_invitation(session, shown.invitation, revoked_at=now(session), revoked_by_id=member.member_id)


def invite_again(session: Session, member: Member, client_id: int, *, reason: str = "") -> None:
    """Invite a client whose invitation lapsed or was revoked, with the settings it has; or an archived client, which is
    bound to the defaults in force now, its exceptions cleared (kept where no defaults are saved).

    Raises NotAllowed, ClientNotFound, StillInvited, RetiredDefaults, ChoiceRefused.
    """
    access.act(session, member, Permission.INVITE)
    shown = subscriptions.detail(session, member, client_id)
    can_be = shown.status is ClientStatus.ARCHIVED or (
        shown.status is ClientStatus.INVITED and shown.invitation_status is not InvitationStatus.PENDING
    )
    if not can_be:
        raise StillInvited(name=shown.client.name)
    effective = shown.effective
    if shown.status is ClientStatus.ARCHIVED:
        overrides = shown.overrides if shown.current is None else Overrides()
        effective = bringing_in.bindable(session, member, shown.current, overrides)
        revisions.revise(
            session, shown.client, shown.history, effective, by=member, origin=Origin.PAGE, reason=reason,
            status=ClientStatus.INVITED,
        )  # fmt: skip
    number = shown.invitation.number + 1
    row = bringing_in.invitation_row(session, member, client_id, number, message=shown.invitation.message)
    session.execute(insert(Invitation), row)
    outbox.withdraw(session, member.partner_id, client_id)
    bringing_in.send_invitation(session, member, shown.client, effective, Invitation(**row), 1)


def deliveries(session: Session, member: Member, client_id: int) -> tuple[Delivery, ...]:
    """How the delivery of each message to the client went, newest first. Raises NotAllowed, ClientNotFound."""
    access.require(member, Permission.READ_CLIENTS)
    _refuse_unseen(session, member, client_id)
    return outbox.deliveries(session, member.partner_id, client_id)


def waiting_message(session: Session, member: Member, client_id: int) -> OutboxMessage | None:
    """The message that waits for the client, its link in it: only for those who may invite.

    Raises NotAllowed, ClientNotFound.
    """
    access.require(member, Permission.INVITE)
    _refuse_unseen(session, member, client_id)
    invitation = latest_invitation(session, member.partner_id, client_id)
    if standing(invitation, now(session)) is not InvitationStatus.PENDING:
        return None
    return outbox.waiting(session, member.partner_id, client_id)


def _refuse_unseen(session: Session, member: Member, client_id: int) -> None:
    """Raise ClientNotFound unless the member sees this client."""
    whose = {"partner_id": member.partner_id, "client_id": client_id}
    sees = access.sees_every_client(member) and 0 < client_id < 2**31
    if not sees or session.connection().execute(_IS_THERE, whose).first() is None:
        raise ClientNotFound(client_id=str(client_id))


def _pending(session: Session, member: Member, client_id: int) -> ClientSubscription:
    access.act(session, member, Permission.INVITE)
    shown = subscriptions.detail(session, member, client_id)
    if shown.invitation_status is not InvitationStatus.PENDING:
        raise InvitationNotPending(name=shown.client.name)
    return shown


def _opened(session: Session, token: str) -> tuple[Client, Invitation]:
    """The client and the invitation of a link that still can be used."""
    key = key_of(token)
    invitation = None if key is None else session.get(Invitation, key)
    if invitation is None or not opens(token, invitation.token_hash):
        raise LinkUnknown
    status = standing(invitation, now(session))
    if status is not InvitationStatus.PENDING:
        raise _REFUSED[status]
    return session.get_one(Client, (invitation.partner_id, invitation.client_id)), invitation
