"""clients are told that they pay: messages of a kind of their own"""

import sqlalchemy as sa
from alembic import op

# instants: whole microseconds since 1970 on SQLite
INSTANT = sa.DateTime(timezone=True).with_variant(sa.BigInteger(), "sqlite")

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_WAITS = "(next_attempt_at IS NULL) = (sent_at IS NOT NULL OR given_up_at IS NOT NULL OR withdrawn_at IS NOT NULL)"


def upgrade() -> None:
    payer = sa.Enum(
        "partner", "client", name=op.f("ck_payer_message_payer"), native_enum=False, create_constraint=True, length=20
    )
    op.create_table(
        "payer_message",
        sa.Column("partner_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("client_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sending", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("payer", payer, nullable=False),
        sa.Column("paid_from", INSTANT, nullable=False),
        sa.Column("message_id", sa.String(), nullable=False),
        sa.Column("recipient", sa.String(), nullable=False),
        sa.Column("queued_by_id", sa.Integer(), nullable=False),
        sa.Column("queued_at", INSTANT, nullable=False),
        sa.Column("next_attempt_at", INSTANT, nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("sent_at", INSTANT, nullable=True),
        sa.Column("given_up_at", INSTANT, nullable=True),
        sa.Column("withdrawn_at", INSTANT, nullable=True),
        sa.CheckConstraint(_WAITS, name=op.f("ck_payer_message_next_attempt_at")),
        sa.ForeignKeyConstraint(
            ["partner_id", "client_id"],
            ["client.partner_id", "client.client_id"],
            name=op.f("fk_payer_message_client"),
        ),
        sa.ForeignKeyConstraint(
            ["partner_id", "queued_by_id"],
            ["member.partner_id", "member.member_id"],
            name=op.f("fk_payer_message_member"),
        ),
        sa.PrimaryKeyConstraint("partner_id", "client_id", "sending", name=op.f("pk_payer_message")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_payer_message_due",
        "payer_message",
        ["partner_id", "next_attempt_at"],
        unique=False,
        sqlite_where=sa.text("next_attempt_at IS NOT NULL"),
        postgresql_where=sa.text("next_attempt_at IS NOT NULL"),
    )
    op.create_table(
        "payer_delivery_failure",
        sa.Column("partner_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("client_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sending", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("attempt", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("failed_at", INSTANT, nullable=False),
        sa.Column("said", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["partner_id", "client_id", "sending"],
            ["payer_message.partner_id", "payer_message.client_id", "payer_message.sending"],
            name=op.f("fk_payer_delivery_failure_payer_message"),
        ),
        sa.PrimaryKeyConstraint(
            "partner_id", "client_id", "sending", "attempt", name=op.f("pk_payer_delivery_failure")
        ),
        sqlite_with_rowid=False,
    )
