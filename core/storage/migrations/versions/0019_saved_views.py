"""views of the list of clients are saved, a member's own and everybody's"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True).with_variant(sa.BigInteger(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "saved_view",
        sa.Column("partner_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("view_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("folded_name", sa.String(), nullable=False),
        sa.Column("is_for_all", sa.Boolean(), nullable=False),
        sa.Column("asked", sa.String(), nullable=False),
        sa.Column("saved_by_id", sa.Integer(), nullable=False),
        sa.Column("saved_at", INSTANT, nullable=False),
        sa.CheckConstraint("name <> ''", name=op.f("ck_saved_view_name")),
        sa.ForeignKeyConstraint(
            ["partner_id", "saved_by_id"], ["member.partner_id", "member.member_id"], name=op.f("fk_saved_view_member")
        ),
        sa.PrimaryKeyConstraint("partner_id", "view_id", name=op.f("pk_saved_view")),
        sqlite_with_rowid=False,
    )
    for name, columns, where in (
        ("uq_saved_view_own", ["partner_id", "saved_by_id", "folded_name"], "NOT is_for_all"),
        ("uq_saved_view_for_all", ["partner_id", "folded_name"], "is_for_all"),
    ):
        op.create_index(
            name, "saved_view", columns, unique=True, sqlite_where=sa.text(where), postgresql_where=sa.text(where)
        )
