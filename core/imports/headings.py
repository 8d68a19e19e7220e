"""The headings of a list understood: which of its columns means what, of itself or as somebody says."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from core.imports.vocabulary import BESIDE_A_FIRST_NAME, HEADINGS, Column, key, keys
from core.words import N_, BillingError, one_line


class ColumnsNotFound(BillingError):
    """The headings lack `missing`; `found` are those there are."""

    sentence = N_("No column was recognised as: {missing}. The headings found are: {found}. Say which column is which.")

    def __init__(self, *, missing: tuple[Column, ...], found: tuple[str, ...]) -> None:
        super().__init__(missing=missing, found=tuple(short(heading) for heading in found))
        self.missing = missing


class SameColumnTwice(BillingError):
    """Two headings mean the same column."""

    sentence = N_("“{first}” and “{second}” both mean: {column}. Say which one to take.")


class HardlyFilled(SameColumnTwice):
    """Two headings mean the same column, and hardly anything stands under the one that says it best."""

    sentence = N_(
        "“{first}” is empty or repeats itself in many rows, and “{second}” means the same: {column}. "
        "Say which one to take."
    )


class NoSuchHeading(BillingError):
    """A column was said to be under a heading that the list does not have."""

    sentence = N_("This list has no heading “{heading}”. Its headings are: {found}.")


class HeadingTwice(BillingError):
    """One column of the list was said to be two of ours."""

    sentence = N_("“{heading}” is chosen for {first} and for {second}. Choose another column for one of them.")


Said = Mapping[Column, str | int]  # the heading of a column or its place from 0; "" for one that is not to be read
Values = Callable[[int], Sequence[str]]  # what the rows say in the column at this place, blanks left out

_MOSTLY = 0.6  # of the rows, which have to have a name of their own


@dataclass(frozen=True, slots=True)
class Columns:
    """Where the columns are, by index; and the headings that are not used."""

    places: Mapping[Column, int]
    unused: tuple[str, ...]


def recognise(
    headings: Sequence[str], said: Said | None = None, *, values: Values | None = None, rows: int = 0
) -> Columns:
    """The columns that these headings mean, in any order. `said` counts over what is known of itself.

    Of several headings for one column the one that says it best is taken ("Raison sociale" before "Nom"), and the
    others are unused; one with nothing below it says nothing, as far as `values` of so many `rows` tell.
    Raises SameColumnTwice where two say it equally well, or HardlyFilled where another one has more below it;
    NoSuchHeading, HeadingTwice, ColumnsNotFound without a name or an e-mail.
    """
    said = {} if said is None else said
    places = _places_said(headings, said)
    for column, free in _free_candidates(headings, places, said, values):
        first, *others = free
        if others and _rank(headings[others[0]]) == _rank(headings[first]):
            first, second = sorted((first, others[0]))
            raise SameColumnTwice(first=short(headings[first]), second=short(headings[second]), column=column)
        if (fuller := _fuller(column, free, values, rows)) is not None:
            raise HardlyFilled(first=short(headings[first]), second=short(headings[fuller]), column=column)
        places[column] = first
    _last_name_beside_a_first(headings, places, said)
    if missing := tuple(column for column in (Column.NAME, Column.EMAIL) if column not in places):
        raise ColumnsNotFound(missing=missing, found=tuple(heading for heading in headings if heading.strip()))
    used = set(places.values())
    unused = (heading for index, heading in enumerate(headings) if index not in used and heading.strip())
    return Columns(dict(sorted(places.items(), key=lambda place: place[1])), tuple(unused))


def best_places(headings: Sequence[str], *, values: Values, rows: int) -> dict[Column, int]:
    """Where the columns are as far as these headings say, by index: the first where several say it equally well, the
    one with more below it where hardly anything stands under the one that says it best."""
    places: dict[Column, int] = {}
    for column, free in _free_candidates(headings, places, {}, values):
        fuller = _fuller(column, free, values, rows)
        places[column] = free[0] if fuller is None else fuller
    _last_name_beside_a_first(headings, places, {})
    return places


def said_over(said: Said, before: Said, headings: Sequence[str]) -> Said:
    """What is said now, and of what was said before all that it leaves open. Raises NoSuchHeading, HeadingTwice."""
    taken = _places_said(headings, said).values()
    open_still = {column: place for column, place in before.items() if place == "" or place not in taken}
    return {**open_still, **said}


def recognised_count(headings: Iterable[str]) -> int:
    """How many different columns these headings mean."""
    known = _known()
    return len({known[found][0] for heading in headings if (found := key(heading)) in known})


def short(text: str) -> str:
    """The text as a sentence names it: on one line, its beginning."""
    said = one_line(text[:400])
    return said if len(said) <= 60 else f"{said[:59]}…"


def _candidates(headings: Sequence[str]) -> dict[Column, list[int]]:
    """For each column the places of the headings that mean it, the best first."""
    found: dict[Column, list[int]] = {}
    for index, heading in enumerate(headings):
        if (known := _known().get(key(heading))) is not None:
            found.setdefault(known[0], []).append(index)
    return {column: sorted(places, key=lambda place: _rank(headings[place])) for column, places in found.items()}


def _free_candidates(
    headings: Sequence[str], places: Mapping[Column, int], said: Said, values: Values | None
) -> Iterator[tuple[Column, list[int]]]:
    """The columns of which nothing is said, each with the places that mean it and are no other column's; places with
    nothing below them only where all are so."""
    every = _candidates(headings)
    beside = keys(BESIDE_A_FIRST_NAME) if Column.FIRST_NAME in every and Column.LAST_NAME not in every else frozenset()
    for column, candidates in every.items():
        if column not in said and (free := [index for index in candidates if index not in places.values()]):
            if len(free) > 1 and beside:  # "Nom" is the person's, where a heading says the client's name otherwise
                free = [index for index in free if key(headings[index]) not in beside] or free
            yield column, [index for index in free if values is None or values(index)] or free


def _fuller(column: Column, free: Sequence[int], values: Values | None, rows: int) -> int | None:
    """The place that has more of this column below it, where the one that says it best has hardly anything; else None.

    A name is hardly there where most rows have none of their own: in a list of contacts, "Company" is the firm that
    they work for, or that which keeps the list. Anything else is, where another place says it twice as often.
    """
    if values is None or len(free) < 2:
        return None
    said = {place: len(set(values(place)) if column is Column.NAME else values(place)) for place in free}
    fullest = max(free, key=lambda place: said[place])
    enough = min(_MOSTLY * rows, said[fullest]) if column is Column.NAME else said[fullest] / 2
    return fullest if said[free[0]] < enough else None


def _places_said(headings: Sequence[str], said: Said) -> dict[Column, int]:
    places: dict[Column, int] = {}
    for column, heading in said.items():
        if heading == "":
            continue
        place = _place(heading, headings)
        if place in places.values():
            first = next(each for each, taken in places.items() if taken == place)
            raise HeadingTwice(heading=short(headings[place]), first=first, second=column)
        places[column] = place
    return places


def _last_name_beside_a_first(headings: Sequence[str], places: dict[Column, int], said: Said) -> None:
    if Column.FIRST_NAME not in places or Column.LAST_NAME in places or Column.LAST_NAME in said:
        return
    used = set(places.values())
    for index, heading in enumerate(headings):
        if index not in used and key(heading) in keys(BESIDE_A_FIRST_NAME):
            places[Column.LAST_NAME] = index
            return


def _place(wanted: str | int, headings: Sequence[str]) -> int:
    if isinstance(wanted, int):
        return wanted
    for index, heading in enumerate(headings):
        if heading.strip() == wanted.strip():
            return index
    for index, heading in enumerate(headings):
        if key(heading) == key(wanted) != "":
            return index
    raise NoSuchHeading(heading=short(wanted), found=tuple(short(heading) for heading in headings if heading.strip()))


def _rank(heading: str) -> int:
    return _known()[key(heading)][1]


@lru_cache(maxsize=1)
def _known() -> dict[str, tuple[Column, int]]:
    """What each known heading means, and how well it says so: 0 is best."""
    known = {
        each: (column, rank)
        for column, ranks in HEADINGS.items()
        for rank, words in enumerate(ranks)
        for each in keys(words)
    }
    return {key(column.value): (column, len(HEADINGS[column])) for column in Column} | known
