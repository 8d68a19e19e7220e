"""The client's page shows the message that tells a client it pays: how it looks, and how its delivery went."""

from dataclasses import replace

from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from core import invitations, subscriptions
from core.invitations import PayerMessage
from core.members import Member
from core.storage import Database, now
from core.subscriptions import Client, Subscription
from core.words import ClientStatus, DeliveryStatus, Payer
from tests.pages.conftest import button, manager, opened, plain_text, ran, table_of

PAGE = "pages/clients/client_subscription.py"


def told_that_it_pays(session: Session, member: Member) -> int:
    """A client that the partner paid for, and that pays from now on; its message waits."""
    client_id = session.scalars(
        select(Subscription.client_id)
        .join(
            Client,
            (Client.partner_id == Subscription.partner_id) & (Client.client_id == Subscription.client_id),
        )
        .where(
            Client.language == "en",
            Subscription.valid_to.is_(None),
            Subscription.status == ClientStatus.ACTIVE,
            Subscription.payer == Payer.PARTNER,
        )
        .order_by(Subscription.client_id)
    ).first()
    assert client_id is not None
    shown = subscriptions.detail(session, member, client_id)
    overrides = replace(shown.overrides, payer=Payer.CLIENT)
    subscriptions.override(session, member, client_id, overrides, seen=shown.seen)
    return client_id


def test_the_message_that_a_client_pays_is_shown_with_its_client(demo_database: Database) -> None:
    """Its text, that no link is in it, and that nothing leaves in the demo."""
    member = manager(demo_database)
    with demo_database.transaction() as session:
        client_id = told_that_it_pays(session, member)
        shown = subscriptions.detail(session, member, client_id)
    app = opened(PAGE, client=str(client_id))
    said = plain_text(app)
    assert "Message that the client pays from" in said
    assert "Not sent: this is the demo" in said
    assert f"{shown.client.name}" in said
    assert any("What has been charged until then stays as it was" in each.value for each in app.text)
    assert not app.code
    with demo_database.reading() as session:
        newest, *_ = invitations.of_client(session, member, client_id).about_payer
    assert (newest.payer, newest.status) == (Payer.CLIENT, DeliveryStatus.WAITING)


def test_one_that_was_given_up_is_sent_again_from_the_page(demo_database: Database) -> None:
    """Where the address stays as it is; the button goes with it, and the client's history tells both."""
    member = manager(demo_database)
    with demo_database.transaction() as session:
        client_id = told_that_it_pays(session, member)
        waiting = update(PayerMessage).where(
            PayerMessage.client_id == client_id, PayerMessage.next_attempt_at.is_not(None)
        )
        session.execute(waiting.values(attempts=1, next_attempt_at=None, given_up_at=now(session)))
        session.execute(
            text(
                "INSERT INTO payer_delivery_failure (partner_id, client_id, sending, attempt, failed_at, said) "
                "SELECT partner_id, client_id, sending, 1, given_up_at, '550 no such mailbox' FROM payer_message "
                "WHERE client_id = :client_id"
            ),
            {"client_id": client_id},
        )
    app = opened(PAGE, client=str(client_id))
    assert "Not delivered to" in plain_text(app)
    told = table_of(app, 1)
    assert told["What"].tolist()[0] == "The message about who pays could not be delivered"
    assert told["Why"].tolist()[0] == "550 no such mailbox"
    app = ran(button(app, "Send again").click())
    assert "The message about who pays waits for" in plain_text(app)
    assert "Send again" not in [each.label for each in app.button]
    newest, failed, decided, *_ = table_of(app, 1)["What"].tolist()
    assert newest == "Sent the message about who pays again"
    assert "could not be delivered" in failed
    assert "Paid by" in decided
    with demo_database.reading() as session:
        newest, *_ = invitations.of_client(session, member, client_id).about_payer
    assert newest.status is DeliveryStatus.WAITING
