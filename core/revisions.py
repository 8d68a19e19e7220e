"""How a subscription moves on: the current revision is closed and the next one begins, in one place only."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import CursorResult, insert, select, update
from sqlalchemy.orm import Session

from core.database import now
from core.errors import ClientNotFound, StaleSubscription
from core.language import t
from core.models import Client, Member, Subscription
from core.resolution import BillingSettings, Change, EffectiveSettings, changes
from core.terms import ClientStatus, Origin, Setting

_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Revision:
    """What held for a client from `valid_from` (UTC) until `valid_to` (None: holds now), who made it so, and why.

    `changes`, `newly_chosen`, `cleared` and the two `before`s tell it from the revision before; for the first one they
    are empty and None.
    """

    revision: int
    valid_from: datetime
    valid_to: datetime | None
    status: ClientStatus
    settings: BillingSettings
    overridden: frozenset[Setting]
    defaults_version: int | None
    changed_by: str | None  # None: not a member, but the client or the product itself
    changed_by_id: int | None
    origin: Origin
    reason: str
    changes: tuple[Change, ...] = ()
    newly_chosen: frozenset[Setting] = frozenset()
    cleared: frozenset[Setting] = frozenset()
    status_before: ClientStatus | None = None
    defaults_version_before: int | None = None


def current(session: Session, partner_id: int, client_id: int) -> Subscription:
    """What holds for the client now. Raises ClientNotFound."""
    found = session.scalar(
        select(Subscription).where(
            Subscription.partner_id == partner_id, Subscription.client_id == client_id, Subscription.valid_to.is_(None)
        )
    )
    if found is None:
        raise ClientNotFound(client_id=str(client_id))
    return found


def begin(
    session: Session, client: Client, effective: EffectiveSettings, *, by: int, origin: Origin, reason: str
) -> None:
    """The first revision of a client just invited."""
    _add(
        session,
        effective,
        partner_id=client.partner_id,
        client_id=client.client_id,
        revision=1,
        valid_from=now(session),
        status=ClientStatus.INVITED,
        sort_name=client.sort_name,
        changed_by_id=by,
        origin=origin,
        reason=reason,
    )


def revise(
    session: Session,
    held: Subscription,
    effective: EffectiveSettings,
    *,
    by: int | None,
    origin: Origin,
    reason: str = "",
    status: ClientStatus | None = None,
) -> None:
    """Close the revision `held` and begin the next: these settings, and this status (None: as it was).

    `by` is the member who did it; None for the client or the product. Raises StaleSubscription if `held` is closed.
    """
    moment = max(now(session), held.valid_from + _MICROSECOND)  # clocks step back
    closed = session.execute(
        update(Subscription)
        .where(
            Subscription.partner_id == held.partner_id,
            Subscription.client_id == held.client_id,
            Subscription.revision == held.revision,
            Subscription.valid_to.is_(None),
        )
        .values(valid_to=moment)
        .execution_options(synchronize_session=False)
    )
    if not isinstance(closed, CursorResult) or closed.rowcount != 1:
        raise stale(session, held.partner_id, held.client_id)
    _add(
        session,
        effective,
        partner_id=held.partner_id,
        client_id=held.client_id,
        revision=held.revision + 1,
        valid_from=moment,
        status=held.status if status is None else status,
        sort_name=held.sort_name,
        changed_by_id=by,
        origin=origin,
        reason=reason,
    )


def stale(session: Session, partner_id: int, client_id: int) -> StaleSubscription:
    """The refusal that says who changed the client last, and when."""
    last = history(session, partner_id, client_id)[0]
    name = session.scalar(select(Client.name).where(Client.partner_id == partner_id, Client.client_id == client_id))
    return StaleSubscription(
        client=name or "", changed_by=last.changed_by or t("The client"), changed_at=last.valid_from
    )


def history(session: Session, partner_id: int, client_id: int) -> tuple[Revision, ...]:
    """Every revision of a client, newest first, each with what it changed."""
    rows = session.execute(
        select(
            Subscription.revision, Subscription.valid_from, Subscription.valid_to, Subscription.status,
            Subscription.payer, Subscription.billing_period, Subscription.plan, Subscription.add_ons,
            Subscription.overridden, Subscription.defaults_version, Member.name, Subscription.changed_by_id,
            Subscription.origin, Subscription.reason,
        )
        .outerjoin(
            Member, (Member.partner_id == Subscription.partner_id) & (Member.member_id == Subscription.changed_by_id)
        )
        .where(Subscription.partner_id == partner_id, Subscription.client_id == client_id)
        .order_by(Subscription.revision)
    )  # fmt: skip
    told: list[Revision] = []
    for number, start, end, status, payer, period, plan, add_ons, *rest in rows:
        revision = Revision(number, start, end, status, BillingSettings(payer, period, plan, add_ons), *rest)
        told.append(_compared(told[-1], revision) if told else revision)
    return tuple(reversed(told))


def _compared(before: Revision, revision: Revision) -> Revision:
    return replace(
        revision,
        changes=changes(before.settings, revision.settings),
        newly_chosen=revision.overridden - before.overridden,
        cleared=before.overridden - revision.overridden,
        status_before=before.status,
        defaults_version_before=before.defaults_version,
    )


def _add(session: Session, effective: EffectiveSettings, **who_and_when: object) -> None:
    settings = effective.settings
    session.execute(
        insert(Subscription).values(
            payer=settings.payer,
            billing_period=settings.billing_period,
            plan=settings.plan,
            add_ons=settings.add_ons,
            overridden=effective.overridden,
            defaults_version=effective.defaults_version,
            **who_and_when,
        )
    )
