"""Invitations on the pages: the message that waits, its link, sending again, revoking, inviting again."""

from datetime import timedelta

import pytest
from sqlalchemy import text, update
from streamlit.testing.v1 import AppTest

from core import invitations, reports, subscriptions
from core.configuration import Configuration
from core.invitations import Invitation
from core.storage import Database
from core.words import ClientStatus, Overrides, Payer
from tests.conftest import LONGEST_WAIT
from tests.pages.conftest import (
    CLIENT,
    INVITE,
    ROOT,
    asked,
    at,
    form_key,
    manager,
    opened,
    plain_text,
    ran,
    rows,
    send,
    text_of,
    typed,
)
from tests.smtp import smtp_server

INVITATION = "pages/invitation/accept.py"


def invited_through_the_page(message: str = "") -> AppTest:
    app = typed(opened(INVITE), name="Nouveau Client", email="nouveau@example.com")
    at(app.text_area, form_key(app, "message")).set_value(message)
    return send(app)


def token_shown(app: AppTest) -> str:
    return next(code.value for code in app.code).split("invitation=")[1]


def by_link(token: str, locale: str = "en-GB") -> AppTest:
    app = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=LONGEST_WAIT)
    app.context = {"locale": locale}
    app.query_params["invitation"] = token
    app.switch_page(INVITATION)
    return ran(app)


def test_without_a_mail_server_the_message_waits_and_is_shown_as_it_would_look() -> None:
    """Nothing pretends to be sent: its text, its link to copy, and a file to send by hand."""
    app = invited_through_the_page(message="See <b>you</b>")
    output = plain_text(app)
    assert "In the demo nothing is ever sent." in output
    assert "Subject: Fiduciaire Exemple invites you" in output
    assert "See <b>you</b>" in output
    assert token_shown(app) in output


def test_the_link_opens_a_public_page_where_the_client_accepts_once(demo_database: Database) -> None:
    """No menu, no other data; afterwards the client is active, and the link is used up."""
    token = token_shown(invited_through_the_page())
    page = by_link(token)
    assert "Fiduciaire Exemple invites you" in plain_text(page)
    assert not page.sidebar.selectbox
    ran(at(page.button, "accept.accept").click())
    assert "Your subscription starts today" in plain_text(page)
    assert "accepted already" in plain_text(by_link(token))
    with demo_database.reading() as session:
        found = reports.billing_sources(session, manager(demo_database), search="nouveau@example.com")
    assert list(found["status"]) == ["active"]


def test_what_is_accepted_is_what_was_shown(demo_database: Database) -> None:
    """An offer that changed meanwhile is shown first; the second click accepts it."""
    page = by_link(token_shown(invited_through_the_page()))
    with demo_database.transaction() as session:
        overrides = Overrides(payer=Payer.CLIENT)
        subscriptions.override(session, manager(demo_database), 241, overrides, seen=1)
    ran(at(page.button, "accept.accept").click())
    assert "What is offered changed in the meantime." in plain_text(page)
    assert "You pay: €27.00 a month, without VAT." in plain_text(page)
    assert asked(demo_database, subscriptions.detail, 241).status is ClientStatus.INVITED
    ran(at(page.button, "accept.accept").click())
    assert "Your subscription starts today" in plain_text(page)
    assert asked(demo_database, subscriptions.detail, 241).status is ClientStatus.ACTIVE


def test_a_link_that_opens_nothing_says_so_in_the_browsers_language() -> None:
    """And nothing else; Dutch too."""
    assert "This link is not valid" in plain_text(by_link("1.1.1.guess"))
    assert "Ce lien n’est pas valable" in plain_text(by_link("1.1.1.guess", locale="fr-BE"))
    assert "Deze link is niet geldig" in plain_text(by_link("1.1.1.guess", locale="nl-BE"))


def test_an_invitation_is_sent_again_revoked_and_followed_by_another_from_its_client() -> None:
    """Each says what was done; finance sees how it went and can do nothing."""
    first = token_shown(invited_through_the_page())
    app = opened(CLIENT, client="241")
    ran(at(app.button, "invitation.241.resend").click())
    assert "has a new link" in plain_text(app)
    assert token_shown(app) != first
    assert not [b for b in opened(CLIENT, acting=4, client="241").button if str(b.key).startswith("invitation.")]
    assert not opened(CLIENT, acting=4, client="241").code
    ran(at(app.button, "invitation.241.revoke").click())
    assert "Revoked" in text_of(app) or "revoked" in plain_text(app)
    ran(at(app.button, "invitation.241.again").click())
    assert "is invited again" in plain_text(app)
    assert "Fiduciaire Exemple invites you" in plain_text(by_link(token_shown(app)))


