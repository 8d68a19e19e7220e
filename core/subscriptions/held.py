"""Which plans and add-ons are held: now, by how many clients and default settings; and ever."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session, aliased

from core import members
from core.catalogue import Item, Plan
from core.defaults import DefaultSet, DefaultSettings
from core.members import Member, Partner
from core.storage import now
from core.subscriptions.instants import holds_then, waits_now
from core.subscriptions.tables import Subscription
from core.words import BillingPeriod, ClientStatus, listed, nt


@dataclass(frozen=True, slots=True)
class Holding:
    """A plan with its add-ons and billing period, in partner spaces of one currency: how many clients have it, invited
    or active, how many of them are invited, for how many it waits, and how many default sets, whose newest
    version can be picked, say it."""

    currency: str
    billing_period: BillingPeriod
    plan: str
    add_ons: frozenset[str]
    clients: int = 0
    invited: int = 0
    pending: int = 0
    default_settings: int = 0

    def has(self, item: Item) -> bool:
        """Whether this plan or add-on is in it."""
        return self.plan == item.code if isinstance(item, Plan) else item.code in self.add_ons


@dataclass(frozen=True, slots=True)
class Holders:
    """How many hold something. `str()` says it in the reader's language; false when nobody does."""

    clients: int
    default_settings: int
    invited: int = 0
    pending: int = 0

    @property
    def active(self) -> int:
        """Of the clients, those who accepted."""
        return self.clients - self.invited

    def __bool__(self) -> bool:
        return self.clients > 0 or self.pending > 0 or self.default_settings > 0

    def __str__(self) -> str:
        said = []
        if self.clients:
            said.append(nt("{count} client", "{count} clients", self.clients))
        if self.pending:
            said.append(nt("{count} pending change", "{count} pending changes", self.pending))
        if self.default_settings:
            said.append(
                nt(
                    "the default settings of {count} partner space",
                    "the default settings of {count} partner spaces",
                    self.default_settings,
                )
            )
        return listed(said)


def held_now(session: Session, *, seen_by: Member | None = None) -> tuple[Holding, ...]:
    """What clients and the newest default settings hold now, in every partner space; or `seen_by` a member, in theirs
    and of the clients that they see. Archived clients hold nothing."""
    of_clients: list[ColumnElement[bool]] = []
    of_versions: list[ColumnElement[bool]] = []
    if seen_by is not None:
        of_clients.append(Subscription.partner_id == seen_by.partner_id)
        of_versions.append(DefaultSettings.partner_id == seen_by.partner_id)
        if not members.reads_all_clients(seen_by):
            of_clients.append(Subscription.responsible_id == seen_by.member_id)
    kept = (Partner.currency, Subscription.billing_period, Subscription.plan, Subscription.add_ons)
    clients = (
        select(*kept, func.count(), func.count().filter(Subscription.status == ClientStatus.INVITED))
        .join(Partner, Partner.partner_id == Subscription.partner_id)
        .where(holds_then(), Subscription.status != ClientStatus.ARCHIVED, *of_clients)
        .group_by(*kept)
    )
    waiting = (
        select(*kept, func.count())
        .join(Partner, Partner.partner_id == Subscription.partner_id)
        .where(waits_now(), Subscription.status != ClientStatus.ARCHIVED, *of_clients)
        .group_by(*kept)
    )
    at = {"now": now(session)}
    later = aliased(DefaultSettings)
    newest = (
        select(func.max(later.version))
        .where(later.partner_id == DefaultSettings.partner_id, later.set_number == DefaultSettings.set_number)
        .scalar_subquery()
    )
    of_set = (DefaultSet.partner_id == DefaultSettings.partner_id) & (
        DefaultSet.set_number == DefaultSettings.set_number
    )
    said = (Partner.currency, DefaultSettings.billing_period, DefaultSettings.plan, DefaultSettings.add_ons)
    versions = (
        select(*said, func.count())
        .join(Partner, Partner.partner_id == DefaultSettings.partner_id)
        .join(DefaultSet, of_set & DefaultSet.retired_at.is_(None))
        .where(DefaultSettings.version == newest, *of_versions)
        .group_by(*said)
    )
    return (
        *(
            Holding(row[0], row[1], row[2], row[3], clients=row[4], invited=row[5])
            for row in session.execute(clients, at)
        ),
        *(Holding(row[0], row[1], row[2], row[3], pending=row[4]) for row in session.execute(waiting, at)),
        *(Holding(row[0], row[1], row[2], row[3], default_settings=row[4]) for row in session.execute(versions)),
    )


def ever_held(session: Session) -> tuple[frozenset[str], frozenset[str]]:
    """The codes of the plans, and of the add-ons, that a client or a version of default settings has or ever had."""
    plans: set[str] = set()
    add_ons: set[str] = set()
    for table in (Subscription, DefaultSettings):
        for plan, together in session.execute(select(table.plan, table.add_ons).distinct()):
            plans.add(plan)
            add_ons |= together
    return frozenset(plans), frozenset(add_ons)


def holders(
    holdings: Iterable[Holding], item: Item, *, currency: str | None = None, billing_period: BillingPeriod | None = None
) -> Holders:
    """How many hold this plan or add-on: with this billing period in this currency, or with any where it is None."""
    found = [
        holding
        for holding in holdings
        if holding.has(item)
        and currency in (None, holding.currency)
        and billing_period in (None, holding.billing_period)
    ]
    return Holders(
        sum(each.clients for each in found),
        sum(each.default_settings for each in found),
        sum(each.invited for each in found),
        sum(each.pending for each in found),
    )
