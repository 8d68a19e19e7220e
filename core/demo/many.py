"""What the demo firm did to many clients at once: two bulk changes, one of them of the account manager only."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import exists, select
from sqlalchemy.orm import Session, aliased

from core import bulk, defaults, members
from core.bulk import Act, Adopt, ChangeResponsible, Ticked
from core.members import Member
from core.storage import set_now
from core.subscriptions import Subscription, holds_now
from core.words import ClientStatus

_CLIENTS = 12


def change_many(session: Session, partner_id: int, made_at: datetime) -> None:
    """Three weeks ago clients of the first version moved to today's defaults in one act, and this week another member
    took them over."""
    administrator, manager, second, *_ = members.of_partner(session, partner_id)
    morning = made_at.replace(hour=10, minute=15, second=0, microsecond=0)
    adopted, taken_over = morning - timedelta(days=21), morning - timedelta(days=3)
    chosen = Ticked(tuple(_unchanged(session, manager, adopted)))
    set_now(session, adopted)
    _do(session, administrator, Adopt(), chosen, "agreed at the yearly meeting: Classic is not sold any more")
    set_now(session, taken_over)
    reason = "looks after everybody who left Classic"
    _do(session, administrator, ChangeResponsible(second.member_id), chosen, reason)


def _do(session: Session, member: Member, act: Act, chosen: Ticked, reason: str) -> None:
    seen = bulk.preview(session, member, act, chosen)
    bulk.do(session, member, act, chosen, digest=seen.digest, reason=reason)


def _unchanged(session: Session, manager: Member, moment: datetime) -> Sequence[int]:
    """Active clients of this member that follow the first version then, and of whom nothing was decided since."""
    later = aliased(Subscription)
    decided = exists().where(
        later.partner_id == Subscription.partner_id,
        later.client_id == Subscription.client_id,
        later.decided_at > moment,
    )
    found = (
        select(Subscription.client_id)
        .where(
            ~decided,
            holds_now(),
            Subscription.status == ClientStatus.ACTIVE,
            Subscription.set_number == defaults.FIRST_SET,
            Subscription.defaults_version == 1,
            Subscription.overridden == frozenset(),
            Subscription.responsible_id == manager.member_id,
        )
        .order_by(Subscription.client_id)
        .limit(_CLIENTS)
    )
    return session.scalars(found, {"now": moment}).all()
