"""The SQL of the list of clients. A statement is built once per kind of question, then only its values change.

A page is read in two steps: its keys in order from one covering index, then the rows of those keys. Work per page does
not grow with the number of clients; a filter or a search that matches little walks that index and no table.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    String,
    and_,
    bindparam,
    cast,
    exists,
    func,
    literal_column,
    not_,
    or_,
    select,
    tuple_,
    type_coerce,
)
from sqlalchemy.orm import Session, aliased

from core import members
from core.catalogue import CatalogueEdition
from core.defaults import DefaultSet
from core.invitations import Invitation
from core.members import Member
from core.reports import search, standing, then
from core.reports.filters import BOUND_TO_NONE, FILTERS, Order, SourceFilter, statuses
from core.storage import LARGEST_NUMBER, now
from core.subscriptions import INDEXED_SETTINGS, Client, Responsible, Subscription, holds_now, holds_then
from core.words import ClientStatus, ListedStatus, Setting


@dataclass(frozen=True, slots=True)
class Question:
    """The kind of question: which filters are set, and how many words are searched for (`joined`: they may be one
    number; `is_few`: which clients have them is known). `is_past`: as of an instant; `unbound`: bound to no set."""

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


_EQUAL: dict[str, Any] = {setting.value: setting.of(Subscription) for setting in INDEXED_SETTINGS}
_EQUAL |= {
    "default_set": Subscription.set_number,
    "version": Subscription.defaults_version,
    "responsible": Subscription.responsible_id,
    "own": Subscription.responsible_id,  # the clients of a member who sees no others
}
_LOOKS_AFTER = {"responsible": then.looked_after_then, "own": then.looked_after_now}  # of the past
_NUMBERS_GROUPED = frozenset({"default_set", "version"})
_PARTNER = bindparam("partner_id", type_=Client.partner_id.type)
_NOBODY = 0  # the number that no member has
_SETS = select(func.count()).select_from(DefaultSet).where(DefaultSet.partner_id == _PARTNER)


def question(
    session: Session, member: Member, filters: Mapping[str, Any], as_of: datetime | None = None
) -> tuple[Question, dict[str, Any]]:
    """The kind of question that these filters ask (see FILTERS), and the values to ask it with; `now` is the instant
    `as_of` (UTC), or the present. Where few clients have the words that are searched for, their numbers are among the
    values.

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
        return asked, values
    asked = replace(asked, words=len(words), joined=search.is_one(words))
    found = search.few_found(session, member.partner_id, words)
    if found is None:
        return asked, values | search.asked_in_words(words)
    return replace(asked, is_few=True), values | {"found": found}


@lru_cache(maxsize=512)
def page(asked: Question, order_by: Order) -> Any:
    """One page of the list; values as `question` gives them, and `limit` and `offset`. Columns as in `_rows`."""
    keys = _keys(asked, order_by).limit(bindparam("limit")).offset(bindparam("offset"))
    return _rows(keys, order_by, is_past=asked.is_past)


@lru_cache(maxsize=2)
def by_number(*, is_past: bool) -> Any:
    """The clients with these numbers (`found`), in no order of the list. Columns as in `_rows`."""
    asked = Question(words=1, is_few=True, is_past=is_past)
    return _rows(_keys(asked, Order.OLDEST), Order.OLDEST, is_past=is_past)


@lru_cache(maxsize=256)
def of_price(asked: Question, *, by_anchor: bool, is_few: bool) -> Any:
    """The numbers of the clients of these kinds (`kinds` as in `kind_of`, with their `plans`, `periods` and
    `standings`) by name, from `offset` on and at most `limit`. `is_few`: they are gathered and sorted; else a walk of
    the list meets them."""
    s = Subscription
    holds = holds_then() if is_few else asked.holds
    named = {"plans": s.plan, "periods": s.billing_period, "standings": s.status}
    of_kinds = {name: type_coerce(of, String) for name, of in named.items()} | {"kinds": _kind(by_anchor=by_anchor)}
    conditions = [of.in_(bindparam(name, expanding=True, type_=String())) for name, of in of_kinds.items()]
    keys = select(s.client_id).where(*_narrowed(asked, holds), *conditions)
    same_client = and_(Client.partner_id == _PARTNER, Client.client_id == s.client_id)
    if is_few:  # with the name of the client, so that the index of the groups has all else that is asked
        keys = keys.join(Client, same_client).order_by(_unindexed(Client.sort_name), s.client_id)
    else:
        keys = keys.order_by(_name(asked, s), s.client_id)
    if asked.is_few:
        keys = keys.where(s.client_id.in_(bindparam("found", expanding=True)))
    elif asked.words:
        found = search.contains(asked.words, joined=asked.joined)
        keys = keys.where(found if is_few else exists(literal_column("1")).where(same_client, found))
    return keys.limit(bindparam("limit")).offset(bindparam("offset"))


@lru_cache(maxsize=128)
def numbers(asked: Question) -> Any:
    """The numbers of the first `limit` clients found, ascending."""
    return _keys(asked, Order.OLDEST).limit(bindparam("limit"))


