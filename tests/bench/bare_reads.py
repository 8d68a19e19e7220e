"""What the core reads, made by hand: one statement each, and the same frame from its rows."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from core.reports import BILLING_SOURCES, DISTRIBUTION
from core.subscriptions import INDEXED_SETTINGS
from core.words import LISTED_SETTINGS
from tests.bench import before
from tests.bench.bare import Driver, Offer, local_day, period_of
from tests.bench.space import SETTINGS


@dataclass(frozen=True, slots=True)
class Shape:
    """A way in which the subscriptions are kept: the table, the conditions (on an alias) on what holds `:now`, and at
    any other instant, and what a price depends on beside the settings."""

    table: str
    now: str
    then: str
    priced_by: tuple[str, ...]
    pending: str


_THEN = "{0}.valid_from <= :now AND ({0}.valid_to IS NULL OR {0}.valid_to > :now)"
AS_IT_IS = Shape(
    "subscription", f"{{0}}.may_hold = 1 AND {_THEN}", _THEN, ("price_list", "anchor_day", "anchor_month"), "s.valid_to"
)
AS_IT_WAS = Shape(before.TABLE, "{0}.valid_to IS NULL", _THEN, (), "NULL")

_DTYPES = {name: pd.array([], dtype=dtype).dtype for name, dtype in BILLING_SOURCES.items()}
ENDED = """{0}.status = 'invited' AND EXISTS (SELECT 1 FROM invitation i WHERE i.partner_id = :partner
    AND i.client_id = {0}.client_id AND (i.revoked_at IS NOT NULL OR i.expires_at <= :now) AND i.number =
    (SELECT max(number) FROM invitation n WHERE n.partner_id = :partner AND n.client_id = {0}.client_id))"""
_LAPSED = "(i.revoked_at IS NOT NULL OR i.expires_at <= :now)"
EXPIRED = ENDED.replace(_LAPSED, "i.revoked_at IS NULL AND i.expires_at <= :now")
REVOKED = ENDED.replace(_LAPSED, "i.revoked_at IS NOT NULL")
_THEN_NEWEST = ("n.client_id = {0}.client_id)", "n.client_id = {0}.client_id AND n.invited_at <= :now)")
_REVOKED_THEN = "(i.revoked_at IS NOT NULL AND i.revoked_at <= :now)"
REVOKED_THEN = ENDED.replace(_LAPSED, _REVOKED_THEN).replace(*_THEN_NEWEST)
EXPIRED_THEN = ENDED.replace(_LAPSED, f"i.expires_at <= :now AND NOT {_REVOKED_THEN}").replace(*_THEN_NEWEST)
_KIND = (
    "plan || '|' || billing_period || '|' || add_ons || '|' || status || '|' || coalesce(cast(price_list AS text), '')"
)
_KIND_BY_ANCHOR = (
    f"{_KIND} || '|' || coalesce(cast(anchor_day AS text), '') || '|' || coalesce(cast(anchor_month AS text), '')"
)
_GATHERED = 5000  # clients of a price that are sorted, and not met in a walk
_NAME = "sort_name, client_id"
NEWEST, Z_TO_A = "client_id DESC", "sort_name DESC, client_id DESC"
_INDEXED = [setting.value for setting in INDEXED_SETTINGS]  # the plan and the period first
_LISTED = [setting.value for setting in LISTED_SETTINGS]  # the plan, the add-ons and the period first
_GROUPED = [*_INDEXED, "add_ons", "overridden", "status"]
_PAYER = _INDEXED.index("payer")
_DEFAULTS = ", ".join(
    ["{0}.version", *(f"{{0}}.{setting}" for setting in SETTINGS), "{0}.saved_at", "{0}.note", "{0}_by.name"]
)
_WHO = f"""
    SELECT c.name, c.email, c.company_number, c.contact_name, c.language, i.number, i.invited_by_id, i.invited_at,
           i.expires_at, i.accepted_at, i.revoked_at, i.message, i.reason, {_DEFAULTS.format("bound")},
           {_DEFAULTS.format("latest")}, (SELECT edition FROM catalogue_edition)
    FROM client c
    JOIN subscription s ON s.partner_id = c.partner_id AND s.client_id = c.client_id AND {AS_IT_IS.now.format("s")}
    JOIN invitation i ON i.partner_id = c.partner_id AND i.client_id = c.client_id
        AND i.number = (SELECT max(number) FROM invitation WHERE partner_id = :partner AND client_id = :client)
    LEFT JOIN default_settings bound ON bound.partner_id = c.partner_id AND bound.version = s.defaults_version
    LEFT JOIN member bound_by ON bound_by.partner_id = c.partner_id AND bound_by.member_id = bound.saved_by_id
    LEFT JOIN default_settings latest ON latest.partner_id = c.partner_id
        AND latest.version = (SELECT max(version) FROM default_settings WHERE partner_id = :partner)
    LEFT JOIN member latest_by ON latest_by.partner_id = c.partner_id AND latest_by.member_id = latest.saved_by_id
    WHERE c.partner_id = :partner AND c.client_id = :client"""
_HISTORY = f"""
    SELECT s.revision, s.valid_from, s.valid_to, s.status, s.{", s.".join(SETTINGS)}, s.overridden,
           s.defaults_version, m.name, s.changed_by_id, s.origin, s.reason, s.batch, s.decided_at, s.anchor_day,
           s.anchor_month, s.price_list, s.withdrawn_by, s.sort_name, s.responsible_id
    FROM subscription s LEFT JOIN member m ON m.partner_id = s.partner_id AND m.member_id = s.changed_by_id
    WHERE s.partner_id = :partner AND s.client_id = :client ORDER BY s.revision DESC"""
_IN_FORCE = f"""
    SELECT {_DEFAULTS.format("latest")}, (SELECT edition FROM catalogue_edition)
    FROM default_settings latest
    JOIN member latest_by ON latest_by.partner_id = latest.partner_id AND latest_by.member_id = latest.saved_by_id
    WHERE latest.partner_id = :partner ORDER BY latest.version DESC LIMIT 1"""


class Revision(NamedTuple):
    """A row of a client's history."""

    revision: int
    valid_from: Any
    valid_to: Any
    status: str
    settings: dict[str, str]
    overridden: str
    defaults_version: int
    changed_by: str
    changed_by_id: int
    origin: str
    reason: str
    batch: int | None
    decided_at: Any
    anchor_day: int | None
    anchor_month: int | None
    price_list: int | None
    withdrawn_by: int | None
    sort_name: str
    responsible_id: int

    def holds_at(self, moment: Any) -> bool:
        """Whether it holds at a moment as it is stored."""
        return bool(self.valid_from <= moment and (self.valid_to is None or moment < self.valid_to))


