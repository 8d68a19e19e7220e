"""default sets; what was saved before is the set Standard, with the same versions"""

from itertools import combinations
from typing import Any

import sqlalchemy as sa
from alembic import op

# instants: whole microseconds since 1970 on SQLite
INSTANT = sa.DateTime(timezone=True).with_variant(sa.BigInteger(), "sqlite")
BINARY_ORDER = sa.Text().with_variant(sa.dialects.postgresql.TEXT(collation="C"), "postgresql")

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_SETTINGS = ["plan", "billing_period", "payer"]
_LISTED = [
    "valid_to", "valid_from", "may_hold", *_SETTINGS, "overridden", "status", "set_number", "defaults_version",
    "responsible_id",
]  # fmt: skip
_GROUPED = [
    *_SETTINGS, "add_ons", "overridden", "status", "price_list", "set_number", "defaults_version", "anchor_day",
    "anchor_month", "responsible_id", "valid_from", "valid_to",
]  # fmt: skip
_VERSION_COLUMNS = "partner_id, version, saved_by_id, saved_at, note, payer, billing_period, plan, add_ons"
_COLUMNS = (
    "partner_id, client_id, revision, valid_from, valid_to, status, sort_name, overridden, defaults_version, "
    "changed_by_id, origin, reason, payer, billing_period, plan, add_ons, batch, responsible_id, decided_at, "
    "anchor_day, anchor_month, price_list, may_hold, withdrawn_by"
)
_SETS_OF_SETTINGS = [
    ";".join(chosen)
    for size in range(5)
    for chosen in combinations(("payer", "billing_period", "plan", "add_ons"), size)
]
_SET_AND_VERSION = "(set_number IS NULL) = (defaults_version IS NULL)"
_CHECKS = {
    "revision": "revision >= 1",
    "changed_by": "changed_by_id IS NOT NULL OR origin = 'system'",
    "overridden": "overridden IN ({})".format(", ".join(f"'{chosen}'" for chosen in _SETS_OF_SETTINGS)),
    "bound_or_chosen": "defaults_version IS NOT NULL OR overridden = 'payer;billing_period;plan;add_ons'",
    "set_and_version": _SET_AND_VERSION,
    "valid_to": "valid_to >= valid_from",
    "may_hold": "may_hold OR valid_to IS NOT NULL",
    "withdrawn_by": "(withdrawn_by IS NOT NULL) = (valid_to IS NOT NULL AND valid_to = valid_from)",
    "decided_at": "valid_from >= decided_at",
    "anchor_day": "(status = 'active') = (anchor_day IS NOT NULL)",
    "anchor": "anchor_day BETWEEN 1 AND 31 AND anchor_month BETWEEN 1 AND 12",
    "anchor_month": "(anchor_month IS NOT NULL) = (status = 'active' AND billing_period = 'yearly')",
    "price_list": "(status = 'active') = (price_list IS NOT NULL)",
}
_FACTS = (
    "partner_id, client_id, revision, valid_from, status, overridden, set_number, defaults_version, changed_by_id, "
    "origin, payer, billing_period, plan, add_ons, batch, decided_at, anchor_day, anchor_month"
)
_EACH = "ON subscription FOR EACH ROW"
_FACTS_TRIGGER = {"subscription_facts_never_changed": f"BEFORE UPDATE OF {_FACTS} {_EACH}"}
_TEXT = "BEFORE UPDATE OF reason ON subscription FOR EACH ROW"
_KNOWN = (
    "NOT EXISTS (SELECT 1 FROM client WHERE partner_id = NEW.partner_id AND client_id = NEW.client_id "
    "AND forgotten_at IS NOT NULL)"
)
# as they were, on a table that SQLite makes anew
_KEPT_ON_SQLITE = {
    "default_settings_never_changed": "BEFORE UPDATE ON default_settings FOR EACH ROW",
    "default_settings_never_deleted": "BEFORE DELETE ON default_settings FOR EACH ROW",
    "subscription_never_deleted": f"BEFORE DELETE {_EACH}",
    "subscription_closed_once": (
        f"BEFORE UPDATE OF valid_to {_EACH} WHEN (OLD.valid_to IS NOT NULL AND (NOT OLD.may_hold "
        "OR NEW.valid_to IS NULL OR NEW.valid_to > OLD.valid_to))"
    ),
    "subscription_held_never_again": f"BEFORE UPDATE OF may_hold {_EACH} WHEN (NEW.may_hold AND NOT OLD.may_hold)",
    "subscription_withdrawn_once": f"BEFORE UPDATE OF withdrawn_by {_EACH} WHEN (OLD.withdrawn_by IS NOT NULL)",
    "subscription_bought_once": (
        f"BEFORE UPDATE OF price_list {_EACH} WHEN (NOT OLD.may_hold OR OLD.valid_from <= OLD.decided_at)"
    ),
    "subscription_responsible_of_the_past_never_changed": (
        f"BEFORE UPDATE OF responsible_id {_EACH} WHEN (NOT OLD.may_hold)"
    ),
    "subscription_texts_never_changed": f"{_TEXT} WHEN (NEW.reason <> OLD.reason AND NEW.reason <> '[forgotten]')",
    "subscription_texts_forgotten": f"{_TEXT} WHEN (NEW.reason <> OLD.reason AND {_KNOWN})",
}
_NEW_TRIGGERS = {
    "default_set_numbers_never_changed": "BEFORE UPDATE OF partner_id, set_number ON default_set FOR EACH ROW",
    "default_set_never_deleted": "BEFORE DELETE ON default_set FOR EACH ROW",
    "default_set_change_never_changed": "BEFORE UPDATE ON default_set_change FOR EACH ROW",
    "default_set_change_never_deleted": "BEFORE DELETE ON default_set_change FOR EACH ROW",
}


