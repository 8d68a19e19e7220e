"""A real SMTP server on loopback that keeps what it is given, and misbehaves when it is told to."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd import smtp
from aiosmtpd.controller import Controller

from core.invitations import SmtpServer
from tests.conftest import LONGEST_WAIT


class Mailbox:
    """What was received, and how the server answers; each answer is used once, then it answers well again."""

    def __init__(self) -> None:
        self.received: list[EmailMessage] = []
        self.to_recipient: list[str] = []
        self.to_data: list[str] = []
        self.drops = 0  # connections closed in the middle of a message
        self.stalls = 0  # messages that are answered never
        self.on_data: Callable[[], object] = lambda: None  # what happens when a message has arrived

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:  # noqa: N802
        if self.to_recipient:
            return self.to_recipient.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        if self.drops:
            self.drops -= 1
            server.transport.abort()
            return "421 gone"
        if self.stalls:
            self.stalls -= 1
            await asyncio.sleep(3600)
        if self.to_data:
            return self.to_data.pop(0)
        self.on_data()
        self.received.append(message_from_bytes(envelope.content, policy=policy.default))  # type: ignore[arg-type]
        return "250 kept"


class _Server(Controller):
    def factory(self) -> smtp.SMTP:
        return smtp.SMTP(self.handler, hostname="mail.example.com", enable_SMTPUTF8=True)


@contextmanager
def smtp_server() -> Iterator[tuple[Mailbox, SmtpServer]]:
    """The mailbox, and the settings by which it is reached."""
    mailbox = Mailbox()
    controller = _Server(mailbox, hostname="127.0.0.1", port=_free_port(), ready_timeout=LONGEST_WAIT)
    controller.start()
    try:
        server = SmtpServer("127.0.0.1", controller.port, "none", sender="billing@example.com", timeout=LONGEST_WAIT)
        yield mailbox, server
    finally:
        controller.stop(no_assert=True)


def _free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
