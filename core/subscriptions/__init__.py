"""Who a client is, with every edit of it; what holds and held for it: its revisions, its exceptions, going back to its
defaults and adopting the current ones; and the check that recomputes every client."""

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
from core.subscriptions.edits import ClientEdit, change_details, edits
from core.subscriptions.revisions import Revision, begin, history, revise
from core.subscriptions.tables import INDEXED_SETTINGS, Client, Subscription
