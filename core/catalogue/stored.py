"""The catalogue as it is stored, whole: each change makes a new edition of it. Price lists stay, and others follow."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.orm import Session

from core.catalogue.price_lists import FIRST_DAY, PriceList, Prices, content_hash, in_force
from core.catalogue.rules import AddOn, Catalogue, Item, Plan
from core.catalogue.tables import (
    AddOnPriceRow,
    AddOnRow,
    CatalogueEdition,
    OfferRow,
    PlanPriceRow,
    PlanRow,
    PriceListNumber,
    PriceListRow,
)
from core.members import Member, Partner, Space
from core.storage import action_of, now, take_lock
from core.words import LANGUAGES, BillingPeriod, NoCatalogue

_EDITION = select(CatalogueEdition.edition)
_LOCK = 7_283_115  # any number that no other lock has

_Item = type[PlanRow | AddOnRow]
_Price = type[PlanPriceRow | AddOnPriceRow]


def current(session: Session, partner: Partner | Space, *, edition: int | None = None) -> Catalogue:
    """The edition that holds now, with the prices of the partner's currency on the partner's day; `edition`: its
    number, where it is known.

    A process reads an edition once. An action asks once which one holds. Raises NoCatalogue where none was loaded, or
    none with prices in this currency; NoPricesYet where they begin later.
    """
    action, name = action_of(session), f"catalogue in {partner.currency}"
    if edition is None:
        edition = action.memory.get("edition")
    if edition is None:
        edition = session.scalar(_EDITION)
    action.memory["edition"] = edition
    whole, by_list = action.process_memory.get(name, (None, {}))
    if edition is None or whole is None or whole.edition != edition:
        whole, by_list = stored(session, partner.currency), {}
        if whole is None or not whole.price_lists:
            raise NoCatalogue(currency=partner.currency)
        action.process_memory[name] = (whole, by_list)
    day = today(session, partner)
    number = whole.list_on(day).number
    if number not in by_list:
        by_list[number] = whole.on(day)
    found: Catalogue = by_list[number]
    return found


def today(session: Session, partner: Partner | Space) -> date:
    """The partner's calendar day at the moment of this action."""
    return now(session).astimezone(ZoneInfo(partner.time_zone)).date()


def latest_today(session: Session, currency: str) -> date:
    """The latest of the calendar days that it is now where partners bill in this currency: a price list that begins
    later has begun nowhere. In UTC where there are none."""
    zones = session.scalars(select(Partner.time_zone).where(Partner.currency == currency).distinct()).all()
    return max(now(session).astimezone(ZoneInfo(zone)).date() for zone in zones or ("UTC",))


def stored(session: Session, currency: str) -> Catalogue | None:
    """What is in the tables now, read anew, with the price lists of this currency and the prices of the newest; None
    where no catalogue was loaded."""
    edition = session.execute(select(CatalogueEdition.edition, CatalogueEdition.is_sample)).first()
    if edition is None:
        return None
    offers: dict[str, set[str]] = {}
    for plan, add_on in session.execute(select(OfferRow.plan, OfferRow.add_on)):
        offers.setdefault(plan, set()).add(add_on)
    price_lists = _price_lists(session, currency)
    return Catalogue(
        edition=edition.edition,
        is_sample=edition.is_sample,
        currency=currency,
        plans={
            code: Plan(code, names, is_retired, frozenset(offers.get(code, ())))
            for code, names, is_retired in _items(session, PlanRow)
        },
        add_ons={code: AddOn(code, names, is_retired) for code, names, is_retired in _items(session, AddOnRow)},
        prices=price_lists[-1] if price_lists else PriceList(0, currency, FIRST_DAY, None, {}, {}),
        price_lists=price_lists,
    )


def currencies(session: Session) -> frozenset[str]:
    """The currencies that there are price lists in."""
    return frozenset(session.scalars(select(PriceListRow.currency).distinct()))


def sold_in(session: Session, item: Item) -> frozenset[str]:
    """The currencies in which a stored plan or add-on has a price, by the list in force or by one to come."""
    found = set()
    for currency in currencies(session):
        price_lists = _price_lists(session, currency)
        now_so = in_force(price_lists, latest_today(session, currency))
        for each in price_lists:
            prices = each.plan_prices if isinstance(item, Plan) else each.add_on_prices
            if (now_so is None or each.number >= now_so.number) and any(code == item.code for code, _ in prices):
                found.add(currency)
    return frozenset(found)


