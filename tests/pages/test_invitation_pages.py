"""Invitations on the pages: the message that waits, its link, sending again, revoking, inviting again."""

import pytest
from streamlit.testing.v1 import AppTest

from core import reports
from core.configuration import Configuration
from core.storage import Database
from tests.pages.conftest import (
    CLIENT,
    INVITE,
    LONGEST_RUN,
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
    app = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=LONGEST_RUN)
    app.context = {"locale": locale}
    app.query_params["invitation"] = token
    app.switch_page(INVITATION)
    return ran(app)


def test_without_a_mail_server_the_message_waits_and_is_shown_as_it_would_look() -> None:
    """Nothing pretends to be sent: its text, its link to copy, and a file to send by hand."""
    app = invited_through_the_page(message="See <b>you</b>")
    told = plain_text(app)
    assert "In the demo nothing is ever sent." in told
    assert "Subject: Fiduciaire Exemple invites you" in told
    assert "See <b>you</b>" in told
    assert token_shown(app) in told


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
    app = opened(status="invited")
    shown = rows(app)
    assert {"Expired", "Invited"} == set(shown["status"])
    place = list(shown["status"]).index("Expired")
    listed = asked(demo_database, reports.listed, status="invited")
    app.session_state["clients.letter opened"] = listed[place].client_id  # what a click on its letter leads to
    ran(app)
    assert [b for b in app.button if str(b.key).endswith(".again")]
