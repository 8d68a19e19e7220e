"""What many rows at once share: one statement, and the collector of garbage."""

import gc
import weakref
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import insert, select

from core.members import Partner
from core.storage import Database, execute_many, quick_collections


def test_many_rows_are_stored_as_one_by_one_also_where_values_are_equal_and_not_the_same(database: Database) -> None:
    """A value that rows share is made into what is stored once, and each row keeps its own."""
    statement = insert(Partner)
    shared = {
        "currency": "EUR",
        "time_zone": "Europe/Brussels",
        "change_number": 0,
        "last_client_id": 0,
        "last_batch": 0,
    }
    names = ["One", "Two", "".join(["O", "ne"])]
    rows = [{"partner_id": number, "name": name, **shared} for number, name in enumerate(names, start=71)]
    with database.transaction() as session:
        execute_many(session.connection(), statement, rows)
    asked = (
        select(Partner.partner_id, Partner.name, Partner.time_zone)
        .where(Partner.partner_id > 70)
        .order_by(Partner.partner_id)
    )
    with database.reading() as session:
        found = [tuple(row) for row in session.execute(asked)]
    assert found == [(71, "One", "Europe/Brussels"), (72, "Two", "Europe/Brussels"), (73, "One", "Europe/Brussels")]


@pytest.fixture
def _set_aside() -> Iterator[None]:
    """What the tests before left in this process is no part of what is collected, as in a server that has started."""
    gc.collect()
    gc.freeze()
    gc.collect()
    yield
    gc.unfreeze()


@pytest.mark.usefixtures("_set_aside")
def test_what_is_old_is_not_looked_at_in_the_block_and_what_is_young_is_collected() -> None:
    """Rows that are held set off collections of what is old outside the block and none in it; garbage of the block is
    gone all the same."""
    gone: list[int] = []
    with collections_of_the_old() as outside:
        _hold_many()
    with quick_collections(), collections_of_the_old() as inside:
        _hold_many()
        weakref.finalize(_ring(), gone.append, 1)
        _hold_many()
    assert len(outside) > 0
    assert inside == []
    assert gone == [1]


def test_two_blocks_at_once_and_a_refusal_leave_the_collector_as_it_was() -> None:
    """What holds of the server, its thresholds and what it set aside at its start, holds again after the last block."""
    usual = gc.get_threshold()
    first, second = quick_collections(), quick_collections()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert gc.get_threshold() != usual
    second.__exit__(None, None, None)
    assert gc.get_threshold() == usual
    gc.freeze()
    try:
        with pytest.raises(ZeroDivisionError), quick_collections():
            _ = 1 / 0
        assert gc.get_threshold() == usual
        assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()


@contextmanager
def collections_of_the_old() -> Iterator[list[int]]:
    """The collections of the oldest generation that there are in the block."""
    found: list[int] = []

    def heard(phase: str, about: dict[str, int]) -> None:
        if phase == "start" and about["generation"] == 2:
            found.append(1)

    gc.callbacks.append(heard)
    try:
        yield found
    finally:
        gc.callbacks.remove(heard)


def _hold_many() -> None:
    """Enough for several collections of what is old, a little at a time."""
    held = [[number] for number in range(200_000)]
    assert held


class _Ring:
    """Something that only the collector of garbage can let go."""

    me: "_Ring"


def _ring() -> _Ring:
    ring = _Ring()
    ring.me = ring
    return ring
