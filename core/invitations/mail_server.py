"""The mail server that messages leave through: the connection, kept within a time and a length, and what a failure
means.

An answer is about the address only when it says so. Everything else (a full mailbox, a quota, a rate, what the server
thinks of us) may pass, and costs no message.
"""

import asyncio
import re
import ssl
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from email.message import EmailMessage
from types import TracebackType
from typing import Any, Literal, Self

from aiosmtplib import (
    SMTP,
    SMTPDataError,
    SMTPException,
    SMTPNotSupported,
    SMTPRecipientsRefused,
    SMTPResponseException,
)

from core.words import is_showable, one_line

FAILURES = (SMTPException, OSError, ValueError)  # what keeps a message from leaving: TLS and time are an OSError too

_LONGEST_ANSWER = 500  # of a server's words, kept and shown
_GOODBYE = 5.0  # seconds
_LEAVES_US = frozenset({421, 530, 534, 535, 538})  # the server closes, or wants another login: nothing more is taken
_NO_SUCH_ADDRESS = frozenset({521, 550, 551, 553, 556})
_DETAIL = re.compile(r"5\.(\d{1,3}\.\d{1,3})\b")  # the enhanced status of RFC 3463
_OF_THE_ADDRESS = frozenset({"1.0", "1.1", "1.2", "1.3", "1.4", "1.6", "1.10", "2.1", "6.7"})
_OF_SOMETHING_ELSE = re.compile(
    r"quota|storage|\bfull\b|limit|\brates?\b|too (many|much|fast)|relay|polic|spam|listed|block|denied|authenti"
    r"|log ?in|sender|sending|reputation|\b(spf|dkim|dmarc)\b|tempor|try again|later",
    re.IGNORECASE,
)


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
    deadline: float = 60  # seconds for a whole attempt, from the connection to the last answer


class _Client(SMTP):
    """aiosmtplib's client, which closes a connection at once: one under TLS would go on saying goodbye, to a loop that
    has ended meanwhile."""

    def close(self) -> None:
        transport = self.transport
        super().close()
        if isinstance(transport, asyncio.WriteTransport):
            transport.abort()


class Connection:
    """A connection to the server, opened when the first message needs it, and kept while the server answers.

    It runs in a thread of its own, so that whoever sends may run an event loop too.
    """

    def __init__(self, server: SmtpServer, host: str) -> None:
        """`host` is the name we give."""
        self._server, self._host = server, host
        self._runner, self._thread = asyncio.Runner(), ThreadPoolExecutor(1)
        self._client: _Client | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Say goodbye; what is sent stays sent, however the server answers."""
        with self._thread:
            try:
                if self._client is not None:
                    self._run(self._leave())
            finally:
                self._thread.submit(self._runner.close).result()

    def open(self) -> None:
        """Afterwards the server has let us in. Raises one of FAILURES."""
        self._run(self._within_the_deadline(None))

    def send(self, message: EmailMessage) -> None:
        """Afterwards the server has taken the message. Raises one of FAILURES.

        After one that is no answer, a cut or a time that passed, the server may have taken it all the same.
        """
        self._run(self._within_the_deadline(message))

    def _run(self, what: Coroutine[Any, Any, None]) -> None:
        self._thread.submit(self._runner.run, what).result()

    async def _within_the_deadline(self, message: EmailMessage | None) -> None:
        try:
            async with asyncio.timeout(self._server.deadline):
                if self._client is None or not self._client.is_connected:
                    await self._open()
                if message is not None and self._client is not None:
                    await self._client.send_message(message)
        except (SMTPRecipientsRefused, SMTPDataError, SMTPNotSupported):
            raise  # the server answers, and takes the next message
        except BaseException as failure:
            await self._drop()
            if isinstance(failure, TimeoutError) and not str(failure):
                raise TimeoutError(f"The attempt took more than {self._server.deadline:g} seconds.") from failure
            raise

    async def _open(self) -> None:
        server = self._server
        self._client = _Client(
            hostname=server.host,
            port=server.port,
            username=server.user or None,
            password=server.password if server.user else None,
            local_hostname=self._host,
            timeout=server.timeout,
            use_tls=server.tls == "ssl",
            start_tls=server.tls == "starttls",
            tls_context=None if server.tls == "none" else ssl.create_default_context(),
        )
        await self._client.connect()

    async def _leave(self) -> None:
        if self._client is not None and self._client.is_connected:
            with suppress(*FAILURES):
                await self._client.quit(timeout=min(self._server.timeout, _GOODBYE))
        await self._drop()

    async def _drop(self) -> None:
        """Close the connection at once, whatever it was about to say."""
        client, self._client = self._client, None
        if client is not None:
            client.close()
        await asyncio.sleep(0)  # let it happen


def why_unreachable(server: SmtpServer, host: str) -> str:
    """What keeps messages from leaving through this server now, in its own words; "" when it lets us in. Sends nothing.

    `host` is the name we give.
    """
    with Connection(server, host) as connection:
        try:
            connection.open()
        except FAILURES as failure:
            return said(failure)
    return ""


def said(failure: Exception) -> str:
    """What the server said, or what went wrong, on one line."""
    code, words = _answer(failure)
    shown = "".join(c if is_showable(c) else "?" for c in words)
    return f"{code} {one_line(shown)}"[:_LONGEST_ANSWER]


def is_about_the_address(failure: Exception) -> bool:
    """Whether the server says that nothing ever arrives at this address: those are its last words about the message."""
    if isinstance(failure, SMTPNotSupported):  # the address needs what the server does not offer
        return True
    if not isinstance(failure, (SMTPRecipientsRefused, SMTPDataError)):
        return False
    code, words = _answer(failure)
    if detail := _DETAIL.match(words):
        return code in range(500, 600) and detail[1] in _OF_THE_ADDRESS
    return code in _NO_SUCH_ADDRESS and not _OF_SOMETHING_ELSE.search(words)


def is_about_the_message(failure: Exception) -> bool:
    """Whether the server goes on to answer, so that other messages may still go through."""
    if isinstance(failure, SMTPNotSupported):
        return True
    return isinstance(failure, (SMTPRecipientsRefused, SMTPDataError)) and _answer(failure)[0] not in _LEAVES_US


def _answer(failure: Exception) -> tuple[int | str, str]:
    """The code and the words; for what is no answer, its kind and what it says."""
    if isinstance(failure, SMTPRecipientsRefused):
        failure = failure.recipients[0]
    if isinstance(failure, SMTPResponseException):  # below zero: what came is no answer
        return failure.code if failure.code >= 0 else type(failure).__name__, failure.message
    return type(failure).__name__, str(failure)
