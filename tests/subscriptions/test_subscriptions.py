"""One client's subscription: rules 3 to 6, 8, 9, 11 and 12."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from core import catalogue, subscriptions
from core.defaults import Change, choices
from core.subscriptions import Subscription
from core.words import (
    AddOnsNotOffered,
    ArchivedClient,
    BadInput,
    BillingPeriod,
    BillingSettings,
    ClientNotFound,
    MissingSetting,
    NothingToAdopt,
    Origin,
    Overrides,
    Payer,
    RetiredChosen,
    Setting,
    Source,
    StaleDefaults,
    StaleSubscription,
)
from tests.conftest import PLUS, STANDARD, Space

ALL = frozenset(Setting)


def test_an_override_replaces_one_setting_and_leaves_the_others_to_the_defaults(space: Space) -> None:
    """Rule 4, at any time after the invitation."""
    space.save(STANDARD)
    client = space.invite()
    shown = space.override(client.client_id, Overrides(billing_period=BillingPeriod.YEARLY))
    assert shown.effective.billing_period.value is BillingPeriod.YEARLY
    assert shown.effective.overridden == {Setting.BILLING_PERIOD}
    assert shown.effective.plan.source is Source.DEFAULT
    assert space.facts(client.client_id) == (shown.effective, shown.history)


def test_clearing_an_override_follows_the_default_it_was_invited_with_again(space: Space) -> None:
    """Rules 4 and 6: a None clears, one by one or all."""
    space.save(STANDARD)
    client_id = space.invite(overrides=Overrides(payer=Payer.PARTNER, plan="plus")).client_id
    space.save(PLUS)
    shown = space.override(client_id, Overrides(plan="plus"))
    assert shown.effective.payer.value is Payer.CLIENT
    assert shown.effective.overridden == {Setting.PLAN}
    shown = space.override(client_id, Overrides())
    assert shown.effective.settings == STANDARD
    assert shown.effective.overridden == frozenset()
    assert shown.effective.defaults_version == 1


def test_a_later_choice_that_equals_the_default_is_a_choice_and_survives_adoption(space: Space) -> None:
    """Rule 5: it stays when the default it once equalled is left behind."""
    space.save(STANDARD)
    client_id = space.invite().client_id
    shown = space.override(client_id, Overrides(payer=STANDARD.payer))
    assert shown.effective.payer.source is Source.OVERRIDE
    assert shown.effective.settings == STANDARD
    space.save(PLUS)
    space.adopt(client_id)
    assert space.detail(client_id).effective.payer.value is STANDARD.payer


def test_adopting_the_current_defaults_binds_to_them_and_keeps_the_overrides(space: Space) -> None:
    """Rule 6."""
    space.save(STANDARD)
    client_id = space.invite(overrides=Overrides(billing_period=BillingPeriod.MONTHLY)).client_id
    other_id = space.invite("Other").client_id
    space.save(PLUS)
    adoption = space.adopt(client_id)
    assert (adoption.bound, adoption.adopted, adoption.unchanged) == ({client_id: (1, 2)}, (client_id,), ())
    shown = space.detail(client_id)
    assert shown.effective.settings == BillingSettings.starting_with(
        payer=PLUS.payer, billing_period=BillingPeriod.MONTHLY, plan=PLUS.plan, add_ons=PLUS.add_ons
    )
    assert shown.effective.overridden == {Setting.BILLING_PERIOD}
    assert shown.effective.defaults_version == 2
    assert space.detail(other_id).effective.settings == STANDARD


def test_adopting_can_clear_the_overrides_too(space: Space) -> None:
    """Rule 6: only when asked."""
    space.save(STANDARD)
    client_id = space.invite(overrides=Overrides(payer=Payer.CLIENT)).client_id
    space.save(PLUS)
    space.adopt(client_id, clear_overrides=True)
    assert space.detail(client_id).effective.settings == PLUS
    assert space.detail(client_id).effective.overridden == frozenset()


def test_adopting_what_is_already_held_changes_nothing(space: Space) -> None:
    """No revision that says nothing."""
    space.save(STANDARD)
    client_id = space.invite().client_id
    assert space.adopt(client_id).unchanged == (client_id,)
    assert len(space.detail(client_id).history) == 1


def test_adoption_is_all_or_none(space: Space) -> None:
    """One client that cannot adopt holds the others back: nothing is half done."""
    space.save(STANDARD)
    free = space.invite("Free").client_id
    bound = space.invite("Bound", Overrides(plan="starter", add_ons=None)).client_id
    space.save(
        BillingSettings.starting_with(
            payer=Payer.CLIENT, billing_period=BillingPeriod.MONTHLY, plan="plus", add_ons=frozenset({"payroll"})
        )
    )
    with pytest.raises(AddOnsNotOffered):
        space.adopt(free, bound)
    assert space.detail(free).effective.settings == STANDARD


def test_without_defaults_there_is_nothing_to_adopt(space: Space) -> None:
    """Rule 7."""
    client_id = space.invite(overrides=choices(PLUS, ALL)).client_id
    with pytest.raises(NothingToAdopt):
        space.adopt(client_id)


def test_a_client_bound_to_no_version_cannot_clear_but_can_adopt(space: Space) -> None:
    """Rules 6 and 7: there is nothing to go back to."""
    client_id = space.invite(overrides=choices(PLUS, ALL)).client_id
    with pytest.raises(MissingSetting):
        space.override(client_id, Overrides())
    space.save(STANDARD)
    assert space.detail(client_id).bound is None
    space.adopt(client_id)
    assert space.detail(client_id).effective.settings == PLUS
    space.override(client_id, Overrides())
    assert space.detail(client_id).effective.settings == STANDARD


def test_adoption_is_refused_when_newer_defaults_came_after_the_preview(space: Space) -> None:
    """Rule 6: what is adopted is what was previewed."""
    space.save(STANDARD)
    client_id = space.invite().client_id
    space.save(PLUS)
    space.save(STANDARD)
    with pytest.raises(StaleDefaults), space.database.transaction() as session:
        subscriptions.adopt_current_defaults(session, space.manager, [client_id], seen_version=2)


def test_an_override_of_the_plan_that_leaves_add_ons_it_does_not_offer_is_refused(space: Space) -> None:
    """Rule 8: named, and nothing is written."""
    space.save(
        BillingSettings.starting_with(
            payer=Payer.CLIENT, billing_period=BillingPeriod.MONTHLY, plan="plus", add_ons=frozenset({"payroll"})
        )
    )
    client_id = space.invite().client_id
    with pytest.raises(AddOnsNotOffered, match="Payroll: not offered with Starter"):
        space.override(client_id, Overrides(plan="starter"))
    assert space.detail(client_id).revision == 1


def test_a_client_keeps_its_retired_plan_through_other_changes(space: Space) -> None:
    """Rule 9."""
    space.save(STANDARD)
    client_id = space.invite().client_id
    space.retire(plan="standard")
    shown = space.override(client_id, Overrides(payer=Payer.PARTNER))
    assert shown.effective.plan.value == "standard"


def test_a_client_goes_back_to_what_it_was_bound_to_though_it_was_retired_since(space: Space) -> None:
    """Rules 3 to 6: clearing follows what it was invited with, and chooses nothing."""
    space.save(STANDARD)
    client_id = space.invite(overrides=Overrides(plan="plus", add_ons=frozenset({"payroll"}))).client_id
    space.retire(plan="standard", add_on="bank_feeds")
    shown = space.override(client_id, Overrides())
    assert (shown.effective.settings, shown.effective.overridden) == (STANDARD, frozenset())


def test_a_retired_plan_is_not_chosen_though_the_client_is_bound_to_it(space: Space) -> None:
    """Rules 5 and 9: an override that equals the default is a choice."""
    space.save(STANDARD)
    client_id = space.invite(overrides=Overrides(plan="plus")).client_id
    space.retire(plan="standard")
    with pytest.raises(RetiredChosen, match="Standard is retired"):
        space.override(client_id, Overrides(plan="standard"))


def test_going_back_makes_no_other_combination_than_was_bound(space: Space) -> None:
    """Rule 8: add-ons that it goes back to are offered with the plan that it chose, or refused by name."""
    space.save(PLUS)
    starter = Overrides(billing_period=BillingPeriod.MONTHLY, plan="starter", add_ons=frozenset())
    client_id = space.invite(overrides=starter).client_id
    with pytest.raises(AddOnsNotOffered, match="Payroll: not offered with Starter"):
        space.override(client_id, replace(starter, add_ons=None))


def test_a_plan_and_its_add_ons_are_gone_back_to_together_though_no_longer_offered_so(space: Space) -> None:
    """They were bound together."""
    space.save(STANDARD)
    client_id = space.invite(overrides=Overrides(plan="plus", add_ons=frozenset())).client_id
    with space.database.transaction() as session:
        held = catalogue.current(session, space.manager.partner)
        plans = {**held.plans, "standard": replace(held.plans["standard"], add_ons=frozenset())}
        catalogue.store(session, replace(held, plans=plans))
    with pytest.raises(AddOnsNotOffered):
        space.override(client_id, Overrides(plan="standard"))
    assert space.override(client_id, Overrides()).effective.settings == STANDARD


def test_adopting_defaults_that_hold_something_retired_is_refused(space: Space) -> None:
    """Rule 9: other defaults than the client's own are newly chosen."""
    space.save(PLUS)
    client_id = space.invite().client_id
    space.save(STANDARD)
    space.retire(plan="standard")
    with pytest.raises(RetiredChosen, match="Standard is retired"):
        space.adopt(client_id)


