"""What clients cost on a day, and the list of clients in the order of it.

Few kinds of subscriptions make few prices: counted by kind, the clients of a page are those of one price or two, and
these are by name among themselves. So no index has a price, which a day can change for everybody.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy.orm import Session

from core import catalogue
from core.catalogue import Catalogue, Price
from core.members import Member
from core.reports import listing
from core.reports.filters import Order
from core.reports.questions import Question
from core.storage import codes
from core.subscriptions import Rhythm, list_of, local_date, price_by
from core.words import BillingSettings, ClientStatus, Setting

_LOOKED_UP = 6  # times as long as a row of the list's index that is passed by


@lru_cache(maxsize=4096)
def stored_settings(stored: tuple[str, ...]) -> BillingSettings:
    """The settings of a row that has them as they are stored, in the order of `Setting`."""
    words = {
        setting.value: codes(word) if setting is Setting.ADD_ONS else (setting.terms or str)(word)
        for setting, word in zip(Setting, stored, strict=True)
    }
    return BillingSettings(**words)  # type: ignore[arg-type]


class PricesOnDay:
    """What each kind of subscription costs in the period of a day; each price is computed once for each list."""

    def __init__(self, offer: Catalogue, day: date) -> None:
        self.offer = offer
        self.day = day
        self._lists: dict[tuple[int | None, ...], int] = {}
        self._prices: dict[tuple[BillingSettings, int], Price | None] = {}

    def of(
        self,
        settings: BillingSettings,
        status: ClientStatus,
        price_list: int | None,
        anchor_day: int | None,
        anchor_month: int | None,
    ) -> Price | None:
        """The price by purchase list and anchor; None for an archived client, and where there is no price."""
        if status is ClientStatus.ARCHIVED:
            return None
        bought = (price_list, anchor_day, anchor_month)
        if bought not in self._lists:
            rhythm = None if anchor_day is None else Rhythm(anchor_day, anchor_month)
            self._lists[bought] = list_of(self.offer, price_list, rhythm, self.day)
        priced = (settings, self._lists[bought])
        if priced not in self._prices:
            self._prices[priced] = price_by(self.offer, priced[1], settings)
        return self._prices[priced]


def prices_on(offer: Catalogue, day: date) -> tuple[PricesOnDay, bool]:
    """The prices of a day, and whether what a period costs then depends on when it began: a list reached renewals in
    the year before."""
    began = day - timedelta(days=366)
    reached = (each.renewals_from for each in offer.price_lists)
    return PricesOnDay(offer, day), any(each is not None and began < each <= day for each in reached)


def price_of_group(prices: PricesOnDay, group: Any, *, by_anchor: bool) -> Price | None:
    """What each client of a group of the listing is billed."""
    settings = stored_settings(tuple(setting.of(group) for setting in Setting))
    anchor = (group.anchor_day, group.anchor_month) if by_anchor else (None, None)
    return prices.of(settings, ClientStatus(group.status), group.price_list, *anchor)


@dataclass(frozen=True, slots=True)
class _Level:
    """The clients of one price a month (in cents; None: of no price): how many, and of which kinds."""

    cents: int | None
    clients: int
    kinds: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PricesInOrder:
    """How many clients of a filtered list have each price a month, the lowest first, those without one last."""

    levels: tuple[_Level, ...]
    by_anchor: bool

    def page(
        self,
        session: Session,
        asked: Question,
        values: Mapping[str, Any],
        order_by: Order,
        offset: int,
        limit: int,
    ) -> list[int]:
        """The numbers of the clients from `offset` on, at most `limit`; those of one price by name."""
        found: list[int] = []
        for level in self._in_order(order_by):
            if offset >= level.clients:
                offset -= level.clients
                continue
            found += self._of(session, asked, values, level, offset, limit - len(found))
            offset = 0
            if len(found) >= limit:
                break
        return found

    def _in_order(self, order_by: Order) -> Sequence[_Level]:
        if order_by is Order.PRICE:
            return self.levels
        priced = [level for level in self.levels if level.cents is not None]
        return [*reversed(priced), *self.levels[len(priced) :]]

    def _of(
        self, session: Session, asked: Question, values: Mapping[str, Any], level: _Level, offset: int, limit: int
    ) -> list[int]:
        total = sum(each.clients for each in self.levels)
        passed_by = total * (offset + limit) / level.clients
        is_few = asked.is_past or _LOOKED_UP * level.clients < passed_by  # no index walks the past by name
        statement = listing.of_price(asked, by_anchor=self.by_anchor, is_few=is_few)
        plans, periods, _, standings, *_ = zip(*(kind.split("|") for kind in level.kinds), strict=True)
        of_level = {
            "kinds": level.kinds,
            "plans": sorted(set(plans)),
            "periods": sorted(set(periods)),
            "standings": sorted(set(standings)),
            "offset": offset,
            "limit": limit,
        }
        return [row.client_id for row in listing.rows(session, statement, {**values, **of_level})]


def in_order(counted: Mapping[tuple[int | None, str], int], *, by_anchor: bool) -> PricesInOrder:
    """The prices in order, of clients counted by their price a month in cents and their kind."""
    by_price: dict[int | None, dict[str, int]] = {}
    for (cents, kind), clients in counted.items():
        by_price.setdefault(cents, {})[kind] = clients
    levels = [_Level(cents, sum(kinds.values()), tuple(sorted(kinds))) for cents, kinds in by_price.items()]
    levels.sort(key=lambda level: (level.cents is None, level.cents or 0))
    return PricesInOrder(tuple(levels), by_anchor)


def prices_in_order(session: Session, member: Member, asked: Question, values: Mapping[str, Any]) -> PricesInOrder:
    """The prices of the filtered list in order. Linear in the number of clients."""
    offer = catalogue.current(session, member.partner)
    prices, by_anchor = prices_on(offer, local_date(values["now"], member.partner.time_zone))
    counted: dict[tuple[int | None, str], int] = {}
    for group in listing.rows(session, listing.groups(asked, by_anchor=by_anchor), values):
        price = price_of_group(prices, group, by_anchor=by_anchor)
        key = (None if price is None else price.per_month.cents, listing.kind_of(group, by_anchor=by_anchor))
        counted[key] = counted.get(key, 0) + group.clients
    return in_order(counted, by_anchor=by_anchor)
