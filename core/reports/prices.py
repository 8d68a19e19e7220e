"""Stored settings as values, and what each kind of subscription costs in the period of a day."""

from datetime import date
from functools import lru_cache

from core.catalogue import Catalogue, Price
from core.storage import codes
from core.subscriptions import Rhythm, list_of, price_by
from core.words import BillingSettings, ClientStatus, Setting


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
