"""A form that is sent again on a page: after a refusal, or when nobody knew whether it was saved."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from streamlit.testing.v1 import AppTest

from core import catalogue, defaults, invitations, reports, subscriptions, team
from core.catalogue import Catalogue
from core.invitations import Invitation
from core.storage import Database, now
from core.words import BillingPeriod, Overrides, Payer
from tests.pages.conftest import (
    CLIENT,
    DEFAULTS,
    INVITE,
    asked,
    at,
    form_key,
    manager,
    opened,
    plain_text,
    ran,
    send,
    table_of,
    typed,
)
from tests.pages.test_invitation_pages import by_link, invited_through_the_page, token_shown

MEMBERS = "pages/settings/members.py"


def plainly_bound(database: Database) -> int:
    """A client on defaults that are not the current ones, without overrides."""
    found = asked(database, reports.billing_sources, status="invited,expired")  # of whom nothing waits for a renewal
    some = found[(found["overridden"] == "") & (found["defaults_version"] == 2)]
    return int(some["client_id"].iloc[0])


def overridden_by_a_colleague(database: Database, client_id: int, overrides: Overrides) -> None:
    with database.transaction() as session:
        seen = subscriptions.detail(session, manager(database), client_id).seen
        subscriptions.override(session, manager(database), client_id, overrides, seen=seen)


def price_standard(database: Database, cents: int) -> None:
    """Another price a month of the plan; the demo keeps the sample from a shell, so as storing does it."""
    with database.transaction() as session:
        held = catalogue.current(session, manager(database).partner)
        prices = {**held.plan_prices, ("standard", BillingPeriod.MONTHLY): cents}
        catalogue.store(session, with_next_list(session, held, prices))


def with_next_list(session: Session, held: Catalogue, prices: dict[tuple[str, BillingPeriod], int]) -> Catalogue:
    """The catalogue with another price list from today on, these prices of plans in it."""
    following = replace(
        held.prices, number=held.price_lists[-1].number + 1, valid_from=now(session).date(), plan_prices=prices
    )
    return replace(held, price_lists=(*held.price_lists, following))


@contextmanager
def answers_lost(database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The connection is lost while what was done is committed: it was, and nobody hears of it."""
    transaction = database.transaction

    @contextmanager
    def committed() -> Iterator[Session]:
        with transaction() as session:
            yield session
        raise OperationalError("COMMIT", {}, ConnectionError("connection lost"))

    with monkeypatch.context() as patch:
        patch.setattr(database, "transaction", committed)
        yield


def history(app: AppTest) -> Any:
    return table_of(app, 1)


def test_an_offer_at_another_price_is_shown_before_it_is_accepted_and_kept_in_the_history(
    demo_database: Database,
) -> None:
    """One sentence, the new price, and the second click accepts that."""
    app = opened(INVITE)
    ran(at(app.button_group, form_key(app, "payer")).set_value(Payer.CLIENT))
    page = by_link(token_shown(send(typed(app, name="Nouveau", email="nouveau@example.com"))))
    assert "You pay: €27.00 a month, without VAT." in plain_text(page)
    price_standard(demo_database, 9900)
    ran(at(page.button, "accept.accept").click())
    assert "What is offered changed in the meantime." in plain_text(page)
    assert "You pay: €107.00 a month, without VAT." in plain_text(page)
    ran(at(page.button, "accept.accept").click())
    assert "Your subscription starts today" in plain_text(page)
    app = opened(CLIENT, client="241")
    assert history(app)["What"].iloc[0] == "Accepted the invitation at €107.00 a month"
    assert "at €107.00 a month" in plain_text(app)


def test_why_an_invitation_was_sent_again_revoked_and_made_again_is_in_the_history(demo_database: Database) -> None:
    """Rule 11: with who and when; each time for a reason of its own, or none."""
    invited_through_the_page()
    app = opened(CLIENT, client="241")
    for action, why in (("resend", "it was *lost*"), ("revoke", "wrong company"), ("again", "they called")):
        assert at(app.text_input, "invitation.241.why.reason").value == ""
        at(app.text_input, "invitation.241.why.reason").set_value(why)
        ran(at(app.button, f"invitation.241.{action}").click())
    ran(at(app.button, "invitation.241.revoke").click())
    found = history(opened(CLIENT, client="241"))
    assert list(found["What"])[:4] == [
        "Revoked the invitation", "Invited again", "Revoked the invitation", "Sent the invitation again",
    ]  # fmt: skip
    assert list(found["Why"])[:4] == ["", "they called", "wrong company", "it was *lost*"]
    assert set(found["Who"][:4]) == {"Demo administrator"}
    assert list(found["What"]).count("Invited again") == 1


