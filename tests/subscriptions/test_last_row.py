"""`valid_to IS NULL` means "the last row", not "now": no question about what holds is asked by it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT

CORE = ROOT / "core"
MAY = {  # what keeps the rows: their closing, and their indexes and constraints
    CORE / "subscriptions" / "instants.py",
    CORE / "subscriptions" / "writing.py",
    CORE / "subscriptions" / "tables.py",
}
KEPT_IN_STEP = (CORE / "subscriptions" / "responsible.py", "_NOT_PAST")  # whatever is not over: what waits, too


def asked_by_the_last_row(source: str) -> Iterator[tuple[str, int]]:
    """Where a source asks whether `valid_to` of a table that is not `Responsible` is empty: the name it is assigned to,
    and the line. In SQL as text, too."""
    tree = ast.parse(source)
    aliases = {
        target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and "Responsible" in ast.unparse(node.value) and "aliased" in ast.unparse(node)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for statement in tree.body:
        named = statement.targets[0] if isinstance(statement, ast.Assign) else statement
        name = getattr(named, "id", getattr(named, "name", ""))
        for node in ast.walk(statement):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                asked, of = node.func.attr == "is_", node.func.value
            elif isinstance(node, ast.Compare):
                asked = any(isinstance(each, ast.Constant) and each.value is None for each in node.comparators)
                of = node.left if any(isinstance(each, ast.Eq) for each in node.ops) else ast.Constant(0)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                if re.search(r"valid_to\s+IS\s+NULL", node.value, re.IGNORECASE):
                    yield name, node.lineno
                continue
            else:
                continue
            if asked and isinstance(of, ast.Attribute) and of.attr == "valid_to":
                table = ast.unparse(of.value)
                if table != "Responsible" and table not in aliases:
                    yield name, node.lineno


def sources() -> list[Path]:
    return sorted(path for path in CORE.rglob("*.py") if "migrations" not in path.parts)


def test_nothing_but_the_rows_keeper_asks_for_the_last_row_of_a_subscription() -> None:
    """What holds is asked by `holds_now`, what waits by `waits_now` (rule 26)."""
    found = {
        (path, name, line)
        for path in sources()
        if path not in MAY
        for name, line in asked_by_the_last_row(path.read_text(encoding="utf-8"))
    }
    assert {(path, name) for path, name, _ in found} == {KEPT_IN_STEP}, found


@pytest.mark.parametrize(
    ("source", "is_found"),
    [
        ("def f():\n    return select(Subscription).where(Subscription.valid_to.is_(None))", True),
        ("s = aliased(Subscription)\nx = s.valid_to.is_(None)", True),
        ("x = Subscription.valid_to == None", True),
        ('x = text("... where VALID_TO is null")', True),
        ("x = Responsible.valid_to.is_(None)", False),
        ("r = aliased(Responsible)\nx = r.valid_to.is_(None)", False),
        ("x = Subscription.valid_to <= moment", False),
        ("x = Subscription.valid_to.is_not(None)", False),
        ("x = revision.valid_to is None", False),
    ],
)
def test_the_question_is_recognised(source: str, is_found: bool) -> None:
    """In each of its spellings, and not where another table or a row in memory is meant."""
    assert bool(list(asked_by_the_last_row(source))) is is_found