@lru_cache(maxsize=128)
def chunk(asked: Question) -> Any:
    """The next `limit` rows by name after the key (`after_name`, `after_id`). Columns as in `_rows`."""
    table = asked.walks
    after = tuple_(_name(asked, table), table.client_id) > tuple_(bindparam("after_name"), bindparam("after_id"))
    return _rows(_keys(asked, Order.NAME).where(after).limit(bindparam("limit")), Order.NAME, is_past=asked.is_past)


@lru_cache(maxsize=128)
def groups(asked: Question, *, by_anchor: bool = False, ended: bool = False) -> Any:
    """The filtered clients counted by their settings: `group_columns`, pending (how many of them something
    waits for; of the past it does not say), clients. `ended`: those alone whose invitation lapsed or was revoked."""
    columns = group_columns(by_anchor=by_anchor)
    counts = (func.count(Subscription.valid_to).label("pending"), func.count().label("clients"))
    return _counted(asked, (*columns, *counts), [standing.lapsed()] if ended else []).group_by(*columns)


@lru_cache(maxsize=128)
def pending_then(asked: Question) -> Any:
    """For how many of the filtered clients something was waiting, archived ones left out."""
    waited = Subscription.client_id.in_(then.waiting_clients())
    return _counted(asked, (func.count(),), [waited, Subscription.status != ClientStatus.ARCHIVED])


@lru_cache(maxsize=128)
def only_given_up(asked: Question) -> Any:
    """How many of the filtered clients need attention for a message alone that was given up."""
    return _counted(asked, (func.count(),), [standing.given_up(), not_(standing.lapsed())])


def _counted(asked: Question, columns: Sequence[Any], also: Sequence[ColumnElement[bool]]) -> Any:
    """These columns of the filtered clients that fulfil these conditions too."""
    if not asked.words:
        return select(*columns).where(*_narrowed(asked, holds_then(), in_groups=True), *also)
    keys = select(Client.partner_id, Client.client_id).where(_found(asked))
    found = keys.cte("found").prefix_with("MATERIALIZED")
    same_client = and_(Subscription.partner_id == found.c.partner_id, Subscription.client_id == found.c.client_id)
    of_found = _narrowed(asked, asked.holds)[1:]  # the partner is found.c.partner_id, so that the few found lead
    return select(*columns).select_from(found).join(Subscription, same_client).where(*of_found, *also)


def rows(session: Session, statement: Any, values: Mapping[str, Any]) -> Sequence[Any]:
    """Every row of one of these statements. Asked of the connection: the ORM would only look for objects in them."""
    return session.connection().execute(statement, values).all()


def group_columns(*, by_anchor: bool) -> list[Any]:
    """The columns to group subscriptions by: exactly the leading ones of an index, so that the groups stream; with what
    else a price depends on. `by_anchor`: the anchors too, where what a period costs depends on when it began."""
    settings = [setting.of(Subscription) for setting in (*INDEXED_SETTINGS, Setting.ADD_ONS)]
    leading = [stored(column) for column in (*settings, Subscription.overridden, Subscription.status)]
    of_price = [Subscription.price_list, Subscription.set_number, Subscription.defaults_version]
    return [*leading, *of_price, *([Subscription.anchor_day, Subscription.anchor_month] if by_anchor else [])]


def kind_of(row: Any, *, by_anchor: bool) -> str:
    """What decides the price of a row of `group_columns`, in one text: the same as `_kind` in SQL."""
    parts = [row.plan, row.billing_period, row.add_ons, row.status, row.price_list]
    parts += [row.anchor_day, row.anchor_month] if by_anchor else []
    return "|".join("" if part is None else str(part) for part in parts)


def _kind(*, by_anchor: bool) -> ColumnElement[str]:
    s = Subscription
    numbers = [s.price_list, *([s.anchor_day, s.anchor_month] if by_anchor else [])]
    texts = [type_coerce(column, String) for column in (s.plan, s.billing_period, s.add_ons, s.status)]
    of_number = [func.coalesce(cast(number, String), "") for number in numbers]
    joined: ColumnElement[str] = texts[0]
    for part in (*texts[1:], *of_number):
        joined = joined + "|" + part
    return joined


def stored(column: Any) -> ColumnElement[str]:
    """The column as it is stored, not made into the terms of its type."""
    return type_coerce(column, String).label(column.key)


def _narrowed(asked: Question, holds: ColumnElement[bool], *, in_groups: bool = False) -> list[ColumnElement[bool]]:
    """The conditions on the current subscription of a client, what nearly all fulfil last. `holds`: in the words of the
    index that is to be read. `in_groups`: its groups are streamed."""
    conditions: list[ColumnElement[bool]] = [Subscription.partner_id == _PARTNER]
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
        conditions.append(or_(standing.lapsed(), standing.given_up()))
    conditions += standing.one_of(asked.statuses)
    return [*conditions, holds]


