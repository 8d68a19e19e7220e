"""Figures over many clients: those above the list, and how clients and what they cost spread over plans."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd
from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from core import catalogue, members
from core.catalogue import Catalogue, monthly_cents
from core.members import Member, Permission
from core.reports import listing
from core.reports.clients import stored_settings
from core.subscriptions import INDEXED_SETTINGS, Subscription
from core.words import BillingSettings, ClientStatus, Money, Payer, Setting, Source

DISTRIBUTION = [*(setting.value for setting in INDEXED_SETTINGS), "source", "status", "clients", "cents_per_year"]


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts over the filtered clients: all, by whom they are paid, with an override, on older defaults, by the version
    they are bound to; and what they cost in a year in exact cents, archived clients left out."""

    clients: int
    paid_by_partner: int
    overridden: int
    on_older_defaults: int
    per_version: Mapping[int, int]
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
    paid_by_partner = overridden = cents_per_year = 0
    per_version: Counter[int | None] = Counter()
    asked, values = listing.question(member, filters)
    for group in listing.rows(session, listing.groups(asked), values):
        per_version[group.defaults_version] += group.clients
        paid_by_partner += group.clients if group.payer == Payer.PARTNER else 0
        overridden += group.clients if group.overridden else 0
        cents_per_year += group.clients * _cents_per_year(group, offer)
    bound = {version: clients for version, clients in per_version.items() if version is not None}
    newest = listing.newest_version(session, member)
    return Figures(
        clients=per_version.total(),
        paid_by_partner=paid_by_partner,
        overridden=overridden,
        on_older_defaults=sum(clients for version, clients in bound.items() if version < newest),
        per_version=bound,
        cents_per_year=cents_per_year,
        currency=member.partner.currency,
    )


def plan_distribution(session: Session, member: Member, *, as_of: datetime | None = None) -> pd.DataFrame:
    """How the clients spread: a row for each plan, billing_period, payer, source and status that occurs together.

    Columns as in DISTRIBUTION. `clients` counts them and `cents_per_year` is what they cost in a year at today's prices
    (exact integer cents; divide a sum by twelve once for a month). `as_of` (UTC) gives the settings of that instant;
    None: now. Raises NotAllowed.
    """
    members.require(member, Permission.READ_DISTRIBUTION)
    offer = catalogue.current(session, member.partner)
    held: list[ColumnElement[bool]] = [Subscription.valid_to.is_(None)]
    if as_of is not None:
        held = [Subscription.valid_from <= as_of, or_(Subscription.valid_to.is_(None), Subscription.valid_to > as_of)]
    columns = listing.group_columns()
    groups = select(*columns, func.count().label("clients")).where(Subscription.partner_id == member.partner_id, *held)
    folded: dict[tuple[str, ...], list[int]] = {}
    for group in listing.rows(session, groups.group_by(*columns), {}):
        source = Source.OVERRIDE if group.overridden else Source.DEFAULT
        key = (*(setting.of(group) for setting in INDEXED_SETTINGS), source.value, group.status)
        sums = folded.setdefault(key, [0, 0])
        sums[0] += group.clients
        sums[1] += group.clients * _cents_per_year(group, offer)
    spread = [(*key, *sums) for key, sums in sorted(folded.items())]
    return pd.DataFrame.from_records(spread, columns=DISTRIBUTION)


def _cents_per_year(group: Any, offer: Catalogue) -> int:
    """What each client of a group is billed in a year, in exact cents; 0 where it is billed nothing."""
    settings: BillingSettings = stored_settings(tuple(setting.of(group) for setting in Setting))
    price = offer.billed(settings, ClientStatus(group.status))
    return 0 if price is None else price.cents_per_year
