"""Sending what waits in the outbox: at least once, with a stable Message-ID, retried, given up after a day."""

import smtplib
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

from core.invitations import letters, member_letters, outbox
from core.invitations.tables import MemberMessage, Message, OutboxMessage
from core.storage import Database
from core.words import BillingError, DatabaseFailed, is_showable, one_line

_LONGEST_ANSWER = 500  # of a server's words, kept and shown
_RETRIES = 4  # more times that a result is recorded when the database is busy
_PERMANENT = 500  # the first answer of SMTP that is for good; those below it are for now

_Only = tuple[type[Message], int] | None  # messages of this kind, to this client or member


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Where messages leave: host, port, how the connection is encrypted, a login if any, and the sender's address."""

    host: str
    port: int = 587
    tls: Literal["starttls", "ssl", "none"] = "starttls"
    user: str = ""
    password: str = ""
    sender: str = ""
    timeout: float = 30  # seconds for each answer


@dataclass(frozen=True, slots=True)
class Delivered:
    """How many messages were sent, failed for now, and were given up."""

    sent: int = 0
    failed: int = 0
    given_up: int = 0


class _Session:
    """A connection to the server, opened when the first message needs it."""

    def __init__(self, server: SmtpServer, host: str) -> None:
        self._server, self._host = server, host
        self._connection: smtplib.SMTP | None = None

    def open(self) -> smtplib.SMTP:
        """The connection, made when there is none. What goes wrong here is about the server, never about a message."""
        if self._connection is None:
            self._connection = self._opened()
        return self._connection

    def leave(self) -> None:
        """Say goodbye; what is sent stays sent, however the server answers."""
        if self._connection is not None:
            with suppress(smtplib.SMTPException, OSError):
                self._connection.quit()
            with suppress(OSError):
                self._connection.close()
            self._connection = None

    def _opened(self) -> smtplib.SMTP:
        server = self._server
        named: dict[str, Any] = {"local_hostname": self._host, "timeout": server.timeout}
        if server.tls == "ssl":
            context = ssl.create_default_context()
            connection: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, context=context, **named)
        else:
            connection = smtplib.SMTP(server.host, server.port, **named)
        try:
            if server.tls == "starttls":
                connection.starttls(context=ssl.create_default_context())
            if server.user:
                connection.login(server.user, server.password)
        except BaseException:
            connection.close()
            raise
        return connection


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
    sending and recording sends that one message again, with the same Message-ID. `on_failure` is called with
    each failure. Whoever calls knows that this may be done: it asks for no member.
    """
    only: _Only = None
    if client_id is not None:
        only = (OutboxMessage, client_id)
    elif member_id is not None:
        only = (MemberMessage, member_id)
    counts = {"sent": 0, "failed": 0, "given_up": 0}
    connection = _Session(server, urlsplit(database.deployment.public_url).hostname or "localhost")
    try:
        for partner in _partners(database, partner_id):
            while (outcome := _deliver_one(database, server, connection, partner, only, on_failure)) is not None:
                ended, reached = outcome
                counts[ended] += 1
                if stopped() or not reached:  # nobody answers: the others stay due
                    return Delivered(**counts)
    finally:
        connection.leave()
    return Delivered(**counts)


def why_unreachable(server: SmtpServer, host: str) -> str:
    """What keeps messages from leaving through this server now, in its own words; "" when it lets us in. Sends nothing.

    `host` is the name we give.
    """
    connection = _Session(server, host)
    try:
        connection.open()
    except (smtplib.SMTPException, OSError, ValueError) as failure:
        return _said(failure)
    finally:
        connection.leave()
    return ""


def _partners(database: Database, partner_id: int | None) -> list[int]:
    if partner_id is not None:
        return [partner_id]
    with database.reading(single=True) as session:
        return outbox.partners_with_due(session)


def _deliver_one(
    database: Database,
    server: SmtpServer,
    connection: _Session,
    partner_id: int,
    only: _Only,
    on_failure: Callable[[str], object],
) -> tuple[str, bool] | None:
    """What became of the next due message and whether the server was reached; None when none is due."""
    with database.transaction() as session:
        message = outbox.claim(session, partner_id, only)
        if message is None:
            return None
        try:
            letter = member_letters.written(session, message)
        except BillingError as refusal:  # what is offered has no price any more: somebody has to see to that first
            given_up = outbox.record_failure(session, message, str(refusal), is_final=False)
            on_failure(f"{message.recipient}: {refusal}")
            return "given_up" if given_up else "failed", True
    try:
        written = letters.email(letter, server.sender)
        written.as_bytes()
    except Exception as failure:  # noqa: BLE001 - one that no header takes must not stop the others
        return _failed(database, message, _said(failure), on_failure, is_final=True), True
    try:
        opened = connection.open()
    except (smtplib.SMTPException, OSError, ValueError) as failure:
        return _failed(database, message, _said(failure), on_failure, is_final=False), False
    try:
        opened.send_message(written)
    except (smtplib.SMTPException, OSError, ValueError) as failure:
        connection.leave()
        return _failed(database, message, _said(failure), on_failure, is_final=_is_final(failure)), _is_about_it(
            failure
        )
    _record_sent(database, message)
    return "sent", True


def _record_sent(database: Database, message: Message) -> None:
    """What left cannot be called back: a database that is busy just then is asked again."""
    for _ in range(_RETRIES):
        with suppress(DatabaseFailed), database.transaction() as session:
            outbox.record_sent(session, message)
            return
    with database.transaction() as session:
        outbox.record_sent(session, message)


def _failed(
    database: Database, message: Message, said: str, on_failure: Callable[[str], object], *, is_final: bool
) -> str:
    """Keep what was said, then say it; what became of the message."""
    with database.transaction() as session:
        given_up = outbox.record_failure(session, message, said, is_final=is_final)
    on_failure(f"{message.recipient}: {said}")
    return "given_up" if given_up else "failed"


def _is_final(failure: Exception) -> bool:
    """Whether these are the server's last words about this message or its recipient."""
    if isinstance(failure, smtplib.SMTPRecipientsRefused):
        return all(code >= _PERMANENT for code, _ in failure.recipients.values())
    if isinstance(failure, smtplib.SMTPDataError):
        return failure.smtp_code >= _PERMANENT
    return isinstance(failure, smtplib.SMTPNotSupportedError)  # its address needs what the server does not offer


def _said(failure: Exception) -> str:
    """What the server said, or what went wrong, on one line."""
    code: int | str
    answer: bytes | str
    if isinstance(failure, smtplib.SMTPRecipientsRefused):
        ((code, answer),) = failure.recipients.values()
    elif isinstance(failure, smtplib.SMTPResponseException):
        code, answer = failure.smtp_code, failure.smtp_error
    else:
        code, answer = type(failure).__name__, str(failure)
    words = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
    shown = "".join(c if is_showable(c) else "?" for c in words)
    return f"{code} {one_line(shown)}"[:_LONGEST_ANSWER]


def _is_about_it(failure: Exception) -> bool:
    """Whether the failure is about this message, so that others may still go through."""
    about_it = (smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError, smtplib.SMTPNotSupportedError)
    return isinstance(failure, about_it)
