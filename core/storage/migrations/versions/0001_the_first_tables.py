"""the first tables"""

import sqlalchemy as sa
from alembic import op

# instants: whole microseconds since 1970 on SQLite
INSTANT = sa.DateTime(timezone=True).with_variant(sa.BigInteger(), "sqlite")

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "add_on",
        sa.Column("add_on", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name_en", sa.String(), nullable=False),
        sa.Column("name_fr", sa.String(), nullable=False),
        sa.Column("is_retired", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("add_on", name=op.f("pk_add_on")),
    )
    op.create_table(
        "catalogue_edition",
        sa.Column("one", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("edition", sa.Integer(), nullable=False),
        sa.Column("is_sample", sa.Boolean(), nullable=False),
        sa.CheckConstraint("one = 1", name=op.f("ck_catalogue_edition_one_row")),
        sa.PrimaryKeyConstraint("one", name=op.f("pk_catalogue_edition")),
    )
    op.create_table(
        "partner",
        sa.Column("partner_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("time_zone", sa.String(), nullable=False),
        sa.Column("change_number", sa.Integer(), nullable=False),
        sa.Column("last_client_id", sa.Integer(), nullable=False),
        sa.CheckConstraint("length(currency) = 3", name=op.f("ck_partner_currency")),
        sa.PrimaryKeyConstraint("partner_id", name=op.f("pk_partner")),
    )
    op.create_table(
        "plan",
        sa.Column("plan", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name_en", sa.String(), nullable=False),
        sa.Column("name_fr", sa.String(), nullable=False),
        sa.Column("is_retired", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("plan", name=op.f("pk_plan")),
    )
    op.create_table(
        "add_on_price",
        sa.Column("add_on", sa.String(), nullable=False),
        sa.Column(
            "billing_period",
            sa.Enum("monthly", "yearly", name="billing_period", native_enum=False, create_constraint=True, length=20),
            nullable=False,
        ),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("cents", sa.Integer(), nullable=False),
        sa.CheckConstraint("cents >= 0", name=op.f("ck_add_on_price_cents")),
        sa.ForeignKeyConstraint(["add_on"], ["add_on.add_on"], name=op.f("fk_add_on_price_add_on")),
        sa.PrimaryKeyConstraint("add_on", "billing_period", "currency", name=op.f("pk_add_on_price")),
    )
    op.create_table(
        "client",
        sa.Column("partner_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("client_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("sort_name", sa.Text().with_variant(sa.TEXT(collation="C"), "postgresql"), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("company_number", sa.String(), nullable=True),
        sa.Column("contact_name", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.CheckConstraint("name <> ''", name=op.f("ck_client_name")),
        sa.CheckConstraint("email = lower(email)", name=op.f("ck_client_email")),
        sa.ForeignKeyConstraint(["partner_id"], ["partner.partner_id"], name=op.f("fk_client_partner")),
        sa.PrimaryKeyConstraint("partner_id", "client_id", name=op.f("pk_client")),
        postgresql_with={"autovacuum_vacuum_insert_scale_factor": 0.02},
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_client_search", "client", ["partner_id", "sort_name", "client_id", "email", "company_number"], unique=False
    )
    op.create_index("uq_client_email", "client", ["partner_id", "email"], unique=True)

    op.create_table(
        "demo_space",
        sa.Column("partner_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("made_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["partner_id"], ["partner.partner_id"], name=op.f("fk_demo_space_partner")),
        sa.PrimaryKeyConstraint("partner_id", name=op.f("pk_demo_space")),
    )
    op.create_table(
        "member",
        sa.Column("partner_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("member_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column(
            "role",
            sa.Enum(
                "administrator",
                "client_manager",
                "accountant",
                "finance",
                name="role",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("client_access", sa.Boolean(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("language", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["partner_id"], ["partner.partner_id"], name=op.f("fk_member_partner")),
        sa.PrimaryKeyConstraint("partner_id", "member_id", name=op.f("pk_member")),
    )
    op.create_index("uq_member_email", "member", ["partner_id", "email"], unique=True)

    op.create_table(
        "plan_add_on",
        sa.Column("plan", sa.String(), nullable=False),
        sa.Column("add_on", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["add_on"], ["add_on.add_on"], name=op.f("fk_plan_add_on_add_on")),
        sa.ForeignKeyConstraint(["plan"], ["plan.plan"], name=op.f("fk_plan_add_on_plan")),
        sa.PrimaryKeyConstraint("plan", "add_on", name=op.f("pk_plan_add_on")),
    )
    op.create_table(
        "plan_price",
        sa.Column("plan", sa.String(), nullable=False),
        sa.Column(
            "billing_period",
            sa.Enum("monthly", "yearly", name="billing_period", native_enum=False, create_constraint=True, length=20),
            nullable=False,
        ),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("cents", sa.Integer(), nullable=False),
        sa.CheckConstraint("cents >= 0", name=op.f("ck_plan_price_cents")),
        sa.ForeignKeyConstraint(["plan"], ["plan.plan"], name=op.f("fk_plan_price_plan")),
        sa.PrimaryKeyConstraint("plan", "billing_period", "currency", name=op.f("pk_plan_price")),
    )
    op.create_table(
        "default_settings",
        sa.Column("partner_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("saved_by_id", sa.Integer(), nullable=False),
        sa.Column("saved_at", INSTANT, nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column(
            "payer",
            sa.Enum("partner", "client", name="payer", native_enum=False, create_constraint=True, length=20),
            nullable=False,
        ),
        sa.Column(
            "billing_period",
            sa.Enum("monthly", "yearly", name="billing_period", native_enum=False, create_constraint=True, length=20),
            nullable=False,
        ),
        sa.Column("plan", sa.String(), nullable=False),
        sa.Column("add_ons", sa.Text(), nullable=False),
        sa.CheckConstraint("version >= 1", name=op.f("ck_default_settings_version")),
        sa.ForeignKeyConstraint(
            ["partner_id", "saved_by_id"],
            ["member.partner_id", "member.member_id"],
            name=op.f("fk_default_settings_member"),
        ),
        sa.ForeignKeyConstraint(["partner_id"], ["partner.partner_id"], name=op.f("fk_default_settings_partner")),
        sa.ForeignKeyConstraint(["plan"], ["plan.plan"], name=op.f("fk_default_settings_plan")),
        sa.PrimaryKeyConstraint("partner_id", "version", name=op.f("pk_default_settings")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "invitation",
        sa.Column("partner_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("client_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("invited_by_id", sa.Integer(), nullable=False),
        sa.Column("invited_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("accepted_at", INSTANT, nullable=True),
        sa.Column("revoked_at", INSTANT, nullable=True),
        sa.Column("message", sa.String(), nullable=False),
        sa.Column("attempt", sa.String(), nullable=False),
        sa.CheckConstraint("accepted_at IS NULL OR revoked_at IS NULL", name=op.f("ck_invitation_one_answer")),
        sa.CheckConstraint("expires_at > invited_at", name=op.f("ck_invitation_expires_at")),
        sa.ForeignKeyConstraint(
            ["partner_id", "client_id"], ["client.partner_id", "client.client_id"], name=op.f("fk_invitation_client")
        ),
        sa.ForeignKeyConstraint(
            ["partner_id", "invited_by_id"],
            ["member.partner_id", "member.member_id"],
            name=op.f("fk_invitation_member"),
        ),
        sa.PrimaryKeyConstraint("partner_id", "client_id", "number", name=op.f("pk_invitation")),
        postgresql_with={"autovacuum_vacuum_insert_scale_factor": 0.02},
        sqlite_with_rowid=False,
    )
    op.create_table(
        "subscription",
        sa.Column("partner_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("client_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("revision", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("valid_from", INSTANT, nullable=False),
        sa.Column("valid_to", INSTANT, nullable=True),
        sa.Column(
            "status",
            sa.Enum(
                "invited", "active", "archived", name="status", native_enum=False, create_constraint=True, length=20
            ),
            nullable=False,
        ),
        sa.Column("sort_name", sa.Text().with_variant(sa.TEXT(collation="C"), "postgresql"), nullable=False),
        sa.Column("overridden", sa.Text(), nullable=False),
        sa.Column("defaults_version", sa.Integer(), nullable=True),
        sa.Column("changed_by_id", sa.Integer(), nullable=True),
        sa.Column(
            "origin",
            sa.Enum(
                "page", "import", "bulk", "system", name="origin", native_enum=False, create_constraint=True, length=20
            ),
            nullable=False,
        ),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column(
            "payer",
            sa.Enum("partner", "client", name="payer", native_enum=False, create_constraint=True, length=20),
            nullable=False,
        ),
        sa.Column(
            "billing_period",
            sa.Enum("monthly", "yearly", name="billing_period", native_enum=False, create_constraint=True, length=20),
            nullable=False,
        ),
        sa.Column("plan", sa.String(), nullable=False),
        sa.Column("add_ons", sa.Text(), nullable=False),
        sa.CheckConstraint("changed_by_id IS NOT NULL OR origin = 'system'", name=op.f("ck_subscription_changed_by")),
        sa.CheckConstraint(
            "defaults_version IS NOT NULL OR overridden = 'payer;billing_period;plan;add_ons'",
            name=op.f("ck_subscription_bound_or_chosen"),
        ),
        sa.CheckConstraint(
            "overridden IN ('', 'payer', 'billing_period', 'plan', 'add_ons', 'payer;billing_period', 'payer;plan', 'payer;add_ons', 'billing_period;plan', 'billing_period;add_ons', 'plan;add_ons', 'payer;billing_period;plan', 'payer;billing_period;add_ons', 'payer;plan;add_ons', 'billing_period;plan;add_ons', 'payer;billing_period;plan;add_ons')",
            name=op.f("ck_subscription_overridden"),
        ),
        sa.CheckConstraint("revision >= 1", name=op.f("ck_subscription_revision")),
        sa.CheckConstraint("valid_to > valid_from", name=op.f("ck_subscription_valid_to")),
        sa.ForeignKeyConstraint(
            ["partner_id", "changed_by_id"],
            ["member.partner_id", "member.member_id"],
            name=op.f("fk_subscription_member"),
        ),
        sa.ForeignKeyConstraint(
            ["partner_id", "client_id"], ["client.partner_id", "client.client_id"], name=op.f("fk_subscription_client")
        ),
        sa.ForeignKeyConstraint(
            ["partner_id", "defaults_version"],
            ["default_settings.partner_id", "default_settings.version"],
            name=op.f("fk_subscription_default_settings"),
        ),
        sa.ForeignKeyConstraint(["plan"], ["plan.plan"], name=op.f("fk_subscription_plan")),
        sa.PrimaryKeyConstraint("partner_id", "client_id", "revision", name=op.f("pk_subscription")),
        postgresql_with={"autovacuum_vacuum_insert_scale_factor": 0.02},
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_subscription_distribution",
        "subscription",
        [
            "partner_id",
            "plan",
            "billing_period",
            "payer",
            "add_ons",
            "overridden",
            "status",
            "defaults_version",
            "valid_from",
            "valid_to",
        ],
        unique=False,
    )
    op.create_index(
        "ix_subscription_list",
        "subscription",
        [
            "partner_id",
            "sort_name",
            "client_id",
            "plan",
            "billing_period",
            "payer",
            "overridden",
            "status",
            "defaults_version",
            "valid_to",
        ],
        unique=False,
        sqlite_where=sa.text("valid_to IS NULL"),
        postgresql_where=sa.text("valid_to IS NULL"),
    )
    op.create_index(
        "ix_subscription_newest",
        "subscription",
        [
            "partner_id",
            "client_id",
            "plan",
            "billing_period",
            "payer",
            "overridden",
            "status",
            "defaults_version",
            "valid_to",
        ],
        unique=False,
        sqlite_where=sa.text("valid_to IS NULL"),
        postgresql_where=sa.text("valid_to IS NULL"),
    )
    op.create_index(
        "uq_subscription_current",
        "subscription",
        ["partner_id", "client_id"],
        unique=True,
        sqlite_where=sa.text("valid_to IS NULL"),
        postgresql_where=sa.text("valid_to IS NULL"),
    )

    _keep_history()


_NEVER = "is never changed or deleted"
_FACTS = (
    "partner_id, client_id, revision, valid_from, status, sort_name, overridden, defaults_version, changed_by_id, "
    "origin, reason, payer, billing_period, plan, add_ons"
)
_FORBIDDEN = {
    "default_settings_never_changed": "BEFORE UPDATE ON default_settings",
    "default_settings_never_deleted": "BEFORE DELETE ON default_settings",
    "subscription_facts_never_changed": f"BEFORE UPDATE OF {_FACTS} ON subscription",
    "subscription_never_deleted": "BEFORE DELETE ON subscription",
}
_CLOSED_ONCE = "BEFORE UPDATE OF valid_to ON subscription FOR EACH ROW WHEN (OLD.valid_to IS NOT NULL)"


def _keep_history() -> None:
    """Triggers: versions and revisions are added, a revision is closed once, and nothing else is done to them."""
    forbidden = {name: f"{when} FOR EACH ROW" for name, when in _FORBIDDEN.items()}
    forbidden["subscription_closed_once"] = _CLOSED_ONCE
    if op.get_context().dialect.name == "postgresql":
        op.execute(
            "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"RAISE EXCEPTION 'a row of % {_NEVER}', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation'; "
            "END $$"
        )
    for name, when in forbidden.items():
        if op.get_context().dialect.name == "postgresql":
            op.execute(f"CREATE TRIGGER {name} {when} EXECUTE FUNCTION refuse_change()")
        else:
            op.execute(f"CREATE TRIGGER {name} {when} BEGIN SELECT RAISE(ABORT, 'this row {_NEVER}'); END")
