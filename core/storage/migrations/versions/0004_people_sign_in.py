"""people sign in: the accounts of members, sign-ins that ended, who signed in when; when a member was last seen"""

import sqlalchemy as sa
from alembic import op

# instants: whole microseconds since 1970 on SQLite
INSTANT = sa.DateTime(timezone=True).with_variant(sa.BigInteger(), "sqlite")

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_KINDS = ("signed_in", "bound", "signed_out", "refused")


def upgrade() -> None:
    op.add_column("member", sa.Column("last_seen_at", INSTANT, nullable=True))
    op.execute("UPDATE member SET email = lower(email)")
    op.create_index("ix_member_email", "member", ["email"], unique=False)
    op.create_table(
        "member_sign_in",
        sa.Column("partner_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("member_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("issuer", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("bound_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["partner_id", "member_id"],
            ["member.partner_id", "member.member_id"],
            name=op.f("fk_member_sign_in_member"),
        ),
        sa.PrimaryKeyConstraint("partner_id", "member_id", name=op.f("pk_member_sign_in")),
    )
    op.create_index("uq_member_sign_in_account", "member_sign_in", ["issuer", "subject", "partner_id"], unique=True)
    op.create_table(
        "ended_sign_ins",
        sa.Column("issuer", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("through", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("issuer", "subject", name=op.f("pk_ended_sign_ins")),
    )
    op.create_table(
        "sign_in_event",
        sa.Column("event_id", sa.Integer(), nullable=False),
        sa.Column("happened_at", INSTANT, nullable=False),
        sa.Column(
            "kind",
            sa.Enum(*_KINDS, name=op.f("ck_sign_in_event_kind"), native_enum=False, create_constraint=True, length=20),
            nullable=False,
        ),
        sa.Column("issuer", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("signed_in_at", INSTANT, nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("partner_id", sa.Integer(), nullable=True),
        sa.Column("member_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["partner_id", "member_id"],
            ["member.partner_id", "member.member_id"],
            name=op.f("fk_sign_in_event_member"),
        ),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_sign_in_event")),
    )
    op.create_index("ix_sign_in_event_newest", "sign_in_event", ["partner_id", "happened_at"], unique=False)
    op.create_index("ix_sign_in_event_account", "sign_in_event", ["issuer", "subject", "signed_in_at"], unique=False)
