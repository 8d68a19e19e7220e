"""Where an invitation stands, told by its instants alone: a lapse needs no job (rule 14)."""

from datetime import datetime

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from core.models import Invitation
from core.terms import InvitationStatus

_LATEST = (
    select(Invitation)
    .where(Invitation.partner_id == bindparam("partner_id"), Invitation.client_id == bindparam("client_id"))
    .order_by(Invitation.number.desc())
    .limit(1)
)


def latest_invitation(session: Session, partner_id: int, client_id: int) -> Invitation:
    """The newest invitation of a client. Asks no permission: use cases do."""
    return session.scalars(_LATEST, {"partner_id": partner_id, "client_id": client_id}).one()


def standing(invitation: Invitation, moment: datetime) -> InvitationStatus:
    """Where an invitation stands at a moment (UTC)."""
    return standing_of(invitation.accepted_at, invitation.revoked_at, invitation.expires_at, moment)


def standing_of(
    accepted_at: datetime | None, revoked_at: datetime | None, expires_at: datetime, moment: datetime
) -> InvitationStatus:
    """The same, from the instants."""
    if accepted_at is not None:
        return InvitationStatus.ACCEPTED
    if revoked_at is not None:
        return InvitationStatus.REVOKED
    return InvitationStatus.EXPIRED if moment >= expires_at else InvitationStatus.PENDING
