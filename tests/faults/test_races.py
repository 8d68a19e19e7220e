"""Any two changes at once, by two people: it ends as if the one had come after the other."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import combinations_with_replacement
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import text

from core.storage import Database, migrate_on
from tests.conftest import Space
from tests.faults.changes import CHANGES, IS_LONG, SOME, differences, furnish, outcome, state

SHARED = {
    "subscriptions.load_catalogue",
    "subscriptions.withdraw_price_list",
}  # by all partners: what it does in one space is seen in the next
RACED = [change for change in CHANGES if change not in SHARED]
PAIRS = list(combinations_with_replacement(RACED, 2))
ON_ONE_THING = [  # of the same client, the same member, the same defaults or the same message
    ("invitations.revoke", "invitations.accept"),
    ("invitations.send_again", "invitations.accept"),
    ("invitations.edit_client", "invitations.accept"),
    ("subscriptions.override", "invitations.accept"),
    ("subscriptions.override", "subscriptions.adopt_current_defaults"),
    ("defaults.save", "invitations.invite"),
    ("defaults.save", "subscriptions.adopt_current_defaults"),
    ("invitations.invite", "imports.invite_ready"),
    ("invitations.forget", "invitations.invite_again"),
    ("team.deactivate", "subscriptions.change_responsible"),
    ("team.deactivate", "team.send_again"),
    ("team.deactivate", "team.release_sign_in"),
    ("team.bring_back", "team.change_member"),
]
CHOSEN = PAIRS if IS_LONG else ON_ONE_THING
TWICE = RACED if IS_LONG else [change for change in RACED if change in SOME]
ROUNDS = 5 if IS_LONG else 1
Ending = tuple[list[str], dict[str, list[tuple[Any, ...]]]]  # what each was told, and what there is afterwards


@pytest.fixture
def spaces(make_space: Callable[..., Space]) -> Iterator[Space]:
    """One furnished partner space after the other."""

    def more() -> Iterator[Space]:
        number = 0
        while True:
            number += 1
            space = make_space(number)
            furnish(space)
            yield space

    return more()


def in_turns(space: Space, first: str, second: str) -> Ending:
    told = [outcome(space.database, space.partner_id, change) for change in (first, second)]
    return told, state(space.database, space.partner_id)


def at_once(space: Space, *changes: str) -> Ending:
    barrier = Barrier(len(changes))

    def run(change: str) -> str:
        barrier.wait()
        return outcome(space.database, space.partner_id, change)

    with ThreadPoolExecutor(len(changes)) as pool:
        told = list(pool.map(run, changes))
    return told, state(space.database, space.partner_id)


@pytest.mark.parametrize("pair", CHOSEN, ids=" and ".join)
def test_two_changes_at_once_end_as_if_one_had_come_after_the_other(
    spaces: Iterator[Space], pair: tuple[str, str]
) -> None:
    """In what both are told, and in every row there is."""
    one, two = pair
    told, found = in_turns(next(spaces), two, one)
    possible = [in_turns(next(spaces), one, two), (told[::-1], found)]
    for _ in range(ROUNDS):
        space = next(spaces)
        assert at_once(space, one, two) in possible
    assert differences(space.database) == []


@pytest.mark.parametrize("change", TWICE)
def test_the_same_change_made_by_two_at_once_is_made_once(spaces: Iterator[Space], change: str) -> None:
    """The second one is told, or finds it done."""
    possible = in_turns(next(spaces), change, change)
    told, found = at_once(next(spaces), change, change)
    assert sorted(told) == sorted(possible[0])
    assert found == possible[1]


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_server_that_starts_waits_for_the_migration_of_another_however_long_it_takes(database: Database) -> None:
    """Longer than anybody waits for a lock otherwise: here a thousandth of a second."""
    url = database.engine.url.render_as_string(hide_password=False)
    hasty = Database(url, patience=replace(database.patience, lock=0.001))
    waits = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
    with ThreadPoolExecutor(1) as pool, database.reading(single=True) as watching:
        with database.migrating() as first:
            migrate_on(first)
            second = pool.submit(hasty.migrate)
            for _ in range(200):  # far longer than its patience, once it waits
                while not watching.scalar(waits):
                    assert not second.done(), second.exception()
        assert second.result() is None
    hasty.close()
