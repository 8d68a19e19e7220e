"""client details are edited: each change is kept, and a client goes on sorting by its name"""

import sqlalchemy as sa
from alembic import op

# instants: whole microseconds since 1970 on SQLite
INSTANT = sa.DateTime(timezone=True).with_variant(sa.BigInteger(), "sqlite")

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_DETAILS = (
    "name", "email", "contact_name", "language", "country", "company_number", "vat_number", "external_reference",
)  # fmt: skip
# of a revision; sort_name is no longer one of them: it is the client's, copied for the index of the list
_FACTS = (
    "partner_id, client_id, revision, valid_from, status, overridden, defaults_version, changed_by_id, origin, reason, "
    "payer, billing_period, plan, add_ons"
)
_FORBIDDEN = {
    "subscription_facts_never_changed": f"BEFORE UPDATE OF {_FACTS} ON subscription FOR EACH ROW",
    "client_change_never_changed": "BEFORE UPDATE ON client_change FOR EACH ROW",
    "client_change_never_deleted": "BEFORE DELETE ON client_change FOR EACH ROW",
}


def upgrade() -> None:
    op.create_table(
        "client_change",
        sa.Column("partner_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("client_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column(
            "what",
            sa.Enum(*_DETAILS, name="what", native_enum=False, create_constraint=True, length=20),
            nullable=False,
        ),
        sa.Column("before", sa.String(), nullable=False),
        sa.Column("after", sa.String(), nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
        sa.Column("changed_by_id", sa.Integer(), nullable=False),
        sa.Column(
            "origin",
            sa.Enum(
                "page", "import", "bulk", "system", name="origin", native_enum=False, create_constraint=True, length=20
            ),
            nullable=False,
        ),
        sa.Column("reason", sa.String(), nullable=False),
        sa.CheckConstraint("number >= 1", name=op.f("ck_client_change_number")),
        sa.CheckConstraint("before <> after", name=op.f("ck_client_change_after")),
        sa.ForeignKeyConstraint(
            ["partner_id", "client_id"], ["client.partner_id", "client.client_id"], name=op.f("fk_client_change_client")
        ),
        sa.ForeignKeyConstraint(
            ["partner_id", "changed_by_id"],
            ["member.partner_id", "member.member_id"],
            name=op.f("fk_client_change_member"),
        ),
        sa.PrimaryKeyConstraint("partner_id", "client_id", "number", "what", name=op.f("pk_client_change")),
        sqlite_with_rowid=False,
    )
    postgresql = op.get_context().dialect.name == "postgresql"
    op.execute("DROP TRIGGER subscription_facts_never_changed" + (" ON subscription" if postgresql else ""))
    for name, when in _FORBIDDEN.items():
        if postgresql:
            op.execute(f"CREATE TRIGGER {name} {when} EXECUTE FUNCTION refuse_change()")
        else:
            op.execute(
                f"CREATE TRIGGER {name} {when} BEGIN SELECT RAISE(ABORT, 'this row is never changed or deleted'); END"
            )
