"""Refusals about default sets: what cannot be picked, saved to, named or retired (rules 16 to 22)."""

from datetime import datetime

from core.words.errors import BillingError, StaleError
from core.words.language import N_


class UnknownSet(BillingError):
    """There is no default set of this number or name; `names` are those that can be picked."""

    sentence = N_("There is no default set {wanted}. Choose one of: {names}.")
    none_yet = N_("No default settings are saved yet, so there is no default set {wanted}. Leave it out.")

    def __init__(self, *, wanted: str, names: tuple[str, ...]) -> None:
        super().__init__(wanted=wanted, names=names)
        if not names:
            self.sentence = self.none_yet


class RetiredSet(BillingError):
    """A retired set is neither picked, saved to nor adopted (rule 20); `names` are the sets that can be."""

    sentence = N_("The default set {name} is retired. Choose one of: {names}; or bring it back first.")

    def __init__(self, *, name: str, names: tuple[str, ...]) -> None:
        super().__init__(name=name, names=names)


class SetNameTaken(BillingError):
    """Another default set of the partner reads the same (rule 19)."""

    sentence = N_("There is a default set {name} already. Choose another name.")
    by_a_retired_one = N_("There is a retired default set {name} already. Bring it back, or choose another name.")

    def __init__(self, *, name: str, is_retired: bool) -> None:
        super().__init__(name=name)
        if is_retired:
            self.sentence = self.by_a_retired_one


class StandardSetKept(BillingError):
    """The standard set is never retired (rule 17)."""

    sentence = N_("{name} is the standard set, which is not retired. Make another set the standard one first.")

    def __init__(self, *, name: str) -> None:
        super().__init__(name=name)


class NotTheirSet(BillingError):
    """Adopting would bind the client to the standard set, and it is bound to another one, which is retired, or to none
    (`own` ""): that is to be confirmed (rule 22)."""

    sentence = N_(
        "{client} is bound to {own}, which is retired. It would adopt {target}: confirm that, or leave the client out."
    )
    bound_to_none = N_(
        "{client} is bound to no default set. It would adopt {target}: confirm that, or leave the client out."
    )

    def __init__(self, *, client: str, own: str, target: str) -> None:
        super().__init__(client=client, own=own, target=target)
        if not own:
            self.sentence = self.bound_to_none


class StaleSet(StaleError):
    """`changed_by` renamed, retired or brought back this set at `changed_at`, since it was shown."""

    sentence = N_("{changed_by} changed the default set {name} on {changed_at}. Look at it and decide again.")

    def __init__(self, *, name: str, changed_by: str, changed_at: datetime) -> None:
        super().__init__(name=name, changed_by=changed_by, changed_at=changed_at)


class StaleStandard(StaleError):
    """`changed_by` made this set the standard one at `changed_at`, since another one was shown as such."""

    sentence = N_(
        "{changed_by} made {name} the standard set on {changed_at}. "
        "Your entries are kept; look what it gives and decide again."
    )

    def __init__(self, *, name: str, changed_by: str, changed_at: datetime) -> None:
        super().__init__(name=name, changed_by=changed_by, changed_at=changed_at)
