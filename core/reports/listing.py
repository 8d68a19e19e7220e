"""The SQL of the list of clients. A statement is built once per kind of question, then only its values change.

A page is read in two steps: its keys in order from one covering index, then the rows of those keys. Work per page does
not grow with the number of clients; a filter or a search that matches little walks that index and no table.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    String,
    and_,
    bindparam,
    exists,
    func,
    literal_column,
    or_,
    select,
    tuple_,
    type_coerce,
)
from sqlalchemy.orm import Session, aliased

from core import members
from core.catalogue import CatalogueEdition
from core.defaults import DefaultSet, DefaultSettings
from core.invitations import Invitation
from core.members import Member, Partner
from core.storage import LARGEST_NUMBER, Instant, now
from core.subscriptions import INDEXED_SETTINGS, Client, Subscription, holds_now, holds_then, local_date
from core.words import N_, ClientStatus, Setting, Term, fold, is_showable


class SourceFilter(Term):
    """Which clients, by where their settings come from. The values of `Source` serve too."""

    DEFAULT = "default", N_("Default only")
    OVERRIDE = "override", N_("With an override")
    OLDER = "older", N_("On older defaults")
    RETIRED_SET = "retired_set", N_("On a retired set")


class PendingFilter(Term):
    """Which clients, by whether something waits for their renewal (rule 31)."""

    PENDING = "pending", N_("Pending")


class Order(Term):
    """How the list is sorted."""

    NAME = "name", N_("Name, A to Z")
    NAME_DESCENDING = "-name", N_("Name, Z to A")
    NEWEST = "newest", N_("Newest first")
    OLDEST = "oldest", N_("Oldest first")


# What narrows the list, each with what makes its value of a word. One left out, None or "" does not narrow it.
# `search` looks in name, e-mail and company number.
FILTERS: dict[str, Callable[[str], Any]] = {
    "search": str,
    "status": ClientStatus,
    **{setting.value: setting.terms or str for setting in INDEXED_SETTINGS},
    "source": SourceFilter,
    "pending": PendingFilter,
    "default_set": int,  # its number
    "version": int,  # the version of its set that a client is bound to
    "responsible": int,  # the member's number
}


@dataclass(frozen=True, slots=True)
class Question:
    """The kind of question: which filters are set, where the search looks, and whether its words need an escape (one
    that is not needed costs PostgreSQL a call per row)."""

    equal: tuple[str, ...] = ()
    source: SourceFilter | None = None
    pending: bool = False
    searched: tuple[str, ...] = ()
    escaped: bool = False

    @property
    def narrows(self) -> bool:
        """Whether it asks for some of the subscriptions, and not for all."""
        return bool(self.equal) or self.source is not None or self.pending

    @property
    def walks(self) -> Any:
        """The table whose index is walked for a page: the clients, where all are wanted or they are searched; each has
        one subscription that holds."""
        return Subscription if self.narrows and not self.searched else Client


_EQUAL: dict[str, Any] = {setting.value: setting.of(Subscription) for setting in INDEXED_SETTINGS}
_EQUAL |= {
    "status": Subscription.status,
    "default_set": Subscription.set_number,
    "version": Subscription.defaults_version,
    "responsible": Subscription.responsible_id,
    "own": Subscription.responsible_id,  # the clients of a member who sees no others
}
_NUMBERS_GROUPED = frozenset({"default_set", "version"})
_SEARCHED: dict[str, Any] = {
    "sort_name": Client.sort_name,
    "email": Client.email,
    "company_number": Client.company_number,
}
_SPECIAL = frozenset("\\%_")  # to LIKE
_PARTNER = bindparam("partner_id", type_=Client.partner_id.type)
_NOBODY = 0  # the number that no member has
_LATER = aliased(DefaultSettings)
_NEWEST_OF_SET = (
    select(func.max(_LATER.version))
    .where(_LATER.partner_id == _PARTNER, _LATER.set_number == Subscription.set_number)
    .correlate(Subscription)
)
_SETS = select(func.count()).select_from(DefaultSet).where(DefaultSet.partner_id == _PARTNER)
# asked once for all clients, whichever set each is bound to: what a version of this number and set is
_RETIRED_SETS = select(DefaultSet.set_number).where(
    DefaultSet.partner_id == _PARTNER, DefaultSet.retired_at.is_not(None)
)
_OLDER_VERSIONS = (
    select(DefaultSettings.set_number, DefaultSettings.version)
    .join(
        _LATER,
        and_(
            _LATER.partner_id == DefaultSettings.partner_id,
            _LATER.set_number == DefaultSettings.set_number,
            _LATER.version == DefaultSettings.version + 1,
        ),
    )
    .where(DefaultSettings.partner_id == _PARTNER, DefaultSettings.set_number.not_in(_RETIRED_SETS))
)
_STANDARD_VERSION = (
    select(func.max(DefaultSettings.version))
    .join(
        Partner,
        and_(Partner.partner_id == DefaultSettings.partner_id, Partner.standard_set == DefaultSettings.set_number),
    )
    .where(DefaultSettings.partner_id == _PARTNER)
)
_TOOK_EFFECT = select(func.max(Subscription.valid_from)).where(
    Subscription.partner_id == _PARTNER,
    Subscription.valid_from > Subscription.decided_at,
    Subscription.valid_from <= bindparam("now", type_=Instant),
)
_IN_FORCE = select(
    select(CatalogueEdition.edition).scalar_subquery(),
    _STANDARD_VERSION.scalar_subquery(),
    _TOOK_EFFECT.scalar_subquery(),
)


def question(member: Member, filters: Mapping[str, Any]) -> tuple[Question, dict[str, Any]]:
    """The kind of question that these filters ask (see FILTERS), and the values to ask it with.

    Of a member who does not see all clients it asks for no others than theirs (rule 52), whatever the filters.
    """
    if unknown := filters.keys() - FILTERS.keys():
        raise TypeError(f"no filters of the list: {', '.join(sorted(unknown))}")
    values: dict[str, Any] = {"partner_id": member.partner_id}
    for name in _EQUAL:
        if (wanted := filters.get(name)) is not None:
            is_beyond = isinstance(wanted, int) and not 0 <= wanted <= LARGEST_NUMBER
            values[name] = _NOBODY if is_beyond else wanted
    if not members.reads_all_clients(member):
        values["own"] = member.member_id
    equal = tuple(name for name in _EQUAL if name in values)
    search = "".join(c for c in filters.get("search") or "" if is_showable(c)).strip()[:200]
    looked_for = {"sort_name": fold(search), "email": search.lower()} if search else {}
    digits = "".join(c for c in search if c.isdecimal())
    if digits and not search.upper().removeprefix("BE").strip(" .-0123456789"):
        looked_for["company_number"] = digits
    values |= {name: _containing(words) for name, words in looked_for.items()}
    source = filters.get("source")
    escaped = not _SPECIAL.isdisjoint(search)
    return (
        Question(
            equal=equal,
            source=None if source is None else SourceFilter(source),
            pending=bool(filters.get("pending")),
            searched=tuple(looked_for),
            escaped=escaped,
        ),
        values,
    )


@lru_cache(maxsize=512)
def page(asked: Question, order_by: Order) -> Any:
    """One page of the list; values as `question` gives them, and `limit` and `offset`. Columns as in `_rows`."""
    keys = _keys(asked, order_by).limit(bindparam("limit")).offset(bindparam("offset"))
    return _rows(keys, order_by)


@lru_cache(maxsize=128)
def numbers(asked: Question) -> Any:
    """The numbers of the first `limit` clients found, ascending."""
    return _keys(asked, Order.OLDEST).limit(bindparam("limit"))


@lru_cache(maxsize=128)
def chunk(asked: Question) -> Any:
    """The next `limit` rows by name after the key (`after_name`, `after_id`). Columns as in `_rows`."""
    table = asked.walks
    after = tuple_(table.sort_name, table.client_id) > tuple_(bindparam("after_name"), bindparam("after_id"))
    return _rows(_keys(asked, Order.NAME).where(after).limit(bindparam("limit")), Order.NAME)


@lru_cache(maxsize=128)
def groups(asked: Question, *, by_anchor: bool = False) -> Any:
    """The filtered clients counted by their settings: `group_columns`, pending (how many of them something
    waits for), clients."""
    columns = group_columns(by_anchor=by_anchor)
    counts = (func.count(Subscription.valid_to).label("pending"), func.count().label("clients"))
    if not asked.searched:
        return select(*columns, *counts).where(*_narrowed(asked, holds_then(), in_groups=True)).group_by(*columns)
    keys = select(Client.partner_id, Client.client_id).where(_found(asked))
    found = keys.cte("found").prefix_with("MATERIALIZED")
    same_client = and_(Subscription.partner_id == found.c.partner_id, Subscription.client_id == found.c.client_id)
    return (
        select(*columns, *counts)
        .select_from(found)
        .join(Subscription, same_client)
        .where(
            *_narrowed(asked, holds_now())[1:]
        )  # the partner is found.c.partner_id, so that the few that are found lead
        .group_by(*columns)
    )


def rows(session: Session, statement: Any, values: Mapping[str, Any]) -> Sequence[Any]:
    """Every row of one of these statements. Asked of the connection: the ORM would only look for objects in them."""
    return session.connection().execute(statement, {**values, "now": now(session)}).all()


def group_columns(*, by_anchor: bool) -> list[Any]:
    """The columns to group subscriptions by: exactly the leading ones of an index, so that the groups stream; with what
    else a price depends on. `by_anchor`: the anchors too, where what a period costs depends on when it began."""
    settings = [setting.of(Subscription) for setting in (*INDEXED_SETTINGS, Setting.ADD_ONS)]
    leading = [stored(column) for column in (*settings, Subscription.overridden, Subscription.status)]
    of_price = [Subscription.price_list, Subscription.set_number, Subscription.defaults_version]
    return [*leading, *of_price, *([Subscription.anchor_day, Subscription.anchor_month] if by_anchor else [])]


def stored(column: Any) -> ColumnElement[str]:
    """The column as it is stored, not made into the terms of its type."""
    return type_coerce(column, String).label(column.key)


def _narrowed(asked: Question, holds: ColumnElement[bool], *, in_groups: bool = False) -> list[ColumnElement[bool]]:
    """The conditions on the current subscription of a client, what nearly all fulfil last. `holds`: in the words of the
    index that is to be read. `in_groups`: its groups are streamed."""
    conditions: list[ColumnElement[bool]] = [Subscription.partner_id == _PARTNER]
    for name in asked.equal:
        column = _EQUAL[name]
        # SQLite leaves a column that equals a value out of what it groups by, and sorts all rows instead: of a sum it
        # does not know that
        compared = column + 0 if in_groups and name in _NUMBERS_GROUPED else column
        conditions.append(compared == bindparam(name, type_=column.type))
    match asked.source:
        case SourceFilter.DEFAULT:
            conditions.append(type_coerce(Subscription.overridden, String) == "")
        case SourceFilter.OVERRIDE:
            conditions.append(type_coerce(Subscription.overridden, String) > "")
        case SourceFilter.OLDER:
            bound_to = tuple_(Subscription.set_number, Subscription.defaults_version)
            conditions.append(bound_to.in_(_OLDER_VERSIONS))
        case SourceFilter.RETIRED_SET:
            conditions.append(Subscription.set_number.in_(_RETIRED_SETS))
    if asked.pending:
        conditions.append(Subscription.valid_to.is_not(None))  # what holds now ends, so something waits
    return [*conditions, holds]


def _found(asked: Question) -> ColumnElement[bool]:
    """The condition on the client that the search finds it: without a search, that it is one of the partner's."""
    if not asked.searched:
        return Client.partner_id == _PARTNER
    escape = "\\" if asked.escaped else None
    places = [_SEARCHED[name].like(bindparam(name, type_=String()), escape=escape) for name in asked.searched]
    return and_(Client.partner_id == _PARTNER, or_(*places))