@dataclass(frozen=True, slots=True)
class OneClient:
    """A client with its latest invitation, its defaults and those in force; and its revisions, newest first."""

    who: tuple[Any, ...]
    history: list[Revision]


def page_sql(narrowed: str = "", *, order: str = _NAME, searched: str = "", shape: Shape = AS_IT_IS) -> str:
    """The statement of a page: the keys from one covering index, then their rows. Values: limit, offset, and those of
    the conditions `narrowed` on the current subscription or `searched` on the client.
    """
    walks_clients = searched or (not narrowed and shape is AS_IT_IS)
    table = "client" if walks_clients else shape.table
    wanted = f"({searched})" if searched else "" if walks_clients else shape.now.format("t")
    conditions = " AND ".join(filter(None, ["partner_id = :partner", narrowed, wanted]))
    bought = ", ".join(f"s.{column}" for column in shape.priced_by) or "NULL, NULL, NULL"
    return f"""
        SELECT c.client_id, c.name, s.status, s.{", s.".join(_LISTED)}, s.overridden,
               s.set_number, d.name, d.retired_at, s.defaults_version,
               (SELECT max(version) FROM default_settings WHERE partner_id = :partner AND set_number = s.set_number),
               i.invited_at, s.responsible_id, m.name, {shape.pending}, {bought},
               i.accepted_at, i.revoked_at, i.expires_at
        FROM (SELECT {order.replace(" DESC", "")} FROM {table} t WHERE {conditions}
              ORDER BY {order} LIMIT :limit OFFSET :offset) k
        JOIN {shape.table} s ON s.partner_id = :partner AND s.client_id = k.client_id AND {shape.now.format("s")}
        JOIN client c ON c.partner_id = :partner AND c.client_id = k.client_id
        JOIN invitation i ON i.partner_id = :partner AND i.client_id = k.client_id AND i.number =
             (SELECT max(number) FROM invitation n WHERE n.partner_id = :partner AND n.client_id = i.client_id)
        LEFT JOIN member m ON m.partner_id = :partner AND m.member_id = s.responsible_id
        LEFT JOIN default_set d ON d.partner_id = :partner AND d.set_number = s.set_number
        ORDER BY {", ".join("k." + column for column in order.split(", "))}"""


