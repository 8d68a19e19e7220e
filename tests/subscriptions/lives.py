"""A naive model of the life of a subscription, in plain dictionaries and plain month stepping: what the state machine
compares the product with. It shares no code with the product but the words of the settings and the sample prices."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from functools import lru_cache
from math import floor
from typing import Any
from zoneinfo import ZoneInfo

from core.catalogue import SAMPLE
from core.words import BillingSettings, Overrides, Setting

NAMES = [setting.value for setting in Setting]
BOUGHT = ("plan", "billing_period")
PRICED = (*BOUGHT, "add_ons")
Values = Mapping[str, Any]
Bound = tuple[int, int]  # the number of a default set, and of a version in it


@dataclass
class ModelSet:
    """A default set: its name, and every one it ever had; what each version gives; whether it is retired; and how many
    times it was named, retired, brought back or made the standard one."""

    name: str
    versions: list[dict[str, Any]]
    is_retired: bool = False
    names: list[str] = field(default_factory=list)
    changes: int = 1


@dataclass(frozen=True)
class ModelList:
    """A price list: its number, the day it begins, the day from which renewals follow it (None: never), and cents by
    code and billing period."""

    number: int
    begins: date
    renews: date | None
    cents: Mapping[tuple[str, Any], int]


@dataclass(frozen=True)
class State:
    """What holds for a client. While it is active: `began`, the day of acceptance or the renewal at which its billing
    period last changed, from which renewals are stepped; the anchor day; and the number of the list it bought at."""

    status: str
    version: Bound | None
    chosen: Values
    values: Values
    began: date | None = None
    anchor: int | None = None
    bought: int | None = None


@dataclass(frozen=True)
class Held:
    """A state from an instant on, and the revision that says so."""

    since: datetime
    state: State
    revision: int


@dataclass
class ModelClient:
    """What held and holds, ascending; what waits; how many decisions there were; who looked after it, from the first
    on; and its newest invitation."""

    line: list[Held]
    waits: Held | None = None
    revisions: int = 1
    responsible: list[int] = field(default_factory=list)
    token: str = ""
    expires_at: datetime | None = None

    def settle(self, moment: datetime) -> None:
        """What waited and has come holds."""
        if self.waits is not None and self.waits.since <= moment:
            self.line.append(self.waits)
            self.waits = None

    def at(self, instant: datetime) -> Held | None:
        begun = [each for each in self.line if each.since <= instant]
        return begun[-1] if begun else None

    @property
    def now(self) -> State:
        return self.line[-1].state

    def decide(self, moment: datetime, at_once: State | None, waits: tuple[datetime, State] | None) -> None:
        """One decision: what it makes hold, and what waits after it; whatever waited before is gone."""
        if at_once is not None:
            self.revisions += 1
            self.line.append(Held(moment, at_once, self.revisions))
        self.waits = None
        if waits is not None:
            self.revisions += 1
            self.waits = Held(*waits, self.revisions)


@dataclass(frozen=True)
class Decision:
    """What a change of settings does: refused; or nothing; or what holds from now on (None: all of it waits), what
    waits afterwards, and the cents to charge today."""

    refused: bool = False
    nothing: bool = False
    now: State | None = None
    waits: tuple[datetime, State] | None = None
    charge: int = 0


REFUSED, NOTHING = Decision(refused=True), Decision(nothing=True)


@dataclass
class ModelBatch:
    """A batch: of each client that it changed, what held and what waited before, and how many decisions there were
    afterwards; and the batch that undid it."""

    before: dict[int, tuple[State, Held | None, int]] = field(default_factory=dict)
    undone_by: int | None = None


@dataclass
class ModelPartner:
    zone: str
    lists: list[ModelList]  # those of the currency, shared by the partners; their numbers count from 1
    sets: dict[int, ModelSet] = field(default_factory=dict)
    standard: int | None = None
    batches: dict[int, "ModelBatch"] = field(default_factory=dict)
    clients: dict[int, ModelClient] = field(default_factory=dict)

    def effective(self, version: Bound | None, chosen: Values) -> dict[str, Any] | None:
        given = {} if version is None else self.sets[version[0]].versions[version[1] - 1]
        found = {**given, **chosen}
        return found if set(found) == set(NAMES) else None

    def newest(self, number: int | None) -> Bound | None:
        return None if number is None else (number, len(self.sets[number].versions))

    def can_be_picked(self, number: int | None) -> bool:
        return number is None or (number in self.sets and not self.sets[number].is_retired)

    def own_or_standard(self, bound: Bound | None) -> Bound | None:
        """What it adopts, and is invited on again, if no set is named (rules 22 and 36)."""
        is_own = bound is not None and not self.sets[bound[0]].is_retired
        return self.newest(bound[0] if is_own and bound is not None else self.standard)

    def adopts(self, bound: Bound | None, number: int | None) -> Bound | None:
        """What adopting this set binds to (None: the one it adopts by itself); None: it is refused, as there is none,
        it is retired, or it is another one than its own and was not named."""
        if number is not None:
            return self.newest(number) if self.can_be_picked(number) else None
        to_confirm = len(self.sets) > 1 if bound is None else self.sets[bound[0]].is_retired
        return None if to_confirm else self.own_or_standard(bound)

    def today(self, moment: datetime) -> date:
        return moment.astimezone(ZoneInfo(self.zone)).date()

    def list_on(self, day: date) -> int:
        return max(each.number for each in self.lists if each.begins <= day)

    def running(self, state: State, day: date) -> int:
        """The list that the period of this day costs by (rule 40)."""
        assert state.bought is not None
        first, _ = period(state, day)
        return max(
            each.number
            for each in self.lists
            if each.number == state.bought or (each.renews is not None and each.renews <= first)
        )

    def price(self, state: State, day: date) -> int | None:
        """What it costs, in cents each billing period; None for an archived client."""
        if state.status == "archived":
            return None
        return self.cents(self.list_on(day) if state.status == "invited" else self.running(state, day), state.values)

    def cents(self, number: int, values: Values) -> int:
        older = [each for each in self.lists if each.number <= number]
        order = [*reversed(older), *self.lists[len(older) :]]
        keys = [(code, values["billing_period"]) for code in (values["plan"], *values["add_ons"])]
        return sum(next(each.cents[key] for each in order if key in each.cents) for key in keys)

    def sellable(self, wanted: Values, moment: datetime, held: Values | None = None) -> bool:
        """Rules 8 and 9 in the plainest words: nothing of the sample that is not retired ever retires here."""
        plan = SAMPLE.plans[wanted["plan"]]
        if plan.is_retired or not wanted["add_ons"] <= plan.add_ons:
            return False
        if held is not None and same(wanted, held, PRICED):
            return True
        number = self.list_on(self.today(moment))
        in_force = next(each.cents for each in self.lists if each.number == number)
        for code in (wanted["plan"], *wanted["add_ons"]):
            has = held is not None and (code == held["plan"] or code in held["add_ons"])
            kept = has and held is not None and held["billing_period"] == wanted["billing_period"]
            if (code, wanted["billing_period"]) not in in_force and not kept:
                return False
        return True

    def change(self, client: ModelClient, moment: datetime, version: Any, chosen: Values, *, whole: bool) -> Decision:
        """Rules 27 to 32: these choices on this version, decided at this moment; `whole`: of what waits nothing is left
        (an adoption)."""
        held, waiting = client.now, client.waits
        ends = waiting is not None and waiting.state.status == "archived"
        values = self.effective(version, chosen)
        if held.status == "archived" or ends or values is None or not self.sellable(values, moment, held.values):
            return REFUSED
        new = replace(held, version=version, chosen=dict(chosen), values=values)
        if held.status == "invited":
            return NOTHING if new == held else Decision(now=new)
        today = self.today(moment)
        began, start = client.at(midnight(today, self.zone)), midnight(today, self.zone)
        of_today = [each.state for each in client.line if each.since > start]
        is_new = began is None or any(state.status != "active" for state in (began.state, *of_today))
        morning = None if is_new or began is None else began.state
        purchase = held.bought if same(values, held.values, BOUGHT) else self.list_on(today)
        waits, charge = False, 0
        if morning is None:  # it accepted today
            new = replace(new, began=today, anchor=today.day, bought=purchase)
        elif values["billing_period"] != morning.values["billing_period"]:
            waits = True
        else:
            new = replace(new, bought=morning.bought if same(values, morning.values, BOUGHT) else purchase)
            was, after = self.price(morning, today), self.price(new, today)
            assert was is not None
            assert after is not None
            waits = after < was
            charge = 0 if waits else rest_of(after, morning, today) - rest_of(was, morning, today)
        if (new.version, new.chosen) == (held.version, held.chosen):
            return NOTHING
        left = None if waiting is None or whole else self._left(held, new, waiting.state)
        if not waits and (left is None or (left.version, left.chosen) == (new.version, new.chosen)):
            return Decision(now=new, charge=charge)
        later = self._renewed(held if waits else new, left or new, today)
        if waiting is not None and waits and same_choices(later[1], waiting.state):
            return NOTHING
        if left is not None and waiting is not None:
            changed = not same(left.values, waiting.state.values, PRICED)
            if changed and not self.sellable(left.values, moment, new.values):
                return REFUSED
        return Decision(now=None if waits else new, waits=later, charge=charge)

    def brought_back(self, client: ModelClient, moment: datetime, held: State, waited: Held | None) -> Decision:
        """Rule 50: this held and that waited before a batch; both are so again, as far as the rules of a change let it,
        and what would have come into force since waits no more."""
        if client.now.status == "archived":
            return REFUSED
        if waited is not None and waited.since <= moment:
            waited = None
        if same_choices(held, client.now):
            said = Decision(now=client.now) if client.waits is not None else NOTHING
        else:
            said = self.change(client, moment, held.version, held.chosen, whole=True)
        if said.refused or waited is None:
            return said
        now = None if same_choices(held, client.now) else said.now
        if now is None and client.waits is not None and client.waits.since == waited.since:
            both = (client.waits.state, waited.state)
            if both[0].status == both[1].status and same_choices(*both):
                return NOTHING
        state = waited.state
        if state.status == "active":
            _, state = self._renewed(now or client.now, state, self.today(moment))
        return Decision(now=now, waits=(waited.since, state), charge=said.charge)

    def _left(self, held: State, new: State, waiting: State) -> State:
        """What is left of what waits, setting by setting (rule 32)."""
        chosen = {}
        for name in NAMES:
            is_same = held.values[name] == new.values[name] and (name in held.chosen) == (name in new.chosen)
            source = waiting if is_same else new
            if name in source.chosen:
                chosen[name] = source.chosen[name]
        values = self.effective(waiting.version, chosen)
        assert values is not None
        return replace(waiting, chosen=chosen, values=values)

    def _renewed(self, until: State, after: State, today: date) -> tuple[datetime, State]:
        """The state from the renewal on at which `after` follows `until`."""
        _, renewal = period(until, today)
        keeps = same(after.values, until.values, BOUGHT)
        another = after.values["billing_period"] != until.values["billing_period"]
        later = replace(
            after,
            began=renewal if another else until.began,
            anchor=until.anchor,
            bought=until.bought if keeps else self.list_on(renewal),
        )
        return midnight(renewal, self.zone), later

    def buy_again(self) -> None:
        """What waits is bought at the list of its day, now that the lists are others (rule 40)."""
        for client in self.clients.values():
            if client.waits is None or client.waits.state.status != "active":
                continue
            state = client.waits.state
            if not same(state.values, client.now.values, BOUGHT):
                bought = self.list_on(self.today(client.waits.since))
                client.waits = replace(client.waits, state=replace(state, bought=bought))


def as_dict(values: BillingSettings | Overrides) -> dict[str, Any]:
    return {name: getattr(values, name) for name in NAMES if getattr(values, name) is not None}


def same(one: Values, other: Values, names: tuple[str, ...]) -> bool:
    return all(one[name] == other[name] for name in names)


def same_choices(one: State, other: State) -> bool:
    return (one.version, one.chosen) == (other.version, other.chosen)


def stepped(began: date, anchor: int, months: int) -> date:
    """So many months later, on the anchor day or the last one of a shorter month."""
    month = began.replace(day=1)
    for _ in range(months):
        month = (month + timedelta(days=32)).replace(day=1)
    last = (month + timedelta(days=32)).replace(day=1) - timedelta(days=1)
    return month.replace(day=min(anchor, last.day))


def period(state: State, day: date) -> tuple[date, date]:
    """The first day of the period that has this day, and the next renewal: one step after the other."""
    assert state.began is not None
    assert state.anchor is not None
    months = 1 if state.values["billing_period"] == "monthly" else 12
    first, steps = state.began, 1
    while (renewal := stepped(state.began, state.anchor, steps * months)) <= day:
        first, steps = renewal, steps + 1
    return first, renewal


def rest_of(cents: int, state: State, today: date) -> int:
    """What is left of a price for the rest of the period, today included: each part rounded half up."""
    first, renewal = period(state, today)
    used = Fraction(cents * (today - first).days, (renewal - first).days)
    return cents - floor(used + Fraction(1, 2))


@lru_cache
def midnight(day: date, zone: str) -> datetime:
    """The first quarter of an hour of this day of the zone's calendar."""
    instant = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(days=1)
    while instant.astimezone(ZoneInfo(zone)).date() < day:
        instant += timedelta(minutes=15)
    return instant
