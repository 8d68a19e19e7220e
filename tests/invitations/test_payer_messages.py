"""A client that becomes the payer is told by message (rule 30), in Brussels, by the sample's prices (Standard 19.00 /
190.00, Plus 34.00 / 350.00, Starter 9.00)."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import insert, select, text, update

from core import invitations, members, subscriptions
from core.invitations import (
    ClientDetails,
    Delivered,
    Delivery,
    Letter,
    OutboxMessage,
    PayerMessage,
    SmtpServer,
    deliver,
)
from core.members import Partner
from core.words import (
    ActivityKind,
    BillingPeriod,
    BillingSettings,
    ClientDetail,
    DeliveryStatus,
    NothingToTellAgain,
    Overrides,
    Payer,
    StaleMessage,
)
from tests.conftest import Space
from tests.smtp import Mailbox, smtp_server

ZONE = ZoneInfo("Europe/Brussels")
MONTHLY, YEARLY = BillingPeriod.MONTHLY, BillingPeriod.YEARLY
SENT, WAITING, WITHDRAWN, GIVEN_UP = (
    DeliveryStatus.SENT, DeliveryStatus.WAITING, DeliveryStatus.WITHDRAWN, DeliveryStatus.GIVEN_UP,
)  # fmt: skip


def local(*moment: int) -> datetime:
    """An instant by the clock of Brussels."""
    return datetime(*moment, tzinfo=ZONE).astimezone(UTC)  # type: ignore[arg-type, misc]


def settings(plan: str = "standard", payer: Payer = Payer.PARTNER) -> Any:
    return BillingSettings.starting_with(payer=payer, billing_period=MONTHLY, plan=plan, add_ons=frozenset())


@pytest.fixture
def post() -> Iterator[tuple[Mailbox, SmtpServer]]:
    with smtp_server() as served:
        yield served


@pytest.fixture
def firm(space: Space) -> Space:
    """A partner space in Brussels that pays Standard by the month for its clients."""
    with space.database.transaction() as session:
        session.execute(update(Partner).values(time_zone="Europe/Brussels"))
    for member in space.members.values():
        member.partner.time_zone = "Europe/Brussels"
    space.clock.moment = local(2026, 12, 1, 9)
    space.save(settings())
    return space


def accepted(firm: Space, at: datetime = local(2026, 12, 15, 10), **who: str) -> int:
    """A client that accepts at that moment, and has its invitation."""
    firm.clock.moment = at
    client = firm.invite("Aubry", **who)
    with firm.database.transaction() as session:
        message = invitations.waiting(session, firm.partner_id, client.client_id, OutboxMessage)
        assert message is not None
        assert message.token is not None
        invitations.accept(session, message.token)
    return client.client_id


def change(firm: Space, client_id: int, *, at: datetime, **chosen: Any) -> None:
    """Make these the exceptions of the client beside those it has, at a moment."""
    firm.clock.moment = at
    firm.override(client_id, replace(firm.detail(client_id).overrides, **chosen))


def cancel(firm: Space, client_id: int, *, at: datetime) -> None:
    firm.clock.moment = at
    seen = firm.detail(client_id).seen
    with firm.database.transaction() as session:
        subscriptions.cancel_pending(session, firm.manager, client_id, seen=seen)


def told(firm: Space, client_id: int) -> tuple[Delivery, ...]:
    return firm.invitation(client_id).about_payer


def statuses(firm: Space, client_id: int) -> list[tuple[Payer | None, DeliveryStatus]]:
    """Of each message about who pays, newest first."""
    return [(each.payer, each.status) for each in told(firm, client_id)]


def letter(firm: Space, client_id: int) -> Letter:
    """What waits, as it would leave now."""
    with firm.database.reading() as session:
        waiting = invitations.waiting_message(session, firm.manager, client_id)
    assert waiting is not None
    return waiting.letter


def edit(firm: Space, client_id: int, **details: str) -> None:
    with firm.database.transaction() as session:
        client = subscriptions.visible(session, firm.manager, client_id)
        known = {what.value: what.of(client) for what in ClientDetail}
        invitations.edit_client(session, firm.manager, client_id, ClientDetails.from_typed(**known | details), seen=0)


def check(firm: Space) -> list[str]:
    with firm.database.reading() as session:
        return [*subscriptions.differences(session), *invitations.differences(session)]


def test_a_client_that_becomes_the_payer_is_told_from_when_what_and_how_much(firm: Space, post) -> None:
    """And that the period which runs is paid; whoever looks after it is asked."""
    mailbox, server = post
    client_id = accepted(firm)
    change(firm, client_id, at=local(2027, 1, 10, 9), payer=Payer.CLIENT)
    assert statuses(firm, client_id) == [(Payer.CLIENT, WAITING)]
    assert letter(firm, client_id).text == (
        "Hello Aubry,\n\n"
        "From 10 Jan 2027 on, you pay for the subscription of Aubry. Partner 1 paid for it before.\n\n"
        "What you get: Standard, billed monthly\n"
        "You pay: €19.00 a month, without VAT.\n\n"
        "What has been charged until then stays as it was: the running period is paid until 14 Jan 2027. "
        "The first period that you pay for begins on 15 Jan 2027.\n\n"
        "If you have a question, answer this message or write to The client manager, client_manager@example.com.\n\n"
        "The client manager\nPartner 1\n"
    )
    assert deliver(firm.database, server, partner_id=1, client_id=client_id) == Delivered(sent=1)
    (received,) = mailbox.received
    assert received["To"] == "Aubry <aubry@example.com>"
    assert received["Reply-To"] == "client_manager@example.com"
    assert received["Subject"] == "Partner 1: you pay for your subscription from 10 Jan 2027 on"
    assert statuses(firm, client_id) == [(Payer.CLIENT, SENT)]
    assert check(firm) == []


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("fr", "À partir du 10 janv. 2027, vous payez l’abonnement de Aubry."),
        ("nl", "Vanaf 10 jan 2027 betaalt u het abonnement van Aubry."),
    ],
)
def test_the_letter_is_in_the_language_of_the_client(firm: Space, language: str, said: str) -> None:
    """The reader's language is another one."""
    client_id = accepted(firm, language=language)
    change(firm, client_id, at=local(2027, 1, 10, 9), payer=Payer.CLIENT)
    assert said in letter(firm, client_id).text


