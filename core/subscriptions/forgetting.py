"""What is known of who a client is: taken out for the client, or forgotten for ever. What it was billed stays."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from core.storage import now
from core.subscriptions.tables import Client, ClientChange, Responsible, Subscription, searched_text
from core.words import fold

FORGOTTEN = "[forgotten]"  # in place of a text that somebody typed; the triggers let nothing else through
_BEFORE, _AFTER = "[forgotten 1]", "[forgotten 2]"  # in place of the values of an edit


def forgotten_address(partner_id: int, client_id: int) -> str:
    """The e-mail of a forgotten client: nobody else's, and no mail server delivers to it (RFC 2606)."""
    return f"client-{partner_id}-{client_id}@forgotten.invalid"


def forget_details(session: Session, client: Client) -> None:
    """Afterwards nothing says who the client was: not its details, nor what they were before, nor the reasons that were
    typed. Its history, its figures and who looked after it stay. Asks no permission: use cases do, and hold the
    partner's turn."""
    whose = {"partner_id": client.partner_id, "client_id": client.client_id}
    name, email = f"Forgotten client {client.client_id}", forgotten_address(**whose)
    session.execute(
        update(Client)
        .filter_by(**whose)
        .values(
            name=name,
            sort_name=fold(name),
            email=email,
            search_text=searched_text({"name": name, "email": email}),
            company_number=None,
            contact_name="",
            country="",
            vat_number=None,
            external_reference="",
            forgotten_at=now(session),
        )
    )
    session.execute(update(ClientChange).filter_by(**whose).values(before=_BEFORE, after=_AFTER))
    session.execute(update(Subscription).filter_by(**whose).values(sort_name=fold(name)))
    for table in (ClientChange, Subscription, Responsible):
        session.execute(update(table).filter_by(**whose).where(table.reason != "").values(reason=FORGOTTEN))


def details_known(session: Session, partner_id: int, client_id: int) -> dict[str, list[dict[str, Any]]]:
    """Every row that is held on a client here, by table: who it is, its edits, how it was billed, who looked after it.
    Asks no permission: use cases do."""
    whose = {"partner_id": partner_id, "client_id": client_id}
    return {
        title: [
            as_data(row)
            for row in session.scalars(
                select(table).filter_by(**whose).order_by(*table.__table__.primary_key)
            )
        ]
        for title, table in {
            "client": Client, "edits": ClientChange, "subscription": Subscription, "looked_after_by": Responsible
        }.items()
    }  # fmt: skip


def as_data(row: Any, *, without: frozenset[str] = frozenset()) -> dict[str, Any]:
    """A row as JSON holds it: instants in ISO 8601, sets as lists."""
    return {
        column.key: _plain(getattr(row, column.key))
        for column in row.__mapper__.column_attrs
        if column.key not in without
    }


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return sorted(value) if isinstance(value, frozenset) else value


def still_known(session: Session) -> Iterator[str]:
    """One sentence for each text that a forgotten client still has: a part of `check`."""
    forgotten = select(Client).where(Client.forgotten_at.is_not(None)).order_by(Client.partner_id, Client.client_id)
    for client in session.scalars(forgotten.execution_options(yield_per=1000)):
        where = f"partner {client.partner_id}, client {client.client_id}"
        whose = {"partner_id": client.partner_id, "client_id": client.client_id}
        details = (client.company_number, client.contact_name, client.vat_number, client.external_reference)
        if any(details) or client.email != forgotten_address(**whose):
            yield f"{where}: forgotten, but its details are there"
        for table, kept in _kept_of(client).items():
            found = select(table).filter_by(**whose).where(kept).limit(1)
            if session.scalar(found) is not None:
                yield f"{where}: forgotten, but {table.__tablename__} has texts of it"


def _kept_of(client: Client) -> Mapping[Any, Any]:
    """By table, what is so of a row with a text that is not forgotten."""
    return {
        ClientChange: or_(
            ClientChange.before != _BEFORE, ClientChange.after != _AFTER, ClientChange.reason.not_in(("", FORGOTTEN))
        ),
        Subscription: Subscription.reason.not_in(("", FORGOTTEN)),
        Responsible: Responsible.reason.not_in(("", FORGOTTEN)) & (Responsible.valid_from <= client.forgotten_at),
    }
