"""The catalogue: rules 8, 9 and 15, and what a choice costs."""

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import catalogue
from core.catalogue import SAMPLE, Price, monthly_cents
from core.words import (
    AddOnsNotOffered,
    BillingPeriod,
    BillingSettings,
    Money,
    NoPrice,
    Payer,
    RetiredChosen,
    Setting,
    UnknownChoice,
    speak,
)
from tests.conftest import PLUS, STANDARD, Space, with_prices

MONTHLY, YEARLY = BillingPeriod.MONTHLY, BillingPeriod.YEARLY


def settings(plan: str, *add_ons: str, period: BillingPeriod = MONTHLY) -> BillingSettings:
    return BillingSettings.starting_with(
        payer=Payer.CLIENT, billing_period=period, plan=plan, add_ons=frozenset(add_ons)
    )


def test_a_price_is_the_plan_and_each_add_on() -> None:
    """In integer cents."""
    assert SAMPLE.price(STANDARD) == Price(1900 + 500, MONTHLY, "EUR")
    assert SAMPLE.price(PLUS) == Price(35000 + 12500, YEARLY, "EUR")


def test_a_yearly_price_counts_a_twelfth_a_month_rounded_half_up() -> None:
    """Exact integers; rounding happens once."""
    assert Price(50000, YEARLY, "EUR").per_month == Money(4167, "EUR")
    assert Price(6, YEARLY, "EUR").per_month == Money(1, "EUR")
    assert Price(2400, MONTHLY, "EUR").per_month == Money(2400, "EUR")


@given(st.integers(min_value=0, max_value=10**12))
def test_a_twelfth_is_never_more_than_half_a_cent_off(cents_per_year: int) -> None:
    """Against exact fractions."""
    off = monthly_cents(cents_per_year) - Fraction(cents_per_year, 12)
    assert Fraction(-1, 2) < off <= Fraction(1, 2)


def test_add_ons_must_be_offered_with_the_plan() -> None:
    """Rule 8: the refusal names each that is not."""
    with pytest.raises(AddOnsNotOffered, match=r"Payroll and Multi-currency: not offered with Starter"):
        SAMPLE.refuse_unsellable(settings("starter", "payroll", "multi_currency", "bank_feeds"))


def test_a_plan_or_period_without_a_price_cannot_be_chosen() -> None:
    """Rule 8."""
    with pytest.raises(NoPrice, match="Starter"):
        SAMPLE.refuse_unsellable(settings("starter", period=YEARLY))


def test_a_retired_plan_stays_with_those_who_have_it_and_cannot_be_newly_chosen() -> None:
    """Rule 9: who has it may still change the rest."""
    held = settings("classic", "bank_feeds")
    SAMPLE.refuse_unsellable(replace(held, payer=Payer.PARTNER), held=held)
    SAMPLE.refuse_unsellable(replace(held, billing_period=YEARLY), held=held)
    with pytest.raises(RetiredChosen, match="Classic is retired"):
        SAMPLE.refuse_unsellable(settings("classic"), held=STANDARD)


def test_a_retired_add_on_stays_with_those_who_have_it_and_cannot_be_newly_chosen() -> None:
    """Rule 9, for add-ons."""
    add_ons = {**SAMPLE.add_ons, "payroll": replace(SAMPLE.add_ons["payroll"], is_retired=True)}
    later = replace(SAMPLE, add_ons=add_ons)
    held = settings("plus", "payroll")
    later.refuse_unsellable(settings("plus", "payroll", "bank_feeds"), held=held)
    with pytest.raises(RetiredChosen, match="Payroll is retired"):
        later.refuse_unsellable(settings("plus", "payroll"), held=settings("plus"))


