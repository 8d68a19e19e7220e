"""The tables of invitations, of the messages on their way, and of what went wrong on it."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from core.storage import ROWS_IN_KEY_ORDER, VACUUM_AFTER_BULK, Base, Instant, word
from core.words import BillingPeriod, Payer

ACCEPTED_PRICE = (  # whole or not at all, and only where it was accepted
    "(accepted_cents IS NULL) = (accepted_currency IS NULL) "
    "AND (accepted_cents IS NULL) = (accepted_billing_period IS NULL) "
    "AND (accepted_cents IS NULL OR accepted_at IS NOT NULL)"
)


class Invitation(Base):
    """One time a client was asked in. Its instants say where it stands, so a lapse needs no job.

    The price is the one that its client accepted: NULL where the partner pays, so that none was shown, and where it was
    accepted before prices were kept.
    """

    __tablename__ = "invitation"
    __table_args__ = (
        ForeignKeyConstraint(["partner_id", "client_id"], ["client.partner_id", "client.client_id"]),
        ForeignKeyConstraint(["partner_id", "invited_by_id"], ["member.partner_id", "member.member_id"]),
        CheckConstraint("expires_at > invited_at", name="expires_at"),
        CheckConstraint("accepted_at IS NULL OR revoked_at IS NULL", name="one_answer"),
        CheckConstraint(ACCEPTED_PRICE, name="accepted_price"),
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
    reason: Mapped[str] = mapped_column(default="", server_default="")  # why it was made again after a lapse
    token_hash: Mapped[str | None]  # of the link sent last; the link itself is nowhere but in a message that waits
    revoked_by_id: Mapped[int | None]
    revoke_reason: Mapped[str] = mapped_column(default="", server_default="")
    accepted_cents: Mapped[int | None]  # what the client accepted to pay each billing period
    accepted_currency: Mapped[str | None]
    accepted_billing_period: Mapped[BillingPeriod | None] = mapped_column(
        word(BillingPeriod, "accepted_billing_period")
    )


class Message:
    """What is kept of a message on its way, whoever it is for. One that waits has a next attempt; its text is written
    when it leaves."""

    message_id: Mapped[str]
    recipient: Mapped[str]
    queued_by_id: Mapped[int]
    queued_at: Mapped[datetime] = mapped_column(Instant)
    next_attempt_at: Mapped[datetime | None] = mapped_column(Instant)  # while an attempt runs: when it counts as lost
    attempts: Mapped[int] = mapped_column(default=0)
    sent_at: Mapped[datetime | None] = mapped_column(Instant)
    given_up_at: Mapped[datetime | None] = mapped_column(Instant)
    withdrawn_at: Mapped[datetime | None] = mapped_column(Instant)


class OutboxMessage(Message, Base):
    """A message that brings an invitation's link. The link's token is kept only while it waits; the text never is."""

    __tablename__ = "outbox_message"
    __table_args__ = (
        ForeignKeyConstraint(
            ["partner_id", "client_id", "number"],
            ["invitation.partner_id", "invitation.client_id", "invitation.number"],
        ),
        ForeignKeyConstraint(["partner_id", "queued_by_id"], ["member.partner_id", "member.member_id"]),
        CheckConstraint(
            "(token IS NULL) = (sent_at IS NOT NULL OR given_up_at IS NOT NULL OR withdrawn_at IS NOT NULL)",
            name="token_while_it_waits",
        ),
        CheckConstraint("(token IS NULL) = (next_attempt_at IS NULL)", name="next_attempt_at"),
        Index("ix_outbox_message_due", "partner_id", "next_attempt_at",
              sqlite_where=text("next_attempt_at IS NOT NULL"), postgresql_where=text("next_attempt_at IS NOT NULL")),
        Index("ix_outbox_message_given_up", "partner_id", "client_id", "number", "sending",
              sqlite_where=text("given_up_at IS NOT NULL"), postgresql_where=text("given_up_at IS NOT NULL")),
        ROWS_IN_KEY_ORDER | VACUUM_AFTER_BULK,
    )  # fmt: skip

    partner_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    client_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    sending: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    token: Mapped[str | None]
    reason: Mapped[str] = mapped_column(default="", server_default="")  # why it was sent again


class MemberMessage(Message, Base):
    """A message that tells a member where the product is. It brings no token: members sign in."""

    __tablename__ = "member_message"
    __table_args__ = (
        ForeignKeyConstraint(["partner_id", "member_id"], ["member.partner_id", "member.member_id"]),
        ForeignKeyConstraint(
            ["partner_id", "queued_by_id"], ["member.partner_id", "member.member_id"],
            name="fk_member_message_queued_by",
        ),
        CheckConstraint(
            "(next_attempt_at IS NULL) = (sent_at IS NOT NULL OR given_up_at IS NOT NULL OR withdrawn_at IS NOT NULL)",
            name="next_attempt_at",
        ),
        Index("ix_member_message_due", "partner_id", "next_attempt_at",
              sqlite_where=text("next_attempt_at IS NOT NULL"), postgresql_where=text("next_attempt_at IS NOT NULL")),
        ROWS_IN_KEY_ORDER,
    )  # fmt: skip

    partner_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    member_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    sending: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)


class PayerMessage(Message, Base):
    """A message that tells an active client who pays: itself, from an instant on (rule 30), or the partner after all.

    `payer` pays from `paid_from` on, which is where a revision of the client begins; the rest is read when it leaves.
    """

    __tablename__ = "payer_message"
    __table_args__ = (
        ForeignKeyConstraint(["partner_id", "client_id"], ["client.partner_id", "client.client_id"]),
        ForeignKeyConstraint(["partner_id", "queued_by_id"], ["member.partner_id", "member.member_id"]),
        CheckConstraint(
            "(next_attempt_at IS NULL) = (sent_at IS NOT NULL OR given_up_at IS NOT NULL OR withdrawn_at IS NOT NULL)",
            name="next_attempt_at",
        ),
        Index("ix_payer_message_due", "partner_id", "next_attempt_at",
              sqlite_where=text("next_attempt_at IS NOT NULL"), postgresql_where=text("next_attempt_at IS NOT NULL")),
        Index("ix_payer_message_given_up", "partner_id", "client_id", "sending",
              sqlite_where=text("given_up_at IS NOT NULL"), postgresql_where=text("given_up_at IS NOT NULL")),
        ROWS_IN_KEY_ORDER,
    )  # fmt: skip

    partner_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    client_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    sending: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    payer: Mapped[Payer] = mapped_column(word(Payer, "payer"))
    paid_from: Mapped[datetime] = mapped_column(Instant)
    reason: Mapped[str] = mapped_column(default="", server_default="")  # why it was sent again


class Failure:
    """What is kept of an attempt to send that failed: when, and the words of the server."""

    attempt: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, sort_order=1)
    failed_at: Mapped[datetime] = mapped_column(Instant)
    said: Mapped[str]


class DeliveryFailure(Failure, Base):
    """One attempt to send a client's message that failed."""

    __tablename__ = "delivery_failure"
    __table_args__ = (
        ForeignKeyConstraint(
            ["partner_id", "client_id", "number", "sending"],
            ["outbox_message.partner_id", "outbox_message.client_id", "outbox_message.number",
             "outbox_message.sending"],
        ),
        ROWS_IN_KEY_ORDER,
    )  # fmt: skip

    partner_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    client_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    sending: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)


class MemberDeliveryFailure(Failure, Base):
    """One attempt to send a member's message that failed."""

    __tablename__ = "member_delivery_failure"
    __table_args__ = (
        ForeignKeyConstraint(
            ["partner_id", "member_id", "sending"],
            ["member_message.partner_id", "member_message.member_id", "member_message.sending"],
        ),
        ROWS_IN_KEY_ORDER,
    )

    partner_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    member_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    sending: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)


class PayerDeliveryFailure(Failure, Base):
    """One attempt to send a message about who pays that failed."""

    __tablename__ = "payer_delivery_failure"
    __table_args__ = (
        ForeignKeyConstraint(
            ["partner_id", "client_id", "sending"],
            ["payer_message.partner_id", "payer_message.client_id", "payer_message.sending"],
        ),
        ROWS_IN_KEY_ORDER,
    )

    partner_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    client_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    sending: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
