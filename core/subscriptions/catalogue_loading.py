"""Loading a catalogue over what clients and default settings hold: what it would do, and doing it (rules 42 and 44).

A price has no day yet on which it begins: it is that of the newest catalogue, for clients who have the item too.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import catalogue, members
from core.catalogue import Catalogue, CatalogueChange, Item, Plan
from core.members import Partner
from core.storage import allow_minutes
from core.subscriptions.held import Holders, Holding, ever_held, held_now, holders
from core.words import N_, ActivityKind, BillingError, BillingPeriod


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


@dataclass(frozen=True, slots=True)
class CatalogueLoad:
    """What loading does. `catalogue` is what is stored then: the new one with `kept`, which the file leaves out and
    somebody once had. Without `changes` it is stored already. `refusals` say why it cannot be loaded. `edition` is its
    number, None where nothing was written. `currencies_without_prices`: of partner spaces, that have none even then."""

    catalogue: Catalogue
    kept: tuple[Item, ...]
    changes: tuple[CatalogueChange, ...]
    refusals: tuple[BillingError, ...]
    holdings: tuple[Holding, ...]
    currencies_without_prices: tuple[str, ...]
    edition: int | None = None

    def concerned(self, change: CatalogueChange) -> Holders:
        """How many hold what changes: with a price, in its currency and billing period; else in all of them."""
        if change.item is None:
            return Holders(0, 0)
        if change.billing_period is None:
            return holders(self.holdings, change.item)
        currency = self.catalogue.currency
        return holders(self.holdings, change.item, currency=currency, billing_period=change.billing_period)


def preview_catalogue(session: Session, offer: Catalogue) -> CatalogueLoad:
    """What loading this catalogue would do now. Raises DemoKeepsSample."""
    if members.is_demo(session):
        raise DemoKeepsSample
    stored = catalogue.stored(session, offer.currency)
    plans, add_ons = ever_held(session)
    holdings = held_now(session)
    complete = catalogue.completed(offer, stored, plans=plans, add_ons=add_ons)
    kept = _absent(complete, offer)
    billed_in = set(session.scalars(select(Partner.currency)))
    return CatalogueLoad(
        catalogue=complete,
        kept=kept,
        changes=catalogue.compared(stored, complete),
        refusals=tuple(_refusals(session, offer, complete, stored, holdings)),
        holdings=holdings,
        currencies_without_prices=tuple(sorted(billed_in - catalogue.currencies(session) - {offer.currency})),
    )


def load_catalogue(session: Session, offer: Catalogue) -> CatalogueLoad:
    """Make this the catalogue of every partner space, from now on; the same again changes nothing.

    Waits for the turn of every partner, so that nobody chooses meanwhile what is retired. Raises DemoKeepsSample,
    CatalogueRefused; nothing is written then.
    """
    allow_minutes(session)
    catalogue.take_turn(session)
    loaded = preview_catalogue(session, offer)
    if loaded.refusals or loaded.changes:
        members.take_every_turn(session)
        loaded = preview_catalogue(session, offer)
    if loaded.refusals:
        raise CatalogueRefused(loaded.refusals)
    if not loaded.changes:
        return loaded
    edition = catalogue.store(session, loaded.catalogue)
    members.note_in_every_space(session, ActivityKind.CATALOGUE_LOADED, number=edition)
    return replace(loaded, edition=edition)


def _refusals(
    session: Session,
    offer: Catalogue,
    complete: Catalogue,
    stored: Catalogue | None,
    holdings: tuple[Holding, ...],
) -> Iterator[BillingError]:
    for item in () if stored is None else _absent(stored, offer):
        elsewhere = catalogue.sold_in(session, item) - {offer.currency}
        if held := holders(holdings, item):
            yield HeldButAbsent(item, held)
        elif elsewhere and not item.is_retired:
            yield SoldInAnotherCurrency(item, tuple(sorted(elsewhere)), offer.currency)
    for item in (*offer.plans.values(), *offer.add_ons.values()):
        prices = offer.plan_prices if isinstance(item, Plan) else offer.add_on_prices
        for period in BillingPeriod:
            if (item.code, period) in prices:
                continue
            if held := holders(holdings, item, currency=offer.currency, billing_period=period):
                yield HeldWithoutPrice(item, period, offer.currency, held)
    for items, named in ((complete.plans, offer.plans), (complete.add_ons, offer.add_ons)):
        for kept, item in catalogue.reading_the_same(items):  # what is kept stands behind what the file names
            if kept.code not in named and item.code in named:
                yield ReadsLikeARetiredOne(item, kept)


def _absent(larger: Catalogue, offer: Catalogue) -> tuple[Item, ...]:
    """What the offer leaves out of a larger catalogue."""
    return (*_beyond(larger.plans, offer.plans), *_beyond(larger.add_ons, offer.add_ons))


def _beyond(all_items: Mapping[str, Item], named: Mapping[str, Item]) -> tuple[Item, ...]:
    return tuple(item for code, item in all_items.items() if code not in named)
