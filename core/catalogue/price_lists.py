"""Prices through time: lists that begin on a day, which of them a client pays by, and what an item costs by one.

Pure rules (39 to 41); stored.py keeps the lists, and a list that has begun is never changed.
"""

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import date
from hashlib import sha256

from core.words import BillingPeriod

FIRST_DAY = date(2000, 1, 1)  # of the first list of a currency, where its file gives no day: it held ever since

Prices = Mapping[tuple[str, BillingPeriod], int]  # cents, by code and billing period


@dataclass(frozen=True, slots=True)
class PriceList:
    """What plans and add-ons cost in a currency: for whoever buys from `valid_from` on, and for a client's first
    renewal on or after `renewals_from` (None: never, clients keep their prices). Both days begin at the partner's
    midnight. `number` is 0 as long as it is stored nowhere."""

    number: int
    currency: str
    valid_from: date
    renewals_from: date | None
    plan_prices: Prices
    add_on_prices: Prices


def in_force(price_lists: Sequence[PriceList], day: date) -> PriceList | None:
    """Of these lists, ascending by number: the newest that has begun on this day, or None (rule 39)."""
    return next((each for each in reversed(price_lists) if each.valid_from <= day), None)


def running(price_lists: Sequence[PriceList], purchase: int, begins_on: date) -> PriceList:
    """Of these lists, ascending by number: the one by which a period costs that begins on this day, bought at list
    number `purchase` (rule 40). The newest of that list and of the lists whose renewals have begun."""
    reached = (
        each
        for each in reversed(price_lists)
        if each.number == purchase or (each.renewals_from is not None and each.renewals_from <= begins_on)
    )
    found = next(reached, None)
    if found is None:
        raise LookupError(f"there is no price list {purchase}")
    return found


def looked_up(price_lists: Sequence[PriceList], number: int) -> Iterator[PriceList]:
    """These lists, ascending by number, in the order in which a price is looked for by list `number` (rule 40): that
    one, the earlier ones from the nearest on, then the later ones from the nearest on."""
    yield from (each for each in reversed(price_lists) if each.number <= number)
    yield from (each for each in price_lists if each.number > number)


def following(
    price_lists: Sequence[PriceList], offered: PriceList, today: date, *, named: Set[str], last: int = 0
) -> PriceList | None:
    """The list that loading the offered one makes of these, ascending by number; None where its prices hold already.

    It takes the place of a list that begins on the same day and has not begun; else it has the next number
    after `last`, the highest that a list of this currency ever had. Without a day of its own it begins today, the first
    list of all on FIRST_DAY. `named` are the codes of what the file names: what it leaves out and is kept costs what
    earlier lists say.
    """
    if not price_lists:
        return replace(offered, number=last + 1)
    newest = price_lists[-1]
    has_day = offered.valid_from != FIRST_DAY
    begins = offered.valid_from if has_day else today
    to_come = next((each for each in price_lists if each.valid_from == begins > today), None)
    if to_come is not None:
        made = replace(offered, number=to_come.number)
        return None if made.renewals_from == to_come.renewals_from and _prices_agree(to_come, made, named) else made
    if (
        _prices_agree(newest, offered, named)
        and offered.renewals_from in (None, newest.renewals_from)
        and (not has_day or begins >= newest.valid_from)
    ):
        return None
    return replace(offered, number=max(newest.number, last) + 1, valid_from=begins)


def _prices_agree(stored: PriceList, offered: PriceList, named: Set[str]) -> bool:
    return all(
        {key: cents for key, cents in before.items() if key[0] in named} == dict(after)
        for before, after in (
            (stored.plan_prices, offered.plan_prices),
            (stored.add_on_prices, offered.add_on_prices),
        )
    )


def content_hash(price_list: PriceList) -> str:
    """What says that a stored list is still what was loaded: it changes with the days and with every price."""
    said = [price_list.currency, str(price_list.number), str(price_list.valid_from), str(price_list.renewals_from)]
    for prices in (price_list.plan_prices, price_list.add_on_prices):
        said.append("")
        said += [f"{code} {period} {cents}" for (code, period), cents in sorted(prices.items())]
    return sha256("\n".join(said).encode()).hexdigest()
