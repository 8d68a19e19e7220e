"""Who is chosen, where each of them stands, and the digest that says so (rule 47); and whoever changed since."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from sqlalchemy.orm import Session

from core import catalogue, defaults, reports, subscriptions
from core.bulk.acts import MOST, Chosen, Ticked
from core.bulk.refusals import NobodyChosen, StaleBulk, TooManyClients
from core.catalogue import Catalogue
from core.defaults import DefaultSettings, Sets, SetVersion
from core.members import Member
from core.storage import now, now_after
from core.subscriptions import local_date
from core.words import ClientNotFound

CHUNK = 5000  # clients after which the progress is counted
_AT_ONCE = 1000  # clients read and written at once
_NAMED = 5  # clients, where many changed


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What an act on many clients stands on: who is chosen, by their numbers; the one instant of it (UTC), later than
    whatever was decided of them; the catalogue and the default sets; and the digest of it all."""

    clients: Sequence[int]
    moment: datetime
    offer: Catalogue
    sets: Sets
    versions: dict[SetVersion, DefaultSettings]
    digest: str

    @property
    def chunks(self) -> Iterator[Sequence[int]]:
        """The clients, so many at once."""
        return in_chunks(self.clients)


def in_chunks(clients: Sequence[int]) -> Iterator[Sequence[int]]:
    """These clients, so many at once."""
    size = min(_AT_ONCE, CHUNK)
    for start in range(0, len(clients), size):
        yield clients[start : start + size]


def found(session: Session, member: Member, chosen: Chosen) -> Sequence[int]:
    """The numbers of the clients that are chosen, ascending. Raises NobodyChosen, TooManyClients."""
    if isinstance(chosen, Ticked):
        clients = sorted(set(chosen.clients))
    else:
        clients = reports.listed_numbers(session, member, most=MOST, **chosen.filters)
    if not clients:
        raise NobodyChosen
    if len(clients) > MOST:
        raise TooManyClients(most=MOST)
    return clients


def surroundings(
    session: Session,
    member: Member,
    clients: Sequence[int],
    said: dict[str, Any],
    *,
    after: datetime | None = None,
) -> Surroundings:
    """What an act on these clients, which is `said` so, stands on now; it takes place after that instant, too.

    Raises ClientNotFound.
    """
    offer, moment = catalogue.current(session, member.partner), now(session)
    sets = defaults.sets_of(session, member.partner_id)
    digest, last, begins = sha256(_header(said, sets, offer, moment, member)), after, set[datetime]()
    for some in in_chunks(clients):
        stand = list(subscriptions.standing(session, member.partner_id, some, moment))
        if len(stand) < len(some):
            raise ClientNotFound(client_id=str(min(set(some) - {each.client_id for each in stand})))
        for each in stand:
            digest.update(b"%d %d %d %d\n" % (each.client_id, each.held, each.newest, each.responsible_id or 0))
            last = each.decided_at if last is None or each.decided_at > last else last
            begins.update(begun for begun in each.begins if begun >= moment)
    at = now_after(session, last)
    while at in begins:  # what begins at this very instant has to have held
        at = now_after(session, at)
    return Surroundings(clients, at, offer, sets, defaults.versions(session, member.partner_id), digest.hexdigest())


def token(digest: str, at: datetime) -> str:
    """What a preview gives to name it by: its digest, and when it was made."""
    return f"{round(at.timestamp() * 1_000_000)}-{digest}"


def refuse_other(
    session: Session, member: Member, now_so: Surroundings, named: str, among: Sequence[int] | None
) -> None:
    """Raise StaleBulk unless what was previewed is so now. `among`: the clients that may have changed; None: any."""
    seen_at, _, digest = named.partition("-")
    if digest == now_so.digest:
        return
    if not (seen_at.isascii() and seen_at.isdecimal() and len(seen_at) < 18):
        raise StaleBulk
    since = datetime.fromtimestamp(int(seen_at) / 1_000_000, UTC)
    changed = subscriptions.changed_since(session, member.partner_id, since, among)
    raise StaleBulk(changed[:_NAMED], len(changed))


def _header(said: dict[str, Any], sets: Sets, offer: Catalogue, moment: datetime, member: Member) -> bytes:
    """The act, and what it is decided by."""
    parts = [
        said,
        [(each.set_number, each.version, each.is_standard, each.is_retired) for each in sets],
        offer.edition,
        offer.prices.number,
        [(each.number, str(each.valid_from), str(each.renewals_from)) for each in offer.price_lists],
        str(local_date(moment, member.partner.time_zone)),
    ]
    return json.dumps(parts, sort_keys=True).encode()
