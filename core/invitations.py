"""Bringing a client in: the invitation binds it to the defaults in force, with its exceptions (rules 3, 4, 7 to 9)."""

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from core import access, defaults
from core.access import Permission
from core.bringing_in import bindable, bring_in, next_numbers
from core.errors import AlreadyClient
from core.invitation_status import latest_invitation
from core.models import Client, Member
from core.new_client import NewClient
from core.resolution import EffectiveSettings, Overrides
from core.terms import Origin
from core.text import note_text

_PARTNER = bindparam("partner_id", type_=Client.partner_id.type)
_KNOWN = select(Client).where(Client.partner_id == _PARTNER, Client.email == bindparam("email"))


def preview(session: Session, member: Member, overrides: Overrides = Overrides()) -> EffectiveSettings:  # noqa: B008 - frozen
    """What a client invited now with these overrides would get.

    Raises NotAllowed, NoDefaults, RetiredDefaults, ChoiceRefused.
    """
    access.require(member, Permission.INVITE)
    return bindable(session, member, defaults.latest(session, member.partner_id), overrides)


def invite(
    session: Session,
    member: Member,
    new_client: NewClient,
    overrides: Overrides = Overrides(),  # noqa: B008 - frozen
    *,
    reason: str = "",
    attempt: str = "",
    seen_version: int | None = None,
    origin: Origin = Origin.PAGE,
) -> Client:
    """Invite a client: it is bound to the version in force now, with these overrides; its invitation is pending, and
    the message with its link waits in the outbox.

    `attempt` names one filled-in form: the same one sent twice gives the client it made the first time. `seen_version`
    is the defaults version that the member was shown; None: whichever is in force will do.
    Raises NotAllowed, AlreadyClient, StaleDefaults, NoDefaults, RetiredDefaults, ChoiceRefused, BadInput; nothing is
    written then.
    """
    access.act(session, member, Permission.INVITE)
    reason = note_text("reason", reason)
    known = session.scalar(_KNOWN, {"partner_id": member.partner_id, "email": new_client.email})
    if known is not None:
        invitation = latest_invitation(session, member.partner_id, known.client_id)
        if attempt and invitation.attempt == attempt:
            return known
        raise AlreadyClient(client_id=known.client_id, name=known.name, invited_on=invitation.invited_at)
    in_force = defaults.latest(session, member.partner_id)
    if seen_version is not None and in_force is not None and in_force.version != seen_version:
        raise defaults.stale(in_force)
    effective = bindable(session, member, in_force, overrides)
    last, _ = next_numbers(session, member, clients=1, batches=0)
    (brought_in,) = bring_in(
        session, member, [(new_client, effective)], first=last, origin=origin, reason=reason, attempt=attempt
    )
    return Client(**brought_in)
