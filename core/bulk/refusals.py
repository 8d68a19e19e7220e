"""Why a bulk change is refused as a whole, and why one client is left out of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from core.subscriptions import ChangedClient
from core.words import (
    N_,
    AddOnsNotOffered,
    ArchivedClient,
    BillingError,
    EndPending,
    MissingSetting,
    NoPrice,
    NothingPending,
    NotTheirSet,
    PendingRefused,
    RetiredChosen,
    StaleError,
    Term,
    UnknownChoice,
    listed,
    nt,
    t,
)


class BulkRefused(BillingError):
    """Nothing of a bulk change is done."""


class TooManyClients(BulkRefused):
    """More clients than one act may change."""

    sentence = N_("More than {most} clients are chosen, which are too many for one act. Narrow the list down.")

    def __init__(self, *, most: int) -> None:
        super().__init__(most=most)


class NobodyChosen(BulkRefused):
    """No client is chosen."""

    sentence = N_("No client is chosen. Choose some in the list of clients.")


class NothingToDo(BulkRefused):
    """Every client that was chosen is left out."""

    sentence = N_("There is nothing to do for any of these clients. Look at who is left out, and why.")


class ReasonMissing(BulkRefused):
    """A bulk change needs a reason."""

    sentence = N_("Say why: a change of many clients needs a reason.")


class BatchNotFound(BulkRefused):
    """No such batch in the member's partner space."""

    sentence = N_("There is no bulk change with number {batch} in your partner space. Look it up in the list.")

    def __init__(self, *, batch: int) -> None:
        super().__init__(batch=str(batch))


class CannotBeUndone(BulkRefused):
    """An import is no change of clients that were there before."""

    sentence = N_("An import cannot be undone. Archive the clients that it brought in, if they are not wanted.")


class UndoneAlready(BulkRefused):
    """A batch is undone once; what undid it can be undone."""

    sentence = N_("This was undone already, by bulk change {by}. That one can be undone.")

    def __init__(self, *, by: int) -> None:
        super().__init__(by=str(by))


@dataclass(frozen=True, slots=True)
class _Changed:
    """What is not as it was previewed, in the reader's language."""

    clients: tuple[ChangedClient, ...]
    count: int

    def __str__(self) -> str:
        if not self.clients:
            return t("the default settings, the catalogue, the day or who is found changed.")
        names = [
            t("{client} ({name})", client=each.name, name=each.changed_by or t("The client")) for each in self.clients
        ]
        if (more := self.count - len(names)) > 0:
            names.append(nt("{count} more", "{count} more", more))
        return t("changed since: {clients}.", clients=listed(names))


class StaleBulk(StaleError):
    """What was previewed is not what would be done (rule 47). `changed` are the clients that were changed since, as far
    as they can be told: the last ones first, at most a few; `count` is how many there are. None: what it is decided by
    changed, the default settings, the catalogue, the filter or the day."""

    sentence = N_("What was previewed is not so any more: {what} Nothing was changed; look at the preview again.")

    def __init__(self, changed: Sequence[ChangedClient] = (), count: int = 0) -> None:
        super().__init__(what=_Changed(tuple(changed), count))
        self.changed, self.count = tuple(changed), count


class Why(Term):
    """Why a client is left out."""

    ARCHIVED = "archived", N_("Archived")
    ENDING = "ending", N_("It ends at its renewal")
    NOT_OFFERED = "not_offered", N_("Not offered together")
    RETIRED = "retired", N_("Retired")
    NO_PRICE = "no_price", N_("No price")
    NOT_WITH_PENDING = "not_with_pending", N_("Does not go with what is pending")
    MISSING_SETTING = "missing_setting", N_("A setting would be missing")
    NOT_THEIR_SET = "not_their_set", N_("Its own default set cannot be adopted")
    NOTHING_TO_CHANGE = "nothing_to_change", N_("Nothing to change")
    NOTHING_PENDING = "nothing_pending", N_("Nothing is pending")
    CHANGED_SINCE = "changed_since", N_("Changed since")
    REFUSED = "refused", N_("Refused")


_WHY: tuple[tuple[type[BillingError], Why], ...] = (
    (ArchivedClient, Why.ARCHIVED),
    (EndPending, Why.ENDING),
    (PendingRefused, Why.NOT_WITH_PENDING),
    (AddOnsNotOffered, Why.NOT_OFFERED),
    (RetiredChosen, Why.RETIRED),
    (NoPrice, Why.NO_PRICE),
    (UnknownChoice, Why.NOT_OFFERED),
    (MissingSetting, Why.MISSING_SETTING),
    (NotTheirSet, Why.NOT_THEIR_SET),
    (NothingPending, Why.NOTHING_PENDING),
)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A client that was chosen and is left out, and why: as one word, and as a sentence. Where it was changed since,
    `changed_by` (None: the client or the product) did so at `changed_at` (UTC)."""

    client_id: int
    name: str
    why: Why
    refusal: BillingError | None = None
    changed_by: str | None = None
    changed_at: datetime | None = None

    @property
    def text(self) -> str:
        """Why, as a sentence in the reader's language."""
        if self.changed_at is not None:
            who = self.changed_by or t("The client")
            return t("{name} changed it on {day}.", name=who, day=self.changed_at)
        return self.why.label if self.refusal is None else str(self.refusal)


def why(refusal: BillingError) -> Why:
    """The word for this refusal."""
    return next((word for kind, word in _WHY if isinstance(refusal, kind)), Why.REFUSED)
