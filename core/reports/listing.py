"""The SQL of the list of clients. A statement is built once per kind of question, then only its values change.

A page is read in two steps: its keys in order from one covering index, then the rows of those keys. Work per page does
not grow with the number of clients; a filter or a search that matches little walks that index and no table.
"""

from collections.abc import Mapping, Sequence
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
    select,
    tuple_,
    type_coerce,
)
from sqlalchemy.orm import Session, aliased

from core.catalogue import CatalogueEdition
from core.defaults import DefaultSet
from core.invitations import Invitation
from core.members import Member
from core.reports import search, standing, then
from core.reports.filters import Order
from core.reports.questions import Question, found_by, narrowed
from core.reports.then import PARTNER
from core.subscriptions import INDEXED_SETTINGS, Client, Responsible, Subscription, holds_now, holds_then
from core.words import ClientStatus, Setting

_SETS = select(func.count()).select_from(DefaultSet).where(DefaultSet.partner_id == PARTNER)


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
    keys = select(s.client_id).where(*narrowed(asked, holds), *conditions)
    same_client = and_(Client.partner_id == PARTNER, Client.client_id == s.client_id)
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
    return _counted(asked, (*columns, *counts), [standing.has_ended()] if ended else []).group_by(*columns)


@lru_cache(maxsize=128)
def pending_then(asked: Question) -> Any:
    """For how many of the filtered clients something was waiting, archived ones left out."""
    waited = Subscription.client_id.in_(then.waiting_clients())
    return _counted(asked, (func.count(),), [waited, Subscription.status != ClientStatus.ARCHIVED])


@lru_cache(maxsize=128)
def only_given_up(asked: Question) -> Any:
    """How many of the filtered clients need attention for a message alone that was given up."""
    return _counted(asked, (func.count(),), [standing.given_up(), not_(standing.has_ended())])


def _counted(asked: Question, columns: Sequence[Any], also: Sequence[ColumnElement[bool]]) -> Any:
    """These columns of the filtered clients that fulfil these conditions too."""
    if not asked.words:
        return select(*columns).where(*narrowed(asked, holds_then(), in_groups=True), *also)
    keys = select(Client.partner_id, Client.client_id).where(found_by(asked))
    found = keys.cte("found").prefix_with("MATERIALIZED")
    same_client = and_(Subscription.partner_id == found.c.partner_id, Subscription.client_id == found.c.client_id)
    of_found = narrowed(asked, asked.holds)[1:]  # the partner is found.c.partner_id, so that the few found lead
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
        return keys.where(*narrowed(asked, asked.holds))
    keys = keys.where(found_by(asked))
    if asked.narrows or asked.is_past:
        same_client = Subscription.client_id == Client.client_id
        keys = keys.where(exists(literal_column("1")).where(same_client, *narrowed(asked, asked.holds)))
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
        newest.partner_id == PARTNER, newest.client_id == i.client_id, newest.invited_at <= then.INSTANT
    )
    earliest = aliased(Invitation)
    first = select(earliest.invited_at).where(
        earliest.partner_id == PARTNER, earliest.client_id == keys.c.client_id, earliest.number == 1
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
            s, and_(s.partner_id == PARTNER, s.client_id == keys.c.client_id, holds_then() if is_past else holds_now())
        )
        .join(c, and_(c.partner_id == PARTNER, c.client_id == keys.c.client_id))
        .join(i, and_(i.partner_id == PARTNER, i.client_id == keys.c.client_id, i.number == number.scalar_subquery()))
        .outerjoin(d, and_(d.partner_id == PARTNER, d.set_number == s.set_number))
        .order_by(*_in_order(order_by, keys.c.get("sort_name"), keys.c.client_id))
    )
    if is_past:
        found = found.outerjoin(Responsible, then.responsible_then())
    return found.outerjoin(m, and_(m.partner_id == PARTNER, m.member_id == responsible_id))
