"""The table of default settings, and the columns of settings that it shares with the subscriptions."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint
from sqlalchemy.orm import Mapped, composite, declared_attr, mapped_column, relationship

from core.members import Member
from core.storage import ROWS_IN_KEY_ORDER, Base, Codes, Instant, word
from core.words import BillingPeriod, BillingSettings, Payer, Setting


class SettingsColumns:
    """The columns of the settings, all decided; of default settings and of subscriptions."""

    payer: Mapped[Payer] = mapped_column(word(Payer, "payer"))
    billing_period: Mapped[BillingPeriod] = mapped_column(word(BillingPeriod, "billing_period"))
    plan: Mapped[str] = mapped_column(ForeignKey("plan.plan"))
    add_ons: Mapped[frozenset[str]] = mapped_column(Codes)

    @declared_attr
    def settings(cls) -> Mapped[BillingSettings]:  # noqa: N805 - declared for each table
        """All of them as one value."""
        return composite(BillingSettings, *(setting.value for setting in Setting))


class DefaultSettings(SettingsColumns, Base):
    """A version of what the next invited client gets. Immutable: triggers refuse to change or delete it (rule 2)."""

    __tablename__ = "default_settings"
    __table_args__ = (
        ForeignKeyConstraint(["partner_id", "saved_by_id"], ["member.partner_id", "member.member_id"]),
        CheckConstraint("version >= 1", name="version"),
        ROWS_IN_KEY_ORDER,
    )

    partner_id: Mapped[int] = mapped_column(ForeignKey("partner.partner_id"), primary_key=True, autoincrement=False)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    saved_by_id: Mapped[int]
    saved_at: Mapped[datetime] = mapped_column(Instant)
    note: Mapped[str] = mapped_column(default="")

    saved_by: Mapped[Member] = relationship(lazy="raise", viewonly=True)