def test_what_is_added_with_the_change_of_payer_is_the_clients_to_pay(firm: Space) -> None:
    """Plus on 25 January, for the rest of the period of 15 January to 15 February: 10.16 (rule 37)."""
    client_id = accepted(firm)
    change(firm, client_id, at=local(2027, 1, 25, 9), payer=Payer.CLIENT, plan="plus")
    firm.clock.moment = local(2027, 1, 28, 9)
    text = letter(firm, client_id).text
    assert "For what is added, you pay €10.16 once, without VAT, for the rest of that period." in text
    assert "You pay: €34.00 a month, without VAT." in text


def test_who_becomes_the_payer_on_the_day_of_acceptance_pays_from_the_first_period(firm: Space) -> None:
    """Nothing was charged before."""
    client_id = accepted(firm)
    change(firm, client_id, at=local(2026, 12, 15, 17), payer=Payer.CLIENT)
    text = letter(firm, client_id).text
    assert "The first period that you pay for begins on 15 Dec 2026." in text
    assert "stays as it was" not in text


def test_clearing_an_exception_and_adopting_defaults_tell_it_too(firm: Space) -> None:
    """Whatever makes the client the payer."""
    by_clearing, at = accepted(firm), local(2027, 1, 10, 9)
    firm.clock.moment = at
    firm.save(settings(payer=Payer.CLIENT))
    firm.adopt(by_clearing)
    assert statuses(firm, by_clearing) == [(Payer.CLIENT, WAITING)]
    client_id = firm.invite("Second", Overrides(payer=Payer.PARTNER)).client_id
    with firm.database.transaction() as session:
        message = invitations.waiting(session, 1, client_id, OutboxMessage)
        assert message is not None
        invitations.accept(session, message.token or "")
    firm.clock.forward(days=3)
    firm.override(client_id, Overrides())
    assert statuses(firm, client_id) == [(Payer.CLIENT, WAITING)]


def test_nobody_is_told_but_an_active_client_that_becomes_the_payer(firm: Space) -> None:
    """An invited one is shown it by its link; other changes, and the way back long after, are told by charges."""
    firm.clock.moment = local(2026, 12, 15, 10)
    invited = firm.invite("Invited").client_id
    firm.override(invited, Overrides(payer=Payer.CLIENT))
    assert statuses(firm, invited) == []
    client_id = accepted(firm)
    change(firm, client_id, at=local(2027, 1, 10, 9), plan="plus")
    assert statuses(firm, client_id) == []
    change(firm, client_id, at=local(2027, 1, 11, 9), payer=Payer.CLIENT)
    with firm.database.transaction() as session:
        session.execute(update(PayerMessage).values(next_attempt_at=None, sent_at=firm.clock(), attempts=1))
    change(firm, client_id, at=local(2027, 1, 12, 9), plan="premium")
    change(firm, client_id, at=local(2027, 6, 12, 9), payer=Payer.PARTNER)
    assert statuses(firm, client_id) == [(Payer.CLIENT, SENT)]


