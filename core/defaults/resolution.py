"""Pure rules: default settings and overrides give the effective settings, each value with its source.

Effective value = the override where there is one, else the value of the defaults version the client is bound to
(domain.md, rule 4). `None` means "not set here"; an empty set of add-ons is a choice.
"""

from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from core.words import BillingPeriod, BillingSettings, MissingSetting, Overrides, Payer, Setting, Source

V = TypeVar("V")

FIRST_SET = 1  # the number of a partner's first default set, which has what was saved before there were sets


class SetVersion(NamedTuple):
    """A version of a default set."""

    set_number: int
    version: int


def bound_to(set_number: int | None, version: int | None) -> SetVersion | None:
    """The version of a default set that these two name together; None: none is named."""
    return None if set_number is None or version is None else SetVersion(set_number, version)


@dataclass(frozen=True, slots=True)
class Effective(Generic[V]):
    """A value that holds, and where it came from."""

    value: V
    source: Source


@dataclass(frozen=True, slots=True)
class EffectiveSettings:
    """How a client is billed: every setting with its source, and the set and version of the defaults that it is bound
    to, if any."""

    payer: Effective[Payer]
    billing_period: Effective[BillingPeriod]
    plan: Effective[str]
    add_ons: Effective[frozenset[str]]
    defaults_version: int | None
    set_number: int | None = None

    @property
    def bound(self) -> SetVersion | None:
        """The version it is bound to; None: to none."""
        return bound_to(self.set_number, self.defaults_version)

    @property
    def settings(self) -> BillingSettings:
        """The values alone."""
        return BillingSettings(self.payer.value, self.billing_period.value, self.plan.value, self.add_ons.value)

    @property
    def overridden(self) -> frozenset[Setting]:
        """The settings that are choices."""
        sources = {
            Setting.PAYER: self.payer.source,
            Setting.BILLING_PERIOD: self.billing_period.source,
            Setting.PLAN: self.plan.source,
            Setting.ADD_ONS: self.add_ons.source,
        }
        return frozenset(setting for setting, source in sources.items() if source is Source.OVERRIDE)


def resolve(
    defaults: BillingSettings | None, overrides: Overrides, *, version: int | None, set_number: int = FIRST_SET
) -> EffectiveSettings:
    """The effective settings of a client bound to `version` of a set with these defaults and overrides.

    Raises MissingSetting when there are no defaults and a setting is not overridden (rule 7).
    """
    if defaults is None:
        return _chosen_alone(overrides)
    return EffectiveSettings(
        payer=_effective(overrides.payer, defaults.payer),
        billing_period=_effective(overrides.billing_period, defaults.billing_period),
        plan=_effective(overrides.plan, defaults.plan),
        add_ons=_effective(overrides.add_ons, defaults.add_ons),
        defaults_version=version,
        set_number=None if version is None else set_number,
    )


def _effective(override: V | None, default: V) -> Effective[V]:
    return Effective(default, Source.DEFAULT) if override is None else Effective(override, Source.OVERRIDE)


def _chosen_alone(overrides: Overrides) -> EffectiveSettings:
    payer, billing_period, plan, add_ons = overrides.payer, overrides.billing_period, overrides.plan, overrides.add_ons
    if payer is None or billing_period is None or plan is None or add_ons is None:
        raise MissingSetting(tuple(setting for setting in Setting if setting not in overrides.chosen))
    return EffectiveSettings(
        payer=Effective(payer, Source.OVERRIDE),
        billing_period=Effective(billing_period, Source.OVERRIDE),
        plan=Effective(plan, Source.OVERRIDE),
        add_ons=Effective(add_ons, Source.OVERRIDE),
        defaults_version=None,
    )


def choices(settings: BillingSettings, overridden: frozenset[Setting]) -> Overrides:
    """The overrides of a client whose effective `settings` are stored with the set of those that are choices."""
    return Overrides(
        payer=settings.payer if Setting.PAYER in overridden else None,
        billing_period=settings.billing_period if Setting.BILLING_PERIOD in overridden else None,
        plan=settings.plan if Setting.PLAN in overridden else None,
        add_ons=settings.add_ons if Setting.ADD_ONS in overridden else None,
    )


@dataclass(frozen=True, slots=True)
class Change:
    """One setting, what it was and what it became."""

    setting: Setting
    before: Payer | BillingPeriod | str | frozenset[str]
    after: Payer | BillingPeriod | str | frozenset[str]


def changes(before: BillingSettings, after: BillingSettings) -> tuple[Change, ...]:
    """The settings whose values differ, in the order of `Setting`."""
    compared = (
        Change(Setting.PAYER, before.payer, after.payer),
        Change(Setting.BILLING_PERIOD, before.billing_period, after.billing_period),
        Change(Setting.PLAN, before.plan, after.plan),
        Change(Setting.ADD_ONS, before.add_ons, after.add_ons),
    )
    return tuple(change for change in compared if change.before != change.after)
