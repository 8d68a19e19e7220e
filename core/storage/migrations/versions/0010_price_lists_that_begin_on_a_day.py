"""price lists that begin on a day; the prices stored before are list 1 of each currency, which held ever since"""

import sqlalchemy as sa
from alembic import op

# instants: whole microseconds since 1970 on SQLite
INSTANT = sa.DateTime(timezone=True).with_variant(sa.BigInteger(), "sqlite")

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_PRICES = ("plan", "add_on")


def upgrade() -> None:
    for item in _PRICES:
        op.execute(f"CREATE TABLE {item}_price_before AS SELECT * FROM {item}_price")
        op.drop_table(f"{item}_price")
    op.create_table(
        "price_list",
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("renewals_from", sa.Date(), nullable=True),
        sa.Column("content_hash", sa.String(), nullable=True),
        sa.Column("loaded_at", INSTANT, nullable=False),
        sa.Column("loaded_by_partner_id", sa.Integer(), nullable=True),
        sa.Column("loaded_by_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("number >= 1", name=op.f("ck_price_list_number")),
        sa.CheckConstraint("renewals_from >= valid_from", name=op.f("ck_price_list_renewals_from")),
        sa.CheckConstraint(
            "(loaded_by_partner_id IS NULL) = (loaded_by_id IS NULL)", name=op.f("ck_price_list_loaded_by")
        ),
        sa.ForeignKeyConstraint(
            ["loaded_by_partner_id", "loaded_by_id"],
            ["member.partner_id", "member.member_id"],
            name=op.f("fk_price_list_member"),
        ),
        sa.PrimaryKeyConstraint("currency", "number", name=op.f("pk_price_list")),
    )
    for item in _PRICES:
        _prices(item)
    _first_lists()
    for item in _PRICES:
        op.drop_table(f"{item}_price_before")
    for table in ("price_list", "plan_price", "add_on_price"):
        _never_changed(table)


def _prices(item: str) -> None:
    op.create_table(
        f"{item}_price",
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column(item, sa.String(), nullable=False),
        sa.Column(
            "billing_period",
            sa.Enum("monthly", "yearly", name="billing_period", native_enum=False, create_constraint=True, length=20),
            nullable=False,
        ),
        sa.Column("cents", sa.Integer(), nullable=False),
        sa.CheckConstraint("cents >= 0", name=op.f(f"ck_{item}_price_cents")),
        sa.ForeignKeyConstraint(
            ["currency", "number"],
            ["price_list.currency", "price_list.number"],
            name=op.f(f"fk_{item}_price_price_list"),
        ),
        sa.PrimaryKeyConstraint("currency", "number", item, "billing_period", name=op.f(f"pk_{item}_price")),
    )


def _first_lists() -> None:
    """What was stored is list 1 of each currency, from before any subscription began; renewals follow no list."""
    first, moment = "DATE '2000-01-01'", "now()"
    if op.get_context().dialect.name == "sqlite":
        first, moment = "'2000-01-01'", "CAST(strftime('%s', 'now') AS INTEGER) * 1000000"
    op.execute(
        "INSERT INTO price_list (currency, number, valid_from, loaded_at) "
        f"SELECT currency, 1, {first}, {moment} FROM "
        "(SELECT currency FROM plan_price_before UNION SELECT currency FROM add_on_price_before) AS priced"
    )
    for item in _PRICES:
        op.execute(
            f"INSERT INTO {item}_price (currency, number, {item}, billing_period, cents) "
            f"SELECT currency, 1, {item}, billing_period, cents FROM {item}_price_before"
        )


def _never_changed(table: str) -> None:
    """What a list says is never changed: one that has not begun is removed whole, and another one follows."""
    name, when = f"{table}_never_changed", f"BEFORE UPDATE ON {table} FOR EACH ROW"
    if op.get_context().dialect.name == "postgresql":
        op.execute(f"CREATE TRIGGER {name} {when} EXECUTE FUNCTION refuse_change()")
    else:
        op.execute(f"CREATE TRIGGER {name} {when} BEGIN SELECT RAISE(ABORT, 'this row is never changed'); END")
