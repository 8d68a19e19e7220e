"""The words of the trade as enums, stored by value, each with its label in the reader's language."""

from enum import StrEnum
from typing import Self

from core.words.language import N_, t


class Term(StrEnum):
    """A word with a label. Its value is what is stored; `str()` gives the value."""

    _label: str

    def __new__(cls, value: str, label: str = "") -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member._label = label
        return member

    __hash__ = str.__hash__  # as equal texts have; Enum's own is a slower one, by the name

    @property
    def label(self) -> str:
        """The word in the reader's language."""
        return t(self._label)


class ActivityKind(Term):
    """What is kept of what people did that leaves no trace in the data: who took data away, and what a shell did."""

    CLIENTS_FILE = "clients_file", N_("List of clients downloaded")
    CORRECTIONS_FILE = "corrections_file", N_("Rows of an import downloaded")
    SENT_AGAIN = "sent_again", N_("Invitation sent again")
    PAYER_TOLD_AGAIN = "payer_told_again", N_("Message about who pays sent again")
    CATALOGUE_LOADED = "catalogue_loaded", N_("Catalogue changed")
    BACKED_UP = "backed_up", N_("Backup made")
    RESTORED = "restored", N_("Backup put back")
    CLIENT_EXPORTED = "client_exported", N_("Data of a client exported")
    CLIENT_FORGOTTEN = "client_forgotten", N_("Client forgotten")


class BatchKind(Term):
    """What was done to many clients in one act."""

    IMPORT = "import", N_("Import")
    ADOPT = "adopt", N_("Default settings adopted")
    OVERRIDE = "override", N_("Overrides set or cleared")
    RESPONSIBLE = "responsible", N_("Account manager changed")
    CANCEL = "cancel", N_("Pending changes cancelled")
    ARCHIVE = "archive", N_("Archived")
    UNDO = "undo", N_("Bulk change undone")


class ClientStatus(Term):
    """Where a client stands with the partner."""

    INVITED = "invited", N_("Invited")
    ACTIVE = "active", N_("Active")
    ARCHIVED = "archived", N_("Archived")


class InvitationStatus(Term):
    """Where an invitation stands."""

    PENDING = "pending", N_("Pending")
    ACCEPTED = "accepted", N_("Accepted")
    EXPIRED = "expired", N_("Expired")
    REVOKED = "revoked", N_("Revoked")


class ListedStatus(Term):
    """Where a client stands as lists show it: an invited client whose invitation lapsed or was revoked is told
    apart."""

    INVITED = "invited", N_("Invited")
    ACTIVE = "active", N_("Active")
    EXPIRED = "expired", N_("Expired")
    REVOKED = "revoked", N_("Revoked")
    ARCHIVED = "archived", N_("Archived")

    @classmethod
    def of(cls, status: ClientStatus, invitation: InvitationStatus) -> "ListedStatus":
        """That of a client with this status whose newest invitation stands there."""
        has_ended = invitation in (InvitationStatus.EXPIRED, InvitationStatus.REVOKED)
        return cls(invitation if status is ClientStatus.INVITED and has_ended else status)


class DeliveryStatus(Term):
    """How far a message came."""

    WAITING = "waiting", N_("Waiting to be sent")
    SENT = "sent", N_("Sent")
    GIVEN_UP = "given_up", N_("Given up")
    WITHDRAWN = "withdrawn", N_("Withdrawn")


class MemberFact(Term):
    """What is known of a member and can change."""

    INVITED = "invited", N_("Invited")
    NAME = "name", N_("Name")
    ROLE = "role", N_("Role")
    CLIENT_ACCESS = "client_access", N_("Access to clients")
    IS_ACTIVE = "is_active", N_("Active")
    SIGN_IN = "sign_in", N_("Sign-in")


class SetChange(Term):
    """What was done with a default set, beside the versions saved in it."""

    NAMED = "named", N_("Named")
    STANDARD = "standard", N_("Made the standard set")
    RETIRED = "retired", N_("Retired")
    BROUGHT_BACK = "brought_back", N_("Brought back")


class Origin(Term):
    """The door through which a change came."""

    PAGE = "page", N_("page")
    IMPORT = "import", N_("import")
    BULK = "bulk", N_("bulk change")
    SYSTEM = "system", N_("system")


class Role(Term):
    """What a member is at the partner."""

    ADMINISTRATOR = "administrator", N_("Administrator")
    CLIENT_MANAGER = "client_manager", N_("Client manager")
    ACCOUNTANT = "accountant", N_("Accountant")
    FINANCE = "finance", N_("Finance")


class SignInKind(Term):
    """What happened at a sign-in."""

    SIGNED_IN = "signed_in", N_("Signed in")
    BOUND = "bound", N_("Signed in for the first time")
    SIGNED_OUT = "signed_out", N_("Signed out")
    REFUSED = "refused", N_("Refused")
