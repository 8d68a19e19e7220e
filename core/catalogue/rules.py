"""Plans, add-ons and prices: what may be combined, what may be newly chosen, and what a choice costs.

Pure rules on one edition of the catalogue; stored.py keeps it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from core.words import (
    AddOnsNotOffered,
    BillingPeriod,
    BillingSettings,
    ClientStatus,
    Money,
    NoPrice,
    RetiredChosen,
    Setting,
    Term,
    UnknownChoice,
    language,
    t,
)


@dataclass(frozen=True, slots=True)
class Item:
    """A plan or an add-on. `str()` is its name in the reader's language."""

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
    """An edition of the catalogue in one currency: plans and add-ons by code, in order; prices by code and period."""

    edition: int
    is_sample: bool
    currency: str
    plans: Mapping[str, Plan]
    add_ons: Mapping[str, AddOn]
    plan_prices: Mapping[tuple[str, BillingPeriod], int]
    add_on_prices: Mapping[tuple[str, BillingPeriod], int]

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

    def price(self, settings: BillingSettings) -> Price:
        """What these settings cost: the plan and each add-on.

        Raises NoPrice naming the first without one, in the catalogue's order; UnknownChoice.
        """
        period = settings.billing_period
        cents = self._cents(self.plan(settings.plan), self.plan_prices, period)
        cents += sum(self._cents(add_on, self.add_on_prices, period) for add_on in self._items(settings.add_ons))
        return Price(cents, period, self.currency)

    def billed(self, settings: BillingSettings, status: ClientStatus) -> Price | None:
        """What a client is billed: nothing (None) when it is archived, or where the catalogue no longer has a price."""
        if status is ClientStatus.ARCHIVED:
            return None
        try:
            return self.price(settings)
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
            if (plan.code, billing_period) in self.plan_prices
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
            if (add_on.code, billing_period) in self.add_on_prices
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
            self.price(settings)

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

    def names(self, add_ons: frozenset[str]) -> list[str]:
        """The add-ons' names in the catalogue's order, in the reader's language."""
        return [str(add_on) for add_on in self._items(add_ons)]

    def _items(self, add_ons: frozenset[str]) -> tuple[AddOn, ...]:
        unknown = add_ons - self.add_ons.keys()
        if unknown:
            raise UnknownChoice(code=min(unknown))
        return tuple(add_on for add_on in self.add_ons.values() if add_on.code in add_ons)

    @staticmethod
    def _cents(item: Item, prices: Mapping[tuple[str, BillingPeriod], int], billing_period: BillingPeriod) -> int:
        cents = prices.get((item.code, billing_period))
        if cents is None:
            raise NoPrice(item=item, billing_period=billing_period)
        return cents