def test_a_change_that_waits_is_told_at_once_with_its_day(firm: Space) -> None:
    """From the renewal on, at what it costs then."""
    client_id = accepted(firm)
    change(firm, client_id, at=local(2027, 1, 10, 9), payer=Payer.CLIENT, billing_period=YEARLY)
    said = letter(firm, client_id)
    assert said.subject == "Partner 1: you pay for your subscription from 15 Jan 2027 on"
    assert "From the renewal of 15 Jan 2027 on, you pay for the subscription of Aubry. Partner 1 pays" in said.text
    assert "What you get: Standard, billed yearly\nYou pay: €190.00 a year, without VAT." in said.text
    assert "the running period is paid until 14 Jan 2027. The first period that you pay for begins on 15" in said.text
    firm.clock.moment = local(2027, 2, 1, 9)
    assert "You pay: €190.00 a year" in letter(firm, client_id).text
    assert check(firm) == []


def test_what_waits_with_a_change_of_payer_that_does_not_is_what_the_client_is_told(firm: Space) -> None:
    """The first period it pays for is of what is pending already."""
    client_id = accepted(firm)
    change(firm, client_id, at=local(2027, 1, 3, 9), plan="starter")
    change(firm, client_id, at=local(2027, 1, 10, 9), payer=Payer.CLIENT)
    text = letter(firm, client_id).text
    assert "From 10 Jan 2027 on" in text
    assert "You pay: €9.00 a month" in text


def test_a_pending_change_that_is_cancelled_before_its_message_left_is_told_to_nobody(firm: Space, post) -> None:
    """The message is withdrawn."""
    mailbox, server = post
    client_id = accepted(firm)
    change(firm, client_id, at=local(2027, 1, 10, 9), payer=Payer.CLIENT, billing_period=YEARLY)
    cancel(firm, client_id, at=local(2027, 1, 11, 9))
    assert statuses(firm, client_id) == [(Payer.CLIENT, WITHDRAWN)]
    assert deliver(firm.database, server) == Delivered()
    assert mailbox.received == []


def test_one_that_is_cancelled_after_its_message_left_is_taken_back_by_another(firm: Space, post) -> None:
    """It names the first one, says who pays, and is itself withdrawn when the client becomes the payer again."""
    mailbox, server = post
    client_id = accepted(firm)
    change(firm, client_id, at=local(2027, 1, 10, 9), payer=Payer.CLIENT, billing_period=YEARLY)
    assert deliver(firm.database, server) == Delivered(sent=1)
    cancel(firm, client_id, at=local(2027, 1, 11, 9))
    assert statuses(firm, client_id) == [(Payer.PARTNER, WAITING), (Payer.CLIENT, SENT)]
    said = letter(firm, client_id)
    assert said.subject == "Partner 1 pays for your subscription"
    assert "Partner 1 pays for the subscription of Aubry, as before." in said.text
    assert "This replaces our message of 10 Jan 2027." in said.text
    change(firm, client_id, at=local(2027, 1, 12, 9), payer=Payer.CLIENT)
    assert statuses(firm, client_id)[:2] == [(Payer.CLIENT, WAITING), (Payer.PARTNER, WITHDRAWN)]
    assert "This replaces our message of 10 Jan 2027." in letter(firm, client_id).text
    assert deliver(firm.database, server) == Delivered(sent=1)
    assert len(mailbox.received) == 2
    assert check(firm) == []


def test_a_slip_that_is_taken_back_on_the_same_day_is_told_where_it_had_left(firm: Space, post) -> None:
    """Nothing was charged by it (rule 29); the day after it is a change like any other."""
    _, server = post
    client_id = accepted(firm)
    change(firm, client_id, at=local(2027, 1, 10, 9), payer=Payer.CLIENT)
    deliver(firm.database, server)
    change(firm, client_id, at=local(2027, 1, 10, 23, 30), payer=Payer.PARTNER)
    assert statuses(firm, client_id) == [(Payer.PARTNER, WAITING), (Payer.CLIENT, SENT)]


