"""How clients are brought in: numbered, bound, invited, each with a message that waits. Use cases ask permission."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, insert, update
from sqlalchemy.orm import Session

from core import defaults, editions, messages, outbox, revisions
from core.database import links, now
from core.errors import RetiredDefaults
from core.invitation_status import standing
from core.links import hash_of, new_token
from core.messages import Letter
from core.models import Client, DefaultSettings, Invitation, Member, Partner
from core.new_client import NewClient
from core.resolution import EffectiveSettings, Overrides
from core.terms import InvitationStatus, Origin, Setting
from core.text import fold

CHUNK = 1000  # clients brought in between two words about the progress

_NUMBERS = (
    update(Partner)
    .where(Partner.partner_id == bindparam("of_partner"))
    .values(
        last_client_id=Partner.last_client_id + bindparam("clients"),
        last_batch=Partner.last_batch + bindparam("batches"),
    )
    .returning(Partner.last_client_id, Partner.last_batch)
)
_NEW_CLIENT = insert(Client)
_NEW = insert(Invitation)


def invite_all(
    session: Session,
    member: Member,
    chosen: Sequence[tuple[NewClient, EffectiveSettings]],
    *,
    progress: Callable[[int], object] = lambda _: None,
) -> int:
    """Invite these clients, each with settings that `bindable` gave in this transaction; the number of their batch.

    Nobody among them is a client yet. `progress` is told how many are done. The member's turn is held (access.act).
    """
    last, batch = next_numbers(session, member, clients=len(chosen), batches=1)
    first = last - len(chosen) + 1
    for done in range(0, len(chosen), CHUNK):
        some = chosen[done : done + CHUNK]
        bring_in(session, member, some, first=first + done, origin=Origin.IMPORT, reason="", batch=batch)
        progress(done + len(some))
    return batch


def send_invitation(
    session: Session, member: Member, client: Client, effective: EffectiveSettings, invitation: Invitation, sending: int
) -> None:
    """Give this invitation a new link, and queue the message that carries it."""
    letter = _letter(session, member, client.language, effective, invitation.expires_at)
    to = {name: getattr(client, name) for name in ("partner_id", "client_id", "name", "contact_name", "email")}
    hashed, message = _message(session, member, to, invitation.number, sending, letter, invitation.message)
    change_invitation(session, invitation, token_hash=hashed)
    outbox.queue(session, [message])


def change_invitation(session: Session, invitation: Invitation, **values: object) -> None:
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


def tell_anew(
    session: Session, member: Member, client: Client, effective: EffectiveSettings, invitation: Invitation
) -> None:
    """After a change to a client whose message still waits: another one waits in its place, which says what holds."""
    waiting = outbox.waiting(session, client.partner_id, client.client_id)
    if waiting is not None and standing(invitation, now(session)) is InvitationStatus.PENDING:
        outbox.withdraw(session, client.partner_id, client.client_id)
        send_invitation(session, member, client, effective, invitation, waiting.sending + 1)


def invitation_row(session: Session, member: Member, client_id: int, number: int, **told: Any) -> dict[str, Any]:
    """A new invitation of a client, to be inserted."""
    return {
        "partner_id": member.partner_id,
        "client_id": client_id,
        "number": number,
        "invited_by_id": member.member_id,
        "invited_at": now(session),
        "expires_at": now(session) + links(session).valid_for,
        "message": "",
        "attempt": "",
        "token_hash": None,
    } | told


def bindable(
    session: Session, member: Member, in_force: DefaultSettings | None, overrides: Overrides
) -> EffectiveSettings:
    """What a client bound to these defaults with these overrides gets. Raises as `preview` does."""
    effective = defaults.resolved(in_force, overrides)
    offer = editions.current(session, member.partner.currency)
    if in_force is not None:
        inherited = offer.retired_in(effective.settings, among=frozenset(Setting) - effective.overridden)
        if inherited is not None:
            raise RetiredDefaults(version=str(in_force.version), item=inherited)
    offer.refuse_unsellable(effective.settings)
    return effective


def next_numbers(session: Session, member: Member, *, clients: int, batches: int) -> tuple[int, int]:
    """The last of that many client numbers, and the last batch number."""
    asked = {"of_partner": member.partner_id, "clients": clients, "batches": batches}
    last, batch = session.connection().execute(_NUMBERS, asked).one()
    return last, batch


def bring_in(
    session: Session,
    member: Member,
    chosen: Sequence[tuple[NewClient, EffectiveSettings]],
    *,
    first: int,
    origin: Origin,
    reason: str,
    attempt: str = "",
    batch: int | None = None,
) -> list[dict[str, Any]]:
    """Write clients numbered from `first`, their first revisions, their invitations and the messages that carry them;
    the rows of the clients."""
    clients = [_client(member, number, new_client) for number, (new_client, _) in enumerate(chosen, first)]
    held = [(client, effective) for client, (_, effective) in zip(clients, chosen, strict=True)]
    invited, queued = _invitations(session, member, clients, chosen, attempt)
    session.connection().execute(_NEW_CLIENT, clients)
    revisions.begin(session, held, by=member, origin=origin, reason=reason, batch=batch)
    session.connection().execute(_NEW, invited)
    outbox.queue(session, queued)
    return clients


def _invitations(
    session: Session,
    member: Member,
    clients: Sequence[dict[str, Any]],
    chosen: Sequence[tuple[NewClient, EffectiveSettings]],
    attempt: str,
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The first invitations of these clients, and the messages that carry them."""
    letters: dict[Any, Letter] = {}
    common = invitation_row(session, member, 0, 1, attempt=attempt)
    invited, queued = [], []
    for client, (new_client, effective) in zip(clients, chosen, strict=True):
        kind = (new_client.language, effective)
        if kind not in letters:
            letters[kind] = _letter(session, member, new_client.language, effective, common["expires_at"])
        hashed, message = _message(session, member, client, 1, 1, letters[kind], new_client.message)
        own = {"client_id": client["client_id"], "message": new_client.message, "token_hash": hashed}
        invited.append(common | own)
        queued.append(message)
    return invited, queued


def _letter(
    session: Session, member: Member, language: str, effective: EffectiveSettings, expires_at: datetime
) -> Letter:
    offer = editions.current(session, member.partner.currency)
    return messages.letter(member.partner.name, member.name, language, effective.settings, offer, expires_at)


def _message(
    session: Session, member: Member, client: dict[str, Any], number: int, sending: int, letter: Letter, words: str
) -> tuple[str, dict[str, Any]]:
    """The hash of a new link, and the message that carries the link."""
    key = (client["partner_id"], client["client_id"], number)
    token = new_token(*key)
    name, contact_name = client["name"], client["contact_name"]
    subject, text = letter.written(name, contact_name, words, links(session).to(token))
    written = (client["email"], contact_name or name, subject, text)
    return hash_of(token), outbox.row(session, member, key, sending, written)


def _client(member: Member, number: int, new_client: NewClient) -> dict[str, Any]:
    return {
        "partner_id": member.partner_id,
        "client_id": number,
        "name": new_client.name,
        "sort_name": fold(new_client.name),
        "email": new_client.email,
        "company_number": new_client.company_number,
        "contact_name": new_client.contact_name,
        "language": new_client.language,
        "country": new_client.country,
        "vat_number": new_client.vat_number,
        "external_reference": new_client.external_reference,
    }
