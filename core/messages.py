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

from core.catalogue import Catalogue, Price
from core.language import day, spoken, t
from core.links import PAGE, PARAMETER, Links
from core.outbox_tables import OutboxMessage
from core.resolution import BillingSettings
from core.terms import BillingPeriod, Payer
from core.text import one_line

_BLANK_LINES = re.compile(r"\n{2,}")


@dataclass(frozen=True, slots=True)
class Letter:
    """What the messages of many clients have in common: partner, who invites, language, the offer, until when."""

    partner: str
    invited_by: str
    language: str
    offered: str
    holds: str

    def written(self, name: str, contact_name: str, message: str, link: str) -> tuple[str, str]:
        """The subject and the text for one client."""
        with spoken(self.language):
            subject = t("{partner} invites you", partner=self.partner)
            parts = [
                t("Hello {name},", name=contact_name or name),
                t("{partner} invites {client} to its bookkeeping platform.", partner=self.partner, client=name),
                _BLANK_LINES.sub("\n\n", message.replace("\r\n", "\n").strip()),
                self.offered,
                t("To accept, open this link:") + "\n" + link,
                self.holds,
                f"{self.invited_by}\n{self.partner}",
            ]
        return subject, "\n\n".join(part for part in parts if part) + "\n"


def letter(
    partner: str, invited_by: str, language: str, settings: BillingSettings, offer: Catalogue, expires_at: datetime
) -> Letter:
    """The letter that offers these settings. A client whose partner pays sees no price."""
    with spoken(language):
        offered = t("What you get: {offer}", offer=offered_text(settings, offer))
        price = t("{partner} pays for it.", partner=partner)
        if settings.payer is Payer.CLIENT:
            price = t("You pay: {price}.", price=price_text(offer.price(settings)))
        holds = t("The link holds until {day} and can be used once.", day=day(expires_at))
    return Letter(one_line(partner), one_line(invited_by), language, f"{offered}\n{price}", holds)


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
    made["Subject"] = one_line(message.subject)
    made["Auto-Submitted"] = "auto-generated"
    text = message.text or ""
    made.set_content(text, cte="quoted-printable")
    made.add_alternative(html(text, links), subtype="html", cte="quoted-printable")
    return made


def _address(name: str, address: str) -> Address:
    return Address(display_name=one_line(name), addr_spec=address)


def _paragraphs(text: str, links: Links) -> Iterator[str]:
    ours = links.to("")
    assert ours.endswith(f"/{PAGE}?{PARAMETER}=")  # noqa: S101 - what makes a line a link of ours
    for paragraph in text.strip().split("\n\n"):
        lines = [
            f'<a href="{escape(line)}">{escape(line)}</a>' if line.startswith(ours) else escape(line)
            for line in paragraph.split("\n")
        ]
        yield f"<p>{'<br>'.join(lines)}</p>"
