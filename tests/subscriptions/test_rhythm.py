"""Renewals, periods and days (rules 23 to 25), with the worked examples of month ends and time zones."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.subscriptions.rhythm import Rhythm, begun_on, first_instant, local_date
from core.words import BillingPeriod

MONTHLY, YEARLY = BillingPeriod.MONTHLY, BillingPeriod.YEARLY
days = st.dates(date(2024, 1, 1), date(2060, 12, 31))


def renewals(rhythm: Rhythm, first: date, count: int) -> list[date]:
    found = []
    for _ in range(count):
        first = rhythm.period(first).renewal
        found.append(first)
    return found


def test_rule_24_monthly_from_the_31st_renews_on_the_last_day_of_shorter_months() -> None:
    """Accepted on 31 January 2027: 28 February, 31 March, 30 April, 31 May."""
    rhythm = begun_on(date(2027, 1, 31), MONTHLY)
    assert renewals(rhythm, date(2027, 1, 31), 4) == [
        date(2027, 2, 28), date(2027, 3, 31), date(2027, 4, 30), date(2027, 5, 31)
    ]  # fmt: skip


def test_rule_24_a_change_of_period_takes_the_month_of_its_renewal_and_keeps_the_day() -> None:
    """Yearly from the renewal of 28 February 2027: 29 February 2028, 28 February 2029; monthly again from then:
    31 March, 30 April."""
    monthly = begun_on(date(2027, 1, 31), MONTHLY)
    yearly = monthly.with_period(YEARLY, date(2027, 2, 28))
    assert renewals(yearly, date(2027, 2, 28), 2) == [date(2028, 2, 29), date(2029, 2, 28)]
    again = yearly.with_period(MONTHLY, date(2029, 2, 28))
    assert renewals(again, date(2029, 2, 28), 2) == [date(2029, 3, 31), date(2029, 4, 30)]
    assert yearly.with_period(YEARLY, date(2028, 2, 29)) is yearly


def test_rule_24_yearly_from_29_february_renews_on_the_28th_but_in_leap_years() -> None:
    """Accepted on 29 February 2028, yearly: 28 February 2029, 2030, 2031, 29 February 2032."""
    rhythm = begun_on(date(2028, 2, 29), YEARLY)
    assert renewals(rhythm, date(2028, 2, 29), 4) == [
        date(2029, 2, 28), date(2030, 2, 28), date(2031, 2, 28), date(2032, 2, 29)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("day", "time_zone", "begins"),
    [
        (date(2027, 3, 15), "Europe/Brussels", datetime(2027, 3, 14, 23, tzinfo=UTC)),
        (date(2027, 4, 15), "Europe/Brussels", datetime(2027, 4, 14, 22, tzinfo=UTC)),
        (date(2026, 9, 6), "America/Santiago", datetime(2026, 9, 6, 4, tzinfo=UTC)),
    ],
    ids=["winter", "summer", "midnight is skipped"],
)
def test_rule_24_a_renewal_is_the_first_instant_of_its_local_day(day: date, time_zone: str, begins: datetime) -> None:
    """In winter, in summer, and where the clock skips midnight."""
    assert first_instant(day, time_zone) == begins
    assert local_date(begins, time_zone) == day
    assert local_date(begins - timedelta(microseconds=1), time_zone) == day - timedelta(days=1)


def test_rule_23_the_anchor_is_the_local_day_of_acceptance() -> None:
    """Half past midnight on 1 April in Brussels is still 31 March in UTC: the anchor day is 1."""
    accepted_at = datetime(2027, 3, 31, 22, 30, tzinfo=UTC)
    assert begun_on(local_date(accepted_at, "Europe/Brussels"), MONTHLY) == Rhythm(1)


@given(days, st.sampled_from(list(BillingPeriod)), days)
@example(date(2028, 2, 29), YEARLY, date(2029, 2, 28))
@example(date(2027, 1, 31), MONTHLY, date(2027, 2, 28))
def test_rule_25_every_day_lies_in_exactly_one_period(accepted: date, period: BillingPeriod, day: date) -> None:
    """The period of a day contains it, joins the next without gap, and every day of it names the same one."""
    rhythm = begun_on(accepted, period)
    found = rhythm.period(day)
    assert found.first <= day < found.renewal
    assert rhythm.period(found.renewal).first == found.renewal
    assert rhythm.period(found.renewal - timedelta(days=1)) == found == rhythm.period(found.first)
    assert found.days in (range(28, 32) if period is MONTHLY else range(365, 367))
    assert rhythm.period(accepted).first == accepted


@given(days, st.integers(1, 400))
def test_rule_24_the_anchor_day_is_never_forgotten(accepted: date, count: int) -> None:
    """After any number of renewals the day is the anchor day, or the last one of a month that has no such day."""
    rhythm = begun_on(accepted, MONTHLY)
    last = renewals(rhythm, accepted, count)[-1]
    assert last.day == accepted.day or (last.day < accepted.day and (last + timedelta(days=1)).day == 1)
