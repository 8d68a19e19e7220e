"""The catalogue as it is stored, whole: each change makes a new edition of it."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.orm import Session

from core.catalogue.rules import AddOn, Catalogue, Item, Plan
from core.catalogue.tables import AddOnPriceRow, AddOnRow, CatalogueEdition, OfferRow, PlanPriceRow, PlanRow
from core.storage import action_of, take_lock
from core.words import LANGUAGES, NoCatalogue

_EDITION = select(CatalogueEdition.edition)
_LOCK = 7_283_115  # any number that no other lock has

_Item = type[PlanRow | AddOnRow]
_Price = type[PlanPriceRow | AddOnPriceRow]


def current(session: Session, currency: str, *, edition: int | None = None) -> Catalogue:
    """The edition that holds now, with the prices of this currency; `edition`: its number, where it is known.

    A process reads an edition once. An action asks once which one holds. Raises NoCatalogue where none was loaded, or
    none with prices in this currency.
    """
    action, name = action_of(session), f"catalogue in {currency}"
    if edition is None:
        edition = action.memory.get("edition")
    if edition is None:
        edition = session.scalar(_EDITION)
    action.memory["edition"] = edition
    remembered: Catalogue | None = action.process_memory.get(name)
    if edition is None or remembered is None or remembered.edition != edition:
        remembered = stored(session, currency)
        if remembered is None or not (remembered.plan_prices or remembered.add_on_prices):
            raise NoCatalogue(currency=currency)
        action.process_memory[name] = remembered
    return remembered


def stored(session: Session, currency: str) -> Catalogue | None:
    """What is in the tables now, read anew, with the prices of this currency; None where no catalogue was loaded."""
    edition = session.execute(select(CatalogueEdition.edition, CatalogueEdition.is_sample)).first()
    if edition is None:
        return None
    offers: dict[str, set[str]] = {}
    for plan, add_on in session.execute(select(OfferRow.plan, OfferRow.add_on)):
        offers.setdefault(plan, set()).add(add_on)
    return Catalogue(
        edition=edition.edition,
        is_sample=edition.is_sample,
        currency=currency,
        plans={
            code: Plan(code, names, is_retired, frozenset(offers.get(code, ())))
            for code, names, is_retired in _items(session, PlanRow)
        },
        add_ons={code: AddOn(code, names, is_retired) for code, names, is_retired in _items(session, AddOnRow)},
        plan_prices=_prices(session, PlanPriceRow, currency),
        add_on_prices=_prices(session, AddOnPriceRow, currency),
    )


def currencies(session: Session) -> frozenset[str]:
    """The currencies that there are prices in."""
    plans, add_ons = select(PlanPriceRow.currency), select(AddOnPriceRow.currency)
    return frozenset(session.scalars(plans.union(add_ons)))


def sold_in(session: Session, item: Item) -> frozenset[str]:
    """The currencies in which a stored plan or add-on has a price."""
    table: _Price = PlanPriceRow if isinstance(item, Plan) else AddOnPriceRow
    return frozenset(session.scalars(select(table.currency).where(_key(table) == item.code)))


def take_turn(session: Session) -> None:
    """Begin a change of the catalogue: until the transaction ends nobody else changes it."""
    take_lock(session, _LOCK)
    action_of(session).memory.pop("edition", None)


def store(session: Session, catalogue: Catalogue) -> int:
    """Make this the edition that holds, with its prices in its currency; those in other currencies stay. Its number.

    What it does not have is removed. Everything that clients or versions hold or ever held has to be in it, retired or
    not; `core.subscriptions.load_catalogue` sees to that, and `python -m core check` says where it is not so.
    """
    edition = (session.scalar(_EDITION) or 0) + 1
    action_of(session).memory.pop("edition", None)
    session.execute(delete(CatalogueEdition))
    session.execute(delete(OfferRow))
    for table, prices, items, cents in (
        (PlanRow, PlanPriceRow, catalogue.plans, catalogue.plan_prices),
        (AddOnRow, AddOnPriceRow, catalogue.add_ons, catalogue.add_on_prices),
    ):
        session.execute(
            delete(prices).where((prices.currency == catalogue.currency) | _key(prices).not_in(list(items)))
        )
        _put(session, table, items.values())
        name = _key(prices).name
        _add(
            session,
            prices,
            [
                {name: code, "billing_period": period, "currency": catalogue.currency, "cents": amount}
                for (code, period), amount in cents.items()
            ],
        )
    offers = [{"plan": plan.code, "add_on": code} for plan in catalogue.plans.values() for code in plan.add_ons]
    _add(session, OfferRow, offers)
    session.execute(insert(CatalogueEdition).values(edition=edition, is_sample=catalogue.is_sample))
    return edition


def _put(session: Session, table: _Item, items: Iterable[Item]) -> None:
    """Make these the rows of plans or add-ons, in this order."""
    key = _key(table)
    rows = {
        item.code: {
            "code": item.code,
            "position": position,
            "is_retired": item.is_retired,
            **{f"name_{language}": item.names[language] for language in LANGUAGES},
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
    return [(code, dict(zip(LANGUAGES, names, strict=True)), is_retired) for code, is_retired, *names in rows]


def _prices(session: Session, table: _Price, currency: str) -> dict[tuple[str, Any], int]:
    rows = session.execute(
        select(_key(table), table.billing_period, table.cents)
        .where(table.currency == currency)
        .order_by(_key(table), table.billing_period)
    )
    return {(code, period): cents for code, period, cents in rows}
