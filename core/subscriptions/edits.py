"""The edits of who a client is: each is kept with who, when, and every detail before and after (rule 11)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.orm import Session

from core.members import Member
from core.storage import now_after
from core.subscriptions.clients import visible
from core.subscriptions.tables import Client, ClientChange, Subscription, searched_text
from core.words import ClientDetail, DetailChange, Origin, StaleDetails, fold

_ORDER = list(ClientDetail)
_EDITS: Any = (
    select(
        ClientChange.number, ClientChange.changed_at, Member.name, ClientChange.origin, ClientChange.reason,
        ClientChange.what, ClientChange.before, ClientChange.after,
    )
    .join(Member, (Member.partner_id == ClientChange.partner_id) & (Member.member_id == ClientChange.changed_by_id))
    .where(ClientChange.partner_id == bindparam("of_partner"), ClientChange.client_id == bindparam("of_client"))
    .order_by(ClientChange.number.desc())
)  # fmt: skip
_CHANGES = insert(ClientChange)
_SORTED_AS = (
    update(Subscription)
    .where(
        Subscription.partner_id == bindparam("of_partner", type_=Subscription.partner_id.type),
        Subscription.client_id == bindparam("of_client", type_=Subscription.client_id.type),
    )
    .values(sort_name=bindparam("name_now"))
)


@dataclass(frozen=True, slots=True)
class ClientEdit:
    """One edit of a client's details: who made it and when (UTC), through which door, why, and what it changed."""

    number: int
    changed_at: datetime
    changed_by: str
    origin: Origin
    reason: str
    changes: tuple[DetailChange, ...]


def edits(session: Session, member: Member, client_id: int) -> tuple[ClientEdit, ...]:
    """Every edit of a client's details, newest first. The number of the newest (0: none) is what a further edit must
    name as `seen`. Raises NotAllowed, ClientNotFound."""
    visible(session, member, client_id)
    return _edits(session, member.partner_id, client_id)


def change_details(
    session: Session,
    client: Client,
    details: Mapping[ClientDetail, str | None],
    *,
    seen: int,
    by: Member,
    origin: Origin,
    reason: str = "",
) -> ClientEdit | None:
    """Afterwards the client has these details, and sorts by its name; the edit that made it so, None if it had them.

    `seen` is the number of the newest edit that the member saw. Asks no permission: use cases do, and hold the
    partner's turn. Raises StaleDetails if there were others since; nothing is written then.
    """
    changes = tuple(
        DetailChange(what, what.of(client), value or "")
        for what, value in sorted(details.items(), key=lambda item: _ORDER.index(item[0]))
        if what.of(client) != (value or "")
    )
    if not changes:
        return None
    past = _edits(session, client.partner_id, client.client_id)
    if unseen := [edit for edit in past if edit.number > seen]:
        raise _stale(client, unseen)
    moment = now_after(session, past[0].changed_at if past else None)
    edit = ClientEdit(past[0].number + 1 if past else 1, moment, by.name, origin, reason, changes)
    for change in changes:
        setattr(client, change.what.value, details[change.what])
    client.search_text = searched_text({what.value: what.of(client) for what in ClientDetail})
    if client.sort_name != (name_now := fold(client.name)):
        client.sort_name = name_now
        whose = {"of_partner": client.partner_id, "of_client": client.client_id}
        session.connection().execute(_SORTED_AS, whose | {"name_now": name_now})
    session.flush()
    session.connection().execute(_CHANGES, _rows(client, by, edit))
    return edit


def _edits(session: Session, partner_id: int, client_id: int) -> tuple[ClientEdit, ...]:
    rows = session.connection().execute(_EDITS, {"of_partner": partner_id, "of_client": client_id})
    found = []
    for (number, at, by, origin, reason), changed in groupby(rows, key=lambda row: tuple(row[:5])):
        changes = sorted((DetailChange(*row[5:]) for row in changed), key=lambda change: _ORDER.index(change.what))
        found.append(ClientEdit(number, at, by, origin, reason, tuple(changes)))
    return tuple(found)


def _stale(client: Client, unseen: list[ClientEdit]) -> StaleDetails:
    """The refusal that says who edited the client meanwhile, when last, and what from what to what."""
    first: dict[ClientDetail, str] = {}
    for edit in reversed(unseen):
        for change in edit.changes:
            first.setdefault(change.what, change.before)
    return StaleDetails(
        client=client.name,
        changed_by=tuple(dict.fromkeys(edit.changed_by for edit in unseen)),
        changed_at=unseen[0].changed_at,
        changes=tuple(DetailChange(what, first[what], what.of(client)) for what in _ORDER if what in first),
    )


def _rows(client: Client, by: Member, edit: ClientEdit) -> list[dict[str, Any]]:
    return [
        {
            "partner_id": client.partner_id,
            "client_id": client.client_id,
            "number": edit.number,
            "what": change.what,
            "before": change.before,
            "after": change.after,
            "changed_at": edit.changed_at,
            "changed_by_id": by.member_id,
            "origin": edit.origin,
            "reason": edit.reason,
        }
        for change in edit.changes
    ]
