"""A client's subscription through time: its revisions, which of them holds at an instant and which waits, and the one
place where they are written.

A revision that takes effect later is written at once, beginning later; the one that holds until then is closed ahead
(rule 26). Statements are built once: building one anew costs more than running it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, bindparam, exists, insert, select, tuple_, update
from sqlalchemy.orm import Session, aliased

from core.defaults import Change, EffectiveSettings, SetVersion, changes
from core.members import Member
from core.storage import Instant, now, now_after
from core.subscriptions.listeners import Decision, tell
from core.subscriptions.rhythm import Rhythm, first_instant, local_date
from core.subscriptions.tables import Client, Responsible, Subscription
from core.words import BillingSettings, ClientStatus, Origin, Setting, StaleSubscription, TookEffect

_OUTLIVED_AT_ONCE = 1000  # rows cleared by one action
_WHOSE = (
    Subscription.partner_id == bindparam("of_partner", type_=Subscription.partner_id.type),
    Subscription.client_id == bindparam("of_client", type_=Subscription.client_id.type),
)
_ONE = (*_WHOSE, Subscription.revision == bindparam("of_revision", type_=Subscription.revision.type))


def _outlived(table: Any) -> tuple[ColumnElement[bool], ...]:
    """The conditions on the partner's rows that are said to hold maybe, and do no more."""
    ended = table.valid_to <= bindparam("moment", type_=Instant)
    of_partner = table.partner_id == bindparam("of_partner", type_=table.partner_id.type)
    return of_partner, table.may_hold, table.valid_to.is_not(None), ended


