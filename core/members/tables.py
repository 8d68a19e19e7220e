"""The tables of partner spaces, the members who work in them, the forms they sent, and their sign-ins."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.storage import ROWS_IN_KEY_ORDER, Base, Instant, word
from core.words import ActivityKind, MemberFact, Role, SignInKind


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
    standard_set: Mapped[int | None]  # the default set of whoever is invited without picking one; None: there is no set


class Member(Base):
    """A person working at a partner. The e-mail is in lower case; `last_seen_at` is kept to ten minutes."""

    __tablename__ = "member"
    __table_args__ = (
        Index("uq_member_email", "partner_id", "email", unique=True),
        Index("ix_member_email", "email"),
    )

    partner_id: Mapped[int] = mapped_column(ForeignKey("partner.partner_id"), primary_key=True, autoincrement=False)
    member_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str]
    email: Mapped[str]
    role: Mapped[Role] = mapped_column(word(Role, "role"))
    client_access: Mapped[bool] = mapped_column(default=True)
    is_active: Mapped[bool] = mapped_column(default=True)
    language: Mapped[str | None]
    last_seen_at: Mapped[datetime | None] = mapped_column(Instant)

    partner: Mapped[Partner] = relationship(lazy="raise")


class MemberChange(Base):
    """One fact of a member, from what to what. The rows of one change share its number; none is ever changed."""

    __tablename__ = "member_change"
    __table_args__ = (
        ForeignKeyConstraint(["partner_id", "member_id"], ["member.partner_id", "member.member_id"]),
        ForeignKeyConstraint(
            ["partner_id", "changed_by_id"], ["member.partner_id", "member.member_id"],
            name="fk_member_change_changed_by",
        ),
        ROWS_IN_KEY_ORDER,
    )  # fmt: skip

    partner_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    member_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    what: Mapped[MemberFact] = mapped_column(word(MemberFact, "what"), primary_key=True)
    before: Mapped[str | None]  # as stored; None: there was nothing
    after: Mapped[str | None]
    changed_at: Mapped[datetime] = mapped_column(Instant)
    changed_by_id: Mapped[int | None]  # None: from a shell


class FormSent(Base):
    """A form that a member sent and what came out, kept for some days (forms.py). `key` is a digest of who sent it, the
    form's own key, the act and what it said; `answer` is JSON."""

    __tablename__ = "form_sent"
    __table_args__ = (
        ForeignKeyConstraint(["partner_id", "member_id"], ["member.partner_id", "member.member_id"]),
        Index("ix_form_sent_oldest", "partner_id", "sent_at"),
        ROWS_IN_KEY_ORDER,
    )

    partner_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    key: Mapped[str] = mapped_column(primary_key=True)
    member_id: Mapped[int]
    act: Mapped[str]
    sent_at: Mapped[datetime] = mapped_column(Instant)
    answer: Mapped[str]


class Activity(Base):
    """Something that was done in a partner space and left no trace in its data. Rows are only ever added.

    It names no client but by number. `number` counts what was taken or sent; of a catalogue it is the edition.
    """

    __tablename__ = "activity"
    __table_args__ = (
        ForeignKeyConstraint(["partner_id", "member_id"], ["member.partner_id", "member.member_id"]),
        ROWS_IN_KEY_ORDER,
    )

    partner_id: Mapped[int] = mapped_column(ForeignKey("partner.partner_id"), primary_key=True, autoincrement=False)
    happened_at: Mapped[datetime] = mapped_column(Instant, primary_key=True)
    activity_id: Mapped[str] = mapped_column(primary_key=True)  # by chance: what is done at once needs no turn
    member_id: Mapped[int | None]  # None: from a shell
    what: Mapped[ActivityKind] = mapped_column(word(ActivityKind, "what"))
    client_id: Mapped[int | None]
    number: Mapped[int | None]


class DemoSpace(Base):
    """The mark of a database that demo mode made, and how many seconds ahead of the clock it is shown (core.demo)."""

    __tablename__ = "demo_space"
    __table_args__ = (CheckConstraint("ahead >= 0", name="ahead"),)

    partner_id: Mapped[int] = mapped_column(ForeignKey("partner.partner_id"), primary_key=True, autoincrement=False)
    made_at: Mapped[datetime] = mapped_column(Instant)
    ahead: Mapped[int] = mapped_column(default=0, server_default="0")


class MemberSignIn(Base):
    """The account at a sign-in provider (issuer and subject) that is this member, bound at its first sign-in."""

    __tablename__ = "member_sign_in"
    __table_args__ = (
        ForeignKeyConstraint(["partner_id", "member_id"], ["member.partner_id", "member.member_id"]),
        Index("uq_member_sign_in_account", "issuer", "subject", "partner_id", unique=True),
    )

    partner_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    member_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    issuer: Mapped[str]
    subject: Mapped[str]
    bound_at: Mapped[datetime] = mapped_column(Instant)

    @property
    def account(self) -> str:
        """The account as a change of the member names it."""
        return f"{self.subject} ({self.issuer})"


class EndedSignIns(Base):
    """Every sign-in of this account that the provider confirmed at `through` or before has ended: it signed out."""

    __tablename__ = "ended_sign_ins"

    issuer: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True)
    through: Mapped[datetime] = mapped_column(Instant)


class SignInEvent(Base):
    """Somebody signed in, signed out or was refused: which account, when, from where. Kept once for each sign-in, space
    and address; `partner_id` is empty for somebody who is a member nowhere."""

    __tablename__ = "sign_in_event"
    __table_args__ = (
        ForeignKeyConstraint(["partner_id", "member_id"], ["member.partner_id", "member.member_id"]),
        Index("ix_sign_in_event_newest", "partner_id", "happened_at"),
        Index("ix_sign_in_event_account", "issuer", "subject", "signed_in_at"),
    )

    event_id: Mapped[int] = mapped_column(primary_key=True)
    happened_at: Mapped[datetime] = mapped_column(Instant)
    kind: Mapped[SignInKind] = mapped_column(word(SignInKind, "kind"))
    issuer: Mapped[str]
    subject: Mapped[str]
    email: Mapped[str]
    signed_in_at: Mapped[datetime] = mapped_column(Instant)
    address: Mapped[str]
    partner_id: Mapped[int | None]
    member_id: Mapped[int | None]