def test_a_message_whose_attempt_runs_counts_as_one_that_left(firm: Space) -> None:
    """It cannot be called back, so it is taken back in words."""
    from core.invitations import outbox

    client_id = accepted(firm)
    change(firm, client_id, at=local(2027, 1, 10, 9), payer=Payer.CLIENT)
    with firm.database.transaction() as session:
        claimed = outbox.claim(session, 1)
    assert isinstance(claimed, PayerMessage)
    change(firm, client_id, at=local(2027, 1, 10, 10), payer=Payer.PARTNER)
    with firm.database.transaction() as session:
        outbox.record_sent(session, claimed)
    assert statuses(firm, client_id) == [(Payer.PARTNER, WAITING), (Payer.CLIENT, SENT)]


def test_another_plan_in_what_was_announced_is_told_anew(firm: Space, post) -> None:
    """The client knows what it is going to pay for; what leaves it as it was says nothing."""
    _, server = post
    client_id = accepted(firm)
    change(firm, client_id, at=local(2027, 1, 10, 9), payer=Payer.CLIENT, billing_period=YEARLY)
    deliver(firm.database, server)
    change(firm, client_id, at=local(2027, 1, 11, 9), plan="plus")
    assert statuses(firm, client_id) == [(Payer.CLIENT, WAITING), (Payer.CLIENT, SENT)]
    text = letter(firm, client_id).text
    assert "This replaces our message of 10 Jan 2027." in text
    assert "You pay: €350.00 a year" in text


def test_an_archived_client_is_told_nothing(firm: Space, post) -> None:
    """Archived at once its message is withdrawn; where the end came meanwhile, it is given up."""
    mailbox, server = post
    client_id = accepted(firm)
    change(firm, client_id, at=local(2027, 1, 10, 9), payer=Payer.CLIENT)
    firm.archive(client_id)
    assert statuses(firm, client_id) == [(Payer.CLIENT, WITHDRAWN)]
    other = accepted(firm, local(2027, 1, 15, 10), email="other@example.com")
    change(firm, other, at=local(2027, 1, 20, 9), payer=Payer.CLIENT)
    seen = firm.detail(other).seen
    with firm.database.transaction() as session:
        subscriptions.archive(session, firm.manager, other, seen=seen)
    assert "The subscription ends after that day." in letter(firm, other).text
    firm.clock.moment = local(2027, 2, 15, 9)
    assert deliver(firm.database, server) == Delivered()
    assert statuses(firm, other) == [(Payer.CLIENT, GIVEN_UP)]
    assert mailbox.received == []
    assert check(firm) == []


def test_the_message_follows_a_new_address_and_so_does_one_that_was_given_up(firm: Space, post) -> None:
    """Corrected because it did not arrive, as often as not."""
    mailbox, server = post
    client_id = accepted(firm)
    change(firm, client_id, at=local(2027, 1, 10, 9), payer=Payer.CLIENT)
    edit(firm, client_id, email="second@example.com")
    assert [each.recipient for each in told(firm, client_id)] == ["second@example.com", "aubry@example.com"]
    assert check(firm) == []
    mailbox.to_recipient = ["550 no such mailbox"]
    assert deliver(firm.database, server) == Delivered(given_up=1)
    with firm.database.transaction() as session:
        number = subscriptions.edits(session, firm.manager, client_id)[0].number
        client = subscriptions.visible(session, firm.manager, client_id)
        known = {what.value: what.of(client) for what in ClientDetail}
        details = ClientDetails.from_typed(**known | {"email": "third@example.com"})
        invitations.edit_client(session, firm.manager, client_id, details, seen=number)
    assert deliver(firm.database, server) == Delivered(sent=1)
    assert [received["To"] for received in mailbox.received] == ["Aubry <third@example.com>"]
    assert check(firm) == []


def test_check_names_messages_about_who_pays_that_do_not_fit(firm: Space) -> None:
    """Two that wait, another address, and a payer that no revision has."""
    client_id = accepted(firm)
    change(firm, client_id, at=local(2027, 1, 10, 9), payer=Payer.CLIENT)
    with firm.database.transaction() as session:
        (waiting,) = session.execute(select(PayerMessage.__table__)).mappings()
        wrong = {"sending": 3, "recipient": "x@example.com", "paid_from": waiting["paid_from"] - timedelta(days=1)}
        session.execute(insert(PayerMessage), {**waiting, **wrong})
    found = check(firm)
    assert len(found) == 4
    assert [difference.split(": ", 1)[1].split(",")[0] for difference in found] == [
        "2 messages about who pays wait",
        "expected 2",
        "waits for 'x@example.com'",
        "says client from 2027-01-09 08:00:00+00:00",
    ]


