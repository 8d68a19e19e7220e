"""How clients are brought in: who is invited (and edited later), what the invitation binds them to, its link and its
answer; the letter that carries the link, the outbox in which it waits, and its delivery, also of letters to members and
to clients who become the payer."""

from core.invitations.accepting import Offered, Shown, accept, offered
from core.invitations.check import differences
from core.invitations.client_details import edit_client
from core.invitations.delivery import Delivered, deliver
from core.invitations.invitation import LINK_PAGE, LINK_PARAMETER, standing_of
from core.invitations.inviting import bindable, invite, invite_all, preview
from core.invitations.letters import Letter, by_name, charge_text, email, offered_text
from core.invitations.mail_server import SmtpServer, why_unreachable
from core.invitations.managing import (
    InvitationDetail,
    PastInvitation,
    WaitingMessage,
    invite_again,
    of_client,
    revoke,
    send_again,
    waiting_message,
)
from core.invitations.new_client import ClientDetails, Email, Name, NewClient, Typed, countries
from core.invitations.outbox import Delivery, waiting
from core.invitations.payer_messages import tell_again
from core.invitations.personal_data import forget, held_on
from core.invitations.tables import Invitation, MemberMessage, Message, OutboxMessage, PayerMessage
from core.invitations.to_members import (
    message_member,
    messages_to,
    newest_messages,
    waiting_for_member,
    withdraw_message,
)
from core.invitations.wrong_links import WrongLinks, offered_to
