"""The tables of the catalogue. They belong to no partner: reference data that every partner's rows point to."""

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from core.storage import Base, word
from core.words import BillingPeriod


class CatalogueEdition(Base):
    """The one row that says which edition of the catalogue is in the tables, and whether it is sample data."""

    __tablename__ = "catalogue_edition"
    __table_args__ = (CheckConstraint("one = 1", name="one_row"),)

    one: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, default=1)
    edition: Mapped[int]
    is_sample: Mapped[bool]


class PlanRow(Base):
    """What is sold. `names` by language; `position` is the order in lists."""

    __tablename__ = "plan"

    plan: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int]
    name_en: Mapped[str]
    name_fr: Mapped[str]
    is_retired: Mapped[bool]


class AddOnRow(Base):
    """What can be added to a plan that offers it."""

    __tablename__ = "add_on"

    add_on: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int]
    name_en: Mapped[str]
    name_fr: Mapped[str]
    is_retired: Mapped[bool]


class OfferRow(Base):
    """This add-on is offered with this plan."""

    __tablename__ = "plan_add_on"

    plan: Mapped[str] = mapped_column(ForeignKey("plan.plan"), primary_key=True)
    add_on: Mapped[str] = mapped_column(ForeignKey("add_on.add_on"), primary_key=True)


class PlanPriceRow(Base):
    """What a plan costs per billing period, in cents."""

    __tablename__ = "plan_price"
    __table_args__ = (CheckConstraint("cents >= 0", name="cents"),)

    plan: Mapped[str] = mapped_column(ForeignKey("plan.plan"), primary_key=True)
    billing_period: Mapped[BillingPeriod] = mapped_column(word(BillingPeriod, "billing_period"), primary_key=True)
    currency: Mapped[str] = mapped_column(primary_key=True)
    cents: Mapped[int]


class AddOnPriceRow(Base):
    """What an add-on costs per billing period, in cents."""

    __tablename__ = "add_on_price"
    __table_args__ = (CheckConstraint("cents >= 0", name="cents"),)

    add_on: Mapped[str] = mapped_column(ForeignKey("add_on.add_on"), primary_key=True)
    billing_period: Mapped[BillingPeriod] = mapped_column(word(BillingPeriod, "billing_period"), primary_key=True)
    currency: Mapped[str] = mapped_column(primary_key=True)
    cents: Mapped[int]
