"""A real SMTP server on loopback that keeps what it is given, and misbehaves when it is told to."""

import asyncio
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from ipaddress import IPv4Address
from pathlib import Path
from threading import Condition
from typing import Any

from aiosmtpd import smtp
from aiosmtpd.controller import Controller
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from core.invitations import SmtpServer
from tests.conftest import LONGEST_WAIT


class Mailbox:
    """What was received, and how the server answers; each answer is used once, then it answers well again. "" is an
    answer of these too: it is well."""

    def __init__(self) -> None:
        self.received: list[EmailMessage] = []
        self.to_recipient: list[str] = []
        self.to_data: list[str] = []
        self.drops = 0  # connections closed in the middle of a message
        self.stalls = 0  # messages that are answered never
        self.on_data: Callable[[], object] = lambda: None  # what happens when a message has arrived
        self._arrival = Condition()

    def message_to(self, address: str) -> EmailMessage:
        """The message to this address, as soon as it is here; there is one."""

        def found() -> list[EmailMessage]:
            return [message for message in self.received if address in message["To"]]

        with self._arrival:
            self._arrival.wait_for(found, timeout=LONGEST_WAIT)
        (message,) = found()
        return message

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:  # noqa: N802
        if self.to_recipient and (answer := self.to_recipient.pop(0)):
            return answer
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
        if self.to_data and (answer := self.to_data.pop(0)):
            return answer
        self.on_data()
        with self._arrival:
            self.received.append(message_from_bytes(envelope.content, policy=policy.default))  # type: ignore[arg-type]
            self._arrival.notify_all()
        return "250 kept"


class _Server(Controller):
    def factory(self) -> smtp.SMTP:
        return smtp.SMTP(self.handler, hostname="mail.example.com", enable_SMTPUTF8=True)


@contextmanager
def smtp_server() -> Iterator[tuple[Mailbox, SmtpServer]]:
    """The mailbox, and the settings by which it is reached."""
    mailbox = Mailbox()
    controller = _Server(mailbox, hostname="127.0.0.1", port=free_port(), ready_timeout=LONGEST_WAIT)
    controller.start()
    try:
        server = SmtpServer("127.0.0.1", controller.port, "none", sender="billing@example.com", timeout=LONGEST_WAIT)
        yield mailbox, server
    finally:
        controller.stop(no_assert=True)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def certified(folder: Path) -> ssl.SSLContext:
    """A server's side of TLS on loopback; `certificate.pem` in the folder is what a client has to trust."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mail.example.com")])
    begins = datetime.now(UTC) - timedelta(days=1)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "certificate.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(secret)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
    return context