def _containing(words: str) -> str:
    escaped = words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


def _in_order(order_by: Order, sort_name: Any, client_id: Any) -> list[Any]:
    match order_by:
        case Order.NAME:
            return [sort_name, client_id]
        case Order.NAME_DESCENDING:
            return [sort_name.desc(), client_id.desc()]
        case Order.NEWEST:
            return [client_id.desc()]
        case Order.OLDEST:
            return [client_id]


def _keys(asked: Question, order_by: Order) -> Any:
    """The keys of the filtered list in order, from one covering index."""
    table = asked.walks
    keys = select(*_key_columns(table, order_by)).order_by(*_in_order(order_by, table.sort_name, table.client_id))
    if table is Subscription:
        return keys.where(*_narrowed(asked, holds_now()))
    keys = keys.where(_found(asked))
    if asked.narrows:
        same_client = Subscription.client_id == Client.client_id
        keys = keys.where(exists(literal_column("1")).where(same_client, *_narrowed(asked, holds_now())))
    return keys


def _key_columns(table: Any, order_by: Order) -> list[Any]:
    """The key, and no name where it does not order: an index of that order does not have it."""
    by_name = order_by in {Order.NAME, Order.NAME_DESCENDING}
    return [table.sort_name, table.client_id] if by_name else [table.client_id]


