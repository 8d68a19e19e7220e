"""The list of clients with the settings in force and their sources: a page of it, a frame, a file of all of it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from io import BytesIO
from typing import Any, NamedTuple
from zipfile import ZIP_DEFLATED, ZipFile

import pandas as pd
import pyarrow as pa
from sqlalchemy.orm import Session

from core import catalogue, members
from core.catalogue import Catalogue, Price
from core.invitations import standing_of
from core.members import Member, Permission
from core.reports import listing
from core.reports.listing import Order
from core.reports.prices import PricesInOrder, PricesOnDay, prices_in_order, stored_settings
from core.spreadsheets import as_csv, as_typed_xlsx, decimal
from core.storage import LARGEST_NUMBER, allow_minutes, now, settings_as_text, settings_from_text
from core.subscriptions import local_date
from core.words import (
    LISTED_SETTINGS,
    BillingSettings,
    ClientStatus,
    InvitationStatus,
    ListedStatus,
    Setting,
    Source,
    local_day,
    t,
)

BILLING_SOURCES: dict[str, Any] = {
    "client_id": "int64",
    "name": "str",
    "status": "str",
    **{setting.value: "str" for setting in LISTED_SETTINGS},
    "monthly_cents": "Int64",
    "source": "str",
    "overridden": "str",
    "defaults_version": "Int64",
    "on_older_defaults": "bool",
    "invited_at": "datetime64[us, UTC]",
    "invitation": "str",
    "responsible_id": "Int64",
    "responsible": "str",
    "pending_from": "datetime64[us, UTC]",
}
_DTYPES = {column: pd.array([], dtype=dtype).dtype for column, dtype in BILLING_SOURCES.items()}  # parsed once
_NO_CLIENTS = pd.DataFrame({column: pd.array([], dtype=dtype) for column, dtype in _DTYPES.items()})
_CHUNK = 5_000  # clients of a file read at once


class ListedClient(NamedTuple):
    """A client of the list: who it is, how it is billed, and why.

    `price` is None for archived clients and where the catalogue has no price. `invited_at` is the latest invitation
    (UTC), `invitation` where it stands now; `first_invited_at` is when the client came. `responsible` is the name of
    the member who looks after it. `pending_from` is when what is pending takes effect (UTC; None: nothing waits).
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
    defaults_version: int | None
    on_older_defaults: bool
    invited_at: datetime
    first_invited_at: datetime
    invitation: InvitationStatus
    responsible_id: int
    responsible: str
    pending_from: datetime | None

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
    **filters: Any,
) -> list[ListedClient]:
    """A page of the filtered list (see FILTERS), in order, as far as the member sees it; none past the end.

    Raises NotAllowed.

    `after`: the clients by name that follow this sort_name and client_id, instead of a page. `prices`: for an order by
    price, what `figures` of the same filters counted; None: it is counted now, which takes longer with every client.
    """
    members.require(member, Permission.READ_CLIENTS)
    asked, values = listing.question(session, member, filters)
    order_by = Order(order_by)
    offset = (min(max(page, 1), LARGEST_NUMBER) - 1) * page_size
    if after is None and order_by.is_by_price:
        if prices is None:
            prices = prices_in_order(session, member, asked, values)
        return _by_number(session, member, prices.page(session, asked, values, order_by, offset, page_size))
    if after is None:
        statement = listing.page(asked, order_by)
        values |= {"limit": page_size, "offset": offset}
    else:
        statement = listing.chunk(asked)
        values |= {"limit": page_size, "after_name": after[0], "after_id": after[1]}
    rows = listing.rows(session, statement, values)
    if not rows:
        return []
    offer = catalogue.current(session, member.partner, edition=rows[0].edition)
    return _clients(rows, offer, now(session), member.partner.time_zone)


def _by_number(session: Session, member: Member, numbers: Sequence[int]) -> list[ListedClient]:
    """The clients of these numbers, in this order."""
    values = {"partner_id": member.partner_id, "found": list(numbers)}
    rows = listing.rows(session, listing.by_number(), values)
    if not rows:
        return []
    offer = catalogue.current(session, member.partner, edition=rows[0].edition)
    found = {each.client_id: each for each in _clients(rows, offer, now(session), member.partner.time_zone)}
    return [found[number] for number in numbers]


def billing_sources(session: Session, member: Member, **asked: Any) -> pd.DataFrame:
    """One row per client of a page of the filtered list, as `listed` gives them. Raises NotAllowed.

    Columns as in BILLING_SOURCES: status, the settings, source and invitation are stored words; add_ons and
    overridden are stored sets (core.storage); monthly_cents counts a twelfth of a yearly price and is missing for
    archived clients and where the catalogue has no price; defaults_version is missing for
    clients bound to none; invited_at is the latest invitation, UTC, and invitation where it stands now;
    responsible_id and responsible are the number and the name of the member who looks after the client; pending_from is
    when what is pending takes effect, UTC, missing where nothing waits.
    """
    clients = listed(session, member, **asked)
    if not clients:
        return _NO_CLIENTS.copy()
    columns: dict[str, list[Any]] = {
        "monthly_cents": [None if each.price is None else each.price.per_month.cents for each in clients],
        "overridden": [settings_as_text(each.overridden) for each in clients],
        **{setting.value: [_stored(setting.of(each.settings)) for each in clients] for setting in Setting},
    }
    for name in _DTYPES.keys() - columns.keys():
        columns[name] = [getattr(each, name) for each in clients]
    return pd.DataFrame({name: _array(columns[name], dtype) for name, dtype in _DTYPES.items()}, copy=False)


