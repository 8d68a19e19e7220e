"""A client's subscription through time: its revisions, which of them holds at an instant and which waits.

A revision that takes effect later is written at once, beginning later; the one that holds until then is closed ahead
(rule 26); writing.py does so. Statements are built once: building one anew costs more than running it.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from core.defaults import Change, EffectiveSettings, SetVersion, bound_to, changes
from core.members import Member
from core.storage import now, now_after
from core.subscriptions.rhythm import Rhythm, first_instant, local_date
from core.subscriptions.tables import Client, Subscription
from core.words import BillingSettings, ClientStatus, Origin, Setting, StaleSubscription, TookEffect

_WHOSE = (
    Subscription.partner_id == bindparam("of_partner", type_=Subscription.partner_id.type),
    Subscription.client_id == bindparam("of_client", type_=Subscription.client_id.type),
)
WHOSE: tuple[Any, ...] = (  # when, and who decided it
    Subscription.revision,
    Subscription.valid_from,
    Subscription.valid_to,
    Subscription.decided_at,
    Subscription.withdrawn_by,
    Member.name,
    Subscription.changed_by_id,
    Subscription.reason,
    Subscription.batch,
)
WHAT: tuple[Any, ...] = (  # of which thousands of clients have the same few
    Subscription.status,
    Subscription.overridden,
    Subscription.set_number,
    Subscription.defaults_version,
    Subscription.origin,
    Subscription.anchor_day,
    Subscription.anchor_month,
    Subscription.price_list,
    *(setting.of(Subscription) for setting in Setting),
)
_HISTORY: Any = (
    select(*WHOSE, *WHAT)
    .outerjoin(
        Member, (Member.partner_id == Subscription.partner_id) & (Member.member_id == Subscription.changed_by_id)
    )
    .where(*_WHOSE)
    .order_by(Subscription.revision)
)


class Revision(NamedTuple):
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
    batch: int | None = None  # the import or the bulk change in which it was written
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


class Author(NamedTuple):
    """Who decides (None: client or product), through which door, why, and in which batch (None: none)."""

    by: Member | None
    origin: Origin = Origin.PAGE
    reason: str = ""
    batch: int | None = None


class Seen(NamedTuple):
    """What somebody looked at who changes a client: the revision that held, and the newest one (rule 34)."""

    held: int
    newest: int


def held_at(history: Sequence[Revision], instant: datetime) -> Revision | None:
    """The revision of a history that holds at this instant; None before the first one."""
    for each in history:
        if each.holds_at(instant):
            return each
    return None


def held_in_the_morning(history: Sequence[Revision], time_zone: str, moment: datetime) -> Revision | None:
    """What held when the local day of this moment began (rule 29); None where that was before the client ended or was
    invited again that same day, so that it belongs to another subscription."""
    began = first_instant(local_date(moment, time_zone), time_zone)
    for each in history:
        if began < each.valid_from <= moment and each.status is not ClientStatus.ACTIVE and not each.was_withdrawn:
            return None
    return held_at(history, began)


def pending_at(history: Sequence[Revision], instant: datetime) -> Revision | None:
    """The revision of a history that is decided and not in force yet at this instant (rule 31)."""
    for each in history:
        if each.valid_from > instant and not each.was_withdrawn:
            return each
    return None


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


def stale(client: Client, last: Revision) -> StaleSubscription:
    """The refusal that says who changed the client last, and when."""
    return StaleSubscription(client=client.name, changed_by=last.changed_by, changed_at=last.decided_at)


def history(session: Session, partner_id: int, client_id: int) -> tuple[Revision, ...]:
    """Every revision of a client, the newest decision first, each with what it changed."""
    rows = session.connection().execute(_HISTORY, {"of_partner": partner_id, "of_client": client_id})
    found = [of_row(row[: len(WHOSE)], what(row[len(WHOSE) :])) for row in rows]
    return tuple(compared(before(found, each), each) for each in reversed(found))


def decided(
    number: int,
    valid_from: datetime,
    status: ClientStatus,
    effective: EffectiveSettings,
    author: Author,
    *,
    at: datetime,
    rhythm: Rhythm | None = None,
    price_list: int | None = None,
) -> Revision:
    """A revision as it is decided at an instant."""
    by = author.by
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
        origin=author.origin,
        reason=author.reason,
        decided_at=at,
        rhythm=rhythm,
        price_list=price_list,
        batch=author.batch,
    )


class What(NamedTuple):
    """What a revision says, beside when it holds and who decided it."""

    status: ClientStatus
    settings: BillingSettings
    overridden: frozenset[Setting]
    set_number: int | None
    defaults_version: int | None
    origin: Origin
    rhythm: Rhythm | None
    price_list: int | None


def what(said: Sequence[Any]) -> What:
    """The same of the values of WHAT."""
    status, overridden, set_number, version, origin, anchor_day, anchor_month, price_list, *settings = said
    rhythm = None if anchor_day is None else Rhythm(anchor_day, anchor_month)
    return What(status, BillingSettings(*settings), overridden, set_number, version, origin, rhythm, price_list)


def of_row(whose: Sequence[Any], of: What) -> Revision:
    """The revision of the values of WHOSE, and what it says."""
    number, start, end, decided_at, withdrawn_by, by, by_id, reason, batch = whose
    status, settings, overridden, set_number, version, origin, rhythm, price_list = of
    return Revision(
        number, start, end, status, settings, overridden, set_number, version, by, by_id, origin, reason, decided_at,
        rhythm, price_list, withdrawn_by, batch,
    )  # fmt: skip


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


def compared(earlier: Revision | None, revision: Revision) -> Revision:
    """The revision with what tells it from the one that held before."""
    if earlier is None:
        return revision
    return revision._replace(
        changes=changes(earlier.settings, revision.settings),
        newly_chosen=revision.overridden - earlier.overridden,
        cleared=earlier.overridden - revision.overridden,
        status_before=earlier.status,
        set_number_before=earlier.set_number,
        defaults_version_before=earlier.defaults_version,
    )
