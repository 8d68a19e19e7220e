"""the life of a subscription: it renews, and a decision may begin later than it was made"""

from datetime import UTC, datetime, timedelta
from itertools import combinations
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from alembic import context, op

# instants: whole microseconds since 1970 on SQLite
INSTANT = sa.DateTime(timezone=True).with_variant(sa.BigInteger(), "sqlite")
BINARY_ORDER = sa.Text().with_variant(sa.dialects.postgresql.TEXT(collation="C"), "postgresql")

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_SETTINGS = ["plan", "billing_period", "payer"]
_LISTED = [
    "valid_to", "valid_from", "may_hold", *_SETTINGS, "overridden", "status", "defaults_version", "responsible_id",
]  # fmt: skip
_GROUPED = [
    *_SETTINGS, "add_ons", "overridden", "status", "price_list", "defaults_version", "anchor_day", "anchor_month",
    "responsible_id", "valid_from", "valid_to",
]  # fmt: skip
_OLD_COLUMNS = (
    "partner_id, client_id, revision, valid_from, valid_to, status, sort_name, overridden, defaults_version, "
    "changed_by_id, origin, reason, payer, billing_period, plan, add_ons, batch, responsible_id"
)
_ANCHOR_MONTH = "(anchor_month IS NOT NULL) = (status = 'active' AND billing_period = 'yearly')"
_SETS = [
    ";".join(chosen)
    for size in range(5)
    for chosen in combinations(("payer", "billing_period", "plan", "add_ons"), size)
]
_KEPT_CHECKS = {
    "revision": "revision >= 1",
    "changed_by": "changed_by_id IS NOT NULL OR origin = 'system'",
    "overridden": "overridden IN ({})".format(", ".join(f"'{chosen}'" for chosen in _SETS)),
    "bound_or_chosen": "defaults_version IS NOT NULL OR overridden = 'payer;billing_period;plan;add_ons'",
}
_CHECKS = {
    "valid_to": "valid_to >= valid_from",
    "may_hold": "may_hold OR valid_to IS NOT NULL",
    "withdrawn_by": "(withdrawn_by IS NOT NULL) = (valid_to IS NOT NULL AND valid_to = valid_from)",
    "decided_at": "valid_from >= decided_at",
    "anchor_day": "(status = 'active') = (anchor_day IS NOT NULL)",
    "anchor": "anchor_day BETWEEN 1 AND 31 AND anchor_month BETWEEN 1 AND 12",
    "anchor_month": _ANCHOR_MONTH,
    "price_list": "(status = 'active') = (price_list IS NOT NULL)",
}
_NEVER = "is never changed or deleted"
_FACTS = (
    "partner_id, client_id, revision, valid_from, status, overridden, defaults_version, changed_by_id, origin, "
    "payer, billing_period, plan, add_ons, batch, decided_at, anchor_day, anchor_month"
)
_EACH = "ON subscription FOR EACH ROW"
_FORBIDDEN = {
    "subscription_facts_never_changed": f"BEFORE UPDATE OF {_FACTS} {_EACH}",
    "subscription_never_deleted": f"BEFORE DELETE {_EACH}",
    # closed once; what was closed ahead, or has not begun, may be closed earlier
    "subscription_closed_once": (
        f"BEFORE UPDATE OF valid_to {_EACH} WHEN (OLD.valid_to IS NOT NULL AND (NOT OLD.may_hold "
        "OR NEW.valid_to IS NULL OR NEW.valid_to > OLD.valid_to))"
    ),
    "subscription_held_never_again": f"BEFORE UPDATE OF may_hold {_EACH} WHEN (NEW.may_hold AND NOT OLD.may_hold)",
    "subscription_withdrawn_once": f"BEFORE UPDATE OF withdrawn_by {_EACH} WHEN (OLD.withdrawn_by IS NOT NULL)",
    # the list in force on the day of a purchase to come, which may be another one by then
    "subscription_bought_once": (
        f"BEFORE UPDATE OF price_list {_EACH} WHEN (NOT OLD.may_hold OR OLD.valid_from <= OLD.decided_at)"
    ),
    "subscription_responsible_of_the_past_never_changed": (
        f"BEFORE UPDATE OF responsible_id {_EACH} WHEN (NOT OLD.may_hold)"
    ),
}
_DROPPED = [
    "subscription_facts_never_changed", "subscription_never_deleted", "subscription_closed_once",
    "subscription_batch_never_changed", "subscription_responsible_of_the_past_never_changed",
]  # fmt: skip
_TEXT = "BEFORE UPDATE OF reason ON subscription FOR EACH ROW"
_KNOWN = (
    "NOT EXISTS (SELECT 1 FROM client WHERE partner_id = NEW.partner_id AND client_id = NEW.client_id "
    "AND forgotten_at IS NOT NULL)"
)
# as they were: the reason of a forgotten client is replaced by one word
_TEXTS_ON_SQLITE = {
    "subscription_texts_never_changed": (f"{_TEXT} WHEN (NEW.reason <> OLD.reason AND NEW.reason <> '[forgotten]')"),
    "subscription_texts_forgotten": f"{_TEXT} WHEN (NEW.reason <> OLD.reason AND {_KNOWN})",
}
_BEFORE = "lag({0}) OVER (PARTITION BY partner_id, client_id ORDER BY revision)"
_STARTS = f"""
    SELECT partner_id, client_id, revision, status, billing_period,
        max(CASE WHEN starts THEN valid_from END) OVER life AS started_at,
        max(CASE WHEN starts OR turns THEN valid_from END) OVER life AS period_at
    FROM (
        SELECT partner_id, client_id, revision, status, billing_period, valid_from,
            status = 'active' AND coalesce({_BEFORE.format("status")}, '') <> 'active' AS starts,
            status = 'active' AND coalesce({_BEFORE.format("billing_period")}, '') <> billing_period AS turns
        FROM subscription
    ) AS begun
    WINDOW life AS (PARTITION BY partner_id, client_id ORDER BY revision)
"""


