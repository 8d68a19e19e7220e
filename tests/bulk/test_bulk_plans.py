"""Where many clients stand, and what each has, is read by the clients' keys: whatever the partner has beside them is
not walked."""

import pytest

from core.bulk import Override, Ticked
from core.words import Overrides, Payer
from tests.bulk.conftest import active, done, previewed, undone
from tests.conftest import Space
from tests.reports.test_query_plans import statements

_CHOSEN = "json_each"


def test_the_clients_chosen_are_looked_up_by_their_keys(space: Space) -> None:
    """Of the preview, of what is done and of its undo; on SQLite, as PostgreSQL reads a small table as a whole."""
    if space.database.engine.dialect.name != "sqlite":
        pytest.skip("the plans of SQLite")
    space.save()
    chosen = Ticked(tuple(active(space, name) for name in ("One", "Two", "Three")))
    done(space, Override(Overrides(payer=Payer.PARTNER)), chosen)
    space.clock.forward(days=1)
    act = Override(Overrides(payer=Payer.CLIENT))
    with statements(space) as asked:
        previewed(space, act, chosen)
        undone(space, done(space, act, chosen).batch)
    read = {statement: values for statement, values in asked if _CHOSEN in statement}
    assert len(read) >= 4  # where they stand, what they have, what they were told, and what waits to be told
    with space.database.engine.connect() as connection:
        for statement, values in read.items():
            plan = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)]
            assert "partner_id=? AND client_id=?" in plan[0], (statement, plan)
