"""Decisions about clients, and who is told of each: so a folder above does its part of it in the same transaction."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy.orm import Session

from core.members import Member
from core.subscriptions.basis import Known
from core.subscriptions.revisions import Revision


class Decision(NamedTuple):
    """One decision about a client, made at `moment` (UTC) by a member (None: the client or the product itself): what
    held and what waited before, what holds and what waits afterwards."""

    client: Known
    by: Member | None
    moment: datetime
    held_before: Revision
    pending_before: Revision | None
    held: Revision
    pending: Revision | None


Listener = Callable[[Session, Sequence[Decision]], object]
_LISTENERS: list[Listener] = []


def when_decided(act: Listener) -> None:
    """From now on this is done too, in the same transaction, with the decisions about clients that there were before:
    one, or those about many clients of a partner that one member made at one moment."""
    _LISTENERS.append(act)


def tell(session: Session, decisions: Sequence[Decision]) -> None:
    """Afterwards everyone who asked to know of decisions did their part of these."""
    for act in _LISTENERS:
        act(session, decisions)
