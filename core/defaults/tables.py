"""The tables of default sets and their versions, and the columns of settings that these share with the
subscriptions."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index
from sqlalchemy.orm import Mapped, composite, declared_attr, mapped_column, relationship

from core.defaults.resolution import SetVersion
from core.members import Member
from core.storage import ROWS_IN_KEY_ORDER, Base, Codes, Instant, word
from core.words import BillingPeriod, BillingSettings, Payer, SetChange, Setting


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


class DefaultSet(Base):
    """Defaults under a name, with versions of their own (rule 16). `folded_name` is its name as names are compared.
    Nothing is bound to a name; which one is the standard set is said by the partner."""

    __tablename__ = "default_set"
    __table_args__ = (
        CheckConstraint("set_number >= 1", name="set_number"),
        CheckConstraint("name <> ''", name="name"),
        Index("uq_default_set_name", "partner_id", "folded_name", unique=True),
        ROWS_IN_KEY_ORDER,
    )

    partner_id: Mapped[int] = mapped_column(ForeignKey("partner.partner_id"), primary_key=True, autoincrement=False)
    set_number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str]
    folded_name: Mapped[str]
    retired_at: Mapped[datetime | None] = mapped_column(Instant)  # None: it can be picked


class DefaultSetChange(Base):
    """Something that was done with a default set: it was named (made, where there was no name `before`), made the
    standard set, retired or brought back. `number` counts those of a set. Immutable, as versions are."""

    __tablename__ = "default_set_change"
    __table_args__ = (
        ForeignKeyConstraint(["partner_id", "set_number"], ["default_set.partner_id", "default_set.set_number"]),
        ForeignKeyConstraint(["partner_id", "changed_by_id"], ["member.partner_id", "member.member_id"]),
        CheckConstraint("number >= 1", name="number"),
        CheckConstraint("(what = 'named') = (after IS NOT NULL)", name="after"),
        ROWS_IN_KEY_ORDER,
    )

    partner_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    set_number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    what: Mapped[SetChange] = mapped_column(word(SetChange, "what"))
    before: Mapped[str | None]  # its name
    after: Mapped[str | None]
    changed_at: Mapped[datetime] = mapped_column(Instant)
    changed_by_id: Mapped[int]

    changed_by: Mapped[Member] = relationship(lazy="raise", viewonly=True)


class DefaultSettings(SettingsColumns, Base):
    """A version of what a client invited on this set gets. Immutable: triggers refuse to change or delete it (rule
    2)."""

    __tablename__ = "default_settings"
    __table_args__ = (
        ForeignKeyConstraint(["partner_id", "set_number"], ["default_set.partner_id", "default_set.set_number"]),
        ForeignKeyConstraint(["partner_id", "saved_by_id"], ["member.partner_id", "member.member_id"]),
        CheckConstraint("version >= 1", name="version"),
        ROWS_IN_KEY_ORDER,
    )

    partner_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    set_number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    saved_by_id: Mapped[int]
    saved_at: Mapped[datetime] = mapped_column(Instant)
    note: Mapped[str] = mapped_column(default="")

    saved_by: Mapped[Member] = relationship(lazy="raise", viewonly=True)

    @property
    def bound(self) -> SetVersion:
        """What binds a client to it: its set and its number."""
        return SetVersion(self.set_number, self.version)
