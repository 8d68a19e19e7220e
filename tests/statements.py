"""Statements written out once for all the databases of a test process. SQLAlchemy keeps them for each engine, and
almost every test has an engine of its own: it would write out the same ones anew, which takes a third of the time."""

from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.util import LRUCache


class Written(LRUCache[Any, Any]):
    """By the kind of database instead of by the engine's own dialect; the most recent ones of them."""

    def get(self, key: Any, default: Any = None) -> Any:
        return super().get((key[0].name, *key[1:]), default)

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__((key[0].name, *key[1:]), value)


WRITTEN = Written(2000)


@event.listens_for(Engine, "engine_connect")
def _share(connection: Connection) -> None:
    connection.execution_options(compiled_cache=WRITTEN)
