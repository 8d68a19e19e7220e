"""Refusals about settings: what cannot be chosen, and what nothing decides."""

from collections.abc import Mapping
from datetime import date

from core.words.errors import BillingError
from core.words.language import N_, t
from core.words.settings import BillingPeriod, Setting
from core.words.terms import Role


class ChoiceRefused(BillingError):
    """The settings do not go together, or one cannot be chosen now."""


class AddOnsNotOffered(ChoiceRefused):
    """The plan does not offer these add-ons."""

    sentence = N_("{add_ons}: not offered with {plan}. Choose another subscription or remove these add-ons.")

    def __init__(self, *, plan: object, add_ons: tuple[object, ...]) -> None:
        super().__init__(plan=plan, add_ons=add_ons)


class NoPrice(ChoiceRefused):
    """The plan `item` has no price for this billing period."""

    sentences: Mapping[BillingPeriod, str] = {
        BillingPeriod.MONTHLY: N_("{item} has no monthly price. Choose yearly, or another subscription."),
        BillingPeriod.YEARLY: N_("{item} has no yearly price. Choose monthly, or another subscription."),
    }

    def __init__(self, *, item: object, billing_period: BillingPeriod) -> None:
        super().__init__(item=item)
        self.sentence = self.sentences[billing_period]


class NoPriceOfAddOn(NoPrice):
    """The add-on `item` has none."""

    sentences: Mapping[BillingPeriod, str] = {
        BillingPeriod.MONTHLY: N_("{item} has no monthly price. Choose yearly, or remove this add-on."),
        BillingPeriod.YEARLY: N_("{item} has no yearly price. Choose monthly, or remove this add-on."),
    }


class RetiredChosen(ChoiceRefused):
    """A retired plan or add-on stays with those who have it and cannot be newly chosen."""

    sentence = N_("{item} is retired: clients who have it keep it, but it cannot be newly chosen. Choose another one.")


class RetiredDefaults(ChoiceRefused):
    """The default settings hold something retired; `name`: those of this set, where there are several."""

    sentence = N_(
        "Default settings v{version} include {item}, which is retired. Choose something else here, "
        "or save new default settings without it."
    )
    of_a_set = N_(
        "{name} v{version} includes {item}, which is retired. Choose something else here, "
        "or save a new version of this set without it."
    )

    def __init__(self, *, version: int, item: object, name: str = "") -> None:
        super().__init__(version=str(version), item=item, name=name)
        if name:
            self.sentence = self.of_a_set


class UnknownChoice(ChoiceRefused):
    """The catalogue does not know this code."""

    sentence = N_("The catalogue has no “{code}”. Choose from the list.")


class PendingRefused(ChoiceRefused):
    """What waits for `day` and the new decision cannot be had together: `refusal` says why (rule 32)."""

    sentence = N_("{refusal} A change is pending for {day} already: cancel it first, or decide otherwise.")

    def __init__(self, *, day: date, refusal: ChoiceRefused) -> None:
        super().__init__(day=day, refusal=refusal)


class NoCatalogue(BillingError):
    """No catalogue is loaded, or none with prices in the partner's currency. `str()` says whom to ask; `said_to` says
    it to somebody of this role, and to an administrator which command comes next."""

    sentence = N_(
        "There are no subscriptions and prices in {currency} yet, so nothing can be decided. "
        "Ask your administrator to have a catalogue loaded."
    )
    next_command = N_(
        "There are no subscriptions and prices in {currency} yet, so nothing can be decided. "
        "Load a catalogue where the product runs: python -m core catalogue load FILE"
    )

    def __init__(self, *, currency: str) -> None:
        super().__init__(currency=currency)

    def said_to(self, role: Role) -> str:
        """The sentence for somebody of this role."""
        return t(self.next_command, **self.values) if role is Role.ADMINISTRATOR else str(self)


class NoPricesYet(NoCatalogue):
    """The first price list in the partner's currency begins on a day to come."""

    sentence = N_("The prices in {currency} begin on {day}, so nothing can be decided before.")
    next_command = sentence

    def __init__(self, *, currency: str, day: date) -> None:
        super().__init__(currency=currency)
        self.values = {"currency": currency, "day": day}


class MissingSetting(BillingError):
    """Nothing decides these settings: no default settings are saved, and they are not chosen (rule 7)."""

    sentence = N_("No default settings are saved yet. Choose these too: {settings}.")

    def __init__(self, settings: tuple[Setting, ...]) -> None:
        super().__init__(settings=settings)
        self.settings = settings


class NothingToTakeBack(BillingError):
    """The newest decision is no change of settings, or took the place of one that it does not bring back."""

    sentence = N_("The last change of {name} cannot simply be undone. Change the settings instead.")


class NothingToAdopt(BillingError):
    """No default settings were saved yet."""

    sentence = N_("No default settings are saved yet, so there is nothing to adopt. Save default settings first.")
