"""Figures over many clients: those above the list, and how clients and what they cost spread over plans."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import catalogue, members
from core.catalogue import monthly_cents
from core.defaults import SetVersion, bound_to
from core.members import Member, Permission
from core.reports import listing, then
from core.reports.prices import PricesInOrder, in_order, price_of_group, prices_on
from core.reports.questions import question
from core.reports.standing import ended_then
from core.storage import now
from core.subscriptions import INDEXED_SETTINGS, Subscription, holds_then, local_date
from core.words import ClientStatus, Money, Payer, Source

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
    """Counts over the filtered clients: all; the active ones that the partner pays for; with an override, on older
    defaults of their own set, on a retired set and with something that waits, archived clients left out; invited ones
    who can still accept; those who need attention, as an invitation lapsed or was revoked or a message was given up; by
    the version they are bound to.

    In a year, in exact cents: what the active ones cost, what the partner pays of it, and what those who are invited
    will cost. `prices` is what an order by price needs.
    """

    clients: int
    paid_by_partner: int
    overridden: int
    on_older_defaults: int
    on_retired_set: int
    pending: int
    invited: int
    attention: int
    per_version: Mapping[SetVersion, int]
    cents_per_year: int
    paid_by_partner_cents_per_year: int
    invited_cents_per_year: int
    currency: str
    prices: PricesInOrder

    @property
    def per_month(self) -> Money:
        """A twelfth of the year, rounded once."""
        return self._a_month(self.cents_per_year)

    @property
    def paid_by_partner_per_month(self) -> Money:
        """What of it the partner pays, rounded once."""
        return self._a_month(self.paid_by_partner_cents_per_year)

    @property
    def invited_per_month(self) -> Money:
        """What comes on top when those who are invited accept, rounded once."""
        return self._a_month(self.invited_cents_per_year)

    def _a_month(self, cents_per_year: int) -> Money:
        return Money(monthly_cents(cents_per_year), self.currency)


def figures(session: Session, member: Member, *, as_of: datetime | None = None, **filters: Any) -> Figures:
    """The figures over every client of the filtered list, as far as the member sees it; as of an instant (UTC), as
    `listed` has it. Linear in the number of clients. Raises NotAllowed."""
    members.require(member, Permission.READ_CLIENTS)
    offer = catalogue.current(session, member.partner)
    asked, values = question(session, member, filters, as_of)
    prices, by_anchor = prices_on(offer, local_date(values["now"], member.partner.time_zone))
    older, retired = _older_and_retired(session, values)
    counted: Counter[str] = Counter()
    per_version: Counter[SetVersion] = Counter()
    per_price: Counter[tuple[int | None, str]] = Counter()
    for group in listing.rows(session, listing.groups(asked, by_anchor=by_anchor), values):
        clients, status = group.clients, ClientStatus(group.status)
        version = bound_to(group.set_number, group.defaults_version)
        price = price_of_group(prices, group, by_anchor=by_anchor)
        cents = 0 if price is None else clients * price.cents_per_year
        kind = listing.kind_of(group, by_anchor=by_anchor)
        per_price[None if price is None else price.per_month.cents, kind] += clients
        counted["clients"] += clients
        if version is not None:
            per_version[version] += clients
        if status is ClientStatus.ARCHIVED:
            continue
        counted["overridden"] += clients if group.overridden else 0
        counted["older"] += clients if version in older else 0
        counted["retired"] += clients if version is not None and version.set_number in retired else 0
        counted["pending"] += group.pending
        is_active = status is ClientStatus.ACTIVE
        counted["invited"] += 0 if is_active else clients
        counted["active_cents" if is_active else "invited_cents"] += cents
        if is_active and group.payer == Payer.PARTNER:
            counted["paid"] += clients
            counted["paid_cents"] += cents
    if as_of is not None:
        ((counted["pending"],),) = listing.rows(session, listing.pending_then(asked), values)
    ended = listing.rows(session, listing.groups(asked, ended=True), values) if counted["invited"] else ()
    for group in ended:
        price = price_of_group(prices, group, by_anchor=False)
        counted["ended"] += group.clients
        counted["invited_cents"] -= 0 if price is None else group.clients * price.cents_per_year
    ((given_up,),) = listing.rows(session, listing.only_given_up(asked), values)
    return Figures(
        clients=counted["clients"],
        paid_by_partner=counted["paid"],
        overridden=counted["overridden"],
        on_older_defaults=counted["older"],
        on_retired_set=counted["retired"],
        pending=counted["pending"],
        invited=counted["invited"] - counted["ended"],
        attention=counted["ended"] + given_up,
        per_version=per_version,
        cents_per_year=counted["active_cents"],
        paid_by_partner_cents_per_year=counted["paid_cents"],
        invited_cents_per_year=counted["invited_cents"],
        currency=member.partner.currency,
        prices=in_order(per_price, by_anchor=by_anchor),
    )


def _older_and_retired(session: Session, values: Mapping[str, Any]) -> tuple[frozenset[SetVersion], frozenset[int]]:
    """The versions that newer ones of their sets followed, and the numbers of the sets that are retired; as of then."""
    connection = session.connection()
    older = frozenset(SetVersion(*row) for row in connection.execute(then.OLDER_VERSIONS, values))
    return older, frozenset(connection.scalars(then.RETIRED_SETS, values))


def plan_distribution(session: Session, member: Member, *, as_of: datetime | None = None) -> pd.DataFrame:
    """How the clients spread: a row for each plan, billing_period, payer, source, version of a default set and status
    that occurs together.

    Columns as in DISTRIBUTION; set_number and defaults_version, nullable integers, say what clients are bound to,
    whatever they override. `clients` counts them and `cents_per_year` is what they cost in a year (exact integer cents;
    divide a sum by twelve once for a month). `status` is one of ListedStatus: invited clients whose invitation had
    lapsed or was revoked are told apart. `as_of` (UTC) gives the settings of that instant at the prices of then,
    pending changes included for one to come; None: now. Raises NotAllowed.
    """
    members.require(member, Permission.READ_DISTRIBUTION)
    moment = now(session) if as_of is None else as_of
    offer = catalogue.current(session, member.partner)
    prices, by_anchor = prices_on(offer, local_date(moment, member.partner.time_zone))
    columns, asked = listing.group_columns(by_anchor=by_anchor), {"partner_id": member.partner_id, "now": moment}
    groups = (
        select(*columns, func.count().label("clients"))
        .where(Subscription.partner_id == member.partner_id, holds_then())
        .group_by(*columns)
    )
    connection = session.connection()
    folded: dict[tuple[Any, ...], list[int]] = {}

    def add(group: Any, status: str, clients: int) -> None:
        source = Source.OVERRIDE if group.overridden else Source.DEFAULT
        key = (
            *(setting.of(group) for setting in INDEXED_SETTINGS),
            source.value,
            group.set_number,
            group.defaults_version,
            status,
        )
        price = price_of_group(prices, group, by_anchor=by_anchor)
        sums = folded.setdefault(key, [0, 0])
        sums[0] += clients
        sums[1] += 0 if price is None else clients * price.cents_per_year

    for group in connection.execute(groups, asked):
        add(group, group.status, group.clients)
    for group in connection.execute(ended_then(columns, holds_then()), asked):
        add(group, group.status, -group.clients)
        add(group, group.standing, group.clients)
    spread = [(*key, *sums) for key, sums in folded.items() if sums[0]]
    spread.sort(key=lambda row: [str(each) for each in row])
    frame = pd.DataFrame.from_records(spread, columns=DISTRIBUTION)
    return frame.astype({"set_number": "Int64", "defaults_version": "Int64"})
