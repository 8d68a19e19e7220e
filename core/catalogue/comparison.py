"""What another catalogue would change about the one that is stored. Pure rules; others count who is concerned."""

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import TypeVar

from core.catalogue.price_lists import PriceList, Prices
from core.catalogue.rules import AddOn, Catalogue, Item
from core.words import LANGUAGES, BillingPeriod, Money

_I = TypeVar("_I", bound=Item)


class ChangeKind(Enum):
    """What happens to a plan or an add-on, or to the whole."""

    NEW = auto()
    RETIRED = auto()
    BROUGHT_BACK = auto()
    RENAMED = auto()
    PRICED = auto()
    OFFERED = auto()
    NOT_OFFERED = auto()
    REMOVED = auto()
    REORDERED = auto()
    NO_SAMPLE = auto()


@dataclass(frozen=True, slots=True)
class CatalogueChange:
    """One difference between two editions.

    `before` and `after` are names in `language` where it is renamed, amounts for `billing_period` where its price is
    another one (None: no price); `add_ons` those that begin or cease to be offered with the plan.
    """

    kind: ChangeKind
    item: Item | None = None
    language: str = ""
    billing_period: BillingPeriod | None = None
    before: str | Money | None = None
    after: str | Money | None = None
    add_ons: tuple[AddOn, ...] = ()


def completed(
    new: Catalogue, stored: Catalogue | None, made: PriceList | None, *, plans: Set[str], add_ons: Set[str]
) -> Catalogue:
    """The new catalogue with what it leaves out of the stored one, as far as somebody ever had it: these codes of plans
    and add-ons. Retired, after the others, with their offers, so that the past can still be shown. Its price lists are
    those stored, with `made` among them."""
    lists = {each.number: each for each in (() if stored is None else stored.price_lists)}
    if made is not None:
        lists[made.number] = made
    price_lists = tuple(lists[number] for number in sorted(lists))
    new = replace(new, price_lists=price_lists, prices=price_lists[-1])
    if stored is None:
        return new
    kept_add_ons = _left_out(stored.add_ons, new.add_ons, add_ons)
    kept_plans = _left_out(stored.plans, new.plans, plans)
    every_add_on = {**new.add_ons, **{code: replace(each, is_retired=True) for code, each in kept_add_ons.items()}}
    return replace(
        new,
        add_ons=every_add_on,
        plans={
            **new.plans,
            **{
                code: replace(plan, is_retired=True, add_ons=plan.add_ons & every_add_on.keys())
                for code, plan in kept_plans.items()
            },
        },
    )


def compared(stored: Catalogue | None, new: Catalogue, made: PriceList | None) -> tuple[CatalogueChange, ...]:
    """Every difference of the items, and of the prices of `made` from the list before it; none where the new one is the
    stored one, whatever its edition."""
    if stored is None:
        stored = replace(new, is_sample=False, plans={}, add_ons={}, price_lists=())
    return tuple(_differences(stored, new, made))


def repriced(offer: Catalogue, made: PriceList) -> Iterator[CatalogueChange]:
    """The prices of this list that differ from those of the list before it, item by item."""
    before = next((each for each in reversed(offer.price_lists) if each.number < made.number), None)
    for items, prices, earlier in (
        (offer.plans, made.plan_prices, {} if before is None else before.plan_prices),
        (offer.add_ons, made.add_on_prices, {} if before is None else before.add_on_prices),
    ):
        yield from _prices(earlier, prices, items, offer.currency)


def _differences(stored: Catalogue, new: Catalogue, made: PriceList | None) -> Iterator[CatalogueChange]:
    if stored.is_sample and not new.is_sample:
        yield CatalogueChange(ChangeKind.NO_SAMPLE)
    yield from _items(stored.plans, new.plans)
    yield from _items(stored.add_ons, new.add_ons)
    if made is not None:
        yield from repriced(new, made)
    for code, plan in new.plans.items():
        before = stored.plans[code].add_ons if code in stored.plans else frozenset()
        if begun := _named(plan.add_ons - before, new):
            yield CatalogueChange(ChangeKind.OFFERED, plan, add_ons=begun)
        if ceased := _named((before - plan.add_ons) & new.add_ons.keys(), new):
            yield CatalogueChange(ChangeKind.NOT_OFFERED, plan, add_ons=ceased)
    if _reordered(stored.plans, new.plans) or _reordered(stored.add_ons, new.add_ons):
        yield CatalogueChange(ChangeKind.REORDERED)


def _items(stored: Mapping[str, Item], new: Mapping[str, Item]) -> Iterator[CatalogueChange]:
    for code, item in new.items():
        before = stored.get(code)
        if before is None:
            yield CatalogueChange(ChangeKind.NEW, item)
            if item.is_retired:
                yield CatalogueChange(ChangeKind.RETIRED, item)
            continue
        if item.is_retired != before.is_retired:
            yield CatalogueChange(ChangeKind.RETIRED if item.is_retired else ChangeKind.BROUGHT_BACK, item)
        for language in LANGUAGES:
            if item.names.get(language) != before.names.get(language):
                was, becomes = (each.names.get(language, each.names["en"]) for each in (before, item))
                yield CatalogueChange(ChangeKind.RENAMED, item, language, before=was, after=becomes)
    for code, item in stored.items():
        if code not in new:
            yield CatalogueChange(ChangeKind.REMOVED, item)


def _prices(
    stored: Prices,
    new: Prices,
    items: Mapping[str, Item],
    currency: str,
) -> Iterator[CatalogueChange]:
    for code, item in items.items():
        for period in BillingPeriod:
            before, after = stored.get((code, period)), new.get((code, period))
            if before != after:
                yield CatalogueChange(
                    ChangeKind.PRICED,
                    item,
                    billing_period=period,
                    before=None if before is None else Money(before, currency),
                    after=None if after is None else Money(after, currency),
                )


def _left_out(stored: Mapping[str, _I], new: Mapping[str, _I], ever: Set[str]) -> dict[str, _I]:
    return {code: item for code, item in stored.items() if code not in new and code in ever}


def _named(codes: Set[str], catalogue: Catalogue) -> tuple[AddOn, ...]:
    return tuple(add_on for code, add_on in catalogue.add_ons.items() if code in codes)


def _reordered(stored: Mapping[str, Item], new: Mapping[str, Item]) -> bool:
    return [code for code in stored if code in new] != [code for code in new if code in stored]
