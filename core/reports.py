"""What the pages and finance read: the list of billing sources, its figures, and the distribution over plans.

A list is read in two steps: the keys of one page from a covering index, then those rows. Work per page does not grow
with the number of clients. Figures and the distribution are linear: they count groups in the order of an index.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypedDict, Unpack

import pandas as pd
from sqlalchemy import ColumnElement, Select, String, Subquery, and_, func, literal_column, or_, select, type_coerce
from sqlalchemy.orm import Session

from core import access, catalogue
from core.access import Permission
from core.catalogue import Catalogue, monthly_cents
from core.columns import codes
from core.language import N_, Money
from core.models import Client, DefaultSettings, Invitation, Member, Subscription
from core.resolution import BillingSettings
from core.terms import BillingPeriod, ClientStatus, Payer, Source, Term
from core.text import fold


class SourceFilter(Term):
    """Which clients, by where their settings come from. The values of `Source` serve too."""

    DEFAULT = "default", N_("Default only")
    OVERRIDE = "override", N_("With an override")
    OLDER = "older", N_("On older defaults")


class Order(Term):
    """How the list is sorted."""

    NAME = "name", N_("Name, A to Z")
    NAME_DESCENDING = "-name", N_("Name, Z to A")
    NEWEST = "newest", N_("Newest first")
    OLDEST = "oldest", N_("Oldest first")


class Filters(TypedDict, total=False):
    """What narrows the list; a filter left out, None or "" does not. `search`: in name, e-mail or company number."""

    search: str
    plan: str | None
    billing_period: BillingPeriod | None
    payer: Payer | None
    source: SourceFilter | Source | None
    status: ClientStatus | None


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts over the filtered clients, and what they cost in a year (exact cents), archived ones left out."""

    clients: int
    paid_by_partner: int
    overridden: int
    on_older_defaults: int
    cents_per_year: int
    currency: str

    @property
    def per_month(self) -> Money:
        """A twelfth of the year, rounded once."""
        return Money(monthly_cents(self.cents_per_year), self.currency)


BILLING_SOURCES = {
    "client_id": "int64",
    "name": "str",
    "status": "str",
    "plan": "str",
    "add_ons": "str",
    "billing_period": "str",
    "payer": "str",
    "monthly_cents": "Int64",
    "source": "str",
    "overridden": "str",
    "defaults_version": "Int64",
    "on_older_defaults": "bool",
    "invited_at": "datetime64[us, UTC]",
}
DISTRIBUTION = ["plan", "billing_period", "payer", "source", "status", "clients", "cents_per_year"]

_CURRENT_VERSION = (
    select(func.max(DefaultSettings.version))
    .where(DefaultSettings.partner_id == Subscription.partner_id)
    .scalar_subquery()
)


def billing_sources(
    session: Session,
    member: Member,
    *,
    order_by: Order = Order.NAME,
    page: int = 1,
    page_size: int = 50,
    **filters: Unpack[Filters],
) -> pd.DataFrame:
    """One row per client of a page of the filtered list, in order; no rows past the end. Raises NotAllowed.

    Columns as in BILLING_SOURCES: status, plan, billing_period, payer and source are stored words; add_ons and
    overridden are stored sets (core.columns); monthly_cents counts a twelfth of a yearly price and is missing for
    archived clients; defaults_version is missing for clients bound to none; invited_at is the latest invitation, UTC.
    """
    access.require(member, Permission.READ_CLIENTS)
    if not access.sees_every_client(member):
        return frame([], catalogue.current(session, member.partner.currency))
    keys = _keys(member, filters, order_by).limit(page_size).offset((max(page, 1) - 1) * page_size).subquery("keys")
    rows = session.execute(_rows(member, keys, order_by)).all()
    return frame(rows, catalogue.current(session, member.partner.currency))


def figures(session: Session, member: Member, **filters: Unpack[Filters]) -> Figures:
    """The figures over every client of the filtered list. Linear in the number of clients. Raises NotAllowed."""
    access.require(member, Permission.READ_CLIENTS)
    offer = catalogue.current(session, member.partner.currency)
    counted = dict.fromkeys(("clients", "paid_by_partner", "overridden", "on_older_defaults", "cents_per_year"), 0)
    if access.sees_every_client(member):
        newest = session.scalar(
            select(func.max(DefaultSettings.version)).where(DefaultSettings.partner_id == member.partner_id)
        )
        for plan, period, payer, add_ons, overridden, status, version, clients in session.execute(
            _groups(member, filters, newest)
        ):
            counted["clients"] += clients
            counted["paid_by_partner"] += clients if payer == Payer.PARTNER else 0
            counted["overridden"] += clients if overridden else 0
            counted["on_older_defaults"] += clients if version is not None and version < newest else 0
            if status != ClientStatus.ARCHIVED:
                counted["cents_per_year"] += clients * _cents_per_year(offer, plan, period, payer, add_ons)
    return Figures(**counted, currency=member.partner.currency)


