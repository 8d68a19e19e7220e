"""What a bulk change would do, in groups, before it is done; and who is left out of it, as a file (rule 46)."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple

from core.bulk.acts import Act
from core.bulk.refusals import LeftOut, Why
from core.catalogue import Price
from core.defaults import EffectiveSettings
from core.spreadsheets import as_csv
from core.words import Money, t


class Kind(NamedTuple):
    """What clients of one group have in common: what holds, what will (None: the subscription ends), whether it begins
    at a renewal, and what a period costs before and after (None: no price). Of a cancelled pending change, `withdrawn`
    is what was to come (None: an end). Where the account manager changes, who it is before and after, by name."""

    before: EffectiveSettings | None
    after: EffectiveSettings | None
    waits: bool
    price_before: Price | None = None
    price_after: Price | None = None
    withdrawn: EffectiveSettings | None = None
    withdraws_end: bool = False
    responsible_before: str = ""
    responsible_after: str = ""


@dataclass(slots=True)
class Group:
    """The clients of one kind: how many; the first and the last day on which it takes effect; what their upgrades cost
    together for the rest of the periods that run, in cents; how many pending changes are replaced or cancelled; how
    many days that are paid are given up; and how many become the payer, and are told so by message."""

    kind: Kind
    clients: int = 0
    first: date = date.max
    last: date = date.min
    charge_cents: int = 0
    replaces_pending: int = 0
    given_up_days: int = 0
    become_payer: int = 0


class Effect(NamedTuple):
    """What is done to one client, as its group counts it."""

    kind: Kind
    day: date
    charge_cents: int = 0
    replaces_pending: bool = False
    given_up_days: int = 0
    becomes_payer: bool = False


@dataclass(frozen=True, slots=True)
class BulkPreview:
    """What a bulk change would do as seen at `at` (UTC). `chosen` clients are `changed` or left out; `groups` are the
    largest first. `digest` is what `do` and `undo` must name: what was previewed is what is done (rule 47). `undoes`:
    the batch that it undoes; `act` is None then."""

    act: Act | None
    undoes: int | None
    at: datetime
    currency: str
    digest: str
    chosen: int
    groups: tuple[Group, ...]
    left_out: tuple[LeftOut, ...]

    @property
    def changed(self) -> int:
        """How many clients it changes."""
        return sum(group.clients for group in self.groups)

    @property
    def charge(self) -> Money:
        """What all upgrades together cost today, for the rest of the periods that run."""
        return Money(sum(group.charge_cents for group in self.groups), self.currency)

    @property
    def replaces_pending(self) -> int:
        """How many pending changes are replaced or cancelled."""
        return sum(group.replaces_pending for group in self.groups)

    @property
    def left_out_by_reason(self) -> dict[Why, int]:
        """How many are left out, by the reason."""
        return dict(Counter(each.why for each in self.left_out).most_common())


@dataclass(slots=True)
class Tally:
    """The groups as they are counted, client by client."""

    groups: dict[Kind, Group] = field(default_factory=dict)
    left_out: list[LeftOut] = field(default_factory=list)
    changed: int = 0
    _found: dict[int, tuple[Effect, Group]] = field(default_factory=dict)  # by the identity of the effect, kept alive

    def count(self, effect: Effect) -> None:
        """One more client."""
        found = self._found.get(id(effect))
        if found is None:
            found = (effect, self.groups.setdefault(effect.kind, Group(effect.kind)))
            self._found[id(effect)] = found
        group = found[1]
        self.changed += 1
        group.clients += 1
        group.first, group.last = min(group.first, effect.day), max(group.last, effect.day)
        group.charge_cents += effect.charge_cents
        group.replaces_pending += effect.replaces_pending
        group.given_up_days += effect.given_up_days
        group.become_payer += effect.becomes_payer

    @property
    def largest_first(self) -> tuple[Group, ...]:
        """The groups in order."""
        return tuple(sorted(self.groups.values(), key=lambda group: -group.clients))


def left_out_file(left_out: Iterable[LeftOut]) -> str:
    """Who is left out and why, as the text of a CSV file in the reader's language."""
    rows = ([each.client_id, each.name, each.why.label, each.text] for each in left_out)
    return "\ufeff" + as_csv([[t("Client number"), t("Client"), t("Reason"), t("In words")], *rows])
