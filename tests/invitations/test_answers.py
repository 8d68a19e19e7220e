"""What becomes of an invitation: its link, its message, accepting, sending again, revoking, inviting again (13, 14)."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import catalogue, invitations, subscriptions
from core.catalogue import Price
from core.invitations import Invitation, Letter, OutboxMessage, letters, outbox
from core.invitations.invitation import hash_of, key_of, link, new_token, opens
from core.invitations.letters import html
from core.storage import now
from core.words import (
    BadInput,
    BillingError,
    BillingPeriod,
    ClientStatus,
    DeliveryStatus,
    InvitationNotPending,
    InvitationStatus,
    LinkExpired,
    LinkRevoked,
    LinkUnknown,
    LinkUsed,
    OfferChanged,
    Origin,
    Overrides,
    Payer,
    Setting,
    StaleMessage,
    StillInvited,
    is_showable,
)
from tests.conftest import PLUS, STANDARD, Space, at_once


def text_of(space: Space, client_id: int = 1) -> str:
    with space.database.reading() as session:
        waiting = invitations.waiting_message(session, space.manager, client_id)
        return "" if waiting is None else waiting.letter.text


def token_of(space: Space, client_id: int = 1) -> str:
    (line,) = [line for line in text_of(space, client_id).splitlines() if "/accept?" in line]
    return line.split("invitation=")[1]


def act(space: Space, action: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    with space.database.transaction() as session:
        return action(session, *arguments, **named)


def offer(space: Space, token: str) -> invitations.Offered:
    with space.database.reading() as session:
        return invitations.offered(session, token)


@pytest.fixture
def invited(space: Space) -> Space:
    space.save(STANDARD)
    space.invite(language="fr")
    return space


def test_accepting_makes_the_client_active_and_starts_the_subscription_that_day(invited: Space) -> None:
    """Rule 13, and the history says that nobody at the partner did it."""
    invited.clock.forward(days=3)
    act(invited, invitations.accept, token_of(invited))
    shown = invited.detail(1)
    invitation = invited.invitation(1)
    assert (shown.status, invitation.status) == (ClientStatus.ACTIVE, InvitationStatus.ACCEPTED)
    newest = shown.history[0]
    assert (newest.valid_from, newest.changed_by, newest.origin) == (invited.clock.moment, None, Origin.SYSTEM)
    assert (newest.status_before, newest.changes) == (ClientStatus.INVITED, ())
    assert invitation.invitation.accepted_at == invited.clock.moment


def test_a_setting_without_a_sentence_of_its_own_is_said_by_its_name(
    invited: Space, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that a letter leaves out nothing of what a client accepts."""
    shown, before = offer(invited, token_of(invited)), text_of(invited)
    monkeypatch.setattr(letters, "IN_SENTENCES", [s for s in letters.IN_SENTENCES if s is not Setting.PAYER])
    assert "Paid by: The client" in letters.by_name(shown.settings, shown.offer)
    assert set(text_of(invited).splitlines()) - set(before.splitlines()) == {"Payé par\u00a0: Le client"}


def test_an_invitation_is_accepted_once(invited: Space) -> None:
    """Two at once, on both databases: one accepts, the other is told that it was accepted."""
    token = token_of(invited)

    def accept(_: int) -> type | None:
        try:
            act(invited, invitations.accept, token)
        except BillingError as refusal:
            return type(refusal)
        return None

    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(accept, range(4)))
    assert sorted(map(str, outcomes)) == sorted(map(str, [None, LinkUsed, LinkUsed, LinkUsed]))
    assert invited.detail(1).revision == 2


def test_each_kind_of_dead_link_says_so_and_nothing_else(invited: Space) -> None:
    """Wrong, used, revoked, expired; the page learns nothing of the client from a refusal."""
    for name in ("Used", "Revoked", "Expired"):
        invited.invite(name)
    used, revoked, expired = (token_of(invited, client) for client in (2, 3, 4))
    act(invited, invitations.accept, used)
    act(invited, invitations.revoke, invited.manager, 3)
    invited.clock.forward(days=30)
    guessed = new_token(1, 1, 1)
    for token, refusal in (
        (used, LinkUsed), (revoked, LinkRevoked), (expired, LinkExpired), (guessed, LinkUnknown), ("", LinkUnknown),
        (used + "x", LinkUnknown), ("9.9.9.abc", LinkUnknown),
    ):  # fmt: skip
        for action in (invitations.offered, invitations.accept):
            with pytest.raises(refusal) as refused:
                act(invited, action, token)
            assert not any(word in str(refused.value) for word in ("Aubry", "Used", "Partner", "example"))


