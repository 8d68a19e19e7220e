"""One client's subscription as it is told: what holds and why, what a change would do, and what an adoption did."""

from collections.abc import Mapping
from dataclasses import dataclass

from core.catalogue import Price
from core.models import Client, DefaultSettings, Invitation
from core.resolution import Change, EffectiveSettings, Overrides, choices
from core.revisions import Revision
from core.terms import ClientStatus, InvitationStatus, Setting


@dataclass(frozen=True, slots=True)
class ClientSubscription:
    """A client, what holds for it, and where each setting comes from.

    `revision` is what a change must name as `seen`. `bound` is the defaults version the client is bound to (None: it
    was invited before any was saved), `current` the one in force today; both have `saved_by` loaded. `chosen` says for
    each overridden setting which revision made that choice. `price` is None when the client
    is not billed (Catalogue.billed).
    """

    client: Client
    status: ClientStatus
    revision: int
    effective: EffectiveSettings
    price: Price | None
    bound: DefaultSettings | None
    current: DefaultSettings | None
    invitation: Invitation
    invitation_status: InvitationStatus
    history: tuple[Revision, ...]
    chosen: Mapping[Setting, Revision]

    @property
    def overrides(self) -> Overrides:
        """The choices that hold now."""
        return choices(self.effective.settings, self.effective.overridden)

    @property
    def has_adopted(self) -> bool:
        """Whether the client is bound to another version than the one it was invited with."""
        return self.history[-1].defaults_version != self.effective.defaults_version

    @property
    def can_go_back(self) -> bool:
        """Whether there are overrides to clear and defaults to go back to."""
        return bool(self.effective.overridden) and self.bound is not None

    @property
    def can_adopt(self) -> bool:
        """Whether there are defaults in force that the client is not bound to."""
        return self.current is not None and self.effective.defaults_version != self.current.version

    @property
    def on_older_defaults(self) -> bool:
        """Whether newer defaults exist than those the client is bound to."""
        return self.bound is not None and self.current is not None and self.bound.version < self.current.version


@dataclass(frozen=True, slots=True)
class Preview:
    """What a change would do: the settings it would leave, which values would change, and the price after."""

    effective: EffectiveSettings
    changes: tuple[Change, ...]
    price: Price | None
    changes_anything: bool


@dataclass(frozen=True, slots=True)
class Adoption:
    """The version adopted, the clients that changed, and those that had nothing to change."""

    version: int
    adopted: tuple[int, ...]
    unchanged: tuple[int, ...]
