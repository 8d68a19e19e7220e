"""A partner space with clients in every state, and the bulk acts each in a transaction of its own."""

from dataclasses import replace
from typing import Any

from core import bulk, invitations
from core.bulk import Act, BulkPreview, Chosen, Found, PastBatch
from core.invitations import OutboxMessage
from core.words import Overrides
from tests.conftest import Space

ALL = Found()


def accept(space: Space, client_id: int) -> None:
    """The client accepts its invitation."""
    with space.database.transaction() as session:
        message = invitations.waiting(session, space.partner_id, client_id, OutboxMessage)
        assert message is not None
        assert message.token is not None
        invitations.accept(session, message.token)


def active(space: Space, name: str, overrides: Overrides = Overrides()) -> int:
    """A client that accepted."""
    client_id = space.invite(name, overrides).client_id
    accept(space, client_id)
    return client_id


def previewed(space: Space, act: Act, chosen: Chosen = ALL) -> BulkPreview:
    with space.database.reading() as session:
        return bulk.preview(session, space.manager, act, chosen)


def done(space: Space, act: Act, chosen: Chosen = ALL, **named: Any) -> PastBatch:
    """Preview, then do it."""
    named = {"digest": previewed(space, act, chosen).digest, "reason": "New prices"} | named
    with space.database.transaction() as session:
        return bulk.do(session, space.manager, act, chosen, **named)


def undone(space: Space, batch: int, **named: Any) -> PastBatch:
    with space.database.reading() as session:
        digest = bulk.undo_preview(session, space.manager, batch).digest
    with space.database.transaction() as session:
        return bulk.undo(session, space.manager, batch, **{"digest": digest, "reason": "A mistake"} | named)


def choices(space: Space, client_id: int, **changed: Any) -> Overrides:
    return replace(space.detail(client_id).overrides, **changed)