@dataclass(frozen=True, slots=True)
class Loaded:
    """When a price list was loaded, and the name of the partner's member who did; None: somebody at a shell, or of
    another partner space."""

    at: datetime
    by: str | None


def last_number(session: Session, currency: str) -> int:
    """The highest number that a price list of this currency ever had, of those that were withdrawn too; 0: none."""
    return session.scalar(select(PriceListNumber.last).where(PriceListNumber.currency == currency)) or 0


def loaded(session: Session, partner: Partner) -> dict[int, Loaded]:
    """When and by whom each price list of the partner's currency was loaded, by number."""
    rows = session.execute(
        select(PriceListRow.number, PriceListRow.loaded_at, Member.name)
        .outerjoin(
            Member,
            (Member.partner_id == PriceListRow.loaded_by_partner_id)
            & (Member.member_id == PriceListRow.loaded_by_id)
            & (Member.partner_id == partner.partner_id),
        )
        .where(PriceListRow.currency == partner.currency)
    )
    return {number: Loaded(at, by) for number, at, by in rows}


def take_turn(session: Session) -> None:
    """Begin a change of the catalogue: until the transaction ends nobody else changes it."""
    take_lock(session, _LOCK)
    action_of(session).memory.pop("edition", None)


def store(session: Session, catalogue: Catalogue, *, by: Member | None = None) -> int:
    """Make this the edition that holds, with the price lists of its currency; those in other currencies stay. Its
    number. `by` loads the price lists that are new; None: somebody at a shell.

    Items that it does not have are removed. Everything that clients or versions hold or ever held has to be in it,
    retired or not; `core.subscriptions.load_catalogue` sees to that, and `python -m core check` says where it is not
    so. A price list that has begun stays as it is: ValueError otherwise.
    """
    edition = (session.scalar(_EDITION) or 0) + 1
    action_of(session).memory.pop("edition", None)
    session.execute(delete(CatalogueEdition))
    session.execute(delete(OfferRow))
    _put(session, PlanRow, catalogue.plans.values())
    _put(session, AddOnRow, catalogue.add_ons.values())
    offers = [{"plan": plan.code, "add_on": code} for plan in catalogue.plans.values() for code in plan.add_ons]
    _add(session, OfferRow, offers)
    _put_price_lists(session, catalogue, by)
    session.execute(insert(CatalogueEdition).values(edition=edition, is_sample=catalogue.is_sample))
    return edition


def altered(session: Session) -> Iterator[str]:
    """A sentence for each stored price list that is not what was loaded, or has a number that another one may get; none
    when all is well."""
    for currency in sorted(currencies(session)):
        hashes = dict(
            session.execute(
                select(PriceListRow.number, PriceListRow.content_hash).where(PriceListRow.currency == currency)
            ).all()
        )
        last = last_number(session, currency)
        for each in _price_lists(session, currency):
            if each.number > last:
                yield f"price list {each.number} in {currency}: the last number that was given is {last}"
            if hashes[each.number] not in (None, content_hash(each)):
                yield f"price list {each.number} in {currency}: its days or prices are not those that were loaded"


def _put_price_lists(session: Session, catalogue: Catalogue, by: Member | None) -> None:
    """Make these the price lists of the currency: those that differ are removed, which have not begun, and added."""
    currency, day = catalogue.currency, latest_today(session, catalogue.currency)
    before = {each.number: each for each in _price_lists(session, currency)}
    wanted = {each.number: each for each in catalogue.price_lists}
    for number, each in before.items():
        if wanted.get(number) == each:
            continue
        if each.valid_from <= day:
            raise ValueError(f"price list {number} in {currency} has begun and cannot be changed")
        for table in (PlanPriceRow, AddOnPriceRow, PriceListRow):
            session.execute(delete(table).where(table.currency == currency, table.number == number))
    for number, each in wanted.items():
        if before.get(number) != each:
            _add_price_list(session, each, by)
    _keep_last_number(session, currency, max(wanted, default=0))


