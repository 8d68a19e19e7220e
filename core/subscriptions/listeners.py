"""Decisions about clients, and who is told of each: so a folder above does its part of it in the same transaction."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from core.members import Member
from core.subscriptions.tables import Client

if TYPE_CHECKING:  # revisions tells of what it writes
    from core.subscriptions.revisions import Revision


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision about a client, made at `moment` (UTC) by a member (None: the client or the product itself): what
    held and what waited before, what holds and what waits afterwards."""

    client: Client
    by: Member | None
    moment: datetime
    held_before: "Revision"
    pending_before: "Revision | None"
    held: "Revision"
    pending: "Revision | None"


_LISTENERS: list[Callable[[Session, Decision], object]] = []


def when_decided(act: Callable[[Session, Decision], object]) -> None:
    """From now on this is done too, in the same transaction, with every decision about a client there was before."""
    _LISTENERS.append(act)


def tell(session: Session, decision: Decision) -> None:
    """Afterwards everyone who asked to know of decisions did their part of this one."""
    for act in _LISTENERS:
        act(session, decision)
