"""The bulk changes there were, imports too: who, when, what, how many, undone or not; the clients of each; and the one
that runs."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, select, union_all
from sqlalchemy.orm import Session, aliased

from core import members, storage
from core.bulk.acts import Act, act_of, filters_of
from core.bulk.refusals import BatchNotFound
from core.members import Member, Permission
from core.storage import LARGEST_NUMBER, LongChange
from core.subscriptions import Batch, Client, Responsible, Subscription
from core.words import BatchKind

_PARTNER = bindparam("of_partner", type_=Batch.partner_id.type)
_UNDOES = aliased(Batch)
_BATCHES = (
    select(
        Batch.batch,
        Batch.kind,
        Batch.by_id,
        Member.name,
        Batch.done_at,
        Batch.reason,
        Batch.chosen,
        Batch.changed,
        Batch.left_out,
        Batch.undoes,
        _UNDOES.batch,
        Batch.asked,
    )
    .join(Member, (Member.partner_id == Batch.partner_id) & (Member.member_id == Batch.by_id))
    .outerjoin(_UNDOES, (_UNDOES.partner_id == Batch.partner_id) & (_UNDOES.undoes == Batch.batch))
    .where(Batch.partner_id == _PARTNER)
)
_PAGE = _BATCHES.order_by(Batch.batch.desc()).limit(bindparam("limit")).offset(bindparam("offset"))
_ONE = _BATCHES.where(Batch.batch == bindparam("number", type_=Batch.batch.type))
_OF_ATTEMPT = select(Batch.batch).where(Batch.partner_id == _PARTNER, Batch.attempt == bindparam("attempt"))
_COUNT = select(func.count()).select_from(Batch).where(Batch.partner_id == _PARTNER)


def _rows_of(table: Any) -> Any:
    """The clients of a batch by its rows in this table: each once, with when it begins to hold."""
    return (
        select(table.client_id, func.min(table.valid_from).label("begins"))
        .where(table.partner_id == _PARTNER, table.batch == bindparam("number", type_=Batch.batch.type))
        .group_by(table.client_id)
    )


_IN_IT = union_all(_rows_of(Subscription), _rows_of(Responsible)).subquery()
_NEWEST = aliased(Subscription)
_NEWEST_BATCH = (  # of the newest row, which is the one that does not end
    select(_NEWEST.batch)
    .where(
        _NEWEST.partner_id == _PARTNER,
        _NEWEST.client_id == _IN_IT.c.client_id,
        _NEWEST.revision
        == select(func.max(Subscription.revision))
        .where(Subscription.partner_id == _PARTNER, Subscription.client_id == _IN_IT.c.client_id)
        .scalar_subquery(),
    )
    .scalar_subquery()
)
_CLIENTS = (
    select(_IN_IT.c.client_id, Client.name, _IN_IT.c.begins, _NEWEST_BATCH)
    .join(Client, (Client.partner_id == _PARTNER) & (Client.client_id == _IN_IT.c.client_id))
    .order_by(Client.sort_name, Client.client_id)
    .limit(bindparam("limit"))
    .offset(bindparam("offset"))
)


@dataclass(frozen=True, slots=True)
class PastBatch:
    """A bulk change or an import: by whom, when (UTC) and why; of `chosen` clients `changed` were changed. `undoes` is
    the batch that it undid, `undone_by` the one that undid it (None: none). `asked` is what was asked for, in stored
    words."""

    batch: int
    kind: BatchKind
    by_id: int
    by: str
    done_at: datetime
    reason: str
    chosen: int
    changed: int
    left_out: int
    undoes: int | None
    undone_by: int | None
    asked: Mapping[str, Any]

    @property
    def act(self) -> Act | None:
        """What was done; None for an import and an undo."""
        return act_of(self.asked)

    @property
    def filters(self) -> dict[str, Any] | None:
        """The filters of the list that found the clients; None: they were ticked, or it is an import or an undo."""
        return filters_of(self.asked.get("chosen", {}))

    @property
    def can_be_undone(self) -> bool:
        """Whether it is a change that was not undone yet (rule 50)."""
        return self.kind is not BatchKind.IMPORT and self.undone_by is None


@dataclass(frozen=True, slots=True)
class ClientOfBatch:
    """A client that a batch changed: when what it decided begins to hold (UTC), and whether its subscription was
    changed by another decision since."""

    client_id: int
    name: str
    begins_at: datetime
    changed_since: bool


def batches(session: Session, member: Member, *, page: int = 1, page_size: int = 50) -> Sequence[PastBatch]:
    """A page of the partner's bulk changes and imports, the newest first. Raises NotAllowed."""
    members.require(member, Permission.READ_BATCHES)
    asked = {"of_partner": member.partner_id, "limit": page_size, "offset": (max(page, 1) - 1) * page_size}
    return [_past(row) for row in session.execute(_PAGE, asked)]


def count_batches(session: Session, member: Member) -> int:
    """How many there are. Raises NotAllowed."""
    members.require(member, Permission.READ_BATCHES)
    return session.scalars(_COUNT, {"of_partner": member.partner_id}).one()


def batch(session: Session, member: Member, number: int) -> PastBatch:
    """One of them. Raises NotAllowed, BatchNotFound."""
    members.require(member, Permission.READ_BATCHES)
    row = None
    if 0 < number <= LARGEST_NUMBER:
        row = session.execute(_ONE, {"of_partner": member.partner_id, "number": number}).first()
    if row is None:
        raise BatchNotFound(batch=number)
    return _past(row)


def clients_of(
    session: Session, member: Member, number: int, *, page: int = 1, page_size: int = 50
) -> Sequence[ClientOfBatch]:
    """A page of the clients that a batch changed, by name; PastBatch.changed is how many there are.

    Raises NotAllowed, BatchNotFound.
    """
    of = batch(session, member, number)
    asked = {"of_partner": member.partner_id, "number": number}
    asked |= {"limit": page_size, "offset": (max(page, 1) - 1) * page_size}
    of_responsible = of.act is not None and of.kind is BatchKind.RESPONSIBLE
    return [
        ClientOfBatch(client_id, name, begins, not of_responsible and newest != number)
        for client_id, name, begins, newest in session.execute(_CLIENTS, asked)
    ]


def running(session: Session, member: Member) -> LongChange | None:
    """The bulk change of the member's partner space that runs now, and how far it is; None: none does, or it is done in
    a moment. Raises NotAllowed."""
    members.require(member, Permission.READ_BATCHES)
    return storage.long_change(session, member.partner_id)


def of_attempt(session: Session, member: Member, attempt: str | None) -> PastBatch | None:
    """The batch that this form made when it was sent before (rule 49). Asks no permission: use cases do."""
    if attempt is None:
        return None
    number = session.scalar(_OF_ATTEMPT, {"of_partner": member.partner_id, "attempt": attempt})
    return None if number is None else batch(session, member, number)


def _past(row: Any) -> PastBatch:
    said: tuple[Any, ...] = (*row[:-1], json.loads(row[-1]))
    return PastBatch(*said)