def _keep_last_number(session: Session, currency: str, number: int) -> None:
    """Afterwards the highest number that a list of this currency ever had is known to be at least this."""
    last = last_number(session, currency)
    if number <= last:
        return
    if last:
        session.execute(update(PriceListNumber).where(PriceListNumber.currency == currency).values(last=number))
    else:
        session.execute(insert(PriceListNumber).values(currency=currency, last=number))


def _add_price_list(session: Session, price_list: PriceList, by: Member | None) -> None:
    key = {"currency": price_list.currency, "number": price_list.number}
    row = key | {
        "valid_from": price_list.valid_from,
        "renewals_from": price_list.renewals_from,
        "content_hash": content_hash(price_list),
        "loaded_at": now(session),
        "loaded_by_partner_id": None if by is None else by.partner_id,
        "loaded_by_id": None if by is None else by.member_id,
    }
    _add(session, PriceListRow, [row])
    prices: tuple[tuple[_Price, Prices], ...] = (
        (PlanPriceRow, price_list.plan_prices), (AddOnPriceRow, price_list.add_on_prices)
    )  # fmt: skip
    for table, cents in prices:
        _add(
            session,
            table,
            [
                key | {_key(table).name: code, "billing_period": period, "cents": amount}
                for (code, period), amount in cents.items()
            ],
        )


def _put(session: Session, table: _Item, items: Iterable[Item]) -> None:
    """Make these the rows of plans or add-ons, in this order."""
    key = _key(table)
    rows = {
        item.code: {
            "code": item.code,
            "position": position,
            "is_retired": item.is_retired,
            **{f"name_{language}": item.names.get(language) for language in LANGUAGES},
        }
        for position, item in enumerate(items)
    }
    known = set(session.scalars(select(key)))
    session.execute(delete(table).where(key.not_in(list(rows))))
    connection = session.connection()
    if changed := [row for code, row in rows.items() if code in known]:
        named: dict[Any, Any] = {name: bindparam(name) for name in changed[0] if name != "code"}
        connection.execute(update(table).where(key == bindparam("code")).values(named), changed)
    _add(session, table, [{key.name: row.pop("code"), **row} for code, row in rows.items() if code not in known])


def _add(session: Session, table: Any, rows: list[dict[str, Any]]) -> None:
    if rows:
        session.connection().execute(insert(table), rows)


def _key(table: _Item | _Price) -> Any:
    """The column of the plan's or the add-on's code."""
    return getattr(table, "plan" if issubclass(table, PlanRow | PlanPriceRow) else "add_on")


def _items(session: Session, table: _Item) -> list[tuple[str, dict[str, str], bool]]:
    """Code, names by language, and whether it is retired, in order."""
    rows = session.execute(
        select(_key(table), table.is_retired, *(getattr(table, f"name_{language}") for language in LANGUAGES)).order_by(
            table.position
        )
    )
    return [
        (code, {spoken: name for spoken, name in zip(LANGUAGES, names, strict=True) if name is not None}, is_retired)
        for code, is_retired, *names in rows
    ]


def _price_lists(session: Session, currency: str) -> tuple[PriceList, ...]:
    """Every list of this currency, ascending by number."""
    plans, add_ons = _prices(session, PlanPriceRow, currency), _prices(session, AddOnPriceRow, currency)
    rows = session.execute(
        select(PriceListRow.number, PriceListRow.valid_from, PriceListRow.renewals_from)
        .where(PriceListRow.currency == currency)
        .order_by(PriceListRow.number)
    )
    return tuple(
        PriceList(number, currency, valid_from, renewals_from, plans.get(number, {}), add_ons.get(number, {}))
        for number, valid_from, renewals_from in rows
    )


def _prices(session: Session, table: _Price, currency: str) -> dict[int, dict[tuple[str, BillingPeriod], int]]:
    """By number of the list, then by code and period."""
    rows = session.execute(
        select(table.number, _key(table), table.billing_period, table.cents)
        .where(table.currency == currency)
        .order_by(_key(table), table.billing_period)
    )
    found: dict[int, dict[tuple[str, BillingPeriod], int]] = {}
    for number, code, period, cents in rows:
        found.setdefault(number, {})[code, period] = cents
    return found
