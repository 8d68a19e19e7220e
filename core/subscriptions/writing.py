"""The one place where revisions are written: the first one of a client, and every decision after it, of one client or
of many at once. What a decision writes follows from the history alone (`rows_of`)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import pairwise
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, bindparam, exists, insert, select, tuple_, update
from sqlalchemy.orm import Session, aliased

from core.defaults import EffectiveSettings
from core.members import Member
from core.storage import Instant, execute_many, now
from core.subscriptions.basis import Basis, Known
from core.subscriptions.listeners import Decision, tell
from core.subscriptions.revisions import Author, Revision, compared, decided, held_at, pending_at
from core.subscriptions.tables import Responsible, Subscription
from core.words import BillingSettings, ClientStatus, Origin, Setting

_OUTLIVED_AT_ONCE = 1000  # rows cleared by one action
_ONE = (
    Subscription.partner_id == bindparam("of_partner", type_=Subscription.partner_id.type),
    Subscription.client_id == bindparam("of_client", type_=Subscription.client_id.type),
    Subscription.revision == bindparam("of_revision", type_=Subscription.revision.type),
)


def _outlived(table: Any) -> tuple[ColumnElement[bool], ...]:
    """The conditions on the partner's rows that are said to hold maybe, and do no more."""
    ended = table.valid_to <= bindparam("moment", type_=Instant)
    of_partner = table.partner_id == bindparam("of_partner", type_=table.partner_id.type)
    return of_partner, table.may_hold, table.valid_to.is_not(None), ended


_OTHER = aliased(Subscription)
_CLOSE = (
    update(Subscription).where(*_ONE).values(valid_to=bindparam("until", type_=Instant), may_hold=bindparam("still"))
)
_CLOSE_ONE = _CLOSE.returning(Subscription.responsible_id, exists().where(*_outlived(_OTHER)).label("clear"))
_WITHDRAW = (
    update(Subscription)
    .where(*_ONE, Subscription.valid_to.is_(None))
    .values(valid_to=Subscription.valid_from, may_hold=False, withdrawn_by=bindparam("by_revision"))
)
_NEXT = insert(Subscription)
_RESPONSIBLE = insert(Responsible)
_KEY = (Subscription.partner_id, Subscription.client_id, Subscription.revision)
_CLEAR = (
    update(Subscription)
    .where(tuple_(*_KEY).in_(select(*_KEY).where(*_outlived(Subscription)).limit(_OUTLIVED_AT_ONCE)))
    .values(may_hold=False)
    .execution_options(synchronize_session=False)
)


class Rows(NamedTuple):
    """What a decision makes of the rows of a client: the one that held ends at `until` (it may hold `still`), the one
    that was pending is withdrawn (None: nothing was), and these are written; `holds` and `waits` afterwards."""

    held: Revision
    until: datetime
    still: bool
    withdrawn: Revision | None
    written: list[Revision]
    holds: Revision
    waits: Revision | None


class Decided(NamedTuple):
    """A decision about one of many clients: what it starts from, who looks after the client, and its revisions."""

    basis: Basis
    responsible_id: int | None
    decision: Sequence[Revision]


def rows_of(history: Sequence[Revision], decision: Sequence[Revision], moment: datetime) -> Rows:
    """What a decision made at `moment` makes of the rows: at most one that holds at once, then at most one that waits.
    What held ends when the next one begins; what was pending is withdrawn."""
    held = held_at(history, moment)
    assert held is not None  # noqa: S101 - a client has held something since its first revision
    return _rows(held, pending_at(history, moment), decision, moment)


def _rows(held: Revision, pending: Revision | None, decision: Sequence[Revision], moment: datetime) -> Rows:
    first, last = decision[0], decision[-1]
    at_once = first.valid_from <= moment
    written = [*(each._replace(valid_to=after.valid_from) for each, after in pairwise(decision)), last]
    return Rows(
        held=held,
        until=first.valid_from,
        still=not at_once,
        withdrawn=pending,
        written=written,
        holds=written[0] if at_once else held,
        waits=last if last.valid_from > moment else None,
    )


def begin(
    session: Session,
    clients: Sequence[tuple[Mapping[str, Any], EffectiveSettings, int]],
    *,
    by: Member,
    origin: Origin,
    reason: str,
    batch: int | None = None,
) -> None:
    """The first revision and the first responsible of clients just invited, each a row of its table with its settings
    and the member who looks after it; `batch`: the import that brought them in."""
    moment, author, common = now(session), Author(by, origin, reason, batch), {}
    for effective in {effective for _, effective, _ in clients}:
        first = decided(1, moment, ClientStatus.INVITED, effective, author, at=moment)
        common[effective] = _values(first) | {"partner_id": by.partner_id}
    rows = [
        common[effective]
        | {"client_id": client["client_id"], "sort_name": client["sort_name"], "responsible_id": responsible_id}
        for client, effective, responsible_id in clients
    ]
    session.connection().execute(_NEXT, rows)
    looked_after = {
        "partner_id": by.partner_id,
        "valid_from": moment,
        "changed_by_id": by.member_id,
        "origin": origin,
        "reason": "",
    }
    responsible = [looked_after | {"client_id": row["client_id"], "member_id": row["responsible_id"]} for row in rows]
    session.connection().execute(_RESPONSIBLE, responsible)


