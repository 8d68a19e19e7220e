"""Refusals about one client, its invitation and its link."""

from datetime import date, datetime

from core.words.errors import BillingError
from core.words.language import N_


class ClientNotFound(BillingError):
    """No such client in the member's partner space; another partner's client is answered the same."""

    sentence = N_(
        "There is no client with number {client_id} in your partner space. Look it up in the list of clients."
    )


class AlreadyClient(BillingError):
    """The e-mail belongs to a client of this partner already; `client_id` is its number."""

    sentence = N_("This e-mail belongs to {name}, invited on {invited_on}. Open the client, or use another e-mail.")

    def __init__(self, *, client_id: int, name: str, invited_on: datetime) -> None:
        super().__init__(name=name, invited_on=invited_on)
        self.client_id = client_id


class ArchivedClient(BillingError):
    """An archived client's settings stay as they were."""

    sentence = N_("{name} is archived. Its settings are kept as they were and cannot be changed.")


class NotArchived(BillingError):
    """Only who an archived client was can be forgotten."""

    sentence = N_("{name} is not archived. Only an archived client can be forgotten.")


class ForgottenClient(BillingError):
    """Nothing is known any more of who this client was, so that it is neither edited nor invited."""

    sentence = N_("{name} was forgotten: nothing is known of who it was. Invite it as a new client.")


class InvitationNotPending(BillingError):
    """The client's newest invitation is not pending: there is nothing to send again or to revoke."""

    sentence = N_("The invitation of {name} is not pending any more. Look at the client again.")


class NothingToTellAgain(BillingError):
    """No message about who pays was given up last, or what it says is not so any more."""

    sentence = N_("There is no undelivered message about who pays for {name}. Look at the client again.")


class StillInvited(BillingError):
    """The client's newest invitation is pending, or it was accepted and the client is active."""

    sentence = N_("{name} does not need another invitation: look at the client again.")


class LinkRefused(BillingError):
    """The link of an invitation opens nothing; it says why, and nothing else."""


class OfferChanged(LinkRefused):
    """What is offered was changed since it was shown."""

    sentence = N_("What is offered changed in the meantime. Look at it again, then accept it.")


class LinkUnknown(LinkRefused):
    """No invitation goes by this link, or a newer one was sent."""

    sentence = N_("This link is not valid. Use the link of the newest message you received, or ask for another one.")


class TooManyWrongLinks(LinkRefused):
    """This link is not valid either, and many others were opened from the same network before."""

    sentence = N_(
        "Too many links that are not valid were opened from your network. "
        "Wait an hour, then use the link of the newest message you received."
    )


class LinkUsed(LinkRefused):
    """The invitation was accepted with it already."""

    sentence = N_("This invitation was accepted already. There is nothing more to do.")


class LinkRevoked(LinkRefused):
    """The partner took the invitation back."""

    sentence = N_("This invitation was withdrawn. If you did not expect that, ask whoever invited you.")


class LinkExpired(LinkRefused):
    """The invitation lapsed."""

    sentence = N_("This invitation has expired. Ask whoever invited you to send a new one.")


class EndPending(BillingError):
    """The client's subscription is to end on `day`; nothing else about it changes meanwhile (rule 35)."""

    sentence = N_("The subscription of {name} ends on {day}, so nothing else can be changed. Cancel the end first.")

    def __init__(self, *, name: str, day: date) -> None:
        super().__init__(name=name, day=day)


class NothingPending(BillingError):
    """Nothing waits for this client."""

    sentence = N_("Nothing is pending for {name}, so there is nothing to cancel. Look at the client again.")
