"""The client's page shows the message that tells a client it pays: how it looks, and how its delivery went."""

from dataclasses import replace

from sqlalchemy import select

from core import invitations, subscriptions
from core.storage import Database
from core.subscriptions import Client, Subscription
from core.words import ClientStatus, Payer
from tests.pages.conftest import manager, opened, plain_text

PAGE = "pages/clients/client_subscription.py"


def test_the_message_that_a_client_pays_is_shown_with_its_client(demo_database: Database) -> None:
    """Its text, that no link is in it, and that nothing leaves in the demo."""
    member = manager(demo_database)
    with demo_database.transaction() as session:
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
        before = len(invitations.of_client(session, member, client_id).about_payer)
        overrides = replace(shown.overrides, payer=Payer.CLIENT)
        subscriptions.override(session, member, client_id, overrides, seen=shown.seen)
    app = opened(PAGE, client=str(client_id))
    text = plain_text(app)
    assert "Message that the client pays from" in text
    assert "Not sent: this is the demo" in text
    assert f"{shown.client.name}" in text
    assert any("What has been charged until then stays as it was" in each.value for each in app.text)
    assert not app.code
    with demo_database.reading() as session:
        assert len(invitations.of_client(session, member, client_id).about_payer) == before + 1