def test_what_a_client_has_may_stay_though_no_longer_offered_or_priced() -> None:
    """Changing who pays is not refused for what the catalogue did meanwhile."""
    plans = {**SAMPLE.plans, "plus": replace(SAMPLE.plans["plus"], add_ons=frozenset())}
    prices = {key: cents for key, cents in SAMPLE.plan_prices.items() if key != ("standard", MONTHLY)}
    later = with_prices(replace(SAMPLE, plans=plans), plan_prices=prices)
    held = settings("plus", "payroll")
    later.refuse_unsellable(replace(held, payer=Payer.PARTNER), held=held)
    later.refuse_unsellable(replace(settings("standard"), payer=Payer.PARTNER), held=settings("standard"))
    with pytest.raises(AddOnsNotOffered):
        later.refuse_unsellable(settings("plus", "payroll"), held=settings("standard", "payroll"))


@pytest.mark.parametrize("setting", [s for s in Setting if s.terms and s is not Setting.BILLING_PERIOD])
def test_a_setting_that_does_not_change_the_price_is_free_to_change(setting: Setting) -> None:
    """Who pays, and every setting of words that prices do not depend on: also where there is no price any more."""
    later = with_prices(SAMPLE, plan_prices={})
    held = settings("standard", "bank_feeds")
    for term in setting.terms or ():
        chosen = replace(held, **{setting.value: term})
        assert SAMPLE.price(chosen) == SAMPLE.price(held)
        later.refuse_unsellable(chosen, held=held)
    with pytest.raises(NoPrice):
        later.refuse_unsellable(settings("standard"), held=held)


def test_unknown_codes_are_refused_by_name() -> None:
    """Nothing is stored that the catalogue does not know."""
    with pytest.raises(UnknownChoice, match="no “gold”"):
        SAMPLE.refuse_unsellable(settings("gold"))
    with pytest.raises(UnknownChoice, match="no “fax”"):
        SAMPLE.refuse_unsellable(settings("plus", "fax"))


@given(
    st.sampled_from(list(SAMPLE.plans)), st.sampled_from(BillingPeriod), st.none() | st.sampled_from(list(SAMPLE.plans))
)
def test_what_can_be_chosen_in_the_lists_is_never_refused(
    plan: str, period: BillingPeriod, held_plan: str | None
) -> None:
    """The lists and the rule agree, both ways, for plans and for each add-on alone."""
    held = None if held_plan is None else settings(held_plan)
    choosable = plan in {p.code for p in SAMPLE.choosable_plans(period, held)}
    assert choosable == (not refused(settings(plan, period=period), held) or settings(plan, period=period) == held)
    if choosable:
        add_ons = {a.code for a in SAMPLE.choosable_add_ons(plan, period, held)}
        for code in SAMPLE.add_ons:
            assert (code in add_ons) == (not refused(settings(plan, code, period=period), held))


def refused(chosen: BillingSettings, held: BillingSettings | None) -> bool:
    try:
        SAMPLE.refuse_unsellable(chosen, held)
    except (AddOnsNotOffered, NoPrice, RetiredChosen):
        return True
    return False


def test_the_catalogue_that_ships_is_sample_data_and_says_so(space: Space) -> None:
    """Rule 15, through the database."""
    with space.database.reading() as session:
        stored = catalogue.current(session, space.manager.partner)
    assert stored.is_sample
    assert stored == replace(SAMPLE, edition=stored.edition)
    assert [str(plan) for plan in stored.plans.values()] == ["Starter", "Standard", "Plus", "Premium", "Classic"]


def test_a_new_edition_is_seen_at_once_by_everyone(space: Space) -> None:
    """What a process remembers of the catalogue is never out of date."""
    with space.database.reading() as session:
        first = catalogue.current(session, space.manager.partner)
        assert catalogue.current(session, space.manager.partner) is first
    space.retire(plan="plus")
    with space.database.reading() as session:
        assert catalogue.current(session, space.manager.partner).plans["plus"].is_retired


def test_names_are_in_the_readers_language() -> None:
    """In the catalogue's order."""
    assert SAMPLE.names(frozenset({"payroll", "bank_feeds"})) == ["Bank feeds", "Payroll"]
    speak("fr")
    assert SAMPLE.names(frozenset({"payroll", "bank_feeds"})) == ["Flux bancaires", "Paie"]
    speak("nl")
    assert SAMPLE.names(frozenset({"payroll", "bank_feeds"})) == ["Bankkoppelingen", "Lonen"]
