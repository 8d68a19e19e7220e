"""What the core reads, made by hand: one statement each, and the same frame from its rows."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd

from core.reports import BILLING_SOURCES, DISTRIBUTION
from core.subscriptions import INDEXED_SETTINGS
from core.words import LISTED_SETTINGS
from tests.bench.bare import Driver, Offer
from tests.bench.space import SETTINGS

_DTYPES = {name: pd.array([], dtype=dtype).dtype for name, dtype in BILLING_SOURCES.items()}
_NAME = "sort_name, client_id"
_NEWEST = "client_id DESC"
_INDEXED = [setting.value for setting in INDEXED_SETTINGS]  # the plan and the period first
_LISTED = [setting.value for setting in LISTED_SETTINGS]  # the plan, the add-ons and the period first
_GROUPED = ", ".join([*_INDEXED, "add_ons", "overridden", "status"])
_PAYER = _INDEXED.index("payer")
_HELD_NOW = "valid_to IS NULL"
_HELD_THEN = "valid_from <= :as_of AND (valid_to IS NULL OR valid_to > :as_of)"
_DEFAULTS = ", ".join(
    ["{0}.version", *(f"{{0}}.{setting}" for setting in SETTINGS), "{0}.saved_at", "{0}.note", "{0}_by.name"]
)
_WHO = f"""
    SELECT c.name, c.email, c.company_number, c.contact_name, c.language, i.number, i.invited_by_id, i.invited_at,
           i.expires_at, i.accepted_at, i.revoked_at, i.message, i.reason, {_DEFAULTS.format("bound")},
           {_DEFAULTS.format("latest")}, (SELECT edition FROM catalogue_edition)
    FROM client c
    JOIN subscription s ON s.partner_id = c.partner_id AND s.client_id = c.client_id AND s.valid_to IS NULL
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
           s.defaults_version, m.name, s.changed_by_id, s.origin, s.reason, s.sort_name, s.responsible_id
    FROM subscription s LEFT JOIN member m ON m.partner_id = s.partner_id AND m.member_id = s.changed_by_id
    WHERE s.partner_id = :partner AND s.client_id = :client ORDER BY s.revision DESC"""
_IN_FORCE = f"""
    SELECT {_DEFAULTS.format("latest")}, (SELECT edition FROM catalogue_edition)
    FROM default_settings latest
    JOIN member latest_by ON latest_by.partner_id = latest.partner_id AND latest_by.member_id = latest.saved_by_id
    WHERE latest.partner_id = :partner ORDER BY latest.version DESC LIMIT 1"""


@dataclass(frozen=True, slots=True)
class OneClient:
    """A client with its latest invitation, its defaults and those in force; and its revisions, newest first."""

    who: tuple[Any, ...]
    history: list[tuple[Any, ...]]


def page_sql(narrowed: str = "", *, order: str = _NAME, searched: str = "") -> str:
    """The statement of a page: the keys from one covering index, then their rows. Values: limit, offset, and those of
    the conditions `narrowed` on the current subscription or `searched` on the client.
    """
    table = "client" if searched else "subscription"
    wanted = f"({searched})" if searched else "valid_to IS NULL"
    conditions = " AND ".join(filter(None, [wanted, narrowed]))
    return f"""
        SELECT c.client_id, c.name, s.status, s.{", s.".join(_LISTED)}, s.overridden,
               s.defaults_version, (SELECT max(version) FROM default_settings WHERE partner_id = :partner),
               i.invited_at, s.responsible_id, m.name, i.accepted_at, i.revoked_at, i.expires_at
        FROM (SELECT sort_name, client_id FROM {table} WHERE partner_id = :partner AND {conditions}
              ORDER BY {order} LIMIT :limit OFFSET :offset) k
        JOIN subscription s ON s.partner_id = :partner AND s.client_id = k.client_id AND s.valid_to IS NULL
        JOIN client c ON c.partner_id = :partner AND c.client_id = k.client_id
        JOIN invitation i ON i.partner_id = :partner AND i.client_id = k.client_id AND i.number =
             (SELECT max(number) FROM invitation n WHERE n.partner_id = :partner AND n.client_id = k.client_id)
        LEFT JOIN member m ON m.partner_id = :partner AND m.member_id = s.responsible_id
        ORDER BY {", ".join("k." + column for column in order.split(", "))}"""


def newest_sql() -> str:
    """The statement of a page, the client invited last first."""
    return page_sql(order=_NEWEST)


def page(driver: Driver, offer: Offer, sql: str, **values: Any) -> pd.DataFrame:
    """The frame of `reports.billing_sources`."""
    cells: list[Any] = list(zip(*driver.rows(sql, **values), strict=True)) or [()] * (12 + len(_LISTED))
    client_id, name, status, *settings = cells[: 3 + len(_LISTED)]
    overridden, version, newest, invited_at, responsible_id, responsible, *answers = cells[3 + len(_LISTED) :]
    plan, add_ons, period, *_others = settings
    cents = {kind: (2 * offer.yearly_cents(*kind) + 12) // 24 for kind in set(zip(plan, period, add_ons, strict=True))}
    monthly = [
        None if word == "archived" else cents[kind]
        for word, kind in zip(status, zip(plan, period, add_ons, strict=True), strict=True)
    ]
    source = ["override" if chosen else "default" for chosen in overridden]
    older = [bound is not None and bound < latest for bound, latest in zip(version, newest, strict=True)]
    invited = np.array(invited_at, "datetime64[us]") if driver.is_sqlite else invited_at
    now = driver.stored(datetime.now(UTC))
    stands = [
        "accepted" if accepted else "revoked" if revoked else "expired" if now >= expires else "pending"
        for accepted, revoked, expires in zip(*answers, strict=True)
    ]
    in_order = (
        client_id,
        name,
        status,
        *settings,
        monthly,
        source,
        overridden,
        version,
        older,
        invited,
        stands,
        responsible_id,
        responsible,
    )
    columns = zip(_DTYPES.items(), in_order, strict=True)
    return pd.DataFrame({name: pd.array(column, dtype=dtype) for (name, dtype), column in columns}, copy=False)


def plan_distribution(driver: Driver, offer: Offer, as_of: datetime | None = None) -> pd.DataFrame:
    """The frame of `reports.plan_distribution`."""
    held, values = _HELD_NOW, {}
    if as_of is not None:
        held, values = _HELD_THEN, {"as_of": driver.stored(as_of)}
    sql = f"SELECT {_GROUPED}, count(*) FROM subscription WHERE partner_id = :partner AND {held} GROUP BY {_GROUPED}"
    folded: dict[tuple[str, ...], list[int]] = {}
    for *indexed, add_ons, overridden, status, clients in driver.rows(sql, **values):
        group = folded.setdefault((*indexed, "override" if overridden else "default", status), [0, 0])
        plan, period, *_others = indexed
        group[0] += clients
        group[1] += 0 if status == "archived" else clients * offer.yearly_cents(plan, period, add_ons)
    rows = [(*key, *sums) for key, sums in sorted(folded.items())]
    return pd.DataFrame.from_records(rows, columns=DISTRIBUTION)


def figures(driver: Driver, offer: Offer, searched: str = "", **values: Any) -> tuple[int, ...]:
    """clients, paid_by_partner, overridden, on_older_defaults, cents_per_year of `reports.figures`."""
    columns = f"{_GROUPED}, defaults_version"
    found, source = "", "subscription s WHERE s.partner_id = :partner AND s.valid_to IS NULL"
    if searched:
        found = (
            f"WITH found AS MATERIALIZED (SELECT client_id FROM client WHERE partner_id = :partner AND ({searched}))"
        )
        source = f"found JOIN {source.replace('WHERE', 'ON s.client_id = found.client_id AND')}"
    newest = "(SELECT max(version) FROM default_settings WHERE partner_id = :partner)"
    sql = f"{found} SELECT {columns}, count(*), {newest} FROM {source} GROUP BY {columns}"
    counted = [0] * 5
    for *indexed, add_ons, overridden, status, version, clients, latest in driver.rows(sql, **values):
        plan, period, *_others = indexed
        cents = 0 if status == "archived" else clients * offer.yearly_cents(plan, period, add_ons)
        older = version is not None and version < latest
        for place, more in enumerate(
            (clients, (indexed[_PAYER] == "partner") * clients, bool(overridden) * clients, older * clients, cents)
        ):
            counted[place] += more
    return tuple(counted)


def one_client(driver: Driver, client_id: int) -> OneClient:
    """What `subscriptions.detail` reads."""
    return OneClient(driver.rows(_WHO, client=client_id)[0], history(driver, client_id))


def history(driver: Driver, client_id: int) -> list[tuple[Any, ...]]:
    """The revisions of a client, newest first: revision, valid_from, valid_to, status, SETTINGS, overridden,
    defaults_version, who and why, sort_name."""
    return driver.rows(_HISTORY, client=client_id)


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