def _found(asked: Question) -> ColumnElement[bool]:
    """The condition on the client that the search finds it: without a search, that it is one of the partner's."""
    if not asked.words:
        return Client.partner_id == _PARTNER
    if asked.is_few:
        return and_(Client.partner_id == _PARTNER, Client.client_id.in_(bindparam("found", expanding=True)))
    return and_(Client.partner_id == _PARTNER, search.contains(asked.words, joined=asked.joined))


def _in_order(order_by: Order, sort_name: Any, client_id: Any) -> list[Any]:
    match order_by:
        case Order.NAME:
            return [sort_name, client_id]
        case Order.NAME_DESCENDING:
            return [sort_name.desc(), client_id.desc()]
        case Order.NEWEST:
            return [client_id.desc()]
        case _:
            return [client_id]


def _keys(asked: Question, order_by: Order) -> Any:
    """The keys of the filtered list in order, from one covering index."""
    table = asked.walks
    name = _name(asked, table)
    keys = select(*_key_columns(table, name, order_by)).order_by(*_in_order(order_by, name, table.client_id))
    if table is Subscription:
        return keys.where(*_narrowed(asked, asked.holds))
    keys = keys.where(_found(asked))
    if asked.narrows or asked.is_past:
        same_client = Subscription.client_id == Client.client_id
        keys = keys.where(exists(literal_column("1")).where(same_client, *_narrowed(asked, asked.holds)))
    return keys


def _name(asked: Question, table: Any) -> Any:
    """The name to sort by: where the few clients are known, they are looked up and no index is walked by name."""
    return _unindexed(table.sort_name) if asked.is_few else table.sort_name


def _unindexed(sort_name: Any) -> Any:
    """The name, in words that no index has."""
    return func.coalesce(sort_name, "")


def _key_columns(table: Any, name: Any, order_by: Order) -> list[Any]:
    """The key, and no name where it does not order: an index of that order does not have it."""
    by_name = order_by in {Order.NAME, Order.NAME_DESCENDING}
    return [name.label("sort_name"), table.client_id] if by_name else [table.client_id]


def _rows(keys_in_order: Any, order_by: Order, *, is_past: bool) -> Any:
    """What `reports.listed` makes its clients of, for these keys, in order. Settings, status and overridden as they are
    stored; its default set, the newest version of it and how many sets there are, the answers to the newest invitation,
    and the catalogue's edition. `is_past`: who looked after them, and what waited, then."""
    s, c, i, m, d = Subscription, Client, Invitation, Member, DefaultSet
    responsible_id, pending_from = (
        (Responsible.member_id, then.waited_from()) if is_past else (s.responsible_id, s.valid_to)
    )
    keys = keys_in_order.subquery("keys")
    newest = aliased(Invitation)
    # of the invitation and not of the key: PostgreSQL would read every invitation of a small partner space to join them
    number = select(func.max(newest.number)).where(
        newest.partner_id == _PARTNER, newest.client_id == i.client_id, newest.invited_at <= then.INSTANT
    )
    earliest = aliased(Invitation)
    first = select(earliest.invited_at).where(
        earliest.partner_id == _PARTNER, earliest.client_id == keys.c.client_id, earliest.number == 1
    )
    settings = [setting.of(s) for setting in Setting]
    found = (
        select(
            *(stored(column) for column in (*settings, s.status, s.overridden)),
            c.client_id,
            c.name,
            c.sort_name,
            c.email,
            c.company_number,
            s.set_number,
            s.defaults_version,
            responsible_id.label("responsible_id"),
            s.price_list,
            s.anchor_day,
            s.anchor_month,
            pending_from.label("pending_from"),
            m.name.label("responsible"),
            i.invited_at,
            first.scalar_subquery().label("first_invited_at"),
            i.accepted_at,
            i.revoked_at,
            i.expires_at,
            d.name.label("default_set"),
            func.coalesce(s.set_number.in_(then.RETIRED_SETS), False).label("is_on_retired_set"),
            then.NEWEST_OF_SET.scalar_subquery().label("newest_version"),
            _SETS.scalar_subquery().label("sets"),
            select(CatalogueEdition.edition).scalar_subquery().label("edition"),
        )
        .select_from(keys)
        .join(
            s, and_(s.partner_id == _PARTNER, s.client_id == keys.c.client_id, holds_then() if is_past else holds_now())
        )
        .join(c, and_(c.partner_id == _PARTNER, c.client_id == keys.c.client_id))
        .join(i, and_(i.partner_id == _PARTNER, i.client_id == keys.c.client_id, i.number == number.scalar_subquery()))
        .outerjoin(d, and_(d.partner_id == _PARTNER, d.set_number == s.set_number))
        .order_by(*_in_order(order_by, keys.c.get("sort_name"), keys.c.client_id))
    )
    if is_past:
        found = found.outerjoin(Responsible, then.responsible_then())
    return found.outerjoin(m, and_(m.partner_id == _PARTNER, m.member_id == responsible_id))
