"""What was found in a spreadsheet, row by row; what became of it; and the rows to correct, as they go back."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from core.catalogue import Price, monthly_cents
from core.defaults import EffectiveSettings, SetVersion, version_text
from core.imports.columns import is_blank
from core.imports.headings import Columns, Said
from core.imports.vocabulary import Column
from core.invitations import NewClient
from core.spreadsheets import Sheet, SheetRow
from core.words import LANGUAGES, N_, BillingError, Money, Overrides, Setting, StaleError, Term, spoken, t


class Verdict(Term):
    """What would become of a row."""

    READY = "ready", N_("Ready")
    NEEDS_CORRECTION = "needs_correction", N_("Needs correction")
    TWICE = "twice", N_("Twice in this file")
    ALREADY_CLIENT = "already_client", N_("Already a client")


class StalePreview(StaleError):
    """What the preview was made with is no longer so; nothing was written."""

    sentence = N_("The catalogue or the partner space changed since these rows were checked. Check them again.")


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a row needs correction, and in which column (None: the settings as a whole).

    `str()` is a sentence in the reader's language.
    """

    column: Column | None
    sentence: str  # not yet translated
    values: Mapping[str, object]

    @classmethod
    def of(cls, column: Column | None, refusal: BillingError) -> "Reason":
        """The refusal's own sentence."""
        return cls(column, refusal.sentence, refusal.values)

    def __str__(self) -> str:
        return t(self.sentence, **self.values)


@dataclass(frozen=True, slots=True)
class ImportRow:
    """A row of the sheet, its cells as they are there, and what would become of it.

    A ready row has `new_client`, `effective` and `price`, and in `responsible_id` the member who will look after it
    (None: whoever invites); `effective.bound` says set and version; an existing client's has its `client_id` and no
    reasons.
    """

    line: int
    cells: tuple[str, ...]
    verdict: Verdict
    reasons: tuple[Reason, ...]
    new_client: NewClient | None
    overrides: Overrides
    effective: EffectiveSettings | None
    price: Price | None
    client_id: int | None
    responsible_id: int | None = None


@dataclass(frozen=True, slots=True)
class ImportPreview:
    """A verdict for each row, and what the ready ones would cost a year, in integer cents of the currency; and the
    names of the members who would look after them, by number. `country` is that of rows without one; `are_chosen`
    where somebody chose which column is which, for a list with these headings. `lacking` are the columns that reasons
    speak of and the list does not have: it cannot be corrected without them.

    `standard` is the version that blank cells take (None: no defaults are saved), `versions` has the version of each
    set that a ready row takes, and `set_names` the name of each, where there are several sets.
    """

    sheet: Sheet
    columns: Columns
    rows: tuple[ImportRow, ...]
    partner_id: int
    standard: SetVersion | None
    edition: int
    price_list: int
    counts: Mapping[Verdict, int]
    cents_per_year_paid_by_partner: int
    cents_per_year_paid_by_clients: int
    currency: str
    responsible: Mapping[int, str] = field(default_factory=dict)
    country: str = ""
    are_chosen: bool = False
    lacking: tuple[Column, ...] = ()
    versions: Mapping[int, int] = field(default_factory=dict)
    set_names: Mapping[int, str] = field(default_factory=dict)

    @property
    def defaults_version(self) -> int | None:
        """The version of the standard set; None: no defaults are saved."""
        return None if self.standard is None else self.standard.version

    def defaults_text(self, bound: SetVersion) -> str:
        """What the version that a ready row takes is called (core.defaults.version_text)."""
        name = self.set_names.get(bound.set_number, "")
        return version_text(name, bound.version, are_several=bool(self.set_names))

    @property
    def paid_by_us(self) -> Money:
        """What the partner would pay a month for the ready rows."""
        return Money(monthly_cents(self.cents_per_year_paid_by_partner), self.currency)

    @property
    def paid_by_clients(self) -> Money:
        """What the clients of the ready rows would pay a month, together."""
        return Money(monthly_cents(self.cents_per_year_paid_by_clients), self.currency)


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of the rows: `rows` is the sum of the four that follow. `batch` is None when nobody was invited."""

    rows: int
    invited: int
    needing_correction: int
    twice: int
    already_clients: int
    batch: int | None
    version: int | None


def rows_without_country(previewed: ImportPreview) -> int:
    """How many rows say no country themselves."""
    place = previewed.columns.places.get(Column.COUNTRY)
    if place is None:
        return len(previewed.rows)
    return sum(is_blank(row.cells[place]) for row in previewed.rows)


def spoken_of(rows: Iterable[ImportRow]) -> frozenset[Column]:
    """The columns that the reasons of these rows speak of; where all settings are missing, each setting's."""
    columns = {reason.column for row in rows for reason in row.reasons}
    settings = {Column(setting.value) for setting in Setting} if None in columns else set()
    return frozenset(settings.union(column for column in columns if column is not None))


def corrected(previewed: ImportPreview, changes: Mapping[int, Mapping[int, str]]) -> tuple[Sheet, Said]:
    """The sheet with these cells, by line and by index of the column, typed anew, and where its columns are. A row left
    without any cell is gone. An index past the last heading is of a column that was `lacking`: it is there then. The
    file is not read anew from then on: what was typed would be lost."""
    sheet, more = previewed.sheet, previewed.lacking
    width = len(sheet.headings)
    said: dict[Column, str | int] = {column: previewed.columns.places.get(column, "") for column in Column}
    if any(index >= width for cells in changes.values() for index in cells):
        said |= {column: index for index, column in enumerate(more, width)}
        blanks = ("",) * len(more)
        widened = tuple(replace(row, cells=row.cells + blanks) for row in sheet.rows)
        sheet = replace(sheet, headings=(*sheet.headings, *(column.label for column in more)), rows=widened)
    if changes:
        sheet = replace(sheet, content=b"")
    rows = (_corrected(row, changes[row.line]) if row.line in changes else row for row in sheet.rows)
    return replace(sheet, rows=tuple(row for row in rows if any(row.cells))), said


def corrections(previewed: ImportPreview) -> tuple[list[str], list[list[str]]]:
    """The rows that need correction as they are in the file, and a last column that says why; headings first.

    Such a column that the file already has is replaced.
    """
    titles = {title.casefold() for title in _titles()}
    headings = previewed.sheet.headings
    kept = [index for index, heading in enumerate(headings) if heading.strip().casefold() not in titles]
    rows = (row for row in previewed.rows if row.verdict is Verdict.NEEDS_CORRECTION)
    return (
        [*(headings[index] for index in kept), t("Reasons")],
        [[*(row.cells[index] for index in kept), reasons_text(row)] for row in rows],
    )


def reasons_text(row: ImportRow) -> str:
    """Every reason of a row with its column, in one line."""
    return " · ".join(
        str(reason) if reason.column is None else t("{column}: {reason}", column=reason.column, reason=str(reason))
        for reason in row.reasons
    )


def _corrected(row: SheetRow, cells: Mapping[int, str]) -> SheetRow:
    typed = tuple(cells[index].strip() if index in cells else cell for index, cell in enumerate(row.cells))
    return replace(row, cells=typed, odd={index: why for index, why in row.odd.items() if index not in cells})


def _titles() -> list[str]:
    titles = []
    for each in LANGUAGES:
        with spoken(each):
            titles.append(t("Reasons"))
    return titles
