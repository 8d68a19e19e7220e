"""What was done and leaves no trace in the data: data taken away, messages sent again, what a shell did. It is kept for
ever, and administrators read it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from secrets import token_hex
from typing import Any

from sqlalchemy import ColumnElement, func, insert, select
from sqlalchemy.orm import Session

from core.members.access import Permission, require
from core.members.tables import Activity, Member, Partner
from core.storage import now
from core.words import ActivityKind

FROM_SHELL = 0  # as the number of a member: whoever runs the product


@dataclass(frozen=True, slots=True)
class PastActivity:
    """Something that was done: when (UTC), by whom (None: from a shell), what, to which client, and how many."""

    happened_at: datetime
    by: str | None
    what: ActivityKind
    client_id: int | None
    number: int | None


def note_activity(
    session: Session,
    partner_id: int,
    by: Member | None,
    what: ActivityKind,
    *,
    client_id: int | None = None,
    number: int | None = None,
) -> None:
    """Afterwards it is kept that this was done now. `by` None: from a shell. Asks no permission: use cases do."""
    row = {
        "partner_id": partner_id,
        "happened_at": now(session),
        "activity_id": token_hex(8),
        "member_id": None if by is None else by.member_id,
        "what": what,
        "client_id": client_id,
        "number": number,
    }
    session.execute(insert(Activity), row)


def note_in_every_space(
    session: Session, what: ActivityKind, *, by: Member | None = None, number: int | None = None
) -> None:
    """The same of what concerns every partner space; a member is named in their own (None: from a shell)."""
    for partner_id in session.scalars(select(Partner.partner_id).order_by(Partner.partner_id)).all():
        whose = by if by is not None and by.partner_id == partner_id else None
        note_activity(session, partner_id, whose, what, number=number)


def activities(
    session: Session, member: Member, *, page: int = 1, page_size: int = 50, **filters: Any
) -> Sequence[PastActivity]:
    """A page of what was done in the member's partner space, newest first; filters as for `count_activities`.

    Raises NotAllowed.
    """
    require(member, Permission.READ_ACTIVITY)
    told = select(Activity.happened_at, Member.name, Activity.what, Activity.client_id, Activity.number)
    rows = (
        told.where(*_matching(member, filters))
        .outerjoin(Member, (Member.partner_id == Activity.partner_id) & (Member.member_id == Activity.member_id))
        .order_by(Activity.happened_at.desc(), Activity.activity_id.desc())
        .limit(page_size)
        .offset((max(page, 1) - 1) * page_size)
    )
    return [PastActivity(*row) for row in session.execute(rows)]


def count_activities(session: Session, member: Member, **filters: Any) -> int:
    """How many there are: `by` (a member's number, FROM_SHELL), `what`, from the instant `since` until the instant
    `until`; None: any. Raises NotAllowed."""
    require(member, Permission.READ_ACTIVITY)
    return session.scalars(select(func.count()).select_from(Activity).where(*_matching(member, filters))).one()


def activity_about(session: Session, partner_id: int, client_id: int) -> Sequence[Activity]:
    """What was done about this client, oldest first. Asks no permission: use cases do."""
    about = select(Activity).where(Activity.partner_id == partner_id, Activity.client_id == client_id)
    return session.scalars(about.order_by(Activity.happened_at, Activity.activity_id)).all()


def _matching(member: Member, filters: Mapping[str, Any]) -> list[ColumnElement[bool]]:
    by, what = filters.get("by"), filters.get("what")
    since, until = filters.get("since"), filters.get("until")
    conditions = [Activity.partner_id == member.partner_id]
    if by is not None:
        conditions.append(Activity.member_id.is_(None) if by == FROM_SHELL else Activity.member_id == by)
    if what is not None:
        conditions.append(Activity.what == what)
    if since is not None:
        conditions.append(Activity.happened_at >= since)
    if until is not None:
        conditions.append(Activity.happened_at <= until)
    return conditions
