"""What a member sees and does of an invitation that was made: send it again, revoke it, invite again (rule 14)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, func, insert, select, update
from sqlalchemy.orm import Session, aliased

from core import defaults, members, subscriptions
from core.catalogue import Price
from core.defaults import SetVersion
from core.invitations import letters, outbox, payer_letters, payer_messages
from core.invitations.invitation import change_invitation, hash_of, latest_invitation, new_token, standing
from core.invitations.inviting import bindable, new_invitation
from core.invitations.letters import Letter
from core.invitations.outbox import Delivery
from core.invitations.tables import Invitation, Message, OutboxMessage, PayerMessage
from core.members import Member, Permission
from core.storage import now, one_of
from core.subscriptions import Client, Decision
from core.words import (
    ActivityKind,
    ClientStatus,
    ForgottenClient,
    InvitationNotPending,
    InvitationStatus,
    Overrides,
    StaleMessage,
    StillInvited,
    note_text,
)

_NEWER = aliased(Invitation)
_REVOKE = (  # the newest invitation of each of these clients, if it is pending
    update(Invitation)
    .where(
        Invitation.partner_id == bindparam("of_partner", type_=Invitation.partner_id.type),
        one_of(Invitation.client_id, "clients"),
        Invitation.accepted_at.is_(None),
        Invitation.revoked_at.is_(None),
        Invitation.expires_at > bindparam("moment", type_=Invitation.expires_at.type),
        Invitation.number
        == select(func.max(_NEWER.number))
        .where(_NEWER.partner_id == Invitation.partner_id, _NEWER.client_id == Invitation.client_id)
        .scalar_subquery(),
    )
    .values(revoked_at=bindparam("moment", type_=Invitation.expires_at.type), revoked_by_id=bindparam("by"))
)


@dataclass(frozen=True, slots=True)
class PastInvitation:
    """One time a client was asked in: by whom and why, who revoked it (None: nobody), and the price that the client
    accepted (None: it did not, or the partner pays, or that was before prices were kept)."""

    invitation: Invitation
    invited_by: str
    revoked_by: str | None

    @property
    def accepted_price(self) -> Price | None:
        """What the client accepted to pay each billing period."""
        made = self.invitation
        if made.accepted_cents is None or made.accepted_currency is None or made.accepted_billing_period is None:
            return None
        return Price(made.accepted_cents, made.accepted_billing_period, made.accepted_currency)


@dataclass(frozen=True, slots=True)
class InvitationDetail:
    """The newest invitation of a client and where it stands; `past` has every one, newest first, `deliveries` how the
    delivery of every message with an invitation went, newest first, and `about_payer` that of those about who pays.
    `to_tell_again` is the newest of those where it was given up and is so still: `tell_again` sends it."""

    status: InvitationStatus
    past: tuple[PastInvitation, ...]
    deliveries: tuple[Delivery, ...]
    about_payer: tuple[Delivery, ...] = ()
    to_tell_again: Delivery | None = None

    @property
    def invitation(self) -> Invitation:
        """The newest one."""
        return self.past[0].invitation

    @property
    def invited_by(self) -> str:
        """Who made the newest one."""
        return self.past[0].invited_by

    @property
    def revoked_by(self) -> str | None:
        """Who revoked the newest one; None: nobody."""
        return self.past[0].revoked_by

    @property
    def sendings(self) -> int:
        """How many messages of this invitation there are: what `send_again` must name as `seen`."""
        return _sendings(self.deliveries, self.invitation)


@dataclass(frozen=True, slots=True)
class WaitingMessage:
    """A message that waits, and the letter as it would leave now."""

    message: Message
    letter: Letter


_REVOKED_BY = aliased(Member)
_INVITATION = (
    select(Invitation, Member.name, _REVOKED_BY.name)
    .join(Member, (Member.partner_id == Invitation.partner_id) & (Member.member_id == Invitation.invited_by_id))
    .outerjoin(
        _REVOKED_BY,
        (_REVOKED_BY.partner_id == Invitation.partner_id) & (_REVOKED_BY.member_id == Invitation.revoked_by_id),
    )
    .where(Invitation.partner_id == bindparam("partner_id"), Invitation.client_id == bindparam("client_id"))
    .order_by(Invitation.number.desc())
)


def of_client(session: Session, member: Member, client_id: int) -> InvitationDetail:
    """The newest invitation of a client, and those before it. Raises NotAllowed, ClientNotFound."""
    client = subscriptions.visible(session, member, client_id)
    whose = {"partner_id": member.partner_id, "client_id": client_id}
    past = tuple(PastInvitation(*row) for row in session.execute(_INVITATION, whose))
    about_payer = outbox.deliveries(session, member.partner_id, client_id, PayerMessage)
    return InvitationDetail(
        status=standing(past[0].invitation, now(session)),
        past=past,
        deliveries=outbox.deliveries(session, member.partner_id, client_id),
        about_payer=about_payer,
        to_tell_again=payer_messages.to_tell_again(session, client, about_payer),
    )


def waiting_message(session: Session, member: Member, client_id: int) -> WaitingMessage | None:
    """The message that waits for the client: its invitation, the link in it, or that it pays from now on. Only for
    those who may invite.

    Raises NotAllowed, ClientNotFound; NoPrice where what the client would pay for has no price any more.
    """
    members.require(member, Permission.INVITE)
    status = subscriptions.detail(session, member, client_id).status
    if status is ClientStatus.ACTIVE:
        about = outbox.waiting(session, member.partner_id, client_id, PayerMessage)
        return None if about is None else WaitingMessage(about, payer_letters.to_payer(session, about))
    invitation = latest_invitation(session, member.partner_id, client_id)
    if standing(invitation, now(session)) is not InvitationStatus.PENDING:
        return None
    message = outbox.waiting(session, member.partner_id, client_id, OutboxMessage)
    return None if message is None else WaitingMessage(message, letters.to_client(session, message))


def send_again(
    session: Session, member: Member, client_id: int, *, seen: int, reason: str = "", attempt: str = ""
) -> None:
    """Send a pending invitation again with a new link; the old link is dead. `seen` counts the messages of this
    invitation that the member saw; the reason is kept with the message. The same form (`attempt`) sent twice sends it
    once (members.form_sent).

    Raises NotAllowed, ClientNotFound, InvitationNotPending, StaleMessage, BadInput; nothing is written then.
    """
    members.act(session, member, Permission.INVITE)
    reason = note_text("reason", reason)
    form = members.form_sent(session, member, attempt, "send invitation again", client_id=client_id, reason=reason)
    if form.answer is not None:
        return
    client, invitation = _pending(session, member, client_id)
    sent = outbox.deliveries(session, member.partner_id, client_id)
    sendings = _sendings(sent, invitation)
    if sendings > seen:
        raise StaleMessage(name=client.name, changed_by=sent[0].queued_by, changed_at=sent[0].queued_at)
    _send(session, member, client, invitation, sendings + 1, reason)
    members.note_activity(session, member.partner_id, member, ActivityKind.SENT_AGAIN, client_id=client_id)
    form.done()


def follow_address(session: Session, member: Member, client: Client) -> None:
    """Afterwards a pending invitation of this client has a new link, and the message with it waits for the address that
    the client has now; so does one about who pays. Asks no permission: use cases do."""
    payer_messages.follow_address(session, member, client)
    invitation = latest_invitation(session, client.partner_id, client.client_id)
    if standing(invitation, now(session)) is InvitationStatus.PENDING:
        sent = outbox.deliveries(session, client.partner_id, client.client_id)
        _send(session, member, client, invitation, _sendings(sent, invitation) + 1)


def revoke(session: Session, member: Member, client_id: int, *, reason: str = "", attempt: str = "") -> None:
    """Take a pending invitation back: its link is dead, and a message that waits is not sent. The reason is kept with
    the invitation. `attempt` as for `send_again`.

    Raises NotAllowed, ClientNotFound, InvitationNotPending, BadInput; nothing is written then.
    """
    members.act(session, member, Permission.INVITE)
    reason = note_text("reason", reason)
    form = members.form_sent(session, member, attempt, "revoke", client_id=client_id, reason=reason)
    if form.answer is not None:
        return
    _, invitation = _pending(session, member, client_id)
    outbox.withdraw(session, member.partner_id, client_id)
    answer = {"revoked_at": now(session), "revoked_by_id": member.member_id, "revoke_reason": reason}
    change_invitation(session, invitation, **answer)
    form.done()


def invite_again(
    session: Session,
    member: Member,
    client_id: int,
    *,
    reason: str = "",
    attempt: str = "",
    set_number: int | None = None,
    seen_version: SetVersion | None = None,
) -> None:
    """Invite a client whose invitation lapsed or was revoked, with the settings it has; or an archived client, which is
    bound to the newest version of this set (None: of its own; of the standard one, if that is retired or it is bound to
    none), its exceptions cleared (kept where no defaults are saved) (rule 36).

    `seen_version` is the version that the member was shown it would be bound to; None: whichever is in force will do.

    The reason is kept with the invitation, or with the revision where the client's settings were bound anew. `attempt`
    as for `send_again`.
    Raises NotAllowed, ClientNotFound, ForgottenClient, StillInvited, UnknownSet, RetiredSet, StaleDefaults,
    StaleStandard, RetiredDefaults, ChoiceRefused, BadInput; nothing is written then.
    """
    members.act(session, member, Permission.INVITE)
    reason = note_text("reason", reason)
    form = members.form_sent(
        session, member, attempt, "invite again", client_id=client_id, reason=reason, set_number=set_number
    )
    if form.answer is not None:
        return
    shown = subscriptions.detail(session, member, client_id)
    if shown.client.forgotten_at is not None:
        raise ForgottenClient(name=shown.client.name)
    before = latest_invitation(session, member.partner_id, client_id)
    has_lapsed = shown.status is ClientStatus.INVITED and (
        standing(before, now(session)) is not InvitationStatus.PENDING
    )
    if not (has_lapsed or shown.status is ClientStatus.ARCHIVED):
        raise StillInvited(name=shown.client.name)
    made: dict[str, Any] = {"message": before.message, "reason": reason}
    if shown.status is ClientStatus.ARCHIVED:
        target = shown.target if set_number is None else shown.sets.pick(set_number)
        defaults.require_shown(session, shown.sets, target, seen_version)
        overrides = shown.overrides if target is None else Overrides()
        effective = bindable(session, member, shown.sets, target, overrides)
        revision = subscriptions.invite_anew(session, member, shown, effective, reason=reason)
        made |= {"reason": "", "invited_at": revision.valid_from}  # the revision tells it, and why
    row = new_invitation(session, member, client_id, before.number + 1, **made)
    session.execute(insert(Invitation), row)
    _send(session, member, shown.client, Invitation(**row), 1)
    form.done()


def _revoke_with_their_clients(session: Session, decisions: Sequence[Decision]) -> None:
    """An invited client that is archived has no invitation that could be accepted (rule 35)."""
    ended = [
        each
        for each in decisions
        if (each.held_before.status, each.held.status) == (ClientStatus.INVITED, ClientStatus.ARCHIVED)
    ]
    if not ended:
        return
    partner_id, by, clients = ended[0].client.partner_id, ended[0].by, [each.client.client_id for each in ended]
    outbox.withdraw_all(session, partner_id, clients)
    whose = {"of_partner": partner_id, "clients": clients, "moment": now(session)}
    session.connection().execute(_REVOKE, whose | {"by": None if by is None else by.member_id})


subscriptions.when_decided(_revoke_with_their_clients)


def _pending(session: Session, member: Member, client_id: int) -> tuple[Client, Invitation]:
    """The client and its pending invitation."""
    client = subscriptions.visible(session, member, client_id)
    invitation = latest_invitation(session, member.partner_id, client_id)
    if standing(invitation, now(session)) is not InvitationStatus.PENDING:
        raise InvitationNotPending(name=client.name)
    return client, invitation


def _sendings(sent: Iterable[Delivery], invitation: Invitation) -> int:
    """How many of the messages to its client are of this invitation."""
    return max((each.sending for each in sent if each.number == invitation.number), default=0)


def _send(
    session: Session, member: Member, client: Client, invitation: Invitation, sending: int, reason: str = ""
) -> None:
    """Give this invitation a new link; a message that waited is withdrawn, and one with the new link waits."""
    key = (invitation.partner_id, invitation.client_id, invitation.number)
    token = new_token(*key)
    outbox.withdraw(session, client.partner_id, client.client_id)
    change_invitation(session, invitation, token_hash=hash_of(token))
    message = outbox.new_message(session, member, key, sending, client.email, token, reason=reason)
    outbox.queue(session, [message])
