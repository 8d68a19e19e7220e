"""a partner's time zone and currency stay once a client has been active"""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_NAME = "partner_time_zone_and_currency_stay"
_WHEN = "BEFORE UPDATE OF time_zone, currency ON partner FOR EACH ROW"
_OTHER = "NEW.time_zone <> OLD.time_zone OR NEW.currency <> OLD.currency"
_ACTIVE = "EXISTS (SELECT 1 FROM subscription WHERE partner_id = OLD.partner_id AND status = 'active')"
_REFUSED = "a client of this partner has been active: its time zone and currency stay"


def upgrade() -> None:
    if op.get_context().dialect.name != "postgresql":
        op.execute(
            f"CREATE TRIGGER {_NAME} {_WHEN} WHEN ({_OTHER}) AND {_ACTIVE} BEGIN SELECT RAISE(ABORT, '{_REFUSED}'); END"
        )
        return
    op.execute(
        "CREATE OR REPLACE FUNCTION refuse_once_active() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF {_ACTIVE} THEN RAISE EXCEPTION '{_REFUSED}' USING ERRCODE = 'integrity_constraint_violation'; END IF; "
        "RETURN NEW; END $$"
    )
    op.execute(f"CREATE TRIGGER {_NAME} {_WHEN} WHEN ({_OTHER}) EXECUTE FUNCTION refuse_once_active()")
