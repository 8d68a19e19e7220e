"""letters are written when they leave: what waits is the token of the link, no text"""

import sqlalchemy as sa
from alembic import op

# instants: whole microseconds since 1970 on SQLite
INSTANT = sa.DateTime(timezone=True).with_variant(sa.BigInteger(), "sqlite")

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_WAITS = "(token IS NULL) = (sent_at IS NOT NULL OR given_up_at IS NOT NULL OR withdrawn_at IS NOT NULL)"
_DUE = "(token IS NULL) = (next_attempt_at IS NULL)"
_KEPT = (
    "partner_id, client_id, number, sending, message_id, recipient, queued_by_id, queued_at, next_attempt_at, attempts, "
    "sent_at, given_up_at, withdrawn_at"
)
_KEY = "partner_id || '.' || client_id || '.' || number || '.'"  # a token begins with it; 32 characters follow
_LINK = f"'accept?invitation=' || {_KEY}"


def _token(position: str) -> str:
    """The token in the link of a message's text, as SQL; `position` is the function that finds a text in another."""
    return f"substr(text, {position}(text, {_LINK}) + length('accept?invitation='), length({_KEY}) + 32)"


def upgrade() -> None:
    if op.get_context().dialect.name == "postgresql":
        _on_postgresql()
    else:
        _on_sqlite()


def _on_postgresql() -> None:
    op.add_column("outbox_message", sa.Column("token", sa.String(), nullable=True))
    op.execute(f"UPDATE outbox_message SET token = {_token('strpos')} WHERE text IS NOT NULL")
    op.drop_constraint("ck_outbox_message_text_while_it_waits", "outbox_message")
    op.drop_constraint("ck_outbox_message_next_attempt_at", "outbox_message")
    for column in ("recipient_name", "subject", "text"):
        op.drop_column("outbox_message", column)
    op.create_check_constraint(op.f("ck_outbox_message_token_while_it_waits"), "outbox_message", _WAITS)
    op.create_check_constraint(op.f("ck_outbox_message_next_attempt_at"), "outbox_message", _DUE)


def _on_sqlite() -> None:
    """A CHECK changes only with its table: the failures that refer to it are put aside meanwhile."""
    op.execute("CREATE TABLE failures_aside AS SELECT * FROM delivery_failure")
    op.execute("DELETE FROM delivery_failure")
    op.create_table(
        "outbox_message_now",
        sa.Column("partner_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("client_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sending", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("message_id", sa.String(), nullable=False),
        sa.Column("recipient", sa.String(), nullable=False),
        sa.Column("token", sa.String(), nullable=True),
        sa.Column("queued_by_id", sa.Integer(), nullable=False),
        sa.Column("queued_at", INSTANT, nullable=False),
        sa.Column("next_attempt_at", INSTANT, nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("sent_at", INSTANT, nullable=True),
        sa.Column("given_up_at", INSTANT, nullable=True),
        sa.Column("withdrawn_at", INSTANT, nullable=True),
        sa.CheckConstraint(_WAITS, name=op.f("ck_outbox_message_token_while_it_waits")),
        sa.CheckConstraint(_DUE, name=op.f("ck_outbox_message_next_attempt_at")),
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
        sqlite_with_rowid=False,
    )
    op.execute(
        f"INSERT INTO outbox_message_now ({_KEPT}, token) "
        f"SELECT {_KEPT}, CASE WHEN text IS NULL THEN NULL ELSE {_token('instr')} END FROM outbox_message"
    )
    op.drop_table("outbox_message")
    op.rename_table("outbox_message_now", "outbox_message")
    op.create_index(
        "ix_outbox_message_due",
        "outbox_message",
        ["partner_id", "next_attempt_at"],
        unique=False,
        sqlite_where=sa.text("next_attempt_at IS NOT NULL"),
    )
    op.execute("INSERT INTO delivery_failure SELECT * FROM failures_aside")
    op.execute("DROP TABLE failures_aside")