_OTHER = aliased(Subscription)
_CLOSE = (
    update(Subscription)
    .where(*_ONE)
    .values(valid_to=bindparam("until", type_=Instant), may_hold=bindparam("still"))
    .returning(Subscription.responsible_id, exists().where(*_outlived(_OTHER)).label("clear"))
)
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
_HISTORY: Any = (
    select(
        Subscription.revision,
        Subscription.valid_from,
        Subscription.valid_to,
        Subscription.status,
        Subscription.overridden,
        Subscription.set_number,
        Subscription.defaults_version,
        Member.name,
        Subscription.changed_by_id,
        Subscription.origin,
        Subscription.reason,
        Subscription.batch,
        Subscription.decided_at,
        Subscription.anchor_day,
        Subscription.anchor_month,
        Subscription.price_list,
        Subscription.withdrawn_by,
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
    """How a client is billed from `valid_from` (UTC) until `valid_to` (None: nothing else is decided), who decided it,
    when and why. One that begins after `decided_at` waited for a renewal; one that was withdrawn never held, and
    `withdrawn_by` is the revision of the decision that took it back.

    `rhythm` and `price_list` (the purchase list) are None while the client is not active. `changes`, `newly_chosen`,
    `cleared` and the two `before`s tell it from the revision that held before; for the first one they are empty and
    None.
    """

    revision: int
    valid_from: datetime
    valid_to: datetime | None
    status: ClientStatus
    settings: BillingSettings
    overridden: frozenset[Setting]
    set_number: int | None
    defaults_version: int | None
    changed_by: str | None  # None: not a member, but the client or the product itself
    changed_by_id: int | None
    origin: Origin
    reason: str
    decided_at: datetime
    rhythm: Rhythm | None = None
    price_list: int | None = None
    withdrawn_by: int | None = None
    batch: int | None = None  # the import that brought the client in
    changes: tuple[Change, ...] = ()
    newly_chosen: frozenset[Setting] = frozenset()
    cleared: frozenset[Setting] = frozenset()
    status_before: ClientStatus | None = None
    set_number_before: int | None = None
    defaults_version_before: int | None = None

    @property
    def bound(self) -> SetVersion | None:
        """The version of a default set that it is bound to; None: to none."""
        return bound_to(self.set_number, self.defaults_version)

    @property
    def bound_before(self) -> SetVersion | None:
        """What the revision before was bound to."""
        return bound_to(self.set_number_before, self.defaults_version_before)

    @property
    def waited(self) -> bool:
        """Whether it was to take effect later than it was decided."""
        return self.valid_from > self.decided_at

    @property
    def was_withdrawn(self) -> bool:
        """Whether it never held: cancelled, or replaced by another decision before it began (rule 33)."""
        return self.valid_to == self.valid_from

    def holds_at(self, instant: datetime) -> bool:
        """Whether it holds at this instant (rule 26)."""
        return self.valid_from <= instant and (self.valid_to is None or instant < self.valid_to)


def bound_to(set_number: int | None, version: int | None) -> SetVersion | None:
    """The version of a default set that these two columns name together."""
    return None if set_number is None or version is None else SetVersion(set_number, version)


class Seen(NamedTuple):
    """What somebody looked at who changes a client: the revision that held, and the newest one (rule 34)."""

    held: int
    newest: int


def held_at(history: Sequence[Revision], instant: datetime) -> Revision | None:
    """The revision of a history that holds at this instant; None before the first one."""
    return next((each for each in history if each.holds_at(instant)), None)


def held_in_the_morning(history: Sequence[Revision], time_zone: str, moment: datetime) -> Revision | None:
    """What held when the local day of this moment began (rule 29); None where that was before the client ended or was
    invited again that same day, so that it belongs to another subscription."""
    began = first_instant(local_date(moment, time_zone), time_zone)
    of_today = (each for each in history if began < each.valid_from <= moment and not each.was_withdrawn)
    if any(each.status is not ClientStatus.ACTIVE for each in of_today):
        return None
    return held_at(history, began)


def pending_at(history: Sequence[Revision], instant: datetime) -> Revision | None:
    """The revision of a history that is decided and not in force yet at this instant (rule 31)."""
    return next((each for each in history if each.valid_from > instant and not each.was_withdrawn), None)


def moment_after(session: Session, history: Sequence[Revision]) -> datetime:
    """The instant of a decision made now: later than every other one of this client, as clocks step back, and later
    than what begins at this very instant, so that it has held."""
    moment = now_after(session, max(each.decided_at for each in history))
    begins = any(each.valid_from == moment and not each.was_withdrawn for each in history)
    return now_after(session, moment) if begins else moment


def moment_of(session: Session, history: Sequence[Revision]) -> datetime:
    """The instant at which a client is looked at now: not before the last decision, as clocks step back."""
    return max(now(session), *(each.decided_at for each in history))


def require_seen(client: Client, history: Sequence[Revision], seen: Seen | int, moment: datetime) -> None:
    """Raise StaleSubscription where another decision was made since `seen`, TookEffect where one took effect. A number
    alone is that of a revision which held with nothing pending."""
    wanted = seen if isinstance(seen, Seen) else Seen(seen, seen)
    held, newest = held_at(history, moment), history[0]
    if newest.revision != wanted.newest:
        raise stale(client, newest)
    if held is not None and held.revision != wanted.held:
        raise TookEffect(client=client.name, changed_by=held.changed_by, changed_at=held.valid_from)


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
        first = decided(1, moment, ClientStatus.INVITED, effective, by=by, origin=origin, reason=reason, at=moment)
        common[effective] = _values(first) | {"partner_id": by.partner_id, "batch": batch}
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
    client: Client,
    history: Sequence[Revision],
    decision: Sequence[Revision],
    *,
    by: Member | None,
    moment: datetime,
    keep_pending: bool = False,
) -> Revision:
    """Add the revisions of one decision made at `moment`: at most one that holds at once, then at most one that waits.
    What held is closed when the next one begins; what was pending is withdrawn unless kept. Whoever asked to know of
    decisions (`when_decided`) is told. Returns the first of them.

    The partner's turn is held, and what the history says was compared with what the member saw.
    """
    held, pending = held_at(history, moment), pending_at(history, moment)
    assert held is not None  # noqa: S101 - a client has held something since its first revision
    connection, whose = session.connection(), {"of_partner": client.partner_id, "of_client": client.client_id}
    first, last = decision[0], decision[-1]
    if pending is not None and not keep_pending:
        connection.execute(_WITHDRAW, {**whose, "of_revision": pending.revision, "by_revision": first.revision})
    until = {"until": first.valid_from, "still": first.valid_from > moment, "moment": moment}
    closed = connection.execute(_CLOSE, {**whose, "of_revision": held.revision, **until}).one()
    ends = last.valid_to if not keep_pending or pending is None else pending.valid_from
    written = [
        *(replace(each, valid_to=after.valid_from) for each, after in pairwise(decision)),
        replace(last, valid_to=ends),
    ]
    whose_next = {
        "partner_id": client.partner_id,
        "client_id": client.client_id,
        "sort_name": client.sort_name,
        "responsible_id": closed.responsible_id,
    }
    connection.execute(_NEXT, [_values(each) | whose_next for each in written])
    if closed.clear:
        connection.execute(_CLEAR, {"of_partner": client.partner_id, "moment": moment})
    line = [held, *written] if pending is None or not keep_pending else [held, *written, pending]
    holds = line[1] if first.valid_from <= moment else held
    waits = next((each for each in line if each.valid_from > moment), None)
    tell(session, Decision(client, by, moment, held, pending, holds, waits))
    return _compared(held, written[0])


def stale(client: Client, last: Revision) -> StaleSubscription:
    """The refusal that says who changed the client last, and when."""
    return StaleSubscription(client=client.name, changed_by=last.changed_by, changed_at=last.decided_at)


def history(session: Session, partner_id: int, client_id: int) -> tuple[Revision, ...]:
    """Every revision of a client, the newest decision first, each with what it changed."""
    rows = session.connection().execute(_HISTORY, {"of_partner": partner_id, "of_client": client_id})
    found = [_of_row(row) for row in rows]
    return tuple(_compared(before(found, each), each) for each in reversed(found))


def decided(
    number: int,
    valid_from: datetime,
    status: ClientStatus,
    effective: EffectiveSettings,
    *,
    by: Member | None,
    origin: Origin,
    reason: str,
    at: datetime,
    rhythm: Rhythm | None = None,
    price_list: int | None = None,
) -> Revision:
    """A revision as it is decided at an instant, by a member (None: the client or the product itself)."""
    return Revision(
        revision=number,
        valid_from=valid_from,
        valid_to=None,
        status=status,
        settings=effective.settings,
        overridden=effective.overridden,
        set_number=effective.set_number,
        defaults_version=effective.defaults_version,
        changed_by=None if by is None else by.name,
        changed_by_id=None if by is None else by.member_id,
        origin=origin,
        reason=reason,
        decided_at=at,
        rhythm=rhythm,
        price_list=price_list,
    )


def _of_row(row: Any) -> Revision:
    number, start, end, status, overridden, set_number, version, by, by_id, origin, reason, batch, *rest = row
    decided_at, anchor_day, anchor_month, price_list, withdrawn_by, *settings = rest
    return Revision(
        number,
        start,
        end,
        status,
        BillingSettings(*settings),
        overridden,
        set_number,
        version,
        by,
        by_id,
        origin,
        reason,
        decided_at,
        None if anchor_day is None else Rhythm(anchor_day, anchor_month),
        price_list,
        withdrawn_by,
        batch,
    )


def before(revisions: Sequence[Revision], revision: Revision) -> Revision | None:
    """The revision that held until this one begins; for one that was withdrawn, what held when it was decided."""
    until = revision.valid_from if revision.withdrawn_by is None else revision.decided_at
    held = [
        each
        for each in revisions
        if not each.was_withdrawn
        and (each.valid_from < until or (revision.was_withdrawn and each.valid_from == until))
        and (revision.withdrawn_by is None or each.revision < revision.withdrawn_by)
        and each is not revision
    ]
    return max(held, key=lambda each: each.valid_from, default=None)


def _compared(earlier: Revision | None, revision: Revision) -> Revision:
    if earlier is None:
        return revision
    return replace(
        revision,
        changes=changes(earlier.settings, revision.settings),
        newly_chosen=revision.overridden - earlier.overridden,
        cleared=earlier.overridden - revision.overridden,
        status_before=earlier.status,
        set_number_before=earlier.set_number,
        defaults_version_before=earlier.defaults_version,
    )


def _values(revision: Revision) -> dict[str, Any]:
    """What a row says of the revision, not whose it is."""
    return {
        "revision": revision.revision,
        "valid_from": revision.valid_from,
        "valid_to": revision.valid_to,
        "status": revision.status,
        **{setting.value: setting.of(revision.settings) for setting in Setting},
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
        "batch": None,
    }
