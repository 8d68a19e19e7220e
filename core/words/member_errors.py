"""Refusals about members, and about who looks after a client."""

from core.words.errors import BillingError
from core.words.language import N_


class MemberNotFound(BillingError):
    """No such member in the partner space of the one who asks; another partner's member is answered the same."""

    sentence = N_(
        "There is no member with number {member_id} in your partner space. Look them up in the list of members."
    )


class AlreadyMember(BillingError):
    """The e-mail belongs to a member of this partner already; `member_id` is their number."""

    sentence = N_("This e-mail belongs to {name}, who is a member already. Open the member, or use another e-mail.")
    inactive = N_("This e-mail belongs to {name}, who is inactive. Open the member and bring them back instead.")

    def __init__(self, *, member_id: int, name: str, is_active: bool) -> None:
        super().__init__(name=name)
        self.member_id = member_id
        if not is_active:
            self.sentence = self.inactive


class InactiveMember(BillingError):
    """Nothing is sent to an inactive member."""

    sentence = N_("{name} is inactive, so nothing is sent. Bring them back first.")


class OwnAccess(BillingError):
    """Nobody changes their own role or access, or deactivates themselves."""

    sentence = N_("You cannot change your own role or access, or deactivate yourself. Ask another administrator.")


class LastAdministrator(BillingError):
    """There is always an active administrator."""

    sentence = N_("{name} is the only active administrator. Make another member an administrator first.")


class SuccessorMissing(BillingError):
    """A member who leaves, or will have no access, looks after clients, and nobody was chosen who takes them over."""

    sentence = N_("Clients that {name} looks after: {clients}. Choose who takes them over.")


class ResponsibleRefused(BillingError):
    """Who is named cannot look after a client."""


class ResponsibleUnknown(ResponsibleRefused):
    """No member of the partner space goes by `who`; a member of another one is answered the same."""

    sentence = N_("“{who}” is no member of your partner space. Name an account manager by e-mail or by name.")


class ResponsibleAmbiguous(ResponsibleRefused):
    """Several members go by this name."""

    sentence = N_("“{who}” is the name of several members. Name the account manager by e-mail.")


class ResponsibleWithoutAccess(ResponsibleRefused):
    """The member is not active, has no access to clients, or has a role that looks after nobody."""

    sentence = N_(
        "{name} cannot look after clients. "
        "Choose an active administrator, client manager or accountant with access to clients."
    )
