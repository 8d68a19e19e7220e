"""which column of a list is which, as it was chosen for its headings, is kept for each partner"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True).with_variant(sa.BigInteger(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "chosen_columns",
        sa.Column("partner_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("headings", sa.String(), nullable=False),
        sa.Column("places", sa.String(), nullable=False),
        sa.Column("chosen_at", INSTANT, nullable=False),
        sa.Column("chosen_by_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["partner_id"], ["partner.partner_id"], name=op.f("fk_chosen_columns_partner")),
        sa.ForeignKeyConstraint(
            ["partner_id", "chosen_by_id"],
            ["member.partner_id", "member.member_id"],
            name=op.f("fk_chosen_columns_member"),
        ),
        sa.PrimaryKeyConstraint("partner_id", "headings", name=op.f("pk_chosen_columns")),
        sqlite_with_rowid=False,
    )
