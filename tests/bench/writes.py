"""Every write of the core, both ways, each on clients of its own."""

from collections.abc import Iterator
from itertools import count, cycle
from random import randrange
from typing import Any
from uuid import uuid4

from core import defaults, invitations, subscriptions
from core.invitations import NewClient
from core.words import BillingPeriod, BillingSettings, Overrides, Payer, fold
from tests.bench import bare_writes, space
from tests.bench.databases import Bench
from tests.bench.timing import Case, Limit, Operation

WRITE = Limit(ratio=4, growth=1.5)

_SUITED = """
    SELECT client_id, revision, overridden FROM subscription
    WHERE partner_id = :partner AND valid_to IS NULL AND status = 'active' AND overridden IN ('', 'billing_period')
        AND client_id BETWEEN :first AND :first + 2000
    ORDER BY revision, client_id"""
_WRITTEN = (
    "status, payer, billing_period, plan, add_ons, defaults_version, overridden, changed_by_id, origin, reason, "
    "responsible_id"
)
_ENOUGH = 1000
_WHO = {"partner": space.PARTNER_ID, "member": 1, "role": "administrator"}


def writes() -> list[Operation]:
    """Every write; what it is called, what it may take, and both ways to it."""
    return [
        ("one override", WRITE, _override),
        ("one invitation", WRITE, _invitation),
        ("save of defaults", WRITE, _save),
    ]


def forget_saved_versions(bench: Bench) -> None:
    """Remove the versions that these writes saved, past the triggers that refuse it: the page of defaults shows every
    one, and the next run on a kept partner space is to find what this one found."""
    remove = f"DELETE FROM default_settings WHERE version > {len(space.VERSIONS)}"
    if bench.driver.is_sqlite:
        trigger = "SELECT sql FROM sqlite_master WHERE name = 'default_settings_never_deleted'"
        ((guard,),) = bench.driver.rows(trigger)
        steps = ["DROP TRIGGER default_settings_never_deleted", remove, guard]
    else:
        steps = [f"ALTER TABLE default_settings {how} TRIGGER USER" for how in ("DISABLE", "ENABLE")]
        steps.insert(1, remove)
    with bench.driver.transaction():
        for step in steps:
            bench.driver.run(step, {})


def _override(bench: Bench) -> Case:
    """The billing period is overridden, or that choice is cleared: a change on every turn."""
    suited = bench.driver.rows(_SUITED, first=randrange(max(1, bench.clients - 2000)))
    ours_next, bare_next = _turns(suited[::2]), _turns(suited[1::2])

    def ours() -> tuple[int, int]:
        client_id, seen, period = next(ours_next)
        with bench.database.transaction() as session:
            shown = subscriptions.override(
                session, bench.member, client_id, Overrides(billing_period=period), seen=seen, reason="bench"
            )
        return client_id, shown.revision - seen

    def bare() -> tuple[int, int]:
        client_id, seen, period = next(bare_next)
        shown = bare_writes.override_period(bench.driver, bench.offer, _WHO, client_id, period, seen=seen)
        return client_id, shown.history[0][0] - seen

    def same(made: tuple[int, int], by_hand: tuple[int, int]) -> None:
        assert made[1] == by_hand[1] == 1

    return Case(ours, bare, same)


def _turns(clients: list[tuple[Any, ...]]) -> Iterator[tuple[int, int, BillingPeriod | None]]:
    """Each client in turn, for ever: who, the revision it has by then, and the period to choose or None to clear it."""
    for turn in count():
        for client_id, revision, overridden in clients:
            is_set = bool(overridden) != bool(turn % 2)
            yield client_id, revision + turn, None if is_set else BillingPeriod.YEARLY


def _invitation(bench: Bench) -> Case:
    somebody = iter([NewClient(name=f"Garage {n}", email=f"{uuid4().hex}@example.com") for n in range(_ENOUGH)])

    def ours() -> int:
        new_client = next(somebody)
        with bench.database.transaction() as session:
            return invitations.invite(session, bench.member, new_client).client_id

    def bare() -> int:
        new_client = next(somebody)
        typed = {"name": new_client.name, "email": new_client.email, "language": new_client.language}
        return bare_writes.invite(bench.driver, bench.offer, _WHO, {**typed, "sort_name": fold(new_client.name)})

    def same(client_id: int, by_hand: int) -> None:
        sql = f"SELECT {_WRITTEN} FROM subscription WHERE partner_id = :partner AND client_id = :client"
        assert bench.driver.rows(sql, client=client_id) == bench.driver.rows(sql, client=by_hand)

    return Case(ours, bare, same)


def _save(bench: Bench) -> Case:
    ((newest,),) = bench.driver.rows("SELECT max(version) FROM default_settings WHERE partner_id = :partner")
    seen = count(newest)
    settings = cycle(space.VERSIONS)

    def ours() -> BillingSettings:
        with bench.database.transaction() as session:
            return defaults.save(session, bench.member, next(settings), seen=next(seen)).settings

    def bare() -> BillingSettings:
        wanted = next(settings)
        words = {
            "payer": wanted.payer.value, "billing_period": wanted.billing_period.value, "plan": wanted.plan,
            "add_ons": ";".join(sorted(wanted.add_ons)),
        }  # fmt: skip
        saved = bare_writes.save(bench.driver, bench.offer, _WHO, words, seen=next(seen))
        return BillingSettings.starting_with(
            payer=Payer(saved[1]),
            billing_period=BillingPeriod(saved[2]),
            plan=saved[3],
            add_ons=frozenset(saved[4].split(";")),
        )

    def same(saved: BillingSettings, by_hand: BillingSettings) -> None:
        assert {saved, by_hand} <= set(space.VERSIONS)

    return Case(ours, bare, same)
