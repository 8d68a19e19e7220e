"""The letter that tells an active client that it pays from a day on, or that the partner pays after all (rule 30); like
the others, written when it leaves."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from core import catalogue, subscriptions
from core.catalogue import Catalogue, Price
from core.invitations import outbox
from core.invitations.letters import Letter, by_name, charge_text, offered_text
from core.invitations.outbox import Delivery
from core.invitations.tables import PayerMessage
from core.members import Member, Partner
from core.storage import now
from core.subscriptions import Client, Responsible, Revision, first_instant, held_at, held_in_the_morning, local_date
from core.words import BillingSettings, ClientStatus, Money, NoPrice, Payer, day, one_line, spoken, t

_LOOKS_AFTER = (
    select(Member)
    .join(Responsible, (Responsible.partner_id == Member.partner_id) & (Responsible.member_id == Member.member_id))
    .where(
        Responsible.partner_id == bindparam("of_partner", type_=Responsible.partner_id.type),
        Responsible.client_id == bindparam("of_client", type_=Responsible.client_id.type),
        Responsible.valid_to.is_(None),
    )
)


@dataclass(frozen=True, slots=True)
class _Takeover:
    """What a client takes over, and from which day: what it gets and pays by then; `paid_until` is the last day that
    was charged to the partner, `first` the first one of the next period (None: none), `charge` what is to be paid for
    the rest of the period that runs. `ends`: nothing comes after it."""

    day: date
    waits: bool
    settings: BillingSettings
    price: Price
    paid_until: date | None
    first: date | None
    charge: Money | None
    ends: bool


def to_payer(session: Session, message: PayerMessage) -> Letter:
    """The letter of a message that waits, in its client's language. Whoever answers it writes to the member who looks
    after the client.

    Raises NoPrice, UnknownChoice where what the client is to pay for has no price any more.
    """
    partner = session.get_one(Partner, message.partner_id)
    by = session.get_one(Member, (message.partner_id, message.queued_by_id))
    client = session.get_one(Client, (message.partner_id, message.client_id))
    ask = session.execute(_LOOKS_AFTER, {"of_partner": client.partner_id, "of_client": client.client_id}).scalar_one()
    firm = one_line(partner.name)
    told = _told_before(session, message)
    with spoken(client.language, partner.time_zone):
        if message.payer is Payer.PARTNER:
            subject = t("{partner} pays for your subscription", partner=firm)
            said = _after_all(firm, client, told)
        else:
            taken_over = _taken_over(session, partner, message)
            subject = t("{partner}: you pay for your subscription from {day} on", partner=firm, day=day(taken_over.day))
            said = _paragraphs(firm, client, taken_over, catalogue.current(session, partner))
            if told is not None and told.paid_from is not None and told.paid_from > message.queued_at:
                said.insert(1, t("This replaces our message of {day}.", day=day(told.queued_at)))
        paragraphs = [
            t("Hello {name},", name=client.contact_name or client.name),
            *said,
            t(
                "If you have a question, answer this message or write to {name}, {email}.",
                name=one_line(ask.name),
                email=ask.email,
            ),
            f"{one_line(by.name)}\n{firm}",
        ]
        return Letter(
            message_id=message.message_id,
            queued_at=message.queued_at,
            partner=partner.name,
            reply_to=ask.email,
            recipient=client.email,
            recipient_name=client.contact_name or client.name,
            subject=subject,
            text="\n\n".join(paragraphs) + "\n",
            link="",
        )


def _told_before(session: Session, message: PayerMessage) -> Delivery | None:
    """The message about who pays that the client had before this one."""
    every = outbox.deliveries(session, message.partner_id, message.client_id, PayerMessage)
    return next((each for each in every if each.sending < message.sending and each.may_have_left), None)


def _after_all(partner: str, client: Client, told: Delivery | None) -> list[str]:
    return [
        t("{partner} pays for the subscription of {client}, as before.", partner=partner, client=client.name),
        *([] if told is None else [t("This replaces our message of {day}.", day=day(told.queued_at))]),
        t("Nothing changes for you, and you need do nothing."),
    ]


def _paragraphs(partner: str, client: Client, taken_over: _Takeover, offer: Catalogue) -> list[str]:
    settings, name, since = taken_over.settings, client.name, day(taken_over.day)
    if taken_over.waits:
        begins = t(
            "From the renewal of {day} on, you pay for the subscription of {client}. {partner} pays for it until then.",
            day=since,
            client=name,
            partner=partner,
        )
    else:
        begins = t(
            "From {day} on, you pay for the subscription of {client}. {partner} paid for it before.",
            day=since,
            client=name,
            partner=partner,
        )
    what = [
        t("What you get: {offer}", offer=offered_text(settings, offer)),
        t("You pay: {price}, without VAT.", price=charge_text(taken_over.price)),
        *by_name(settings, offer),
    ]
    return [begins, "\n".join(what), " ".join(_charged(taken_over))]


def _charged(taken_over: _Takeover) -> list[str]:
    """What was charged stays with who was charged; what comes is the client's."""
    said = []
    if taken_over.paid_until is not None:
        said.append(
            t(
                "What has been charged until then stays as it was: the running period is paid until {day}.",
                day=day(taken_over.paid_until),
            )
        )
    if taken_over.charge is not None:
        said.append(
            t(
                "For what is added, you pay {amount} once, without VAT, for the rest of that period.",
                amount=taken_over.charge,
            )
        )
    if taken_over.first is not None:
        said.append(t("The first period that you pay for begins on {day}.", day=day(taken_over.first)))
    if taken_over.ends:
        said.append(t("The subscription ends after that day."))
    return said


def _taken_over(session: Session, partner: Partner, message: PayerMessage) -> _Takeover:
    history, zone = subscriptions.history(session, message.partner_id, message.client_id), partner.time_zone
    offer, moment = catalogue.current(session, partner), max(now(session), message.paid_from)
    begins = local_date(message.paid_from, zone)
    waits = message.paid_from > message.queued_at
    held = _held(history, message)
    morning = held_in_the_morning(history, zone, message.paid_from)
    begun_that_day = morning is None or morning.status is not ClientStatus.ACTIVE
    first, charge = begins, None
    if not waits and not begun_that_day:
        assert held.rhythm is not None  # noqa: S101 - a CHECK of its table: it is active
        first = held.rhythm.period(begins).renewal
        evening = first_instant(begins + timedelta(days=1), zone) - timedelta(microseconds=1)
        charge = subscriptions.charge_of_day(offer, zone, min(moment, evening), history)
    next_at = max(moment, first_instant(first, zone))
    paid = held_at(history, next_at)
    assert paid is not None  # noqa: S101 - something holds at every instant from the first revision on
    ends = paid.status is ClientStatus.ARCHIVED
    pays_next = not ends and paid.settings.payer is Payer.CLIENT
    if not pays_next:
        paid, next_at = held_at(history, moment) or held, moment
    price = subscriptions.price_on(offer, paid, local_date(next_at, zone))
    if price is None:
        raise NoPrice(item=offer.plan(paid.settings.plan), billing_period=paid.settings.billing_period)
    return _Takeover(
        day=begins,
        waits=waits,
        settings=paid.settings,
        price=price,
        paid_until=None if first == begins and not waits else first - timedelta(days=1),
        first=first if pays_next else None,
        charge=charge,
        ends=ends,
    )


def _held(history: Sequence[Revision], message: PayerMessage) -> Revision:
    """The revision with which the client begins to pay."""
    held = held_at(history, message.paid_from)
    assert held is not None  # noqa: S101 - it begins then, and a message that is not so any more is given up
    return held
