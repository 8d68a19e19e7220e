"""why an invitation was revoked and a message sent again; that one about who pays was sent again is kept as well"""

import sqlalchemy as sa
from alembic import op

# instants: whole microseconds since 1970 on SQLite
INSTANT = sa.DateTime(timezone=True).with_variant(sa.BigInteger(), "sqlite")

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_KINDS = (
    "clients_file", "corrections_file", "sent_again", "payer_told_again", "catalogue_loaded", "backed_up", "restored",
    "client_exported", "client_forgotten",
)  # fmt: skip
_COLUMNS = "partner_id, happened_at, activity_id, member_id, what, client_id, number"


def upgrade() -> None:
    for table, column in (("invitation", "revoke_reason"), ("outbox_message", "reason"), ("payer_message", "reason")):
        op.add_column(table, sa.Column(column, sa.String(), server_default="", nullable=False))
    if op.get_context().dialect.name == "postgresql":
        op.drop_constraint(op.f("ck_activity_what"), "activity", type_="check")
        kinds = ", ".join(f"'{kind}'" for kind in _KINDS)
        op.create_check_constraint(op.f("ck_activity_what"), "activity", f"what IN ({kinds})")
    else:
        _on_sqlite()


def _on_sqlite() -> None:
    """A CHECK of a table is changed by making the table anew, its triggers too."""
    op.create_table(
        "activity_of_more_kinds",
        sa.Column("partner_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("happened_at", INSTANT, nullable=False),
        sa.Column("activity_id", sa.String(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=True),
        sa.Column(
            "what",
            sa.Enum(*_KINDS, name=op.f("ck_activity_what"), native_enum=False, create_constraint=True, length=20),
            nullable=False,
        ),
        sa.Column("client_id", sa.Integer(), nullable=True),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["partner_id"], ["partner.partner_id"], name=op.f("fk_activity_partner")),
        sa.ForeignKeyConstraint(
            ["partner_id", "member_id"], ["member.partner_id", "member.member_id"], name=op.f("fk_activity_member")
        ),
        sa.PrimaryKeyConstraint("partner_id", "happened_at", "activity_id", name=op.f("pk_activity")),
        sqlite_with_rowid=False,
    )
    op.execute(f"INSERT INTO activity_of_more_kinds ({_COLUMNS}) SELECT {_COLUMNS} FROM activity")
    op.drop_table("activity")
    op.rename_table("activity_of_more_kinds", "activity")
    for name, when in (("changed", "UPDATE"), ("deleted", "DELETE")):
        op.execute(
            f"CREATE TRIGGER activity_never_{name} BEFORE {when} ON activity FOR EACH ROW "
            "BEGIN SELECT RAISE(ABORT, 'this row is never changed or deleted'); END"
        )
