"""Every refusal, as a sentence for the person at the screen.

BillingError
├── NotAllowed             this role may not do this
├── ClientNotFound         no such client in this partner space
├── StaleError             somebody else changed it meanwhile (rule 12)
│   ├── StaleDefaults
│   ├── StaleSubscription
│   ├── StaleDetails
│   ├── StaleMember
│   ├── StaleResponsible
│   └── StalePreview       what an import was checked against (core.imports)
├── ChoiceRefused          the settings cannot be chosen so (rules 8 and 9)
│   ├── AddOnsNotOffered
│   ├── NoPrice
│   ├── RetiredChosen
│   ├── RetiredDefaults
│   └── UnknownChoice
├── NoCatalogue            nothing is sold yet: no catalogue in this currency is loaded
├── CatalogueRefused       a catalogue that cannot be loaded over what clients hold (core.subscriptions)
├── DemoKeepsSample        a catalogue for the demo, which keeps its own (core.subscriptions)
├── ResponsibleRefused     who is named cannot look after a client (rules 52 and 53)
│   ├── ResponsibleUnknown
│   ├── ResponsibleAmbiguous
│   └── ResponsibleWithoutAccess
├── MissingSetting         nothing decides a setting (rule 7)
├── NothingToAdopt         there are no current defaults to adopt
├── AlreadyClient          this e-mail belongs to a client
├── InvitationNotPending   only a pending invitation can be sent again or revoked
├── StillInvited           a client whose invitation is pending or accepted is not invited again
├── LinkRefused            an invitation's link does not open anything
│   ├── LinkUnknown
│   ├── LinkUsed
│   ├── LinkRevoked
│   ├── LinkExpired
│   └── OfferChanged
├── MemberNotFound         no such member in this partner space
├── AlreadyMember          this e-mail belongs to a member
├── InactiveMember         nothing is sent to a member who is inactive
├── OwnAccess              nobody changes their own role or access, or deactivates themselves
├── LastAdministrator      there is always an active administrator
├── SuccessorMissing       the clients of a member who leaves need somebody
├── ArchivedClient         an archived client's settings are kept as they were
├── UnreadableFile         a spreadsheet that cannot be read, and what to do (core.spreadsheets)
├── NoFile                 a file named in the shell that cannot be opened (core.commands)
├── ColumnsNotFound, SameColumnTwice, NotInTheList   what an import cannot understand (core.imports)
├── SignInEnded            the sign-in was ended, or is too old
├── CannotBeSetUp          a partner space that cannot be made as asked (core.members)
├── BadInput               what was typed needs a correction, field by field
│   └── CatalogueFileRefused   a catalogue file, place by place (core.catalogue)
└── DemoRefused            demo mode on a database it did not make

A sentence is put together when it is read, in the reader's language; its values are in `values`.
"""

from collections.abc import Mapping
from datetime import datetime

from core.words.details import DetailChange
from core.words.language import N_, t
from core.words.settings import Setting
from core.words.terms import Role


class BillingError(Exception):
    """A refusal. `str()` is a sentence in the reader's language that says what is so and what to do."""

    sentence = N_("This cannot be done.")

    def __init__(self, **values: object) -> None:
        super().__init__(values)
        self.values: Mapping[str, object] = values

    def __str__(self) -> str:
        return t(self.sentence, **self.values)


class NotAllowed(BillingError):
    """The member's role, or a member without access, may not do this."""

    sentence = N_(
        "You may not do this with the access you have. An administrator of your partner space can change that."
    )


class SignInEnded(BillingError):
    """Whoever this is signed out, in another window perhaps, or signed in too long ago."""

    sentence = N_("Your sign-in has ended. Sign in again; nothing was changed.")


class ClientNotFound(BillingError):
    """No such client in the member's partner space; another partner's client is answered the same."""

    sentence = N_(
        "There is no client with number {client_id} in your partner space. Look it up in the list of clients."
    )


class StaleError(BillingError):
    """Somebody saved the same thing in between; nothing was written."""

    by_no_member = N_("The product")  # who it was where `changed_by` is None

    def __str__(self) -> str:
        if self.values.get("changed_by", "") is not None:
            return super().__str__()
        return t(self.sentence, **{**self.values, "changed_by": t(self.by_no_member)})


class StaleDefaults(StaleError):
    """`version` was saved by `saved_by` at `saved_at` since the form was opened."""

    sentence = N_("{saved_by} saved version {version} on {saved_at}. Your entries are kept; compare and save again.")

    def __init__(self, *, version: int, saved_by: str, saved_at: datetime) -> None:
        super().__init__(version=str(version), saved_by=saved_by, saved_at=saved_at)


class StaleSubscription(StaleError):
    """The client's settings were changed by `changed_by` at `changed_at` since they were shown."""

    sentence = N_("{changed_by} changed {client} on {changed_at}. Your entries are kept; compare and save again.")
    by_no_member = N_("The client")

    def __init__(self, *, client: str, changed_by: str | None, changed_at: datetime) -> None:
        super().__init__(client=client, changed_by=changed_by, changed_at=changed_at)


class StaleDetails(StaleError):
    """The client's details were edited since they were shown, the last time at `changed_at`."""

    sentence = N_(
        "{changed_by} changed {client} on {changed_at}: {changes}. Your entries are kept; compare and save again."
    )

    def __init__(
        self, *, client: str, changed_by: tuple[str, ...], changed_at: datetime, changes: tuple[DetailChange, ...]
    ) -> None:
        super().__init__(client=client, changed_by=changed_by, changed_at=changed_at, changes=changes)