def test_a_lapsed_invitation_is_followed_by_one_with_its_reason(demo_database: Database) -> None:
    """A lapse was nobody's act; the reason typed for one client is not kept for the next time."""
    invited_through_the_page()
    with demo_database.transaction() as session:
        long_ago = demo_database.clock() - timedelta(days=31)
        lapsed = {"invited_at": long_ago, "expires_at": long_ago + timedelta(days=30)}
        session.execute(update(Invitation).where(Invitation.client_id == 241).values(**lapsed))
    app = opened(CLIENT, client="241")
    at(app.text_input, "invitation.241.why.reason").set_value("was on holiday")
    ran(at(app.button, "invitation.241.again").click())
    assert (history(app)["What"].iloc[0], history(app)["Why"].iloc[0]) == ("Invited again", "was on holiday")
    ran(at(app.button, "invitation.241.revoke").click())
    assert at(app.text_input, "invitation.241.why.reason").value == ""


def test_a_setting_that_nobody_touched_follows_the_colleagues_change(demo_database: Database) -> None:
    """Rule 12: saved again after the refusal, only what was touched is changed; theirs is not undone."""
    client_id = plainly_bound(demo_database)
    app = opened(CLIENT, client=str(client_id))
    ran(at(app.button, f"client.{client_id}.open change").click())
    ran(at(app.selectbox, f"client.{client_id}.plan").set_value("plus"))
    theirs = Overrides(payer=Payer.PARTNER, billing_period=BillingPeriod.YEARLY, add_ons=frozenset())
    overridden_by_a_colleague(demo_database, client_id, theirs)
    ran(at(app.button, f"client.{client_id}.save").click())
    assert "Demo client manager changed" in plain_text(app)
    assert at(app.selectbox, f"client.{client_id}.plan").value == "plus"
    ran(at(app.button, f"client.{client_id}.save").click())
    assert asked(demo_database, subscriptions.detail, client_id).overrides == replace(theirs, plan="plus")


def test_a_setting_that_a_colleague_cleared_stays_cleared_unless_it_was_touched(demo_database: Database) -> None:
    """What was touched stays as it was chosen, also after a second refusal."""
    client_id = plainly_bound(demo_database)
    both = Overrides(payer=Payer.PARTNER, plan="plus", add_ons=frozenset({"payroll"}))
    overridden_by_a_colleague(demo_database, client_id, both)
    app = opened(CLIENT, client=str(client_id))
    ran(at(app.button, f"client.{client_id}.open change").click())
    ran(at(app.selectbox, f"client.{client_id}.plan").set_value("premium"))
    overridden_by_a_colleague(demo_database, client_id, Overrides(plan="plus", add_ons=frozenset()))
    ran(at(app.button, f"client.{client_id}.save").click())
    overridden_by_a_colleague(demo_database, client_id, Overrides())
    ran(at(app.button, f"client.{client_id}.save").click())
    assert plain_text(app).count("Demo client manager changed") == 1
    ran(at(app.button, f"client.{client_id}.save").click())
    assert asked(demo_database, subscriptions.detail, client_id).overrides == Overrides(plan="premium")


def test_going_back_to_what_cannot_be_had_leads_to_a_choice(demo_database: Database) -> None:
    """The plan it was bound to has no price any more: that is said, and the form to choose in is a click away."""
    client_id = plainly_bound(demo_database)
    plan = asked(demo_database, subscriptions.detail, client_id).effective.plan.value
    overridden_by_a_colleague(demo_database, client_id, Overrides(plan="plus", add_ons=frozenset()))
    with demo_database.transaction() as session:
        held = catalogue.current(session, manager(demo_database).partner)
        plans = {**held.plans, plan: replace(held.plans[plan], is_retired=True)}
        prices = {key: cents for key, cents in held.plan_prices.items() if key[0] != plan}
        catalogue.store(session, replace(with_next_list(session, held, prices), plans=plans))
    app = opened(CLIENT, client=str(client_id))
    ran(at(app.button, f"client.{client_id}.open back").click())
    assert "price. Choose" in plain_text(app)
    assert not app.error
    ran(at(app.selectbox, f"client.{client_id}.plan").set_value("premium"))
    ran(at(app.button, f"client.{client_id}.save").click())
    assert asked(demo_database, subscriptions.detail, client_id).effective.plan.value == "premium"


