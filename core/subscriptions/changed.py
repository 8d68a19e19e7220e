"""Which clients were changed since an instant, by whom: in what they have, who looks after them, or who they are."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import bindparam, select, union_all
from sqlalchemy.orm import Session

from core.members import Member
from core.storage import Instant
from core.subscriptions.tables import Client, ClientChange, Responsible, Subscription

_SINCE = bindparam("since", type_=Instant)


def _changes(table: Any, at: Any) -> Any:
    """Who changed what of a client in this table, since `:since`."""
    whose = table.partner_id == bindparam("of_partner", type_=table.partner_id.type)
    return select(table.client_id, table.changed_by_id.label("by_id"), at.label("changed_at")).where(
        whose, at >= _SINCE
    )


_ANY = union_all(
    _changes(Subscription, Subscription.decided_at),
    _changes(Responsible, Responsible.valid_from),
    _changes(ClientChange, ClientChange.changed_at),
).subquery()
_CHANGED = (
    select(_ANY.c.client_id, Client.name, Member.name, _ANY.c.changed_at)
    .join(Client, (Client.partner_id == bindparam("of_partner")) & (Client.client_id == _ANY.c.client_id))
    .outerjoin(Member, (Member.partner_id == Client.partner_id) & (Member.member_id == _ANY.c.by_id))
    .order_by(_ANY.c.changed_at.desc(), _ANY.c.client_id)
)


class ChangedClient(NamedTuple):
    """A client that was changed: by whom last (None: the client itself or the product) and when (UTC)."""

    client_id: int
    name: str
    changed_by: str | None
    changed_at: datetime


def changed_since(
    session: Session, partner_id: int, since: datetime, among: Sequence[int] | None = None
) -> list[ChangedClient]:
    """The clients of a partner (None: any; else of these) that were changed at this instant or since, the last one
    first. Asks no permission: use cases do."""
    wanted = None if among is None else set(among)
    found: dict[int, ChangedClient] = {}
    for row in session.connection().execute(_CHANGED, {"of_partner": partner_id, "since": since}):
        if wanted is None or row[0] in wanted:
            found.setdefault(row[0], ChangedClient(*row))
    return list(found.values())
