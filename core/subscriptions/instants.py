"""Which rows of the subscriptions hold at an instant and which wait: the conditions in SQL, said once (rule 26)."""

from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, or_

from core.storage import Instant
from core.subscriptions.tables import Subscription


def holds_now(table: Any = Subscription) -> ColumnElement[bool]:
    """The condition on rows of the subscription, or an alias of it, that hold at the instant `:now` (rule 26). Its
    words are those of the list's indexes."""
    return and_(table.may_hold, holds_then(table))


def waits_now(table: Any = Subscription) -> ColumnElement[bool]:
    """The condition on rows that are decided and begin after the instant `:now` (rule 31). Its words are those of the
    index of what waits."""
    begins_later = table.valid_from > bindparam("now", type_=Instant)
    return and_(table.valid_from > table.decided_at, begins_later, table.valid_to.is_(None))


def holds_then(table: Any = Subscription, *, at: ColumnElement[Any] | None = None) -> ColumnElement[bool]:
    """The same for any instant (`:now`, or `at`), past or to come, of all rows: for what reads the index of the
    distribution, which has all of them."""
    then = bindparam("now", type_=Instant) if at is None else at
    return and_(table.valid_from <= then, or_(table.valid_to.is_(None), table.valid_to > then))


def not_over(table: Any = Subscription) -> ColumnElement[bool]:
    """The condition on rows that hold at the instant `:since`, or begin later, or held after it."""
    return or_(table.valid_to.is_(None), table.valid_to > bindparam("since", type_=Instant))
