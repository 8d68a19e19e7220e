"""Who a client is, with every edit of it, and who looks after it; how it is and was billed: its revisions, its
exceptions, going back to its defaults, adopting the current ones, taking the newest decision back; loading a catalogue
over what clients have; and the check that looks at all."""

from core.subscriptions.basis import Basis, Known, Whom
from core.subscriptions.batches import next_batch, record_batch
from core.subscriptions.bringing_back import before_batch, brought_back
from core.subscriptions.catalogue_loading import (
    CatalogueLoad,
    CatalogueOverview,
    catalogue_overview,
    load_catalogue,
    preview_catalogue,
    withdraw_price_list,
)
from core.subscriptions.catalogue_refusals import (
    CatalogueRefused,
    DemoKeepsSample,
    NoSuchPriceList,
    PriceListHasBegun,
    SharedCatalogue,
    StaleCatalogue,
)
from core.subscriptions.catalogue_words import price_list_text, price_text, said, whom_text
from core.subscriptions.changed import ChangedClient, changed_since
from core.subscriptions.changes import (
    Adoption,
    adopt_current_defaults,
    cancel_pending,
    override,
    preview_adoption,
    preview_override,
)
from core.subscriptions.check import differences
from core.subscriptions.clients import ClientSubscription, detail, visible
from core.subscriptions.decisions import Later, Preview, going_on, refuse_ended, settled
from core.subscriptions.decisions import preview as preview_change
from core.subscriptions.edits import ClientEdit, change_details, edits
from core.subscriptions.forgetting import FORGOTTEN, as_data, details_known, forget_details, forgotten_address
from core.subscriptions.held import Holders
from core.subscriptions.instants import holds_now, holds_then
from core.subscriptions.lifecycle import Ending, archive, ended, ending, invite_anew, preview_archive, start
from core.subscriptions.listeners import Decision, when_decided
from core.subscriptions.many import Many, Shared, Stands, bases, standing
from core.subscriptions.responsible import (
    ResponsibleMember,
    ResponsibleSince,
    change_responsible,
    give_all,
    hand_over,
    last_given,
    looked_after,
    require_responsible,
    responsible_counts,
    responsible_history,
    responsible_members,
)
from core.subscriptions.revisions import (
    Author,
    Revision,
    Seen,
    held_at,
    held_in_the_morning,
    history,
    pending_at,
)
from core.subscriptions.rhythm import Period, Rhythm, first_instant, local_date
from core.subscriptions.tables import (
    INDEXED_SETTINGS,
    Batch,
    Client,
    ClientChange,
    Responsible,
    Subscription,
    searched_text,
)
from core.subscriptions.taking_back import nearest_to_defaults, preview_take_back, take_back
from core.subscriptions.timing import (
    Timing,
    Waits,
    charge_of_day,
    charges_of,
    list_of,
    price_by,
    price_on,
    prices_of,
    why_it_waits,
)
from core.subscriptions.writing import Decided, begin, clear_outlived, write_all
