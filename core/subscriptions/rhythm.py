"""When a subscription renews (rules 23 to 25): pure functions of days, computed and never stored.

A period begins on its first day and ends before the next renewal. A renewal falls on the anchor day, or on the last day
of a shorter month; it is never counted from the renewal before.
"""

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from core.words import BillingPeriod


class Rhythm(NamedTuple):
    """The anchor of a subscription: the day of the month (1 to 31) of its first renewals, kept for ever, and the month
    of the year in which a yearly one renews (None: it renews every month)."""

    anchor_day: int
    anchor_month: int | None = None

    @property
    def billing_period(self) -> BillingPeriod:
        """How often it renews."""
        return BillingPeriod.MONTHLY if self.anchor_month is None else BillingPeriod.YEARLY

    def with_period(self, billing_period: BillingPeriod, renewal: date) -> "Rhythm":
        """The rhythm from this renewal on, at which another billing period may begin: its month becomes the anchor
        month, the day stays (rule 24)."""
        if billing_period is self.billing_period:
            return self
        return Rhythm(self.anchor_day, renewal.month if billing_period is BillingPeriod.YEARLY else None)

    def period(self, day: date) -> "Period":
        """The period that contains this day."""
        return _period(self, day)

    def _renewal(self, year: int, month: int) -> date:
        """The renewal of this month, or of this year where there is one a year."""
        month = self.anchor_month or month
        return date(year, month, min(self.anchor_day, monthrange(year, month)[1]))

    def _shifted(self, renewal: date, periods: int) -> date:
        months = renewal.year * 12 + renewal.month - 1 + periods * (12 if self.anchor_month else 1)
        return self._renewal(months // 12, months % 12 + 1)


@dataclass(frozen=True, slots=True)
class Period:
    """What is paid at once: `first` is its first day, `renewal` the first day of the next one."""

    first: date
    renewal: date

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.renewal - self.first).days


@lru_cache(maxsize=4096)
def _period(rhythm: Rhythm, day: date) -> Period:
    begun = rhythm._renewal(day.year, day.month)
    first = begun if begun <= day else rhythm._shifted(begun, -1)
    return Period(first, rhythm._shifted(first, 1))


def begun_on(day: date, billing_period: BillingPeriod) -> Rhythm:
    """The rhythm of a subscription that was accepted on this local day (rule 23)."""
    return Rhythm(day.day, day.month if billing_period is BillingPeriod.YEARLY else None)


@lru_cache(maxsize=1024)
def local_date(instant: datetime, time_zone: str) -> date:
    """The day of the partner's calendar at an instant (UTC)."""
    return instant.astimezone(ZoneInfo(time_zone)).date()


@lru_cache(maxsize=1024)
def first_instant(day: date, time_zone: str) -> datetime:
    """The instant (UTC) at which a local day begins; where the clock skips midnight, the first moment that exists."""
    return datetime.combine(day, time.min, ZoneInfo(time_zone)).astimezone(UTC)
