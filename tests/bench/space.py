"""A partner space of any size, written through the bare driver's fast path."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from sqlalchemy.orm import Session

from core import catalogue, defaults
from core.catalogue import SAMPLE
from core.defaults import resolve
from core.members import Member, Partner
from core.storage import Database, settings_as_text
from core.words import BillingPeriod, BillingSettings, Overrides, Payer, Role, Setting, fold

PARTNER_ID = 1
MEMBERS = 20  # the administrator and client managers, who look after as many clients each
START = datetime(2025, 1, 1, 9, tzinfo=UTC)
VERSIONS = [
    BillingSettings.starting_with(
        payer=Payer.CLIENT, billing_period=BillingPeriod.MONTHLY, plan="standard", add_ons=frozenset({"bank_feeds"})
    ),
    BillingSettings.starting_with(
        payer=Payer.PARTNER, billing_period=BillingPeriod.MONTHLY, plan="standard", add_ons=frozenset({"bank_feeds"})
    ),
    BillingSettings.starting_with(
        payer=Payer.PARTNER,
        billing_period=BillingPeriod.YEARLY,
        plan="plus",
        add_ons=frozenset({"bank_feeds", "e_invoicing"}),
    ),
]
_TRADES = ["Boulangerie", "Garage", "Menuiserie", "Pharmacie", "Brasserie", "Bakkerij", "Bouwbedrijf", "Joinery"]
_PLACES = ["Saint-Honoré", "de l'Étang", "du Château", "De Zwaluw", "Sint-Jan", "Northfield", "Greenway", "Riverside"]
_CLIENT = "partner_id, client_id, name, sort_name, email, company_number, contact_name, language"
SETTINGS = [setting.value for setting in Setting]
_SUBSCRIPTION = (
    "partner_id, client_id, revision, valid_from, valid_to, status, sort_name, overridden, defaults_version, "
    f"changed_by_id, origin, reason, {', '.join(SETTINGS)}, responsible_id"
)
_RESPONSIBLE = "partner_id, client_id, valid_from, member_id, changed_by_id, origin, reason"
_INVITATION = "partner_id, client_id, number, invited_by_id, invited_at, expires_at, accepted_at, message, reason"
_TABLES = {"client": _CLIENT, "subscription": _SUBSCRIPTION, "responsible": _RESPONSIBLE, "invitation": _INVITATION}


def stored(settings: BillingSettings) -> tuple[str, ...]:
    """The settings as they are stored, in the order of their columns."""
    values = [setting.of(settings) for setting in Setting]
    return tuple(";".join(sorted(value)) if isinstance(value, frozenset) else str(value) for value in values)


def build(database: Database, clients: int) -> Member:
    """Afterwards the empty database holds one partner space of this many clients; returns its administrator."""
    database.migrate()
    with database.transaction() as session:
        session.info["now"] = START
        administrator = _partner(session, clients)
        for seen, settings in enumerate(VERSIONS):
            defaults.save(session, administrator, settings, seen=seen or None)
    connection = database.engine.raw_connection()
    try:
        driver: Any = connection.driver_connection
        if database.engine.dialect.name == "postgresql":
            _copy(driver, clients)
        else:
            _insert(driver, clients)
    finally:
        connection.close()
    return administrator


def _partner(session: Session, clients: int) -> Member:
    partner = Partner(
        partner_id=PARTNER_ID, name="Bench", currency="EUR", time_zone="Europe/Brussels", last_client_id=clients
    )
    administrator = Member(
        partner_id=PARTNER_ID,
        member_id=1,
        name="Administrator",
        email="admin@example.com",
        role=Role.ADMINISTRATOR,
        client_access=True,
        is_active=True,
        partner=partner,
    )
    managers = [
        Member(
            partner_id=PARTNER_ID,
            member_id=number,
            name=f"Manager {number}",
            email=f"manager{number}@example.com",
            role=Role.CLIENT_MANAGER,
            client_access=True,
            is_active=True,
            partner=partner,
        )
        for number in range(2, MEMBERS + 1)
    ]
    session.add_all([partner, administrator, *managers])
    session.flush()
    catalogue.store(session, SAMPLE)
    return administrator


def _rows(clients: int, instant: Any) -> Iterator[tuple[list[tuple[Any, ...]], ...]]:
    chance = random.Random(7)
    exceptions = [
        Overrides(payer=Payer.CLIENT),
        Overrides(billing_period=BillingPeriod.YEARLY),
        Overrides(plan="plus"),
        Overrides(plan="premium", add_ons=frozenset({"payroll"})),
        Overrides(add_ons=frozenset()),
    ]
    for client_id in range(1, clients + 1):
        name = f"{chance.choice(_TRADES)} {chance.choice(_PLACES)} {chance.randrange(clients * 3):07}"
        sort_name = fold(name)
        version = 1 + client_id * 3 // (clients + 1)
        invited = START + timedelta(seconds=client_id)
        overrides = chance.choice(exceptions) if chance.random() < 0.22 else Overrides()
        if chance.random() < 0.004:
            overrides = Overrides(billing_period=BillingPeriod.MONTHLY, plan="starter", add_ons=frozenset())
        status = chance.choices(["active", "invited", "archived"], [90, 8, 2])[0]
        revised = chance.random() < 0.2
        held = [(Overrides(), invited, invited + timedelta(days=1)), (overrides, invited + timedelta(days=1), None)]
        subscriptions, responsible_id = [], 1 + client_id % MEMBERS
        for revision, (chosen, start, end) in enumerate(held if revised else [(overrides, invited, None)], 1):
            effective = resolve(VERSIONS[version - 1], chosen, version=version)
            subscriptions.append(
                (
                    PARTNER_ID,
                    client_id,
                    revision,
                    instant(start),
                    instant(end),
                    status,
                    sort_name,
                    settings_as_text(effective.overridden),
                    version,
                    1,
                    "page",
                    "",
                    *stored(effective.settings),
                    responsible_id,
                )
            )
        number = f"{client_id % 20_000_000:08}"
        client = (PARTNER_ID, client_id, name, sort_name, f"office{client_id}@example.com", number + "00", "", "en")
        invitation = (
            PARTNER_ID,
            client_id,
            1,
            1,
            instant(invited),
            instant(invited + timedelta(days=30)),
            instant(invited),
            "",
            "",
        )
        responsible = (PARTNER_ID, client_id, instant(invited), responsible_id, 1, "page", "")
        yield [client], subscriptions, [responsible], [invitation]


def _batches(clients: int, instant: Any) -> Iterator[tuple[list[tuple[Any, ...]], ...]]:
    rows = _rows(clients, instant)
    while batch := list(islice(rows, 20_000)):
        yield tuple([row for rows in table for row in rows] for table in zip(*batch, strict=True))


def _insert(driver: Any, clients: int) -> None:
    def microseconds(moment: datetime | None) -> int | None:
        return None if moment is None else round(moment.timestamp()) * 1_000_000

    driver.execute("PRAGMA synchronous = OFF")
    driver.execute("PRAGMA cache_size = -1000000")
    driver.execute("BEGIN")
    for batch in _batches(clients, microseconds):
        for (table, columns), rows in zip(_TABLES.items(), batch, strict=True):
            marks = ", ".join("?" * len(rows[0]))
            driver.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", rows)
    driver.execute("COMMIT")
    driver.execute("PRAGMA synchronous = FULL")
    driver.execute("PRAGMA cache_size = -8000")
    driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _copy(driver: Any, clients: int) -> None:
    for batch in _batches(clients, lambda moment: moment):
        for (table, columns), rows in zip(_TABLES.items(), batch, strict=True):
            with driver.cursor().copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
    driver.commit()
    driver.autocommit = True
    driver.execute("VACUUM ANALYZE")
    driver.autocommit = False
