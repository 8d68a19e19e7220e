"""Many clients of a partner at once: where they stand, and what a decision about each starts from."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import Enum, Text, bindparam, select, type_coerce
from sqlalchemy.orm import Session

from core import defaults
from core.defaults import DefaultSettings, EffectiveSettings, SetVersion, choices
from core.members import Member
from core.storage import Codes, Settings, codes, settings_from_text
from core.subscriptions.basis import Basis, Whom
from core.subscriptions.instants import not_over
from core.subscriptions.revisions import SAID, held_at, of_row, pending_at
from core.subscriptions.rhythm import first_instant, local_date
from core.subscriptions.tables import Client, Subscription
from core.words import BillingSettings, Setting

_OF_THESE = (
    Subscription.partner_id == bindparam("of_partner", type_=Subscription.partner_id.type),
    Subscription.client_id.in_(bindparam("clients", expanding=True)),
)


def _from_text(column: Any) -> Callable[[str], Any] | None:
    """What makes the value of a column out of its text, for those that hold words: thousands of rows have the same few,
    which are made once each. None for the others."""
    match column.type:
        case Enum(enum_class=terms) if terms is not None:
            return {term.value: term for term in terms}.__getitem__
        case Codes():
            return codes
        case Settings():
            return settings_from_text
    return None


_TEXTS = [each if _from_text(each) is None else type_coerce(each, Text) for each in SAID]
_MADE = [(place, make) for place, each in enumerate(SAID) if (make := _from_text(each)) is not None]
_STANDS = (
    select(
        Subscription.client_id,
        Subscription.revision,
        Subscription.valid_from,
        Subscription.valid_to,
        Subscription.decided_at,
        Subscription.responsible_id,
    )
    .where(*_OF_THESE, not_over())
    .order_by(Subscription.client_id, Subscription.revision)
)
_WHOLE: Any = (
    select(
        Client.client_id, Client.name, Client.sort_name, Client.email, Subscription.responsible_id, *_TEXTS
    )
    .join(Client, (Client.partner_id == Subscription.partner_id) & (Client.client_id == Subscription.client_id))
    .outerjoin(
        Member, (Member.partner_id == Subscription.partner_id) & (Member.member_id == Subscription.changed_by_id)
    )
    .where(*_OF_THESE)
    .order_by(Subscription.client_id, Subscription.revision)
)  # fmt: skip
_RECENT = _WHOLE.where(not_over())


_FIRST = itemgetter(0)


class Stands(NamedTuple):
    """Where a client stands: the revision that holds, the newest one, and who looks after it; `decided_at` is its last
    decision, `begins` the instants (UTC) at which what is not over begins."""

    client_id: int
    held: int
    newest: int
    responsible_id: int | None
    decided_at: datetime
    begins: tuple[datetime, ...]


class Many(NamedTuple):
    """What a decision about one of many clients starts from, and who looks after the client."""

    basis: Basis
    responsible_id: int | None


def standing(session: Session, partner_id: int, clients: Sequence[int], moment: datetime) -> Iterator[Stands]:
    """Where these clients stand at a moment, or at their last decision, as clocks step back; by their numbers. One that
    there is not is left out. Asks no permission: use cases do."""
    asked = {"of_partner": partner_id, "clients": clients, "since": moment}
    rows = session.connection().execute(_STANDS, asked).all()
    for client_id, found in groupby(rows, _FIRST):
        every = list(found)
        if len(every) == 1 and moment >= every[0].decided_at and moment >= every[0].valid_from:
            _, number, begun, ended_at, decided_at, responsible_id = every[0]
            if ended_at is None:
                yield Stands(client_id, number, number, responsible_id, decided_at, (begun,))
                continue
        decided_at = max(each.decided_at for each in every)
        at = max(moment, decided_at)
        held = next(each for each in every if each.valid_from <= at and (each.valid_to is None or each.valid_to > at))
        begins = tuple(each.valid_from for each in every)
        yield Stands(client_id, held.revision, every[-1].revision, held.responsible_id, decided_at, begins)


def bases(
    session: Session,
    by: Member,
    clients: Sequence[int],
    moment: datetime,
    versions: Mapping[SetVersion, DefaultSettings],
    *,
    whole: bool = False,
    known: dict[Any, Any] | None = None,
) -> Iterator[Many]:
    """What a decision at `moment` about each of these clients starts from, by their numbers. `versions`: those of the
    partner (defaults.versions). `whole`: with all of their history. `known` is filled with what revisions say
    alike, so that all of one act that say the same share it. Asks no permission: use cases do."""
    known = {} if known is None else known
    time_zone = by.partner.time_zone
    today = local_date(moment, time_zone)
    asked: dict[str, Any] = {"of_partner": by.partner_id, "clients": clients}
    if not whole:
        asked["since"] = first_instant(today, time_zone)
    rows = session.connection().execute(_WHOLE if whole else _RECENT, asked)
    for client_id, found in groupby(rows, _FIRST):
        every = list(found)
        _, name, sort_name, email, responsible_id, *_ = every[-1]
        history = tuple([of_row(_said(row), known) for row in reversed(every)])
        held, pending = held_at(history, moment), pending_at(history, moment)
        assert held is not None  # noqa: S101 - a client has held something since its first revision
        bound = None if held.bound is None else versions[held.bound]
        pending_bound = bound
        if pending is not None:
            pending_bound = None if pending.bound is None else versions[pending.bound]
        basis = Basis(
            client=Whom(by.partner_id, client_id, name, sort_name, email),
            moment=moment,
            time_zone=time_zone,
            history=history,
            held=held,
            pending=pending,
            effective=_effective(known, bound, held.settings, held.overridden),
            bound=bound,
            pending_bound=pending_bound,
            period=None if held.rhythm is None else held.rhythm.period(today),
        )
        yield Many(basis, responsible_id)


def _said(row: Sequence[Any]) -> list[Any]:
    """What SAID says of a row of these."""
    values = list(row[5:])
    for place, make in _MADE:
        values[place] = make(values[place])
    return values


def _effective(
    known: dict[Any, Any], bound: DefaultSettings | None, settings: BillingSettings, overridden: frozenset[Setting]
) -> EffectiveSettings:
    key = (None if bound is None else bound.bound, id(settings), overridden)
    found: EffectiveSettings | None = known.get(key)
    if found is None:
        found = known[key] = defaults.effective_settings(bound, choices(settings, overridden))
    return found
