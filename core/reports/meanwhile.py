"""What others did since somebody saw a page, of what the page shows. Each question goes to the clients that are shown,
to those with a higher number, or to the versions of default settings: it grows with what was done, and with no list.

What somebody did themselves, in another window too, is nothing to tell them.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Integer, bindparam, func, literal, null, or_, select, union_all
from sqlalchemy.orm import Session

from core import defaults, members
from core.defaults import DefaultSetChange, DefaultSettings, Sets
from core.invitations import Invitation
from core.members import Member, Permission
from core.reports.then import PARTNER
from core.storage import Instant, now
from core.subscriptions import ClientChange, Responsible, Subscription

_READER = bindparam("reader", type_=Integer())
_SINCE = bindparam("since", type_=Instant)


def _by_others(by: Any) -> Any:
    """By another member, or by nobody: the holder of a link, or the product."""
    return or_(by.is_(None), by != _READER)


def _changes(table: Any, at: Any, by: Any) -> Any:
    """Who changed which of the clients (`clients`) in this table after `since`."""
    of_shown = table.client_id.in_(bindparam("clients", expanding=True, type_=Integer()))
    return select(table.client_id, by.label("by_id"), at.label("done_at")).where(
        table.partner_id == PARTNER, of_shown, at > _SINCE, _by_others(by)
    )


_ANY_CHANGE = union_all(
    _changes(Subscription, Subscription.decided_at, Subscription.changed_by_id),
    _changes(Responsible, Responsible.valid_from, Responsible.changed_by_id),
    _changes(ClientChange, ClientChange.changed_at, ClientChange.changed_by_id),
    _changes(Invitation, Invitation.invited_at, Invitation.invited_by_id),
    _changes(Invitation, Invitation.revoked_at, Invitation.revoked_by_id),
).subquery()
_CHANGED = (
    select(_ANY_CHANGE.c.client_id, Member.name)
    .outerjoin(Member, (Member.partner_id == PARTNER) & (Member.member_id == _ANY_CHANGE.c.by_id))
    .order_by(_ANY_CHANGE.c.done_at.desc())
)
_NEWER = bindparam("after", type_=Integer())
_INVITED = select(func.count()).where(
    Subscription.partner_id == PARTNER,
    Subscription.client_id > _NEWER,
    Subscription.revision == 1,
    _by_others(Subscription.changed_by_id),
)
_INVITED_FOR_READER = select(func.count()).where(  # the clients of a member who sees no others
    Responsible.partner_id == PARTNER,
    Responsible.member_id == _READER,
    Responsible.client_id > _NEWER,
    Responsible.valid_to.is_(None),
    _by_others(Responsible.changed_by_id),
)
_SAVED = union_all(
    select(
        DefaultSettings.set_number, DefaultSettings.version, DefaultSettings.saved_at.label("done_at"),
        DefaultSettings.saved_by_id.label("by_id"), literal(1).label("first"),
    ).where(DefaultSettings.partner_id == PARTNER, DefaultSettings.saved_at > _SINCE),
    select(
        DefaultSetChange.set_number, null(), DefaultSetChange.changed_at, DefaultSetChange.changed_by_id, literal(2),
    ).where(DefaultSetChange.partner_id == PARTNER, DefaultSetChange.changed_at > _SINCE),
).subquery()  # fmt: skip
_NEWEST_SAVED = (
    select(_SAVED.c.set_number, _SAVED.c.version, Member.name)
    .join(Member, (Member.partner_id == PARTNER) & (Member.member_id == _SAVED.c.by_id))
    .where(_SAVED.c.by_id != _READER)
    .order_by(_SAVED.c.first, _SAVED.c.done_at.desc())
    .limit(1)
)


@dataclass(frozen=True, slots=True)
class Seen:
    """What a page showed is what was so at `at` (UTC), when the partner space had this change number and its newest
    client this number."""

    at: datetime
    change_number: int
    last_client_id: int


class Changed(NamedTuple):
    """How many clients others changed, and who did so last (None: the client itself, or the product)."""

    clients: int
    by: str | None


class Saved(NamedTuple):
    """What was saved last: a version of a default set (None: the set was named, made the standard one, retired or
    brought back), by whom, and the sets as they are now."""

    set_number: int
    version: int | None
    by: str
    sets: Sets


def seen(session: Session, member: Member) -> Seen:
    """What is read from now on is at least as new as this. `member` was found before; nothing is asked."""
    return Seen(now(session), member.partner.change_number, member.partner.last_client_id)


def invited_since(session: Session, member: Member, since: Seen) -> int:
    """How many clients that the member sees were invited by others since then. Raises NotAllowed."""
    members.require(member, Permission.READ_CLIENTS)
    invited = _INVITED if members.reads_all_clients(member) else _INVITED_FOR_READER
    return int(session.connection().execute(invited, _asked(member, since)).scalar_one())


def changed_since(session: Session, member: Member, since: Seen, client_ids: Collection[int]) -> Changed:
    """Which of these clients, whom the member was shown, were changed by others since then. Raises NotAllowed."""
    members.require(member, Permission.READ_CLIENTS)
    asked = _asked(member, since) | {"clients": list(client_ids)}
    rows = session.connection().execute(_CHANGED, asked).all() if client_ids else []
    return Changed(len({client_id for client_id, _ in rows}), rows[0].name if rows else None)


def saved_since(session: Session, member: Member, since: Seen) -> Saved | None:
    """What others saved of the default settings since then: the newest version, else what was done with a set; None:
    nothing. Raises NotAllowed."""
    members.require(member, Permission.READ_DEFAULTS)
    row = session.connection().execute(_NEWEST_SAVED, _asked(member, since)).first()
    return None if row is None else Saved(row.set_number, row.version, row.name, defaults.sets(session, member))


def _asked(member: Member, since: Seen) -> dict[str, Any]:
    reader = {"partner_id": member.partner_id, "reader": member.member_id}
    return reader | {"since": since.at, "after": since.last_client_id}
