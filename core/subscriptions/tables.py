"""The tables of the clients, of the edits of who they are, and of how each is and was billed."""

from collections.abc import Mapping
from datetime import datetime
from itertools import combinations
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from core.defaults import SettingsColumns, SetVersion, bound_to
from core.storage import (
    BINARY_ORDER,
    ROWS_IN_KEY_ORDER,
    VACUUM_AFTER_BULK,
    Base,
    Instant,
    Settings,
    settings_as_text,
    word,
)
from core.words import BatchKind, ClientDetail, ClientStatus, Origin, Setting, search_words

_SETS_OF_SETTINGS = [
    settings_as_text(frozenset(chosen)) for size in range(len(Setting) + 1) for chosen in combinations(Setting, size)
]
_ALL_SETTINGS = settings_as_text(frozenset(Setting))

# the settings of one value, in the order of the indexes: what filters narrow by, and what groups stream by
_INDEXED_FIRST = (Setting.PLAN, Setting.BILLING_PERIOD, Setting.PAYER)
INDEXED_SETTINGS = (*_INDEXED_FIRST, *(s for s in Setting if s not in {*_INDEXED_FIRST, Setting.ADD_ONS}))
# what holds now is read of every row that is walked, so it comes first: SQLite reads a row up to what it needs
_LISTED = (
    "valid_to", "valid_from", "may_hold", *INDEXED_SETTINGS, "overridden", "status", "set_number",
    "defaults_version", "responsible_id",
)  # fmt: skip
_GROUPED = (
    *INDEXED_SETTINGS, "add_ons", "overridden", "status", "price_list", "set_number", "defaults_version",
    "anchor_day", "anchor_month", "responsible_id", "valid_from", "valid_to",
)  # fmt: skip


def _where(condition: str, on_sqlite: str = "") -> dict[str, Any]:
    return {"sqlite_where": text(on_sqlite or condition), "postgresql_where": text(condition)}


_LAST = _where("valid_to IS NULL")
_IN_A_BATCH = _where("batch IS NOT NULL")
_MAY_HOLD = _where("may_hold", "may_hold = 1")  # SQLite takes an index whose words stand in the question


class Client(Base):
    """A company the partner works for: who it is. How it is billed is its current subscription.

    `search_text` is what a search looks in (see `searched_text`). Triggers keep an index of every three letters of it,
    beside the tables: the virtual table client_search of SQLite, the GIN index of that name on PostgreSQL.
    """

    __tablename__ = "client"
    __table_args__ = (
        CheckConstraint("name <> ''", name="name"),
        CheckConstraint("email = lower(email)", name="email"),
        Index("uq_client_email", "partner_id", "email", unique=True),
        Index("ix_client_search", "partner_id", "sort_name", "client_id", "search_text"),
        ROWS_IN_KEY_ORDER | VACUUM_AFTER_BULK,
    )

    partner_id: Mapped[int] = mapped_column(ForeignKey("partner.partner_id"), primary_key=True, autoincrement=False)
    client_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str]
    sort_name: Mapped[str] = mapped_column(BINARY_ORDER)
    email: Mapped[str]
    company_number: Mapped[str | None]
    contact_name: Mapped[str] = mapped_column(default="")
    language: Mapped[str]
    country: Mapped[str] = mapped_column(default="", server_default="")  # ISO 3166 alpha-2; "": not given
    vat_number: Mapped[str | None]
    external_reference: Mapped[str] = mapped_column(default="", server_default="")
    forgotten_at: Mapped[datetime | None] = mapped_column(Instant)  # since when nothing is known of who it was
    search_text: Mapped[str] = mapped_column(BINARY_ORDER, default="", server_default="")


def searched_text(of: Mapping[str, Any]) -> str:
    """What a search looks in: the words of a client's name, its e-mail and its numbers, two spaces before each, so that
    the beginning of a word is found by one letter or two. A company number has its country before it, Belgium where
    none is known."""
    country = of.get("country") or "BE"
    number, vat = ("".join(search_words(of.get(name) or "")) for name in ("company_number", "vat_number"))
    if number:
        number = country.lower() + number.removeprefix(country.lower())
    words = [*search_words(of["name"]), "".join(search_words(of["email"])), number, vat]
    return "".join(f"  {word}" for word in dict.fromkeys(words) if word)


