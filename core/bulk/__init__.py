"""Many clients in one act: adopting defaults, setting or clearing overrides, changing the account manager, cancelling
what is pending, archiving; previewed in groups, done as one batch that can be undone; and the batches there were."""

from core.bulk.acts import (
    MOST,
    Act,
    Adopt,
    Archive,
    CancelPending,
    ChangeResponsible,
    Chosen,
    Found,
    Override,
    Ticked,
    overrides_of,
)
from core.bulk.doing import do, preview
from core.bulk.previewed import BulkPreview, Group, Kind, left_out_file
from core.bulk.reading import ClientOfBatch, PastBatch, batch, batches, clients_of, count_batches, running
from core.bulk.refusals import (
    BatchNotFound,
    BulkRefused,
    CannotBeUndone,
    LeftOut,
    NobodyChosen,
    NothingToDo,
    ReasonMissing,
    StaleBulk,
    TooManyClients,
    UndoneAlready,
    Why,
)
from core.bulk.undoing import undo, undo_preview
