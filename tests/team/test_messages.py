"""The message to a member: their language, no token, delivered as every other message is."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import select

from core import invitations, team
from core.invitations import Delivered, MemberMessage, SmtpServer, deliver, outbox
from core.storage import Deployment
from core.team import NewMember
from core.words import DeliveryStatus, Role, StaleMessage
from tests.conftest import STANDARD, Space
from tests.smtp import Mailbox, smtp_server
from tests.team.test_members_kept import deactivate, detail, invite


@pytest.fixture
def post() -> Iterator[tuple[Mailbox, SmtpServer]]:
    with smtp_server() as served:
        yield served


def send_again(space: Space, member_id: int, seen: int, attempt: str = "") -> None:
    with space.database.transaction() as session:
        team.send_again(session, space.administrator, member_id, seen=seen, attempt=attempt)


def test_the_letter_says_who_where_and_as_whom_in_the_members_language(space: Space) -> None:
    """It names the product's address, and brings no token."""
    space.database.deployment = Deployment("https://billing.example.com/")
    invited = invite(space)
    letter = detail(space, invited.member_id).waiting.letter  # type: ignore[union-attr]
    assert letter.subject == "Partner 1\u00a0: vous êtes maintenant membre"
    assert letter.recipient == "camille.dubois@example.com"
    assert letter.reply_to == "administrator@example.com"
    assert letter.link == "https://billing.example.com"
    for said in (
        "Bonjour Camille Dubois",
        "The administrator",
        "Partner 1",
        "Finance",
        "\nhttps://billing.example.com\n",
    ):
        assert said in letter.text
    assert "camille.dubois@example.com" in letter.text
    assert "invitation=" not in letter.text
    html = invitations.email(letter, "billing@example.com").get_body(("html",)).get_content()  # type: ignore[union-attr]
    assert '<a href="https://billing.example.com">' in html


def test_the_letter_is_written_when_it_leaves(space: Space, post) -> None:
    """To the name and in the role of then."""
    mailbox, server = post
    invited = invite(space, NewMember(name="Robin", email="robin@example.com", role=Role.FINANCE))
    with space.database.transaction() as session:
        team.change_member(
            session,
            space.administrator,
            invited.member_id,
            role=Role.ACCOUNTANT,
            client_access=True,
            name="Robin B",
            seen=1,
        )
    assert deliver(space.database, server) == Delivered(sent=1)
    (message,) = mailbox.received
    assert message["To"].addresses[0].display_name == "Robin B"
    assert "Your role: Accountant" in message.get_body(("plain",)).get_content()  # type: ignore[union-attr]


def test_members_and_clients_are_told_by_one_delivery(space: Space, post) -> None:
    """Each once, with its own Message-ID; one asked for alone leaves alone."""
    mailbox, server = post
    space.save(STANDARD)
    space.invite("One")
    space.invite("Two")
    first, second = invite(space), invite(space, NewMember(name="B", email="b@example.com", role=Role.FINANCE))
    assert deliver(space.database, server, partner_id=1, member_id=second.member_id) == Delivered(sent=1)
    assert mailbox.received[0]["To"].addresses[0].addr_spec == "b@example.com"
    assert deliver(space.database, server, partner_id=1, client_id=first.member_id) == Delivered()
    assert deliver(space.database, server) == Delivered(sent=3)
    assert deliver(space.database, server) == Delivered()
    assert len({message["Message-ID"] for message in mailbox.received}) == len(mailbox.received) == 4
    assert [each.status for each in detail(space, first.member_id).deliveries] == [DeliveryStatus.SENT]


def test_what_a_server_refuses_for_now_is_tried_again_for_a_day_with_the_same_message_id(space: Space, post) -> None:
    """The server's words are kept; then it is given up, and sending again begins anew."""
    mailbox, server = post
    invited = invite(space)
    mailbox.to_data = ["451 greylisted"]
    assert deliver(space.database, server) == Delivered(failed=1)
    told = detail(space, invited.member_id).deliveries[0]
    assert [said for _, said in told.failures] == ["451 greylisted"]
    assert told.next_attempt_at == space.clock() + timedelta(minutes=1)
    began_at = space.clock.moment
    while (due := detail(space, invited.member_id).deliveries[0].next_attempt_at) is not None:
        space.clock.moment = due
        mailbox.to_recipient = ["450 later"]
        deliver(space.database, server)
    given_up = detail(space, invited.member_id).deliveries[0]
    assert given_up.status is DeliveryStatus.GIVEN_UP
    assert timedelta(hours=12) < space.clock.moment - began_at <= outbox.GIVEN_UP_AFTER
    for _ in range(2):  # the second of two clicks
        send_again(space, invited.member_id, seen=1, attempt="form")
    with pytest.raises(StaleMessage, match="The administrator sent a message to Camille Dubois"):
        send_again(space, invited.member_id, seen=1, attempt="another form")
    mailbox.to_recipient = []
    assert deliver(space.database, server) == Delivered(sent=1)
    assert [each.status for each in detail(space, invited.member_id).deliveries] == [
        DeliveryStatus.SENT,
        DeliveryStatus.GIVEN_UP,
    ]


def test_an_attempt_that_was_killed_is_made_again_with_the_same_message_id(space: Space, post) -> None:
    """Once its lease ended: another deliverer cannot know whether it left."""
    mailbox, server = post
    invite(space)
    with space.database.transaction() as session:
        claimed = outbox.claim(session, 1)
    assert isinstance(claimed, MemberMessage)
    assert deliver(space.database, server) == Delivered()
    space.clock.moment += outbox.LEASE
    assert deliver(space.database, server) == Delivered(sent=1)
    assert mailbox.received[0]["Message-ID"] == claimed.message_id


def test_sending_again_withdraws_what_waited(space: Space, post) -> None:
    """One message waits at most."""
    _, server = post
    invited = invite(space)
    send_again(space, invited.member_id, seen=1)
    assert [each.status for each in detail(space, invited.member_id).deliveries] == [
        DeliveryStatus.WAITING,
        DeliveryStatus.WITHDRAWN,
    ]
    assert deliver(space.database, server) == Delivered(sent=1)


def test_nothing_is_sent_to_a_member_who_was_let_go(space: Space, post) -> None:
    """Withdrawn when they leave; one that slipped through is given up when it is due."""
    mailbox, server = post
    invited, other = invite(space), invite(space, NewMember(name="B", email="b@example.com", role=Role.FINANCE))
    deactivate(space, invited.member_id)
    with space.database.transaction() as session:
        session.get_one(type(other), (1, other.member_id)).is_active = False
    assert deliver(space.database, server) == Delivered()
    assert mailbox.received == []
    with space.database.reading() as session:
        ended = {row.member_id: row for row in session.scalars(select(MemberMessage))}
    assert ended[invited.member_id].withdrawn_at == ended[other.member_id].given_up_at == space.clock()
