"""Rule 48: each client of a batch ends exactly as if the act were done to it alone."""

from collections.abc import Callable
from contextlib import suppress
from random import Random
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from core import bulk, subscriptions
from core.bulk import Act, Adopt, Archive, CancelPending, ChangeResponsible, NothingToDo, Override, Ticked
from core.words import BillingError, BillingPeriod, Overrides, Payer, Setting
from tests.conftest import PLUS, STANDARD, Space
from tests.subscriptions.test_any_life import act as act_once

CLIENTS = 6
ACTS: list[Act] = [
    Adopt(),
    Adopt(clear_overrides=True),
    Adopt(set_number=1),
    Override(Overrides(plan="premium")),
    Override(Overrides(payer=Payer.CLIENT)),
    Override(Overrides(payer=Payer.PARTNER), frozenset({Setting.PLAN})),
    Override(Overrides(billing_period=BillingPeriod.YEARLY)),
    Override(Overrides(plan="starter", add_ons=frozenset())),
    Override(clear=frozenset(Setting)),
    CancelPending(),
    Archive(),
    Archive(at_once=True),
    ChangeResponsible(1),
    ChangeResponsible(3),
]
# every column but whose it is, the batch and the door; and what is drawn by chance
TABLES = {
    "subscription": {"partner_id", "batch", "origin"},
    "responsible": {"partner_id", "batch", "origin"},
    "invitation": {"partner_id", "token_hash"},
    "outbox_message": {"partner_id", "token", "message_id"},
    "payer_message": {"partner_id", "message_id"},
}


def alone(space: Space, act: Act, client_id: int) -> None:
    """The act, done to this client alone."""
    shown, member, reason = space.detail(client_id), space.manager, "together"
    with space.database.transaction() as session:
        match act:
            case Adopt(set_number=number, clear_overrides=clear):
                subscriptions.adopt_current_defaults(
                    session, member, [client_id], clear_overrides=clear, set_number=number, reason=reason
                )
            case Override():
                overrides = act.over(shown.overrides)
                subscriptions.override(session, member, client_id, overrides, seen=shown.seen, reason=reason)
            case CancelPending():
                subscriptions.cancel_pending(session, member, client_id, seen=shown.seen, reason=reason)
            case Archive(at_once=at_once):
                subscriptions.archive(session, member, client_id, seen=shown.seen, at_once=at_once, reason=reason)
            case ChangeResponsible(responsible_id=to):
                seen = space.looked_after(client_id)[0].member_id
                subscriptions.change_responsible(session, member, client_id, to, seen=seen, reason=reason)


def together(space: Space, act: Act) -> None:
    """The act, done to all at once."""
    chosen = Ticked(tuple(range(1, CLIENTS + 1)))
    with space.database.reading() as session:
        digest = bulk.preview(session, space.manager, act, chosen).digest
    with suppress(NothingToDo), space.database.transaction() as session:
        bulk.do(session, space.manager, act, chosen, digest=digest, reason="together")


def rows(space: Space) -> dict[str, Any]:
    """What is kept of the clients of this space."""
    found = {}
    with space.database.reading() as session:
        for table, apart in TABLES.items():
            asked = text(f"SELECT * FROM {table} WHERE partner_id = :partner ORDER BY 1, 2, 3")
            found[table] = sorted(
                repr({name: value for name, value in row.items() if name not in apart})
                for row in session.execute(asked, {"partner": space.partner_id}).mappings()
            )
    return found


def test_a_batch_of_some_and_as_many_single_acts_leave_equal_rows(make_space: Callable[..., Space]) -> None:
    """Two partner spaces live alike; then an act is done in one to each alone, in the other to all together. Settings,
    what waits, invitations, messages and account managers are equal, but for number, batch and door."""
    spaces = [make_space(1), make_space(2)]
    for space in spaces:
        space.save(STANDARD)
        for number in range(CLIENTS):
            space.invite(f"Client {number}")

    @settings(
        max_examples=12, phases=[Phase.explicit, Phase.reuse, Phase.generate], suppress_health_check=list(HealthCheck)
    )
    @given(st.integers(0, 2**32), st.sampled_from(ACTS))
    def live(seed: int, act: Act) -> None:
        drawn = Random(seed)
        for _ in range(3):
            spaces[0].clock.forward(days=drawn.choice([0, 1, 6, 25, 31]), minutes=5)
            turn = drawn.random()
            for space in spaces:
                if turn < 0.3:
                    space.save(PLUS if turn < 0.15 else STANDARD)
                for client_id in range(1, CLIENTS + 1):
                    with suppress(BillingError):
                        act_once(space, client_id, Random(f"{seed} {turn} {client_id}"))
        assert rows(spaces[0]) == rows(spaces[1])
        spaces[0].clock.forward(minutes=5)
        for client_id in range(1, CLIENTS + 1):
            with suppress(BillingError):
                alone(spaces[0], act, client_id)
        together(spaces[1], act)
        assert rows(spaces[0]) == rows(spaces[1])
        with spaces[0].database.reading() as session:
            assert list(subscriptions.differences(session)) == []

    live()
