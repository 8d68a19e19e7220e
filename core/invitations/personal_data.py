"""Everything that is held on one client, for the client to read; and forgetting it."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from core import members, subscriptions
from core.invitations import outbox
from core.invitations.tables import DeliveryFailure, Invitation, OutboxMessage, PayerDeliveryFailure, PayerMessage
from core.members import Member
from core.storage import LARGEST_NUMBER, now
from core.subscriptions import FORGOTTEN, Client
from core.words import ActivityKind, ClientNotFound, ClientStatus, NotArchived

_SECRETS = frozenset({"token", "token_hash", "attempt"})  # what opens an invitation, and the name of a form
_HELD: dict[str, Any] = {
    "invitations": Invitation,
    "messages": OutboxMessage,
    "failures": DeliveryFailure,
    "messages_about_who_pays": PayerMessage,
    "failures_about_who_pays": PayerDeliveryFailure,
}


def held_on(session: Session, partner_id: int, client_id: int, *, by: Member | None = None) -> dict[str, Any]:
    """Everything that is held on a client, as JSON holds it: its details and every edit, how it was billed and why, who
    looked after it, its invitations and the messages to it, what was done about it, and the names of the members that
    all this numbers. That it was taken out is kept. `by` None: from a shell. Raises ClientNotFound."""
    _client(session, partner_id, client_id)
    held: dict[str, Any] = dict(subscriptions.details_known(session, partner_id, client_id))
    for title, table in _HELD.items():
        rows = (
            select(table).filter_by(partner_id=partner_id, client_id=client_id).order_by(*table.__table__.primary_key)
        )
        held[title] = [subscriptions.as_data(row, without=_SECRETS) for row in session.scalars(rows)]
    about = members.activity_about(session, partner_id, client_id)
    held["activity"] = [subscriptions.as_data(row) for row in about]
    numbers = {
        value
        for rows in held.values()
        for row in rows
        for name, value in row.items()
        if name == "member_id" or name.endswith("_by_id") or name == "responsible_id"
    }
    everyone = members.of_partner(session, partner_id)
    held["members"] = {str(each.member_id): each.name for each in everyone if each.member_id in numbers}
    members.note_activity(session, partner_id, by, ActivityKind.CLIENT_EXPORTED, client_id=client_id)
    return held


def forget(session: Session, partner_id: int, client_id: int, *, by: Member | None = None) -> bool:
    """Afterwards nothing says who an archived client was: its details, the texts about it and the addresses of the
    messages to it are replaced, nothing waits for it, and no link opens anything. Its history, its figures and who
    looked after it stay. When, and by whom (`by` None: from a shell), is kept. Whether it was known until now: again,
    it replaces the words of a mail server that came late.

    It cannot be undone. Raises ClientNotFound, NotArchived; nothing is written then.
    """
    members.take_turn(session, partner_id)
    client = _client(session, partner_id, client_id)
    is_known = client.forgotten_at is None
    held = subscriptions.held_at(subscriptions.history(session, partner_id, client_id), now(session))
    if is_known and (held is None or held.status is not ClientStatus.ARCHIVED):
        raise NotArchived(name=client.name)
    whose = {"partner_id": partner_id, "client_id": client_id}
    for kind in (OutboxMessage, PayerMessage):
        outbox.withdraw(session, partner_id, client_id, kind)
    unanswered = (
        Invitation.accepted_at.is_(None) & Invitation.revoked_at.is_(None) & (Invitation.expires_at > now(session))
    )
    revoked = {"revoked_at": now(session), "revoked_by_id": None if by is None else by.member_id}
    session.execute(update(Invitation).filter_by(**whose).where(unanswered).values(**revoked))
    session.execute(update(Invitation).filter_by(**whose).values(token_hash=None))
    for text in (Invitation.message, Invitation.reason, Invitation.revoke_reason):
        session.execute(update(Invitation).filter_by(**whose).where(text != "").values({text: FORGOTTEN}))
    address = subscriptions.forgotten_address(partner_id, client_id)
    for messages in (OutboxMessage, PayerMessage):
        session.execute(update(messages).filter_by(**whose).values(recipient=address))
        session.execute(update(messages).filter_by(**whose).where(messages.reason != "").values(reason=FORGOTTEN))
    for failures in (DeliveryFailure, PayerDeliveryFailure):
        session.execute(update(failures).filter_by(**whose).values(said=FORGOTTEN))
    if is_known:
        subscriptions.forget_details(session, client)
        members.note_activity(session, partner_id, by, ActivityKind.CLIENT_FORGOTTEN, client_id=client_id)
    return is_known


def still_known(session: Session) -> Iterator[str]:
    """One sentence for each forgotten client whose invitations or messages still say something: a part of `check`."""
    texts: dict[Any, Any] = {
        Invitation: or_(
            Invitation.message.not_in(("", FORGOTTEN)),
            Invitation.reason.not_in(("", FORGOTTEN)),
            Invitation.revoke_reason.not_in(("", FORGOTTEN)),
            Invitation.token_hash.is_not(None),
        ),
        OutboxMessage: or_(
            OutboxMessage.token.is_not(None),
            ~OutboxMessage.recipient.endswith("@forgotten.invalid"),
            OutboxMessage.reason.not_in(("", FORGOTTEN)),
        ),
        PayerMessage: or_(
            ~PayerMessage.recipient.endswith("@forgotten.invalid"), PayerMessage.reason.not_in(("", FORGOTTEN))
        ),
        DeliveryFailure: DeliveryFailure.said != FORGOTTEN,
        PayerDeliveryFailure: PayerDeliveryFailure.said != FORGOTTEN,
    }
    for table, kept in texts.items():
        found = (
            select(table.partner_id, table.client_id)
            .join(Client, (Client.partner_id == table.partner_id) & (Client.client_id == table.client_id))
            .where(Client.forgotten_at.is_not(None), kept)
            .distinct()
            .order_by(table.partner_id, table.client_id)
        )
        for partner_id, client_id in session.execute(found):
            yield f"partner {partner_id}, client {client_id}: forgotten, but {table.__tablename__} has texts of it"


def _client(session: Session, partner_id: int, client_id: int) -> Client:
    in_range = 0 < client_id <= LARGEST_NUMBER and 0 < partner_id <= LARGEST_NUMBER
    client = session.get(Client, (partner_id, client_id)) if in_range else None
    if client is None:
        raise ClientNotFound(client_id=str(client_id))
    return client
