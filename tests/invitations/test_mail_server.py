"""Mail servers that are slow, endless, cut off, or refuse for a reason that is not the address."""

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult
from sqlalchemy import select, update

from core.__main__ import main
from core.invitations import Delivered, Invitation, OutboxMessage, SmtpServer, deliver, outbox, why_unreachable
from core.words import DeliveryStatus
from tests.conftest import LONGEST_WAIT, STANDARD, Space
from tests.smtp import Mailbox, certified, free_port, smtp_server

SLOW = 0.5  # seconds for a whole attempt, of servers that would take for ever
MEGABYTE = 2**20

Talk = Callable[[socket.socket, Event], None]


@contextmanager
def server_that(talks: Talk) -> Iterator[SmtpServer]:
    """A real socket on loopback; each connection is talked to until the test is over."""
    over = Event()
    threads: list[Thread] = []

    def talk(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            talks(connection, over)

    def accept() -> None:
        while not over.is_set():
            with suppress(OSError):
                threads.append(Thread(target=talk, args=(listening.accept()[0],)))
                threads[-1].start()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        accepting = Thread(target=accept)
        accepting.start()
        port = listening.getsockname()[1]
        try:
            yield SmtpServer("127.0.0.1", port, "none", sender="billing@example.com", timeout=LONGEST_WAIT)
        finally:
            over.set()
            socket.create_connection(("127.0.0.1", port)).close()  # the one that is waited for
            for thread in (accepting, *threads):
                thread.join(LONGEST_WAIT)


def dripping(connection: socket.socket, over: Event) -> None:
    """A greeting that never ends, a byte now and then."""
    while not over.wait(0.02):
        connection.sendall(b"2")


def answering(*answers: str, pause: float = 0) -> Talk:
    """These answers, one for each line and one for the text; then nothing more is said."""

    def talk(connection: socket.socket, over: Event) -> None:
        lines = connection.makefile("rb")
        for answer in answers:
            over.wait(pause)
            connection.sendall(answer.encode() + b"\r\n")
            if answer.startswith("354"):
                while lines.readline() not in (b".\r\n", b""):
                    pass
            else:
                lines.readline()
        over.wait()

    return talk


def invited(space: Space, how_many: int = 1) -> None:
    space.save(STANDARD)
    for number in range(1, how_many + 1):
        space.invite(f"Client {number}")


def stored(space: Space) -> list[OutboxMessage]:
    with space.database.reading() as session:
        return list(session.scalars(select(OutboxMessage).order_by(OutboxMessage.client_id)))


def failures(space: Space) -> list[str]:
    return [said for _, said in space.invitation(1).deliveries[0].failures]


@pytest.mark.parametrize(
    "talks",
    [
        pytest.param(dripping, id="a byte now and then"),
        pytest.param(
            answering(*["220 hello", *["250 well"] * 9], pause=0.2), id="every answer in time, not all of them"
        ),
        pytest.param(answering("220 hello"), id="silent after the greeting"),
        pytest.param(answering("220 hello", *["250 well"] * 3, "354 go on"), id="silent after the text"),
        pytest.param(lambda _, over: over.wait(), id="silent at once"),
    ],
)
def test_an_attempt_has_a_deadline_whatever_the_server_does(space: Space, talks: Talk) -> None:
    """Each single answer might take longer; the message waits for its next attempt, the other for its first."""
    invited(space, 2)
    with server_that(talks) as server:
        assert deliver(space.database, replace(server, deadline=SLOW)) == Delivered(failed=1)
    assert failures(space) == ["TimeoutError The attempt took more than 0.5 seconds."]
    assert [message.attempts for message in stored(space)] == [1, 0]
    assert stored(space)[0].next_attempt_at == space.clock.moment + timedelta(minutes=1)


def test_the_deadline_ends_well_before_the_lease() -> None:
    """Otherwise another deliverer would take a message whose attempt still runs."""
    assert 0 < SmtpServer("mail.example.com").deadline * 5 <= outbox.LEASE.total_seconds()


@pytest.mark.parametrize("chunk", [b"2" * 65_536, b"220-hello\r\n" * 6_000], ids=["one line", "many lines"])
def test_an_answer_without_end_is_not_read_to_its_end(space: Space, chunk: bytes) -> None:
    """The server gets rid of what the network holds, and no more of it."""
    invited(space)
    taken: list[int] = []

    def floods(connection: socket.socket, _over: Event) -> None:
        for _ in range(160 * MEGABYTE // len(chunk)):
            connection.sendall(chunk)
            taken.append(len(chunk))

    with server_that(floods) as server:
        assert deliver(space.database, server) == Delivered(failed=1)
        assert why_unreachable(server, "billing.example.com") == failures(space)[0]
    assert failures(space) == ["SMTPResponseException Response too long"]
    assert sum(taken) < 32 * MEGABYTE


def test_the_doctor_waits_no_longer_than_an_attempt(space: Space) -> None:
    """It asks over the same connection."""
    with server_that(dripping) as server:
        said = why_unreachable(replace(server, deadline=SLOW), "billing.example.com")
    assert said == "TimeoutError The attempt took more than 0.5 seconds."


def test_a_connection_cut_after_the_text_has_an_unknown_outcome_and_is_tried_again(space: Space) -> None:
    """The server may have the message: it comes again with the same Message-ID, and is recorded as sent once."""
    invited(space)
    texts: list[bytes] = []

    def cuts(connection: socket.socket, _over: Event) -> None:
        lines = connection.makefile("rb")
        for answer in (b"220 hello", b"250 well", b"250 well", b"250 well", b"354 go on"):
            connection.sendall(answer + b"\r\n")
            if answer[:3] != b"354":
                lines.readline()
        while (line := lines.readline()) not in (b".\r\n", b""):
            texts.append(line)

    with server_that(cuts) as server:
        assert deliver(space.database, server) == Delivered(failed=1)
    (waiting,) = stored(space)
    assert f"Message-ID: {waiting.message_id}\r\n".encode() in texts
    assert waiting.token is not None
    assert failures(space)[0].startswith("SMTPServerDisconnected")
    space.clock.forward(minutes=1)
    with smtp_server() as (mailbox, working):
        assert deliver(space.database, working) == Delivered(sent=1)
    assert [message["Message-ID"] for message in mailbox.received] == [waiting.message_id]


OF_THE_ADDRESS = [
    "550 no such mailbox",
    "550 5.1.1 unknown, see our policy",
    "554 5.1.1 no such user",
    "551 not here",
    "550 5.2.1 this mailbox is closed",
    "556 5.1.10 this domain takes no mail",
]
OF_SOMETHING_ELSE = [
    "552 mailbox full",
    "552 5.2.2 over quota",
    "550 5.2.2 over quota",
    "550 you send too many messages",
    "554 too many messages today",
    "554 5.7.1 we do not like your address",
    "550 5.7.1 relaying denied",
    "550 5.1.8 the sender's domain is unknown",
    "550 listed by a blocklist",
    "553 sender is not yours",
    "500 what?",
    "503 out of order",
    "451 5.1.1 later",
    "452 4.2.2 full",
]


@pytest.mark.parametrize("stage", ["to_recipient", "to_data"])
def test_only_an_answer_about_the_address_gives_a_message_up(space: Space, stage: str) -> None:
    """Whenever it comes; and the next message is sent."""
    answers = [*OF_THE_ADDRESS, *OF_SOMETHING_ELSE]
    invited(space, 2 * len(answers))
    with smtp_server() as (mailbox, server):
        setattr(mailbox, stage, [each for answer in answers for each in (answer, "")])
        assert deliver(space.database, server) == Delivered(
            sent=len(answers), failed=len(OF_SOMETHING_ELSE), given_up=len(OF_THE_ADDRESS)
        )
    became = {}
    for client_id in range(1, 2 * len(answers) + 1):  # all fell due at one moment: any may have come first
        (delivery,) = space.invitation(client_id).deliveries
        if delivery.failures:
            became[delivery.failures[0][1]] = delivery.status
    waiting = dict.fromkeys(OF_SOMETHING_ELSE, DeliveryStatus.WAITING)
    assert became == {**waiting, **dict.fromkeys(OF_THE_ADDRESS, DeliveryStatus.GIVEN_UP)}


@pytest.mark.parametrize("answer", ["421 4.7.0 closing", "530 5.7.0 authentication required"])
def test_a_server_that_takes_nothing_more_is_asked_for_nothing_more(space: Space, answer: str) -> None:
    """The next message is not tried, and neither is given up."""
    invited(space, 2)
    with smtp_server() as (mailbox, server):
        mailbox.to_recipient = [answer]
        assert deliver(space.database, server) == Delivered(failed=1)
    assert [message.attempts for message in stored(space)] == [1, 0]


def test_many_refusals_in_a_row_end_the_run_which_says_so(
    space: Space, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was not tried keeps its attempts; the next run goes on with it."""
    invited(space, 25)
    space.clock.moment = datetime.now(UTC)
    with space.database.transaction() as session:
        session.execute(update(Invitation).values(expires_at=space.clock.moment + timedelta(days=1)))
    monkeypatch.setenv("BILLING_DATABASE_URL", space.database.engine.url.render_as_string(hide_password=False))
    monkeypatch.setenv("BILLING_PUBLIC_URL", "https://billing.example.com")
    with smtp_server() as (mailbox, server):
        for name, value in {"HOST": server.host, "PORT": server.port, "TLS": "none", "SENDER": server.sender}.items():
            monkeypatch.setenv(f"BILLING_SMTP_{name}", str(value))
        mailbox.to_recipient = ["554 too many messages"] * 25
        assert main(["deliver"]) == 1
        said = capsys.readouterr().out
        assert "The mail server refused 10 messages in a row: this run stops here. The other messages keep" in said
        assert "Sent: 0. Failed for now: 10. Given up: 0." in said
        assert [message.attempts for message in stored(space)] == [1] * 10 + [0] * 15
        mailbox.to_recipient = []
        assert main(["deliver"]) == 0
    assert len(mailbox.received) == 15


def test_addresses_that_do_not_exist_end_no_run(space: Space) -> None:
    """The server works; and a success in between begins the count again."""
    invited(space, 25)
    with smtp_server() as (mailbox, server):
        mailbox.to_recipient = ["550 5.1.1 unknown"] * 11 + ["452 later"] * 9 + [""]
        mailbox.to_recipient += ["452 later"] * 4
        assert deliver(space.database, server) == Delivered(sent=1, failed=13, given_up=11)


def test_a_server_that_is_not_there_says_that_the_run_stops(space: Space) -> None:
    """One attempt of one message, and two sentences."""
    invited(space, 3)
    said: list[str] = []
    nobody = SmtpServer("127.0.0.1", 1, "none", sender="billing@example.com")
    assert deliver(space.database, nobody, on_failure=said.append) == Delivered(failed=1)
    assert said[0].startswith("client1@example.com: SMTPConnectError")
    assert said[1] == "The mail server cannot be used now: this run stops here. The other messages keep waiting."


def test_messages_leave_also_while_an_event_loop_runs(space: Space) -> None:
    """As where a page, or a program that drives a browser, has one in the same thread."""
    invited(space)

    async def within() -> Delivered:
        return deliver(space.database, server)

    with smtp_server() as (mailbox, server):
        assert asyncio.run(within()) == Delivered(sent=1)
    assert len(mailbox.received) == 1


@pytest.mark.parametrize("tls", ["starttls", "ssl"])
def test_messages_leave_over_an_encrypted_connection_with_a_login(
    space: Space, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tls: str
) -> None:
    """With a certificate that this machine trusts; a wrong password costs no message."""
    invited(space)
    context = certified(tmp_path)
    mailbox = Mailbox()

    def authenticate(_server: object, _session: object, _envelope: object, _kind: str, given: object) -> AuthResult:
        return AuthResult(success=given.password == "sécret".encode(), handled=False)  # type: ignore[attr-defined]

    class Encrypted(Controller):
        def factory(self) -> SMTP:
            return SMTP(
                self.handler,
                hostname="mail.example.com",
                authenticator=authenticate,
                auth_required=tls == "starttls",
                auth_require_tls=tls == "starttls",
                tls_context=context if tls == "starttls" else None,
                require_starttls=tls == "starttls",
            )

    wrapped = context if tls == "ssl" else None
    controller = Encrypted(
        mailbox, hostname="127.0.0.1", port=free_port(), ready_timeout=LONGEST_WAIT, ssl_context=wrapped
    )
    server = SmtpServer(
        "127.0.0.1",
        controller.port,
        tls,
        "billing",
        "wrong",
        "billing@example.com",
        LONGEST_WAIT,
        LONGEST_WAIT,  # type: ignore[arg-type]
    )
    with monkeypatch.context() as trusting:
        trusting.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
        controller.start()
        try:
            assert deliver(space.database, server) == Delivered(failed=1)
            assert failures(space)[0].startswith("535 5.7.8")
            space.clock.forward(minutes=1)
            assert deliver(space.database, replace(server, password="sécret")) == Delivered(sent=1)  # noqa: S106
        finally:
            controller.stop(no_assert=True)
    assert len(mailbox.received) == 1
