"""members are invited and kept: what was changed of whom, and the messages that bring them in"""

import sqlalchemy as sa
from alembic import op

# instants: whole microseconds since 1970 on SQLite
INSTANT = sa.DateTime(timezone=True).with_variant(sa.BigInteger(), "sqlite")

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_WAITS = "(next_attempt_at IS NULL) = (sent_at IS NOT NULL OR given_up_at IS NOT NULL OR withdrawn_at IS NOT NULL)"
_FORBIDDEN = {
    "member_change_never_changed": "BEFORE UPDATE ON member_change FOR EACH ROW",
    "member_change_never_deleted": "BEFORE DELETE ON member_change FOR EACH ROW",
}


def upgrade() -> None:
    op.create_table(
        "member_change",
        sa.Column("partner_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("member_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column(
            "what",
            sa.Enum(
                "invited",
                "name",
                "role",
                "client_access",
                "is_active",
                "sign_in",
                name="what",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("before", sa.String(), nullable=True),
        sa.Column("after", sa.String(), nullable=True),
        sa.Column("changed_at", INSTANT, nullable=False),
        sa.Column("changed_by_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["partner_id", "member_id"],
            ["member.partner_id", "member.member_id"],
            name=op.f("fk_member_change_member"),
        ),
        sa.ForeignKeyConstraint(
            ["partner_id", "changed_by_id"],
            ["member.partner_id", "member.member_id"],
            name=op.f("fk_member_change_changed_by"),
        ),
        sa.PrimaryKeyConstraint("partner_id", "member_id", "number", "what", name=op.f("pk_member_change")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "member_message",
        sa.Column("partner_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("member_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sending", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("attempt", sa.String(), nullable=False),
        sa.Column("message_id", sa.String(), nullable=False),
        sa.Column("recipient", sa.String(), nullable=False),
        sa.Column("queued_by_id", sa.Integer(), nullable=False),
        sa.Column("queued_at", INSTANT, nullable=False),
        sa.Column("next_attempt_at", INSTANT, nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("sent_at", INSTANT, nullable=True),
        sa.Column("given_up_at", INSTANT, nullable=True),
        sa.Column("withdrawn_at", INSTANT, nullable=True),
        sa.CheckConstraint(_WAITS, name=op.f("ck_member_message_next_attempt_at")),
        sa.ForeignKeyConstraint(
            ["partner_id", "member_id"],
            ["member.partner_id", "member.member_id"],
            name=op.f("fk_member_message_member"),
        ),
        sa.ForeignKeyConstraint(
            ["partner_id", "queued_by_id"],
            ["member.partner_id", "member.member_id"],
            name=op.f("fk_member_message_queued_by"),
        ),
        sa.PrimaryKeyConstraint("partner_id", "member_id", "sending", name=op.f("pk_member_message")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_member_message_due",
        "member_message",
        ["partner_id", "next_attempt_at"],
        unique=False,
        sqlite_where=sa.text("next_attempt_at IS NOT NULL"),
        postgresql_where=sa.text("next_attempt_at IS NOT NULL"),
    )
    op.create_table(
        "member_delivery_failure",
        sa.Column("partner_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("member_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sending", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("attempt", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("failed_at", INSTANT, nullable=False),
        sa.Column("said", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["partner_id", "member_id", "sending"],
            ["member_message.partner_id", "member_message.member_id", "member_message.sending"],
            name=op.f("fk_member_delivery_failure_member_message"),
        ),
        sa.PrimaryKeyConstraint(
            "partner_id", "member_id", "sending", "attempt", name=op.f("pk_member_delivery_failure")
        ),
        sqlite_with_rowid=False,
    )
    for name, when in _FORBIDDEN.items():
        if op.get_context().dialect.name == "postgresql":
            op.execute(f"CREATE TRIGGER {name} {when} EXECUTE FUNCTION refuse_change()")
        else:
            op.execute(
                f"CREATE TRIGGER {name} {when} BEGIN SELECT RAISE(ABORT, 'this row is never changed or deleted'); END"
            )
