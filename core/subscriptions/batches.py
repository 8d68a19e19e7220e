"""The number of a batch, and the row that says what it was: many clients in one act, imports too (rule 45)."""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, insert, select, union_all, update
from sqlalchemy.orm import Session

from core.members import Member, Partner
from core.storage import now
from core.subscriptions.tables import Batch, Responsible, Subscription
from core.words import BatchKind

_NUMBER = (
    update(Partner)
    .where(Partner.partner_id == bindparam("of_partner"))
    .values(last_batch=Partner.last_batch + 1)
    .returning(Partner.last_batch)
)
_RECORD = insert(Batch)


def next_batch(session: Session, partner_id: int) -> int:
    """The number of a batch that begins now. The partner's turn is held."""
    return session.connection().execute(_NUMBER, {"of_partner": partner_id}).scalar_one()


def record_batch(
    session: Session,
    by: Member,
    batch: int,
    kind: BatchKind,
    *,
    chosen: int,
    changed: int,
    reason: str = "",
    attempt: str | None = None,
    digest: str = "",
    asked: Mapping[str, Any] | None = None,
    undoes: int | None = None,
    at: datetime | None = None,
) -> None:
    """Afterwards it is kept for ever what this batch was. It is written when its counts are known."""
    row = {
        "partner_id": by.partner_id,
        "batch": batch,
        "kind": kind,
        "by_id": by.member_id,
        "done_at": now(session) if at is None else at,
        "reason": reason,
        "attempt": attempt,
        "digest": digest,
        "asked": json.dumps(asked or {}, sort_keys=True, ensure_ascii=False),
        "chosen": chosen,
        "changed": changed,
        "left_out": chosen - changed,
        "undoes": undoes,
    }
    session.connection().execute(_RECORD, row)


def batch_differences(session: Session) -> Iterator[str]:
    """What is wrong with the batches: rows that name none, and counts that are not those of the clients that a batch
    changed."""
    clients = union_all(
        select(Subscription.partner_id, Subscription.batch, Subscription.client_id)
        .where(Subscription.batch.is_not(None))
        .distinct(),
        select(Responsible.partner_id, Responsible.batch, Responsible.client_id).where(Responsible.batch.is_not(None)),
    ).subquery()
    counted = select(clients.c.partner_id, clients.c.batch, func.count()).group_by(
        clients.c.partner_id, clients.c.batch
    )
    found = {(partner_id, batch): changed for partner_id, batch, changed in session.execute(counted)}
    kept = select(Batch.partner_id, Batch.batch, Batch.changed).order_by(Batch.partner_id, Batch.batch)
    for partner_id, batch, changed in session.execute(kept):
        if (rows := found.pop((partner_id, batch), 0)) != changed:
            yield f"partner {partner_id}, batch {batch}: changed {rows} clients, it says {changed}"
    for partner_id, batch in sorted(found):
        yield f"partner {partner_id}, batch {batch}: clients were changed in it, and nothing is kept of it"