def test_history_records_who_when_what_from_what_through_which_door_and_why(space: Space) -> None:
    """Rule 11."""
    space.save(STANDARD)
    client_id = space.invite().client_id
    invited_at = space.clock()
    space.clock.forward(days=40)
    space.override(client_id, Overrides(billing_period=BillingPeriod.YEARLY), reason="asked for it by mail")
    newest, oldest = space.detail(client_id).history
    assert (oldest.valid_from, oldest.valid_to) == (invited_at, newest.valid_from)
    assert (newest.valid_from, newest.valid_to) == (space.clock(), None)
    assert newest.changes == (Change(Setting.BILLING_PERIOD, BillingPeriod.MONTHLY, BillingPeriod.YEARLY),)
    assert newest.newly_chosen == {Setting.BILLING_PERIOD}
    assert (newest.changed_by, newest.origin, newest.reason) == (
        "The client manager",
        Origin.PAGE,
        "asked for it by mail",
    )


def test_as_of_any_instant_the_settings_in_force_then_are_known(space: Space) -> None:
    """Rule 11: the past is answered from history, to the microsecond."""
    space.save(STANDARD)
    client_id = space.invite().client_id
    first = space.clock()
    space.clock.forward(days=1)
    space.override(client_id, Overrides(plan="plus"))
    second = space.clock()
    instants = (first - timedelta(microseconds=1), first, second - timedelta(microseconds=1), second)
    revisions = [space.as_of(client_id, instant) for instant in instants]
    plans = [None if held is None else held.settings.plan for held in revisions]
    assert plans == [None, "standard", "standard", "plus"]


