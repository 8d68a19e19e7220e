"""An invitation: where it stands, by its instants alone (rule 14: a lapse needs no job), and its link.

A link carries a token: the invitation's key, so that it is found, and a secret, so that it is not guessed. What is
stored of a token is its hash; the token itself is only in a message that waits.
"""

from datetime import datetime
from hashlib import sha256
from hmac import compare_digest
from secrets import token_urlsafe
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from core.invitations.tables import Invitation
from core.words import InvitationStatus

LINK_PAGE = "accept"
LINK_PARAMETER = "invitation"
_SECRET_BYTES = 24  # 192 bits that nobody can guess

_LATEST = (
    select(Invitation)
    .where(Invitation.partner_id == bindparam("partner_id"), Invitation.client_id == bindparam("client_id"))
    .order_by(Invitation.number.desc())
    .limit(1)
)


def latest_invitation(session: Session, partner_id: int, client_id: int) -> Invitation:
    """The newest invitation of a client. Asks no permission: use cases do."""
    return session.scalars(_LATEST, {"partner_id": partner_id, "client_id": client_id}).one()


def change_invitation(session: Session, invitation: Invitation, **values: Any) -> None:
    """Afterwards the invitation has these values."""
    session.execute(
        update(Invitation)
        .where(
            Invitation.partner_id == invitation.partner_id,
            Invitation.client_id == invitation.client_id,
            Invitation.number == invitation.number,
        )
        .values(**values)
        .execution_options(synchronize_session=False)
    )


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


def link(public_url: str, token: str) -> str:
    """The address that a client opens to accept the invitation of this token."""
    return f"{public_url.rstrip('/')}/{LINK_PAGE}?{LINK_PARAMETER}={token}"


def new_token(partner_id: int, client_id: int, number: int) -> str:
    """A token for an invitation: its key, so that it is found, and a secret, so that it is not guessed."""
    return f"{partner_id}.{client_id}.{number}.{token_urlsafe(_SECRET_BYTES)}"


def key_of(token: str) -> tuple[int, int, int] | None:
    """The key of the invitation a token names: partner, client, number; None for what is no token."""
    parts = token.split(".")
    numbers = [int(part) for part in parts[:3] if part.isascii() and part.isdecimal() and len(part) < 10]
    if len(parts) != 4 or len(numbers) != 3 or not parts[3]:
        return None
    return numbers[0], numbers[1], numbers[2]


def hash_of(token: str) -> str:
    """What is stored of a token."""
    return sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def opens(token: str, token_hash: str | None) -> bool:
    """Whether this is the token of that hash."""
    return token_hash is not None and compare_digest(hash_of(token), token_hash)
