"""Which column of a list is which, where its headings do not say it: what may be guessed, and what somebody chose for
lists with these headings before."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from hashlib import sha256
from itertools import islice
from re import compile as pattern

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from core import invitations, members
from core.imports import columns
from core.imports.columns import NotInTheList, is_blank
from core.imports.headings import Said, Values, best_places, recognise
from core.imports.tables import ChosenColumns
from core.imports.vocabulary import Column, key
from core.members import Member, Permission
from core.spreadsheets import Sheet
from core.storage import now

_LOOKED_AT = 50  # rows, by which a column without a known heading is guessed
_MOSTLY = 0.6  # of them, that have to look like it: some are to correct
_VAT_NUMBER = pattern(r"(?:(?:VAT|TVA|BTW)[ .:]*)?[A-Z]{2}[ .]?[0-9A-Z][0-9. ]{6,14}")
_COMPANY_NUMBER = pattern(r"[01][0-9]{3}[. ]?[0-9]{3}[. ]?[0-9]{3}")
_NAME = pattern(r".*[^\W\d_]{2}.*")
_CHOSEN = select(ChosenColumns.places).where(
    ChosenColumns.partner_id == bindparam("of_partner", type_=ChosenColumns.partner_id.type),
    ChosenColumns.headings == bindparam("of_headings"),
)


def guessed(sheet: Sheet) -> dict[Column, int]:
    """The best guess where each column is: by its heading, else by what stands below it. Not every column is found."""
    places = best_places(sheet.headings, values=values_of(sheet), rows=len(sheet.rows))
    for column, looks_like_it in _SIGNS.items():
        free = (index for index, heading in enumerate(sheet.headings) if heading and index not in places.values())
        if column not in places and (index := next(filter(_each(looks_like_it, sheet), free), None)) is not None:
            places[column] = index
    return places


def values_of(sheet: Sheet) -> Values:
    """What tells the values of one of its columns, blanks left out; each column is looked through once."""
    return cache(lambda place: tuple(_filled(sheet, place)))


def samples(sheet: Sheet, place: int, count: int = 3) -> list[str]:
    """The first different values of this column, as far as the first rows show them."""
    return list(islice(dict.fromkeys(islice(_filled(sheet, place), _LOOKED_AT)), count))


def choose_columns(session: Session, member: Member, sheet: Sheet, said: Said) -> None:
    """Afterwards every list of the partner with these headings is read so: each column is under the heading or at the
    place (from 0) that `said` gives it; "" where the list does not have it.

    Raises NotAllowed, ColumnsNotFound, HeadingTwice, NoSuchHeading.
    """
    members.act(session, member, Permission.INVITE)
    places = recognise(sheet.headings, said).places
    kept = {column.value: places.get(column, "") for column in Column}
    session.merge(
        ChosenColumns(
            partner_id=member.partner_id,
            headings=_digest(sheet.headings),
            places=json.dumps(kept),
            chosen_at=now(session),
            chosen_by_id=member.member_id,
        )
    )


def chosen_before(session: Session, partner_id: int, headings: Sequence[str]) -> dict[Column, str | int]:
    """What was chosen last for lists of the partner with these headings; nothing where nobody had to."""
    which = {"of_partner": partner_id, "of_headings": _digest(headings)}
    kept: str | None = session.connection().scalar(_CHOSEN, which)
    known = {column.value: column for column in Column}
    return {} if kept is None else {known[name]: place for name, place in json.loads(kept).items() if name in known}


def _digest(headings: Sequence[str]) -> str:
    return sha256(json.dumps([key(heading) for heading in headings]).encode()).hexdigest()


def _filled(sheet: Sheet, place: int) -> Iterable[str]:
    return (row.cells[place] for row in sheet.rows if not is_blank(row.cells[place]))


def _each(looks_like_it: Callable[[str], bool], sheet: Sheet) -> Callable[[int], bool]:
    def is_so(place: int) -> bool:
        values = list(islice(_filled(sheet, place), _LOOKED_AT))
        return bool(values) and sum(map(looks_like_it, values)) >= _MOSTLY * len(values)

    return is_so


def _is_language(text: str) -> bool:
    """Not two capitals: of a column of FR and NL nobody can tell, and most are countries."""
    try:
        return columns.language(text) is not None and not (len(text) == 2 and text.isupper())
    except NotInTheList:
        return False


_SIGNS: Mapping[Column, Callable[[str], bool]] = {  # the name last: nearly every text could be one
    Column.EMAIL: lambda text: "@" in text and " " not in text,
    Column.VAT_NUMBER: lambda text: _VAT_NUMBER.fullmatch(text) is not None,
    Column.COMPANY_NUMBER: lambda text: _COMPANY_NUMBER.fullmatch(text) is not None,
    Column.LANGUAGE: _is_language,
    Column.COUNTRY: lambda text: columns.country(text) in invitations.countries(),
    Column.NAME: lambda text: _NAME.fullmatch(text) is not None,
}
