"""the demo is shown as a day to come"""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "ALTER TABLE demo_space ADD COLUMN ahead INTEGER DEFAULT 0 NOT NULL "
        "CONSTRAINT ck_demo_space_ahead CHECK (ahead >= 0)"
    )
