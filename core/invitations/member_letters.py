"""The letter that tells a member where the product is; and which letter a message is, to a client or to a member."""

from sqlalchemy.orm import Session

from core.invitations import letters, payer_letters
from core.invitations.letters import Letter
from core.invitations.tables import MemberMessage, Message, OutboxMessage, PayerMessage
from core.members import Member, Partner
from core.storage import action_of
from core.words import one_line, spoken, t


def written(session: Session, message: Message) -> Letter:
    """The letter of a message that waits, in the language of whom it is for. Raises as `letters.to_client`
    and `payer_letters.to_payer`."""
    match message:
        case OutboxMessage():
            return letters.to_client(session, message)
        case PayerMessage():
            return payer_letters.to_payer(session, message)
        case MemberMessage():
            return to_member(session, message)
    raise TypeError(f"no letter is known for {message!r}")


def to_member(session: Session, message: MemberMessage) -> Letter:
    """Who made them a member, in which role, and where they sign in as whom. It brings no token."""
    partner = session.get_one(Partner, message.partner_id)
    by = session.get_one(Member, (message.partner_id, message.queued_by_id))
    member = session.get_one(Member, (message.partner_id, message.member_id))
    address = action_of(session).deployment.public_url.rstrip("/")
    firm, invited_by = one_line(partner.name), one_line(by.name)
    with spoken(member.language or "en", partner.time_zone):
        paragraphs = [
            t("Hello {name},", name=member.name),
            t(
                "{invited_by} made you a member of {partner} in Billing Defaults. Your role: {role}.",
                invited_by=invited_by,
                partner=firm,
                role=member.role,
            ),
            t("To begin, open this address:") + "\n" + address,
            t(
                "Sign in there as {email}, with the account you have at work. No other password is needed.",
                email=member.email,
            ),
            f"{invited_by}\n{firm}",
        ]
        return Letter(
            message_id=message.message_id,
            queued_at=message.queued_at,
            partner=partner.name,
            reply_to=by.email,
            recipient=member.email,
            recipient_name=member.name,
            subject=t("{partner}: you are now a member", partner=firm),
            text="\n\n".join(paragraphs) + "\n",
            link=address,
        )
