"""The pure rules: effective values and their sources (rules 1, 4, 5, 7)."""

from dataclasses import fields
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.defaults import Change, Effective, EffectiveSettings, changes, choices, resolve
from core.words import BillingPeriod, BillingSettings, MissingSetting, Overrides, Payer, Setting, Source
from tests.conftest import PLUS, STANDARD

plans = st.sampled_from(["starter", "standard", "plus"])
add_on_sets = st.frozensets(st.sampled_from(["bank_feeds", "payroll"]))
values = {setting.value: st.sampled_from(list(setting.terms)) for setting in Setting if setting.terms}
values |= {"plan": plans, "add_ons": add_on_sets}
all_settings = st.builds(BillingSettings, **values)
any_overrides = st.builds(Overrides, **{name: st.none() | value for name, value in values.items()})


@pytest.mark.parametrize("holder", [BillingSettings, Overrides, EffectiveSettings])
def test_whatever_holds_the_settings_has_every_one_in_their_order(holder: type) -> None:
    """Rows and forms are made into them by that order."""
    assert [each.name for each in fields(holder)][: len(Setting)] == [setting.value for setting in Setting]


@pytest.mark.parametrize(
    ("overrides", "chosen"),
    [
        pytest.param(Overrides(), set(), id="nothing chosen"),
        pytest.param(Overrides(payer=Payer.PARTNER), {Setting.PAYER}, id="payer chosen"),
        pytest.param(Overrides(add_ons=frozenset()), {Setting.ADD_ONS}, id="no add-ons chosen"),
        pytest.param(
            Overrides(payer=Payer.CLIENT, billing_period=BillingPeriod.MONTHLY, plan="standard"),
            {Setting.PAYER, Setting.BILLING_PERIOD, Setting.PLAN},
            id="choices that equal the defaults",
        ),
    ],
)
def test_every_setting_comes_back_with_its_source(overrides: Overrides, chosen: set[Setting]) -> None:
    """Rule 4; rule 5: an override is a choice, also one that equals the default; none is a choice of add-ons."""
    found = resolve(STANDARD, overrides, version=3)
    sources = {setting: setting.of(found).source for setting in Setting}
    assert sources == {each: Source.OVERRIDE if each in chosen else Source.DEFAULT for each in Setting}
    assert found.defaults_version == 3


def test_no_add_ons_replaces_the_inherited_ones() -> None:
    """Rule 1: a set replaced whole; the empty set is a value, None is not one."""
    assert resolve(STANDARD, Overrides(add_ons=frozenset()), version=1).add_ons == Effective(
        frozenset(), Source.OVERRIDE
    )
    assert resolve(STANDARD, Overrides(), version=1).add_ons == Effective(frozenset({"bank_feeds"}), Source.DEFAULT)


@given(all_settings, any_overrides)
def test_effective_value_is_the_override_where_there_is_one_else_the_default(
    defaults: BillingSettings, overrides: Overrides
) -> None:
    """Rule 4, for all inputs, said another way than the code says it."""
    found = resolve(defaults, overrides, version=1)
    for setting in Setting:
        chosen = getattr(overrides, setting.value)
        effective = getattr(found, setting.value)
        assert effective == (
            Effective(getattr(defaults, setting.value), Source.DEFAULT)
            if chosen is None
            else Effective(chosen, Source.OVERRIDE)
        )


@given(all_settings, any_overrides)
def test_what_is_stored_gives_the_choices_back(defaults: BillingSettings, overrides: Overrides) -> None:
    """Values in full and the set of those chosen lose nothing."""
    found = resolve(defaults, overrides, version=1)
    assert choices(found.settings, found.overridden) == overrides
    assert found.overridden == overrides.chosen


@pytest.mark.parametrize("missing", [s for n in range(1, len(Setting) + 1) for s in combinations(Setting, n)])
def test_without_defaults_every_setting_has_to_be_chosen(missing: tuple[Setting, ...]) -> None:
    """Rule 7: those that are not are named."""
    chosen = choices(PLUS, frozenset(Setting) - frozenset(missing))
    with pytest.raises(MissingSetting) as refusal:
        resolve(None, chosen, version=None)
    assert refusal.value.settings == missing


def test_without_defaults_all_sources_are_override() -> None:
    """Rule 7: bound to no version."""
    found = resolve(None, choices(PLUS, frozenset(Setting)), version=None)
    assert found.settings == PLUS
    assert found.overridden == frozenset(Setting)
    assert found.defaults_version is None


@given(all_settings, all_settings)
def test_changes_name_exactly_the_settings_that_differ(before: BillingSettings, after: BillingSettings) -> None:
    """What history and previews tell."""
    found = changes(before, after)
    assert [change.setting for change in found] == [
        s for s in Setting if getattr(before, s.value) != getattr(after, s.value)
    ]
    assert all(c == Change(c.setting, getattr(before, c.setting), getattr(after, c.setting)) for c in found)