def test_a_client_goes_back_to_a_plan_that_was_retired_meanwhile(demo_database: Database) -> None:
    """It is what the client was bound to."""
    client_id = plainly_bound(demo_database)
    plan = asked(demo_database, subscriptions.detail, client_id).effective.plan.value
    overridden_by_a_colleague(demo_database, client_id, Overrides(plan="plus", add_ons=frozenset()))
    with demo_database.transaction() as session:
        held = catalogue.current(session, manager(demo_database).partner)
        plans = {**held.plans, plan: replace(held.plans[plan], is_retired=True)}
        catalogue.store(session, replace(held, plans=plans))
    app = opened(CLIENT, client=str(client_id))
    ran(at(app.button, f"client.{client_id}.open back").click())
    ran(at(app.button, f"client.{client_id}.save").click())
    assert asked(demo_database, subscriptions.detail, client_id).effective.plan.value == plan


def test_an_invitation_whose_answer_was_lost_is_sent_again_once(
    demo_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The button is the same form until it is answered; then it is another one."""
    invited_through_the_page()
    app = opened(CLIENT, client="241")
    with answers_lost(demo_database, monkeypatch):
        ran(at(app.button, "invitation.241.resend").click())
    assert "has a new link" not in plain_text(app)
    ran(at(app.button, "invitation.241.resend").click())
    assert "has a new link" in plain_text(app)
    assert asked(demo_database, invitations.of_client, 241).sendings == 2
    ran(at(app.button, "invitation.241.resend").click())
    assert asked(demo_database, invitations.of_client, 241).sendings == 3


def test_a_client_whose_answer_was_lost_is_invited_once(
    demo_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second click says so, as the first would have."""
    app = typed(opened(INVITE), name="Nouveau", email="nouveau@example.com")
    with answers_lost(demo_database, monkeypatch):
        send(app)
    send(app)
    assert "Nouveau is invited." in plain_text(app)
    assert asked(demo_database, reports.figures, search="nouveau@example.com").clients == 1


def test_an_edit_whose_answer_was_lost_is_one(demo_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the page shows by now that it was done."""
    client_id = plainly_bound(demo_database)
    before = len(asked(demo_database, subscriptions.edits, client_id))
    app = opened(CLIENT, client=str(client_id))
    ran(at(app.button, f"details.{client_id}.open edit").click())
    at(app.text_input, f"details.{client_id}.contact_name").set_value("Mine")
    with answers_lost(demo_database, monkeypatch):
        ran(at(app.button, f"details.{client_id}.save").click())
    ran(at(app.button, f"details.{client_id}.save").click())
    assert "Saved." in plain_text(app)
    assert len(asked(demo_database, subscriptions.edits, client_id)) == before + 1


def test_the_same_defaults_saved_by_two_people_are_told_apart(demo_database: Database) -> None:
    """What a colleague saved is not taken for one's own, though it says the same."""
    app = opened(DEFAULTS)
    ran(at(app.selectbox, "defaults 1.plan").set_value("premium"))
    with demo_database.transaction() as session:
        in_force = defaults.current(session, manager(demo_database))
        assert in_force is not None
        wanted = replace(in_force.settings, plan="premium")
        defaults.save(session, manager(demo_database), wanted, seen=3)
    ran(at(app.button, "defaults 1.save").click())
    assert "Demo client manager saved version 4" in plain_text(app)
    assert len(asked(demo_database, defaults.history)) == 4


def test_a_member_gets_one_message_though_the_answer_was_lost(
    demo_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though the page shows by then that there is one."""
    with demo_database.reading() as session:
        listed = team.listed(session, manager(demo_database, 1))
    target = next(each.member for each in listed if not each.clients and each.member.member_id > 1)
    app = opened(MEMBERS, member=str(target.member_id))
    with answers_lost(demo_database, monkeypatch):
        ran(at(app.button, f"member.{target.member_id} send").click())
    ran(at(app.button, f"member.{target.member_id} send").click())
    assert "is waiting to be sent" in plain_text(app)
    with demo_database.reading() as session:
        assert len(team.detail(session, manager(demo_database, 1), target.member_id).deliveries) == 1