def test_each_choice_knows_the_revision_that_made_it(space: Space) -> None:
    """Since when, by whom and why: a later change of another setting does not move it."""
    space.save(STANDARD)
    client_id = space.invite(overrides=Overrides(payer=Payer.PARTNER)).client_id
    space.override(client_id, Overrides(payer=Payer.PARTNER, plan="plus"), reason="bigger")
    shown = space.override(client_id, Overrides(payer=Payer.PARTNER, plan="plus", add_ons=frozenset()))
    made = {setting: revision.revision for setting, revision in shown.chosen.items()}
    assert made == {Setting.PAYER: 1, Setting.PLAN: 2, Setting.ADD_ONS: 3}
    assert shown.chosen[Setting.PLAN].reason == "bigger"


def test_the_second_change_of_two_is_refused_and_told_who_and_when(space: Space) -> None:
    """Rule 12."""
    space.save(STANDARD)
    client_id = space.invite().client_id
    with space.database.transaction() as session:
        subscriptions.override(session, space.administrator, client_id, Overrides(plan="plus"), seen=1)
    with pytest.raises(StaleSubscription, match=r"The administrator changed Aubry & Fils on 3 Mar 2026, 09:00"):
        with space.database.transaction() as session:
            subscriptions.override(session, space.manager, client_id, Overrides(payer=Payer.PARTNER), seen=1)
    with pytest.raises(StaleSubscription), space.database.transaction() as session:
        subscriptions.adopt_current_defaults(session, space.manager, [client_id], seen={client_id: 1})
    assert space.detail(client_id).effective.overridden == {Setting.PLAN}


