"""The database: the engine, one transaction for each action, the types of columns, the base of all tables, the
migrations, and copies of the whole. It knows SQLite from PostgreSQL, so that the other folders need not."""

from core.storage.columns import (
    LARGEST_NUMBER,
    Codes,
    Instant,
    Settings,
    codes,
    one_of,
    settings_as_text,
    settings_from_text,
)
from core.storage.copies import copy_out, leave_nothing_deleted, put_back
from core.storage.copy_files import CopyRefused, move_into_place, new_file
from core.storage.database import (
    Action,
    Database,
    Deployment,
    action_of,
    allow_minutes,
    drop_tables,
    migrate_on,
    now,
    now_after,
    refusal_of_tables,
    search_is_missing,
    set_now,
    take_lock,
    utc_now,
)
from core.storage.engines import Patience
from core.storage.failures import trace_of
from core.storage.long_changes import (
    LONG,
    LongChange,
    announced,
    forget_long_change,
    long_change,
    long_change_on,
    refuse_beside,
    says_long_change,
)
from core.storage.many_rows import execute_many, quick_collections
from core.storage.tables import BINARY_ORDER, ROWS_IN_KEY_ORDER, VACUUM_AFTER_BULK, Base, is_declared, word
