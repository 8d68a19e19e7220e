"""The filtered list as a CSV file for a spreadsheet, in the reader's language, made in pieces."""

import csv
from collections.abc import Iterator
from io import BytesIO, StringIO
from typing import Any, Unpack
from unicodedata import category, normalize
from zipfile import ZIP_DEFLATED, ZipFile

from sqlalchemy.orm import Session

from core import access, editions, listing
from core.access import Permission
from core.catalogue import Catalogue, monthly_cents
from core.columns import codes, settings_from_text
from core.language import language, local_day, t
from core.listing import Filters
from core.models import Member
from core.reports import billed_per_year
from core.terms import BillingPeriod, ClientStatus, Payer, Setting, Source

_CHUNK = 5_000
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_SPREADSHEET = {"en": (",", "."), "fr": (";", ",")}  # what separates cells, and the decimals, where it is opened


def billing_sources(session: Session, member: Member, **filters: Unpack[Filters]) -> Iterator[str]:
    """The filtered list by name, as pieces of one CSV text. Memory does not grow with the list. Raises NotAllowed
    when the first piece is asked for.

    Text that a spreadsheet would take for a formula is made harmless by a leading apostrophe.
    """
    access.require(member, Permission.EXPORT)
    offer = editions.current(session, member.partner.currency)
    shape, values = listing.question(member, filters)
    values |= {"limit": _CHUNK, "after_name": "", "after_id": 0}
    yield "\ufeff" + as_csv([_headings(offer.currency)])
    while rows := session.execute(listing.chunk(shape), values).all():
        yield as_csv(_cells(offer, row) for row in rows)
        values |= {"after_name": rows[-1].sort_name, "after_id": rows[-1].client_id}


def zipped(pieces: Iterator[str], name: str) -> bytes:
    """The pieces as one file of that name in a zip archive: a tenth of the size, so of the memory."""
    archive = BytesIO()
    with ZipFile(archive, "w", ZIP_DEFLATED) as file, file.open(name, "w", force_zip64=True) as text:
        for piece in pieces:
            text.write(piece.encode())
    return archive.getvalue()


def as_csv(rows: Any) -> str:
    """The rows as CSV text, separated as the reader's spreadsheet expects, no cell of text taken for a formula."""
    text = StringIO()
    separator, _ = _SPREADSHEET[language()]
    csv.writer(text, delimiter=separator, quoting=csv.QUOTE_NONNUMERIC).writerows(
        [harmless(cell) for cell in row] for row in rows
    )
    return text.getvalue()


def harmless(cell: Any) -> Any:
    """The cell, with an apostrophe before text that a spreadsheet would take for a formula."""
    if not isinstance(cell, str):
        return cell
    seen = "".join(c for c in normalize("NFKC", cell) if category(c) != "Cf").lstrip(" ")
    return f"'{cell}" if seen.startswith(_FORMULA) else cell


def decimal(cents: int) -> str:
    """An amount of cents with two decimals, as the reader's spreadsheet reads a number."""
    _, point = _SPREADSHEET[language()]
    return f"{cents // 100}{point}{cents % 100:02}"


def _headings(currency: str) -> list[str]:
    return [
        t("Client number"), t("Client"), t("E-mail"), t("Company number"), t("Status"), t("Subscription"), t("Add-ons"),
        t("Billing period"), t("Paid by"), t("A month ({currency})", currency=currency), t("Source"), t("Overrides"),
        t("Default settings version"), t("Invited on"),
    ]  # fmt: skip


def _cells(offer: Catalogue, row: Any) -> list[Any]:
    (
        client_id, name, status, plan, add_ons, period, payer, overridden, version, _, invited_at, _, _, _, email,
        number, *_,
    ) = row  # fmt: skip
    cents = billed_per_year(offer, status, plan, period, add_ons)
    return [
        client_id,
        name,
        email,
        number or "",
        ClientStatus(status).label,
        str(offer.plan(plan)),
        "; ".join(offer.names(codes(add_ons))),
        BillingPeriod(period).label,
        Payer(payer).label,
        "" if cents is None else decimal(monthly_cents(cents)),
        (Source.OVERRIDE if overridden else Source.DEFAULT).label,
        "; ".join(setting.label for setting in Setting if setting in settings_from_text(overridden)),
        "" if version is None else version,
        local_day(invited_at).isoformat(),
    ]
