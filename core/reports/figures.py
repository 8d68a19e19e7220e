"""Figures over many clients: those above the list, and how clients and what they cost spread over plans."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import pandas as pd
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import catalogue, defaults, members
from core.catalogue import Catalogue, monthly_cents
from core.defaults import SetVersion, bound_to
from core.members import Member, Permission
from core.reports import listing
from core.reports.prices import PricesOnDay, stored_settings
from core.storage import now
from core.subscriptions import INDEXED_SETTINGS, Subscription, holds_then, local_date
from core.words import ClientStatus, Money, Payer, Setting, Source

DISTRIBUTION = [
    *(setting.value for setting in INDEXED_SETTINGS),
    "source",
    "set_number",
    "defaults_version",
    "status",
    "clients",
    "cents_per_year",
]


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts over the filtered clients: all, by whom they are paid, with an override, on older defaults of their own
    set, on a retired set, with something that waits, by the version they are bound to; and what they cost in a year in
    exact cents, archived clients left out."""

    clients: int
    paid_by_partner: int
    overridden: int
    on_older_defaults: int
    on_retired_set: int
    pending: int
    per_version: Mapping[SetVersion, int]
    cents_per_year: int
    currency: str

    @property
    def per_month(self) -> Money:
        """A twelfth of the year, rounded once."""
        return Money(monthly_cents(self.cents_per_year), self.currency)


def figures(session: Session, member: Member, **filters: Any) -> Figures:
    """The figures over every client of the filtered list, as far as the member sees it. Linear in the number of
    clients. Raises NotAllowed."""
    members.require(member, Permission.READ_CLIENTS)
    offer = catalogue.current(session, member.partner)
    today = local_date(now(session), member.partner.time_zone)
    prices, by_anchor = _prices(offer, today)
    paid_by_partner = overridden = pending = cents_per_year = 0
    per_version: Counter[SetVersion | None] = Counter()
    asked, values = listing.question(member, filters)
    for group in listing.rows(session, listing.groups(asked, by_anchor=by_anchor), values):
        per_version[bound_to(group.set_number, group.defaults_version)] += group.clients
        paid_by_partner += group.clients if group.payer == Payer.PARTNER else 0
        overridden += group.clients if group.overridden else 0
        pending += group.pending
        cents_per_year += group.clients * _cents_per_year(prices, group, by_anchor=by_anchor)
    bound = {version: clients for version, clients in per_version.items() if version is not None}
    sets = defaults.sets_of(session, member.partner_id)
    return Figures(
        clients=per_version.total(),
        paid_by_partner=paid_by_partner,
        overridden=overridden,
        on_older_defaults=sum(clients for version, clients in bound.items() if sets.is_older(version)),
        on_retired_set=sum(clients for version, clients in bound.items() if sets.is_retired(version)),
        pending=pending,
        per_version=bound,
        cents_per_year=cents_per_year,
        currency=member.partner.currency,
    )


def plan_distribution(session: Session, member: Member, *, as_of: datetime | None = None) -> pd.DataFrame:
    """How the clients spread: a row for each plan, billing_period, payer, source, version of a default set and status
    that occurs together.

    Columns as in DISTRIBUTION; set_number and defaults_version, nullable integers, say what clients are bound to,
    whatever they override. `clients` counts them and `cents_per_year` is what they cost in a year (exact integer cents;
    divide a sum by twelve once for a month). `as_of` (UTC) gives the settings of that instant at the prices of then,
    pending changes included for one to come; None: now. Raises NotAllowed.
    """
    members.require(member, Permission.READ_DISTRIBUTION)
    moment = now(session) if as_of is None else as_of
    offer = catalogue.current(session, member.partner)
    prices, by_anchor = _prices(offer, local_date(moment, member.partner.time_zone))
    columns = listing.group_columns(by_anchor=by_anchor)
    groups = (
        select(*columns, func.count().label("clients"))
        .where(Subscription.partner_id == member.partner_id, holds_then())
        .group_by(*columns)
    )
    folded: dict[tuple[Any, ...], list[int]] = {}
    for group in session.connection().execute(groups, {"now": moment}):
        source = Source.OVERRIDE if group.overridden else Source.DEFAULT
        key = (
            *(setting.of(group) for setting in INDEXED_SETTINGS),
            source.value,
            group.set_number,
            group.defaults_version,
            group.status,
        )
        sums = folded.setdefault(key, [0, 0])
        sums[0] += group.clients
        sums[1] += group.clients * _cents_per_year(prices, group, by_anchor=by_anchor)
    spread = [(*key, *sums) for key, sums in sorted(folded.items(), key=lambda row: [str(each) for each in row[0]])]
    frame = pd.DataFrame.from_records(spread, columns=DISTRIBUTION)
    return frame.astype({"set_number": "Int64", "defaults_version": "Int64"})


def _prices(offer: Catalogue, day: date) -> tuple[PricesOnDay, bool]:
    """The prices of a day, and whether what a period costs then depends on when it began: a list reached renewals in
    the year before."""
    began = day - timedelta(days=366)
    reached = (each.renewals_from for each in offer.price_lists)
    return PricesOnDay(offer, day), any(each is not None and began < each <= day for each in reached)


def _cents_per_year(prices: PricesOnDay, group: Any, *, by_anchor: bool) -> int:
    """What each client of a group is billed in a year, in exact cents; 0 where it is billed nothing."""
    settings = stored_settings(tuple(setting.of(group) for setting in Setting))
    anchor = (group.anchor_day, group.anchor_month) if by_anchor else (None, None)
    price = prices.of(settings, ClientStatus(group.status), group.price_list, *anchor)
    return 0 if price is None else price.cents_per_year
