"""The day that the demo is shown as: today, or a later one to which somebody moved it.

How far it is ahead of the clock is kept with the demo's data, so that everybody who looks at it sees the same day, on
every server and after a restart. It moves forward only: what was decided on a later day would lie in the future. Making
the demo anew brings today back.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from core import members
from core.members import DemoSpace, Partner
from core.storage import Database, action_of, now
from core.subscriptions import Rhythm, local_date
from core.words import N_, BillingError

_AHEAD = select(DemoSpace.ahead)
_SPACE = select(Partner.partner_id, Partner.time_zone, DemoSpace.ahead).join(DemoSpace)
_MOVE = update(DemoSpace).values(ahead=bindparam("further"))


class NotTheDemo(BillingError):
    """Another day than today was asked of what is no demo."""

    sentence = N_("Only the demo can be shown as another day. Open it without BILLING_DATABASE_URL.")


@dataclass(frozen=True, slots=True)
class ShownDay:
    """The day of the partner's calendar that the demo is shown as, and whether it is today."""

    day: date
    is_today: bool


def keep_time(database: Database) -> None:
    """From now on every action on this database takes place on the day that the demo in it is shown as."""
    database.ahead_of_clock = _ahead


def shown_day(session: Session, partner: Partner) -> ShownDay:
    """The day that the demo is shown as. Raises NotTheDemo outside demo mode."""
    if action_of(session).ahead_of_clock is None:
        raise NotTheDemo
    day = local_date(now(session), partner.time_zone)
    return ShownDay(day, is_today=not action_of(session).ahead)


def move_to(session: Session, day: date) -> None:
    """Afterwards the demo is shown as this day of the partner's calendar, at the time of day that it is now; or as a
    later one, if it was so already. Raises NotTheDemo; nothing is written then."""
    partner_id, *_ = _demo_space(session)
    members.take_turn(session, partner_id)  # and with it whatever was remembered of the day before is out of date
    _, time_zone, ahead = _demo_space(session)  # as whoever had the turn before left it
    moment = now(session)
    if day <= local_date(moment, time_zone):
        return
    time_of_day = moment.astimezone(ZoneInfo(time_zone)).time()
    further = datetime.combine(day, time_of_day, ZoneInfo(time_zone)).astimezone(UTC) - moment
    session.connection().execute(_MOVE, {"further": ahead + round(further.total_seconds())})


def month_after(day: date) -> date:
    """The same day of the next month, or its last one where it is shorter."""
    return Rhythm(day.day).period(day).renewal


def _ahead(session: Session) -> timedelta:
    return timedelta(seconds=session.scalar(_AHEAD) or 0)


def _demo_space(session: Session) -> tuple[int, str, int]:
    """The number of the demo's partner space, its time zone, and the seconds that it is ahead of the clock."""
    found = session.execute(_SPACE).first()
    if found is None or action_of(session).ahead_of_clock is None:
        raise NotTheDemo
    partner_id, time_zone, ahead = found
    return partner_id, time_zone, ahead