def upgrade() -> None:
    if op.get_context().dialect.name == "postgresql":
        _on_postgresql()
    else:
        _on_sqlite()
    op.create_index("ix_subscription_distribution", "subscription", ["partner_id", *_GROUPED])
    _index("uq_subscription_last", ["partner_id", "client_id"], "valid_to IS NULL", unique=True)
    _index("ix_subscription_list", ["partner_id", "sort_name", "client_id", *_LISTED], "may_hold")
    _index("ix_subscription_newest", ["partner_id", "client_id", *_LISTED], "may_hold")
    waiting = ["partner_id", "valid_from", "client_id", "decided_at", "valid_to"]
    _index("ix_subscription_pending", waiting, "valid_from > decided_at")
    outlived = ["partner_id", "valid_to", "client_id", "revision"]
    _index("ix_subscription_outlived", outlived, "may_hold AND valid_to IS NOT NULL")
    for name, when in (_FORBIDDEN | (_TEXTS_ON_SQLITE if _is_sqlite() else {})).items():
        if op.get_context().dialect.name == "postgresql":
            op.execute(f"CREATE TRIGGER {name} {when} EXECUTE FUNCTION refuse_change()")
        else:
            op.execute(f"CREATE TRIGGER {name} {when} BEGIN SELECT RAISE(ABORT, 'this row {_NEVER}'); END")


def _is_sqlite() -> bool:
    return op.get_context().dialect.name == "sqlite"


def _index(name: str, columns: list[str], condition: str, *, unique: bool = False) -> None:
    op.create_index(
        name,
        "subscription",
        columns,
        unique=unique,
        sqlite_where=sa.text(condition.replace("may_hold", "may_hold = 1")),
        postgresql_where=sa.text(condition),
    )


def _new_columns() -> list[sa.Column[Any]]:
    return [
        sa.Column("decided_at", INSTANT, nullable=True),
        sa.Column("anchor_day", sa.Integer(), nullable=True),
        sa.Column("anchor_month", sa.Integer(), nullable=True),
        sa.Column("price_list", sa.Integer(), nullable=True),
        sa.Column("may_hold", sa.Boolean(), nullable=True),
        sa.Column("withdrawn_by", sa.Integer(), nullable=True),
    ]


def _on_postgresql() -> None:
    for trigger in _DROPPED:
        op.execute(f"DROP TRIGGER {trigger} ON subscription")
    for index in ("distribution", "list", "newest"):
        op.drop_index(f"ix_subscription_{index}", table_name="subscription")
    op.drop_index("uq_subscription_current", table_name="subscription")
    op.drop_constraint("ck_subscription_valid_to", "subscription")
    for column in _new_columns():
        op.add_column("subscription", column)
    op.execute("UPDATE subscription SET decided_at = valid_from, may_hold = valid_to IS NULL")
    op.execute(
        f"""
        UPDATE subscription SET price_list = 1,
            anchor_day = extract(day FROM s.started_at AT TIME ZONE p.time_zone),
            anchor_month = CASE WHEN s.billing_period = 'yearly'
                THEN extract(month FROM s.period_at AT TIME ZONE p.time_zone) END
        FROM ({_STARTS}) AS s JOIN partner p ON p.partner_id = s.partner_id
        WHERE subscription.partner_id = s.partner_id AND subscription.client_id = s.client_id
            AND subscription.revision = s.revision AND s.status = 'active'
        """
    )
    op.alter_column("subscription", "decided_at", nullable=False)
    op.alter_column("subscription", "may_hold", nullable=False)
    for name, condition in _CHECKS.items():
        op.create_check_constraint(op.f(f"ck_subscription_{name}"), "subscription", condition)


