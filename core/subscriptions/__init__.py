"""What holds and held for a client: its revisions, its exceptions, going back to its defaults and adopting the current
ones; who looks after it; and the check that recomputes every client."""

from core.subscriptions.changes import (
    Adoption,
    Preview,
    adopt_current_defaults,
    override,
    preview_adoption,
    preview_override,
)
from core.subscriptions.check import differences
from core.subscriptions.clients import ClientSubscription, detail, visible
from core.subscriptions.responsible import (
    ResponsibleMember,
    ResponsibleSince,
    change_responsible,
    hand_over,
    require_responsible,
    responsible_counts,
    responsible_history,
    responsible_members,
)
from core.subscriptions.revisions import Revision, begin, history, revise
from core.subscriptions.tables import INDEXED_SETTINGS, Client, Responsible, Subscription