def clients_per_version(session: Session, member: Member) -> dict[int, int]:
    """Version of the defaults -> how many clients are bound to it now. Linear. Raises NotAllowed."""
    access.require(member, Permission.READ_DEFAULTS)
    counts = (
        select(Subscription.defaults_version, func.count())
        .where(
            Subscription.partner_id == member.partner_id,
            Subscription.valid_to.is_(None),
            Subscription.defaults_version.is_not(None),
        )
        .group_by(Subscription.defaults_version)
    )
    return {version: clients for version, clients in session.execute(counts) if version is not None}


def plan_distribution(session: Session, member: Member, *, as_of: datetime | None = None) -> pd.DataFrame:
    """How the clients spread: one row per plan, billing_period, payer, source and status that occurs. Raises NotAllowed.

    `clients` counts them and `cents_per_year` is what they cost in a year at today's prices (exact integer cents;
    divide a sum by twelve once for a month). `as_of` (UTC) gives what held at that instant; None: now.
    """
    access.require(member, Permission.READ_DISTRIBUTION)
    offer = catalogue.current(session, member.partner.currency)
    folded: dict[tuple[str, ...], list[int]] = {}
    for plan, period, payer, add_ons, overridden, status, clients in session.execute(_distribution(member, as_of)):
        source = Source.OVERRIDE if overridden else Source.DEFAULT
        group = folded.setdefault((plan, period, payer, str(source), status), [0, 0])
        group[0] += clients
        group[1] += clients * _cents_per_year(offer, plan, period, payer, add_ons)
    return pd.DataFrame.from_records([(*key, *sums) for key, sums in sorted(folded.items())], columns=DISTRIBUTION)


def frame(rows: Sequence[Any], offer: Catalogue) -> pd.DataFrame:
    """The frame of BILLING_SOURCES from rows of `_rows`."""
    columns = list(zip(*rows, strict=True)) or [()] * 12
    client_id, name, status, plan, add_ons, period, payer, overridden, version, newest, invited_at = columns[:11]
    prices: dict[tuple[str, ...], int] = {}
    monthly: list[int | None] = []
    for standing, *priced in zip(status, plan, period, payer, add_ons, strict=True):
        if standing == ClientStatus.ARCHIVED:
            monthly.append(None)
            continue
        key = tuple(priced)
        if key not in prices:
            prices[key] = monthly_cents(_cents_per_year(offer, *priced))
        monthly.append(prices[key])
    older = [v is not None and v < n for v, n in zip(version, newest, strict=True)]
    source = [Source.OVERRIDE.value if chosen else Source.DEFAULT.value for chosen in overridden]
    values = (
        client_id,
        name,
        status,
        plan,
        add_ons,
        period,
        payer,
        monthly,
        source,
        overridden,
        version,
        older,
        invited_at,
    )
    return pd.DataFrame(
        {
            column: pd.array(list(cells), dtype=dtype)
            for (column, dtype), cells in zip(BILLING_SOURCES.items(), values, strict=True)
        },
        copy=False,
    )


def _cents_per_year(offer: Catalogue, plan: str, period: str, payer: str, add_ons: str) -> int:
    settings = BillingSettings(Payer(payer), BillingPeriod(period), plan, codes(add_ons))
    price = offer.price_or_none(settings)
    return 0 if price is None else price.cents_per_year


def _stored(column: Any) -> ColumnElement[str]:
    """The column as it is stored, not made into the terms of its type."""
    return type_coerce(column, String)


def _narrowed(member: Member, filters: Filters, newest: Any) -> list[ColumnElement[bool]]:
    """The conditions on the current subscription of a client."""
    conditions = [Subscription.partner_id == member.partner_id, Subscription.valid_to.is_(None)]
    for column, wanted in (
        (Subscription.plan, filters.get("plan")),
        (Subscription.billing_period, filters.get("billing_period")),
        (Subscription.payer, filters.get("payer")),
        (Subscription.status, filters.get("status")),
    ):
        if wanted is not None:
            conditions.append(column == wanted)
    match filters.get("source"):
        case None:
            pass
        case SourceFilter.DEFAULT | Source.DEFAULT:
            conditions.append(_stored(Subscription.overridden) == "")
        case SourceFilter.OVERRIDE | Source.OVERRIDE:
            conditions.append(_stored(Subscription.overridden) > "")
        case SourceFilter.OLDER:
            conditions.append(Subscription.defaults_version < newest)
    return conditions


