"""Who a client is, with every edit of it, and who looks after it; how it is and was billed: its revisions, its
exceptions, going back to its defaults and adopting the current ones; loading a catalogue over what clients have; and
the check that looks at all."""

from core.subscriptions.catalogue_loading import (
    CatalogueLoad,
    CatalogueRefused,
    DemoKeepsSample,
    load_catalogue,
    preview_catalogue,
)
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
from core.subscriptions.forgetting import FORGOTTEN, as_data, details_known, forget_details, forgotten_address
from core.subscriptions.held import Holders
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
