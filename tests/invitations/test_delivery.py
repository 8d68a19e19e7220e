"""The outbox and its delivery over real SMTP: once, again, given up, and what a killed deliverer leaves."""

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import event, select, update

from core import invitations
from core.__main__ import main
from core.configuration import Configuration
from core.invitations import Delivered, Delivery, Invitation, OutboxMessage, SmtpServer, deliver, outbox
from core.invitations.invitation import link
from core.storage import Database
from core.subscriptions import Client
from core.words import DeliveryStatus
from tests.conftest import LONGEST_WAIT, ROOT, STANDARD, Space
from tests.smtp import Mailbox, smtp_server


@pytest.fixture
def post() -> Iterator[tuple[Mailbox, SmtpServer]]:
    with smtp_server() as served:
        yield served


def deliveries(space: Space, client_id: int = 1) -> tuple[Delivery, ...]:
    return space.invitation(client_id).deliveries


def stored(space: Space, client_id: int = 1) -> OutboxMessage:
    with space.database.reading() as session:
        return session.scalars(
            select(OutboxMessage).where(OutboxMessage.client_id == client_id).order_by(OutboxMessage.sending.desc())
        ).first()  # type: ignore[return-value]


def invited(space: Space, *names: str) -> None:
    space.save(STANDARD)
    for name in names or ("Aubry & Fils",):
        space.invite(name)


def test_an_invitation_exists_exactly_when_its_message_does(space: Space) -> None:
    """Both come with the transaction, or neither does."""
    invited(space)
    assert stored(space).recipient == "aubryfils@example.com"
    with pytest.raises(ZeroDivisionError), space.database.transaction() as session:
        from core import invitations
        from core.invitations import NewClient

        invitations.invite(session, space.manager, NewClient(name="Second", email="second@example.com"))
        raise ZeroDivisionError
    with space.database.reading() as session:
        assert len(session.scalars(select(OutboxMessage)).all()) == 1


def test_a_message_is_sent_once_and_its_token_is_removed(space: Space, post) -> None:
    """Recipient, times, Message-ID and the result stay."""
    mailbox, server = post
    invited(space)
    before = stored(space)
    assert (before.token or "").startswith("1.1.1.")
    assert deliver(space.database, server) == Delivered(sent=1)
    assert deliver(space.database, server) == Delivered()
    (message,) = mailbox.received
    assert message["Message-ID"] == before.message_id
    after = stored(space)
    assert after.token is None
    assert (after.recipient, after.message_id) == (before.recipient, before.message_id)
    assert after.sent_at == space.clock.moment
    assert [d.status for d in deliveries(space)] == [DeliveryStatus.SENT]


@pytest.mark.parametrize("answer", ["451 try later", "499 try later", "550 try another address", "550 no such mailbox"])
def test_a_refused_recipient_is_kept_in_the_servers_words(space: Space, post, answer: str) -> None:
    """4xx is for now and retried; that there is no such address is the server's last word."""
    mailbox, server = post
    invited(space, "One", "Two")
    mailbox.to_recipient = [answer]
    is_final = answer.startswith("5")
    expected = Delivered(sent=1, given_up=1) if is_final else Delivered(sent=1, failed=1)
    assert deliver(space.database, server) == expected
    (first,) = deliveries(space, 1)
    assert [said for _, said in first.failures] == [answer]
    assert first.status is (DeliveryStatus.GIVEN_UP if is_final else DeliveryStatus.WAITING)
    assert (stored(space).token is None) is is_final
    space.clock.forward(minutes=1)
    assert deliver(space.database, server) == (Delivered() if is_final else Delivered(sent=1))


def test_a_failure_before_a_message_was_sent_stays_with_it(space: Space, post) -> None:
    """Whoever asks why a letter came late is told."""
    mailbox, server = post
    invited(space)
    mailbox.to_recipient = ["451 try later"]
    deliver(space.database, server)
    failed_at = space.clock()
    space.clock.forward(minutes=1)
    assert deliver(space.database, server) == Delivered(sent=1)
    (sent,) = deliveries(space)
    assert (sent.status, sent.attempts) == (DeliveryStatus.SENT, 2)
    assert sent.failures == ((failed_at, "451 try later"),)


