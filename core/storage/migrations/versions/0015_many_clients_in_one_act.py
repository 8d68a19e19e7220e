"""many clients in one act: batches, those of imports too, and how far a long change is"""

import sqlalchemy as sa
from alembic import op

# instants: whole microseconds since 1970 on SQLite
INSTANT = sa.DateTime(timezone=True).with_variant(sa.BigInteger(), "sqlite")

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_KINDS = ("import", "adopt", "override", "responsible", "cancel", "archive", "undo")
_CHECKS = {
    "batch": "batch >= 1",
    "chosen": "chosen = changed + left_out AND changed >= 0 AND left_out >= 0",
    "undoes": "(kind = 'undo') = (undoes IS NOT NULL)",
    "reason": "kind = 'import' OR reason <> ''",
}
_FORBIDDEN = {
    "batch_never_changed": "BEFORE UPDATE ON batch FOR EACH ROW",
    "batch_never_deleted": "BEFORE DELETE ON batch FOR EACH ROW",
    "responsible_batch_never_changed": "BEFORE UPDATE OF batch ON responsible FOR EACH ROW",
}
_OF_IMPORTS = """
    INSERT INTO batch (partner_id, batch, kind, by_id, done_at, reason, digest, asked, chosen, changed, left_out)
    SELECT partner_id, batch, 'import', min(changed_by_id), min(decided_at), '', '', '{}', count(*), count(*), 0
    FROM subscription WHERE batch IS NOT NULL GROUP BY partner_id, batch
"""


def upgrade() -> None:
    kind = sa.Enum(*_KINDS, name=op.f("ck_batch_kind"), native_enum=False, create_constraint=True, length=20)
    op.create_table(
        "batch",
        sa.Column("partner_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("batch", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", kind, nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=False),
        sa.Column("done_at", INSTANT, nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("attempt", sa.String(), nullable=True),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("asked", sa.String(), nullable=False),
        sa.Column("chosen", sa.Integer(), nullable=False),
        sa.Column("changed", sa.Integer(), nullable=False),
        sa.Column("left_out", sa.Integer(), nullable=False),
        sa.Column("undoes", sa.Integer(), nullable=True),
        *(sa.CheckConstraint(condition, name=op.f(f"ck_batch_{name}")) for name, condition in _CHECKS.items()),
        sa.ForeignKeyConstraint(["partner_id"], ["partner.partner_id"], name=op.f("fk_batch_partner")),
        sa.ForeignKeyConstraint(
            ["partner_id", "by_id"], ["member.partner_id", "member.member_id"], name=op.f("fk_batch_member")
        ),
        sa.ForeignKeyConstraint(
            ["partner_id", "undoes"], ["batch.partner_id", "batch.batch"], name=op.f("fk_batch_batch")
        ),
        sa.PrimaryKeyConstraint("partner_id", "batch", name=op.f("pk_batch")),
        sqlite_with_rowid=False,
    )
    op.create_index("uq_batch_attempt", "batch", ["partner_id", "attempt"], unique=True)
    op.create_index("uq_batch_undoes", "batch", ["partner_id", "undoes"], unique=True)
    op.create_table(
        "long_change",
        sa.Column("partner_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("began_at", INSTANT, nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("partner_id", name=op.f("pk_long_change")),
        sqlite_with_rowid=False,
    )
    op.add_column("responsible", sa.Column("batch", sa.Integer(), nullable=True))
    for table in ("subscription", "responsible"):
        op.create_index(
            f"ix_{table}_batch",
            table,
            ["partner_id", "batch", "client_id"],
            sqlite_where=sa.text("batch IS NOT NULL"),
            postgresql_where=sa.text("batch IS NOT NULL"),
        )
    op.execute(_OF_IMPORTS)
    for name, when in _FORBIDDEN.items():
        if op.get_context().dialect.name == "postgresql":
            op.execute(f"CREATE TRIGGER {name} {when} EXECUTE FUNCTION refuse_change()")
        else:
            op.execute(f"CREATE TRIGGER {name} {when} BEGIN SELECT RAISE(ABORT, 'this row is never changed'); END")
