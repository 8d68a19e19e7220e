"""The list of clients as a file to take away: every client that matches, in the reader's words."""

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from io import BytesIO
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

from sqlalchemy.orm import Session

from core import catalogue, defaults, members
from core.catalogue import Catalogue
from core.members import Member, Permission
from core.reports.clients import ListedClient, listed
from core.reports.waiting import Waiting
from core.spreadsheets import as_csv, as_typed_xlsx, decimal
from core.storage import allow_minutes
from core.words import LISTED_SETTINGS, Setting, local_day, t

_CHUNK = 5_000  # clients of a file read at once


def csv_pieces(
    session: Session, member: Member, *, counted: Callable[[int], object] = lambda _: None, **filters: Any
) -> Iterator[str]:
    """The filtered list by name, as pieces of one CSV text in the reader's language; `as_of` among the filters: as
    `listed` takes it. Memory does not grow with the list. `counted` is called with how many clients each piece has.
    Raises NotAllowed when the first piece is asked for."""
    offer, sets_are_several = _for_a_file(session, member)
    yield "\ufeff" + as_csv([_headings(offer.currency, sets_are_several=sets_are_several)])
    for clients in _chunks(session, member, counted, filters):
        rows = (_cells(each, offer, sets_are_several=sets_are_several) for each in clients)
        yield as_csv([_as_text(cell) for cell in cells] for cells in rows)


def workbook(
    session: Session, member: Member, *, counted: Callable[[int], object] = lambda _: None, **filters: Any
) -> bytes:
    """The same list as a workbook with typed columns. Raises NotAllowed."""
    offer, sets_are_several = _for_a_file(session, member)
    chunks = _chunks(session, member, counted, filters)
    rows = (_cells(each, offer, sets_are_several=sets_are_several) for clients in chunks for each in clients)
    return as_typed_xlsx(_headings(offer.currency, sets_are_several=sets_are_several), rows)


def _for_a_file(session: Session, member: Member) -> tuple[Catalogue, bool]:
    """The catalogue, and whether the member's partner has several default sets."""
    members.require(member, Permission.EXPORT)
    allow_minutes(session)
    sets = defaults.sets_of(session, member.partner_id)
    return catalogue.current(session, member.partner), sets.are_several


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


def _headings(currency: str, *, sets_are_several: bool) -> list[str]:
    return [
        t("Client number"), t("Client"), t("E-mail"), t("Company number"), t("Status"),
        *(setting.label for setting in LISTED_SETTINGS), t("A month ({currency})", currency=currency),
        t("A year ({currency})", currency=currency), t("Source"),
        t("Overrides"), *([t("Default set")] if sets_are_several else []), t("Default settings version"),
        t("Invited on"), t("Account manager"),
        t("Pending change"), t("Takes effect on"), t("A month from then ({currency})", currency=currency),
        t("Decided by"), t("Decided on"), t("Reason for the pending change"),
    ]  # fmt: skip


def _cells(client: ListedClient, offer: Catalogue, *, sets_are_several: bool) -> list[Any]:
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
        *([client.default_set] if sets_are_several else []),
        client.defaults_version,
        local_day(client.first_invited_at),
        client.responsible,
        *(["", None, None, "", None, ""] if client.waiting is None else _waiting_cells(client.waiting, offer)),
    ]


def _waiting_cells(waits: Waiting, offer: Catalogue) -> list[Any]:
    price = None if waits.price is None else _amount(waits.price.per_month.cents)
    return [
        waits.text(offer),
        local_day(waits.takes_effect_at),
        price,
        waits.decided_by or "",
        local_day(waits.decided_at),
        waits.reason,
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