def given_up(firm: Space, post: tuple[Mailbox, SmtpServer]) -> int:
    """A client whose message that it pays the mail server refused for good, and takes from now on."""
    mailbox, server = post
    client_id = accepted(firm)
    change(firm, client_id, at=local(2027, 1, 10, 9), payer=Payer.CLIENT)
    mailbox.to_recipient = ["550 no such mailbox"]
    assert deliver(firm.database, server) == Delivered(given_up=1)
    return client_id


def tell_again(firm: Space, client_id: int, *, seen: int, attempt: str = "") -> None:
    with firm.database.transaction() as session:
        invitations.tell_again(session, firm.manager, client_id, seen=seen, attempt=attempt)


def test_one_that_was_given_up_is_sent_again_to_the_same_address(firm: Space, post) -> None:
    """By whoever sees that it was not delivered; with the same day, and the same form once."""
    mailbox, server = post
    client_id = given_up(firm, post)
    found = firm.invitation(client_id).to_tell_again
    assert found is not None
    assert found.recipient == "aubry@example.com"
    for _ in range(2):
        tell_again(firm, client_id, seen=1, attempt="one form")
    assert statuses(firm, client_id) == [(Payer.CLIENT, WAITING), (Payer.CLIENT, GIVEN_UP)]
    assert firm.invitation(client_id).to_tell_again is None
    assert "From 10 Jan 2027 on, you pay" in letter(firm, client_id).text
    assert deliver(firm.database, server) == Delivered(sent=1)
    assert [received["To"] for received in mailbox.received] == ["Aubry <aubry@example.com>"]
    assert check(firm) == []


def test_why_and_by_whom_it_was_sent_again_is_kept_until_the_client_is_forgotten(firm: Space, post) -> None:
    """Rule 11: with the message, and among the activities."""
    client_id = given_up(firm, post)
    with firm.database.transaction() as session:
        invitations.tell_again(session, firm.manager, client_id, seen=1, reason="  their mailbox was full ")
    assert [each.reason for each in told(firm, client_id)] == ["their mailbox was full", ""]
    with firm.database.reading() as session:
        newest = members.activities(session, firm.administrator)[0]
    assert (newest.by, newest.what, newest.client_id) == (
        "The client manager", ActivityKind.PAYER_TOLD_AGAIN, client_id,
    )  # fmt: skip
    edit(firm, client_id, name="Aubry", email="other@example.com")
    assert told(firm, client_id)[0].reason == ""  # it follows the address: nobody asked for it
    firm.archive(client_id)
    with firm.database.transaction() as session:
        assert invitations.forget(session, firm.partner_id, client_id)
    assert [each.reason for each in told(firm, client_id)] == ["", "[forgotten]", ""]
    assert check(firm) == []
    with firm.database.transaction() as session:
        session.execute(text("UPDATE payer_message SET reason = 'their mailbox' WHERE sending = 2"))
    assert any("payer_message has texts of it" in difference for difference in check(firm))


def test_of_two_who_send_it_again_one_is_told_that_it_waits(firm: Space, post) -> None:
    """Nothing is sent twice; and one that waits or was sent is not sent again."""
    client_id = given_up(firm, post)
    tell_again(firm, client_id, seen=1)
    with pytest.raises(StaleMessage, match="The client manager"):
        tell_again(firm, client_id, seen=1)
    with pytest.raises(NothingToTellAgain):
        tell_again(firm, client_id, seen=2)
    assert deliver(firm.database, post[1]) == Delivered(sent=1)
    with pytest.raises(NothingToTellAgain, match="no undelivered message about who pays for Aubry"):
        tell_again(firm, client_id, seen=2)


def test_what_is_not_so_any_more_is_not_sent_again(firm: Space, post) -> None:
    """Another payer since, or no subscription at all."""
    client_id = given_up(firm, post)
    change(firm, client_id, at=local(2027, 1, 12, 9), payer=Payer.PARTNER)
    assert firm.invitation(client_id).to_tell_again is None
    with pytest.raises(NothingToTellAgain):
        tell_again(firm, client_id, seen=1)
    change(firm, client_id, at=local(2027, 1, 13, 9), payer=Payer.CLIENT)
    firm.archive(client_id)
    with pytest.raises(NothingToTellAgain):
        tell_again(firm, client_id, seen=len(told(firm, client_id)))