class ClientChange(Base):
    """A detail of a client that was edited. `number` counts the edits of a client; one edit may change several
    details. Rows are only ever added; the texts of a forgotten client are replaced."""

    __tablename__ = "client_change"
    __table_args__ = (
        ForeignKeyConstraint(["partner_id", "client_id"], ["client.partner_id", "client.client_id"]),
        ForeignKeyConstraint(["partner_id", "changed_by_id"], ["member.partner_id", "member.member_id"]),
        CheckConstraint("number >= 1", name="number"),
        CheckConstraint("before <> after", name="after"),
        ROWS_IN_KEY_ORDER,
    )

    partner_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    client_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    what: Mapped[ClientDetail] = mapped_column(word(ClientDetail, "what"), primary_key=True)
    before: Mapped[str]  # "": it was not known
    after: Mapped[str]
    changed_at: Mapped[datetime] = mapped_column(Instant)
    changed_by_id: Mapped[int]
    origin: Mapped[Origin] = mapped_column(word(Origin, "origin"))
    reason: Mapped[str] = mapped_column(default="")


class Subscription(SettingsColumns, Base):
    """How a client is billed from `valid_from` until `valid_to` (NULL = nothing else is decided), in full; who decided
    it, when and why.

    Rows are only ever added, and closed when the next begins: the present, the past, what waits and the audit in one
    table. What holds at an instant is the row with valid_from <= instant < valid_to (rule 26): `instants.holds_now`. A
    row may begin later than `decided_at`; one that was withdrawn before it began ends where it begins (rule 33).
    `may_hold` is true while the row holds or may hold later, for the indexes: true for too long is slower, never wrong.
    `overridden` says which settings are choices; the others equal those of `defaults_version` in the default set
    `set_number`; both are NULL for one bound to none. The anchor and
    `price_list`, the purchase list (rules 23, 24 and 40), are those of an active client. `responsible_id` is no
    setting: it is a copy, kept in step while the row may hold, of what `Responsible` says.
    """

    __tablename__ = "subscription"
    __table_args__ = (
        ForeignKeyConstraint(["partner_id", "client_id"], ["client.partner_id", "client.client_id"]),
        ForeignKeyConstraint(
            ["partner_id", "set_number", "defaults_version"],
            ["default_settings.partner_id", "default_settings.set_number", "default_settings.version"],
        ),
        ForeignKeyConstraint(["partner_id", "changed_by_id"], ["member.partner_id", "member.member_id"]),
        CheckConstraint("revision >= 1", name="revision"),
        CheckConstraint("valid_to >= valid_from", name="valid_to"),
        CheckConstraint("may_hold OR valid_to IS NOT NULL", name="may_hold"),
        CheckConstraint(
            "(withdrawn_by IS NOT NULL) = (valid_to IS NOT NULL AND valid_to = valid_from)", name="withdrawn_by"
        ),
        CheckConstraint("valid_from >= decided_at", name="decided_at"),
        CheckConstraint("(status = 'active') = (anchor_day IS NOT NULL)", name="anchor_day"),
        CheckConstraint("anchor_day BETWEEN 1 AND 31 AND anchor_month BETWEEN 1 AND 12", name="anchor"),
        CheckConstraint(
            "(anchor_month IS NOT NULL) = (status = 'active' AND billing_period = 'yearly')", name="anchor_month"
        ),
        CheckConstraint("(status = 'active') = (price_list IS NOT NULL)", name="price_list"),
        CheckConstraint("changed_by_id IS NOT NULL OR origin = 'system'", name="changed_by"),
        CheckConstraint(
            "overridden IN ({})".format(", ".join(f"'{chosen}'" for chosen in _SETS_OF_SETTINGS)), name="overridden"
        ),
        CheckConstraint(f"defaults_version IS NOT NULL OR overridden = '{_ALL_SETTINGS}'", name="bound_or_chosen"),
        CheckConstraint("(set_number IS NULL) = (defaults_version IS NULL)", name="set_and_version"),
        Index("uq_subscription_last", "partner_id", "client_id", unique=True, **_LAST),
        Index("ix_subscription_list", "partner_id", "sort_name", "client_id", *_LISTED, **_MAY_HOLD),
        Index("ix_subscription_newest", "partner_id", "client_id", *_LISTED, **_MAY_HOLD),
        Index("ix_subscription_batch", "partner_id", "batch", "client_id", **_IN_A_BATCH),
        Index("ix_subscription_distribution", "partner_id", *_GROUPED),
        Index(
            "ix_subscription_pending",
            "partner_id",
            "valid_from",
            "client_id",
            "decided_at",
            "valid_to",
            **_where("valid_from > decided_at"),
        ),
        Index(
            "ix_subscription_outlived",
            "partner_id",
            "valid_to",
            "client_id",
            "revision",
            **_where("may_hold AND valid_to IS NOT NULL", "may_hold = 1 AND valid_to IS NOT NULL"),
        ),
        ROWS_IN_KEY_ORDER | VACUUM_AFTER_BULK,
    )

    partner_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    client_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    revision: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    valid_from: Mapped[datetime] = mapped_column(Instant)
    valid_to: Mapped[datetime | None] = mapped_column(Instant)
    status: Mapped[ClientStatus] = mapped_column(word(ClientStatus, "status"))
    sort_name: Mapped[str] = mapped_column(BINARY_ORDER)  # the client's now, copied for the list index
    responsible_id: Mapped[int | None]  # copied for the list index; None: closed before clients had a responsible
    overridden: Mapped[frozenset[Setting]] = mapped_column(Settings)
    set_number: Mapped[int | None]
    defaults_version: Mapped[int | None]
    changed_by_id: Mapped[int | None]
    origin: Mapped[Origin] = mapped_column(word(Origin, "origin"))
    reason: Mapped[str] = mapped_column(default="")
    batch: Mapped[int | None]  # the import or the bulk change in which it was written
    decided_at: Mapped[datetime] = mapped_column(Instant)
    anchor_day: Mapped[int | None]
    anchor_month: Mapped[int | None]  # None: it renews every month
    price_list: Mapped[int | None]
    may_hold: Mapped[bool] = mapped_column(default=True)
    withdrawn_by: Mapped[int | None]  # the revision of the decision that withdrew it

    @property
    def bound(self) -> SetVersion | None:
        """The version of a default set that it is bound to; None: to none."""
        return bound_to(self.set_number, self.defaults_version)


