"""who looks after each client: a member, with a history of its own"""

import sqlalchemy as sa
from alembic import op

# instants: whole microseconds since 1970 on SQLite
INSTANT = sa.DateTime(timezone=True).with_variant(sa.BigInteger(), "sqlite")

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_SETTINGS = ["plan", "billing_period", "payer"]
_LISTED = [*_SETTINGS, "overridden", "status", "defaults_version", "responsible_id", "valid_to"]
_GROUPED = [
    *_SETTINGS, "add_ons", "overridden", "status", "defaults_version", "responsible_id", "valid_from", "valid_to"
]  # fmt: skip
_NEVER = "is never changed or deleted"
_FACTS = "partner_id, client_id, valid_from, member_id, changed_by_id, origin, reason"
_FORBIDDEN = {
    "responsible_facts_never_changed": f"BEFORE UPDATE OF {_FACTS} ON responsible FOR EACH ROW",
    "responsible_never_deleted": "BEFORE DELETE ON responsible FOR EACH ROW",
    "responsible_closed_once": "BEFORE UPDATE OF valid_to ON responsible FOR EACH ROW WHEN (OLD.valid_to IS NOT NULL)",
    "subscription_responsible_of_the_past_never_changed": (
        "BEFORE UPDATE OF responsible_id ON subscription FOR EACH ROW WHEN (OLD.valid_to IS NOT NULL)"
    ),
}


def upgrade() -> None:
    _table()
    op.add_column("subscription", sa.Column("responsible_id", sa.Integer(), nullable=True))
    for index in ("ix_subscription_distribution", "ix_subscription_list", "ix_subscription_newest"):
        op.drop_index(index, table_name="subscription")
    _who_invited_first()
    op.create_index("ix_subscription_distribution", "subscription", ["partner_id", *_GROUPED])
    _index_of_open("ix_subscription_list", "subscription", ["partner_id", "sort_name", "client_id", *_LISTED])
    _index_of_open("ix_subscription_newest", "subscription", ["partner_id", "client_id", *_LISTED])
    for name, when in _FORBIDDEN.items():
        if op.get_context().dialect.name == "postgresql":
            op.execute(f"CREATE TRIGGER {name} {when} EXECUTE FUNCTION refuse_change()")
        else:
            op.execute(f"CREATE TRIGGER {name} {when} BEGIN SELECT RAISE(ABORT, 'this row {_NEVER}'); END")


def _table() -> None:
    op.create_table(
        "responsible",
        sa.Column("partner_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("client_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("valid_from", INSTANT, nullable=False),
        sa.Column("valid_to", INSTANT, nullable=True),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("changed_by_id", sa.Integer(), nullable=True),
        sa.Column(
            "origin",
            sa.Enum(
                "page", "import", "bulk", "system", name="origin", native_enum=False, create_constraint=True, length=20
            ),
            nullable=False,
        ),
        sa.Column("reason", sa.String(), nullable=False),
        sa.CheckConstraint("changed_by_id IS NOT NULL OR origin = 'system'", name=op.f("ck_responsible_changed_by")),
        sa.CheckConstraint("valid_to > valid_from", name=op.f("ck_responsible_valid_to")),
        sa.ForeignKeyConstraint(
            ["partner_id", "client_id"], ["client.partner_id", "client.client_id"], name=op.f("fk_responsible_client")
        ),
        sa.ForeignKeyConstraint(
            ["partner_id", "member_id"], ["member.partner_id", "member.member_id"], name=op.f("fk_responsible_member")
        ),
        sa.ForeignKeyConstraint(
            ["partner_id", "changed_by_id"],
            ["member.partner_id", "member.member_id"],
            name=op.f("fk_responsible_member_changed_by"),
        ),
        sa.PrimaryKeyConstraint("partner_id", "client_id", "valid_from", name=op.f("pk_responsible")),
        postgresql_with={"autovacuum_vacuum_insert_scale_factor": 0.02},
        sqlite_with_rowid=False,
    )


def _who_invited_first() -> None:
    """Each client is looked after by the member who invited it first, since its first revision; the table's indexes
    come after its rows."""
    op.execute(
        "INSERT INTO responsible (partner_id, client_id, valid_from, member_id, origin, reason) "
        "SELECT s.partner_id, s.client_id, s.valid_from, coalesce(i.invited_by_id, s.changed_by_id), 'system', '' "
        "FROM subscription s LEFT JOIN invitation i "
        "ON i.partner_id = s.partner_id AND i.client_id = s.client_id AND i.number = 1 WHERE s.revision = 1"
    )
    op.execute(
        "UPDATE subscription SET responsible_id = (SELECT r.member_id FROM responsible r "
        "WHERE r.partner_id = subscription.partner_id AND r.client_id = subscription.client_id) WHERE valid_to IS NULL"
    )
    _index_of_open("uq_responsible_current", "responsible", ["partner_id", "client_id"], unique=True)
    _index_of_open("ix_responsible_member", "responsible", ["partner_id", "member_id", "client_id", "valid_to"])


def _index_of_open(name: str, table: str, columns: list[str], *, unique: bool = False) -> None:
    """An index of the rows that are not closed."""
    still_open = sa.text("valid_to IS NULL")
    op.create_index(name, table, columns, unique=unique, sqlite_where=still_open, postgresql_where=still_open)