def test_two_members_who_send_again_at_once_send_once(demo_database: Database) -> None:
    """What counts is how many messages each of them saw."""
    invited_through_the_page()
    first, second = opened(CLIENT, client="241"), opened(CLIENT, acting=2, client="241")
    for app in (first, second):
        ran(at(app.button, "invitation.241.resend").click())
    assert asked(demo_database, invitations.of_client, 241).sendings == 2


def test_what_a_colleague_did_meanwhile_is_said_instead_of_done(demo_database: Database) -> None:
    """An invitation revoked by somebody else cannot be revoked again."""
    invited_through_the_page()
    app = opened(CLIENT, client="241")
    with demo_database.transaction() as session:
        invitations.revoke(session, manager(demo_database), 241)
    ran(at(app.button, "invitation.241.revoke").click())
    assert "is not pending any more. Look at the client again." in plain_text(app)
    assert "Revoked on" in plain_text(app)


def test_a_message_that_cannot_be_written_any_more_says_why(demo_database: Database) -> None:
    """What the client would pay for lost its price."""
    app = opened(INVITE)
    ran(at(app.button_group, form_key(app, "payer")).set_value(Payer.CLIENT))
    send(typed(app, name="Nouveau Client", email="nouveau@example.com"))
    with demo_database.transaction() as session:
        session.execute(text("DELETE FROM plan_price WHERE plan = 'standard'"))
        session.execute(text("UPDATE catalogue_edition SET edition = edition + 1"))
    app = opened(CLIENT, client="241")
    assert "Standard has no monthly price" in plain_text(app)
    assert not app.code


def test_a_message_whose_invitation_lapsed_first_is_not_shown_as_waiting(demo_database: Database) -> None:
    """Nor is the link, which opens nothing any more."""
    invited_through_the_page()
    with demo_database.transaction() as session:
        long_ago = demo_database.clock() - timedelta(days=31)
        lapsed = {"invited_at": long_ago, "expires_at": long_ago + timedelta(days=30)}
        session.execute(update(Invitation).where(Invitation.client_id == 241).values(**lapsed))
    app = opened(CLIENT, client="241")
    assert "Expired before it was sent" in plain_text(app)
    assert "Waiting to be sent" not in plain_text(app)
    assert not app.code


def test_a_failure_before_a_message_was_sent_is_shown_with_it(
    monkeypatch: pytest.MonkeyPatch, demo_database: Database
) -> None:
    """In the words of the server."""
    with smtp_server() as (mailbox, server):
        monkeypatch.setattr(Configuration, "smtp", property(lambda _: server))
        mailbox.to_recipient = ["451 try later"]
        invited_through_the_page()
        url, clock = demo_database.engine.url.render_as_string(hide_password=False), demo_database.clock
        later = Database(url, clock=lambda: clock() + timedelta(minutes=2))
        assert invitations.deliver(later, server, client_id=241).sent == 1
        later.close()
    text = plain_text(opened(CLIENT, client="241"))
    assert "Sent to nouveau@example.com" in text
    assert "451 try later" in text


def test_a_mail_server_that_is_set_gets_the_message_right_after_the_invitation(
    monkeypatch: pytest.MonkeyPatch, demo_database: Database
) -> None:
    """And the page says that it was sent."""
    with smtp_server() as (mailbox, server):
        monkeypatch.setattr(Configuration, "smtp", property(lambda _: server))
        app = invited_through_the_page()
        assert not app.code
        (message,) = mailbox.received
    assert message["To"].addresses[0].addr_spec == "nouveau@example.com"
    assert "Sent to nouveau@example.com" in plain_text(opened(CLIENT, client="241"))


def test_the_table_tells_a_lapsed_invitation_and_leads_to_it(demo_database: Database) -> None:
    """Expired by itself; the letter beside it opens what can be done."""
    app = opened(status="invited,expired")
    shown = rows(app)
    assert {"Expired", "Invited"} == set(shown["status"])
    place = list(shown["status"]).index("Expired")
    listed = asked(demo_database, reports.listed, status="invited,expired")
    app.session_state["clients.letter opened"] = listed[place].client_id  # what a click on its letter leads to
    ran(app)
    assert [b for b in app.button if str(b.key).endswith(".again")]
