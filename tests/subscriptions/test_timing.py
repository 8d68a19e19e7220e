"""What an upgrade costs (rule 37): of any period, by any prices that rise, on any days."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from core.subscriptions.rhythm import begun_on
from core.subscriptions.timing import earned, upgrade_charge
from core.words import BillingPeriod

prices = st.integers(0, 10_000_000)
rises = st.lists(st.tuples(st.integers(0, 365), st.integers(0, 100_000)), max_size=6)


@given(prices, st.integers(1, 366))
def test_rule_37_a_period_earns_its_price_and_no_day_earns_less_than_nothing(cents: int, days: int) -> None:
    """From nothing before its first day to all of it after its last one."""
    so_far = [earned(cents, day, days) for day in range(days + 1)]
    assert (so_far[0], so_far[-1]) == (0, cents)
    assert so_far == sorted(so_far)


@given(st.dates(date(2024, 1, 1), date(2060, 1, 1)), st.sampled_from(BillingPeriod), prices, rises)
def test_rule_37_the_charges_of_a_period_always_equal_the_sum_of_its_days(
    accepted: date, billing_period: BillingPeriod, price: int, rises: list[tuple[int, int]]
) -> None:
    """However often the price rises: once a day, the day's last price against its first. Each day costs what the price
    that holds on it earns on it, and the period is charged that, to the cent."""
    period = begun_on(accepted, billing_period).period(accepted)
    by_day = {day % period.days: rise for day, rise in rises}  # of one day the last
    charged, cost, running = price, 0, price
    for day in range(period.days):
        if day in by_day:
            charge = upgrade_charge(running, running + by_day[day], period, period.first + timedelta(days=day))
            assert charge >= 0
            charged, running = charged + charge, running + by_day[day]
        cost += earned(running, day + 1, period.days) - earned(running, day, period.days)
    assert charged == cost


@given(prices, prices, st.dates(date(2024, 1, 1), date(2060, 1, 1)), st.integers(0, 30))
def test_rule_37_from_the_first_day_an_upgrade_costs_the_difference(was: int, more: int, day: date, later: int) -> None:
    """On the last day, not more than a day's share of it and a cent of rounding."""
    period = begun_on(day, BillingPeriod.MONTHLY).period(day)
    assert upgrade_charge(was, was + more, period, period.first) == more
    last = period.first + timedelta(days=min(later, period.days - 1))
    left = (period.renewal - last).days
    assert abs(upgrade_charge(was, was + more, period, last) - more * left / period.days) <= 1
