"""What tests stand on: both databases for real, and a small partner space with a member of every role."""

import gc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import copy
from sqlite3 import Connection as SQLiteConnection
from threading import Barrier
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import Engine, event, text

from core import catalogue, defaults, demo, invitations, members, subscriptions
from core.catalogue import SAMPLE, Catalogue
from core.defaults import DefaultSettings, EffectiveSettings
from core.invitations import InvitationDetail, NewClient
from core.members import Member, Partner
from core.storage import Database, Patience
from core.subscriptions import Client, ClientSubscription, ResponsibleSince, Revision
from core.words import BillingError, BillingPeriod, BillingSettings, Overrides, Payer, Role, speak
from tests import postgres, statements  # noqa: F401

ROOT = Path(__file__).parent.parent
LONGEST_WAIT = 120  # seconds, for what takes a moment: a busy machine fails no test
LONG = {"test_bench.py", "test_load.py"}
STANDARD = BillingSettings.starting_with(
    payer=Payer.CLIENT, billing_period=BillingPeriod.MONTHLY, plan="standard", add_ons=frozenset({"bank_feeds"})
)
PLUS = BillingSettings.starting_with(
    payer=Payer.PARTNER, billing_period=BillingPeriod.YEARLY, plan="plus", add_ons=frozenset({"payroll"})
)

settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


@event.listens_for(Engine, "connect")
def _without_waiting_for_the_disk(connection: Any, _record: Any) -> None:
    """A process that is killed loses nothing by it, and no test takes the machine's power away."""
    if isinstance(connection, SQLiteConnection):
        connection.execute("PRAGMA synchronous = OFF")


@dataclass
class Clock:
    """A clock that tests move."""

    moment: datetime = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment

    def forward(self, **duration: float) -> None:
        self.moment += timedelta(**duration)


@dataclass
class Space:
    """A partner space on a database, and the use cases each in a transaction of its own."""

    database: Database
    clock: Clock
    partner_id: int
    members: dict[Role, Member] = field(default_factory=dict)

    @property
    def administrator(self) -> Member:
        return self.members[Role.ADMINISTRATOR]

    @property
    def manager(self) -> Member:
        return self.members[Role.CLIENT_MANAGER]

    def save(self, settings: BillingSettings = STANDARD, *, note: str = "") -> DefaultSettings:
        """Save defaults over whatever is in force."""
        with self.database.transaction() as session:
            in_force = defaults.current(session, self.administrator)
            seen = None if in_force is None else in_force.version
            return defaults.save(session, self.administrator, settings, seen=seen, note=note)

    def invite(
        self,
        name: str = "Aubry & Fils",
        overrides: Overrides = Overrides(),
        responsible: Role | None = None,
        **who: str,
    ) -> Client:
        """Invite a client, by default with an e-mail made from its name; None: the client manager looks after it."""
        mailbox = "".join(c for c in name.lower() if c.isascii() and c.isalnum()) or "office"
        new_client = NewClient.from_typed(name=name, email=who.pop("email", f"{mailbox}@example.com"), **who)
        with self.database.transaction() as session:
            responsible_id = None if responsible is None else self.members[responsible].member_id
            return invitations.invite(session, self.manager, new_client, overrides, responsible_id=responsible_id)

    def give(self, client_id: int, role: Role, *, reason: str = "") -> ResponsibleSince:
        """Have the member of this role look after the client, whoever did until then."""
        with self.database.transaction() as session:
            seen = subscriptions.responsible_history(session, self.manager, client_id)[0].member_id
            responsible_id = self.members[role].member_id
            return subscriptions.change_responsible(
                session, self.manager, client_id, responsible_id, seen=seen, reason=reason
            )

    def looked_after(self, client_id: int) -> tuple[ResponsibleSince, ...]:
        with self.database.reading() as session:
            return subscriptions.responsible_history(session, self.manager, client_id)

    def override(self, client_id: int, overrides: Overrides, *, reason: str = "") -> ClientSubscription:
        """Override over whatever holds; the client as it is then."""
        seen = self.detail(client_id).seen
        with self.database.transaction() as session:
            subscriptions.override(session, self.manager, client_id, overrides, seen=seen, reason=reason)
        return self.detail(client_id)

    def adopt(self, *client_ids: int, clear_overrides: bool = False) -> subscriptions.Adoption:
        with self.database.transaction() as session:
            return subscriptions.adopt_current_defaults(
                session, self.manager, client_ids, clear_overrides=clear_overrides
            )

    def detail(self, client_id: int) -> ClientSubscription:
        with self.database.reading() as session:
            return subscriptions.detail(session, self.manager, client_id)

    def invitation(self, client_id: int) -> InvitationDetail:
        with self.database.reading() as session:
            return invitations.of_client(session, self.manager, client_id)

    def archive(self, client_id: int) -> None:
        """Archive a client at once."""
        seen = self.detail(client_id).seen
        with self.database.transaction() as session:
            subscriptions.archive(session, self.manager, client_id, seen=seen, at_once=True)

    def as_of(self, client_id: int, instant: datetime) -> Revision | None:
        """What held for the client at that instant (UTC), or None before it was invited."""
        return subscriptions.held_at(self.detail(client_id).history, instant)

    def facts(self, client_id: int) -> tuple[EffectiveSettings, tuple[Revision, ...]]:
        """What is told of a client, to compare before and after."""
        shown = self.detail(client_id)
        return shown.effective, shown.history

    def retire(self, *, plan: str = "", add_on: str = "") -> None:
        """Retire a plan or an add-on of the catalogue."""
        with self.database.transaction() as session:
            held = catalogue.stored(session, "EUR")
            plans = {code: replace(p, is_retired=p.is_retired or code == plan) for code, p in held.plans.items()}
            add_ons = {code: replace(a, is_retired=a.is_retired or code == add_on) for code, a in held.add_ons.items()}
            catalogue.store(session, replace(held, plans=plans, add_ons=add_ons))


