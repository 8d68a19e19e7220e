"""What is decided for clients of the list and not in force yet (rule 31)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from core.catalogue import Catalogue, Price
from core.defaults import Change, changes
from core.members import Member
from core.reports import then
from core.reports.listing import stored
from core.reports.prices import PricesOnDay, stored_settings
from core.subscriptions import Subscription, local_date
from core.words import ClientStatus, Setting, t

_WAITING = select(  # the rows of some clients that begin in a span of time; a withdrawn one holds no more
    *(stored(setting.of(Subscription)) for setting in Setting), stored(Subscription.status), Subscription.client_id,
    Subscription.valid_from, Subscription.price_list, Subscription.anchor_day, Subscription.anchor_month,
    Member.name.label("decided_by"), Subscription.decided_at, Subscription.reason,
).outerjoin(
    Member, (Member.partner_id == Subscription.partner_id) & (Member.member_id == Subscription.changed_by_id)
).where(
    Subscription.partner_id == then.PARTNER,
    Subscription.client_id.in_(bindparam("clients", expanding=True)),
    Subscription.valid_from.between(bindparam("first"), bindparam("last")),
)  # fmt: skip
_WAITING_NOW, _WAITED_THEN = _WAITING.where(Subscription.may_hold), _WAITING.where(then.waited_then())


class Waiting(NamedTuple):
    """A pending change, or a pending end: when it takes effect (UTC), the settings that become another, and the price
    from then (None: the subscription ends, or there is no price); who decided it (None: no member), when (UTC) and
    why."""

    takes_effect_at: datetime
    changes: tuple[Change, ...]
    is_end: bool
    price: Price | None
    decided_by: str | None
    decided_at: datetime
    reason: str

    @property
    def what(self) -> list[str]:
        """What becomes another, in stored words: settings; "status" where the subscription ends."""
        return ["status"] if self.is_end else [change.setting.value for change in self.changes]

    def text(self, offer: Catalogue) -> str:
        """Subscription: Plus → Standard, in the reader's language."""
        if self.is_end:
            return t("The subscription ends")
        said = [offer.change_text(change.setting, change.before, change.after) for change in self.changes]
        return "; ".join(said) or t("The same settings, from other defaults")


def waiting(
    session: Session, member: Member, rows: Sequence[Any], offer: Catalogue, as_of: datetime | None = None
) -> dict[int, Waiting]:
    """What waits for the clients of these rows of the list, by client_id, or waited at an instant: one query where
    something does, else none."""
    held = {row.client_id: row for row in rows if row.pending_from is not None}
    if not held:
        return {}
    begins = {row.pending_from for row in held.values()}
    values = {"partner_id": member.partner_id, "clients": list(held), "first": min(begins), "last": max(begins)}
    prices = {instant: PricesOnDay(offer, local_date(instant, member.partner.time_zone)) for instant in begins}
    statement = _WAITING_NOW if as_of is None else _WAITED_THEN
    found = {}
    for row in session.connection().execute(statement, values | {"now": as_of}):
        before, status = held[row.client_id], ClientStatus(row.status)
        if row.valid_from == before.pending_from:
            settings = stored_settings(row[: len(Setting)])
            found[row.client_id] = Waiting(
                row.valid_from,
                changes(stored_settings(before[: len(Setting)]), settings),
                status is ClientStatus.ARCHIVED,
                prices[row.valid_from].of(settings, status, row.price_list, row.anchor_day, row.anchor_month),
                row.decided_by,
                row.decided_at,
                row.reason,
            )
    return found