def _on_sqlite() -> None:
    """A CHECK of a table is changed by making the table anew."""
    day, month = "NULL", "NULL"  # printed as SQL: refused by a CHECK where a client is active
    if not context.is_offline_mode():
        connection: Any = op.get_bind().connection.driver_connection
        connection.create_function("day_of", 2, lambda at, zone: _local(at, zone).day, deterministic=True)
        connection.create_function("month_of", 2, lambda at, zone: _local(at, zone).month, deterministic=True)
        day = "CASE WHEN o.status = 'active' THEN day_of(s.started_at, p.time_zone) END"
        month = (
            "CASE WHEN o.status = 'active' AND o.billing_period = 'yearly' THEN month_of(s.period_at, p.time_zone) END"
        )
    _table()
    old = ", ".join(f"o.{column}" for column in _OLD_COLUMNS.split(", "))
    op.execute(
        f"""
        INSERT INTO subscription_through_time ({_OLD_COLUMNS}, decided_at, anchor_day, anchor_month, price_list, may_hold)
        SELECT {old}, o.valid_from, {day}, {month}, CASE WHEN o.status = 'active' THEN 1 END, o.valid_to IS NULL
        FROM subscription o
        JOIN ({_STARTS}) AS s ON s.partner_id = o.partner_id AND s.client_id = o.client_id AND s.revision = o.revision
        JOIN partner p ON p.partner_id = o.partner_id
        """
    )
    op.drop_table("subscription")
    op.rename_table("subscription_through_time", "subscription")


def _local(at: int, zone: str) -> datetime:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at)).astimezone(ZoneInfo(zone))


def _table() -> None:
    named = "ck_subscription_{}".format

    def word(name: str, *values: str) -> sa.Column[Any]:
        kind = sa.Enum(*values, name=op.f(named(name)), native_enum=False, create_constraint=True, length=20)
        return sa.Column(name, kind, nullable=False)

    def key(name: str) -> sa.Column[Any]:
        return sa.Column(name, sa.Integer(), autoincrement=False, nullable=False)

    *_, may_hold, withdrawn_by = _new_columns()
    may_hold.nullable = False
    op.create_table(
        "subscription_through_time",
        key("partner_id"),
        key("client_id"),
        key("revision"),
        sa.Column("valid_from", INSTANT, nullable=False),
        sa.Column("valid_to", INSTANT, nullable=True),
        word("status", "invited", "active", "archived"),
        sa.Column("sort_name", BINARY_ORDER, nullable=False),
        sa.Column("overridden", sa.Text(), nullable=False),
        sa.Column("defaults_version", sa.Integer(), nullable=True),
        sa.Column("changed_by_id", sa.Integer(), nullable=True),
        word("origin", "page", "import", "bulk", "system"),
        sa.Column("reason", sa.String(), nullable=False),
        word("payer", "partner", "client"),
        word("billing_period", "monthly", "yearly"),
        sa.Column("plan", sa.String(), nullable=False),
        sa.Column("add_ons", sa.Text(), nullable=False),
        sa.Column("batch", sa.Integer(), nullable=True),
        sa.Column("responsible_id", sa.Integer(), nullable=True),
        sa.Column("decided_at", INSTANT, nullable=False),
        sa.Column("anchor_day", sa.Integer(), nullable=True),
        sa.Column("anchor_month", sa.Integer(), nullable=True),
        sa.Column("price_list", sa.Integer(), nullable=True),
        may_hold,
        withdrawn_by,
        *(
            sa.CheckConstraint(condition, name=op.f(named(name)))
            for name, condition in (_KEPT_CHECKS | _CHECKS).items()
        ),
        sa.ForeignKeyConstraint(
            ["partner_id", "changed_by_id"],
            ["member.partner_id", "member.member_id"],
            name=op.f("fk_subscription_member"),
        ),
        sa.ForeignKeyConstraint(
            ["partner_id", "client_id"], ["client.partner_id", "client.client_id"], name=op.f("fk_subscription_client")
        ),
        sa.ForeignKeyConstraint(
            ["partner_id", "defaults_version"],
            ["default_settings.partner_id", "default_settings.version"],
            name=op.f("fk_subscription_default_settings"),
        ),
        sa.ForeignKeyConstraint(["plan"], ["plan.plan"], name=op.f("fk_subscription_plan")),
        sa.PrimaryKeyConstraint("partner_id", "client_id", "revision", name=op.f("pk_subscription")),
        sqlite_with_rowid=False,
    )
