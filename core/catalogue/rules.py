"""Plans, add-ons and prices: what may be combined, what may be newly chosen, and what a choice costs.

Pure rules on one edition of the catalogue; stored.py keeps it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date

from core.catalogue.price_lists import PriceList, Prices, in_force, looked_up, running
from core.words import (
    AddOnsNotOffered,
    BillingPeriod,
    BillingSettings,
    ClientStatus,
    Money,
    NoPrice,
    NoPriceOfAddOn,
    NoPricesYet,
    RetiredChosen,
    Setting,
    Term,
    UnknownChoice,
    language,
    t,
)

NAMED_IN = ("en", "fr")  # every plan and add-on has a name in these; in another language of the product it may have one


@dataclass(frozen=True, slots=True)
class Item:
    """A plan or an add-on. `str()` is its name in the reader's language, or in English where it has none in that."""

    code: str
    names: Mapping[str, str]
    is_retired: bool = False

    def __str__(self) -> str:
        return self.names.get(language(), self.names["en"])


@dataclass(frozen=True, slots=True)
class Plan(Item):
    """A plan and the codes of the add-ons offered with it."""

    add_ons: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class AddOn(Item):
    """An add-on."""


@dataclass(frozen=True, slots=True)
class Price:
    """What is charged each billing period, in integer cents of the currency."""

    cents: int
    billing_period: BillingPeriod
    currency: str

    @property
    def cents_per_year(self) -> int:
        """Exact: what a year costs. Sum these, and divide by twelve once, at the end."""
        return self.cents * 12 if self.billing_period is BillingPeriod.MONTHLY else self.cents

    @property
    def per_month(self) -> Money:
        """A month's share: a yearly price counts a twelfth, rounded half up to the cent."""
        return Money(monthly_cents(self.cents_per_year), self.currency)

    @property
    def charged(self) -> Money:
        """What is charged each time."""
        return Money(self.cents, self.currency)


def _priced(settings: BillingSettings) -> tuple[str, BillingPeriod, frozenset[str]]:
    """What a price depends on. No other setting, such as who pays, changes it."""
    return settings.plan, settings.billing_period, settings.add_ons


def monthly_cents(cents_per_year: int) -> int:
    """A twelfth of a year's cents, rounded half up: integer arithmetic, so exact."""
    return (2 * cents_per_year + 12) // 24


