"""The tables of the catalogue. They belong to no partner: what every partner space sells, and its prices."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Date, ForeignKey, ForeignKeyConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.storage import Base, Instant, word
from core.words import BillingPeriod


class CatalogueEdition(Base):
    """The one row that says which edition of the catalogue is in the tables, and whether it is sample data."""

    __tablename__ = "catalogue_edition"
    __table_args__ = (CheckConstraint("one = 1", name="one_row"),)

    one: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, default=1)
    edition: Mapped[int]
    is_sample: Mapped[bool]


class PlanRow(Base):
    """What is sold. Its names by language, empty where it has none; `position` is the order in lists."""

    __tablename__ = "plan"

    plan: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int]
    name_en: Mapped[str]
    name_fr: Mapped[str]
    name_nl: Mapped[str | None]
    is_retired: Mapped[bool]


class AddOnRow(Base):
    """What can be added to a plan that offers it."""

    __tablename__ = "add_on"

    add_on: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int]
    name_en: Mapped[str]
    name_fr: Mapped[str]
    name_nl: Mapped[str | None]
    is_retired: Mapped[bool]


class OfferRow(Base):
    """This add-on is offered with this plan."""

    __tablename__ = "plan_add_on"

    plan: Mapped[str] = mapped_column(ForeignKey("plan.plan"), primary_key=True)
    add_on: Mapped[str] = mapped_column(ForeignKey("add_on.add_on"), primary_key=True)


class PriceListRow(Base):
    """A price list of a currency and the days on which it begins (rule 39); who loaded it, empty for a shell.

    No trigger can tell whether a list has begun, since its days are those of the partners: `store` refuses to remove
    one that has. Triggers refuse to change what a list says. `content_hash` is empty for prices that were there before
    lists had days."""

    __tablename__ = "price_list"
    __table_args__ = (
        CheckConstraint("number >= 1", name="number"),
        CheckConstraint("renewals_from >= valid_from", name="renewals_from"),
        CheckConstraint("(loaded_by_partner_id IS NULL) = (loaded_by_id IS NULL)", name="loaded_by"),
        ForeignKeyConstraint(["loaded_by_partner_id", "loaded_by_id"], ["member.partner_id", "member.member_id"]),
    )

    currency: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    valid_from: Mapped[date] = mapped_column(Date)
    renewals_from: Mapped[date | None] = mapped_column(Date)
    content_hash: Mapped[str | None]
    loaded_at: Mapped[datetime] = mapped_column(Instant)
    loaded_by_partner_id: Mapped[int | None]
    loaded_by_id: Mapped[int | None]


class PriceListNumber(Base):
    """The highest number that a price list of a currency ever had: what was withdrawn gives its number to no other."""

    __tablename__ = "price_list_number"
    __table_args__ = (CheckConstraint("last >= 1", name="last"),)

    currency: Mapped[str] = mapped_column(primary_key=True)
    last: Mapped[int]


class PlanPriceRow(Base):
    """What a plan costs per billing period by a price list, in cents. The item is no foreign key: a list
    keeps what it said of one that is removed."""

    __tablename__ = "plan_price"
    __table_args__ = (
        CheckConstraint("cents >= 0", name="cents"),
        ForeignKeyConstraint(["currency", "number"], ["price_list.currency", "price_list.number"]),
    )

    currency: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    plan: Mapped[str] = mapped_column(primary_key=True)
    billing_period: Mapped[BillingPeriod] = mapped_column(word(BillingPeriod, "billing_period"), primary_key=True)
    cents: Mapped[int]


class AddOnPriceRow(Base):
    """What an add-on costs per billing period by a price list, in cents. The item is no foreign key: a list
    keeps what it said of one that is removed."""

    __tablename__ = "add_on_price"
    __table_args__ = (
        CheckConstraint("cents >= 0", name="cents"),
        ForeignKeyConstraint(["currency", "number"], ["price_list.currency", "price_list.number"]),
    )

    currency: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    add_on: Mapped[str] = mapped_column(primary_key=True)
    billing_period: Mapped[BillingPeriod] = mapped_column(word(BillingPeriod, "billing_period"), primary_key=True)
    cents: Mapped[int]
