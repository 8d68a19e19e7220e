"""What the rows of an import say, by themselves: who, which choices, and what is to be corrected before they count."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from core.catalogue import Catalogue
from core.defaults import Sets
from core.imports import columns
from core.imports.columns import NotInTheList
from core.imports.headings import Columns
from core.imports.report import Reason
from core.imports.vocabulary import Column
from core.invitations import NewClient
from core.members import Member
from core.spreadsheets import SheetRow
from core.words import (
    N_,
    BadInput,
    Overrides,
    ResponsibleRefused,
    RetiredSet,
    Setting,
    UnknownSet,
    is_showable,
    language,
)

_WHO = (
    Column.NAME,
    Column.COUNTRY,
    Column.EMAIL,
    Column.COMPANY_NUMBER,
    Column.VAT_NUMBER,
    Column.EXTERNAL_REFERENCE,
    Column.MESSAGE,
)
_NUMBERS = (Column.COMPANY_NUMBER, Column.VAT_NUMBER)
_LONGEST_BLANK = 7  # characters: no sign for a blank cell is longer
_NO_COUNTRY = N_("Fill in the country: two letters, for example BE.")


@dataclass(frozen=True, slots=True)
class ReadRow:
    """A row as it was understood.

    `email` is there when it is one, whatever else is to be corrected; `new_client` when a client can be made of it.
    It counts only without `reasons`.
    """

    line: int
    cells: tuple[str, ...]
    email: str | None
    new_client: NewClient | None
    overrides: Overrides
    responsible_id: int | None  # None: whoever invites
    set_number: int | None  # the default set it is invited on; None: the standard one
    reasons: Mapping[Column, Reason]


def read_rows(
    rows: Iterable[SheetRow],
    recognised: Columns,
    offer: Catalogue,
    colleagues: Iterable[Member],
    sets: Sets,
    *,
    country: str = "",
) -> Iterator[ReadRow]:
    """Each row as it was understood, with a reason for each column that needs a correction. `colleagues` are the
    members of the partner space, one of whom looks after each client; `sets` its default sets. `country` is that of
    rows without one."""
    words = _words(offer, list(colleagues), sets)
    country_of = cache(columns.country)
    places = recognised.places
    for row in rows:
        texts = {column: _said(row.cells[index]) for column, index in places.items()}
        texts[Column.COUNTRY] = country_of(texts.get(Column.COUNTRY, "")) or country
        chosen = {column: read(texts.get(column, "")) for column, read in words.items()}
        reasons = {column: value for column, value in chosen.items() if isinstance(value, Reason)}
        values = {column: None if column in reasons else value for column, value in chosen.items()}
        email, new_client, refused = _new_client(texts, values[Column.LANGUAGE])
        reasons |= refused
        if row.odd:
            odd = {column: row.odd[index] for column, index in places.items() if index in row.odd}
            reasons |= {column: Reason(column, sentence, {}) for column, sentence in odd.items()}
        responsible_id, set_number = values[Column.RESPONSIBLE], values[Column.DEFAULT_SET]
        overrides = _overrides(values)
        yield ReadRow(row.line, row.cells, email, new_client, overrides, responsible_id, set_number, reasons)


def _said(cell: str) -> str:
    return "" if len(cell) < _LONGEST_BLANK and columns.is_blank(cell) else cell


def _words(offer: Catalogue, colleagues: list[Member], sets: Sets) -> dict[Column, Callable[[str], Any]]:
    """For each column of words, what reads a cell: its value, None for a blank one, or the Reason why there is none.

    The same text is read once.
    """
    readers: dict[Column, Callable[[str], Any]] = {
        Column.LANGUAGE: columns.language,
        Column.RESPONSIBLE: partial(columns.responsible, colleagues=colleagues),
        Column.DEFAULT_SET: partial(columns.default_set, sets=sets),
    }
    readers |= {Column(setting.value): columns.value_reader(setting, offer) for setting in Setting}

    def word(column: Column, text: str) -> Any:
        try:
            return readers[column](text)
        except (NotInTheList, ResponsibleRefused, RetiredSet, UnknownSet) as unknown:
            return Reason.of(column, unknown)

    return {column: cache(partial(word, column)) for column in readers}


def _overrides(values: Mapping[Column, Any]) -> Overrides:
    return Overrides(**{setting.value: values[Column(setting.value)] for setting in Setting})


def _new_client(
    texts: Mapping[Column, str], spoken: str | None
) -> tuple[str | None, NewClient | None, dict[Column, Reason]]:
    """The e-mail of a row, when it is one; the client, when there is one; and the reasons why not."""
    first, last = texts.get(Column.FIRST_NAME, ""), texts.get(Column.LAST_NAME, "")
    typed = {column.value: texts[column] for column in _WHO if column in texts}
    typed |= {"contact_name": f"{first} {last}", "language": language() if spoken is None else spoken}
    reasons: dict[Column, Reason] = {}
    new_client = email = None
    try:
        new_client = NewClient.from_typed(**typed)
        email = new_client.email
    except BadInput as refusal:
        for field, (sentence, values) in refusal.sentences.items():
            column = _contact(first, last) if field == "contact_name" else Column(field)
            reasons[column] = Reason(column, sentence, values)
        if Column.EMAIL not in reasons:
            email = NewClient.from_typed(name="-", email=texts[Column.EMAIL]).email
    if not texts.get(Column.COUNTRY, "").strip():
        reasons[Column.COUNTRY] = Reason(Column.COUNTRY, _NO_COUNTRY, {})
    if Column.COUNTRY in reasons:  # whose rules the numbers follow is not known
        reasons = {column: reason for column, reason in reasons.items() if column not in _NUMBERS}
    return email, new_client, reasons


def _contact(first: str, last: str) -> Column:
    """The column to correct when the name of the contact cannot be taken."""
    return Column.FIRST_NAME if first and (is_showable(last) or not is_showable(first)) else Column.LAST_NAME
