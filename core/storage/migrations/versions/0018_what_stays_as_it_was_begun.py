"""a partner's time zone and currency stay once a client was active, and no number of a price list is given twice"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0013"
branch_labels = None
depends_on = None

_TRIGGER = "partner_calendar_and_currency_never_changed"
_OTHERWISE = "NEW.time_zone <> OLD.time_zone OR NEW.currency <> OLD.currency"
_ACTIVE = "EXISTS (SELECT 1 FROM subscription WHERE partner_id = OLD.partner_id AND status = 'active')"
_NEVER = "is never changed once a client was active"


def upgrade() -> None:
    _numbers()
    _trigger()


def _numbers() -> None:
    """The highest number of each currency is kept, so that one which is withdrawn from now on is not given again."""
    op.create_table(
        "price_list_number",
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.CheckConstraint("last >= 1", name=op.f("ck_price_list_number_last")),
        sa.PrimaryKeyConstraint("currency", name=op.f("pk_price_list_number")),
    )
    op.execute(
        "INSERT INTO price_list_number (currency, last) SELECT currency, max(number) FROM price_list GROUP BY currency"
    )


def _trigger() -> None:
    on = "BEFORE UPDATE OF time_zone, currency ON partner FOR EACH ROW"
    if op.get_context().dialect.name == "sqlite":
        refused = f"SELECT RAISE(ABORT, 'the time zone or currency of this partner {_NEVER}')"
        op.execute(f"CREATE TRIGGER {_TRIGGER} {on} WHEN (({_OTHERWISE}) AND {_ACTIVE}) BEGIN {refused}; END")
        return
    op.execute(
        "CREATE OR REPLACE FUNCTION refuse_once_active() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF NOT {_ACTIVE} THEN RETURN NEW; END IF; "
        f"RAISE EXCEPTION 'the time zone or currency of this % {_NEVER}', TG_TABLE_NAME "
        "USING ERRCODE = 'integrity_constraint_violation'; END $$"
    )
    op.execute(f"CREATE TRIGGER {_TRIGGER} {on} WHEN ({_OTHERWISE}) EXECUTE FUNCTION refuse_once_active()")
