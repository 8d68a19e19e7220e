"""plans and add-ons may have a name in Dutch"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("plan", "add_on"):
        op.add_column(table, sa.Column("name_nl", sa.String(), nullable=True))