@given(st.text())
def test_no_text_is_taken_for_a_token_by_mistake(text: str) -> None:
    """Whatever the URL holds, it opens nothing and breaks nothing."""
    assert not opens(text, hash_of(new_token(1, 1, 1)))
    assert not opens(text, None)
    key = key_of(text)
    assert key is None or all(0 <= number < 10**9 for number in key)


def test_the_link_is_kept_as_a_hash_but_for_the_message_that_waits(invited: Space) -> None:
    """At least 128 bits that nobody can guess, and no row tells them once the message is gone."""
    token = token_of(invited)
    assert len(token.split(".")[3]) * 6 >= 128
    act(invited, invitations.accept, token)
    with invited.database.reading() as session:
        rows = [*session.execute(select(Invitation.__table__)), *session.execute(select(OutboxMessage.__table__))]
    assert not any(token.split(".")[3] in str(row) for row in rows)


def test_what_is_offered_is_told_in_the_clients_language(invited: Space) -> None:
    """Who invites, what, until when; a client who pays sees the price, one whose partner pays does not."""
    offered = offer(invited, token_of(invited))
    assert (offered.partner, offered.client, offered.language) == ("Partner 1", "Aubry & Fils", "fr")
    assert offered.price is not None
    assert "Bonjour Aubry & Fils," in text_of(invited)
    assert "24,00" in text_of(invited)
    invited.invite("Second", Overrides(payer=Payer.PARTNER))
    assert offer(invited, token_of(invited, 2)).price is None
    assert "24" not in text_of(invited, 2).replace("2026", "").split("http")[0]


def test_a_resent_invitation_has_a_new_link_and_the_old_one_is_dead(invited: Space) -> None:
    """The form that asks for it sent twice sends it once; who did not see that it was sent is told."""
    old = token_of(invited)
    for _ in range(2):
        act(invited, invitations.send_again, invited.manager, 1, seen=1, attempt="form")
    with pytest.raises(StaleMessage, match=r"The client manager sent a message to Aubry & Fils on 3 Mar 2026, 09:00"):
        act(invited, invitations.send_again, invited.administrator, 1, seen=1, attempt="form")
    new = token_of(invited)
    assert new != old
    with pytest.raises(LinkUnknown):
        offer(invited, old)
    assert offer(invited, new).client == "Aubry & Fils"
    sendings = invited.invitation(1).deliveries
    assert [(d.sending, d.status) for d in sendings] == [(2, DeliveryStatus.WAITING), (1, DeliveryStatus.WITHDRAWN)]


def test_a_lapsed_invitation_is_expired_by_itself_and_does_not_block_inviting_again(invited: Space) -> None:
    """Rule 14; the client keeps its number, its settings and its history."""
    invited.clock.forward(days=30)
    assert invited.invitation(1).status is InvitationStatus.EXPIRED
    for refused in (
        lambda s: invitations.send_again(s, invited.manager, 1, seen=1),
        lambda s: invitations.revoke(s, invited.manager, 1),
    ):
        with pytest.raises(InvitationNotPending):
            act(invited, refused)
    invited.save(PLUS)
    act(invited, invitations.invite_again, invited.manager, 1)
    shown, invitation = invited.detail(1), invited.invitation(1)
    assert (invitation.invitation.number, invitation.status) == (2, InvitationStatus.PENDING)
    assert (shown.effective.defaults_version, shown.revision) == (1, 1)
    act(invited, invitations.accept, token_of(invited))
    assert invited.detail(1).status is ClientStatus.ACTIVE


