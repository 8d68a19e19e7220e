"""Many clients of a partner at once: where they stand, and what a decision about each starts from."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import Enum, Text, bindparam, select, type_coerce
from sqlalchemy.orm import Session

from core import defaults
from core.defaults import DefaultSettings, EffectiveSettings, SetVersion, choices
from core.members import Member
from core.storage import Codes, Settings, codes, one_of, settings_from_text
from core.subscriptions.basis import Basis, Whom
from core.subscriptions.instants import not_over
from core.subscriptions.revisions import WHAT, WHOSE, Revision, What, held_at, of_row, pending_at, what
from core.subscriptions.rhythm import first_instant, local_date
from core.subscriptions.tables import Client, Subscription
from core.words import BillingSettings

_MICROSECOND = timedelta(microseconds=1)

_OF_THESE = (
    Subscription.partner_id == bindparam("of_partner", type_=Subscription.partner_id.type),
    one_of(Subscription.client_id, "clients"),
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


_TEXTS = [each if _from_text(each) is None else type_coerce(each, Text) for each in WHAT]
_MADE = [(place, make) for place, each in enumerate(WHAT) if (make := _from_text(each)) is not None]
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
_THEIR_HISTORY: Any = (
    select(
        Client.client_id, Client.name, Client.sort_name, Client.email, Subscription.responsible_id, *WHOSE, *_TEXTS
    )
    .join(Client, (Client.partner_id == Subscription.partner_id) & (Client.client_id == Subscription.client_id))
    .outerjoin(
        Member, (Member.partner_id == Subscription.partner_id) & (Member.member_id == Subscription.changed_by_id)
    )
    .where(*_OF_THESE, not_over())
    .order_by(Subscription.client_id, Subscription.revision)
)  # fmt: skip

_FIRST = itemgetter(0)
_WHOSE, _WHAT = slice(5, 5 + len(WHOSE)), slice(5 + len(WHOSE), None)


class Stands(NamedTuple):
    """Where a client stands: the revision that holds, the newest one, and who looks after it; `decided_at` is its last
    decision, `begins` the instants (UTC) at which what is not over begins."""

    client_id: int
    held: int
    newest: int
    responsible_id: int | None
    decided_at: datetime
    begins: tuple[datetime, ...]


@dataclass(slots=True)
class Shared:
    """What the clients of one act have alike, each made once, so that it is found again by its identity: what their
    revisions say, their settings, and the settings with their sources. `versions` are those of the partner
    (defaults.versions)."""

    versions: Mapping[SetVersion, DefaultSettings]
    _what: dict[Any, What] = field(default_factory=dict)
    _settings: dict[BillingSettings, BillingSettings] = field(default_factory=dict)
    _effective: dict[Any, EffectiveSettings] = field(default_factory=dict)

    def what(self, said: Sequence[Any]) -> What:
        """What a revision says, of the values of WHAT, whose words are texts."""
        key = tuple(said)
        found = self._what.get(key)
        if found is None:
            values = list(said)
            for place, make in _MADE:
                values[place] = make(values[place])
            found = what(values)
            found = self._what[key] = found._replace(settings=self._settings.setdefault(found.settings, found.settings))
        return found

    def bound(self, revision: Revision) -> DefaultSettings | None:
        """The version of the defaults that it is bound to; None: to none."""
        return None if revision.bound is None else self.versions[revision.bound]

    def effective(self, revision: Revision) -> EffectiveSettings:
        """Its settings, each with its source."""
        key = (revision.set_number, revision.defaults_version, id(revision.settings), revision.overridden)
        found = self._effective.get(key)
        if found is None:
            chosen = choices(revision.settings, revision.overridden)
            found = self._effective[key] = defaults.effective_settings(self.bound(revision), chosen)
        return found


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
    *,
    known: Shared,
    since: datetime | None = None,
) -> Iterator[Many]:
    """What a decision at `moment` about each of these clients starts from, by their numbers. `since`: their history
    has all that held at this instant or later, too. What they have alike they share (`known`, one for all of an act).
    Asks no permission: use cases do."""
    time_zone = by.partner.time_zone
    today = local_date(moment, time_zone)
    began = first_instant(today, time_zone)
    if since is not None and since <= began:
        began = since - _MICROSECOND  # what ended at that very instant, too
    asked = {"of_partner": by.partner_id, "clients": clients, "since": began}
    rows = session.connection().execute(_THEIR_HISTORY, asked).all()
    for client_id, found in groupby(rows, _FIRST):
        every = [*found]
        _, name, sort_name, email, responsible_id, *_ = every[-1]
        history = tuple([of_row(row[_WHOSE], known.what(row[_WHAT])) for row in reversed(every)])
        held, pending = held_at(history, moment), pending_at(history, moment)
        assert held is not None  # noqa: S101 - a client has held something since its first revision
        bound = known.bound(held)
        basis = Basis(
            Whom(by.partner_id, client_id, name, sort_name, email),
            moment,
            time_zone,
            history,
            held,
            pending,
            known.effective(held),
            bound,
            bound if pending is None else known.bound(pending),
            None if held.rhythm is None else held.rhythm.period(today),
        )
        yield Many(basis, responsible_id)
