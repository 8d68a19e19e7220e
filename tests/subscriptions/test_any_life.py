"""Any sequence of decisions, on both databases: the rows of the client join (rules 26, 31 and 33)."""

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from random import Random

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from core import invitations, subscriptions
from core.invitations import OutboxMessage
from core.words import BillingError, BillingPeriod, ClientStatus, Payer, Role
from tests.conftest import STANDARD, Space
from tests.subscriptions.as_lived import one_row_holds_at_every_instant

CHOICES = [
    *(("plan", plan) for plan in ("starter", "standard", "plus", "premium", None)),
    *(("add_ons", frozenset(codes)) for codes in ((), ("bank_feeds",), ("e_invoicing",))),
    *(("billing_period", period) for period in (*BillingPeriod, None)),
    *(("payer", payer) for payer in (*Payer, None)),
]


def act(space: Space, client_id: int, drawn: Random) -> None:
    """One act of many, as far as it is not refused."""
    shown, member = space.detail(client_id), space.members[drawn.choice([Role.ADMINISTRATOR, Role.CLIENT_MANAGER])]
    kind, at_once = drawn.random(), drawn.random() < 0.3
    with space.database.transaction() as session:
        if shown.status is ClientStatus.ARCHIVED:
            invitations.invite_again(session, member, client_id)
        elif shown.status is ClientStatus.INVITED and kind < 0.7:
            message = invitations.waiting(session, space.partner_id, client_id, OutboxMessage)
            invitations.accept(session, "" if message is None or message.token is None else message.token)
        elif kind < 0.65:
            name, value = drawn.choice(CHOICES)
            overrides = replace(shown.overrides, **{name: value})
            subscriptions.override(session, member, client_id, overrides, seen=shown.seen)
        elif kind < 0.75:
            subscriptions.adopt_current_defaults(session, member, [client_id], clear_overrides=at_once)
        elif kind < 0.9:
            subscriptions.cancel_pending(session, member, client_id, seen=shown.seen)
        else:
            subscriptions.archive(session, member, client_id, seen=shown.seen, at_once=at_once)


def test_any_sequence_of_decisions_leaves_one_row_at_every_instant(space: Space) -> None:
    """Through renewals and with a clock that steps back: no gap, no overlap, one that waits at most, `may_hold` never
    false on what holds or waits; until the newest decision the past
    stays as it was; and the check finds nothing."""
    space.save(STANDARD)
    names = iter(range(1000))

    @settings(
        max_examples=8, phases=[Phase.explicit, Phase.reuse, Phase.generate], suppress_health_check=list(HealthCheck)
    )
    @given(st.integers(0, 2**32))
    def live(seed: int) -> None:
        drawn, told = Random(f"{seed} {space.clock()}"), []
        client_id = space.invite(f"Client {next(names)}").client_id
        for _ in range(40):
            days = drawn.choice([0, 0, 1, 6, 25, 31, 90])
            space.clock.forward(days=days, minutes=-drawn.choice([0, 0, 30]) if days == 0 else 5)
            with suppress(BillingError):
                act(space, client_id, drawn)
            shown = space.detail(client_id)
            for instant, revision, values in told:
                held = subscriptions.held_at(shown.history, instant)
                assert held is not None
                assert (held.revision, held.settings) == (revision, values)
            decided_at = max(each.decided_at for each in shown.history)
            last = subscriptions.held_at(shown.history, decided_at)
            assert last is not None
            told.append((decided_at, last.revision, last.settings))
        with space.database.reading() as session:
            one_row_holds_at_every_instant(session, shown.moment)
            assert list(subscriptions.differences(session)) == []
        space.clock.moment = shown.moment + timedelta(minutes=1)

    live()
