"""invitations that arrive: their links, the outbox, who was brought in by which batch"""

import sqlalchemy as sa
from alembic import op

# instants: whole microseconds since 1970 on SQLite
INSTANT = sa.DateTime(timezone=True).with_variant(sa.BigInteger(), "sqlite")

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_TRIGGER = "subscription_batch_never_changed"


def upgrade() -> None:
    op.add_column("partner", sa.Column("last_batch", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("client", sa.Column("country", sa.String(), nullable=False, server_default=""))
    op.add_column("client", sa.Column("vat_number", sa.String(), nullable=True))
    op.add_column("client", sa.Column("external_reference", sa.String(), nullable=False, server_default=""))
    op.add_column("subscription", sa.Column("batch", sa.Integer(), nullable=True))
    op.add_column("invitation", sa.Column("token_hash", sa.String(), nullable=True))
    op.add_column("invitation", sa.Column("revoked_by_id", sa.Integer(), nullable=True))
    op.create_table(
        "outbox_message",
        sa.Column("partner_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("client_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sending", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("message_id", sa.String(), nullable=False),
        sa.Column("recipient", sa.String(), nullable=False),
        sa.Column("recipient_name", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=True),
        sa.Column("queued_by_id", sa.Integer(), nullable=False),
        sa.Column("queued_at", INSTANT, nullable=False),
        sa.Column("next_attempt_at", INSTANT, nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("sent_at", INSTANT, nullable=True),
        sa.Column("given_up_at", INSTANT, nullable=True),
        sa.Column("withdrawn_at", INSTANT, nullable=True),
        sa.CheckConstraint(
            "(text IS NULL) = (sent_at IS NOT NULL OR given_up_at IS NOT NULL OR withdrawn_at IS NOT NULL)",
            name=op.f("ck_outbox_message_text_while_it_waits"),
        ),
        sa.CheckConstraint(
            "(text IS NULL) = (next_attempt_at IS NULL)", name=op.f("ck_outbox_message_next_attempt_at")
        ),
        sa.ForeignKeyConstraint(
            ["partner_id", "client_id", "number"],
            ["invitation.partner_id", "invitation.client_id", "invitation.number"],
            name=op.f("fk_outbox_message_invitation"),
        ),
        sa.ForeignKeyConstraint(
            ["partner_id", "queued_by_id"],
            ["member.partner_id", "member.member_id"],
            name=op.f("fk_outbox_message_member"),
        ),
        sa.PrimaryKeyConstraint("partner_id", "client_id", "number", "sending", name=op.f("pk_outbox_message")),
        postgresql_with={"autovacuum_vacuum_insert_scale_factor": 0.02},
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_outbox_message_due",
        "outbox_message",
        ["partner_id", "next_attempt_at"],
        unique=False,
        sqlite_where=sa.text("next_attempt_at IS NOT NULL"),
        postgresql_where=sa.text("next_attempt_at IS NOT NULL"),
    )
    op.create_table(
        "delivery_failure",
        sa.Column("partner_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("client_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sending", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("attempt", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("failed_at", INSTANT, nullable=False),
        sa.Column("said", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["partner_id", "client_id", "number", "sending"],
            [
                "outbox_message.partner_id",
                "outbox_message.client_id",
                "outbox_message.number",
                "outbox_message.sending",
            ],
            name=op.f("fk_delivery_failure_outbox_message"),
        ),
        sa.PrimaryKeyConstraint(
            "partner_id", "client_id", "number", "sending", "attempt", name=op.f("pk_delivery_failure")
        ),
        sqlite_with_rowid=False,
    )
    when = "BEFORE UPDATE OF batch ON subscription FOR EACH ROW"
    if op.get_context().dialect.name == "postgresql":
        op.execute(f"CREATE TRIGGER {_TRIGGER} {when} EXECUTE FUNCTION refuse_change()")
    else:
        op.execute(
            f"CREATE TRIGGER {_TRIGGER} {when} BEGIN SELECT RAISE(ABORT, 'this row is never changed or deleted'); END"
        )
