"""What else held at the instant `:now`, past ones too, of which the list of clients speaks: which default sets were
retired and which versions old, who looked after a client, and what was waiting."""

from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, exists, func, literal_column, select
from sqlalchemy.orm import aliased

from core.defaults import DefaultSetChange, DefaultSettings
from core.storage import Instant
from core.subscriptions import Responsible, Subscription, holds_then
from core.words import SetChange

PARTNER = bindparam("partner_id", type_=Subscription.partner_id.type)
INSTANT = bindparam("now", type_=Instant)
_ONE: ColumnElement[int] = literal_column("1")
_LATER, _UNDONE = aliased(DefaultSettings), aliased(DefaultSetChange)

# asked once for all clients, whichever set each is bound to
RETIRED_SETS = select(DefaultSetChange.set_number).where(
    DefaultSetChange.partner_id == PARTNER,
    DefaultSetChange.what == SetChange.RETIRED,
    DefaultSetChange.changed_at <= INSTANT,
    ~exists(_ONE).where(
        _UNDONE.partner_id == PARTNER,
        _UNDONE.set_number == DefaultSetChange.set_number,
        _UNDONE.number > DefaultSetChange.number,
        _UNDONE.what == SetChange.BROUGHT_BACK,
        _UNDONE.changed_at <= INSTANT,
    ),
)
OLDER_VERSIONS = (
    select(DefaultSettings.set_number, DefaultSettings.version)
    .join(
        _LATER,
        and_(
            _LATER.partner_id == DefaultSettings.partner_id,
            _LATER.set_number == DefaultSettings.set_number,
            _LATER.version == DefaultSettings.version + 1,
            _LATER.saved_at <= INSTANT,
        ),
    )
    .where(DefaultSettings.partner_id == PARTNER, DefaultSettings.set_number.not_in(RETIRED_SETS))
)
NEWEST_OF_SET = (
    select(func.max(_LATER.version))
    .where(_LATER.partner_id == PARTNER, _LATER.set_number == Subscription.set_number, _LATER.saved_at <= INSTANT)
    .correlate(Subscription)
)


def waited_then(table: Any = Subscription) -> ColumnElement[bool]:
    """The condition on rows that were decided by the instant `:now`, and not withdrawn, and were to begin after it. Of
    a row withdrawn since, that it was withdrawn later than then."""
    by = aliased(Subscription)
    withdrawn = exists(_ONE).where(
        by.partner_id == PARTNER,
        by.client_id == table.client_id,
        by.revision == table.withdrawn_by,
        by.decided_at <= INSTANT,
    )
    return and_(table.decided_at <= INSTANT, table.valid_from > INSTANT, ~withdrawn)


def waiting_clients() -> Any:
    """The numbers of the partner's clients for whom something was waiting."""
    row = aliased(Subscription)
    is_ahead = row.valid_from > row.decided_at  # in the words of the index of what waits: asked once for all clients
    return select(row.client_id).where(row.partner_id == PARTNER, is_ahead, waited_then(row))


def waited_from() -> Any:
    """When what was waiting for the client of a row was to take effect; NULL: nothing was."""
    row = aliased(Subscription)
    of_client = (row.partner_id == PARTNER, row.client_id == Subscription.client_id, waited_then(row))
    return select(func.min(row.valid_from)).where(*of_client).correlate(Subscription).scalar_subquery()


def looked_after_then(member_id: Any) -> ColumnElement[bool]:
    """The condition on a subscription that this member looked after its client at the instant `:now`."""
    return _of_clients(member_id, holds_then(Responsible))


def looked_after_now(member_id: Any) -> ColumnElement[bool]:
    """The same as things are today, whatever the instant: whose clients a member may see at all (rule 52)."""
    return _of_clients(member_id, Responsible.valid_to.is_(None))


def _of_clients(member_id: Any, when: ColumnElement[bool]) -> ColumnElement[bool]:
    r = Responsible
    clients = select(r.client_id).where(r.partner_id == PARTNER, r.member_id == member_id, when)
    return Subscription.client_id.in_(clients)


def responsible_then() -> ColumnElement[bool]:
    """The condition that joins the client of a subscription with who looked after it at the instant `:now`."""
    r = Responsible
    return and_(r.partner_id == PARTNER, r.client_id == Subscription.client_id, holds_then(r))
