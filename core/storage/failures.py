"""What the driver of a database reports, in words for the person at the screen, and in the log without values."""

import logging
import re
import sqlite3
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from core.words import (
    BillingError,
    DatabaseAway,
    DatabaseBusy,
    DatabaseFailed,
    DatabaseFull,
    DatabaseReadOnly,
    DatabaseSlow,
    DatabaseUnreadable,
    SavedOrNot,
)

log = logging.getLogger("billing_defaults")

_BY_SQLITE_CODE: dict[int, type[DatabaseFailed]] = {  # the primary code, without what SQLite adds to it
    sqlite3.SQLITE_BUSY: DatabaseBusy,
    sqlite3.SQLITE_LOCKED: DatabaseBusy,
    sqlite3.SQLITE_FULL: DatabaseFull,
    sqlite3.SQLITE_READONLY: DatabaseReadOnly,
    sqlite3.SQLITE_PERM: DatabaseUnreadable,
    sqlite3.SQLITE_CANTOPEN: DatabaseUnreadable,
    sqlite3.SQLITE_IOERR: DatabaseUnreadable,
    sqlite3.SQLITE_CORRUPT: DatabaseUnreadable,
    sqlite3.SQLITE_NOTADB: DatabaseUnreadable,
}
_BY_SQLSTATE: dict[str, type[DatabaseFailed]] = {  # PostgreSQL's, or how several of them begin
    "08": DatabaseAway,
    "25006": DatabaseReadOnly,
    "25P": DatabaseSlow,
    "40": DatabaseBusy,
    "53100": DatabaseFull,
    "53": DatabaseBusy,
    "55P03": DatabaseBusy,
    "57014": DatabaseSlow,
    "57P": DatabaseAway,
    "58": DatabaseUnreadable,
}
_UNCERTAIN = (DatabaseAway, DatabaseUnreadable)  # while committing: nobody said whether it was done
_E_MAIL = re.compile(r"[^\s@'\"<>(),;:=]+@[^\s@'\"<>(),;:=]+")
_TOKEN = re.compile(r"[A-Za-z0-9_-]{40,}")  # as in the links of invitations
_VALUES_IN_THE_MESSAGE = "22"  # how the SQLSTATE of "invalid input ..." begins, which repeats the input


@dataclass(slots=True)
class Progress:
    """How far an action is: whether everything is written and only waits to be made final."""

    is_committing: bool = False


@contextmanager
def told_in_words(*, reading: bool = False) -> Iterator[Progress]:
    """What the driver reports within the block becomes a DatabaseFailed, logged; other exceptions stay as they are."""
    progress = Progress()
    try:
        yield progress
    except SQLAlchemyError as failure:
        kind = _kind(failure)
        if kind is None or (reading and kind is DatabaseReadOnly):  # a read that writes is a fault of ours
            raise
        if progress.is_committing and kind in _UNCERTAIN:
            kind = SavedOrNot
        log.warning("%s: %s", kind.__name__, described(failure))
        raise kind(reading=reading) from failure


def described(failure: SQLAlchemyError) -> str:
    """The failure in one line, without the values that were in the statement."""
    cause = failure.orig if isinstance(failure, DBAPIError) and failure.orig is not None else failure
    lines = str(cause).strip().splitlines()
    return f"{type(cause).__name__}: {lines[0] if lines else ''}"


def trace_of(exception: BaseException) -> str:
    """The trace of an exception nobody foresaw, for the log: without e-mails, tokens, and what a refusal says of
    somebody."""
    chain: list[BaseException] = []
    link: BaseException | None = exception
    while link is not None and link not in chain:
        chain.append(link)
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
    told = ["".join(traceback.format_tb(each.__traceback__)) + _in_the_log(each) for each in reversed(chain)]
    return "\nThen came:\n".join(told)


def _in_the_log(exception: BaseException) -> str:
    kind = f"{type(exception).__module__}.{type(exception).__qualname__}"
    if isinstance(exception, BillingError):  # a sentence for one person, with names in it
        return kind
    said = str(exception)
    if not isinstance(exception, SQLAlchemyError):
        said = _E_MAIL.sub("[e-mail]", _TOKEN.sub("[token]", said))
    return f"{kind}: {said}"


def keep_values_out(engine: Engine) -> None:
    """PostgreSQL repeats the row that it refuses: afterwards no exception of this engine does."""

    @event.listens_for(engine, "handle_error")
    def _shorten(context: ExceptionContext) -> None:
        raised: Any = context.original_exception
        diagnosed = getattr(raised, "diag", None)
        sqlstate = getattr(raised, "sqlstate", None)
        if diagnosed is None or sqlstate is None:
            return
        message = str(diagnosed.message_primary or "")
        if sqlstate.startswith(_VALUES_IN_THE_MESSAGE):
            message = f"a value cannot be used here ({sqlstate})"
        raised.args = (message,)
        wrapped = context.sqlalchemy_exception
        if wrapped is not None:
            wrapped.args = (f"({type(raised).__module__}.{type(raised).__name__}) {message}",)


def _kind(failure: SQLAlchemyError) -> type[DatabaseFailed] | None:
    if isinstance(failure, NoConnectionFree):
        return DatabaseBusy
    if not isinstance(failure, DBAPIError):
        return None
    cause: Any = failure.orig
    if isinstance(cause, sqlite3.Error):
        return _BY_SQLITE_CODE.get(getattr(cause, "sqlite_errorcode", 0) & 0xFF)
    sqlstate = getattr(cause, "sqlstate", None)
    if sqlstate is None:
        lost = failure.connection_invalidated or isinstance(failure, OperationalError)
        return DatabaseAway if lost else None
    named = [kind for begins, kind in _BY_SQLSTATE.items() if sqlstate.startswith(begins)]
    return named[0] if named else DatabaseAway if failure.connection_invalidated else None
