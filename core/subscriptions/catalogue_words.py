"""What loading a catalogue does, in sentences: for the shell and for the page alike."""

from collections.abc import Iterator

from core.catalogue import FIRST_DAY, CatalogueChange, ChangeKind, Item, Plan, PriceList
from core.subscriptions.catalogue_loading import CatalogueLoad
from core.subscriptions.held import Holders
from core.words import LANGUAGES, nt, t


def said(load: CatalogueLoad) -> Iterator[str]:
    """What the load does, change by change; the same words before and after, in the reader's language."""
    for change in load.changes:
        if change.kind is not ChangeKind.PRICED:
            yield from _change(load, change)
    if load.made is not None:
        yield from _made(load, load.made)
    elif load.changes:
        yield t("The prices are those of price list {number}, which stays.", number=str(load.catalogue.prices.number))
    if load.kept:
        kept = tuple(_named(item) for item in load.kept)
        yield t("Not in the file, and kept as retired because clients had it once: {items}", items=kept)
    if load.currencies_without_prices:
        missing = load.currencies_without_prices
        yield t(
            "Partner spaces that bill in {currencies} have no prices. Load a file for them too.", currencies=missing
        )
    if not load.changes_anything:
        yield t("Nothing changes: this is the catalogue that is stored.")


def _change(load: CatalogueLoad, change: CatalogueChange) -> Iterator[str]:
    item, holders = change.item, load.concerned(change)
    if item is None:
        if change.kind is ChangeKind.NO_SAMPLE:
            yield t("The catalogue is no sample data any more.")
        else:
            yield t("Plans or add-ons are listed in another order.")
        return
    name = _named(item)
    match change.kind:
        case ChangeKind.NEW:
            yield t("New plan: {item}", item=name) if isinstance(item, Plan) else t("New add-on: {item}", item=name)
        case ChangeKind.RETIRED:
            yield t("Retired: {item}", item=name)
            if holders:
                yield "  " + t("They keep it: {holders}", holders=holders)
            if holders.default_settings:
                yield "  " + t("Nobody can be invited with these default settings until new ones are saved without it.")
        case ChangeKind.BROUGHT_BACK:
            yield t("Can be chosen again: {item}", item=name)
        case ChangeKind.RENAMED:
            yield t(
                "Renamed in {language}: {item}, before: {before}",
                language=LANGUAGES[change.language],
                item=f"{change.after} ({item.code})",
                before=change.before,
            )
        case ChangeKind.OFFERED:
            yield t("Offered with {plan} from now on: {add_ons}", plan=name, add_ons=change.add_ons)
        case ChangeKind.NOT_OFFERED:
            yield t("Not offered with {plan} any more: {add_ons}", plan=name, add_ons=change.add_ons)
        case ChangeKind.REMOVED:
            yield t("Removed, because nobody ever had it: {item}", item=name)


def _made(load: CatalogueLoad, made: PriceList) -> Iterator[str]:
    """The price list: its days, and each price with how many pay it from when."""
    yield price_list_text(made)
    if load.replaces:
        yield "  " + t("It takes the place of the list {number} that has not begun.", number=str(made.number))
    prices = [change for change in load.changes if change.kind is ChangeKind.PRICED]
    for change in prices:
        yield "  " + price_text(change)
        if change.before is not None and change.after is not None:
            for line in whom_text(load.concerned(change), made):
                yield "    " + line
    if not prices:
        yield "  " + t("Every price is that of the list before.")


def price_list_text(price_list: PriceList) -> str:
    """Its number and its day."""
    number = str(price_list.number)
    if price_list.valid_from == FIRST_DAY:
        return t("Price list {number}, from the beginning", number=number)
    return t("Price list {number}, from {day}", number=number, day=price_list.valid_from)


def whom_text(holders: Holders, price_list: PriceList) -> Iterator[str]:
    """How many clients pay another price by this list, and from which day."""
    if holders.invited:
        yield nt(
            "{count} invited client, if it accepts on {day} or later",
            "{count} invited clients, if they accept on {day} or later",
            holders.invited,
            day=price_list.valid_from,
        )
    if not holders.active:
        return
    if price_list.renewals_from is None:
        yield nt(
            "{count} active client keeps its price until it takes another subscription or billing period",
            "{count} active clients keep their price until they take another subscription or billing period",
            holders.active,
        )
    else:
        yield nt(
            "{count} active client, from its first renewal on {day} or later",
            "{count} active clients, each from its first renewal on {day} or later",
            holders.active,
            day=price_list.renewals_from,
        )


def price_text(change: CatalogueChange) -> str:
    """Item, period, and the price after and before."""
    if change.item is None:
        return ""
    name, period, before, after = _named(change.item), change.billing_period, change.before, change.after
    if before is None:
        return t("Price: {item}, {period}, {after}", item=name, period=period, after=after)
    if after is None:
        return t("No price any more: {item}, {period}, before: {before}", item=name, period=period, before=before)
    return t("Price: {item}, {period}, {after}, before: {before}", item=name, period=period, after=after, before=before)


def _named(item: Item) -> str:
    return f"{item} ({item.code})"
