"""What a decision about a client starts from: what held since the local day began, what holds, what waits, and the
defaults versions that both are bound to. The same for one client that is looked at and for each of many."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple, Protocol

from core.defaults import DefaultSettings, EffectiveSettings, choices
from core.subscriptions.revisions import Revision, Seen
from core.subscriptions.rhythm import Period, local_date
from core.words import ClientStatus, Overrides


class Known(Protocol):
    """What is known of a client that a decision is about."""

    @property
    def partner_id(self) -> int: ...
    @property
    def client_id(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def sort_name(self) -> str: ...
    @property
    def email(self) -> str: ...


class Whom(NamedTuple):
    """A client as it is read where there are many."""

    partner_id: int
    client_id: int
    name: str
    sort_name: str
    email: str


@dataclass(frozen=True, slots=True)
class Basis:
    """A client at `moment` (UTC). `history` has its revisions, the newest decision first: at least what held when the
    local day began, and all that was decided since. `held` is the one that holds, `pending` the one that is decided and
    not in force yet (None: nothing waits). `bound` is the defaults version the client is bound to (None: it was invited
    before any was saved), `pending_bound` that of what waits. `period` is the one that runs (None: it is not active).
    """

    client: Known
    moment: datetime
    time_zone: str
    history: tuple[Revision, ...]
    held: Revision
    pending: Revision | None
    effective: EffectiveSettings
    bound: DefaultSettings | None
    pending_bound: DefaultSettings | None
    period: Period | None

    @property
    def status(self) -> ClientStatus:
        """Where the client stands."""
        return self.held.status

    @property
    def is_ending(self) -> bool:
        """Whether what waits is the end of the subscription (rule 35)."""
        return self.pending is not None and self.pending.status is ClientStatus.ARCHIVED

    @property
    def revision(self) -> int:
        """The number of the revision that holds."""
        return self.held.revision

    @property
    def seen(self) -> Seen:
        """What a change of the client as shown must name (rule 34)."""
        return Seen(self.held.revision, self.history[0].revision)

    @property
    def today(self) -> date:
        """The day of the partner's calendar."""
        return local_date(self.moment, self.time_zone)

    @property
    def overrides(self) -> Overrides:
        """The choices that hold now."""
        return choices(self.effective.settings, self.effective.overridden)
