"""Every refusal, as a sentence for the person at the screen.

BillingError
├── NotAllowed             this role may not do this
├── ClientNotFound         no such client in this partner space
├── StaleError             somebody else changed it meanwhile (rule 12)
│   ├── StaleDefaults
│   ├── StaleSet           a default set was renamed, retired or brought back (set_errors.py)
│   ├── StaleStandard      another set was made the standard one (set_errors.py)
│   ├── StaleSubscription
│   ├── TookEffect         a pending change took effect since it was shown
│   ├── StaleDetails
│   ├── StaleMember
│   ├── StaleMessage
│   ├── StaleResponsible
│   ├── StaleCatalogue     the catalogue was loaded or a list withdrawn in between (core.subscriptions)
│   ├── StaleBulk          what a bulk change was previewed on (core.bulk)
│   └── StalePreview       what an import was checked against (core.imports)
├── ChoiceRefused          the settings cannot be chosen so (rules 8 and 9)
│   ├── AddOnsNotOffered
│   ├── NoPrice
│   │   └── NoPriceOfAddOn
│   ├── RetiredChosen
│   ├── PendingRefused     what is pending and what is decided now do not go together
│   ├── RetiredDefaults
│   └── UnknownChoice
├── NoCatalogue            nothing is sold yet: no catalogue in this currency is loaded
│   └── NoPricesYet        its first price list begins on a day to come (rule 39)
├── CatalogueRefused       a catalogue that cannot be loaded over what clients hold (core.subscriptions)
├── SharedCatalogue        other partner spaces sell by it too, so no member changes it (core.subscriptions)
├── NoSuchPriceList        there is no list of this number to withdraw (core.subscriptions)
├── PriceListHasBegun      a list that has begun stays (rule 39, core.subscriptions)
├── DemoKeepsSample        a catalogue for the demo, which keeps its own (core.subscriptions)
├── ResponsibleRefused     who is named cannot look after a client (rules 52 and 53)
│   ├── ResponsibleUnknown
│   ├── ResponsibleAmbiguous
│   └── ResponsibleWithoutAccess
├── MissingSetting         nothing decides a setting (rule 7)
├── NothingToAdopt         there are no current defaults to adopt
├── NotTheirSet            the client would adopt another set than its own, which is to be confirmed (set_errors.py)
├── UnknownSet             there is no such default set (set_errors.py)
├── RetiredSet             a retired set is neither picked, saved to nor adopted (set_errors.py)
├── SetNameTaken           another default set has this name (set_errors.py)
├── StandardSetKept        the standard set is not retired (set_errors.py)
├── AlreadyClient          this e-mail belongs to a client
├── InvitationNotPending   only a pending invitation can be sent again or revoked
├── NothingToTellAgain     no message about who pays was given up, or it is not so any more
├── StillInvited           a client whose invitation is pending or accepted is not invited again
├── LinkRefused            an invitation's link does not open anything
│   ├── LinkUnknown
│   ├── TooManyWrongLinks  from this network, within an hour (core.invitations)
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
├── EndPending             nothing else changes while an end is pending
├── NothingPending         there is nothing to cancel
├── NothingToTakeBack      the newest decision cannot be turned round
├── ArchivedClient         an archived client's settings are kept as they were
├── NotArchived            only an archived client is forgotten
├── ForgottenClient        a forgotten client is neither edited nor invited
├── BulkRefused            nothing of a bulk change is done (core.bulk): TooManyClients, NobodyChosen, NothingToDo,
│                          ReasonMissing, BatchNotFound, CannotBeUndone, UndoneAlready
├── UnreadableFile         a spreadsheet that cannot be read, and what to do (core.spreadsheets)
├── NoFile                 a file named in the shell that cannot be opened (core.commands)
├── ColumnsNotFound, SameColumnTwice (HardlyFilled), NoSuchHeading, HeadingTwice, NotInTheList
│                          an import not understood (core.imports)
├── SignInEnded            the sign-in was ended, or is too old
├── CannotBeSetUp          a partner space that cannot be made as asked (core.members)
├── CopyRefused            a backup that cannot be made or put back like this (core.storage)
├── BadInput               what was typed needs a correction, field by field
│   └── CatalogueFileRefused   a catalogue file, place by place (core.catalogue)
├── DatabaseFailed         the database did not do its part; the same may work in a moment (database_errors.py)
│   ├── DatabaseAway
│   ├── DatabaseBusy
│   │   └── BulkRunning    many clients are being changed at once, and so many are done
│   ├── DatabaseSlow
│   ├── DatabaseFull
│   ├── DatabaseReadOnly
│   ├── DatabaseUnreadable
│   ├── DatabaseReplaced
│   └── SavedOrNot         the connection broke at the very end: nobody knows
├── TablesRefused          the tables are not those of this version (database_errors.py)
│   ├── TablesOlder
│   ├── TablesNewer
│   ├── TablesMissing
│   ├── TablesOfAnother
│   └── SearchUnavailable  PostgreSQL lacks the extension of the search
├── NotTheDemo             another day than today, asked of what is no demo (core.demo)
└── DemoRefused            demo mode on a database it did not make

A sentence is put together when it is read, in the reader's language; its values are in `values`.
"""

from collections.abc import Mapping
from datetime import datetime

from core.words.details import DetailChange
from core.words.language import N_, t


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


class StaleError(BillingError):
    """Somebody saved the same thing in between; nothing was written."""

    by_no_member = N_("The product")  # who it was where `changed_by` is None

    def __str__(self) -> str:
        if self.values.get("changed_by", "") is not None:
            return super().__str__()
        return t(self.sentence, **{**self.values, "changed_by": t(self.by_no_member)})


class StaleDefaults(StaleError):
    """`version` was saved by `saved_by` at `saved_at` since the form was opened; `name`: in this set, where there are
    several."""

    sentence = N_("{saved_by} saved version {version} on {saved_at}. Your entries are kept; compare and save again.")
    of_a_set = N_("{saved_by} saved {name} v{version} on {saved_at}. Your entries are kept; compare and save again.")

    def __init__(self, *, version: int, saved_by: str, saved_at: datetime, name: str = "") -> None:
        super().__init__(version=str(version), saved_by=saved_by, saved_at=saved_at, name=name)
        if name:
            self.sentence = self.of_a_set


class StaleSubscription(StaleError):
    """The client's settings were changed by `changed_by` at `changed_at` since they were shown."""

    sentence = N_("{changed_by} changed {client} on {changed_at}. Your entries are kept; compare and save again.")
    by_no_member = N_("The client")

    def __init__(self, *, client: str, changed_by: str | None, changed_at: datetime) -> None:
        super().__init__(client=client, changed_by=changed_by, changed_at=changed_at)


class TookEffect(StaleError):
    """What `changed_by` had decided took effect at `changed_at`, since the client was shown (rule 34)."""

    sentence = N_(
        "A change of {client} that {changed_by} had decided took effect on {changed_at}. "
        "Your entries are kept; compare and save again."
    )
    by_no_member = N_("the client")

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


class StaleMessage(StaleError):
    """`changed_by` sent a message to this client or member at `changed_at`, since their messages were shown."""

    sentence = N_("{changed_by} sent a message to {name} on {changed_at}. Look whether another one is needed.")

    def __init__(self, *, name: str, changed_by: str, changed_at: datetime) -> None:
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
