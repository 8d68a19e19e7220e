"""Many clients at once, from a spreadsheet: its columns and words understood, a verdict for each row, then all ready
rows invited, or none."""

from core.imports.choosing import choose_columns, guessed, samples
from core.imports.columns import NotInTheList, countries, country, template, words_to_pick
from core.imports.headings import (
    Columns,
    ColumnsNotFound,
    HardlyFilled,
    HeadingTwice,
    NoSuchHeading,
    Said,
    SameColumnTwice,
)
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
    rows_without_country,
    spoken_of,
)
from core.imports.verdicts import invite_ready, preview, read, read_as, read_pasted
from core.imports.vocabulary import REQUIRED, Column