def test_a_message_that_left_is_recorded_though_the_database_is_busy_just_then(space: Space, post) -> None:
    """Otherwise it would leave a second time."""
    mailbox, server = post
    invited(space)
    writer = ExitStack()  # somebody else, who writes from the moment the message arrives until the third refusal
    refusals: list[object] = []

    def begin_to_write() -> None:
        session = writer.enter_context(space.database.transaction())
        session.execute(update(OutboxMessage).values(attempts=OutboxMessage.attempts))

    def refused(context: object) -> None:
        refusals.append(context)
        if len(refusals) == 3:
            writer.close()

    mailbox.on_data = begin_to_write
    deliverer = impatient(space.database)
    event.listen(deliverer.engine, "handle_error", refused)
    assert deliver(deliverer, server) == Delivered(sent=1)
    deliverer.close()
    assert len(refusals) == 3
    assert stored(space).sent_at == space.clock()
    assert len(mailbox.received) == 1


def impatient(database: Database) -> Database:
    """The same database, by connections that do not wait for their turn."""
    other = Database(database.engine.url.render_as_string(hide_password=False), clock=database.clock)
    statement = "PRAGMA busy_timeout = 0" if database.is_embedded else "SET lock_timeout = 1"

    @event.listens_for(other.engine, "connect")
    def _hurry(connection: Any, _record: Any) -> None:
        connection.execute(statement)
        connection.commit()

    return other


@pytest.mark.parametrize("fault", ["drops", "stalls", "data 4xx", "data 5xx", "nobody there"])
def test_a_server_that_fails_loses_no_message(space: Space, post, fault: str) -> None:
    """A drop in the middle, a stall, a refusal of the text, a server that is not there: kept, and sent later."""
    mailbox, server = post
    invited(space)
    match fault:
        case "drops":
            mailbox.drops = 1
        case "stalls":
            mailbox.stalls = 1
            server = replace(server, timeout=0.3)
        case "data 4xx":
            mailbox.to_data = ["452 disk full"]
        case "data 5xx":
            mailbox.to_data = ["554 looks like spam"]
        case _:
            server = replace(server, port=1)
    done = deliver(space.database, server)
    (delivery,) = deliveries(space)
    assert len(delivery.failures) == 1
    assert done == Delivered(failed=1)
    space.clock.forward(minutes=1)
    with smtp_server() as (other, working):
        assert deliver(space.database, working) == Delivered(sent=1)
        assert len(other.received) == 1


def test_a_server_that_is_not_there_is_asked_once_a_pass(space: Space) -> None:
    """The other messages stay due and are not made to wait longer."""
    invited(space, "One", "Two", "Three")
    nobody = SmtpServer("127.0.0.1", 1, "none", sender="billing@example.com")
    assert deliver(space.database, nobody) == Delivered(failed=1)
    assert [stored(space, client).attempts for client in (1, 2, 3)] == [1, 0, 0]


def test_pauses_grow_and_after_a_day_it_is_given_up(space: Space, post) -> None:
    """Every failure is kept; the token is removed when nothing more is tried."""
    mailbox, server = post
    invited(space)
    pauses = []
    while stored(space).token is not None:
        mailbox.to_recipient = ["451 not now"]
        before = space.clock.moment
        deliver(space.database, server)
        if (due := stored(space).next_attempt_at) is not None:
            pauses.append(due - before)
            space.clock.moment = due
    assert pauses == sorted(pauses)
    assert pauses[0].total_seconds() == 60
    assert len(deliveries(space)[0].failures) == len(pauses) + 1 > 8
    assert deliveries(space)[0].status is DeliveryStatus.GIVEN_UP
    assert 12 < (space.clock.moment - deliveries(space)[0].queued_at).total_seconds() / 3600 <= 24


@pytest.mark.parametrize(("early", "is_given_up"), [(0, True), (1, False)])
def test_a_message_is_given_up_when_its_next_attempt_would_be_a_day_after_the_first(
    space: Space, post, early: int, is_given_up: bool
) -> None:
    """Exactly a day is too late, a microsecond less is not."""
    mailbox, server = post
    invited(space)
    mailbox.to_recipient = ["451 not now", "451 not now"]
    deliver(space.database, server)
    pause_after_the_second = timedelta(minutes=2)
    space.clock.moment += outbox.GIVEN_UP_AFTER - pause_after_the_second - timedelta(microseconds=early)
    expected = Delivered(given_up=1) if is_given_up else Delivered(failed=1)
    assert deliver(space.database, server) == expected
    assert (stored(space).token is None) is is_given_up


