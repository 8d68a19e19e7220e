"""what was done is kept, and what is known of a client can be forgotten: its texts, and nothing else of its history"""

import sqlalchemy as sa
from alembic import op

# instants: whole microseconds since 1970 on SQLite
INSTANT = sa.DateTime(timezone=True).with_variant(sa.BigInteger(), "sqlite")

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_KINDS = (
    "clients_file", "corrections_file", "sent_again", "catalogue_loaded", "backed_up", "restored", "client_exported",
    "client_forgotten",
)  # fmt: skip
_NEVER = "is never changed or deleted"
_REPLACED = {"client_change_never_changed": "client_change", "subscription_facts_never_changed": "subscription",
             "responsible_facts_never_changed": "responsible"}  # fmt: skip
_FORBIDDEN = {
    "activity_never_changed": "BEFORE UPDATE ON activity FOR EACH ROW",
    "activity_never_deleted": "BEFORE DELETE ON activity FOR EACH ROW",
    "client_forgotten_stays": "BEFORE UPDATE ON client FOR EACH ROW WHEN (OLD.forgotten_at IS NOT NULL)",
    "client_change_facts_never_changed": (
        "BEFORE UPDATE OF partner_id, client_id, number, what, changed_at, changed_by_id, origin "
        "ON client_change FOR EACH ROW"
    ),
    "subscription_facts_never_changed": (
        "BEFORE UPDATE OF partner_id, client_id, revision, valid_from, status, overridden, defaults_version, "
        "changed_by_id, origin, payer, billing_period, plan, add_ons ON subscription FOR EACH ROW"
    ),
    "responsible_facts_never_changed": (
        "BEFORE UPDATE OF partner_id, client_id, valid_from, member_id, changed_by_id, origin "
        "ON responsible FOR EACH ROW"
    ),
}
# texts, and what each may be replaced by, of a client that is forgotten
_TEXTS = {
    "client_change": {"before": "[forgotten 1]", "after": "[forgotten 2]", "reason": "[forgotten]"},
    "subscription": {"reason": "[forgotten]"},
    "responsible": {"reason": "[forgotten]"},
}


def upgrade() -> None:
    op.create_table(
        "activity",
        sa.Column("partner_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("happened_at", INSTANT, nullable=False),
        sa.Column("activity_id", sa.String(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=True),
        sa.Column(
            "what",
            sa.Enum(*_KINDS, name="what", native_enum=False, create_constraint=True, length=20),
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
    op.add_column("client", sa.Column("forgotten_at", INSTANT, nullable=True))
    postgresql = op.get_context().dialect.name == "postgresql"
    for name, table in _REPLACED.items():
        op.execute(f"DROP TRIGGER {name}" + (f" ON {table}" if postgresql else ""))
    for name, when in _FORBIDDEN.items():
        if postgresql:
            op.execute(f"CREATE TRIGGER {name} {when} EXECUTE FUNCTION refuse_change()")
        else:
            op.execute(f"CREATE TRIGGER {name} {when} BEGIN SELECT RAISE(ABORT, 'this row {_NEVER}'); END")
    if postgresql:
        op.execute(
            "CREATE OR REPLACE FUNCTION refuse_unless_forgotten() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "IF EXISTS (SELECT 1 FROM client WHERE partner_id = NEW.partner_id AND client_id = NEW.client_id "
            "AND forgotten_at IS NOT NULL) THEN RETURN NEW; END IF; "
            f"RAISE EXCEPTION 'a row of % {_NEVER}', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation'; "
            "END $$"
        )
    for table, texts in _TEXTS.items():
        _only_forgotten(table, texts, postgresql=postgresql)


def _only_forgotten(table: str, texts: dict[str, str], *, postgresql: bool) -> None:
    """Two triggers on the texts of a table: each is replaced by one word only, and of a forgotten client only."""
    columns = ", ".join(f'"{column}"' for column in texts)
    changed = " OR ".join(f'NEW."{column}" <> OLD."{column}"' for column in texts)
    else_ = " OR ".join(
        f'(NEW."{column}" <> OLD."{column}" AND NEW."{column}" <> \'{text}\')' for column, text in texts.items()
    )
    of = f"BEFORE UPDATE OF {columns} ON {table} FOR EACH ROW"
    if postgresql:
        op.execute(f"CREATE TRIGGER {table}_texts_never_changed {of} WHEN ({else_}) EXECUTE FUNCTION refuse_change()")
        op.execute(
            f"CREATE TRIGGER {table}_texts_forgotten {of} WHEN ({changed}) EXECUTE FUNCTION refuse_unless_forgotten()"
        )
        return
    refused = f"BEGIN SELECT RAISE(ABORT, 'this row {_NEVER}'); END"
    known = (
        "NOT EXISTS (SELECT 1 FROM client WHERE partner_id = NEW.partner_id AND client_id = NEW.client_id "
        "AND forgotten_at IS NOT NULL)"
    )
    op.execute(f"CREATE TRIGGER {table}_texts_never_changed {of} WHEN ({else_}) {refused}")
    op.execute(f"CREATE TRIGGER {table}_texts_forgotten {of} WHEN (({changed}) AND {known}) {refused}")
