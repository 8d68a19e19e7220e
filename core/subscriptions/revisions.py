"""How a subscription moves on: the current revision is closed and the next one begins, in one place only.

Its statements are built once: building one anew costs more than running it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.orm import Session

from core.defaults import Change, EffectiveSettings, changes
from core.members import Member
from core.storage import now, now_after
from core.subscriptions.tables import Client, Responsible, Subscription
from core.words import BillingSettings, ClientStatus, Origin, Setting, StaleSubscription

_WHOSE = (
    Subscription.partner_id == bindparam("of_partner", type_=Subscription.partner_id.type),
    Subscription.client_id == bindparam("of_client", type_=Subscription.client_id.type),
)
_CLOSE = (
    update(Subscription)
    .where(*_WHOSE, Subscription.revision == bindparam("held"), Subscription.valid_to.is_(None))
    .values(valid_to=bindparam("moment"))
    .returning(Subscription.responsible_id)
)
_NEXT = insert(Subscription)
_RESPONSIBLE = insert(Responsible)
_HISTORY: Any = (
    select(
        Subscription.revision,
        Subscription.valid_from,
        Subscription.valid_to,
        Subscription.status,
        Subscription.overridden,
        Subscription.defaults_version,
        Member.name,
        Subscription.changed_by_id,
        Subscription.origin,
        Subscription.reason,
        Subscription.batch,
        *(setting.of(Subscription) for setting in Setting),
    )
    .outerjoin(
        Member, (Member.partner_id == Subscription.partner_id) & (Member.member_id == Subscription.changed_by_id)
    )
    .where(*_WHOSE)
    .order_by(Subscription.revision)
)


@dataclass(frozen=True, slots=True)
class Revision:
    """How a client was billed from `valid_from` (UTC) until `valid_to` (None: it is so now), who made it so, and why.

    `changes`, `newly_chosen`, `cleared` and the two `before`s tell it from the revision before; for the first one they
    are empty and None.
    """

    revision: int
    valid_from: datetime
    valid_to: datetime | None
    status: ClientStatus
    settings: BillingSettings
    overridden: frozenset[Setting]
    defaults_version: int | None
    changed_by: str | None  # None: not a member, but the client or the product itself
    changed_by_id: int | None
    origin: Origin
    reason: str
    batch: int | None = None  # the import that brought the client in
    changes: tuple[Change, ...] = ()
    newly_chosen: frozenset[Setting] = frozenset()
    cleared: frozenset[Setting] = frozenset()
    status_before: ClientStatus | None = None
    defaults_version_before: int | None = None


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
    moment, common = now(session), {}
    for effective in {effective for _, effective, _ in clients}:
        first = _revision(1, moment, ClientStatus.INVITED, effective, by, origin, reason)
        common[effective] = _values(first) | {"partner_id": by.partner_id, "batch": batch}
    rows = [
        common[effective]
        | {"client_id": client["client_id"], "sort_name": client["sort_name"], "responsible_id": responsible_id}
        for client, effective, responsible_id in clients
    ]
    session.connection().execute(_NEXT, rows)
    decided = {
        "partner_id": by.partner_id,
        "valid_from": moment,
        "changed_by_id": by.member_id,
        "origin": origin,
        "reason": "",
    }
    looked_after = [decided | {"client_id": row["client_id"], "member_id": row["responsible_id"]} for row in rows]
    session.connection().execute(_RESPONSIBLE, looked_after)


def revise(
    session: Session,
    client: Client,
    held: Revision,
    effective: EffectiveSettings,
    *,
    by: Member | None,
    origin: Origin,
    reason: str = "",
    status: ClientStatus | None = None,
) -> Revision:
    """Close `held`, the newest revision, and begin the next: these settings, and this status (None: as it was).

    `by` is the member who did it; None for the client or the product. Returns the new revision.
    Raises StaleSubscription if another revision was begun since `held` was read.
    """
    moment = now_after(session, held.valid_from)
    whose = {"of_partner": client.partner_id, "of_client": client.client_id}
    closed = session.connection().execute(_CLOSE, {**whose, "held": held.revision, "moment": moment}).first()
    if closed is None:
        raise stale(client, history(session, client.partner_id, client.client_id)[0])
    revision = _revision(
        held.revision + 1, moment, held.status if status is None else status, effective, by, origin, reason
    )
    whose_next = {
        "partner_id": client.partner_id,
        "client_id": client.client_id,
        "sort_name": client.sort_name,
        "responsible_id": closed.responsible_id,
    }
    session.connection().execute(_NEXT, _values(revision) | whose_next)
    return _compared(held, revision)


def stale(client: Client, last: Revision) -> StaleSubscription:
    """The refusal that says who changed the client last, and when."""
    return StaleSubscription(client=client.name, changed_by=last.changed_by, changed_at=last.valid_from)


def history(session: Session, partner_id: int, client_id: int) -> tuple[Revision, ...]:
    """Every revision of a client, newest first, each with what it changed."""
    rows = session.connection().execute(_HISTORY, {"of_partner": partner_id, "of_client": client_id})
    in_turn: list[Revision] = []
    for number, start, end, status, overridden, version, by, by_id, origin, reason, batch, *settings in rows:
        revision = Revision(
            number,
            start,
            end,
            status,
            BillingSettings(*settings),
            overridden,
            version,
            by,
            by_id,
            origin,
            reason,
            batch,
        )
        in_turn.append(_compared(in_turn[-1], revision) if in_turn else revision)
    return tuple(reversed(in_turn))


def _compared(before: Revision, revision: Revision) -> Revision:
    return replace(
        revision,
        changes=changes(before.settings, revision.settings),
        newly_chosen=revision.overridden - before.overridden,
        cleared=before.overridden - revision.overridden,
        status_before=before.status,
        defaults_version_before=before.defaults_version,
    )


def _revision(
    number: int,
    moment: datetime,
    status: ClientStatus,
    effective: EffectiveSettings,
    by: Member | None,
    origin: Origin,
    reason: str,
) -> Revision:
    return Revision(
        revision=number,
        valid_from=moment,
        valid_to=None,
        status=status,
        settings=effective.settings,
        overridden=effective.overridden,
        defaults_version=effective.defaults_version,
        changed_by=None if by is None else by.name,
        changed_by_id=None if by is None else by.member_id,
        origin=origin,
        reason=reason,
    )


def _values(revision: Revision) -> dict[str, Any]:
    """What a row says of the revision, not whose it is."""
    return {
        "revision": revision.revision,
        "valid_from": revision.valid_from,
        "status": revision.status,
        **{setting.value: setting.of(revision.settings) for setting in Setting},
        "overridden": revision.overridden,
        "defaults_version": revision.defaults_version,
        "changed_by_id": revision.changed_by_id,
        "origin": revision.origin,
        "reason": revision.reason,
        "batch": None,
    }
