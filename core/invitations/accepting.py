"""What the holder of an invitation's link is offered, and accepting it: the subscription starts then (rule 13)."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from core import catalogue, defaults, members, subscriptions
from core.catalogue import Catalogue, Price
from core.defaults import choices
from core.invitations import outbox
from core.invitations.invitation import change_invitation, key_of, opens, standing
from core.invitations.tables import Invitation
from core.members import Member, Partner
from core.storage import now
from core.subscriptions import Client
from core.words import (
    BillingSettings,
    ClientStatus,
    InvitationStatus,
    LinkExpired,
    LinkRevoked,
    LinkUnknown,
    LinkUsed,
    OfferChanged,
    Origin,
    Payer,
)

_REFUSED = {
    InvitationStatus.ACCEPTED: LinkUsed,
    InvitationStatus.REVOKED: LinkRevoked,
    InvitationStatus.EXPIRED: LinkExpired,
}


@dataclass(frozen=True, slots=True)
class Offered:
    """What the holder of a link is shown: who invites whom, what is offered, until when. `price`: None if the
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
    held = subscriptions.history(session, client.partner_id, client.client_id)[0]
    settings = held.settings
    offer = catalogue.current(session, partner)
    return Offered(
        partner=partner.name,
        invited_by=by.name,
        client=client.name,
        language=client.language,
        time_zone=partner.time_zone,
        message=invitation.message,
        settings=settings,
        offer=offer,
        price=None if settings.payer is Payer.PARTNER else offer.price(settings, held=settings),
        expires_at=invitation.expires_at,
        revision=held.revision,
    )


def accept(session: Session, token: str, *, seen: int | None = None) -> Client:
    """Accept the invitation of this link: the client is active and its subscription starts now; the link is used up.

    `seen` is the revision that was offered on the screen; None: whatever holds will do. Raises LinkUnknown, LinkUsed,
    LinkRevoked, LinkExpired, OfferChanged; nothing is written then.
    """
    key = key_of(token)
    if key is None:
        raise LinkUnknown
    members.take_turn(session, key[0])
    client, invitation = _opened(session, token)
    held = subscriptions.history(session, client.partner_id, client.client_id)[0]
    if seen is not None and held.revision != seen:
        raise OfferChanged
    bound, _ = defaults.bound_and_current(session, client.partner_id, held.defaults_version)
    effective = defaults.effective_settings(bound, choices(held.settings, held.overridden))
    change_invitation(session, invitation, accepted_at=now(session))
    outbox.withdraw(session, client.partner_id, client.client_id)
    subscriptions.revise(session, client, held, effective, by=None, origin=Origin.SYSTEM, status=ClientStatus.ACTIVE)
    return client


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
