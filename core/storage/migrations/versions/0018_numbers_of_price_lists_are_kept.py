"""no number of a price list is given twice: the highest of each currency is kept, also when its list is withdrawn"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
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
