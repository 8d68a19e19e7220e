"""A partner space of any size, written through the bare driver's fast path."""

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from itertools import islice
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from core import catalogue, defaults
from core.catalogue import SAMPLE, PriceList
from core.defaults import EffectiveSettings, resolve
from core.members import Member, Partner
from core.storage import Database, set_now, settings_as_text
from core.subscriptions import Rhythm, first_instant, local_date, searched_text
from core.words import BillingPeriod, BillingSettings, Overrides, Payer, Role, Setting, fold
from tests.bench import before

PARTNER_ID = 1
MEMBERS = 20  # the administrator and client managers, who look after as many clients each
TIME_ZONE = "Europe/Brussels"
START = datetime(2025, 1, 1, 9, tzinfo=UTC)
YEAR = timedelta(days=365)  # in which the clients are invited, one after the other
PENDING = 0.02  # of the clients
DEARER_FROM, RENEWALS_FROM = date(2025, 8, 15), date(2025, 10, 1)  # the second price list: a tenth more
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
_STARTER = Overrides(billing_period=BillingPeriod.MONTHLY, plan="starter", add_ons=frozenset())
_TRADES = ["Boulangerie", "Garage", "Menuiserie", "Pharmacie", "Brasserie", "Bakkerij", "Bouwbedrijf", "Joinery"]
_PLACES = ["Saint-Honoré", "de l'Étang", "du Château", "De Zwaluw", "Sint-Jan", "Northfield", "Greenway", "Riverside"]
_CLIENT = "partner_id, client_id, name, sort_name, email, company_number, contact_name, language, search_text"
SETTINGS = [setting.value for setting in Setting]
_SUBSCRIPTION = (
    "partner_id, client_id, sort_name, changed_by_id, origin, reason, responsible_id, revision, valid_from, valid_to, "
    "decided_at, may_hold, status, anchor_day, anchor_month, price_list, set_number, defaults_version, overridden, "
    f"{', '.join(SETTINGS)}"
)
_RESPONSIBLE = "partner_id, client_id, valid_from, member_id, changed_by_id, origin, reason"
_INVITATION = (
    "partner_id, client_id, number, invited_by_id, invited_at, expires_at, accepted_at, revoked_at, message, reason"
)
_TABLES = {"client": _CLIENT, "subscription": _SUBSCRIPTION, "responsible": _RESPONSIBLE, "invitation": _INVITATION}


def stored(settings: BillingSettings) -> tuple[str, ...]:
    """The settings as they are stored, in the order of their columns."""
    values = [setting.of(settings) for setting in Setting]
    return tuple(";".join(sorted(value)) if isinstance(value, frozenset) else str(value) for value in values)


def build(database: Database, clients: int) -> Member:
    """Afterwards the empty database holds one partner space of this many clients; returns its administrator."""
    database.migrate()
    with database.transaction() as session:
        set_now(session, START)
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
    before.build(database.engine)
    return administrator


def _partner(session: Session, clients: int) -> Member:
    partner = Partner(partner_id=PARTNER_ID, name="Bench", currency="EUR", time_zone=TIME_ZONE, last_client_id=clients)
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
    catalogue.store(session, replace(SAMPLE, price_lists=(SAMPLE.prices, _dearer())))
    return administrator


