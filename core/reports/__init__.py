"""What people read: the list of clients with the source of each setting, saved views of it, its figures, the plan
distribution, files to take away, and what others did meanwhile."""

from core.reports.clients import (
    BILLING_SOURCES,
    ListedClient,
    billing_sources,
    listed,
    listed_numbers,
)
from core.reports.figures import DISTRIBUTION, Figures, figures, plan_distribution
from core.reports.filters import (
    BOUND_TO_NONE,
    FILTERS,
    AttentionFilter,
    Order,
    PendingFilter,
    SourceFilter,
    filters_said,
    statuses,
)
from core.reports.in_force import InForce, in_force, lapses
from core.reports.list_files import csv_pieces, workbook, zipped
from core.reports.meanwhile import Changed, Saved, Seen, changed_since, invited_since, saved_since, seen
from core.reports.views import (
    ASKED,
    LONGEST_VIEW_NAME,
    MOST_VIEWS,
    EmptyView,
    TooManyViews,
    View,
    ViewNameTaken,
    remove_view,
    save_view,
    views,
)