def test_an_invitation_holds_until_the_instant_it_expires_and_not_at_it(invited: Space) -> None:
    """A message that did not leave until then does not wait any more either: its link would open nothing."""
    token = token_of(invited)
    invited.clock.moment = invited.invitation(1).invitation.expires_at - timedelta(microseconds=1)
    assert invited.invitation(1).status is InvitationStatus.PENDING
    assert offer(invited, token).client == "Aubry & Fils"
    assert token in text_of(invited)
    invited.clock.forward(microseconds=1)
    assert invited.invitation(1).status is InvitationStatus.EXPIRED
    with pytest.raises(LinkExpired):
        offer(invited, token)
    assert text_of(invited) == ""


def test_a_client_that_is_invited_or_active_is_not_invited_again(invited: Space) -> None:
    """Rule 14."""
    with pytest.raises(StillInvited):
        act(invited, invitations.invite_again, invited.manager, 1)
    act(invited, invitations.accept, token_of(invited))
    with pytest.raises(StillInvited):
        act(invited, invitations.invite_again, invited.manager, 1)


def test_a_revoked_invitation_says_by_whom_and_can_be_followed_by_another(invited: Space) -> None:
    """Nothing waits for it any more."""
    act(invited, invitations.revoke, invited.manager, 1)
    shown = invited.invitation(1)
    assert (shown.status, shown.revoked_by) == (InvitationStatus.REVOKED, invited.manager.name)
    assert text_of(invited) == ""
    act(invited, invitations.invite_again, invited.manager, 1)
    assert offer(invited, token_of(invited)).client == "Aubry & Fils"


def test_an_archived_client_is_invited_again_on_the_defaults_in_force_then(invited: Space) -> None:
    """Its exceptions are cleared; the history keeps them."""
    invited.override(1, Overrides(payer=Payer.PARTNER))
    invited.archive(1)
    invited.save(PLUS)
    act(invited, invitations.invite_again, invited.manager, 1, reason="is back")
    shown = invited.detail(1)
    assert (shown.status, invited.invitation(1).status) == (ClientStatus.INVITED, InvitationStatus.PENDING)
    assert (shown.effective.settings, shown.effective.defaults_version) == (PLUS, 2)
    assert shown.effective.overridden == frozenset()
    assert shown.history[0].reason == "is back"
    with invited.database.reading() as session:
        assert list(subscriptions.differences(session)) == []


UNTIL = datetime(2026, 3, 3, tzinfo=UTC)


def test_what_is_accepted_is_what_was_shown(invited: Space) -> None:
    """A change in between is told, and nothing is accepted; seen again, it can be."""
    token = token_of(invited)
    seen = offer(invited, token).shown
    invited.override(1, Overrides(plan="plus", add_ons=frozenset()))
    token = token_of(invited)
    with pytest.raises(OfferChanged):
        act(invited, invitations.accept, token, seen=seen)
    assert invited.detail(1).status is ClientStatus.INVITED
    act(invited, invitations.accept, token, seen=offer(invited, token).shown)
    assert invited.detail(1).status is ClientStatus.ACTIVE


def price_standard(session: Session, cents: int, *, plan: str = "standard") -> None:
    """Load the catalogue with another price a month of a plan."""
    held = catalogue.stored(session, "EUR")
    assert held is not None
    prices = {**held.plan_prices, (plan, BillingPeriod.MONTHLY): cents}
    today = held.prices.valid_from if cents == held.plan_prices[plan, BillingPeriod.MONTHLY] else now(session).date()
    offered = replace(held.prices, number=0, valid_from=today, plan_prices=prices)
    subscriptions.load_catalogue(session, replace(held, prices=offered, price_lists=()))


def test_the_price_that_was_shown_is_the_price_that_is_accepted(invited: Space) -> None:
    """Rule 38: a catalogue loaded in between is told; the price that was accepted then is kept with the invitation."""
    token = token_of(invited)
    shown = offer(invited, token).shown
    act(invited, price_standard, 9900)
    with pytest.raises(OfferChanged):
        act(invited, invitations.accept, token, seen=shown)
    assert invited.detail(1).status is ClientStatus.INVITED
    act(invited, invitations.accept, token, seen=offer(invited, token).shown)
    (accepted,) = invited.invitation(1).past
    assert accepted.accepted_price == Price(10400, BillingPeriod.MONTHLY, "EUR")
    assert accepted.accepted_price == invited.detail(1).price
    act(invited, price_standard, 100)
    assert invited.invitation(1).past[0].accepted_price == Price(10400, BillingPeriod.MONTHLY, "EUR")


