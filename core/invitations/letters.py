"""The letter that brings an invitation, written when it leaves from what is so then: plain text, HTML, an e-mail."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from html import escape

import idna
from sqlalchemy.orm import Session

from core import catalogue, subscriptions
from core.catalogue import Catalogue, Price
from core.invitations.invitation import link
from core.invitations.tables import Invitation, OutboxMessage
from core.members import Member, Partner
from core.storage import action_of
from core.subscriptions import Client
from core.words import BillingPeriod, BillingSettings, Payer, Setting, moment, one_line, spoken, t

IN_SENTENCES = (Setting.PLAN, Setting.ADD_ONS, Setting.BILLING_PERIOD, Setting.PAYER)  # what is got, and who pays
_BLANK_LINES = re.compile(r"\n{2,}")


@dataclass(frozen=True, slots=True)
class Letter:
    """What a message says and to whom; `link` is the address in it, `partner` and `reply_to` say whom it comes from."""

    message_id: str
    queued_at: datetime
    partner: str
    reply_to: str
    recipient: str
    recipient_name: str
    subject: str
    text: str
    link: str


def to_client(session: Session, message: OutboxMessage) -> Letter:
    """The letter of a message that waits, in its client's language. A client whose partner pays sees no price.

    Raises NoPrice, UnknownChoice where what the client would pay for has no price any more.
    """
    partner = session.get_one(Partner, message.partner_id)
    by = session.get_one(Member, (message.partner_id, message.queued_by_id))
    client = session.get_one(Client, (message.partner_id, message.client_id))
    invitation = session.get_one(Invitation, (message.partner_id, message.client_id, message.number))
    settings = subscriptions.history(session, message.partner_id, message.client_id)[0].settings
    offer = catalogue.current(session, partner)
    address = link(action_of(session).deployment.public_url, message.token or "")
    with spoken(client.language, partner.time_zone):
        return Letter(
            message_id=message.message_id,
            queued_at=message.queued_at,
            partner=partner.name,
            reply_to=by.email,
            recipient=client.email,
            recipient_name=client.contact_name or client.name,
            subject=t("{partner} invites you", partner=one_line(partner.name)),
            text=_text(one_line(partner.name), one_line(by.name), client, invitation, settings, offer, address),
            link=address,
        )


def _text(
    partner: str,
    invited_by: str,
    client: Client,
    invitation: Invitation,
    settings: BillingSettings,
    offer: Catalogue,
    address: str,
) -> str:
    price = t("{partner} pays for it.", partner=partner)
    if settings.payer is Payer.CLIENT:
        price = t("You pay: {price}, without VAT.", price=charge_text(offer.price(settings, held=settings)))
    paragraphs = [
        t("Hello {name},", name=client.contact_name or client.name),
        t("{partner} invites {client} to its bookkeeping platform.", partner=partner, client=client.name),
        _BLANK_LINES.sub("\n\n", invitation.message.replace("\r\n", "\n").strip()),
        "\n".join([t("What you get: {offer}", offer=offered_text(settings, offer)), price, *by_name(settings, offer)]),
        t("To accept, open this link:") + "\n" + address,
        t("The link is valid until {moment} and can be used once.", moment=moment(invitation.expires_at)),
        f"{invited_by}\n{partner}",
    ]
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph) + "\n"


def offered_text(settings: BillingSettings, offer: Catalogue) -> str:
    """Standard + Bank feeds, billed monthly."""
    names = " + ".join([str(offer.plan(settings.plan)), *offer.names(settings.add_ons)])
    if settings.billing_period is BillingPeriod.MONTHLY:
        return t("{subscription}, billed monthly", subscription=names)
    return t("{subscription}, billed yearly", subscription=names)


def by_name(settings: BillingSettings, offer: Catalogue) -> list[str]:
    """Each setting that those sentences leave out, by its name and its value."""
    others = (setting for setting in Setting if setting not in IN_SENTENCES)
    return [t("{setting}: {value}", setting=each, value=offer.value_text(each.of(settings))) for each in others]


def charge_text(price: Price) -> str:
    """What is charged, and how often."""
    if price.billing_period is BillingPeriod.MONTHLY:
        return t("{amount} a month", amount=price.charged)
    return t("{amount} a year", amount=price.charged)


def email(letter: Letter, sender: str) -> EmailMessage:
    """The e-mail of a letter, the same each time it is made: plain text and HTML, in the partner's name."""
    made = EmailMessage(policy=SMTP)
    made["Message-ID"] = letter.message_id
    made["Date"] = format_datetime(letter.queued_at)
    made["From"] = _address(letter.partner, sender)
    made["To"] = _address(letter.recipient_name, letter.recipient)
    made["Reply-To"] = letter.reply_to
    made["Subject"] = _letter_for_letter(letter.subject)
    made["Auto-Submitted"] = "auto-generated"
    made.set_content(letter.text, cte="quoted-printable")
    made.add_alternative(html(letter), subtype="html", cte="quoted-printable")
    return made


def html(letter: Letter) -> str:
    """The text as simple HTML: paragraphs, line breaks, and our own link to click. All else stays text."""
    return "<!DOCTYPE html>\n<html><body>\n" + "\n".join(_paragraphs(letter)) + "\n</body></html>\n"


def _paragraphs(letter: Letter) -> Iterator[str]:
    for paragraph in letter.text.strip().split("\n\n"):
        lines = [
            f'<a href="{escape(line)}">{escape(line)}</a>' if line == letter.link else escape(line)
            for line in paragraph.split("\n")
        ]
        yield f"<p>{'<br>'.join(lines)}</p>"


def _address(name: str, address: str) -> Address:
    """A domain in other letters is written as every mail server understands it."""
    mailbox, _, domain = address.rpartition("@")
    return Address(_letter_for_letter(name), mailbox, idna.encode(domain).decode())


def _letter_for_letter(text: str) -> str:
    """The text for a header: on one line, and nothing in it is taken for a word that is encoded already."""
    return one_line(text).replace("=?", "= ?")