def page(driver: Driver, offer: Offer, sql: str, **values: Any) -> pd.DataFrame:
    """The frame of `reports.billing_sources`."""
    cells: list[Any] = list(zip(*driver.rows(sql, **values), strict=True)) or [()] * (19 + len(_LISTED))
    client_id, name, status, *settings = cells[: 3 + len(_LISTED)]
    overridden, set_number, default_set, retired_at, version, newest, *later = cells[3 + len(_LISTED) :]
    invited_at, responsible_id, responsible, pending, *rest = later
    *bought, accepted_at, revoked_at, expires_at = rest
    plan, add_ons, period, *_others = settings
    now = datetime.now(UTC)
    yearly = _Yearly(offer, local_day(now))
    kinds = zip(status, zip(*bought, strict=True), plan, period, add_ons, strict=True)
    monthly = [None if kind[0] == "archived" else (2 * yearly.of(*kind) + 12) // 24 for kind in kinds]
    source = ["override" if chosen else "default" for chosen in overridden]
    older = [bound is not None and bound < latest for bound, latest in zip(version, newest, strict=True)]
    invited, begins = (_instants(driver, column) for column in (invited_at, pending))
    moment = driver.stored(now)
    stands = [
        "accepted" if accepted else "revoked" if revoked else "expired" if moment >= expires else "pending"
        for accepted, revoked, expires in zip(accepted_at, revoked_at, expires_at, strict=True)
    ]
    in_order = (
        client_id,
        name,
        status,
        *settings,
        monthly,
        source,
        overridden,
        set_number,
        [name or "" for name in default_set],
        version,
        older,
        [at is not None for at in retired_at],
        invited,
        stands,
        responsible_id,
        responsible,
        begins,
        *_waiting(driver, offer, client_id, settings, pending),
    )
    columns = zip(_DTYPES.items(), in_order, strict=True)
    return pd.DataFrame({name: pd.array(column, dtype=dtype) for (name, dtype), column in columns}, copy=False)


def page_by_price(
    driver: Driver, offer: Offer, prices: Any, *, descending: bool, limit: int, offset: int
) -> pd.DataFrame:
    """The frame of `reports.billing_sources` in order of price, where the kinds of each price were counted before."""
    numbers: list[int] = []
    priced = [level for level in prices.levels if level.cents is not None]
    levels = [*(reversed(priced) if descending else priced), *prices.levels[len(priced) :]]
    kind = _KIND_BY_ANCHOR if prices.by_anchor else _KIND
    for level in levels:
        if offset >= level.clients:
            offset -= level.clients
            continue
        is_few = level.clients <= _GATHERED
        holds, name = (AS_IT_IS.then, "coalesce(sort_name, '')") if is_few else (AS_IT_IS.now, "sort_name")
        parts = zip(*(kind_of.split("|") for kind_of in level.kinds), strict=True)
        plans, periods, _, standings, *_ = (sorted(set(part)) for part in parts)
        wanted = " AND ".join(
            f"{what} IN ({', '.join(repr(value) for value in values)})"
            for what, values in (
                ("plan", plans),
                ("billing_period", periods),
                ("status", standings),
                (kind, level.kinds),
            )
        )
        found = driver.rows(
            f"SELECT client_id FROM subscription t WHERE partner_id = :partner AND {holds.format('t')} AND {wanted} "
            f"ORDER BY {name}, client_id LIMIT :limit OFFSET :offset",
            limit=limit - len(numbers), offset=offset,
        )  # fmt: skip
        numbers, offset = numbers + [number for (number,) in found], 0
        if len(numbers) >= limit:
            break
    sql = page_sql(order="client_id", searched=f"client_id IN ({', '.join(map(str, numbers))})")
    rows = page(driver, offer, sql, limit=limit, offset=0)
    return rows.set_index("client_id", drop=False).loc[numbers].reset_index(drop=True)


def _waiting(
    driver: Driver, offer: Offer, client_id: Any, settings: list[Any], pending: Any
) -> tuple[list[str], list[int | None]]:
    """What waits for each client, and the price a month from then: asked only where something waits."""
    begins = {client: at for client, at in zip(client_id, pending, strict=True) if at is not None}
    held = dict(zip(client_id, zip(*settings, strict=True), strict=True))
    found: dict[int, tuple[str, int | None]] = {}
    if begins:
        marks = ", ".join(f":c{place}" for place in range(len(begins)))
        sql = f"""
            SELECT client_id, valid_from, status, {", ".join(_LISTED)}, {", ".join(AS_IT_IS.priced_by)}
            FROM subscription WHERE partner_id = :partner AND client_id IN ({marks}) AND may_hold = 1
            AND valid_from BETWEEN :first AND :last"""
        asked = {f"c{place}": client for place, client in enumerate(begins)}
        for client, at, status, *rest in driver.rows(
            sql, **asked, first=min(begins.values()), last=max(begins.values())
        ):
            if at != begins[client]:
                continue
            later, bought = rest[: len(_LISTED)], tuple(rest[len(_LISTED) :])
            changed = [name for name, was, becomes in zip(_LISTED, held[client], later, strict=True) if was != becomes]
            plan, add_ons, period, *_others = later
            cents = _Yearly(offer, driver.day(at)).of(status, bought, plan, period, add_ons)
            monthly = None if status == "archived" else (2 * cents + 12) // 24
            found[client] = (";".join(sorted(["status"] if status == "archived" else changed)), monthly)
    every = [found.get(client, ("", None)) for client in client_id]
    return [what for what, _ in every], [monthly for _, monthly in every]


def _instants(driver: Driver, stored: Any) -> Any:
    if not driver.is_sqlite:
        return stored
    return np.array(["NaT" if each is None else each for each in stored], "datetime64[us]")


class _Yearly:
    """What clients cost in a year by what they cost in the period of a day; each price is computed once for a list."""

    def __init__(self, offer: Offer, day: date) -> None:
        self.offer, self.day = offer, day
        self.lists: dict[Any, int] = {}
        self.cents: dict[Any, int] = {}

    def of(self, status: str, bought: tuple[Any, ...], *kind: str) -> int:
        """By purchase list and anchor; plan, period and add-ons last."""
        if status == "archived":
            return 0
        if bought not in self.lists:
            price_list, anchor_day, anchor_month = bought
            begun = self.day if anchor_day is None else period_of(anchor_day, anchor_month, self.day)[0]
            self.lists[bought] = self.offer.running_list(price_list, begun)
        priced = (self.lists[bought], *kind)
        if priced not in self.cents:
            self.cents[priced] = self.offer.yearly_cents(*priced)
        return self.cents[priced]


def plan_distribution(
    driver: Driver, offer: Offer, as_of: datetime | None = None, shape: Shape = AS_IT_IS
) -> pd.DataFrame:
    """The frame of `reports.plan_distribution`."""
    moment = as_of or datetime.now(UTC)
    day, held = local_day(moment), (shape.now if as_of is None and shape is AS_IT_WAS else shape.then)
    now, folded, yearly = driver.stored(moment), dict[tuple[Any, ...], list[int]](), _Yearly(offer, day)
    rows = [(None, group) for group in driver.rows(_groups_sql(offer, day, shape, held), now=now)]
    for standing, condition in {"expired": EXPIRED_THEN, "revoked": REVOKED_THEN}.items():
        also = condition.format("s")
        rows += [(standing, group) for group in driver.rows(_groups_sql(offer, day, shape, held, also=also), now=now)]
    for standing, group in rows:
        (*indexed, add_ons, overridden, status), bought, (version, clients, _) = _parts(group)
        bound_to = (None if version is None else 1, version)
        plan, period, *_others = indexed
        cents = clients * yearly.of(status, bought, plan, period, add_ons)
        for sign, stands in ((1, standing or status), *([(-1, status)] if standing else [])):
            key = (*indexed, "override" if overridden else "default", *bound_to, stands)
            sums = folded.setdefault(key, [0, 0])
            sums[0] += sign * clients
            sums[1] += sign * cents
    spread = [(*key, *sums) for key, sums in folded.items() if sums[0]]
    spread.sort(key=lambda row: [str(each) for each in row])
    frame = pd.DataFrame.from_records(spread, columns=DISTRIBUTION)
    return frame.astype({"set_number": "Int64", "defaults_version": "Int64"})


def figures(
    driver: Driver, offer: Offer, searched: str = "", shape: Shape = AS_IT_IS, **values: Any
) -> tuple[int, ...]:
    """clients, paid_by_partner, overridden, on_older_defaults, pending, invited, attention, and cents_per_year,
    paid_by_partner_cents_per_year, invited_cents_per_year of `reports.figures`."""
    day, held = local_day(datetime.now(UTC)), shape.then if shape is AS_IT_IS and not searched else shape.now
    rows = driver.rows(_groups_sql(offer, day, shape, held, searched), **values)
    ended = driver.rows(_groups_sql(offer, day, shape, held, searched, ENDED.format("s")), **values)
    ((latest,),) = driver.rows("SELECT max(version) FROM default_settings WHERE partner_id = :partner")
    counted, yearly = [0] * 10, _Yearly(offer, day)
    for sign, group in [*((1, group) for group in rows), *((-1, group) for group in ended)]:
        (*indexed, add_ons, overridden, status), bought, (version, clients, pending) = _parts(group)
        plan, period, *_others = indexed
        cents = sign * clients * yearly.of(status, bought, plan, period, add_ons)
        if sign < 0:
            of_group = (0, 0, 0, 0, 0, -clients, clients, 0, 0, cents)
        else:
            is_active, is_invited, is_there = status == "active", status == "invited", status != "archived"
            is_ours = is_active and indexed[_PAYER] == "partner"
            older = is_there and version is not None and version < latest
            of_group = (
                clients, is_ours * clients, (is_there and bool(overridden)) * clients, older * clients,
                is_there * pending, is_invited * clients, 0, is_active * cents, is_ours * cents, is_invited * cents,
            )  # fmt: skip
        counted = [one + more for one, more in zip(counted, of_group, strict=True)]
    return tuple(counted)


def _groups_sql(offer: Offer, day: date, shape: Shape, held: str, searched: str = "", also: str = "") -> str:
    """The groups that stream from an index: _GROUPED, price_list, defaults_version, the anchor where a price depends on
    it, clients, how many of them something waits for."""
    by_anchor = bool(shape.priced_by) and offer.has_renewals_before(day)
    price_list, anchors = shape.priced_by[:1], shape.priced_by[1:] if by_anchor else ()
    columns = ", ".join([*_GROUPED, *price_list, *(["set_number"] if price_list else []), "defaults_version", *anchors])
    read = [*_GROUPED, *(price_list or ["NULL"]), *(anchors or ["NULL", "NULL"]), "defaults_version"]
    found, source = "", f"{shape.table} s WHERE s.partner_id = :partner AND {held.format('s')}"
    source = f"{source} AND {also}" if also else source
    if searched:
        found = (
            f"WITH found AS MATERIALIZED (SELECT client_id FROM client WHERE partner_id = :partner AND ({searched}))"
        )
        source = f"found JOIN {source.replace('WHERE', 'ON s.client_id = found.client_id AND', 1)}"
    return f"{found} SELECT {', '.join(read)}, count(*), count(s.valid_to) FROM {source} GROUP BY {columns}"


def _parts(group: tuple[Any, ...]) -> tuple[tuple[Any, ...], tuple[Any, ...], tuple[Any, ...]]:
    """_GROUPED; the purchase list and the anchor; version, clients and how many of them something waits for."""
    settings = len(_GROUPED)
    return group[:settings], group[settings : settings + 3], group[settings + 3 :]


def one_client(driver: Driver, client_id: int) -> OneClient:
    """What `subscriptions.detail` reads."""
    return OneClient(driver.rows(_WHO, client=client_id)[0], history(driver, client_id))


def history(driver: Driver, client_id: int) -> list[Revision]:
    """The revisions of a client, newest first."""
    width = len(SETTINGS)
    return [
        Revision(*row[:4], dict(zip(SETTINGS, row[4 : 4 + width], strict=True)), *row[4 + width :])
        for row in driver.rows(_HISTORY, client=client_id)
    ]


def defaults_in_force(driver: Driver) -> tuple[Any, ...]:
    """version, SETTINGS, saved_at, note, who saved it; the catalogue's edition."""
    return driver.rows(_IN_FORCE)[0]


def responsible_members(driver: Driver) -> list[tuple[Any, ...]]:
    """The number and the name of each member, and whether they look after anybody."""
    sql = """
        SELECT member_id, name, EXISTS (SELECT 1 FROM responsible r WHERE r.partner_id = m.partner_id
            AND r.member_id = m.member_id AND r.valid_to IS NULL)
        FROM member m WHERE partner_id = :partner ORDER BY member_id"""
    return driver.rows(sql)
