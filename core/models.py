"""The tables and their constraints. Every key of a partner's data begins with `partner_id`."""

from datetime import datetime
from enum import StrEnum
from itertools import combinations

from sqlalchemy import (
    CheckConstraint,
    Enum,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    MetaData,
    Text,
    text,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from core.columns import Codes, Instant, Settings, settings_as_text
from core.resolution import BillingSettings
from core.terms import BillingPeriod, ClientStatus, Origin, Payer, Role, Setting

_BINARY_ORDER = Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")  # both databases sort names alike
_SETS_OF_SETTINGS = [
    settings_as_text(frozenset(chosen)) for size in range(len(Setting) + 1) for chosen in combinations(Setting, size)
]
_ALL_SETTINGS = settings_as_text(frozenset(Setting))
ROWS_IN_KEY_ORDER = {"sqlite_with_rowid": False}
VACUUM_AFTER_BULK = {"postgresql_with": {"autovacuum_vacuum_insert_scale_factor": 0.02}}


def word(terms: type[StrEnum], name: str) -> Enum:
    """A term stored by value, with a CHECK of that name."""
    return Enum(
        terms, name=name, native_enum=False, create_constraint=True, length=20,
        values_callable=lambda members: [member.value for member in members],
    )  # fmt: skip


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "fk": "fk_%(table_name)s_%(referred_table_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        }
    )


class Partner(Base):
    """An accounting firm. `change_number` counts its changes; holding this row is a writer's turn (access.act)."""

    __tablename__ = "partner"
    __table_args__ = (CheckConstraint("length(currency) = 3", name="currency"),)

    partner_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str]
    currency: Mapped[str]
    time_zone: Mapped[str]
    change_number: Mapped[int] = mapped_column(default=0)
    last_client_id: Mapped[int] = mapped_column(default=0)
    last_batch: Mapped[int] = mapped_column(default=0, server_default="0")


class Member(Base):
    """A person working at a partner."""

    __tablename__ = "member"
    __table_args__ = (Index("uq_member_email", "partner_id", "email", unique=True),)

    partner_id: Mapped[int] = mapped_column(ForeignKey("partner.partner_id"), primary_key=True, autoincrement=False)
    member_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str]
    email: Mapped[str]
    role: Mapped[Role] = mapped_column(word(Role, "role"))
    client_access: Mapped[bool] = mapped_column(default=True)
    is_active: Mapped[bool] = mapped_column(default=True)
    language: Mapped[str | None]

    partner: Mapped[Partner] = relationship(lazy="raise")


class FourSettings:
    """The four settings, all decided. A fifth is a column here, a word in `Setting` and a line in resolution."""

    payer: Mapped[Payer] = mapped_column(word(Payer, "payer"))
    billing_period: Mapped[BillingPeriod] = mapped_column(word(BillingPeriod, "billing_period"))
    plan: Mapped[str] = mapped_column(ForeignKey("plan.plan"))
    add_ons: Mapped[frozenset[str]] = mapped_column(Codes)

    @property
    def settings(self) -> BillingSettings:
        return BillingSettings(self.payer, self.billing_period, self.plan, self.add_ons)


class DefaultSettings(FourSettings, Base):
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


class Client(Base):
    """A company the partner works for: who it is. What holds for it is its current subscription."""

    __tablename__ = "client"
    __table_args__ = (
        CheckConstraint("name <> ''", name="name"),
        CheckConstraint("email = lower(email)", name="email"),
        Index("uq_client_email", "partner_id", "email", unique=True),
        Index("ix_client_search", "partner_id", "sort_name", "client_id", "email", "company_number"),
        ROWS_IN_KEY_ORDER | VACUUM_AFTER_BULK,
    )

    partner_id: Mapped[int] = mapped_column(ForeignKey("partner.partner_id"), primary_key=True, autoincrement=False)
    client_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str]
    sort_name: Mapped[str] = mapped_column(_BINARY_ORDER)
    email: Mapped[str]
    company_number: Mapped[str | None]
    contact_name: Mapped[str] = mapped_column(default="")
    language: Mapped[str]
    country: Mapped[str] = mapped_column(default="", server_default="")  # ISO 3166 alpha-2; "": not told
    vat_number: Mapped[str | None]
    external_reference: Mapped[str] = mapped_column(default="", server_default="")


