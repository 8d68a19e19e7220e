"""Where clients stand as lists show it, and which of them need attention: conditions on the subscription that holds, by
the newest invitation and the newest message of its client, as things were at the instant `:now`."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, case, exists, func, literal_column, not_, or_, select, tuple_
from sqlalchemy.orm import aliased

from core.invitations import Invitation, OutboxMessage, PayerMessage
from core.reports.then import INSTANT, PARTNER
from core.subscriptions import Subscription
from core.words import ClientStatus, ListedStatus

_OF_INVITED = frozenset({ListedStatus.INVITED, ListedStatus.EXPIRED, ListedStatus.REVOKED})


def one_of(statuses: Sequence[ListedStatus]) -> list[ColumnElement[bool]]:
    """The conditions that a client stands as one of the statuses; none for none. Which invitation is the newest, and
    where it stands, is looked up of invited clients alone."""
    if not statuses:
        return []
    of_invited = _OF_INVITED.intersection(statuses)
    plain = [ClientStatus(status) for status in statuses if status not in _OF_INVITED]
    if of_invited == _OF_INVITED:
        plain.append(ClientStatus.INVITED)
        of_invited = frozenset()
    if not of_invited:
        return [Subscription.status == plain[0] if len(plain) == 1 else Subscription.status.in_(plain)]
    is_over, is_revoked = Invitation.expires_at <= INSTANT, _is_past(Invitation.revoked_at)
    stands = {
        ListedStatus.INVITED: and_(not_(is_revoked), not_(is_over)),
        ListedStatus.EXPIRED: and_(not_(is_revoked), is_over),
        ListedStatus.REVOKED: is_revoked,
    }
    invited = and_(
        Subscription.status == ClientStatus.INVITED,
        _newest_invitation(or_(*(stands[status] for status in sorted(of_invited)))),
    )
    if not plain:
        return [invited]
    may_be = Subscription.status.in_([*plain, ClientStatus.INVITED])
    return [may_be, or_(Subscription.status.in_(plain), invited)]


def _newest_invitation(stands: ColumnElement[bool]) -> ColumnElement[bool]:
    """The condition on a subscription that its client's newest invitation stands so. Looked up row by row, which no
    planner turns into a reading of all invitations: the walk of the list finds a page of such clients soon."""
    i = Invitation
    return (
        select(stands)
        .where(i.partner_id == PARTNER, i.client_id == Subscription.client_id, i.invited_at <= INSTANT)
        .order_by(i.number.desc())
        .limit(literal_column("1"))
        .correlate(Subscription)
        .scalar_subquery()
    )


def has_ended() -> ColumnElement[bool]:
    """The condition on a subscription that its client is invited no more: the invitation lapsed or was revoked."""
    ended = or_(_is_past(Invitation.revoked_at), Invitation.expires_at <= INSTANT)
    return and_(Subscription.status == ClientStatus.INVITED, _newest_invitation(ended))


def given_up() -> ColumnElement[bool]:
    """The condition on a subscription that the newest message to its client was given up: with the link of the
    invitation, or about who pays."""
    to_invited = and_(Subscription.status == ClientStatus.INVITED, _newest_given_up(OutboxMessage))
    return or_(to_invited, and_(Subscription.status == ClientStatus.ACTIVE, _newest_given_up(PayerMessage)))


def _newest_given_up(table: Any) -> ColumnElement[bool]:
    newer = aliased(table)
    order = [column.key for column in table.__table__.primary_key][2:]
    since = tuple_(*(getattr(newer, key) for key in order)) > tuple_(*(getattr(table, key) for key in order))
    same_client = (newer.partner_id == PARTNER, newer.client_id == table.client_id)
    later = exists(literal_column("1")).where(*same_client, since, newer.queued_at <= INSTANT)
    given_up = select(table.client_id).where(table.partner_id == PARTNER, _is_past(table.given_up_at), ~later)
    return Subscription.client_id.in_(given_up)


def _is_past(instant: Any) -> ColumnElement[bool]:
    """The condition that this instant (NULL: never) had come. It says both: partial indexes have those that are set."""
    return and_(instant.is_not(None), instant <= INSTANT)


def ended_then(columns: Sequence[Any], holds: ColumnElement[bool]) -> Any:
    """The partner's clients who are invited in the rows that `holds` at the instant `:now`, past or to come, and whose
    newest invitation of then had lapsed or was revoked: counted by these columns and by `standing`."""
    newest, i = aliased(Invitation), Invitation
    number = (
        select(func.max(newest.number))
        .where(newest.partner_id == PARTNER, newest.client_id == Subscription.client_id, newest.invited_at <= INSTANT)
        .correlate(Subscription)
        .scalar_subquery()
    )
    stood = case((i.revoked_at <= INSTANT, ListedStatus.REVOKED.value), else_=ListedStatus.EXPIRED.value).label(
        "standing"
    )
    of_client = and_(i.partner_id == PARTNER, i.client_id == Subscription.client_id, i.number == number)
    return (
        select(*columns, stood, func.count().label("clients"))
        .join_from(Subscription, i, of_client)
        .where(Subscription.partner_id == PARTNER, Subscription.status == ClientStatus.INVITED, holds)
        .where(or_(i.revoked_at <= INSTANT, i.expires_at <= INSTANT))
        .group_by(*columns, stood)
    )