@pytest.mark.parametrize("begins", ["today", "tomorrow"])
def test_a_price_list_that_began_since_asks_again_also_at_the_same_price(invited: Space, begins: str) -> None:
    """Rule 38: the client buys by the list in force, which says what its next plan costs and whether later ones reach
    it. One that was loaded and has not begun stops nobody."""
    token = token_of(invited)
    shown = offer(invited, token).shown
    if begins == "tomorrow":
        with invited.database.transaction() as session:
            held = catalogue.stored(session, "EUR")
            assert held is not None
            tomorrow = now(session).date() + timedelta(days=1)
            prices = {**held.plan_prices, ("plus", BillingPeriod.MONTHLY): 9900}
            offered = replace(held.prices, number=0, valid_from=tomorrow, plan_prices=prices)
            subscriptions.load_catalogue(session, replace(held, prices=offered, price_lists=()))
        assert offer(invited, token).shown == shown
        invited.clock.forward(days=1)
    else:
        act(invited, price_standard, 9900, plan="plus")
    with pytest.raises(OfferChanged):
        act(invited, invitations.accept, token, seen=shown)
    assert invited.detail(1).status is ClientStatus.INVITED
    again = offer(invited, token).shown
    assert (again.settings, again.price, again.price_list) == (shown.settings, shown.price, 2)
    act(invited, invitations.accept, token, seen=again)
    assert invited.detail(1).history[0].price_list == 2


def test_an_edition_that_changes_nothing_for_this_client_stops_nobody(invited: Space) -> None:
    """Another plan that is retired, or defaults of the same values."""
    token = token_of(invited)
    shown = offer(invited, token).shown
    invited.retire(plan="premium")
    invited.save(PLUS)
    invited.save(STANDARD)
    invited.adopt(1)
    act(invited, invitations.accept, token, seen=shown)
    assert invited.detail(1).status is ClientStatus.ACTIVE


def test_a_client_whose_partner_pays_accepts_no_price(invited: Space) -> None:
    """It was shown none: a price that changes stops nobody, and none is kept."""
    invited.invite("Second", Overrides(payer=Payer.PARTNER))
    token = token_of(invited, 2)
    shown = offer(invited, token).shown
    act(invited, price_standard, 9900)
    act(invited, invitations.accept, token, seen=shown)
    assert invited.invitation(2).past[0].accepted_price is None


def test_a_catalogue_loaded_while_a_client_accepts_comes_before_or_after(invited: Space) -> None:
    """At once, on both databases: what is kept is what was shown, or nothing was accepted."""
    for number in range(1, 7):
        token = token_of(invited, number)
        shown = offer(invited, token).shown
        assert shown.price is not None
        accepted, _ = at_once(
            invited,
            lambda s, token=token, shown=shown: invitations.accept(s, token, seen=shown).client_id,
            lambda s, number=number: price_standard(s, 2000 + number),
        )
        kept = invited.invitation(number).past[0].accepted_price
        if accepted is OfferChanged:
            assert (invited.detail(number).status, kept) == (ClientStatus.INVITED, None)
        else:
            assert (accepted, kept) == (number, shown.price)
        invited.invite(f"Client {number}")


def test_a_reason_to_invite_again_is_kept_with_the_invitation(invited: Space) -> None:
    """Rule 11; an archived client's is kept with its revision, which begins at the same instant."""
    invited.clock.forward(days=30)
    act(invited, invitations.invite_again, invited.manager, 1, reason="  they called ")
    again = invited.invitation(1).past[0]
    assert (again.invitation.number, again.invitation.reason) == (2, "they called")
    assert (again.invited_by, again.invitation.invited_at) == (invited.manager.name, invited.clock.moment)
    act(invited, invitations.revoke, invited.administrator, 1)
    revoked = invited.invitation(1).past
    assert [each.revoked_by for each in revoked] == [invited.administrator.name, None]
    invited.archive(1)
    act(invited, invitations.invite_again, invited.manager, 1, reason="is back")
    newest, history = invited.invitation(1).past[0].invitation, invited.detail(1).history
    assert (newest.reason, newest.invited_at, history[0].reason) == ("", history[0].valid_from, "is back")


