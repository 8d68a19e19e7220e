"""What many rows at once share: one statement, and the collector of garbage."""

import gc

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


def test_the_collector_of_garbage_looks_at_everything_again_after_a_refusal() -> None:
    """What is set aside while many clients are changed is not set aside for ever."""
    with pytest.raises(ZeroDivisionError), quick_collections():
        assert gc.get_freeze_count() > 0
        _ = 1 / 0
    assert gc.get_freeze_count() == 0
