"""The catalogue as it is stored, whole: each change makes a new edition of it."""

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from core.catalogue.rules import AddOn, Catalogue, Item, Plan
from core.catalogue.tables import AddOnPriceRow, AddOnRow, CatalogueEdition, OfferRow, PlanPriceRow, PlanRow
from core.storage import action_of

_EDITION = select(CatalogueEdition.edition)


def current(session: Session, currency: str, *, edition: int | None = None) -> Catalogue:
    """The edition that holds now, with the prices of this currency; `edition`: its number, where it is known.

    A process reads an edition once. An action asks once which one holds.
    """
    action, name = action_of(session), f"catalogue in {currency}"
    if edition is None:
        edition = action.memory.get("edition")
    if edition is None:
        edition = session.scalar(_EDITION)
    action.memory["edition"] = edition
    remembered: Catalogue | None = action.process_memory.get(name)
    if remembered is None or remembered.edition != edition:
        remembered = action.process_memory[name] = _read(session, currency)
    return remembered


def currencies(session: Session) -> frozenset[str]:
    """The currencies in which there are prices; none where no catalogue was loaded."""
    if session.scalar(_EDITION) is None:
        return frozenset()
    return frozenset(session.scalars(select(PlanPriceRow.currency).distinct()))


def store(session: Session, catalogue: Catalogue) -> None:
    """Make this the edition that holds, with its prices in its currency.

    What clients and versions hold must stay in it, retired or not; `python -m core check` says where it does not.
    """
    stored = session.scalar(_EDITION)
    action_of(session).memory.pop("edition", None)
    session.execute(delete(OfferRow))
    session.execute(delete(CatalogueEdition))
    for prices in (PlanPriceRow, AddOnPriceRow):
        session.execute(delete(prices).where(prices.currency == catalogue.currency))
    known = {
        PlanRow: set(session.scalars(select(PlanRow.plan))),
        AddOnRow: set(session.scalars(select(AddOnRow.add_on))),
    }
    for position, plan in enumerate(catalogue.plans.values()):
        _put(session, PlanRow, {"plan": plan.code}, plan, position, known=plan.code in known[PlanRow])
    for position, add_on in enumerate(catalogue.add_ons.values()):
        _put(session, AddOnRow, {"add_on": add_on.code}, add_on, position, known=add_on.code in known[AddOnRow])
    offers = [{"plan": plan.code, "add_on": code} for plan in catalogue.plans.values() for code in plan.add_ons]
    plan_prices = [
        {"plan": code, "billing_period": period, "currency": catalogue.currency, "cents": cents}
        for (code, period), cents in catalogue.plan_prices.items()
    ]
    add_on_prices = [
        {"add_on": code, "billing_period": period, "currency": catalogue.currency, "cents": cents}
        for (code, period), cents in catalogue.add_on_prices.items()
    ]
    for table, rows in ((OfferRow, offers), (PlanPriceRow, plan_prices), (AddOnPriceRow, add_on_prices)):
        if rows:
            session.execute(insert(table), rows)
    session.execute(insert(CatalogueEdition).values(edition=(stored or 0) + 1, is_sample=catalogue.is_sample))


def _put(
    session: Session, table: type[PlanRow | AddOnRow], key: dict[str, str], item: Item, position: int, *, known: bool
) -> None:
    values = {
        "position": position, "name_en": item.names["en"], "name_fr": item.names["fr"], "is_retired": item.is_retired
    }  # fmt: skip
    row = session.get_one(table, key) if known else table(**key)
    for name, value in values.items():
        setattr(row, name, value)
    session.add(row)
    session.flush()


def _read(session: Session, currency: str) -> Catalogue:
    edition = session.scalars(select(CatalogueEdition)).one()
    offers: dict[str, set[str]] = {}
    for offer in session.scalars(select(OfferRow)):
        offers.setdefault(offer.plan, set()).add(offer.add_on)
    return Catalogue(
        edition=edition.edition,
        is_sample=edition.is_sample,
        currency=currency,
        plans={
            row.plan: Plan(row.plan, _names(row), row.is_retired, frozenset(offers.get(row.plan, ())))
            for row in session.scalars(select(PlanRow).order_by(PlanRow.position))
        },
        add_ons={
            row.add_on: AddOn(row.add_on, _names(row), row.is_retired)
            for row in session.scalars(select(AddOnRow).order_by(AddOnRow.position))
        },
        plan_prices={
            (row.plan, row.billing_period): row.cents
            for row in session.scalars(select(PlanPriceRow).where(PlanPriceRow.currency == currency))
        },
        add_on_prices={
            (row.add_on, row.billing_period): row.cents
            for row in session.scalars(select(AddOnPriceRow).where(AddOnPriceRow.currency == currency))
        },
    )


def _names(row: PlanRow | AddOnRow) -> dict[str, str]:
    return {"en": row.name_en, "fr": row.name_fr}
