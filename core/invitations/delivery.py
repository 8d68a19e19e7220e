"""Sending what waits in the outbox: at least once, with a stable Message-ID, retried, given up after a day."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

from core.invitations import letters, mail_server, member_letters, outbox
from core.invitations.mail_server import Connection, SmtpServer
from core.invitations.tables import MemberMessage, Message, OutboxMessage, PayerMessage
from core.storage import Database
from core.words import BillingError, DatabaseFailed

_RETRIES = 4  # more times that a result is recorded when the database is busy
_IN_A_ROW = 10  # failures that are about no address, after which the server is left alone until the next run


@dataclass(frozen=True, slots=True)
class Delivered:
    """How many messages were sent, failed for now, and were given up."""

    sent: int = 0
    failed: int = 0
    given_up: int = 0


class _Outcome(NamedTuple):
    """What became of a message; and how the server did: it works, failed, is lost for this run, or was not asked."""

    ended: Literal["sent", "failed", "given_up"]
    server: Literal["works", "failed", "lost", "not asked"]


def deliver(
    database: Database,
    server: SmtpServer,
    *,
    partner_id: int | None = None,
    client_id: int | None = None,
    member_id: int | None = None,
    on_failure: Callable[[str], object] = lambda _: None,
    stopped: Callable[[], bool] = lambda: False,
) -> Delivered:
    """Send every message that is due (of this partner; to this client or this member); each result is recorded before
    the next.

    A message is claimed before it is sent, so that two deliverers never send the same one. A deliverer killed between
    sending and recording sends that one message again, with the same Message-ID; so does one whose connection is cut
    before the last answer. A server that is lost, or refuses many messages in a row, ends the run: the others stay due.
    `on_failure` is called with each failure and with what ends the run. Whoever calls knows that this may be done: it
    asks for no member.
    """
    only: outbox.Only | None = None
    if client_id is not None:
        only = ((OutboxMessage, PayerMessage), client_id)
    elif member_id is not None:
        only = ((MemberMessage,), member_id)
    counts = {"sent": 0, "failed": 0, "given_up": 0}
    in_a_row = 0
    with Connection(server, urlsplit(database.deployment.public_url).hostname or "localhost") as connection:
        for partner in _partners(database, partner_id):
            while (outcome := _deliver_one(database, server, connection, partner, only, on_failure)) is not None:
                counts[outcome.ended] += 1
                if outcome.server != "not asked":
                    in_a_row = in_a_row + 1 if outcome.server == "failed" else 0
                if outcome.server == "lost" or in_a_row == _IN_A_ROW:
                    on_failure(_stops(in_a_row))
                    return Delivered(**counts)
                if stopped():
                    return Delivered(**counts)
    return Delivered(**counts)


def _stops(in_a_row: int) -> str:
    why = f"refused {in_a_row} messages in a row" if in_a_row else "cannot be used now"
    return f"The mail server {why}: this run stops here. The other messages keep waiting."


def _partners(database: Database, partner_id: int | None) -> list[int]:
    if partner_id is not None:
        return [partner_id]
    with database.reading(single=True) as session:
        return outbox.partners_with_due(session)


def _deliver_one(
    database: Database,
    server: SmtpServer,
    connection: Connection,
    partner_id: int,
    only: outbox.Only | None,
    on_failure: Callable[[str], object],
) -> _Outcome | None:
    """What became of the next due message, and of the server; None when none is due."""
    with database.transaction() as session:
        message = outbox.claim(session, partner_id, only)
        if message is None:
            return None
        try:
            letter = member_letters.written(session, message)
        except BillingError as refusal:  # what is offered has no price any more: somebody has to see to that first
            given_up = outbox.record_failure(session, message, str(refusal), is_final=False)
            on_failure(f"{message.recipient}: {refusal}")
            return _Outcome("given_up" if given_up else "failed", "not asked")
    try:
        written = letters.email(letter, server.sender)
        written.as_bytes()
    except Exception as failure:  # noqa: BLE001 - one that no header takes must not stop the others
        return _Outcome(_failed(database, message, failure, on_failure, is_final=True), "not asked")
    try:
        connection.send(written)
    except mail_server.FAILURES as failure:
        is_final = mail_server.is_about_the_address(failure)
        ended = _failed(database, message, failure, on_failure, is_final=is_final)
        if not mail_server.is_about_the_message(failure):
            return _Outcome(ended, "lost")
        return _Outcome(ended, "works" if is_final else "failed")
    _record_sent(database, message)
    return _Outcome("sent", "works")


def _record_sent(database: Database, message: Message) -> None:
    """What left cannot be called back: a database that is busy just then is asked again."""
    for _ in range(_RETRIES):
        with suppress(DatabaseFailed), database.transaction() as session:
            outbox.record_sent(session, message)
            return
    with database.transaction() as session:
        outbox.record_sent(session, message)


def _failed(
    database: Database, message: Message, failure: Exception, on_failure: Callable[[str], object], *, is_final: bool
) -> Literal["failed", "given_up"]:
    """Keep what was said, then say it; what became of the message."""
    said = mail_server.said(failure)
    with database.transaction() as session:
        given_up = outbox.record_failure(session, message, said, is_final=is_final)
    on_failure(f"{message.recipient}: {said}")
    return "given_up" if given_up else "failed"