class StaleMember(StaleError):
    """The member was changed by `changed_by` (None: from a shell) at `changed_at` since they were shown."""

    sentence = N_("{changed_by} changed {name} on {changed_at}. Your entries are kept; compare and save again.")
    by_no_member = N_("Whoever runs this server")

    def __init__(self, *, name: str, changed_by: str | None, changed_at: datetime) -> None:
        super().__init__(name=name, changed_by=changed_by, changed_at=changed_at)


class StaleResponsible(StaleError):
    """`changed_by` gave the client another account manager, `responsible`, at `changed_at` since it was shown; None:
    the product itself."""

    sentence = N_(
        "{changed_by} made {responsible} the account manager of {client} on {changed_at}. "
        "Your choice is kept; compare and save again."
    )

    def __init__(self, *, client: str, responsible: str, changed_by: str | None, changed_at: datetime) -> None:
        super().__init__(client=client, responsible=responsible, changed_by=changed_by, changed_at=changed_at)


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


class ChoiceRefused(BillingError):
    """The settings do not go together, or one cannot be chosen now."""


class AddOnsNotOffered(ChoiceRefused):
    """The plan does not offer these add-ons."""

    sentence = N_("{add_ons}: not offered with {plan}. Choose another subscription or remove these add-ons.")

    def __init__(self, *, plan: object, add_ons: tuple[object, ...]) -> None:
        super().__init__(plan=plan, add_ons=add_ons)


class NoPrice(ChoiceRefused):
    """`item` has no price for this billing period."""

    sentence = N_(
        "{item} has no price for this billing period: {billing_period}. "
        "Choose another billing period, or something else."
    )


class RetiredChosen(ChoiceRefused):
    """A retired plan or add-on stays with those who have it and cannot be newly chosen."""

    sentence = N_("{item} is retired: clients who have it keep it, but it cannot be newly chosen. Choose another one.")


class RetiredDefaults(ChoiceRefused):
    """The default settings hold something retired."""

    sentence = N_(
        "Default settings v{version} include {item}, which is retired. Choose something else here, "
        "or save new default settings without it."
    )


class UnknownChoice(ChoiceRefused):
    """The catalogue does not know this code."""

    sentence = N_("The catalogue has no “{code}”. Choose from the list.")


class NoCatalogue(BillingError):
    """No catalogue is loaded, or none with prices in the partner's currency. `str()` says whom to ask; `said_to` says
    it to somebody of this role, and to an administrator which command comes next."""

    sentence = N_(
        "There are no subscriptions and prices in {currency} yet, so nothing can be decided. "
        "Ask your administrator to have a catalogue loaded."
    )
    next_command = N_(
        "There are no subscriptions and prices in {currency} yet, so nothing can be decided. "
        "Load a catalogue where the product runs: python -m core catalogue load FILE"
    )

    def __init__(self, *, currency: str) -> None:
        super().__init__(currency=currency)

    def said_to(self, role: Role) -> str:
        """The sentence for somebody of this role."""
        return t(self.next_command, **self.values) if role is Role.ADMINISTRATOR else str(self)


class MissingSetting(BillingError):
    """Nothing decides these settings: no default settings are saved, and they are not chosen (rule 7)."""

    sentence = N_("No default settings are saved yet. Choose these too: {settings}.")

    def __init__(self, settings: tuple[Setting, ...]) -> None:
        super().__init__(settings=settings)
        self.settings = settings


class NothingToAdopt(BillingError):
    """No default settings were saved yet."""

    sentence = N_("No default settings are saved yet, so there is nothing to adopt. Save default settings first.")


class AlreadyClient(BillingError):
    """The e-mail belongs to a client of this partner already; `client_id` is its number."""

    sentence = N_("This e-mail belongs to {name}, invited on {invited_on}. Open the client, or use another e-mail.")

    def __init__(self, *, client_id: int, name: str, invited_on: datetime) -> None:
        super().__init__(name=name, invited_on=invited_on)
        self.client_id = client_id


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


class ArchivedClient(BillingError):
    """An archived client's settings stay as they were."""

    sentence = N_("{name} is archived. Its settings are kept as they were and cannot be changed.")


class InvitationNotPending(BillingError):
    """The client's newest invitation is not pending: there is nothing to send again or to revoke."""

    sentence = N_("The invitation of {name} is not pending any more. Look at the client again.")


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


class LinkUsed(LinkRefused):
    """The invitation was accepted with it already."""

    sentence = N_("This invitation was accepted already. There is nothing more to do.")


class LinkRevoked(LinkRefused):
    """The partner took the invitation back."""

    sentence = N_("This invitation was withdrawn. If you did not expect that, ask whoever invited you.")


class LinkExpired(LinkRefused):
    """The invitation lapsed."""

    sentence = N_("This invitation has expired. Ask whoever invited you to send a new one.")


class BadInput(BillingError):
    """What was typed needs a correction: `fields` gives each field's sentence, in the reader's language."""

    def __init__(self, sentences: Mapping[str, tuple[str, Mapping[str, object]]]) -> None:
        super().__init__()
        self.sentences = dict(sentences)  # untranslated, with their values

    @property
    def fields(self) -> dict[str, str]:
        """Field name -> sentence."""
        return {field: t(sentence, **values) for field, (sentence, values) in self.sentences.items()}

    def __str__(self) -> str:
        return " ".join(self.fields.values())


class DemoRefused(BillingError):
    """Demo mode runs only on a database that it made."""

    sentence = N_("This database was not made by demo mode, so demo mode leaves it alone. Give it an empty database.")
