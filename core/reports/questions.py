"""What is asked of the list of clients: the kind of question that filters ask, and the conditions that say it in SQL.

A kind of question has no values, so that the statement made for it serves every question of its kind.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, String, and_, bindparam, func, or_, select, tuple_, type_coerce
from sqlalchemy.orm import Session

from core import members
from core.members import Member
from core.reports import search, standing, then
from core.reports.filters import BOUND_TO_NONE, FILTERS, SourceFilter, statuses
from core.reports.then import PARTNER
from core.storage import LARGEST_NUMBER, now
from core.subscriptions import INDEXED_SETTINGS, Client, Subscription, holds_now, holds_then
from core.words import ListedStatus, Setting

_EQUAL: dict[str, Any] = {setting.value: setting.of(Subscription) for setting in INDEXED_SETTINGS}
_EQUAL |= {
    "default_set": Subscription.set_number,
    "version": Subscription.defaults_version,
    "responsible": Subscription.responsible_id,
    "own": Subscription.responsible_id,  # the clients of a member who sees no others
}
_LOOKS_AFTER = {"responsible": then.looked_after_then, "own": then.looked_after_now}  # of the past
_NUMBERS_GROUPED = frozenset({"default_set", "version"})
_NOBODY = 0  # the number that no member has


@dataclass(frozen=True, slots=True)
class Question:
    """The kind of question: which filters are set, and how many words are searched for (`joined`: they may be one
    number; `is_few`: which clients are found is known). `is_past`: as of an instant; `unbound`: bound to no set."""

    equal: tuple[str, ...] = ()
    statuses: tuple[ListedStatus, ...] = ()
    source: SourceFilter | None = None
    pending: bool = False
    attention: bool = False
    words: int = 0
    joined: bool = False
    is_few: bool = False
    is_past: bool = False
    unbound: bool = False

    @property
    def narrows(self) -> bool:
        """Whether it asks for some of the subscriptions, and not for all."""
        words = (*self.equal, *self.statuses)
        return bool(words) or self.source is not None or self.pending or self.attention or self.unbound

    @property
    def walks(self) -> Any:
        """The table whose index is walked for a page: the clients, where all are wanted or they are searched; each has
        one subscription that holds. The index of the list has not every row of the past, so that is read by client."""
        return Subscription if self.narrows and not (self.words or self.is_past) else Client

    @property
    def holds(self) -> ColumnElement[bool]:
        """The condition on the subscription that it is the one to list, in the words of the index that is read."""
        return holds_then() if self.is_past else holds_now()


def question(
    session: Session, member: Member, filters: Mapping[str, Any], as_of: datetime | None = None
) -> tuple[Question, dict[str, Any]]:
    """The kind of question that these filters ask (see FILTERS), and the values to ask it with; `now` is the instant
    `as_of` (UTC), or the present. Where few clients have the words that are searched for, or few of a past day fulfil
    the filters, their numbers are among the values.

    Of a member who does not see all clients it asks for no others than theirs (rule 52), whatever the filters. A filter
    by exceptions, older defaults or retired sets leaves archived clients out unless their status is asked for.
    """
    if unknown := filters.keys() - FILTERS.keys():
        raise TypeError(f"no filters of the list: {', '.join(sorted(unknown))}")
    values: dict[str, Any] = {"partner_id": member.partner_id, "now": now(session) if as_of is None else as_of}
    for name in _EQUAL:
        if (wanted := filters.get(name)) is not None:
            is_beyond = isinstance(wanted, int) and not 0 <= wanted <= LARGEST_NUMBER
            values[name] = _NOBODY if is_beyond else wanted
    if not members.reads_all_clients(member):
        values["own"] = member.member_id
    if unbound := values.get("default_set") == BOUND_TO_NONE:
        del values["default_set"]
    source = None if filters.get("source") is None else SourceFilter(filters["source"])
    asked_for = statuses(filters.get("status") or ())
    if not asked_for and source not in (None, SourceFilter.DEFAULT):
        asked_for = tuple(status for status in ListedStatus if status is not ListedStatus.ARCHIVED)
    asked = Question(
        equal=tuple(name for name in _EQUAL if name in values),
        statuses=asked_for,
        source=source,
        pending=bool(filters.get("pending")),
        attention=bool(filters.get("attention")),
        is_past=as_of is not None,
        unbound=unbound,
    )
    if not (words := search.words_of(filters.get("search") or "")):
        found = few_then(session, asked, values) if asked.is_past and asked.narrows else None
        return (asked, values) if found is None else (replace(asked, words=1, is_few=True), values | {"found": found})
    asked = replace(asked, words=len(words), joined=search.is_one(words))
    found = search.few_found(session, member.partner_id, words)
    if found is None:
        return asked, values | search.asked_in_words(words)
    return replace(asked, is_few=True), values | {"found": found}


def narrowed(asked: Question, holds: ColumnElement[bool], *, in_groups: bool = False) -> list[ColumnElement[bool]]:
    """The conditions on the subscription of a client, what nearly all fulfil last. `holds`: in the words of the
    index that is to be read. `in_groups`: its groups are streamed."""
    conditions: list[ColumnElement[bool]] = [Subscription.partner_id == PARTNER]
    for name in asked.equal:
        column = _EQUAL[name]
        if asked.is_past and name in _LOOKS_AFTER:
            conditions.append(_LOOKS_AFTER[name](bindparam(name, type_=column.type)))
            continue
        # SQLite leaves a column that equals a value out of what it groups by, and sorts all rows instead: of a sum it
        # does not know that
        compared = column + 0 if in_groups and name in _NUMBERS_GROUPED else column
        if asked.is_past and not in_groups and name == Setting.PLAN:  # else it reads all of the plan for each client
            compared = func.coalesce(column, "")
        conditions.append(compared == bindparam(name, type_=column.type))
    if asked.unbound:
        conditions.append(Subscription.set_number.is_(None))
    match asked.source:
        case SourceFilter.DEFAULT:
            conditions.append(type_coerce(Subscription.overridden, String) == "")
        case SourceFilter.OVERRIDE:
            conditions.append(type_coerce(Subscription.overridden, String) > "")
        case SourceFilter.OLDER:
            bound_to = tuple_(Subscription.set_number, Subscription.defaults_version)
            conditions.append(bound_to.in_(then.OLDER_VERSIONS))
        case SourceFilter.RETIRED_SET:
            conditions.append(Subscription.set_number.in_(then.RETIRED_SETS))
    if asked.pending and asked.is_past:
        conditions.append(Subscription.client_id.in_(then.waiting_clients()))
    elif asked.pending:
        conditions.append(Subscription.valid_to.is_not(None))  # what holds now ends, so something waits
    if asked.attention:
        conditions.append(or_(standing.has_ended(), standing.given_up()))
    conditions += standing.one_of(asked.statuses)
    return [*conditions, holds]


def few_then(session: Session, asked: Question, values: Mapping[str, Any]) -> list[int] | None:
    """The numbers of the clients that fulfilled the filters on a past day; None where there are more than a few. The
    index of the groups has every row of the past, and that of the list has not: a walk by name would look up each
    client to find them."""
    found = session.connection().scalars(_fulfilled(asked), {**values, "most": search.FEW + 1}).all()
    return None if len(found) > search.FEW else list(found)


@lru_cache(maxsize=128)
def _fulfilled(asked: Question) -> Any:
    conditions = narrowed(asked, asked.holds, in_groups=True)
    return select(Subscription.client_id).where(*conditions).limit(bindparam("most"))


def found_by(asked: Question) -> ColumnElement[bool]:
    """The condition on the client that the search finds it: without a search, that it is one of the partner's."""
    if not asked.words:
        return Client.partner_id == PARTNER
    if asked.is_few:
        return and_(Client.partner_id == PARTNER, Client.client_id.in_(bindparam("found", expanding=True)))
    return and_(Client.partner_id == PARTNER, search.contains(asked.words, joined=asked.joined))
