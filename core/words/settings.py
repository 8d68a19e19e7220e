"""The settings that are decided for each client: what they are called, and the values they can have."""

from dataclasses import dataclass
from typing import Any, Self

from core.words.language import N_, t
from core.words.terms import Term


class Payer(Term):
    """Who is charged."""

    PARTNER = "partner", N_("Us")
    CLIENT = "client", N_("The client")


class BillingPeriod(Term):
    """How often the subscription is billed."""

    MONTHLY = "monthly", N_("Monthly")
    YEARLY = "yearly", N_("Yearly")


class Source(Term):
    """Where an effective value came from."""

    DEFAULT = "default", N_("Default")
    OVERRIDE = "override", N_("Override")


class Setting(Term):
    """What is decided for each client; the add-ons are one setting, a set replaced whole.

    `terms` are the values of a setting that is one of a few words; the catalogue has those of the others.
    """

    PAYER = "payer", N_("Paid by"), N_("payer"), Payer
    BILLING_PERIOD = "billing_period", N_("Billing period"), N_("period"), BillingPeriod, N_("Period")
    PLAN = "plan", N_("Subscription"), N_("plan")
    ADD_ONS = "add_ons", N_("Add-ons"), N_("add-ons")

    terms: type[Term] | None
    _short: str
    _heading: str

    def __new__(
        cls, value: str, label: str = "", short: str = "", terms: type[Term] | None = None, heading: str = ""
    ) -> Self:
        member = str.__new__(cls, value)
        member._value_, member._label = value, label
        member._short, member._heading, member.terms = short, heading or label, terms
        return member

    @property
    def short(self) -> str:
        """The setting's name within a list, in the reader's language."""
        return t(self._short)

    @property
    def heading(self) -> str:
        """The setting's name above a column, in the reader's language."""
        return t(self._heading)

    def of(self, holder: object) -> Any:
        """This setting's value in anything that has all of them: settings, overrides, effective settings."""
        return getattr(holder, self.value)


_LISTED_FIRST = (Setting.PLAN, Setting.ADD_ONS, Setting.BILLING_PERIOD, Setting.PAYER)
LISTED_SETTINGS = (*_LISTED_FIRST, *(setting for setting in Setting if setting not in _LISTED_FIRST))  # as columns


@dataclass(frozen=True, slots=True)
class BillingSettings:
    """All the settings, each decided."""

    payer: Payer
    billing_period: BillingPeriod
    plan: str
    add_ons: frozenset[str]

    @classmethod
    def starting_with(cls, **chosen: Any) -> Self:
        """Settings with these values; one of a few words that is not named has the first of them."""
        return cls(**{setting.value: next(iter(setting.terms)) for setting in Setting if setting.terms} | chosen)


@dataclass(frozen=True, slots=True)
class Overrides:
    """The choices made for one client. None = not set here; frozenset() = no add-ons, a choice."""

    payer: Payer | None = None
    billing_period: BillingPeriod | None = None
    plan: str | None = None
    add_ons: frozenset[str] | None = None

    @property
    def chosen(self) -> frozenset[Setting]:
        """The settings that are choices here."""
        return frozenset(setting for setting in Setting if setting.of(self) is not None)
