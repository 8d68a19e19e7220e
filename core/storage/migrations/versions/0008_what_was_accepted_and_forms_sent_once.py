"""the price that a client accepted, why it was invited again, and the forms that were sent"""

import sqlalchemy as sa
from alembic import op

# instants: whole microseconds since 1970 on SQLite
INSTANT = sa.DateTime(timezone=True).with_variant(sa.BigInteger(), "sqlite")

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_PERIODS = "accepted_billing_period IN ('monthly', 'yearly')"
_PRICE = (
    "(accepted_cents IS NULL) = (accepted_currency IS NULL) "
    "AND (accepted_cents IS NULL) = (accepted_billing_period IS NULL) "
    "AND (accepted_cents IS NULL OR accepted_at IS NOT NULL)"
)
_OF_INVITATION = (  # in words: SQLite takes a CHECK with a new column, without copying the table
    "reason VARCHAR DEFAULT '' NOT NULL",
    "accepted_cents INTEGER",
    "accepted_currency VARCHAR",
    "accepted_billing_period VARCHAR(20) "
    f"CONSTRAINT ck_invitation_accepted_billing_period CHECK ({_PERIODS}) "
    f"CONSTRAINT ck_invitation_accepted_price CHECK ({_PRICE})",
)


def upgrade() -> None:
    for column in _OF_INVITATION:
        op.execute(f"ALTER TABLE invitation ADD COLUMN {column}")
    for table in ("invitation", "member_message"):  # form_sent says it of every act
        op.drop_column(table, "attempt")
    op.create_table(
        "form_sent",
        sa.Column("partner_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("act", sa.String(), nullable=False),
        sa.Column("sent_at", INSTANT, nullable=False),
        sa.Column("answer", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["partner_id", "member_id"], ["member.partner_id", "member.member_id"], name=op.f("fk_form_sent_member")
        ),
        sa.PrimaryKeyConstraint("partner_id", "key", name=op.f("pk_form_sent")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_form_sent_oldest", "form_sent", ["partner_id", "sent_at"])