def _dearer() -> PriceList:
    first = SAMPLE.prices
    plans = {item: cents * 11 // 10 for item, cents in first.plan_prices.items()}
    add_ons = {item: cents * 11 // 10 for item, cents in first.add_on_prices.items()}
    return PriceList(2, first.currency, DEARER_FROM, RENEWALS_FROM, plans, add_ons)


class _Held(NamedTuple):
    """What a revision says, in the order of its columns, the settings last."""

    revision: int
    valid_from: datetime
    valid_to: datetime | None
    decided_at: datetime
    may_hold: bool
    status: str
    rhythm: Rhythm | None
    price_list: int | None
    effective: EffectiveSettings

    def columns(self, instant: Any) -> tuple[Any, ...]:
        rhythm, effective = self.rhythm, self.effective
        return (
            self.revision,
            instant(self.valid_from),
            instant(self.valid_to),
            instant(self.decided_at),
            self.may_hold,
            self.status,
            None if rhythm is None else rhythm.anchor_day,
            None if rhythm is None else rhythm.anchor_month,
            self.price_list,
            effective.set_number,
            effective.defaults_version,
            settings_as_text(effective.overridden),
            *stored(effective.settings),
        )


def _rows(clients: int, instant: Any) -> Iterator[tuple[list[tuple[Any, ...]], ...]]:
    chance, now = random.Random(7), datetime.now(UTC).replace(microsecond=0)
    for client_id in range(1, clients + 1):
        name = f"{chance.choice(_TRADES)} {chance.choice(_PLACES)} {chance.randrange(clients * 3):07}"
        version, invited = 1 + client_id * 3 // (clients + 1), START + YEAR * client_id // (clients + 1)
        invited, responsible_id = invited.replace(microsecond=0), 1 + client_id % MEMBERS
        same = (PARTNER_ID, client_id, fold(name), 1, "page", "", responsible_id)
        number = f"{client_id % 20_000_000:08}"
        who = {"name": name, "email": f"office{client_id}@example.com", "company_number": number + "00"}
        client = (PARTNER_ID, client_id, name, fold(name), who["email"], number + "00", "", "en", searched_text(who))
        lived = _life(chance, version, invited, now)
        is_invited = lived[0].status == "invited"
        invitation = (
            PARTNER_ID,
            client_id,
            1,
            1,
            instant(invited),
            instant(invited + timedelta(days=30)),
            None if is_invited else instant(invited),
            instant(invited) if is_invited and client_id % 10 == 0 else None,
            "",
            "",
        )
        responsible = (PARTNER_ID, client_id, instant(invited), responsible_id, 1, "page", "")
        life = [(*same, *held.columns(instant)) for held in lived]
        yield [client], life, [responsible], [invitation]


def _life(chance: random.Random, version: int, invited: datetime, now: datetime) -> list[_Held]:
    """What a client held and holds since it was invited, and what waits."""
    exceptions = [
        Overrides(payer=Payer.CLIENT),
        Overrides(billing_period=BillingPeriod.YEARLY),
        Overrides(plan="plus"),
        Overrides(plan="premium", add_ons=frozenset({"payroll"})),
        Overrides(add_ons=frozenset()),
    ]
    resolved = partial(resolve, VERSIONS[version - 1], version=version)
    overrides = chance.choice(exceptions) if chance.random() < 0.22 else Overrides()
    if chance.random() < 0.004:
        overrides = _STARTER
    status = chance.choices(["active", "invited", "archived"], [90, 8, 2])[0]
    revised = chance.random() < 0.2
    life = [_first(status, invited, resolved(Overrides() if revised else overrides))]
    if revised:
        again = invited + timedelta(days=1)
        life = [
            life[0]._replace(valid_to=again, may_hold=False),
            _next(life[0], resolved(overrides), again, local_date(again, TIME_ZONE)),
        ]
    if (held := life[-1]).rhythm is None or chance.random() >= PENDING / 0.9:
        return life
    renewal = held.rhythm.period(local_date(now, TIME_ZONE)).renewal
    begins, kind = first_instant(renewal, TIME_ZONE), chance.random()
    if kind < 0.2:
        later = held._replace(revision=held.revision + 1, valid_from=begins, status="archived", rhythm=None)
        later = later._replace(price_list=None)
    else:
        is_yearly = held.rhythm.anchor_month is not None
        flipped = Overrides(billing_period=BillingPeriod.MONTHLY if is_yearly else BillingPeriod.YEARLY)
        later = _next(held, resolved(_STARTER if kind < 0.5 else flipped), begins, renewal)
    return [*life[:-1], held._replace(valid_to=begins), later._replace(decided_at=now)]


def _first(status: str, invited: datetime, effective: EffectiveSettings) -> _Held:
    day, rhythm = local_date(invited, TIME_ZONE), None
    if status == "active":
        is_yearly = effective.settings.billing_period is BillingPeriod.YEARLY
        rhythm = Rhythm(day.day, day.month if is_yearly else None)
    price_list = None if rhythm is None else _list_on(day)
    return _Held(1, invited, None, invited, True, status, rhythm, price_list, effective)


def _next(held: _Held, effective: EffectiveSettings, begins: datetime, day: date) -> _Held:
    """The next revision, with these settings from an instant of that day on."""
    then = held._replace(
        revision=held.revision + 1, valid_from=begins, valid_to=None, decided_at=begins, effective=effective
    )
    if held.rhythm is None:
        return then
    was, settings = held.effective.settings, effective.settings
    bought = (was.plan, was.billing_period) != (settings.plan, settings.billing_period)
    rhythm = held.rhythm.with_period(settings.billing_period, day)
    return then._replace(rhythm=rhythm, price_list=_list_on(day) if bought else held.price_list)


def _list_on(day: date) -> int:
    return 2 if day >= DEARER_FROM else 1


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
