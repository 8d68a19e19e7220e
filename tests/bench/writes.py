"""Every write of the core, both ways, each on clients of its own."""

from itertools import count, cycle
from uuid import uuid4

from core import defaults, invitations
from core.invitations import NewClient
from core.reports.prices import stored_settings
from core.subscriptions import searched_text
from core.words import BillingSettings, fold
from tests.bench import bare_writes, changes, space
from tests.bench.databases import Bench
from tests.bench.timing import Case, Limit, Operation

WRITE = Limit(ratio=4, growth=1.5)

_WRITTEN = (
    f"status, {', '.join(space.SETTINGS)}, defaults_version, overridden, changed_by_id, origin, reason, "
    "responsible_id, anchor_day, anchor_month, price_list, may_hold"
)
_ENOUGH = 1000


def writes() -> list[Operation]:
    """Every write; what it is called, what it may take, and both ways to it."""
    return [
        *((name, WRITE, case_of) for name, case_of in changes.CHANGES.items()),
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


def _invitation(bench: Bench) -> Case:
    somebody = iter([NewClient(name=f"Garage {n}", email=f"{uuid4().hex}@example.com") for n in range(_ENOUGH)])

    def ours() -> int:
        new_client = next(somebody)
        with bench.database.transaction() as session:
            return invitations.invite(session, bench.member, new_client).client_id

    def bare() -> int:
        new_client = next(somebody)
        typed = {"name": new_client.name, "email": new_client.email, "language": new_client.language}
        found_by = {"sort_name": fold(new_client.name), "search_text": searched_text(typed)}
        return bare_writes.invite(bench.driver, bench.offer, changes.WHO, {**typed, **found_by})

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
        words = dict(zip(space.SETTINGS, space.stored(wanted), strict=True))
        saved = bare_writes.save(bench.driver, bench.offer, changes.WHO, words, seen=next(seen))
        return stored_settings(saved[1 : 1 + len(space.SETTINGS)])

    def same(saved: BillingSettings, by_hand: BillingSettings) -> None:
        assert {saved, by_hand} <= set(space.VERSIONS)

    return Case(ours, bare, same)
