"""What the holder of an invitation's link is offered, and accepting it: the subscription starts then (rule 13)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from core import catalogue, members, subscriptions
from core.catalogue import Catalogue, Price
from core.invitations import outbox
from core.invitations.invitation import change_invitation, key_of, opens, standing
from core.invitations.tables import Invitation
from core.members import Member, Partner
from core.storage import now
from core.subscriptions import Client
from core.words import (
    BillingSettings,
    InvitationStatus,
    LinkExpired,
    LinkRevoked,
    LinkUnknown,
    LinkUsed,
    OfferChanged,
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

    @property
    def shown(self) -> "Shown":
        """What accepting it must name as `seen`."""
        return _shown(self.settings, self.offer)


@dataclass(frozen=True, slots=True)
class Shown:
    """What the holder of a link agrees to: these settings, who pays among them, at this price by the price list of this
    number (both None if the partner pays, whose prices the client is not shown)."""

    settings: BillingSettings
    price: Price | None
    price_list: int | None


def offered(session: Session, token: str) -> Offered:
    """What this link offers. Raises LinkUnknown, LinkUsed, LinkRevoked, LinkExpired."""
    client, invitation = _opened(session, token)
    partner = session.get_one(Partner, client.partner_id)
    by = session.get_one(Member, (client.partner_id, invitation.invited_by_id))
    settings = subscriptions.history(session, client.partner_id, client.client_id)[0].settings
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
        price=_shown(settings, offer).price,
        expires_at=invitation.expires_at,
    )


def accept(session: Session, token: str, *, seen: Shown | None = None) -> Client:
    """Accept the invitation of this link: the client is active and its subscription starts now; the link is used up,
    and the price that was accepted is kept with the invitation.

    `seen` is what was offered on the screen (Offered.shown); None: whatever holds will do. Nobody changes the client or
    loads a catalogue while it is compared (the partner's turn). Where the client pays, a price list that began since
    asks again, also at the same price: it is the one that the client buys by (rules 38 and 40). What leaves all that as
    it was shown stops nobody: names and what is sold beside it, other defaults with the same values.
    Raises LinkUnknown, LinkUsed, LinkRevoked, LinkExpired, OfferChanged; nothing is written then.
    """
    key = key_of(token)
    if key is None:
        raise LinkUnknown
    members.take_turn(session, key[0])
    client, invitation = _opened(session, token)
    held = subscriptions.history(session, client.partner_id, client.client_id)[0]
    partner = session.get_one(Partner, client.partner_id)
    accepted = _shown(held.settings, catalogue.current(session, partner))
    if seen is not None and accepted != seen:
        raise OfferChanged
    outbox.withdraw(session, client.partner_id, client.client_id)
    started = subscriptions.start(session, partner, client)
    change_invitation(session, invitation, accepted_at=started.valid_from, **_kept(accepted.price))
    return client


def _shown(settings: BillingSettings, offer: Catalogue) -> Shown:
    if settings.payer is Payer.PARTNER:
        return Shown(settings, None, None)
    return Shown(settings, offer.price(settings, held=settings), offer.prices.number)


def _kept(price: Price | None) -> dict[str, Any]:
    """The columns of an accepted price."""
    if price is None:
        return {}
    return {
        "accepted_cents": price.cents,
        "accepted_currency": price.currency,
        "accepted_billing_period": price.billing_period,
    }


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