def upgrade() -> None:
    _default_sets()
    op.add_column("partner", sa.Column("standard_set", sa.Integer(), nullable=True))
    op.execute("UPDATE partner SET standard_set = 1 WHERE partner_id IN (SELECT partner_id FROM default_set)")
    if op.get_context().dialect.name == "postgresql":
        _on_postgresql()
    else:
        _on_sqlite()
    op.create_index("ix_subscription_distribution", "subscription", ["partner_id", *_GROUPED])
    _index("ix_subscription_list", ["partner_id", "sort_name", "client_id", *_LISTED], "may_hold")
    _index("ix_subscription_newest", ["partner_id", "client_id", *_LISTED], "may_hold")
    for name, when in (_FACTS_TRIGGER | _NEW_TRIGGERS).items():
        _refused(name, when)


def _default_sets() -> None:
    """The set Standard of every partner that has saved defaults, made by whoever saved the first version, when they did.

    They became the standard set at that moment.
    """
    op.create_table(
        "default_set",
        sa.Column("partner_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("set_number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("folded_name", sa.String(), nullable=False),
        sa.Column("retired_at", INSTANT, nullable=True),
        sa.CheckConstraint("set_number >= 1", name=op.f("ck_default_set_set_number")),
        sa.CheckConstraint("name <> ''", name=op.f("ck_default_set_name")),
        sa.ForeignKeyConstraint(["partner_id"], ["partner.partner_id"], name=op.f("fk_default_set_partner")),
        sa.PrimaryKeyConstraint("partner_id", "set_number", name=op.f("pk_default_set")),
        sqlite_with_rowid=False,
    )
    op.create_index("uq_default_set_name", "default_set", ["partner_id", "folded_name"], unique=True)
    what = sa.Enum(
        "named", "standard", "retired", "brought_back",
        name=op.f("ck_default_set_change_what"), native_enum=False, create_constraint=True, length=20,
    )  # fmt: skip
    op.create_table(
        "default_set_change",
        sa.Column("partner_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("set_number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("what", what, nullable=False),
        sa.Column("before", sa.String(), nullable=True),
        sa.Column("after", sa.String(), nullable=True),
        sa.Column("changed_at", INSTANT, nullable=False),
        sa.Column("changed_by_id", sa.Integer(), nullable=False),
        sa.CheckConstraint("number >= 1", name=op.f("ck_default_set_change_number")),
        sa.CheckConstraint("(what = 'named') = (after IS NOT NULL)", name=op.f("ck_default_set_change_after")),
        sa.ForeignKeyConstraint(
            ["partner_id", "set_number"],
            ["default_set.partner_id", "default_set.set_number"],
            name=op.f("fk_default_set_change_default_set"),
        ),
        sa.ForeignKeyConstraint(
            ["partner_id", "changed_by_id"],
            ["member.partner_id", "member.member_id"],
            name=op.f("fk_default_set_change_member"),
        ),
        sa.PrimaryKeyConstraint("partner_id", "set_number", "number", name=op.f("pk_default_set_change")),
        sqlite_with_rowid=False,
    )
    op.execute(
        "INSERT INTO default_set (partner_id, set_number, name, folded_name) "
        "SELECT DISTINCT partner_id, 1, 'Standard', 'standard' FROM default_settings"
    )
    for number, what_was_done, name in ((1, "named", "'Standard'"), (2, "standard", "NULL")):
        op.execute(
            "INSERT INTO default_set_change (partner_id, set_number, number, what, after, changed_at, changed_by_id) "
            f"SELECT partner_id, 1, {number}, '{what_was_done}', {name}, saved_at, saved_by_id "
            "FROM default_settings WHERE version = 1"
        )


def _index(name: str, columns: list[str], condition: str, *, unique: bool = False) -> None:
    op.create_index(
        name,
        "subscription",
        columns,
        unique=unique,
        sqlite_where=sa.text(condition.replace("may_hold", "may_hold = 1")),
        postgresql_where=sa.text(condition),
    )


def _refused(name: str, when: str) -> None:
    if op.get_context().dialect.name == "postgresql":
        op.execute(f"CREATE TRIGGER {name} {when} EXECUTE FUNCTION refuse_change()")
    else:
        said = "this row is never changed or deleted"
        op.execute(f"CREATE TRIGGER {name} {when} BEGIN SELECT RAISE(ABORT, '{said}'); END")


def _on_postgresql() -> None:
    op.drop_constraint("fk_subscription_default_settings", "subscription")
    op.drop_constraint("pk_default_settings", "default_settings")
    op.drop_constraint("fk_default_settings_partner", "default_settings")
    for table, nullable in (("default_settings", False), ("subscription", True)):
        op.add_column(table, sa.Column("set_number", sa.Integer(), server_default="1", nullable=nullable))
        op.alter_column(table, "set_number", server_default=None)
    op.create_primary_key("pk_default_settings", "default_settings", ["partner_id", "set_number", "version"])
    op.create_foreign_key(
        "fk_default_settings_default_set",
        "default_settings",
        "default_set",
        ["partner_id", "set_number"],
        ["partner_id", "set_number"],
    )
    for index in ("distribution", "list", "newest"):
        op.drop_index(f"ix_subscription_{index}", table_name="subscription")
    op.execute("UPDATE subscription SET set_number = NULL WHERE defaults_version IS NULL")
    op.execute("DROP TRIGGER subscription_facts_never_changed ON subscription")
    op.create_check_constraint(op.f("ck_subscription_set_and_version"), "subscription", _SET_AND_VERSION)
    op.create_foreign_key(
        "fk_subscription_default_settings",
        "subscription",
        "default_settings",
        ["partner_id", "set_number", "defaults_version"],
        ["partner_id", "set_number", "version"],
    )


def _on_sqlite() -> None:
    """A key of a table is changed by making the table anew; the subscriptions follow the versions that they name."""
    op.rename_table("default_settings", "default_settings_before")
    _versions()
    op.execute(
        f"INSERT INTO default_settings ({_VERSION_COLUMNS}, set_number) "
        f"SELECT {_VERSION_COLUMNS}, 1 FROM default_settings_before"
    )
    _subscriptions()
    op.execute(
        f"INSERT INTO subscription_in_sets ({_COLUMNS}, set_number) "
        f"SELECT {_COLUMNS}, CASE WHEN defaults_version IS NOT NULL THEN 1 END FROM subscription"
    )
    op.drop_table("subscription")
    op.drop_table("default_settings_before")
    op.rename_table("subscription_in_sets", "subscription")
    _index("uq_subscription_last", ["partner_id", "client_id"], "valid_to IS NULL", unique=True)
    waiting = ["partner_id", "valid_from", "client_id", "decided_at", "valid_to"]
    _index("ix_subscription_pending", waiting, "valid_from > decided_at")
    outlived = ["partner_id", "valid_to", "client_id", "revision"]
    _index("ix_subscription_outlived", outlived, "may_hold AND valid_to IS NOT NULL")
    for name, when in _KEPT_ON_SQLITE.items():
        _refused(name, when)


def _word(table: str, name: str, *values: str) -> sa.Column[Any]:
    check = op.f(f"ck_{table}_{name}")
    kind = sa.Enum(*values, name=check, native_enum=False, create_constraint=True, length=20)
    return sa.Column(name, kind, nullable=False)


def _key(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer(), autoincrement=False, nullable=False)


def _versions() -> None:
    op.create_table(
        "default_settings",
        _key("partner_id"),
        _key("set_number"),
        _key("version"),
        sa.Column("saved_by_id", sa.Integer(), nullable=False),
        sa.Column("saved_at", INSTANT, nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        _word("default_settings", "payer", "partner", "client"),
        _word("default_settings", "billing_period", "monthly", "yearly"),
        sa.Column("plan", sa.String(), nullable=False),
        sa.Column("add_ons", sa.Text(), nullable=False),
        sa.CheckConstraint("version >= 1", name=op.f("ck_default_settings_version")),
        sa.ForeignKeyConstraint(
            ["partner_id", "saved_by_id"],
            ["member.partner_id", "member.member_id"],
            name=op.f("fk_default_settings_member"),
        ),
        sa.ForeignKeyConstraint(
            ["partner_id", "set_number"],
            ["default_set.partner_id", "default_set.set_number"],
            name=op.f("fk_default_settings_default_set"),
        ),
        sa.ForeignKeyConstraint(["plan"], ["plan.plan"], name=op.f("fk_default_settings_plan")),
        sa.PrimaryKeyConstraint("partner_id", "set_number", "version", name=op.f("pk_default_settings")),
        sqlite_with_rowid=False,
    )


def _subscriptions() -> None:
    of = "subscription"
    op.create_table(
        "subscription_in_sets",
        _key("partner_id"),
        _key("client_id"),
        _key("revision"),
        sa.Column("valid_from", INSTANT, nullable=False),
        sa.Column("valid_to", INSTANT, nullable=True),
        _word(of, "status", "invited", "active", "archived"),
        sa.Column("sort_name", BINARY_ORDER, nullable=False),
        sa.Column("overridden", sa.Text(), nullable=False),
        sa.Column("set_number", sa.Integer(), nullable=True),
        sa.Column("defaults_version", sa.Integer(), nullable=True),
        sa.Column("changed_by_id", sa.Integer(), nullable=True),
        _word(of, "origin", "page", "import", "bulk", "system"),
        sa.Column("reason", sa.String(), nullable=False),
        _word(of, "payer", "partner", "client"),
        _word(of, "billing_period", "monthly", "yearly"),
        sa.Column("plan", sa.String(), nullable=False),
        sa.Column("add_ons", sa.Text(), nullable=False),
        sa.Column("batch", sa.Integer(), nullable=True),
        sa.Column("responsible_id", sa.Integer(), nullable=True),
        sa.Column("decided_at", INSTANT, nullable=False),
        sa.Column("anchor_day", sa.Integer(), nullable=True),
        sa.Column("anchor_month", sa.Integer(), nullable=True),
        sa.Column("price_list", sa.Integer(), nullable=True),
        sa.Column("may_hold", sa.Boolean(), nullable=False),
        sa.Column("withdrawn_by", sa.Integer(), nullable=True),
        *(sa.CheckConstraint(condition, name=op.f(f"ck_subscription_{name}")) for name, condition in _CHECKS.items()),
        sa.ForeignKeyConstraint(
            ["partner_id", "changed_by_id"],
            ["member.partner_id", "member.member_id"],
            name=op.f("fk_subscription_member"),
        ),
        sa.ForeignKeyConstraint(
            ["partner_id", "client_id"], ["client.partner_id", "client.client_id"], name=op.f("fk_subscription_client")
        ),
        sa.ForeignKeyConstraint(
            ["partner_id", "set_number", "defaults_version"],
            ["default_settings.partner_id", "default_settings.set_number", "default_settings.version"],
            name=op.f("fk_subscription_default_settings"),
        ),
        sa.ForeignKeyConstraint(["plan"], ["plan.plan"], name=op.f("fk_subscription_plan")),
        sa.PrimaryKeyConstraint("partner_id", "client_id", "revision", name=op.f("pk_subscription")),
        sqlite_with_rowid=False,
    )