def _found(member: Member, search: str) -> ColumnElement[bool]:
    """The condition on the client that the search finds it."""
    places = [Client.sort_name.like(_containing(fold(search)), escape="\\")]
    places.append(Client.email.like(_containing(search.strip().lower()), escape="\\"))
    digits = "".join(c for c in search if c.isdecimal())
    if digits and not search.upper().replace("BE", "").strip(" .-0123456789"):
        places.append(Client.company_number.like(_containing(digits), escape="\\"))
    return and_(Client.partner_id == member.partner_id, or_(*places))


def _containing(words: str) -> str:
    escaped = words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


def _in_order(order_by: Order, sort_name: Any, client_id: Any) -> Iterable[Any]:
    match order_by:
        case Order.NAME:
            return (sort_name, client_id)
        case Order.NAME_DESCENDING:
            return (sort_name.desc(), client_id.desc())
        case Order.NEWEST:
            return (client_id.desc(),)
        case Order.OLDEST:
            return (client_id,)


def _same_client() -> ColumnElement[bool]:
    return and_(
        Subscription.partner_id == Client.partner_id,
        Subscription.client_id == Client.client_id,
        Subscription.valid_to.is_(None),
    )


def _keys(member: Member, filters: Filters, order_by: Order) -> Select[Any]:
    """The keys of the filtered list in order, from one covering index."""
    newest = _CURRENT_VERSION.correlate(None)
    newest = (
        select(func.max(DefaultSettings.version))
        .where(DefaultSettings.partner_id == member.partner_id)
        .scalar_subquery()
    )
    conditions = _narrowed(member, filters, newest)
    search = filters.get("search", "").strip()
    if not search:
        ordered = _in_order(order_by, Subscription.sort_name, Subscription.client_id)
        return select(Subscription.sort_name, Subscription.client_id).where(*conditions).order_by(*ordered)
    ordered = _in_order(order_by, Client.sort_name, Client.client_id)
    found = select(Client.sort_name, Client.client_id).where(_found(member, search)).order_by(*ordered)
    if len(conditions) > 2:
        found = found.where(select(literal_column("1")).where(_same_client(), *conditions[2:]).exists())
    return found


def _rows(member: Member, keys: Subquery, order_by: Order) -> Select[Any]:
    """The rows of the list for those keys."""
    s, c = Subscription, Client
    invited_at = (
        select(func.max(Invitation.invited_at))
        .where(Invitation.partner_id == member.partner_id, Invitation.client_id == keys.c.client_id)
        .scalar_subquery()
    )
    newest = (
        select(func.max(DefaultSettings.version))
        .where(DefaultSettings.partner_id == member.partner_id)
        .scalar_subquery()
    )
    return (
        select(
            c.client_id, c.name, _stored(s.status), s.plan, _stored(s.add_ons), _stored(s.billing_period),
            _stored(s.payer), _stored(s.overridden), s.defaults_version, newest, invited_at, c.email, c.company_number,
        )
        .select_from(keys)
        .join(s, and_(s.partner_id == member.partner_id, s.client_id == keys.c.client_id, s.valid_to.is_(None)))
        .join(c, and_(c.partner_id == member.partner_id, c.client_id == keys.c.client_id))
        .order_by(*_in_order(order_by, keys.c.sort_name, keys.c.client_id))
    )  # fmt: skip


def _group_columns() -> list[Any]:
    s = Subscription
    return [
        s.plan, _stored(s.billing_period), _stored(s.payer), _stored(s.add_ons), _stored(s.overridden), _stored(s.status)
    ]  # fmt: skip


def _groups(member: Member, filters: Filters, newest: int | None) -> Select[Any]:
    columns = [*_group_columns(), Subscription.defaults_version]
    groups = select(*columns, func.count()).where(*_narrowed(member, filters, newest)).group_by(*columns)
    search = filters.get("search", "").strip()
    return groups.join(Client, _same_client()).where(_found(member, search)) if search else groups


def _distribution(member: Member, as_of: datetime | None) -> Select[Any]:
    columns = _group_columns()
    held = [Subscription.valid_to.is_(None)]
    if as_of is not None:
        held = [Subscription.valid_from <= as_of, or_(Subscription.valid_to.is_(None), Subscription.valid_to > as_of)]
    return select(*columns, func.count()).where(Subscription.partner_id == member.partner_id, *held).group_by(*columns)
