"""The table of what was chosen for lists whose headings did not say enough."""

from datetime import datetime

from sqlalchemy import ForeignKey, ForeignKeyConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.storage import ROWS_IN_KEY_ORDER, Base, Instant


class ChosenColumns(Base):
    """Which column of a list is which, as a member chose it last for lists with these headings. `headings` is a digest
    of them; `places` is JSON: for each of our columns its place from 0, "" where the list does not have it."""

    __tablename__ = "chosen_columns"
    __table_args__ = (
        ForeignKeyConstraint(["partner_id", "chosen_by_id"], ["member.partner_id", "member.member_id"]),
        ROWS_IN_KEY_ORDER,
    )

    partner_id: Mapped[int] = mapped_column(ForeignKey("partner.partner_id"), primary_key=True, autoincrement=False)
    headings: Mapped[str] = mapped_column(primary_key=True)
    places: Mapped[str]
    chosen_at: Mapped[datetime] = mapped_column(Instant)
    chosen_by_id: Mapped[int]
