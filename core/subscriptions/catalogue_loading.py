"""Loading a catalogue over what clients and default settings hold: what it would do, and doing it (rules 42 and 44);
and withdrawing a price list that has not begun (rule 39)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import catalogue, members
from core.catalogue import FIRST_DAY, Catalogue, CatalogueChange, Item, Loaded, Plan, PriceList
from core.members import Member, Partner, Permission
from core.storage import allow_minutes
from core.subscriptions.catalogue_refusals import (
    BeginsBeforeTheNewest,
    BeginsInThePast,
    CatalogueRefused,
    DemoKeepsSample,
    HeldButAbsent,
    HeldWithoutPrice,
    NoSuchPriceList,
    PriceListHasBegun,
    ReadsLikeARetiredOne,
    RenewsBeforeItBegins,
    SharedCatalogue,
    SoldInAnotherCurrency,
    StaleCatalogue,
)
from core.subscriptions.held import Holders, Holding, ever_held, held_now, holders
from core.subscriptions.lifecycle import buy_again_what_waits
from core.words import ActivityKind, BillingError, BillingPeriod, NoCatalogue


@dataclass(frozen=True, slots=True)
class CatalogueLoad:
    """What loading does. `catalogue` is what is stored then: the new one with `kept`, which the file leaves out and
    somebody once had. `made` is the price list that begins, in the place of an earlier one where it `replaces` one;
    None where the prices hold already. `refusals` say why it cannot be loaded. `seen` is the edition that it changes,
    `edition` the number of the new one, None where nothing was written. `currencies_without_prices`: of partner spaces,
    that have none even then."""

    catalogue: Catalogue
    made: PriceList | None
    replaces: bool
    kept: tuple[Item, ...]
    changes: tuple[CatalogueChange, ...]
    refusals: tuple[BillingError, ...]
    holdings: tuple[Holding, ...]
    currencies_without_prices: tuple[str, ...]
    seen: int
    edition: int | None = None

    @property
    def changes_anything(self) -> bool:
        """Whether it is not stored already."""
        return bool(self.changes) or self.made is not None

    def concerned(self, change: CatalogueChange) -> Holders:
        """How many hold what changes: with a price, in its currency and billing period; else in all of them."""
        return concerned(self.holdings, change, self.catalogue.currency)


@dataclass(frozen=True, slots=True)
class CatalogueOverview:
    """What is sold, what it costs now and from when on, and who has what. `in_force` is the price list of today, None
    before the first; `to_come` are those that have begun nowhere and can be withdrawn; `loaded` says of each list when
    and by whom. `holdings` are those of the reader's partner space, of an accountant's own clients. `why_not` says why
    the reader cannot change any of it; None: they can."""

    catalogue: Catalogue
    in_force: PriceList | None
    to_come: tuple[PriceList, ...]
    loaded: Mapping[int, Loaded]
    holdings: tuple[Holding, ...]
    why_not: BillingError | None

    def holders(self, item: Item) -> Holders:
        """How many have this plan or add-on, in any billing period."""
        return holders(self.holdings, item)

    def changes(self, made: PriceList) -> tuple[tuple[CatalogueChange, Holders], ...]:
        """What this list changes from the one before it: each price, and who has the item with that period."""
        currency = self.catalogue.currency
        return tuple(
            (change, concerned(self.holdings, change, currency)) for change in catalogue.repriced(self.catalogue, made)
        )


def concerned(holdings: tuple[Holding, ...], change: CatalogueChange, currency: str) -> Holders:
    """How many of these hold what changes: with a price, in this currency and its billing period; else in all."""
    if change.item is None:
        return Holders(0, 0)
    if change.billing_period is None:
        return holders(holdings, change.item)
    return holders(holdings, change.item, currency=currency, billing_period=change.billing_period)


def preview_catalogue(session: Session, offer: Catalogue, *, by: Member | None = None) -> CatalogueLoad:
    """What loading this catalogue would do now, by this member (None: at a shell). Raises NotAllowed, DemoKeepsSample,
    SharedCatalogue."""
    _refuse_who(session, by)
    today = catalogue.latest_today(session, offer.currency)
    stored = catalogue.stored(session, offer.currency)
    lists = () if stored is None else stored.price_lists
    plans, add_ons = ever_held(session)
    holdings = held_now(session)
    named, last = offer.plans.keys() | offer.add_ons.keys(), catalogue.last_number(session, offer.currency)
    made = catalogue.following(lists, offer.prices, today, named=named, last=last)
    complete = catalogue.completed(offer, stored, made, plans=plans, add_ons=add_ons)
    billed_in = set(session.scalars(select(Partner.currency)))
    return CatalogueLoad(
        catalogue=complete,
        made=made,
        replaces=made is not None and any(each.number == made.number for each in lists),
        kept=_absent(complete, offer),
        changes=catalogue.compared(stored, complete, made),
        refusals=(
            *_refused_days(lists, made, today),
            *_refusals(session, offer, complete, stored, holdings),
        ),
        holdings=holdings,
        currencies_without_prices=tuple(sorted(billed_in - catalogue.currencies(session) - {offer.currency})),
        seen=0 if stored is None else stored.edition,
    )


def catalogue_overview(session: Session, member: Member) -> CatalogueOverview:
    """The catalogue as this member sees it. Raises NotAllowed, NoCatalogue."""
    members.require(member, Permission.READ_DEFAULTS)
    currency = member.partner.currency
    stored = catalogue.stored(session, currency)
    if stored is None or not stored.price_lists:
        raise NoCatalogue(currency=currency)
    begun_until = catalogue.latest_today(session, currency)
    why_not: BillingError | None = None
    try:
        _refuse_who(session, member)
    except BillingError as refusal:
        why_not = refusal
    return CatalogueOverview(
        catalogue=stored,
        in_force=catalogue.in_force(stored.price_lists, catalogue.today(session, member.partner)),
        to_come=tuple(each for each in stored.price_lists if each.valid_from > begun_until),
        loaded=catalogue.loaded(session, member.partner),
        holdings=held_now(session, seen_by=member),
        why_not=why_not,
    )


def load_catalogue(
    session: Session, offer: Catalogue, *, by: Member | None = None, seen: int | None = None
) -> CatalogueLoad:
    """Make this the catalogue of every partner space, its prices from their day on; the same again changes nothing.

    Waits for the turn of every partner, so that nobody chooses meanwhile what is retired. `by`: an administrator, where
    theirs is the only partner space; None: somebody at a shell. `seen`: the edition that was looked at before.
    Raises NotAllowed, DemoKeepsSample, SharedCatalogue, StaleCatalogue, CatalogueRefused; nothing is written then.
    """
    allow_minutes(session)
    _begin(session, by)
    loaded = preview_catalogue(session, offer, by=by)
    if loaded.refusals or loaded.changes_anything:
        members.take_every_turn(session)
        loaded = preview_catalogue(session, offer, by=by)
    if seen is not None and loaded.seen != seen and loaded.changes_anything:
        raise StaleCatalogue
    if loaded.refusals:
        raise CatalogueRefused(loaded.refusals)
    if not loaded.changes_anything:
        return loaded
    edition = catalogue.store(session, loaded.catalogue, by=by)
    buy_again_what_waits(session, loaded.catalogue)
    members.note_in_every_space(session, ActivityKind.CATALOGUE_LOADED, by=by, number=edition)
    return replace(loaded, edition=edition)


def withdraw_price_list(
    session: Session, number: int, currency: str, *, by: Member | None = None, seen: PriceList | None = None
) -> PriceList:
    """Afterwards the price list that had not begun is gone, and what it would have changed does not change; no
    other list gets its number. The list. Who did it and when is kept with the activities.

    `seen`: the list that was looked at before. Raises NotAllowed, DemoKeepsSample, SharedCatalogue, NoSuchPriceList,
    PriceListHasBegun, StaleCatalogue; nothing is written then.
    """
    _begin(session, by)
    _refuse_who(session, by)
    members.take_every_turn(session)
    stored = catalogue.stored(session, currency)
    lists = () if stored is None else stored.price_lists
    found = next((each for each in lists if each.number == number), None)
    if stored is None or found is None:
        raise NoSuchPriceList(number, currency)
    if found.valid_from <= catalogue.latest_today(session, currency):
        raise PriceListHasBegun(found)
    if seen is not None and seen != found:
        raise StaleCatalogue
    others = tuple(each for each in lists if each is not found)
    kept = replace(stored, price_lists=others)
    edition = catalogue.store(session, kept, by=by)
    buy_again_what_waits(session, kept)
    members.note_in_every_space(session, ActivityKind.CATALOGUE_LOADED, by=by, number=edition)
    return found


def _begin(session: Session, by: Member | None) -> None:
    """Nobody else changes the catalogue until the transaction ends; and the member may change it."""
    if by is not None:
        members.require(by, Permission.MANAGE_CATALOGUE)
    catalogue.take_turn(session)
    if by is not None:
        members.act(session, by, Permission.MANAGE_CATALOGUE)


def _refuse_who(session: Session, by: Member | None) -> None:
    if by is not None:
        members.require(by, Permission.MANAGE_CATALOGUE)
    if members.is_demo(session):
        raise DemoKeepsSample
    if by is not None and (session.scalar(select(func.count()).select_from(Partner)) or 0) > 1:
        raise SharedCatalogue


def _refused_days(lists: tuple[PriceList, ...], made: PriceList | None, today: date) -> Iterator[BillingError]:
    if made is None:
        return
    is_first_ever = not lists and made.valid_from == FIRST_DAY
    if made.valid_from < today and not is_first_ever:
        yield BeginsInThePast(made.valid_from, today)
    if lists and made.number > lists[-1].number and made.valid_from < lists[-1].valid_from:
        yield BeginsBeforeTheNewest(made.valid_from, lists[-1])
    if made.renewals_from is not None and made.renewals_from < made.valid_from:
        yield RenewsBeforeItBegins(made)


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