@pytest.mark.parametrize(("early", "sent"), [(0, 0), (1, 1)])
def test_a_message_leaves_until_the_instant_its_invitation_expires(space: Space, post, early: int, sent: int) -> None:
    """At that instant its link opens nothing, and it is given up."""
    mailbox, server = post
    invited(space)
    space.clock.moment = space.invitation(1).invitation.expires_at - timedelta(microseconds=early)
    assert deliver(space.database, server) == Delivered(sent=sent)
    assert len(mailbox.received) == sent
    assert stored(space).token is None


def test_a_message_is_due_at_its_instant_and_not_before(space: Space, post) -> None:
    """As the pause says."""
    mailbox, server = post
    invited(space)
    mailbox.to_recipient = ["451 not now"]
    deliver(space.database, server)
    space.clock.moment = stored(space).next_attempt_at - timedelta(microseconds=1)
    assert deliver(space.database, server) == Delivered()
    space.clock.forward(microseconds=1)
    assert deliver(space.database, server) == Delivered(sent=1)


def test_a_message_that_no_header_takes_stops_no_other(space: Space, post) -> None:
    """It is given up with the reason, and those behind it are sent."""
    mailbox, server = post
    invited(space, "One", "Two")
    with space.database.transaction() as session:
        session.execute(update(Client).where(Client.client_id == 1).values(email="a\nb@c.de"))
    assert deliver(space.database, server) == Delivered(sent=1, given_up=1)
    assert "ValueError" in deliveries(space, 1)[0].failures[0][1]
    assert len(mailbox.received) == 1


def test_an_address_in_other_letters_is_written_as_every_server_understands_it(space: Space, post) -> None:
    """The domain as punycode; a mailbox in other letters goes to a server that takes it."""
    mailbox, server = post
    space.save(STANDARD)
    space.invite("One", email="office@exämple.com")
    space.invite("Two", email="élodie@example.com")
    assert deliver(space.database, server) == Delivered(sent=2)
    assert mailbox.received[0]["To"].addresses[0].addr_spec == "office@xn--exmple-cua.com"
    assert len(mailbox.received) == 2


def test_two_deliverers_never_send_the_same_message_twice(space: Space, post) -> None:
    """Both work through the same outbox at once."""
    mailbox, server = post
    invited(space, *(f"Client {number}" for number in range(30)))
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda _: deliver(space.database, server), range(4)))
    assert sum(d.sent for d in done) == 30
    assert len({m["Message-ID"] for m in mailbox.received}) == len(mailbox.received) == 30


def test_a_deliverer_killed_after_sending_sends_that_one_message_again_with_the_same_id(space: Space, post) -> None:
    """Between "sent" and "recorded" nobody can know; the Message-ID lets the mailbox know."""
    mailbox, server = post
    invited(space, "One", "Two")
    program = textwrap.dedent(f"""
        import os, signal
        from core.invitations import SmtpServer, deliver, outbox
        from core.storage import Database
        outbox.record_sent = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
        deliver(Database({space.database.engine.url.render_as_string(hide_password=False)!r},
                         clock=lambda: __import__("datetime").datetime.fromisoformat({space.clock().isoformat()!r})),
                SmtpServer("127.0.0.1", {server.port}, "none", sender="billing@example.com"))
    """)
    killed = subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False, capture_output=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert len(mailbox.received) == 1
    assert deliver(space.database, server) == Delivered(sent=1)  # the other one: the first is still claimed
    space.clock.moment += outbox.LEASE
    assert deliver(space.database, server) == Delivered(sent=1)
    first, second, again = (m["Message-ID"] for m in mailbox.received)
    assert first == again != second


def test_an_invitation_that_lapsed_or_was_revoked_is_not_sent(space: Space, post) -> None:
    """Its link would open nothing."""
    mailbox, server = post
    invited(space, "Lapsed", "Revoked")
    with space.database.transaction() as session:
        invitations.revoke(session, space.manager, 2)
    space.clock.forward(days=31)
    assert deliver(space.database, server) == Delivered()
    assert mailbox.received == []
    assert [stored(space, client).token for client in (1, 2)] == [None, None]
    assert [deliveries(space, c)[0].status for c in (1, 2)] == [DeliveryStatus.GIVEN_UP, DeliveryStatus.WITHDRAWN]


