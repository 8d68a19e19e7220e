"""The list of clients with the settings in force and their sources: a page of it, or a frame."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import pandas as pd
import pyarrow as pa
from sqlalchemy.orm import Session

from core import catalogue, members
from core.catalogue import Price
from core.defaults import version_text
from core.invitations import standing_of
from core.members import Member, Permission
from core.reports import listing
from core.reports.filters import Order
from core.reports.prices import PricesInOrder, PricesOnDay, prices_in_order, stored_settings
from core.reports.questions import question
from core.reports.waiting import Waiting, waiting
from core.storage import LARGEST_NUMBER, settings_as_text, settings_from_text
from core.subscriptions import local_date
from core.words import (
    LISTED_SETTINGS,
    BillingSettings,
    ClientStatus,
    InvitationStatus,
    ListedStatus,
    Setting,
    Source,
)

BILLING_SOURCES: dict[str, Any] = {
    "client_id": "int64",
    "name": "str",
    "status": "str",
    **{setting.value: "str" for setting in LISTED_SETTINGS},
    "monthly_cents": "Int64",
    "source": "str",
    "overridden": "str",
    "set_number": "Int64",
    "default_set": "str",
    "defaults_version": "Int64",
    "on_older_defaults": "bool",
    "on_retired_set": "bool",
    "invited_at": "datetime64[us, UTC]",
    "invitation": "str",
    "responsible_id": "Int64",
    "responsible": "str",
    "pending_from": "datetime64[us, UTC]",
    "pending": "str",
    "pending_monthly_cents": "Int64",
}
_DTYPES = {column: pd.array([], dtype=dtype).dtype for column, dtype in BILLING_SOURCES.items()}  # parsed once
_NO_CLIENTS = pd.DataFrame({column: pd.array([], dtype=dtype) for column, dtype in _DTYPES.items()})


class ListedClient(NamedTuple):
    """A client of the list: who it is, how it is billed, and why.

    `price` is None for archived clients and where the catalogue has no price. `invited_at` is the latest invitation
    (UTC), `invitation` where it stands now; `first_invited_at` is when the client came. `responsible` is the name of
    the member who looks after it ("", and no number, at an instant of which that is not known). `default_set` is the
    name of the set that it is bound to ("": to none); on older defaults is a client whose own set, not a retired one,
    has a newer version (rule 21). `waiting` is what is pending (None: nothing waits).
    """

    client_id: int
    name: str
    sort_name: str
    email: str
    company_number: str | None
    status: ClientStatus
    settings: BillingSettings
    overridden: frozenset[Setting]
    price: Price | None
    set_number: int | None
    default_set: str
    defaults_version: int | None
    on_older_defaults: bool
    on_retired_set: bool
    sets_are_several: bool
    invited_at: datetime
    first_invited_at: datetime
    invitation: InvitationStatus
    responsible_id: int | None
    responsible: str
    waiting: Waiting | None

    @property
    def defaults_text(self) -> str:
        """What the version that it is bound to is called: "Default v3", "Freelancers v1 (older)"; "" for none."""
        if self.defaults_version is None:
            return ""
        return version_text(
            self.default_set,
            self.defaults_version,
            is_retired=self.on_retired_set,
            is_older=self.on_older_defaults,
            are_several=self.sets_are_several,
        )

    @property
    def source(self) -> Source:
        """Whether any of its settings is a choice."""
        return Source.OVERRIDE if self.overridden else Source.DEFAULT

    @property
    def listed_status(self) -> ListedStatus:
        """Where it stands as lists show it."""
        return ListedStatus.of(self.status, self.invitation)


def listed(
    session: Session,
    member: Member,
    *,
    order_by: Order = Order.NAME,
    page: int = 1,
    page_size: int = 50,
    after: tuple[str, int] | None = None,
    prices: PricesInOrder | None = None,
    as_of: datetime | None = None,
    **filters: Any,
) -> list[ListedClient]:
    """A page of the filtered list (see FILTERS), in order, as far as the member sees it; none past the end.

    `as_of` (UTC) lists what held, waited and was known of invitations at that instant, at its prices, and who looked
    after each client then; who the clients are, and which of them the member sees, is as of today. None: now.

    Raises NotAllowed.

    `after`: the clients by name that follow this sort_name and client_id, instead of a page. `prices`: for an order by
    price, what `figures` of the same filters counted; None: it is counted now, which takes longer with every client.
    """
    members.require(member, Permission.READ_CLIENTS)
    asked, values = question(session, member, filters, as_of)
    order_by = Order(order_by)
    offset = (min(max(page, 1), LARGEST_NUMBER) - 1) * page_size
    if after is None and order_by.is_by_price:
        if prices is None:
            prices = prices_in_order(session, member, asked, values)
        numbers = prices.page(session, asked, values, order_by, offset, page_size)
        return _by_number(session, member, numbers, values["now"], as_of)
    if after is None:
        statement = listing.page(asked, order_by)
        values |= {"limit": page_size, "offset": offset}
    else:
        statement = listing.chunk(asked)
        values |= {"limit": page_size, "after_name": after[0], "after_id": after[1]}
    return _clients(session, member, listing.rows(session, statement, values), values["now"], as_of)


def listed_numbers(session: Session, member: Member, *, most: int, **filters: Any) -> list[int]:
    """The numbers of the clients that these filters find (see FILTERS), ascending, as far as the member sees them: all,
    or one more than `most`. Raises NotAllowed."""
    members.require(member, Permission.READ_CLIENTS)
    asked, values = question(session, member, filters)
    found = listing.rows(session, listing.numbers(asked), values | {"limit": most + 1})
    return [client_id for (client_id,) in found]


def _by_number(
    session: Session, member: Member, numbers: Sequence[int], moment: datetime, as_of: datetime | None
) -> list[ListedClient]:
    """The clients of these numbers, in this order."""
    values = {"partner_id": member.partner_id, "found": list(numbers), "now": moment}
    rows = listing.rows(session, listing.by_number(is_past=as_of is not None), values)
    clients = _clients(session, member, rows, moment, as_of)
    found = {each.client_id: each for each in clients}
    return [found[number] for number in numbers]


def billing_sources(session: Session, member: Member, **asked: Any) -> pd.DataFrame:
    """One row per client of a page of the filtered list, as `listed` gives them. Raises NotAllowed.

    Columns as in BILLING_SOURCES: status, the settings, source and invitation are stored words; add_ons and overridden
    are stored sets (core.storage); monthly_cents counts a twelfth of a yearly price and is missing for archived clients
    and where the catalogue has no price; set_number and defaults_version are missing for clients bound to none, for
    whom default_set, the name of the set, is ""; invited_at is the latest invitation, UTC, and invitation where it
    stands now; responsible_id and responsible are the number and the name of the member who looks after the client;
    pending_from is when what is pending takes effect, UTC, missing where nothing waits; pending is the stored set of
    what it changes, status among it where the subscription ends then ("" where nothing waits), and
    pending_monthly_cents the price from then.
    """
    clients = listed(session, member, **asked)
    if not clients:
        return _NO_CLIENTS.copy()
    columns: dict[str, list[Any]] = {
        "monthly_cents": [None if each.price is None else each.price.per_month.cents for each in clients],
        "overridden": [settings_as_text(each.overridden) for each in clients],
        **{setting.value: [_stored(setting.of(each.settings)) for each in clients] for setting in Setting},
    }
    waits = [each.waiting for each in clients]
    columns["pending_from"] = [None if each is None else each.takes_effect_at for each in waits]
    columns["pending"] = ["" if each is None else ";".join(sorted(each.what)) for each in waits]
    columns["pending_monthly_cents"] = [
        None if each is None or each.price is None else each.price.per_month.cents for each in waits
    ]
    for name in _DTYPES.keys() - columns.keys():
        columns[name] = [getattr(each, name) for each in clients]
    return pd.DataFrame({name: _array(columns[name], dtype) for name, dtype in _DTYPES.items()}, copy=False)


def _clients(
    session: Session, member: Member, rows: Sequence[Any], moment: datetime, as_of: datetime | None
) -> list[ListedClient]:
    """The clients of rows of the listing, read as of `moment`, which is `as_of` or the present; each kind of settings
    is made, and priced, once."""
    if not rows:
        return []
    offer = catalogue.current(session, member.partner, edition=rows[0].edition)
    waits = waiting(session, member, rows, offer, as_of)
    clients, prices = [], PricesOnDay(offer, local_date(moment, member.partner.time_zone))
    for row in rows:
        settings, status = stored_settings(row[: len(Setting)]), ClientStatus(row.status)
        version = row.defaults_version
        clients.append(
            ListedClient(
                row.client_id,
                row.name,
                row.sort_name,
                row.email,
                row.company_number,
                status,
                settings,
                settings_from_text(row.overridden),
                prices.of(settings, status, row.price_list, row.anchor_day, row.anchor_month),
                row.set_number,
                row.default_set or "",
                version,
                version is not None and not row.is_on_retired_set and version < row.newest_version,
                bool(row.is_on_retired_set),
                row.sets > 1,
                row.invited_at,
                row.first_invited_at,
                standing_of(_by(row.accepted_at, moment), _by(row.revoked_at, moment), row.expires_at, moment),
                row.responsible_id,
                row.responsible or "",
                waits.get(row.client_id),
            )
        )
    return clients


def _by(instant: datetime | None, moment: datetime) -> datetime | None:
    """The instant, if it had come by then."""
    return None if instant is None or instant > moment else instant


def _stored(value: Any) -> str:
    return ";".join(sorted(value)) if isinstance(value, frozenset) else str(value)


def _array(values: Sequence[Any], dtype: Any) -> Any:
    """The values as an array of pandas; text goes straight to Arrow, which asks of no cell whether it is text."""
    if dtype == "str":
        return dtype.__from_arrow__(pa.array(values, pa.large_string()))
    return pd.array(values, dtype=dtype)
