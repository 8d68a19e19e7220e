"""What the pages and finance read: the list of billing sources, its figures, and the distribution over plans."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Unpack

import pandas as pd
import pyarrow as pa
from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from core import access, editions, listing
from core.access import Permission
from core.catalogue import Catalogue, monthly_cents
from core.columns import codes
from core.database import now
from core.invitation_status import standing_of
from core.language import Money
from core.listing import Filters, Order
from core.models import Member, Subscription
from core.resolution import BillingSettings
from core.terms import BillingPeriod, ClientStatus, Payer, Source

BILLING_SOURCES: dict[str, Any] = {
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
    "invitation": "str",
}
_DTYPES = {column: pd.array([], dtype=dtype).dtype for column, dtype in BILLING_SOURCES.items()}  # parsed once
_NONE = pd.DataFrame({column: pd.array([], dtype=dtype) for column, dtype in _DTYPES.items()})
DISTRIBUTION = ["plan", "billing_period", "payer", "source", "status", "clients", "cents_per_year"]


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


class Page(Filters, total=False):
    """Which page of the list, and how it is sorted and narrowed."""

    order_by: Order
    page: int
    page_size: int


def billing_sources(session: Session, member: Member, **asked: Unpack[Page]) -> pd.DataFrame:
    """One row per client of a page of the filtered list, in order; none past the end. Raises NotAllowed.

    Columns as in BILLING_SOURCES: status, plan, billing_period, payer and source are stored words; add_ons and
    overridden are stored sets (core.columns); monthly_cents counts a twelfth of a yearly price and is missing for
    archived clients and where the catalogue has no price; defaults_version is missing for
    clients bound to none; invited_at is the latest invitation, UTC, and invitation where it stands now.
    """
    cells = listed(session, member, **asked)
    if not cells["client_id"]:
        return _NONE.copy()
    return pd.DataFrame({name: _array(cells[name], dtype) for name, dtype in _DTYPES.items()}, copy=False)


def listed(session: Session, member: Member, **asked: Unpack[Page]) -> dict[str, Sequence[Any]]:
    """The columns of `billing_sources` as plain values, None where one is missing. Raises NotAllowed."""
    access.require(member, Permission.READ_CLIENTS)
    if not access.sees_every_client(member):
        return dict.fromkeys(BILLING_SOURCES, ())
    shape, values = listing.question(member, asked)
    size = asked.get("page_size", 50)
    values |= {"limit": size, "offset": (max(asked.get("page", 1), 1) - 1) * size}
    rows = listing.rows(session, listing.page(shape, asked.get("order_by", Order.NAME)), values)
    if not rows:
        return dict.fromkeys(BILLING_SOURCES, ())
    return _columns(rows, editions.current(session, member.partner.currency, edition=rows[0].edition), now(session))


def figures(session: Session, member: Member, **filters: Unpack[Filters]) -> Figures:
    """The figures over every client of the filtered list. Linear in the number of clients. Raises NotAllowed."""
    access.require(member, Permission.READ_CLIENTS)
    offer = editions.current(session, member.partner.currency)
    paid_by_partner = overridden = cents_per_year = 0
    per_version: Counter[int | None] = Counter()
    if access.sees_every_client(member):
        shape, values = listing.question(member, filters)
        for plan, period, payer, add_ons, chosen, status, version, clients in listing.rows(
            session, listing.groups(shape), values
        ):
            per_version[version] += clients
            paid_by_partner += clients if payer == Payer.PARTNER else 0
            overridden += clients if chosen else 0
            cents_per_year += clients * (billed_per_year(offer, status, plan, period, add_ons) or 0)
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
    """How the clients spread: a row per plan, billing_period, payer, source and status that occurs. Raises NotAllowed.

    `clients` counts them and `cents_per_year` is what they cost in a year at today's prices (exact integer cents;
    divide a sum by twelve once for a month). `as_of` (UTC) gives what held at that instant; None: now.
    """
    access.require(member, Permission.READ_DISTRIBUTION)
    offer = editions.current(session, member.partner.currency)
    held: list[ColumnElement[bool]] = [Subscription.valid_to.is_(None)]
    if as_of is not None:
        held = [Subscription.valid_from <= as_of, or_(Subscription.valid_to.is_(None), Subscription.valid_to > as_of)]
    columns = listing.group_columns()
    groups = select(*columns, func.count()).where(Subscription.partner_id == member.partner_id, *held)
    rows = listing.rows(session, groups.group_by(*columns), {})
    folded: dict[tuple[str, ...], list[int]] = {}
    for plan, period, payer, add_ons, overridden, status, clients in rows:
        source = Source.OVERRIDE if overridden else Source.DEFAULT
        group = folded.setdefault((plan, period, payer, source.value, status), [0, 0])
        group[0] += clients
        group[1] += clients * (billed_per_year(offer, status, plan, period, add_ons) or 0)
    spread = [(*key, *sums) for key, sums in sorted(folded.items())]
    return pd.DataFrame.from_records(spread, columns=DISTRIBUTION)


def billed_per_year(offer: Catalogue, status: str, plan: str, period: str, add_ons: str) -> int | None:
    """What a client with these stored settings is billed in a year, in exact cents; None as `Catalogue.billed`."""
    settings = BillingSettings(Payer.PARTNER, BillingPeriod(period), plan, codes(add_ons))  # who pays costs nothing
    price = offer.billed(settings, ClientStatus(status))
    return None if price is None else price.cents_per_year


def _columns(rows: Sequence[Any], offer: Catalogue, moment: datetime) -> dict[str, Sequence[Any]]:
    """The columns of BILLING_SOURCES from rows of core.listing."""
    cells: list[Any] = list(zip(*rows, strict=True))
    client_id, name, status, plan, add_ons, period, payer, overridden, version, newest, invited_at, *answers = cells
    kinds = list(zip(status, plan, period, add_ons, strict=True))
    per_year = {kind: billed_per_year(offer, kind[0], kind[1], kind[2], kind[3]) for kind in set(kinds)}
    per_month = {kind: None if cents is None else monthly_cents(cents) for kind, cents in per_year.items()}
    monthly = [per_month[kind] for kind in kinds]
    source = [Source.OVERRIDE.value if chosen else Source.DEFAULT.value for chosen in overridden]
    older = [bound is not None and bound < latest for bound, latest in zip(version, newest, strict=True)]
    stands = [
        standing_of(accepted_at, revoked_at, expires_at, moment).value
        for accepted_at, revoked_at, expires_at in zip(*answers[:3], strict=True)
    ]
    in_order = (
        client_id, name, status, plan, add_ons, period, payer, monthly, source, overridden, version, older, invited_at,
        stands,
    )  # fmt: skip
    return dict(zip(BILLING_SOURCES, in_order, strict=True))


def _array(values: Sequence[Any], dtype: Any) -> Any:
    """The values as an array of pandas; text goes straight to Arrow, which asks of no cell whether it is text."""
    if dtype == "str":
        return dtype.__from_arrow__(pa.array(values, pa.large_string()))
    return pd.array(values, dtype=dtype)