def test_the_command_sends_what_is_due_and_its_exit_status_tells(
    space: Space, post, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Set by the environment alone; without a server it says that nothing is sent."""
    mailbox, server = post
    invited(space, "One", "Two")
    space.clock.moment = datetime.now(UTC)
    monkeypatch.setenv("BILLING_DATABASE_URL", space.database.engine.url.render_as_string(hide_password=False))
    assert main(["deliver"]) == 1
    assert "Nothing is sent" in capsys.readouterr().out
    for name, value in {"HOST": server.host, "PORT": server.port, "TLS": "none", "SENDER": server.sender}.items():
        monkeypatch.setenv("BILLING_PUBLIC_URL", "https://billing.example.com")
        monkeypatch.setenv(f"BILLING_SMTP_{name}", str(value))
    with space.database.transaction() as session:
        session.execute(update(Invitation).values(expires_at=space.clock.moment + timedelta(days=1)))
    mailbox.to_recipient = ["451 later"]
    assert main(["deliver"]) == 1
    assert "Sent: 1. Failed for now: 1. Given up: 0." in capsys.readouterr().out
    assert main(["deliver"]) == 0
    assert len(mailbox.received) == 1


def test_a_deliverer_that_goes_on_stops_when_it_is_told(space: Space, post) -> None:
    """SIGTERM ends it between two messages, with nothing left claimed."""
    mailbox, server = post
    invited(space)
    with space.database.transaction() as session:
        session.execute(update(Invitation).values(expires_at=datetime.now(UTC) + timedelta(days=1)))
    environment = os.environ | {
        "BILLING_DATABASE_URL": space.database.engine.url.render_as_string(hide_password=False),
        "BILLING_SMTP_HOST": server.host,
        "BILLING_SMTP_PORT": str(server.port),
        "BILLING_SMTP_TLS": "none",
        "BILLING_SMTP_SENDER": server.sender,
        "BILLING_PUBLIC_URL": "https://billing.example.com",
    }
    command = [sys.executable, "-m", "core", "deliver", "--every", "1h"]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "Sent: 1. Failed for now: 0. Given up: 0.\n"
        running.terminate()
        assert running.wait(timeout=LONGEST_WAIT) == 0
    assert len(mailbox.received) == 1


@pytest.mark.parametrize("text", ["", "s", "0", "30x", "-5m", "1e9h", "nan"])
def test_a_pause_that_is_none_is_refused(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """As the command line tells."""
    with pytest.raises(SystemExit):
        main(["deliver", f"--every={text}"])
    assert "invalid duration value" in capsys.readouterr().err


@pytest.mark.parametrize("tls", ["starttls", "ssl"])
def test_a_server_set_wrong_costs_no_message(space: Space, post, tls: str) -> None:
    """No STARTTLS, a certificate nobody knows, a login it does not offer: every message stays, and is sent later."""
    _, server = post
    invited(space, "One", "Two")
    for wrong in (replace(server, tls=tls), replace(server, user="billing", password="sécret")):  # noqa: S106
        assert deliver(space.database, wrong) == Delivered(failed=1)
        space.clock.forward(minutes=10)
    assert all(stored(space, client).token for client in (1, 2))
    assert deliver(space.database, server) == Delivered(sent=2)


def test_links_that_nobody_could_open_are_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a mail server the address of the product must be told; a sender that no header takes is refused."""
    monkeypatch.setenv("BILLING_SMTP_HOST", "mail.example.com")
    monkeypatch.setenv("BILLING_SMTP_SENDER", "billing@example.com")
    with pytest.raises(ValidationError, match="BILLING_PUBLIC_URL"):
        Configuration()
    monkeypatch.setenv("BILLING_PUBLIC_URL", "https://billing.example.com")
    assert link(Configuration().deployment.public_url, "x") == "https://billing.example.com/accept?invitation=x"
    monkeypatch.setenv("BILLING_SMTP_SENDER", "josé@example.com")
    with pytest.raises(ValidationError, match="mailbox"):
        Configuration()


def test_settings_of_a_mail_server_that_lack_a_sender_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Said at the start, not at the first message; a password is never repeated."""
    monkeypatch.setenv("BILLING_SMTP_HOST", "mail.example.com")
    monkeypatch.setenv("BILLING_SMTP_PASSWORD", "secret words")
    with pytest.raises(ValidationError) as refused:
        Configuration()
    assert "BILLING_SMTP_SENDER" in str(refused.value)
    assert "secret words" not in str(refused.value)
