"""The message that brings an invitation: its words in the client's language, as plain text, HTML and an e-mail."""

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

from core.catalogue import Catalogue, Price
from core.language import moment, spoken, t
from core.links import Links
from core.outbox_tables import OutboxMessage
from core.resolution import BillingSettings
from core.terms import BillingPeriod, Payer
from core.text import one_line

_BLANK_LINES = re.compile(r"\n{2,}")
_CONTACT, _CLIENT, _LINK = "\x00", "\x01", "\x02"  # what no name holds (core.text.is_showable)


@dataclass(frozen=True, slots=True)
class Letter:
    """What the messages of many clients have in common, written once; `written` puts in what is each client's own."""

    subject: str
    opening: str
    closing: str

    def written(self, name: str, contact_name: str, message: str, link: str) -> tuple[str, str]:
        """The subject and the text for one client."""
        words = _BLANK_LINES.sub("\n\n", message.replace("\r\n", "\n").strip())
        opening = self.opening.replace(_CONTACT, contact_name or name).replace(_CLIENT, name)
        own = f"{words}\n\n" if words else ""
        return self.subject, f"{opening}\n\n{own}{self.closing.replace(_LINK, link)}\n"


def letter(
    partner: str, invited_by: str, language: str, settings: BillingSettings, offer: Catalogue, expires_at: datetime
) -> Letter:
    """The letter that offers these settings. A client whose partner pays sees no price."""
    partner, invited_by = one_line(partner), one_line(invited_by)
    with spoken(language):
        opening = [
            t("Hello {name},", name=_CONTACT),
            t("{partner} invites {client} to its bookkeeping platform.", partner=partner, client=_CLIENT),
        ]
        price = t("{partner} pays for it.", partner=partner)
        if settings.payer is Payer.CLIENT:
            price = t("You pay: {price}.", price=price_text(offer.price(settings)))
        closing = [
            t("What you get: {offer}", offer=offered_text(settings, offer)) + "\n" + price,
            t("To accept, open this link:") + "\n" + _LINK,
            t("The link holds until {moment} and can be used once.", moment=moment(expires_at)),
            f"{invited_by}\n{partner}",
        ]
        return Letter(t("{partner} invites you", partner=partner), "\n\n".join(opening), "\n\n".join(closing))


def offered_text(settings: BillingSettings, offer: Catalogue) -> str:
    """Standard + Bank feeds, billed monthly."""
    names = " + ".join([str(offer.plan(settings.plan)), *offer.names(settings.add_ons)])
    if settings.billing_period is BillingPeriod.MONTHLY:
        return t("{subscription}, billed monthly", subscription=names)
    return t("{subscription}, billed yearly", subscription=names)


def price_text(price: Price) -> str:
    """What is charged, and how often."""
    if price.billing_period is BillingPeriod.MONTHLY:
        return t("{amount} a month", amount=price.charged)
    return t("{amount} a year", amount=price.charged)


def html(text: str, links: Links) -> str:
    """The text as simple HTML: paragraphs, line breaks, and our own link to click. All else stays text."""
    return "<!DOCTYPE html>\n<html><body>\n" + "\n".join(_paragraphs(text, links)) + "\n</body></html>\n"


def email(message: OutboxMessage, partner: str, sender: str, reply_to: str, links: Links) -> EmailMessage:
    """The e-mail of a message that waits, the same each time it is made: plain text and HTML, in the partner's name."""
    made = EmailMessage(policy=SMTP)
    made["Message-ID"] = message.message_id
    made["Date"] = format_datetime(message.queued_at)
    made["From"] = _address(partner, sender)
    made["To"] = _address(message.recipient_name, message.recipient)
    made["Reply-To"] = reply_to
    made["Subject"] = _letter_for_letter(message.subject)
    made["Auto-Submitted"] = "auto-generated"
    text = message.text or ""
    made.set_content(text, cte="quoted-printable")
    made.add_alternative(html(text, links), subtype="html", cte="quoted-printable")
    return made


def _address(name: str, address: str) -> Address:
    """A domain in other letters is written as every mail server understands it."""
    mailbox, _, domain = address.rpartition("@")
    return Address(_letter_for_letter(name), mailbox, idna.encode(domain).decode())


def _letter_for_letter(text: str) -> str:
    """The text for a header: on one line, and nothing in it is taken for a word that is encoded already."""
    return one_line(text).replace("=?", "= ?")


def _paragraphs(text: str, links: Links) -> Iterator[str]:
    ours = links.to("")
    for paragraph in text.strip().split("\n\n"):
        lines = [
            f'<a href="{escape(line)}">{escape(line)}</a>' if line.startswith(ours) else escape(line)
            for line in paragraph.split("\n")
        ]
        yield f"<p>{'<br>'.join(lines)}</p>"