def with_prices(of: Catalogue, **changed: Any) -> Catalogue:
    """The catalogue with another list in force: its prices, its days."""
    prices = replace(of.prices, **changed)
    lists = tuple(prices if each.number == prices.number else each for each in of.price_lists)
    return replace(of, prices=prices, price_lists=lists)


def at_once(space: Space, *actions: Callable[[Any], Any]) -> list[Any]:
    """Run each action in a transaction of its own thread, started together; its result or its refusal."""
    barrier = Barrier(len(actions))

    def run(action: Callable[[Any], Any]) -> Any:
        barrier.wait()
        try:
            with space.database.transaction() as session:
                return action(session)
        except BillingError as refusal:
            return type(refusal)

    with ThreadPoolExecutor(len(actions)) as pool:
        return list(pool.map(run, actions))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes a minute begins first: nobody is alone with it at the end."""
    items.sort(key=lambda item: item.path.name not in LONG)


def pytest_collection_finish() -> None:
    """What all tests share stays: collections of garbage need not look at it again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _english() -> None:
    """Every test begins in English."""
    speak("en")


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with the tables, to copy for each test."""
    path = tmp_path_factory.mktemp("template") / "migrated.sqlite3"
    database = Database(f"sqlite:///{path}")
    database.migrate()
    with database.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    return path


@pytest.fixture(scope="session")
def demo_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A demo space, to copy: of a firm with one default set, as most are (test_set_pages has both)."""
    path = tmp_path_factory.mktemp("demo") / "demo.sqlite3"
    database = Database(f"sqlite:///{path}")
    demo.open_demo(database, is_plain=True)
    with database.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    return path


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real PostgreSQL server of this test process's own, empty."""
    with postgres.serving(tmp_path_factory.mktemp("postgres"), LONGEST_WAIT) as server:
        yield server.url


@pytest.fixture(scope="module")
def breakable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[postgres.Postgres]:
    """Another one, to be stopped and frozen."""
    with postgres.serving(tmp_path_factory.mktemp("breakable"), LONGEST_WAIT) as server:
        yield server


@pytest.fixture(scope="session")
def migrated_postgres(postgres_url: str) -> Iterator[Database]:
    """The server's database with the tables; its rows are removed before each test that asks for it."""
    database = Database(postgres_url)
    database.migrate()
    yield database
    database.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


PATIENT = Patience(
    sign_of_life=LONGEST_WAIT, lock=LONGEST_WAIT, reading=LONGEST_WAIT, writing=LONGEST_WAIT
)  # a busy machine is no reason to fail


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Iterator[Database]:
    """An empty migrated database: the test runs once on each kind."""
    if request.param == "sqlite":
        path = tmp_path / "test.sqlite3"
        copy(request.getfixturevalue("migrated_file"), path)
        opened = Database(f"sqlite:///{path}", clock=clock, patience=PATIENT)
    else:
        migrated: Database = request.getfixturevalue("migrated_postgres")
        opened = Database(migrated.engine.url.render_as_string(hide_password=False), clock=clock, patience=PATIENT)
        postgres.empty(opened)
    yield opened
    opened.close()


@pytest.fixture
def make_space(database: Database, clock: Clock) -> Callable[..., Space]:
    """Partner spaces by number, with the sample catalogue and a member of every role."""

    def make(partner_id: int = 1, *, currency: str = "EUR") -> Space:
        with database.transaction() as session:
            name = f"Partner {partner_id}"
            session.add(Partner(partner_id=partner_id, name=name, currency=currency, time_zone="UTC"))
            session.flush()
            for member_id, role in enumerate(Role, 1):
                session.add(
                    Member(
                        partner_id=partner_id,
                        member_id=member_id,
                        name=f"The {role.label.lower()}",
                        role=role,
                        email=f"{role}@example.com",
                    )
                )
            session.flush()
            if session.scalar(text("SELECT count(*) FROM catalogue_edition")) == 0:
                catalogue.store(session, SAMPLE)
        with database.reading() as session:
            by_role = {member.role: member for member in members.of_partner(session, partner_id)}
        return Space(database, clock, partner_id, by_role)

    return make


@pytest.fixture
def space(make_space: Callable[..., Space]) -> Space:
    """A partner space with no defaults and no clients."""
    return make_space(1)
