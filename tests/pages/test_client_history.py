"""The history of a client on its page: what was decided and is not so any more, and what is left of it."""

from dataclasses import replace

from sqlalchemy import select

from core import subscriptions
from core.storage import Database
from core.subscriptions import Subscription
from core.words import BillingError, ClientStatus, Payer
from tests.pages.conftest import CLIENT, manager, opened, plain_text, table_of


def test_a_decision_beside_what_is_pending_is_not_said_to_take_its_place(demo_database: Database) -> None:
    """Another payer today leaves the plan that is pending as it was decided (rule 32)."""
    member = manager(demo_database)
    with demo_database.transaction() as session:
        for client_id in session.scalars(
            select(Subscription.client_id).where(
                Subscription.valid_to.is_(None),
                Subscription.status == ClientStatus.ACTIVE,
                Subscription.payer == Payer.CLIENT,
                Subscription.plan.in_(["plus", "premium"]),
            )
        ):
            shown = subscriptions.detail(session, member, client_id)
            cheaper = replace(shown.overrides, plan="standard", add_ons=frozenset())
            try:
                if shown.pending is None and subscriptions.preview_override(session, member, shown, cheaper).waits:
                    break
            except BillingError:
                continue
        else:
            raise AssertionError("no client of the demo has a lower plan to choose")
        subscriptions.override(session, member, client_id, cheaper, seen=shown.seen)
        shown = subscriptions.detail(session, member, client_id)
        other = replace(shown.overrides, payer=Payer.PARTNER)
        subscriptions.override(session, member, client_id, other, seen=shown.seen)
        pending = subscriptions.detail(session, member, client_id).pending
    assert pending is not None
    assert pending.settings.plan == "standard"
    app = opened(CLIENT, client=str(client_id))
    told = table_of(app, 1)["What"].tolist()
    why = "at the renewal: a lower price begins at the renewal"
    assert why in told[1], told[:4]
    assert why in plain_text(app)
    assert any("Paid by" in line and "in place of" not in line for line in told[:2]), told[:4]
    assert not any("in place of" in line for line in told[:2]), told[:4]