def write(
    session: Session,
    client: Known,
    history: Sequence[Revision],
    decision: Sequence[Revision],
    *,
    by: Member | None,
    moment: datetime,
) -> Revision:
    """Add the revisions of one decision made at `moment` (see `rows_of`). Whoever asked to know of decisions
    (`when_decided`) is told. Returns the first of them.

    The partner's turn is held, and what the history says was compared with what the member saw.
    """
    rows = rows_of(history, decision, moment)
    connection, whose = session.connection(), {"of_partner": client.partner_id, "of_client": client.client_id}
    if rows.withdrawn is not None:
        connection.execute(_WITHDRAW, whose | _withdrawing(rows.withdrawn, decision[0]))
    closed = connection.execute(_CLOSE_ONE, whose | _closing(rows) | {"moment": moment}).one()
    connection.execute(_NEXT, [_row(_values(each), client, closed.responsible_id) for each in rows.written])
    if closed.clear:
        connection.execute(_CLEAR, {"of_partner": client.partner_id, "moment": moment})
    tell(session, [Decision(client, by, moment, rows.held, rows.withdrawn, rows.holds, rows.waits)])
    return compared(rows.held, rows.written[0])


def write_all(session: Session, many: Sequence[Decided], *, by: Member, moment: datetime) -> None:
    """The same for many clients of one partner, of whom each has its decision, all made at `moment`."""
    withdrawn, closed, written, decisions = [], [], [], []
    said: dict[int, tuple[dict[str, Any], Revision]] = {}  # by the identity of a revision, which is kept alive
    for basis, responsible_id, decision in many:
        client, rows = basis.client, _rows(basis.held, basis.pending, decision, moment)
        whose = {"of_partner": client.partner_id, "of_client": client.client_id}
        if rows.withdrawn is not None:
            withdrawn.append(whose | _withdrawing(rows.withdrawn, decision[0]))
        closed.append(whose | _closing(rows))
        for each in rows.written:
            if id(each) not in said:
                said[id(each)] = _values(each), each
            written.append(_row(said[id(each)][0], client, responsible_id))
        decisions.append(Decision(client, by, moment, rows.held, rows.withdrawn, rows.holds, rows.waits))
    connection = session.connection()
    for statement, values in ((_WITHDRAW, withdrawn), (_CLOSE, closed), (_NEXT, written)):
        execute_many(connection, statement, values)
    tell(session, decisions)


def clear_outlived(session: Session, partner_id: int, moment: datetime) -> None:
    """Afterwards a thousand rows at most that hold no more at this moment are known as such."""
    session.connection().execute(_CLEAR, {"of_partner": partner_id, "moment": moment})


def _withdrawing(pending: Revision, first: Revision) -> dict[str, Any]:
    return {"of_revision": pending.revision, "by_revision": first.revision}


def _closing(rows: Rows) -> dict[str, Any]:
    return {"of_revision": rows.held.revision, "until": rows.until, "still": rows.still}


def _row(values: Mapping[str, Any], client: Known, responsible_id: int | None) -> dict[str, Any]:
    """What is written of a revision with these values: whose it is beside them."""
    return {
        **values,
        "partner_id": client.partner_id,
        "client_id": client.client_id,
        "sort_name": client.sort_name,
        "responsible_id": responsible_id,
    }


def _values(revision: Revision) -> dict[str, Any]:
    """What a row says of the revision, not whose it is."""
    return {
        "revision": revision.revision,
        "valid_from": revision.valid_from,
        "valid_to": revision.valid_to,
        "status": revision.status,
        **_columns(revision.settings),
        "overridden": revision.overridden,
        "set_number": revision.set_number,
        "defaults_version": revision.defaults_version,
        "anchor_day": None if revision.rhythm is None else revision.rhythm.anchor_day,
        "anchor_month": None if revision.rhythm is None else revision.rhythm.anchor_month,
        "price_list": revision.price_list,
        "changed_by_id": revision.changed_by_id,
        "origin": revision.origin,
        "reason": revision.reason,
        "decided_at": revision.decided_at,
        "may_hold": True,
        "batch": revision.batch,
    }


@lru_cache(maxsize=4096)
def _columns(settings: BillingSettings) -> dict[str, Any]:
    """The columns of these settings."""
    return {setting.value: setting.of(settings) for setting in Setting}