class Subscription(FourSettings, Base):
    """What held for a client from `valid_from` until `valid_to` (NULL = holds now), in full; who made it so and why.

    Rows are only ever added, and closed when the next begins: the present, the past and the audit in one table.
    `overridden` says which settings are choices; the others equal those of `defaults_version`.
    """

    __tablename__ = "subscription"
    __table_args__ = (
        ForeignKeyConstraint(["partner_id", "client_id"], ["client.partner_id", "client.client_id"]),
        ForeignKeyConstraint(
            ["partner_id", "defaults_version"], ["default_settings.partner_id", "default_settings.version"]
        ),
        ForeignKeyConstraint(["partner_id", "changed_by_id"], ["member.partner_id", "member.member_id"]),
        CheckConstraint("revision >= 1", name="revision"),
        CheckConstraint("valid_to > valid_from", name="valid_to"),
        CheckConstraint("changed_by_id IS NOT NULL OR origin = 'system'", name="changed_by"),
        CheckConstraint(
            "overridden IN ({})".format(", ".join(f"'{chosen}'" for chosen in _SETS_OF_SETTINGS)), name="overridden"
        ),
        CheckConstraint(f"defaults_version IS NOT NULL OR overridden = '{_ALL_SETTINGS}'", name="bound_or_chosen"),
        Index("uq_subscription_current", "partner_id", "client_id", unique=True,
              sqlite_where=text("valid_to IS NULL"), postgresql_where=text("valid_to IS NULL")),
        Index("ix_subscription_list", "partner_id", "sort_name", "client_id", "plan", "billing_period", "payer",
              "overridden", "status", "defaults_version", "valid_to",
              sqlite_where=text("valid_to IS NULL"), postgresql_where=text("valid_to IS NULL")),
        Index("ix_subscription_newest", "partner_id", "client_id", "plan", "billing_period", "payer",
              "overridden", "status", "defaults_version", "valid_to",
              sqlite_where=text("valid_to IS NULL"), postgresql_where=text("valid_to IS NULL")),
        Index("ix_subscription_distribution", "partner_id", "plan", "billing_period", "payer", "add_ons",
              "overridden", "status", "defaults_version", "valid_from", "valid_to"),
        ROWS_IN_KEY_ORDER | VACUUM_AFTER_BULK,
    )  # fmt: skip

    partner_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    client_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    revision: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    valid_from: Mapped[datetime] = mapped_column(Instant)
    valid_to: Mapped[datetime | None] = mapped_column(Instant)
    status: Mapped[ClientStatus] = mapped_column(word(ClientStatus, "status"))
    sort_name: Mapped[str] = mapped_column(_BINARY_ORDER)  # the client's, copied for the list index
    overridden: Mapped[frozenset[Setting]] = mapped_column(Settings)
    defaults_version: Mapped[int | None]
    changed_by_id: Mapped[int | None]
    origin: Mapped[Origin] = mapped_column(word(Origin, "origin"))
    reason: Mapped[str] = mapped_column(default="")
    batch: Mapped[int | None]  # the import that brought the client in


class Invitation(Base):
    """One time a client was asked in. Where it stands is told by its instants, so a lapse needs no job."""

    __tablename__ = "invitation"
    __table_args__ = (
        ForeignKeyConstraint(["partner_id", "client_id"], ["client.partner_id", "client.client_id"]),
        ForeignKeyConstraint(["partner_id", "invited_by_id"], ["member.partner_id", "member.member_id"]),
        CheckConstraint("expires_at > invited_at", name="expires_at"),
        CheckConstraint("accepted_at IS NULL OR revoked_at IS NULL", name="one_answer"),
        ROWS_IN_KEY_ORDER | VACUUM_AFTER_BULK,
    )

    partner_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    client_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    invited_by_id: Mapped[int]
    invited_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant)
    accepted_at: Mapped[datetime | None] = mapped_column(Instant)
    revoked_at: Mapped[datetime | None] = mapped_column(Instant)
    message: Mapped[str] = mapped_column(default="")
    attempt: Mapped[str] = mapped_column(default="")  # the form that sent it, so that sent twice is known as once
    token_hash: Mapped[str | None]  # of the link sent last; the link itself is nowhere but in a message that waits
    revoked_by_id: Mapped[int | None]


class DemoSpace(Base):
    """The mark of a database that demo mode made."""

    __tablename__ = "demo_space"

    partner_id: Mapped[int] = mapped_column(ForeignKey("partner.partner_id"), primary_key=True, autoincrement=False)
    made_at: Mapped[datetime] = mapped_column(Instant)