def test_a_reason_that_cannot_be_kept_is_refused(invited: Space) -> None:
    """And nothing is written."""
    invited.clock.forward(days=30)
    with pytest.raises(BadInput):
        act(invited, invitations.invite_again, invited.manager, 1, reason="\x00")
    assert len(invited.invitation(1).past) == 1


def test_a_message_that_waits_says_what_holds(invited: Space) -> None:
    """After an exception or an adoption too: its text is written when it leaves; one that was sent is left alone."""
    invited.override(1, Overrides(payer=Payer.PARTNER))
    assert "Partner 1 le paie" in text_of(invited)
    invited.save(PLUS)
    invited.adopt(1)
    assert "Plus" in text_of(invited)
    with invited.database.transaction() as session:
        waiting = outbox.waiting(session, 1, 1, OutboxMessage)
        assert waiting is not None
        outbox.record_sent(session, waiting)
    invited.override(1, Overrides(payer=Payer.CLIENT))
    assert text_of(invited) == ""


def test_a_message_sent_again_says_until_when_the_invitation_holds(invited: Space) -> None:
    """Sending again does not make it hold longer."""
    invited.clock.forward(days=20)
    act(invited, invitations.send_again, invited.manager, 1, seen=1)
    assert "2 avr. 2026" in text_of(invited)


@pytest.mark.parametrize(
    "name",
    ["=?utf-8?q?a=0D=0AReply-To:_evil@example.org=0D=0A=0D=0ABody?=", "=?utf-8?q?=ED=A0=80?=", 'A "b" <c@d.e>, f'],
)
def test_a_name_that_looks_encoded_is_only_a_name(name: str) -> None:
    """Nothing in it is decoded into headers."""
    letter = Letter(
        "<1@example.com>", UNTIL, name, "m@example.com", "a@straße.de", name, f"{name} invites you", "t", ""
    )
    made = invitations.email(letter, "billing@example.com")
    received = message_from_bytes(made.as_bytes(), policy=policy.default)
    assert set(received.keys()) == HEADERS
    assert received["Reply-To"] == "m@example.com"
    assert received["To"].addresses[0].addr_spec == "a@xn--strae-oqa.de"


HEADERS = {"From", "To", "Reply-To", "Subject", "Message-ID", "Date", "Auto-Submitted", "MIME-Version", "Content-Type"}


@given(st.text(), st.text(max_size=80), st.text(max_size=80))
def test_no_name_and_no_words_add_a_header_or_markup(words: str, name: str, partner: str) -> None:
    """Line breaks, quotes, tags: the words are shown as text, in one paragraph after the other."""
    partner = "".join(c for c in partner if is_showable(c))
    name = "".join(c for c in name if is_showable(c))
    address = link("https://billing.example.com", "1.1.1.abc")
    text = f"Hello {name},\n\n{words}\n\n{address}\n"
    letter = Letter(
        "<1@example.com>", UNTIL, partner, "m@example.com", "a@example.com", name, f"{partner} invites", text, address
    )
    received = message_from_bytes(invitations.email(letter, "billing@example.com").as_bytes(), policy=policy.default)
    assert set(received.keys()) == HEADERS
    assert received["To"].addresses[0].addr_spec == "a@example.com"
    page = received.get_body(("html",)).get_content()
    assert page.count("<a ") == 1
    assert set(re.findall(r"</?(!?\w+)", page)) <= {"!DOCTYPE", "html", "body", "p", "br", "a"}


def test_nasty_words_are_shown_as_text(space: Space) -> None:
    """In both forms of the message."""
    space.save(STANDARD)
    space.invite('<b>"Aubry"</b>', email="a@example.com", message="<script>alert(1)</script>\n\n[x](http://evil)")
    with space.database.reading() as session:
        waiting = invitations.waiting_message(session, space.manager, 1)
    assert waiting is not None
    assert "<script>alert(1)</script>" in waiting.letter.text
    page = html(waiting.letter)
    assert "&lt;script&gt;" in page
    assert "<b>" not in page
    assert page.count("<a ") == 1
