"""One statement for many rows, with what SQLAlchemy does for each of them done once for all."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Connection, Dialect


class _Value(NamedTuple):
    """A value of the statement: its name, what makes it what is stored (None: nothing); of one that is the same for
    every row, the stored value itself."""

    name: str
    process: Callable[[Any], Any] | None
    is_constant: bool
    constant: Any


def execute_many(connection: Connection, statement: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    """Run an insert or an update for each of these rows, which have the same keys: as `connection.execute` does, in
    less than half its time. A column that no row has takes no default of the code."""
    if not rows:
        return
    said, values, is_positional = _compiled(statement, tuple(rows[0]), connection.dialect)
    names, stored = [value.name for value in values], list[Any]()
    for row in rows:
        one = [
            constant if is_constant else row[name] if process is None else process(row[name])
            for name, process, is_constant, constant in values
        ]
        stored.append(tuple(one) if is_positional else dict(zip(names, one, strict=True)))
    connection.exec_driver_sql(said, stored)


@lru_cache(maxsize=64)
def _compiled(statement: Any, keys: tuple[str, ...], dialect: Dialect) -> tuple[str, list[_Value], bool]:
    """The words of the statement and its values, in order."""
    compiled: Any = statement.compile(dialect=dialect, column_keys=list(keys))
    values = []
    for name in compiled.positiontup if compiled.positional else compiled.bind_names.values():
        process = compiled.binds[name].type.dialect_impl(dialect).bind_processor(dialect)
        constant = None if name in keys else compiled.params[name]
        stored = process(constant) if process is not None and name not in keys else constant
        values.append(_Value(name, process, name not in keys, stored))
    return str(compiled), values, bool(compiled.positional)
