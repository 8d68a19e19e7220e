"""The headings of a list understood: which of its columns means what, of itself or as somebody says."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from core.imports.vocabulary import BESIDE_A_FIRST_NAME, HEADINGS, Column, key, keys
from core.words import N_, BillingError, one_line

FOUND_BY = 2  # headings that are known, from which on a row is the headings of a list of clients


class ColumnsNotFound(BillingError):
    """The headings lack `missing`; `found` are those there are."""

    sentence = N_("No column was recognised as: {missing}. The headings found are: {found}. Say which column is which.")

    def __init__(self, *, missing: tuple[Column, ...], found: tuple[str, ...]) -> None:
        super().__init__(missing=missing, found=tuple(short(heading) for heading in found))
        self.missing = missing


class SameColumnTwice(BillingError):
    """Two headings mean the same column."""

    sentence = N_("“{first}” and “{second}” both mean: {column}. Say which one to take.")


class NoSuchHeading(BillingError):
    """A column was said to be under a heading that the list does not have."""

    sentence = N_("This list has no heading “{heading}”. Its headings are: {found}.")


class HeadingTwice(BillingError):
    """One column of the list was said to be two of ours."""

    sentence = N_("“{heading}” is chosen for {first} and for {second}. Choose another column for one of them.")


Said = Mapping[Column, str | int]  # the heading of a column or its place from 0; "" for one that is not to be read


@dataclass(frozen=True, slots=True)
class Columns:
    """Where the columns are, by index; and the headings that are not used."""

    places: Mapping[Column, int]
    unused: tuple[str, ...]


def recognise(headings: Sequence[str], said: Said | None = None) -> Columns:
    """The columns that these headings mean, in any order. `said` counts over what is known of itself.

    Of several headings for one column the one that says it best is taken ("Raison sociale" before "Nom"), and the
    others are unused.
    Raises SameColumnTwice where two say it equally well, NoSuchHeading, HeadingTwice, ColumnsNotFound without a name or
    an e-mail.
    """
    said = {} if said is None else said
    places = _places_said(headings, said)
    for column, free in _free_candidates(headings, places, said):
        first, *others = free
        if others and _rank(headings[others[0]]) == _rank(headings[first]):
            first, second = sorted((first, others[0]))
            raise SameColumnTwice(first=short(headings[first]), second=short(headings[second]), column=column)
        places[column] = first
    _last_name_beside_a_first(headings, places, said)
    if missing := tuple(column for column in (Column.NAME, Column.EMAIL) if column not in places):
        raise ColumnsNotFound(missing=missing, found=tuple(heading for heading in headings if heading.strip()))
    used = set(places.values())
    unused = (heading for index, heading in enumerate(headings) if index not in used and heading.strip())
    return Columns(dict(sorted(places.items(), key=lambda place: place[1])), tuple(unused))


def best_places(headings: Sequence[str]) -> dict[Column, int]:
    """Where the columns are as far as these headings say, by index: the first where several say it equally well."""
    places: dict[Column, int] = {}
    for column, (first, *_) in _free_candidates(headings, places, {}):
        places[column] = first
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
    headings: Sequence[str], places: Mapping[Column, int], said: Said
) -> Iterator[tuple[Column, list[int]]]:
    """The columns of which nothing is said, each with the places that mean it and are no other column's."""
    for column, candidates in _candidates(headings).items():
        if column not in said and (free := [index for index in candidates if index not in places.values()]):
            yield column, free


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