class Batch(Base):
    """One act on many clients (rule 45), imports too: what, by whom, when and why; how many were chosen: so many
    changed, and the others were left out. Immutable: triggers refuse to change or delete it.

    `asked` is what was asked for, as JSON in words of the product: the act and who was chosen. `digest` is that of what
    was previewed, `attempt` that of the form that asked (NULL: none was named).
    """

    __tablename__ = "batch"
    __table_args__ = (
        ForeignKeyConstraint(["partner_id", "by_id"], ["member.partner_id", "member.member_id"]),
        ForeignKeyConstraint(["partner_id", "undoes"], ["batch.partner_id", "batch.batch"]),
        CheckConstraint("batch >= 1", name="batch"),
        CheckConstraint("chosen = changed + left_out AND changed >= 0 AND left_out >= 0", name="chosen"),
        CheckConstraint("(kind = 'undo') = (undoes IS NOT NULL)", name="undoes"),
        CheckConstraint("kind = 'import' OR reason <> ''", name="reason"),
        Index("uq_batch_attempt", "partner_id", "attempt", unique=True),
        Index("uq_batch_undoes", "partner_id", "undoes", unique=True),
        ROWS_IN_KEY_ORDER,
    )

    partner_id: Mapped[int] = mapped_column(ForeignKey("partner.partner_id"), primary_key=True, autoincrement=False)
    batch: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    kind: Mapped[BatchKind] = mapped_column(word(BatchKind, "kind"))
    by_id: Mapped[int]
    done_at: Mapped[datetime] = mapped_column(Instant)
    reason: Mapped[str]
    attempt: Mapped[str | None]
    digest: Mapped[str]
    asked: Mapped[str]
    chosen: Mapped[int]
    changed: Mapped[int]
    left_out: Mapped[int]
    undoes: Mapped[int | None]


class Responsible(Base):
    """Who looked after a client from `valid_from` until `valid_to` (NULL = does so now); who decided it and why.

    Rows are only ever added, and closed when the next begins. Each client has exactly one that is open.
    """

    __tablename__ = "responsible"
    __table_args__ = (
        ForeignKeyConstraint(["partner_id", "client_id"], ["client.partner_id", "client.client_id"]),
        ForeignKeyConstraint(["partner_id", "member_id"], ["member.partner_id", "member.member_id"]),
        ForeignKeyConstraint(
            ["partner_id", "changed_by_id"],
            ["member.partner_id", "member.member_id"],
            name="fk_responsible_member_changed_by",
        ),
        CheckConstraint("valid_to > valid_from", name="valid_to"),
        CheckConstraint("changed_by_id IS NOT NULL OR origin = 'system'", name="changed_by"),
        Index("uq_responsible_current", "partner_id", "client_id", unique=True, **_LAST),
        Index("ix_responsible_batch", "partner_id", "batch", "client_id", **_IN_A_BATCH),
        Index("ix_responsible_member", "partner_id", "member_id", "client_id", "valid_to", **_LAST),
        ROWS_IN_KEY_ORDER | VACUUM_AFTER_BULK,
    )

    partner_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    client_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    valid_from: Mapped[datetime] = mapped_column(Instant, primary_key=True)
    valid_to: Mapped[datetime | None] = mapped_column(Instant)
    member_id: Mapped[int]
    changed_by_id: Mapped[int | None]
    origin: Mapped[Origin] = mapped_column(word(Origin, "origin"))
    reason: Mapped[str] = mapped_column(default="")
    batch: Mapped[int | None]  # the bulk change in which it was decided
