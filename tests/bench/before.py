"""The subscriptions as they were kept before a change could wait: the same clients in a table and indexes of that
shape, beside the product's. What the bare driver takes there is what the present is compared with."""

from sqlalchemy import Column, Connection, Engine, Index, MetaData, Table, case, insert, null, select, text

from core.subscriptions import INDEXED_SETTINGS, Subscription

TABLE = "subscription_before"

_SINCE = {"decided_at", "anchor_day", "anchor_month", "price_list", "may_hold", "withdrawn_by"}
_INDEXED = [setting.value for setting in INDEXED_SETTINGS]
_LISTED = [*_INDEXED, "overridden", "status", "defaults_version", "responsible_id", "valid_to"]
_GROUPED = [
    *_INDEXED, "add_ons", "overridden", "status", "defaults_version", "responsible_id", "valid_from", "valid_to",
]  # fmt: skip


def build(engine: Engine) -> None:
    """Afterwards the table holds what was decided and held so far: nothing waits in it."""
    table = _table()
    now_held = Subscription.__table__.c
    with engine.begin() as connection:
        table.create(connection)
        columns = [now_held[name] for name in table.columns.keys() if name != "valid_to"]  # noqa: SIM118
        closed = case((now_held.may_hold, null()), else_=now_held.valid_to).label("valid_to")
        held = select(*columns, closed).where(now_held.valid_from == now_held.decided_at)
        connection.execute(insert(table).from_select([*(column.name for column in columns), "valid_to"], held))
    _tidy(engine)


def _table() -> Table:
    product = Subscription.__table__
    columns = [
        Column(column.name, column.type, primary_key=column.primary_key, nullable=column.nullable, autoincrement=False)
        for column in product.columns
        if column.name not in _SINCE
    ]
    open_row = text("valid_to IS NULL")
    for_open = {"sqlite_where": open_row, "postgresql_where": open_row}
    return Table(
        TABLE,
        MetaData(),
        *columns,
        Index("uq_before_current", "partner_id", "client_id", unique=True, **for_open),
        Index("ix_before_list", "partner_id", "sort_name", "client_id", *_LISTED, **for_open),
        Index("ix_before_newest", "partner_id", "client_id", *_LISTED, **for_open),
        Index("ix_before_distribution", "partner_id", *_GROUPED),
        sqlite_with_rowid=False,
    )


def _tidy(engine: Engine) -> None:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        _run(connection, "VACUUM ANALYZE" if engine.dialect.name == "postgresql" else "PRAGMA wal_checkpoint(TRUNCATE)")


def _run(connection: Connection, statement: str) -> None:
    connection.execute(text(statement))
