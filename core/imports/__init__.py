"""Many clients at once, from a spreadsheet: its columns and words understood, a verdict for each row, then all ready
rows invited, or none."""

from core.imports.columns import REQUIRED, Column, Columns, ColumnsNotFound, NotInTheList, SameColumnTwice, template
from core.imports.report import (
    ImportPreview,
    ImportReport,
    ImportRow,
    Reason,
    StalePreview,
    Verdict,
    corrected,
    corrections,
    reasons_text,
)
from core.imports.verdicts import invite_ready, preview, read, read_pasted
