"""Partner spaces: making one with its first administrator, and listing them. From a shell; no member does this."""

from dataclasses import dataclass
from zoneinfo import available_timezones

from pydantic import EmailStr, TypeAdapter, ValidationError
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.members.access import is_demo
from core.members.changes import add
from core.members.tables import Member, Partner
from core.storage import take_lock
from core.words import N_, BillingError, Role, can_be_seen, currency_refusal, is_showable, odd_letters, one_line

_LONGEST_NAME = 150
_LOCK = 7_283_116  # any number that no other lock has; two spaces are never made at once


class CannotBeSetUp(BillingError):
    """A partner space cannot be made like this; the sentence says what to change."""

    def __init__(self, sentence: str, **values: object) -> None:
        super().__init__(**values)
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class Space:
    """A partner space: its number, name, currency and time zone, how many active members and clients it has, and the
    e-mails of its active administrators."""

    partner_id: int
    name: str
    currency: str
    time_zone: str
    members: int
    clients: int
    administrators: tuple[str, ...]


def add_partner(session: Session, *, name: str, currency: str, time_zone: str, administrator: str) -> Partner:
    """Make a partner space with an administrator of this e-mail, who is named by it until the first sign-in.

    Raises CannotBeSetUp, saying what to change: a name that is empty, too long or taken, a currency that is unknown or
    has other than two decimals (rule 44), an unknown time zone, an address that is none, a database of the demo.
    """
    take_lock(session, _LOCK)
    name = one_line(name)
    if is_demo(session):
        raise CannotBeSetUp(N_("This database holds the demo. Name another one with BILLING_DATABASE_URL."))
    if not name or len(name) > _LONGEST_NAME or not is_showable(name) or not can_be_seen(name):
        raise CannotBeSetUp(N_("Give the partner space a name of 1 to 150 characters that can be shown."))
    taken = session.scalar(select(Partner.partner_id).where(func.lower(Partner.name) == name.lower()))
    if taken is not None:
        raise CannotBeSetUp(N_("Partner space {number} has this name already. Choose another."), number=str(taken))
    currency = currency.strip().upper()
    if (refusal := currency_refusal(currency)) is not None:
        raise CannotBeSetUp(refusal, currency=currency)
    if time_zone not in available_timezones():
        raise CannotBeSetUp(
            N_("{time_zone} is not a time zone. Use a name such as Europe/Brussels."), time_zone=time_zone
        )
    try:
        email = str(TypeAdapter(EmailStr).validate_python(administrator.strip())).lower()
    except ValidationError:
        raise CannotBeSetUp(
            N_("{email} is not an e-mail address. Type it like name@example.com."), email=administrator
        ) from None
    if (odd := odd_letters(email)) is not None:
        raise CannotBeSetUp(odd[0], **odd[1])
    number = (session.scalar(select(func.max(Partner.partner_id))) or 0) + 1
    partner = Partner(partner_id=number, name=name, currency=currency, time_zone=time_zone)
    session.add(partner)
    session.flush()
    add(session, number, name=email, email=email, role=Role.ADMINISTRATOR, by=None)
    return partner


def spaces(session: Session) -> list[Space]:
    """Every partner space, by number."""
    by_partner = select(Member.partner_id, func.count()).where(Member.is_active).group_by(Member.partner_id)
    counted: dict[int, int] = dict(iter(session.execute(by_partner)))
    administrators: dict[int, list[str]] = {}
    leading = select(Member.partner_id, Member.email).where(Member.is_active, Member.role == Role.ADMINISTRATOR)
    for partner_id, email in session.execute(leading.order_by(Member.partner_id, Member.member_id)):
        administrators.setdefault(partner_id, []).append(email)
    return [
        Space(
            partner.partner_id,
            partner.name,
            partner.currency,
            partner.time_zone,
            counted.get(partner.partner_id, 0),
            partner.last_client_id,
            tuple(administrators.get(partner.partner_id, ())),
        )
        for partner in session.scalars(select(Partner).order_by(Partner.partner_id))
    ]
