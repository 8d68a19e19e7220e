"""What holds in a partner space now, of all that figures depend on: whoever remembers them looks here first."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from core.catalogue import CatalogueEdition
from core.defaults import DefaultSettings
from core.invitations import Invitation
from core.members import Member, Partner
from core.reports.then import INSTANT, PARTNER
from core.storage import now
from core.subscriptions import Subscription, first_instant, local_date

_STANDARD_VERSION = (
    select(func.max(DefaultSettings.version))
    .join(
        Partner,
        and_(Partner.partner_id == DefaultSettings.partner_id, Partner.standard_set == DefaultSettings.set_number),
    )
    .where(DefaultSettings.partner_id == PARTNER)
)
_TOOK_EFFECT = select(func.max(Subscription.valid_from)).where(
    Subscription.partner_id == PARTNER,
    Subscription.valid_from > Subscription.decided_at,
    Subscription.valid_from <= INSTANT,
)
_IN_FORCE = select(
    select(CatalogueEdition.edition).scalar_subquery(),
    _STANDARD_VERSION.scalar_subquery(),
    _TOOK_EFFECT.scalar_subquery(),
)


class InForce(NamedTuple):
    """What the figures of a partner space depend on beside its changes: the edition of the catalogue (None: none is
    loaded), the version in force of the standard set (0: there is none), when a pending change took effect last (UTC;
    None: never), and the day of its calendar; and the instant of which this is said, as invitations lapse on that day
    (`lapses`)."""

    edition: int | None
    defaults_version: int
    took_effect_at: datetime | None
    day: date
    moment: datetime


def in_force(session: Session, member: Member) -> InForce:
    """What holds in the member's partner space now."""
    moment = now(session)
    asked = {"partner_id": member.partner_id, "now": moment}
    edition, version, took_effect_at = session.connection().execute(_IN_FORCE, asked).one()
    return InForce(edition, version or 0, took_effect_at, local_date(moment, member.partner.time_zone), moment)


def lapses(session: Session, member: Member, day: date) -> Sequence[datetime]:
    """The instants (UTC) of this day of the partner's calendar at which an invitation that nobody answered lapses, in
    their order. Linear in the number of clients."""
    i, zone = Invitation, member.partner.time_zone
    asked = (
        select(i.expires_at)
        .where(i.partner_id == member.partner_id, i.accepted_at.is_(None), i.revoked_at.is_(None))
        .where(i.expires_at >= first_instant(day, zone), i.expires_at < first_instant(day + timedelta(days=1), zone))
    )
    return session.scalars(asked.distinct().order_by(i.expires_at)).all()