def test_the_same_change_sent_twice_makes_one_revision(space: Space) -> None:
    """A second click is not a second person."""
    space.save(STANDARD)
    client_id = space.invite().client_id
    chosen = Overrides(plan="plus")
    for _ in range(2):
        with space.database.transaction() as session:
            made = subscriptions.override(session, space.manager, client_id, chosen, seen=1, attempt="form")
        assert made.revision == 2
    with pytest.raises(StaleSubscription), space.database.transaction() as session:
        subscriptions.override(session, space.manager, client_id, chosen, seen=1, attempt="another form")


def test_the_same_adoption_sent_twice_makes_one_revision(space: Space) -> None:
    """As with an override; but somebody else's change in between is told."""
    space.save(STANDARD)
    client_id = space.invite().client_id
    space.save(PLUS)
    for _ in range(2):
        with space.database.transaction() as session:
            subscriptions.adopt_current_defaults(
                session, space.manager, [client_id], seen={client_id: 1}, seen_version=2, attempt="form"
            )
        assert space.detail(client_id).revision == 2
    with pytest.raises(StaleSubscription), space.database.transaction() as session:
        subscriptions.adopt_current_defaults(session, space.administrator, [client_id], seen={client_id: 1})
    with pytest.raises(StaleSubscription), space.database.transaction() as session:
        subscriptions.override(session, space.manager, client_id, Overrides(), seen=1)


def test_the_same_settings_for_another_reason_are_another_change(space: Space) -> None:
    """The reason would be lost if it were taken for a second click."""
    space.save(STANDARD)
    overridden, adopting = (space.invite(name).client_id for name in ("Overridden", "Adopting"))
    space.save(PLUS)
    with space.database.transaction() as session:
        subscriptions.override(session, space.manager, overridden, Overrides(plan="plus"), seen=1, reason="one")
        subscriptions.adopt_current_defaults(session, space.manager, [adopting], seen={adopting: 1}, reason="one")
    with pytest.raises(StaleSubscription), space.database.transaction() as session:
        subscriptions.override(session, space.manager, overridden, Overrides(plan="plus"), seen=1, reason="another")
    with pytest.raises(StaleSubscription), space.database.transaction() as session:
        subscriptions.adopt_current_defaults(session, space.manager, [adopting], seen={adopting: 1}, reason="another")
    assert [space.detail(client_id).history[0].reason for client_id in (overridden, adopting)] == ["one", "one"]


def test_a_change_that_changes_nothing_makes_no_revision(space: Space) -> None:
    """History tells changes."""
    space.save(STANDARD)
    client_id = space.invite(overrides=Overrides(plan="plus")).client_id
    assert space.override(client_id, Overrides(plan="plus")).revision == 1


def test_an_archived_clients_settings_are_kept_as_they_were(space: Space) -> None:
    """Neither changed nor adopted."""
    space.save(STANDARD)
    client_id = space.invite().client_id
    space.archive(client_id)
    space.save(PLUS)
    with pytest.raises(ArchivedClient, match="Aubry & Fils is archived"):
        space.override(client_id, Overrides(plan="plus"))
    with pytest.raises(ArchivedClient):
        space.adopt(client_id)


