"""Every read of the core: what it is called, what it may take, and both ways to it."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from pandas.testing import assert_frame_equal

from core import defaults, reports, subscriptions
from core.reports import AttentionFilter, Figures, Order, PendingFilter, SourceFilter
from core.words import BillingPeriod, ClientStatus, Payer, search_words
from tests.bench import bare_reads, space
from tests.bench.bare_reads import AS_IT_IS, AS_IT_WAS, Shape, page_sql
from tests.bench.databases import Bench
from tests.bench.timing import Case, Limit, Operation

PAGE = Limit(ratio=3, times=1.3, growth=1.5)
FOUND = Limit(ratio=3, milliseconds=20)
WALK = Limit(ratio=1.5, times=1.3)
DISTRIBUTION = Limit(ratio=1.5, times=1.5, ratio_from=1_000_000)
NO_LIMIT = Limit()

_WORDS = "search_text LIKE :words"
_FIRST = space.PARTNER_ID << 32
_IN_INDEX = f"""client_id IN (SELECT rowid - {_FIRST} FROM client_search
    WHERE client_search MATCH :match AND rowid BETWEEN {_FIRST} AND {_FIRST + 2**32 - 1})"""
_THERE = "status <> 'archived'"
_RENEWED = datetime(2025, 12, 15, tzinfo=UTC)  # clients renewed at the new prices, others not yet
_ACTIVE_OR_REVOKED = f"(status = 'active' OR {bare_reads.REVOKED.format('t')})"
_OF_FIRST_SET = "set_number = 1 AND defaults_version = 1"
_RETIRED = "(SELECT set_number FROM default_set WHERE partner_id = :partner AND retired_at IS NOT NULL)"
_ON_RETIRED = f"{_THERE} AND set_number IN {_RETIRED}"
_OLDER = f"{_THERE} AND defaults_version < (SELECT max(version) FROM default_settings WHERE partner_id = :partner)"


def reads() -> list[Operation]:
    """Every read; a case is None where a partner space is too small for the question."""
    return [
        ("first page", PAGE, _listed()),
        ("page 1000, ten rows", PAGE, _listed(page=1000, page_size=10)),
        ("page 1000, fifty rows", PAGE, _listed(page=1000)),
        ("name, Z to A", PAGE, _listed(by_hand={"order": bare_reads.Z_TO_A}, order_by=Order.NAME_DESCENDING)),
        ("newest first", PAGE, _listed(by_hand={"order": bare_reads.NEWEST}, order_by=Order.NEWEST)),
        ("oldest first", PAGE, _listed(by_hand={"order": "client_id"}, order_by=Order.OLDEST)),
        ("price, lowest first", PAGE, partial(_by_price, Order.PRICE, 1)),
        ("price, highest first", PAGE, partial(_by_price, Order.PRICE_DESCENDING, 1)),
        ("price, page 100", PAGE, partial(_by_price, Order.PRICE, 100)),
        ("filter plan plus", PAGE, _equal(plan="plus")),
        ("filter yearly", PAGE, _equal(billing_period=BillingPeriod.YEARLY)),
        ("filter paid by client", PAGE, _equal(payer=Payer.CLIENT)),
        ("filter active", PAGE, _equal(status=ClientStatus.ACTIVE)),
        ("filter archived", PAGE, _equal(status=ClientStatus.ARCHIVED)),
        ("filter default only", PAGE, _source("overridden = ''", SourceFilter.DEFAULT)),
        ("filter with an override", PAGE, _source(f"overridden > '' AND {_THERE}", SourceFilter.OVERRIDE)),
        ("filter on older defaults", PAGE, _source(_OLDER, SourceFilter.OLDER)),
        ("filters plus, paid by client", PAGE, _equal(plan="plus", payer=Payer.CLIENT)),
        ("filter a rare plan", WALK, _equal(plan="starter")),
        ("filter a plan nobody has", WALK, _equal(plan="classic")),
        ("filter account manager", PAGE, _equal_as("responsible_id", responsible=7)),
        ("filter with a pending change", PAGE, _pending),
        ("filter a default set", PAGE, _as_it_is("set_number = 1", default_set=1)),
        ("filter a version of a set", PAGE, _as_it_is(_OF_FIRST_SET, default_set=1, version=1)),
        ("filter on a retired set", WALK, _as_it_is(_ON_RETIRED, source=SourceFilter.RETIRED_SET)),
        ("filter expired", PAGE, _listed(bare_reads.EXPIRED.format("t"), status="expired")),
        ("filter active and revoked", PAGE, _listed(_ACTIVE_OR_REVOKED, status="active,revoked")),
        ("filter needs attention", PAGE, _listed(bare_reads.ENDED.format("t"), attention=AttentionFilter.NEEDED)),
        ("search a common word", FOUND, partial(_searched, "garage", is_common=True)),
        ("search without a hit", FOUND, partial(_searched, "zzzz")),
        ("search a company number", FOUND, _a_company_number),
        ("search three words", FOUND, _three_words),
        ("distribution now", DISTRIBUTION, partial(_distribution, None)),
        ("distribution as of a day", DISTRIBUTION, partial(_distribution, space.START + space.YEAR * 0.6)),
        ("distribution, new prices", DISTRIBUTION, partial(_distribution, _RENEWED)),
        ("distribution of a future day", DISTRIBUTION, _distribution_to_come),
        ("figures", NO_LIMIT, _figures),
        ("figures of a search", NO_LIMIT, _figures_of_a_search),
        ("figures of a rare search", FOUND, _figures_of_a_rare_search),
        ("account managers", NO_LIMIT, _responsible_members),
        ("one client", NO_LIMIT, _one_client),
        ("defaults in force", NO_LIMIT, _defaults_in_force),
    ]  # fmt: skip


def _page(
    now: str,
    before: str | None,
    bench: Bench,
    *,
    page: int = 1,
    page_size: int = 50,
    values: dict[str, Any] | None = None,
    **asked: Any,
) -> Case | None:
    offset = (page - 1) * page_size
    if offset + page_size > bench.clients and page > 1:
        return None
    named = {"limit": page_size, "offset": offset} | (values or {})

    def ours() -> Any:
        with bench.database.reading(single=True) as session:
            return reports.billing_sources(session, bench.member, page=page, page_size=page_size, **asked)

    def bare(sql: str) -> Any:
        return bare_reads.page(bench.driver, bench.offer, sql, **named)

    return Case(ours, partial(bare, now), assert_frame_equal, None if before is None else partial(bare, before))


def _listed(*narrowed: str, by_hand: Mapping[str, str] | None = None, **asked: Any) -> Callable[[Bench], Case | None]:
    """A page of the list, with these conditions on the subscription by hand and what `page_sql` takes else."""
    now, before = (page_sql(" AND ".join(narrowed), shape=shape, **(by_hand or {})) for shape in (AS_IT_IS, AS_IT_WAS))
    return partial(_page, now, before, **asked)


def _equal(**filters: Any) -> Callable[[Bench], Case | None]:
    values = {column: str(value) for column, value in filters.items()}
    return _listed(*(f"{column} = :{column}" for column in filters), values=values, **filters)


def _equal_as(column: str, **filters: Any) -> Callable[[Bench], Case | None]:
    ((name, value),) = filters.items()
    return _listed(f"{column} = :{name}", values={name: value}, **filters)


def _pending(bench: Bench) -> Case | None:
    return _page(page_sql("valid_to IS NOT NULL"), None, bench, pending=PendingFilter.PENDING)


def _as_it_is(condition: str, **filters: Any) -> Callable[[Bench], Case | None]:
    """A page of what came with the default sets: there is nothing before to compare with."""
    return partial(_page, page_sql(condition), None, **filters)


def _responsible_members(bench: Bench) -> Case:
    def ours() -> Any:
        with bench.database.reading(single=True) as session:
            return subscriptions.responsible_members(session, bench.member)

    def same(found: Any, by_hand: list[tuple[Any, ...]]) -> None:
        assert sorted((each.member_id, each.name, each.has_clients) for each in found) == by_hand

    return Case(ours, lambda: bare_reads.responsible_members(bench.driver), same)


def _source(condition: str, source: SourceFilter) -> Callable[[Bench], Case | None]:
    return _listed(condition, source=source)


def _searched(words: str, bench: Bench, *, is_common: bool = False) -> Case | None:
    """By hand through the index where few match, and by a walk of the list where many do."""
    sql = page_sql(searched=_found_by_hand(bench, is_common))
    return _page(sql, None, bench, values=_in_words(words), search=words)


def _found_by_hand(bench: Bench, is_common: bool) -> str:
    return _IN_INDEX if bench.driver.is_sqlite and not is_common else _WORDS


def _in_words(words: str) -> dict[str, Any]:
    return {"words": f"%{words}%", "match": f'"{words}"'}


def _a_company_number(bench: Bench) -> Case | None:
    sql = "SELECT company_number FROM client WHERE partner_id = :partner AND client_id = 123"
    ((number,),) = bench.driver.rows(sql)
    return _searched(number, bench)


def _three_words(bench: Bench) -> Case | None:
    """Of one client, in another order."""
    ((name,),) = bench.driver.rows("SELECT name FROM client WHERE partner_id = :partner AND client_id = 77")
    *_, place, number = search_words(name)
    words = [number, "office77", place]
    by_hand = " AND ".join(f"search_text LIKE :word{place}" for place in range(3))
    values = {f"word{place}": f"%{word}%" for place, word in enumerate(words)}
    values["match"] = " AND ".join(f'"{word}"' for word in words)
    sql = page_sql(searched=_IN_INDEX if bench.driver.is_sqlite else by_hand)
    return _page(sql, None, bench, values=values, search=" ".join(words))


def _by_price(order_by: Order, page: int, bench: Bench) -> Case | None:
    """With the prices counted before, as the page remembers them."""
    if page * 50 > bench.clients:
        return None
    with bench.database.reading() as session:
        prices = reports.figures(session, bench.member).prices

    def ours() -> Any:
        with bench.database.reading(single=True) as session:
            asked = {"order_by": order_by, "page": page, "prices": prices}
            return reports.billing_sources(session, bench.member, **asked)

    def bare() -> Any:
        descending, offset = order_by is Order.PRICE_DESCENDING, (page - 1) * 50
        return bare_reads.page_by_price(
            bench.driver, bench.offer, prices, descending=descending, limit=50, offset=offset
        )

    return Case(ours, bare, assert_frame_equal)


def _distribution_to_come(bench: Bench) -> Case:
    return _distribution(datetime.now(UTC) + timedelta(days=20), bench)


def _distribution(as_of: datetime | None, bench: Bench) -> Case:
    def ours() -> Any:
        with bench.database.reading() as session:
            return reports.plan_distribution(session, bench.member, as_of=as_of)

    def bare(shape: Shape) -> Any:
        return bare_reads.plan_distribution(bench.driver, bench.offer, as_of, shape)

    return Case(ours, partial(bare, AS_IT_IS), assert_frame_equal, partial(bare, AS_IT_WAS))


def _figures(bench: Bench, searched: str = "", values: dict[str, Any] | None = None, **filters: Any) -> Case:
    def ours() -> Figures:
        with bench.database.reading() as session:
            return reports.figures(session, bench.member, **filters)

    def same(counted: Figures, by_hand: tuple[int, ...]) -> None:
        assert by_hand == (
            counted.clients,
            counted.paid_by_partner,
            counted.overridden,
            counted.on_older_defaults,
            counted.pending,
            counted.invited,
            counted.attention,
            counted.cents_per_year,
            counted.paid_by_partner_cents_per_year,
            counted.invited_cents_per_year,
        )

    def bare(shape: Shape) -> tuple[int, ...]:
        return bare_reads.figures(bench.driver, bench.offer, searched, shape, **(values or {}))

    return Case(ours, partial(bare, AS_IT_IS), same, partial(bare, AS_IT_WAS))


def _figures_of_a_search(bench: Bench) -> Case:
    return _figures(bench, _WORDS, {"words": "%garage%"}, search="garage")


def _figures_of_a_rare_search(bench: Bench) -> Case:
    return _figures(bench, _found_by_hand(bench, is_common=False), _in_words("0000123"), search="0000123")


def _one_client(bench: Bench) -> Case:
    client_id = bench.clients // 2

    def ours() -> subscriptions.ClientSubscription:
        with bench.database.reading() as session:
            return subscriptions.detail(session, bench.member, client_id)

    def same(shown: subscriptions.ClientSubscription, by_hand: bare_reads.OneClient) -> None:
        assert by_hand.who[:2] == (shown.client.name, shown.client.email)
        assert [row.revision for row in by_hand.history] == [revision.revision for revision in shown.history]

    return Case(ours, lambda: bare_reads.one_client(bench.driver, client_id), same)


def _defaults_in_force(bench: Bench) -> Case:
    def ours() -> Any:
        with bench.database.reading() as session:
            return defaults.current(session, bench.member)

    def same(in_force: Any, by_hand: tuple[Any, ...]) -> None:
        assert (by_hand[0], by_hand[3]) == (in_force.version, in_force.plan)

    return Case(ours, lambda: bare_reads.defaults_in_force(bench.driver), same)