def csv_pieces(
    session: Session, member: Member, *, counted: Callable[[int], object] = lambda _: None, **filters: Any
) -> Iterator[str]:
    """The filtered list by name, as pieces of one CSV text in the reader's language. Memory does not grow with the
    list. `counted` is called with how many clients each piece has. Raises NotAllowed when the first piece is asked
    for."""
    offer = _for_a_file(session, member)
    yield "\ufeff" + as_csv([_headings(offer.currency)])
    for clients in _chunks(session, member, counted, filters):
        yield as_csv([_as_text(cell) for cell in _cells(each, offer)] for each in clients)


def workbook(
    session: Session, member: Member, *, counted: Callable[[int], object] = lambda _: None, **filters: Any
) -> bytes:
    """The same list as a workbook with typed columns. Raises NotAllowed."""
    offer = _for_a_file(session, member)
    chunks = _chunks(session, member, counted, filters)
    return as_typed_xlsx(_headings(offer.currency), (_cells(each, offer) for clients in chunks for each in clients))


def _for_a_file(session: Session, member: Member) -> Catalogue:
    members.require(member, Permission.EXPORT)
    allow_minutes(session)
    return catalogue.current(session, member.partner)


def _chunks(
    session: Session, member: Member, counted: Callable[[int], object], filters: Mapping[str, Any]
) -> Iterator[list[ListedClient]]:
    after = ("", 0)
    while clients := listed(session, member, page_size=_CHUNK, after=after, **filters):
        yield clients
        counted(len(clients))
        after = (clients[-1].sort_name, clients[-1].client_id)


def zipped(pieces: Iterator[str], name: str) -> bytes:
    """The pieces as one file of that name in a zip archive: a tenth of the size, so of the memory."""
    archive = BytesIO()
    with ZipFile(archive, "w", ZIP_DEFLATED) as file, file.open(name, "w", force_zip64=True) as text:
        for piece in pieces:
            text.write(piece.encode())
    return archive.getvalue()


def _clients(rows: Sequence[Any], offer: Catalogue, moment: datetime, time_zone: str) -> list[ListedClient]:
    """The clients of rows of the listing; each kind of settings is made, and priced, once."""
    clients, prices = [], PricesOnDay(offer, local_date(moment, time_zone))
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
                version,
                version is not None and version < row.newest_version,
                row.invited_at,
                row.first_invited_at,
                standing_of(row.accepted_at, row.revoked_at, row.expires_at, moment),
                row.responsible_id,
                row.responsible,
                row.pending_from,
            )
        )
    return clients


def _stored(value: Any) -> str:
    return ";".join(sorted(value)) if isinstance(value, frozenset) else str(value)


def _array(values: Sequence[Any], dtype: Any) -> Any:
    """The values as an array of pandas; text goes straight to Arrow, which asks of no cell whether it is text."""
    if dtype == "str":
        return dtype.__from_arrow__(pa.array(values, pa.large_string()))
    return pd.array(values, dtype=dtype)


def _headings(currency: str) -> list[str]:
    return [
        t("Client number"), t("Client"), t("E-mail"), t("Company number"), t("Status"),
        *(setting.label for setting in LISTED_SETTINGS), t("A month ({currency})", currency=currency),
        t("A year ({currency})", currency=currency), t("Source"),
        t("Overrides"), t("Default settings version"), t("Invited on"), t("Account manager"),
    ]  # fmt: skip


def _cells(client: ListedClient, offer: Catalogue) -> list[Any]:
    return [
        client.client_id,
        client.name,
        client.email,
        client.company_number or "",
        client.listed_status.label,
        *(_cell(setting.of(client.settings), offer) for setting in LISTED_SETTINGS),
        None if client.price is None else _amount(client.price.per_month.cents),
        None if client.price is None else _amount(client.price.cents_per_year),
        client.source.label,
        "; ".join(setting.label for setting in Setting if setting in client.overridden),
        client.defaults_version,
        local_day(client.first_invited_at),
        client.responsible,
    ]


def _amount(cents: int) -> Decimal:
    return Decimal(cents) / 100


def _as_text(cell: Any) -> Any:
    """A cell as a spreadsheet reads it from CSV."""
    if isinstance(cell, Decimal):
        return decimal(int(cell * 100))
    return "" if cell is None else cell.isoformat() if isinstance(cell, date) else cell


def _cell(value: Any, offer: Catalogue) -> str:
    return "; ".join(offer.names(value)) if isinstance(value, frozenset) else offer.value_text(value)