def _rows(keys_in_order: Any, order_by: Order) -> Any:
    """What `reports.listed` makes its clients of, for these keys, in order. Settings, status and overridden as they are
    stored; its default set, the newest version of it and how many sets there are, the answers to the newest invitation,
    and the catalogue's edition."""
    s, c, i, m, d = Subscription, Client, Invitation, Member, DefaultSet
    keys = keys_in_order.subquery("keys")
    newest = aliased(Invitation)
    # of the invitation and not of the key: PostgreSQL would read every invitation of a small partner space to join them
    number = select(func.max(newest.number)).where(newest.partner_id == _PARTNER, newest.client_id == i.client_id)
    settings = [setting.of(s) for setting in Setting]
    return (
        select(
            *(stored(column) for column in (*settings, s.status, s.overridden)),
            c.client_id,
            c.name,
            c.sort_name,
            c.email,
            c.company_number,
            s.set_number,
            s.defaults_version,
            s.responsible_id,
            s.price_list,
            s.anchor_day,
            s.anchor_month,
            s.valid_to.label("pending_from"),
            m.name.label("responsible"),
            i.invited_at,
            i.accepted_at,
            i.revoked_at,
            i.expires_at,
            d.name.label("default_set"),
            d.retired_at,
            _NEWEST_OF_SET.scalar_subquery().label("newest_version"),
            _SETS.scalar_subquery().label("sets"),
            select(CatalogueEdition.edition).scalar_subquery().label("edition"),
        )
        .select_from(keys)
        .join(s, and_(s.partner_id == _PARTNER, s.client_id == keys.c.client_id, holds_now()))
        .join(c, and_(c.partner_id == _PARTNER, c.client_id == keys.c.client_id))
        .join(i, and_(i.partner_id == _PARTNER, i.client_id == keys.c.client_id, i.number == number.scalar_subquery()))
        .outerjoin(m, and_(m.partner_id == _PARTNER, m.member_id == s.responsible_id))
        .outerjoin(d, and_(d.partner_id == _PARTNER, d.set_number == s.set_number))
        .order_by(*_in_order(order_by, keys.c.get("sort_name"), keys.c.client_id))
    )


class InForce(NamedTuple):
    """What the figures of a partner space depend on beside its changes: the edition of the catalogue (None: none is
    loaded), the version in force of the standard set (0: there is none), when a pending change took effect last (UTC;
    None: never), and the day of its calendar."""

    edition: int | None
    defaults_version: int
    took_effect_at: datetime | None
    day: date


def in_force(session: Session, member: Member) -> InForce:
    """What holds in the member's partner space now."""
    moment = now(session)
    asked = {"partner_id": member.partner_id, "now": moment}
    edition, version, took_effect_at = session.connection().execute(_IN_FORCE, asked).one()
    return InForce(edition, version or 0, took_effect_at, local_date(moment, member.partner.time_zone))
