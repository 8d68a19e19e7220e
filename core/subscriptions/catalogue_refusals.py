"""Why a catalogue cannot be loaded, or a price list withdrawn: each says what is so and what to do (rule 42)."""

from datetime import date

from core.catalogue import Item, PriceList
from core.subscriptions.held import Holders
from core.words import N_, BillingError, BillingPeriod, StaleError


class HeldButAbsent(BillingError):
    """The file leaves out what clients or default settings hold."""

    sentence = N_(
        "{item} ({code}) is not in the file, and is held by {holders}. Put it into the file; with retired = true "
        "those who have it keep it, and nobody can choose it any more."
    )

    def __init__(self, item: Item, holders: Holders) -> None:
        super().__init__(item=item, code=item.code, holders=holders)


class HeldWithoutPrice(BillingError):
    """The file gives no price for a period in which clients or default settings hold an item."""

    sentence = N_(
        "{item} ({code}) has no price in {currency} for this billing period: {billing_period}. It is held so by "
        "{holders}. Give it one; with retired = true nobody can choose it any more."
    )

    def __init__(self, item: Item, billing_period: BillingPeriod, currency: str, holders: Holders) -> None:
        super().__init__(item=item, code=item.code, billing_period=billing_period, currency=currency, holders=holders)


class SoldInAnotherCurrency(BillingError):
    """The file leaves out what is sold in another currency; plans and add-ons are the same in all of them."""

    sentence = N_(
        "{item} ({code}) is not in the file, but it is sold in {currencies}. Put it into the file: with its price in "
        "{currency}, or with retired = true where nobody is to choose it any more, in no currency."
    )

    def __init__(self, item: Item, currencies: tuple[str, ...], currency: str) -> None:
        super().__init__(item=item, code=item.code, currencies=currencies, currency=currency)


class ReadsLikeARetiredOne(BillingError):
    """Something in the file reads the same as what is kept for the past."""

    sentence = N_(
        "{item} ({code}) reads the same as {kept}, which is not in the file and is kept as retired, for the past. "
        "Give it another name or code; or put {kept} into the file too, with retired = true and another name."
    )

    def __init__(self, item: Item, kept: Item) -> None:
        super().__init__(item=item, code=item.code, kept=f"{kept} ({kept.code})")


class CatalogueRefused(BillingError):
    """The catalogue cannot be loaded over what clients hold: `refusals` are all the reasons."""

    def __init__(self, refusals: tuple[BillingError, ...]) -> None:
        super().__init__()
        self.refusals = refusals

    def __str__(self) -> str:
        return "\n".join(str(refusal) for refusal in self.refusals)


class DemoKeepsSample(BillingError):
    """The demo's database keeps the sample data."""

    sentence = N_(
        "This is the demo's database, and the demo keeps its sample data. "
        "Name a database of your own in BILLING_DATABASE_URL."
    )


class SharedCatalogue(BillingError):
    """Other partner spaces on this server sell by the same catalogue, which no member of one of them changes."""

    sentence = N_(
        "Several partner spaces share this catalogue, so whoever runs the server changes it: "
        "python -m core catalogue load FILE"
    )


class StaleCatalogue(StaleError):
    """Another catalogue was loaded, or a list withdrawn, since this one was looked at."""

    sentence = N_("The catalogue was changed since you looked. Nothing was done; look again at what would change.")


class BeginsInThePast(BillingError):
    """The list begins before today, so that it would change what was paid."""

    sentence = N_(
        "The price list begins on {day}, before today, {today}. What has begun is never changed: give today or a later "
        "day as valid_from."
    )

    def __init__(self, day: date, today: date) -> None:
        super().__init__(day=day, today=today)


class BeginsBeforeTheNewest(BillingError):
    """The list begins before another one that is stored already."""

    sentence = N_(
        "The price list begins on {day}, before list {number}, which begins on {newest}. Give that day or a later one "
        "as valid_from; or withdraw list {number} first."
    )

    def __init__(self, day: date, newest: PriceList) -> None:
        super().__init__(day=day, number=str(newest.number), newest=newest.valid_from)


class RenewsBeforeItBegins(BillingError):
    """Clients would pay the list at their renewal before anybody can buy by it."""

    sentence = N_(
        "Clients would renew by the price list from {renewals_from} on, before it begins on {day}. Give that day or a "
        "later one as renewals_from."
    )

    def __init__(self, made: PriceList) -> None:
        super().__init__(renewals_from=made.renewals_from, day=made.valid_from)


class NoSuchPriceList(BillingError):
    """There is no price list of this number."""

    sentence = N_("There is no price list {number} in {currency}.")

    def __init__(self, number: int, currency: str) -> None:
        super().__init__(number=str(number), currency=currency)


class PriceListHasBegun(BillingError):
    """A price list that has begun stays for ever (rule 39)."""

    sentence = N_(
        "Price list {number} in {currency} began on {day} and stays. Load another one to have other prices from a "
        "later day on."
    )

    def __init__(self, begun: PriceList) -> None:
        super().__init__(number=str(begun.number), currency=begun.currency, day=begun.valid_from)
