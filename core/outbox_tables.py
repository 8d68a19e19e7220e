"""The tables of the outbox: messages on their way, and what went wrong on it."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from core.columns import Instant
from core.models import ROWS_IN_KEY_ORDER, VACUUM_AFTER_BULK, Base


class OutboxMessage(Base):
    """A message that carries an invitation's link. Its text is kept only while it waits to be sent."""

    __tablename__ = "outbox_message"
    __table_args__ = (
        ForeignKeyConstraint(
            ["partner_id", "client_id", "number"],
            ["invitation.partner_id", "invitation.client_id", "invitation.number"],
        ),
        ForeignKeyConstraint(["partner_id", "queued_by_id"], ["member.partner_id", "member.member_id"]),
        CheckConstraint(
            "(text IS NULL) = (sent_at IS NOT NULL OR given_up_at IS NOT NULL OR withdrawn_at IS NOT NULL)",
            name="text_while_it_waits",
        ),
        CheckConstraint("(text IS NULL) = (next_attempt_at IS NULL)", name="next_attempt_at"),
        Index("ix_outbox_message_due", "partner_id", "next_attempt_at",
              sqlite_where=text("next_attempt_at IS NOT NULL"), postgresql_where=text("next_attempt_at IS NOT NULL")),
        ROWS_IN_KEY_ORDER | VACUUM_AFTER_BULK,
    )  # fmt: skip

    partner_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    client_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    sending: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    message_id: Mapped[str]
    recipient: Mapped[str]
    recipient_name: Mapped[str]
    subject: Mapped[str]
    text: Mapped[str | None]
    queued_by_id: Mapped[int]
    queued_at: Mapped[datetime] = mapped_column(Instant)
    next_attempt_at: Mapped[datetime | None] = mapped_column(Instant)  # while an attempt runs: when it counts as lost
    attempts: Mapped[int] = mapped_column(default=0)
    sent_at: Mapped[datetime | None] = mapped_column(Instant)
    given_up_at: Mapped[datetime | None] = mapped_column(Instant)
    withdrawn_at: Mapped[datetime | None] = mapped_column(Instant)


class DeliveryFailure(Base):
    """One attempt to send that failed, with the words of the server."""

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
    attempt: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    failed_at: Mapped[datetime] = mapped_column(Instant)
    said: Mapped[str]
