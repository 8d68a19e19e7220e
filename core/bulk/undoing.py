"""Undoing a bulk change: what held before comes back through the same rules, as one bulk change more (rule 50). Whoever
changed since stays and is listed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session, aliased

from core import members, subscriptions
from core.bulk import doing, reading, surroundings
from core.bulk.deciding import Decider
from core.bulk.doing import Chunks, Progress
from core.bulk.previewed import BulkPreview, Effect, Tally
from core.bulk.reading import PastBatch
from core.bulk.refusals import CannotBeUndone, LeftOut, UndoneAlready, Why
from core.bulk.surroundings import Surroundings
from core.members import Member, Permission
from core.storage import allow_minutes, one_of, quick_collections
from core.subscriptions import Author, Responsible, Shared, Subscription
from core.words import BatchKind, Origin, ResponsibleWithoutAccess

_PARTNER = bindparam("of_partner", type_=Responsible.partner_id.type)
_BATCH = bindparam("number", type_=Responsible.batch.type)
_DECIDED = (
    select(Subscription.client_id)
    .where(Subscription.partner_id == _PARTNER, Subscription.batch == _BATCH)
    .distinct()
    .order_by(Subscription.client_id)
)
_GIVEN = (
    select(Responsible.client_id)
    .where(Responsible.partner_id == _PARTNER, Responsible.batch == _BATCH)
    .order_by(Responsible.client_id)
)
_BEFORE, _SINCE, _BY = aliased(Responsible), aliased(Responsible), aliased(Member)
_SAME_CLIENT = (Responsible.partner_id == _PARTNER, Responsible.batch == _BATCH)
_GIVEN_BEFORE = (  # whom each client was given, who looked after it before, and who gave it to somebody since
    select(
        Responsible.client_id,
        Responsible.member_id,
        Responsible.valid_to,
        _BEFORE.member_id,
        _BY.name,
    )
    .join(
        _BEFORE,
        (_BEFORE.partner_id == Responsible.partner_id)
        & (_BEFORE.client_id == Responsible.client_id)
        & (_BEFORE.valid_to == Responsible.valid_from),
    )
    .outerjoin(
        _SINCE,
        (_SINCE.partner_id == Responsible.partner_id)
        & (_SINCE.client_id == Responsible.client_id)
        & (_SINCE.valid_from == Responsible.valid_to),
    )
    .outerjoin(_BY, (_BY.partner_id == _SINCE.partner_id) & (_BY.member_id == _SINCE.changed_by_id))
    .where(*_SAME_CLIENT, one_of(Responsible.client_id, "clients"))
    .order_by(Responsible.client_id)
)


@dataclass(frozen=True, slots=True)
class _Undo:
    """The batch that is undone, what it changed, and what that needs permission for."""

    batch: PastBatch
    of_responsible: bool

    @property
    def permission(self) -> Permission:
        return Permission.CHANGE_RESPONSIBLE if self.of_responsible else Permission.OVERRIDE

    @property
    def said(self) -> dict[str, Any]:
        return {"undoes": self.batch.batch}


@quick_collections()
def undo_preview(session: Session, member: Member, batch: int) -> BulkPreview:
    """What `undo` of this batch would do, in groups, and who would be left out: whoever was changed since. Nothing is
    written.

    Raises NotAllowed, BatchNotFound, CannotBeUndone, UndoneAlready.
    """
    members.require(member, Permission.OVERRIDE)
    undone = _undo(session, member, batch)
    members.require(member, undone.permission)
    allow_minutes(session)
    stand = _surroundings(session, member, undone)
    tally = Tally()
    for _ in _decided(session, member, undone, stand, Author(member, Origin.BULK), tally):
        pass  # only what it comes to is wanted
    return doing.shown(stand, tally, member, undoes=batch)


@quick_collections()
def undo(
    session: Session,
    member: Member,
    batch: int,
    *,
    digest: str,
    reason: str,
    attempt: str = "",
    progress: Progress = lambda _: None,
) -> PastBatch:
    """Undo this batch; the batch that does so, which can be undone in turn. `digest`, `attempt` and `progress` as for
    `do`.

    Raises NotAllowed, BatchNotFound, CannotBeUndone, UndoneAlready, ReasonMissing, BadInput, StaleBulk, NothingToDo;
    nothing is written then.
    """
    members.act(session, member, Permission.OVERRIDE)
    reason = doing.required(reason)
    form = members.form_sent(session, member, attempt, "undo of a bulk change", batch=batch, reason=reason)
    if (before := reading.of_attempt(session, member, form.key)) is not None:
        return before
    allow_minutes(session)
    undone = _undo(session, member, batch)
    members.require(member, undone.permission)
    stand = _surroundings(session, member, undone)
    surroundings.refuse_other(session, member, stand, digest, stand.clients)
    number, tally = subscriptions.next_batch(session, member.partner_id), Tally()
    author = Author(member, Origin.BULK, reason, number)
    chunks = _decided(session, member, undone, stand, author, tally)
    doing.write(session, author, undone.permission, stand, chunks, tally, progress)
    subscriptions.record_batch(
        session, member, number, BatchKind.UNDO, at=stand.moment, reason=reason, attempt=form.key,
        digest=stand.digest, asked=undone.said, chosen=len(stand.clients), changed=tally.changed, undoes=batch,
    )  # fmt: skip
    return reading.batch(session, member, number)


def _undo(session: Session, member: Member, number: int) -> _Undo:
    """What undoing this batch is about. Raises BatchNotFound, CannotBeUndone, UndoneAlready."""
    batch = root = reading.batch(session, member, number)
    if batch.kind is BatchKind.IMPORT:
        raise CannotBeUndone
    if batch.undone_by is not None:
        raise UndoneAlready(by=batch.undone_by)
    while root.undoes is not None:
        root = reading.batch(session, member, root.undoes)
    return _Undo(batch, root.kind is BatchKind.RESPONSIBLE)


def _surroundings(session: Session, member: Member, undone: _Undo) -> Surroundings:
    asked = {"of_partner": member.partner_id, "number": undone.batch.batch}
    clients: Sequence[int] = session.scalars(_GIVEN if undone.of_responsible else _DECIDED, asked).all()
    after = subscriptions.last_given(session, member.partner_id) if undone.of_responsible else None
    return surroundings.surroundings(session, member, clients, undone.said, after=after)


def _decided(
    session: Session, member: Member, undone: _Undo, stand: Surroundings, author: Author, tally: Tally
) -> Chunks:
    if undone.of_responsible:
        yield from _given_back(session, member, undone, stand, tally)
        return
    number, at = undone.batch.batch, undone.batch.done_at
    decider = Decider(stand.offer, author, stand.sets, Shared(stand.versions))
    yield from doing.decided(
        session, member, stand, decider, lambda basis: decider.undone(basis, number, at), tally, since=at
    )


def _given_back(session: Session, member: Member, undone: _Undo, stand: Surroundings, tally: Tally) -> Chunks:
    """Each client goes back to who looked after it before, if they still can."""
    colleagues = members.of_partner(session, member.partner_id)
    names = {each.member_id: each.name for each in colleagues}
    able = {each.member_id for each in colleagues if members.can_be_responsible(each)}
    today = subscriptions.local_date(stand.moment, member.partner.time_zone)
    for some in stand.chunks:
        called = {
            client_id: name for client_id, name, _ in subscriptions.looked_after(session, member.partner_id, some)
        }
        asked = {"of_partner": member.partner_id, "number": undone.batch.batch, "clients": some}
        given = []
        for client_id, to, ended_at, before, by in session.execute(_GIVEN_BEFORE, asked):
            if ended_at is not None:
                left = LeftOut(client_id, called[client_id], Why.CHANGED_SINCE, changed_by=by, changed_at=ended_at)
                tally.left_out.append(left)
            elif before not in able:
                refusal = ResponsibleWithoutAccess(name=names[before])
                tally.left_out.append(LeftOut(client_id, called[client_id], Why.REFUSED, refusal))
            else:
                tally.count(Effect(doing.responsible_kind(names, to, before), today))
                given.append((client_id, before))
        yield len(some), ([], given)
