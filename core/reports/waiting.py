"""What is decided for clients of the list and not in force yet (rule 31)."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from core.catalogue import Catalogue, Price
from core.members import Member
from core.reports.listing import stored
from core.reports.prices import PricesOnDay, stored_settings
from core.subscriptions import Subscription, local_date
from core.words import BillingSettings, ClientStatus, Setting, t


class Waiting(NamedTuple):
    """A pending change, or a pending end: when it takes effect (UTC), from what to what, and the price from then (None:
    the subscription ends, or there is no price)."""

    takes_effect_at: datetime
    before: BillingSettings
    after: BillingSettings
    is_end: bool
    price: Price | None

    @property
    def changes(self) -> list[str]:
        """The settings that become another; "status" where the subscription ends."""
        if self.is_end:
            return ["status"]
        return [each.value for each in Setting if each.of(self.before) != each.of(self.after)]

    def text(self, offer: Catalogue) -> str:
        """Subscription: Plus → Standard, in the reader's language."""
        if self.is_end:
            return t("The subscription ends")
        changed = [each for each in Setting if each.of(self.before) != each.of(self.after)]
        said = [
            t(
                "{setting}: {before} → {after}",
                setting=each,
                before=offer.value_text(each.of(self.before)),
                after=offer.value_text(each.of(self.after)),
            )
            for each in changed
        ]
        return "; ".join(said) or t("The same settings, from other defaults")


def waiting(session: Session, member: Member, rows: Sequence[Any], offer: Catalogue) -> dict[int, Waiting]:
    """What waits for the clients of these rows of the list, by client_id: one query where something does, else none."""
    held = {row.client_id: row for row in rows if row.pending_from is not None}
    if not held:
        return {}
    begins = {row.pending_from for row in held.values()}
    values = {"partner": member.partner_id, "clients": list(held), "first": min(begins), "last": max(begins)}
    prices = {instant: PricesOnDay(offer, local_date(instant, member.partner.time_zone)) for instant in begins}
    found = {}
    for row in session.connection().execute(_statement(), values):
        before, status = held[row.client_id], ClientStatus(row.status)
        if row.valid_from == before.pending_from:
            settings = stored_settings(row[: len(Setting)])
            found[row.client_id] = Waiting(
                row.valid_from,
                stored_settings(before[: len(Setting)]),
                settings,
                status is ClientStatus.ARCHIVED,
                prices[row.valid_from].of(settings, status, row.price_list, row.anchor_day, row.anchor_month),
            )
    return found


@lru_cache(maxsize=1)
def _statement() -> Any:
    """The rows of some clients that begin in a span of time; a withdrawn one may hold no more."""
    s = Subscription
    return select(
        *(stored(setting.of(s)) for setting in Setting), stored(s.status), s.client_id, s.valid_from, s.price_list,
        s.anchor_day, s.anchor_month,
    ).where(
        s.partner_id == bindparam("partner"),
        s.client_id.in_(bindparam("clients", expanding=True)),
        s.valid_from.between(bindparam("first"), bindparam("last")),
        s.may_hold,
    )  # fmt: skip
