"""Two people at once, as two threads with connections of their own, on both databases."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any

from core import defaults, invitations, subscriptions
from core.invitations import NewClient, OutboxMessage
from core.storage import Database
from core.subscriptions import Adoption, Revision
from core.words import (
    AlreadyClient,
    BillingError,
    BillingPeriod,
    BillingSettings,
    NothingPending,
    Overrides,
    Payer,
    StaleDefaults,
    StaleSubscription,
    TookEffect,
)
from tests.conftest import PLUS, STANDARD, Clock, Space, at_once

ROUNDS = 6


def test_of_two_saves_of_the_defaults_one_wins_and_the_other_is_told(space: Space) -> None:
    """Rule 12."""
    space.save(STANDARD)
    for seen in range(1, ROUNDS + 1):
        settings = [
            BillingSettings.starting_with(
                payer=payer, billing_period=BillingPeriod.MONTHLY, plan="plus", add_ons=frozenset()
            )
            for payer in Payer
        ]
        results = at_once(
            space,
            lambda s, seen=seen: defaults.save(s, space.administrator, settings[0], seen=seen),
            lambda s, seen=seen: defaults.save(s, space.manager, settings[1], seen=seen),
        )
        assert sum(result is StaleDefaults for result in results) == 1
    with space.database.reading() as session:
        assert len(defaults.history(session, space.manager)) == ROUNDS + 1


def test_of_two_changes_of_a_client_one_wins_and_the_other_is_told(space: Space) -> None:
    """Rule 12, between overrides and an adoption of the current defaults."""
    space.save(STANDARD)
    client_id = space.invite().client_id
    space.save(PLUS)
    sets = [frozenset(), *(frozenset({code}) for code in ("bank_feeds", "document_scanning", "payroll", "e_invoicing"))]
    for number in range(ROUNDS):
        seen = space.detail(client_id).revision
        add_ons = [sets[1], sets[2], sets[3]] if number % 2 else [sets[0], sets[4]]
        results = at_once(
            space,
            lambda s, seen=seen: subscriptions.adopt_current_defaults(
                s, space.manager, [client_id], seen={client_id: seen}, clear_overrides=True, reason=f"{seen}"
            ),
            *(
                lambda s, add=add, seen=seen: subscriptions.override(
                    s, space.manager, client_id, Overrides(plan="plus", add_ons=add), seen=seen, reason=f"{seen}"
                )
                for add in add_ons
            ),
        )
        idle = [result for result in results if isinstance(result, Adoption) and not result.adopted]  # already so
        assert sum(result is not StaleSubscription for result in results) - len(idle) == 1
        assert space.detail(client_id).revision == seen + 1
    with space.database.reading() as session:
        assert list(subscriptions.differences(session)) == []


def test_an_invitation_at_the_instant_of_a_save_binds_to_one_version_or_the_other(space: Space) -> None:
    """Rule 3: never a mixture."""
    space.save(STANDARD)
    versions = {1: STANDARD}
    for number in range(ROUNDS):
        settings = PLUS if number % 2 == 0 else STANDARD
        new_client = NewClient.from_typed(name=f"Client {number}", email=f"c{number}@example.com")
        saved, client = at_once(
            space,
            lambda s, n=number, settings=settings: defaults.save(s, space.administrator, settings, seen=n + 1),
            lambda s, new_client=new_client: invitations.invite(s, space.manager, new_client),
        )
        versions[saved.version] = settings
        effective = space.detail(client.client_id).effective
        assert effective.defaults_version in {number + 1, number + 2}
        assert effective.settings == versions[effective.defaults_version]


def test_the_same_invitation_sent_by_two_at_once_makes_one_client(space: Space) -> None:
    """The one says so, the other names the client; clients are numbered without a gap."""
    space.save(STANDARD)
    for number in range(ROUNDS):
        new_client = NewClient.from_typed(name="Aubry", email=f"a{number}@example.com")
        results = at_once(
            space,
            *(lambda s, m=m, c=new_client: invitations.invite(s, m, c) for m in (space.manager, space.administrator)),
        )
        outcome = Counter("refused" if result is AlreadyClient else "invited" for result in results)
        assert outcome == {"refused": 1, "invited": 1}
        assert {result.client_id for result in results if result is not AlreadyClient} == {number + 1}


def test_many_writers_of_two_partners_neither_lose_nor_mix_anything(space: Space, make_space) -> None:
    """Every invitation of a crowd arrives, each in its own space."""
    other = make_space(2)
    for each in (space, other):
        each.save(STANDARD)
    actions = [
        lambda s, n=n, each=each: invitations.invite(
            s, each.manager, NewClient.from_typed(name=f"{each.partner_id}: {n}", email=f"n{n}@example.com")
        )
        for n in range(8)
        for each in (space, other)
    ]
    at_once(space, *actions)
    for each in (space, other):
        names = {each.detail(client_id).client.name for client_id in range(1, 9)}
        assert names == {f"{each.partner_id}: {n}" for n in range(8)}


RENEWAL = datetime(2026, 4, 3, tzinfo=UTC)


def with_something_pending(space: Space, name: str) -> int:
    """A client that accepted Plus on 3 March 2026, and the day after chose Standard, from 3 April."""
    space.clock.moment = datetime(2026, 3, 3, 9, tzinfo=UTC)
    client_id = space.invite(name, Overrides(plan="plus")).client_id
    with space.database.transaction() as session:
        message = invitations.waiting(session, space.partner_id, client_id, OutboxMessage)
        assert message is not None
        assert message.token is not None
        invitations.accept(session, message.token)
    space.clock.forward(days=1)
    space.override(client_id, Overrides(plan="standard"))
    space.clock.forward(days=1)
    return client_id


def no_difference(space: Space) -> None:
    with space.database.reading() as session:
        assert list(subscriptions.differences(session)) == []


def test_of_two_decisions_while_something_is_pending_one_wins_and_the_other_is_told(space: Space) -> None:
    """Rules 12 and 34: nothing of the loser is written, and at most one change is pending afterwards (rule 31)."""
    space.save(STANDARD)
    for number in range(ROUNDS):
        client_id = with_something_pending(space, f"Client {number}")
        seen = space.detail(client_id).seen
        wanted = (Overrides(plan="plus", payer=Payer.PARTNER), Overrides(plan="premium"))
        results = at_once(
            space,
            *(
                lambda s, c=client_id, o=overrides, seen=seen: subscriptions.override(s, space.manager, c, o, seen=seen)
                for overrides in wanted
            ),
        )
        assert results.count(StaleSubscription) == 1
        shown = space.detail(client_id)
        if results[0] is StaleSubscription:
            assert (shown.effective.settings.plan, shown.pending, len(shown.history)) == ("premium", None, 4)
        else:
            assert (shown.effective.settings.payer, len(shown.history)) == (Payer.PARTNER, 5)
            assert shown.pending is not None
            assert (shown.pending.settings.plan, shown.pending.settings.payer) == ("standard", Payer.PARTNER)
    no_difference(space)


def test_a_cancel_and_a_change_at_once_leave_one_of_the_two(space: Space) -> None:
    """Rules 33 and 34: the other one is told, and of two that cancel one finds nothing pending any more or is told."""
    space.save(STANDARD)
    for number in range(ROUNDS):
        client_id = with_something_pending(space, f"Client {number}")
        seen = space.detail(client_id).seen
        results = at_once(
            space,
            lambda s, c=client_id, seen=seen: subscriptions.cancel_pending(s, space.manager, c, seen=seen),
            lambda s, c=client_id, seen=seen: subscriptions.cancel_pending(s, space.administrator, c, seen=seen),
            lambda s, c=client_id, seen=seen: subscriptions.override(
                s, space.manager, c, Overrides(plan="plus", payer=Payer.PARTNER), seen=seen
            ),
        )
        assert Counter(isinstance(result, Revision) for result in results) == {True: 1, False: 2}
        assert {result for result in results if not isinstance(result, Revision)} <= {StaleSubscription, NothingPending}
        shown = space.detail(client_id)
        if isinstance(results[2], Revision):
            assert shown.effective.settings.payer is Payer.PARTNER
            assert shown.pending is not None
            assert shown.pending.settings.plan == "standard"
        else:
            assert (shown.pending, shown.effective.settings.plan, len(shown.history)) == (None, "plus", 4)
    no_difference(space)


def test_two_servers_one_before_the_renewal_and_one_after_it_never_both_decide(space: Space) -> None:
    """Rule 34: for the server whose clock has passed the renewal what was pending took effect, so the change there is
    refused, whoever is first; by the clock of the other one it is still pending, and is cancelled."""
    space.save(STANDARD)
    for number in range(ROUNDS):
        client_id = with_something_pending(space, f"Client {number}")
        seen = space.detail(client_id).seen
        space.clock.moment = RENEWAL - timedelta(seconds=1)
        barrier, url = Barrier(2), space.database.engine.url.render_as_string(hide_password=False)
        ahead = Database(url, clock=Clock(RENEWAL + timedelta(seconds=1)), patience=space.database.patience)

        def on(server: Database, act: Any, barrier: Barrier = barrier) -> Any:
            barrier.wait()
            try:
                with server.transaction() as session:
                    return act(session)
            except BillingError as refusal:
                return type(refusal)

        with ThreadPoolExecutor(2) as pool:
            cancelling = pool.submit(
                on,
                space.database,
                lambda s, c=client_id, seen=seen: subscriptions.cancel_pending(s, space.manager, c, seen=seen),
            )
            changing = pool.submit(
                on,
                ahead,
                lambda s, c=client_id, seen=seen: subscriptions.override(
                    s, space.administrator, c, Overrides(payer=Payer.PARTNER), seen=seen
                ),
            )
            cancelled, changed = cancelling.result(), changing.result()
        ahead.close()
        assert isinstance(cancelled, Revision)
        assert changed in {TookEffect, StaleSubscription}
        space.clock.moment = RENEWAL + timedelta(minutes=1)
        assert space.detail(client_id).effective.settings.plan == "plus"
    no_difference(space)


def test_a_decision_after_the_renewal_is_not_undone_by_a_server_whose_clock_is_behind(space: Space) -> None:
    """The decision takes the later of its clock and the newest one of the client."""
    space.save(STANDARD)
    client_id = with_something_pending(space, "Behind")
    space.clock.moment = RENEWAL + timedelta(seconds=1)
    shown = space.override(client_id, Overrides(plan="standard", payer=Payer.PARTNER))
    assert (shown.effective.settings.plan, shown.pending) == ("standard", None)
    space.clock.moment = RENEWAL - timedelta(seconds=1)
    with space.database.transaction() as session:
        made = subscriptions.override(
            session, space.manager, client_id, Overrides(plan="plus", payer=Payer.PARTNER), seen=shown.seen
        )
    assert made.valid_from > RENEWAL
    assert made.settings.plan == "plus"
    no_difference(space)