@dataclass(frozen=True, slots=True)
class Catalogue:
    """An edition of the catalogue in one currency: plans and add-ons by code, in order, and the price lists.

    `prices` is the list in force on the day that it was asked for, and what is chosen on that day costs by it;
    `price_lists` are all of the currency, ascending by number, those to come included.
    """

    edition: int
    is_sample: bool
    currency: str
    plans: Mapping[str, Plan]
    add_ons: Mapping[str, AddOn]
    prices: PriceList
    price_lists: tuple[PriceList, ...] = ()

    @property
    def plan_prices(self) -> Prices:
        """Of the plans, in the list in force."""
        return self.prices.plan_prices

    @property
    def add_on_prices(self) -> Prices:
        """Of the add-ons, in the list in force."""
        return self.prices.add_on_prices

    def list_on(self, day: date) -> PriceList:
        """The price list in force on this day: the newest by number that has begun (rule 39). Raises NoPricesYet."""
        found = in_force(self.price_lists, day)
        if found is None:
            raise NoPricesYet(currency=self.currency, day=min(each.valid_from for each in self.price_lists))
        return found

    def on(self, day: date) -> "Catalogue":
        """This catalogue with the prices of this day. Raises NoPricesYet."""
        found = self.list_on(day)
        return self if found is self.prices else replace(self, prices=found)

    def running_list(self, purchase: int, begins_on: date) -> PriceList:
        """The list by which a period costs that begins on this day, of a client who bought at list number `purchase`
        (rule 40): the newest of that one and of the lists whose renewals have begun."""
        return running(self.price_lists, purchase, begins_on)

    def price_by(self, number: int, settings: BillingSettings) -> Price:
        """The price by the list of this number; an item that it lacks costs what the nearest earlier list says that has
        it, else the next later one (rule 40). Raises UnknownChoice, NoPrice."""
        lists = tuple(looked_up(self.price_lists, number))
        return self._price(settings, lambda _: lists)

    def plan(self, code: str) -> Plan:
        """The plan of this code. Raises UnknownChoice."""
        if code not in self.plans:
            raise UnknownChoice(code=code)
        return self.plans[code]

    def add_on(self, code: str) -> AddOn:
        """The add-on of this code. Raises UnknownChoice."""
        if code not in self.add_ons:
            raise UnknownChoice(code=code)
        return self.add_ons[code]

    def price(self, settings: BillingSettings, held: BillingSettings | None = None) -> Price:
        """The price of the plan with its add-ons by the list in force. What someone who holds `held` has already with
        this billing period may stand in another list (rule 40). Raises UnknownChoice, NoPrice."""

        def lists(item: Item) -> Iterable[PriceList]:
            yield self.prices
            if held is not None and _has(held, item, settings.billing_period):
                yield from looked_up(self.price_lists, self.prices.number)

        return self._price(settings, lists)

    def billed(self, settings: BillingSettings, status: ClientStatus) -> Price | None:
        """What a client is billed by the list in force: nothing (None) when it is archived, or where no list has a
        price."""
        if status is ClientStatus.ARCHIVED:
            return None
        try:
            return self.price(settings, held=settings)
        except (NoPrice, UnknownChoice):
            return None

    def plan_price(self, code: str, billing_period: BillingPeriod) -> Price | None:
        """What the plan alone costs, or None where it has no price for this period."""
        cents = self.plan_prices.get((code, billing_period))
        return None if cents is None else Price(cents, billing_period, self.currency)

    def choosable_plans(self, billing_period: BillingPeriod, held: BillingSettings | None = None) -> list[Plan]:
        """The plans that can be chosen with this period by someone who holds `held` now, in order."""
        return [
            plan
            for plan in self.plans.values()
            if self._has_price(plan, billing_period, held)
            and (not plan.is_retired or (held is not None and held.plan == plan.code))
        ]

    def choosable_add_ons(
        self, plan: str, billing_period: BillingPeriod, held: BillingSettings | None = None
    ) -> list[AddOn]:
        """The add-ons that can be chosen with this plan and period by someone who holds `held` now, in order."""
        kept = held.add_ons if held is not None else frozenset()
        return [
            add_on
            for add_on in self.add_ons.values()
            if self._has_price(add_on, billing_period, held)
            and (
                add_on.code in self.plan(plan).add_ons
                or (held is not None and held.plan == plan and add_on.code in kept)
            )
            and (not add_on.is_retired or add_on.code in kept)
        ]

    def refuse_unsellable(
        self,
        settings: BillingSettings,
        held: BillingSettings | None = None,
        *,
        bound: frozenset[Setting] = frozenset(),
    ) -> None:
        """Refuse settings that cannot be had by someone who holds `held` now (None: a new client, or defaults).

        What is held already may stay, though retired or no longer offered (rule 9); everything new must be offered
        with the plan, have a price and not be retired (rules 8 and 9). `bound` are the settings that are no choice, but
        what the client was bound to before: it goes back to them, though retired since, and to its plan with its
        add-ons as they were offered together then (rules 3 and 5).
        Raises UnknownChoice, RetiredChosen, AddOnsNotOffered, NoPrice.
        """
        plan = self.plan(settings.plan)
        keeps_plan = held is not None and held.plan == plan.code
        kept = held.add_ons if held is not None else frozenset()
        bound_add_ons = settings.add_ons if Setting.ADD_ONS in bound else frozenset()
        if plan.is_retired and not keeps_plan and Setting.PLAN not in bound:
            raise RetiredChosen(item=plan)
        for add_on in self._items(settings.add_ons - bound_add_ons):
            if add_on.is_retired and add_on.code not in kept:
                raise RetiredChosen(item=add_on)
        still_offered = plan.add_ons | kept if keeps_plan else plan.add_ons
        if Setting.PLAN in bound:
            still_offered |= bound_add_ons
        if not_offered := self._items(settings.add_ons - still_offered):
            raise AddOnsNotOffered(plan=plan, add_ons=not_offered)
        if held is None or _priced(settings) != _priced(held):
            self.price(settings, held)

    def retired_in(self, settings: BillingSettings, *, among: frozenset[Setting]) -> Item | None:
        """The first retired plan or add-on, looking only at these of the settings."""
        plan = [self.plan(settings.plan)] if Setting.PLAN in among else []
        add_ons = self._items(settings.add_ons) if Setting.ADD_ONS in among else ()
        return next((item for item in (*plan, *add_ons) if item.is_retired), None)

    def value_text(self, value: Term | str | frozenset[str]) -> str:
        """A setting's value in the reader's words: a term's label, a plan's name, add-ons by name or "none"."""
        if isinstance(value, Term):
            return value.label
        if isinstance(value, frozenset):
            return ", ".join(self.names(value)) or t("none")
        return str(self.plans.get(value, value))

    def change_text(
        self, setting: Setting, before: Term | str | frozenset[str], after: Term | str | frozenset[str]
    ) -> str:
        """Subscription: Starter → Standard."""
        was, becomes = self.value_text(before), self.value_text(after)
        return t("{setting}: {before} → {after}", setting=setting, before=was, after=becomes)

    def names(self, add_ons: frozenset[str]) -> list[str]:
        """The add-ons' names in the catalogue's order, in the reader's language."""
        return [str(add_on) for add_on in self._items(add_ons)]

    def _items(self, add_ons: frozenset[str]) -> tuple[AddOn, ...]:
        unknown = add_ons - self.add_ons.keys()
        if unknown:
            raise UnknownChoice(code=min(unknown))
        return tuple(add_on for add_on in self.add_ons.values() if add_on.code in add_ons)

    def _has_price(self, item: Item, billing_period: BillingPeriod, held: BillingSettings | None) -> bool:
        """Whether it can be paid by someone who holds `held` now: by the list in force, or as it is held already."""
        kept = held is not None and _has(held, item, billing_period)
        lists = (self.prices, *self.price_lists) if kept else (self.prices,)
        return any(_cents(each, item, billing_period) is not None for each in lists)

    def _price(self, settings: BillingSettings, lists: Callable[[Item], Iterable[PriceList]]) -> Price:
        """The plan and each add-on, in the catalogue's order, by the first of its lists that has it."""
        cents, period = 0, settings.billing_period
        for item in (self.plan(settings.plan), *self._items(settings.add_ons)):
            found = None
            for each in lists(item):
                if (found := _cents(each, item, period)) is not None:
                    break
            if found is None:
                refusal = NoPrice if isinstance(item, Plan) else NoPriceOfAddOn
                raise refusal(item=item, billing_period=period)
            cents += found
        return Price(cents, period, self.currency)


def _cents(prices: PriceList, item: Item, billing_period: BillingPeriod) -> int | None:
    of_its_kind = prices.plan_prices if isinstance(item, Plan) else prices.add_on_prices
    return of_its_kind.get((item.code, billing_period))


def _has(held: BillingSettings, item: Item, billing_period: BillingPeriod) -> bool:
    """Whether the item is held, with this billing period."""
    if held.billing_period is not billing_period:
        return False
    return held.plan == item.code if isinstance(item, Plan) else item.code in held.add_ons