def test_another_partners_client_is_answered_as_one_that_does_not_exist(space: Space, make_space) -> None:
    """Rule 10: the very same sentence, and no way to touch it."""
    other = make_space(2)
    for each in (space, other):
        each.save(STANDARD)
    client_id = other.invite().client_id
    with pytest.raises(ClientNotFound) as theirs:
        space.detail(client_id)
    with pytest.raises(ClientNotFound) as nobodys:
        make_space(3).detail(client_id)
    assert str(theirs.value) == str(nobodys.value)
    with pytest.raises(ClientNotFound), space.database.transaction() as session:
        subscriptions.override(session, space.manager, client_id, Overrides(plan="plus"), seen=1)
    with pytest.raises(ClientNotFound):
        space.adopt(client_id)
    assert other.detail(client_id).revision == 1


def test_a_preview_tells_what_would_change_and_the_price(space: Space) -> None:
    """And writes nothing."""
    space.save(STANDARD)
    client_id = space.invite().client_id
    space.save(PLUS)
    shown = space.detail(client_id)
    with space.database.reading() as session:
        override = subscriptions.preview_override(session, space.manager, shown, Overrides(plan="plus"))
        adoption = subscriptions.preview_adoption(session, space.manager, shown)
    assert override.changes == (Change(Setting.PLAN, "standard", "plus"),)
    assert shown.price is not None
    assert override.price is not None
    assert (shown.price.cents, override.price.cents) == (2400, 3900)
    assert adoption.effective.settings == PLUS
    assert space.detail(client_id).revision == 1


def test_a_reason_that_cannot_be_kept_is_refused(space: Space) -> None:
    """Bad input gets a sentence, and nothing is written."""
    space.save(STANDARD)
    client_id = space.invite().client_id
    with pytest.raises(BadInput, match="Keep it within 500 characters"):
        space.override(client_id, Overrides(plan="plus"), reason="x" * 501)
    assert space.detail(client_id).revision == 1


def test_revisions_follow_each_other_in_time_though_the_clock_steps_back(space: Space) -> None:
    """A revision begins after the one before began."""
    space.save(STANDARD)
    client_id = space.invite().client_id
    space.clock.forward(hours=-5)
    newest, oldest = space.override(client_id, Overrides(plan="plus")).history
    assert newest.valid_from == oldest.valid_to == oldest.valid_from + timedelta(microseconds=1)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE subscription SET plan = 'plus'",
        "UPDATE subscription SET valid_from = valid_from",
        "UPDATE subscription SET valid_to = NULL WHERE valid_to IS NOT NULL",
        "DELETE FROM subscription",
    ],
)
def test_history_is_kept_for_ever_not_changed_even_by_hand(space: Space, statement: str) -> None:
    """Rule 11, as a constraint of the database."""
    space.save(STANDARD)
    client_id = space.invite().client_id
    space.override(client_id, Overrides(plan="plus"))
    before = space.facts(client_id)
    with pytest.raises(DBAPIError, match="never changed or deleted"), space.database.transaction() as session:
        session.execute(text(statement))
    assert space.facts(client_id) == before


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ({"overridden": "'plan;payer'"}, "overridden"),
        ({"overridden": "''", "defaults_version": "NULL"}, "bound_or_chosen"),
        ({"defaults_version": "9"}, "(?i)foreign key"),
        ({"payer": "'nobody'"}, "payer"),
        ({"status": "'lost'"}, "status"),
        ({"plan": "'gold'"}, "(?i)foreign key"),
        ({"changed_by_id": "NULL"}, "changed_by"),
        ({"revision": "0"}, "revision"),
        ({"client_id": "99"}, "(?i)foreign key"),
        ({}, "(?i)unique"),
    ],
)
def test_the_table_refuses_what_the_rules_forbid(space: Space, change: dict[str, str], constraint: str) -> None:
    """Rules live in constraints as well as in code; the last case is a second current row."""
    space.save(STANDARD)
    space.invite()
    columns = [column.name for column in Subscription.__table__.columns if column.name not in {"valid_to", "batch"}]
    values = {column: column for column in columns} | {"revision": "revision + 1"} | change
    statement = f"INSERT INTO subscription ({', '.join(columns)}) SELECT {', '.join(values.values())} FROM subscription"
    with pytest.raises(IntegrityError, match=constraint), space.database.transaction() as session:
        if change:
            session.execute(update(Subscription).values(valid_to=space.clock() + timedelta(days=1)))
        session.execute(text(statement))
