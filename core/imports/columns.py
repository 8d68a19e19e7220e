"""What the cells of an import's columns say, and the template that shows them."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from re import compile as pattern
from typing import Any, TypeVar

from babel import Locale
from babel.core import get_global

from core import invitations
from core.catalogue import Catalogue, Item
from core.defaults import Sets, set_called
from core.imports.headings import short
from core.imports.vocabulary import COUNTRIES, LANGUAGES, NO_ADD_ONS, TERMS, Column, key, keys
from core.members import Member, can_be_responsible
from core.words import LANGUAGES as NAMES_OF_LANGUAGES
from core.words import (
    N_,
    BillingError,
    Payer,
    ResponsibleAmbiguous,
    ResponsibleUnknown,
    ResponsibleWithoutAccess,
    Setting,
    fold,
    t,
)
from core.words import language as readers_language

T = TypeVar("T")

_LOCALE = pattern(r"([A-Za-z]{2})[-_][A-Za-z]{2}")
_BESIDE = pattern(r"\s[-–—]\s|[()\[\]/,;:|]")  # between the letters of a country and its name
_LETTERS = (pattern(r"([A-Za-z]{2,3})[\s–—-]+(.+)"), pattern(r"(.+?)[\s–—-]+([A-Za-z]{2,3})"))
_SEPARATORS = pattern(r"[;\n]")
_BLANKS = frozenset({"", "-", "--", "–", "—", "/", ".", "n/a", "s.o.", "n.v.t."})  # what people type for a blank
_LONGER = 7  # characters: each of these is shorter, and most cells are not


class NotInTheList(BillingError, ValueError):
    """A cell's text is none of the words that its column may hold."""

    sentence = N_("“{text}” is none of: {words}.")

    def __init__(self, text: str, words: Iterable[object]) -> None:
        super().__init__(text=short(text), words=tuple(words))


def value_reader(setting: Setting, offer: Catalogue) -> Callable[[str], Any]:
    """What reads a cell of this setting's column: its value, or None for a blank cell. It raises NotInTheList."""
    match setting:
        case Setting.PLAN:
            return partial(plan, offer=offer)
        case Setting.ADD_ONS:
            return partial(add_ons, offer=offer)
    return partial(_chosen, words=TERMS[setting])


def language(text: str) -> str | None:
    """The code of a language, "fr", "nl" or "en"; None when the cell is blank. Raises NotInTheList."""
    locale = _LOCALE.fullmatch(text.strip())
    return _chosen(locale[1] if locale else text, LANGUAGES)


def words_to_pick(column: Column, offer: Catalogue) -> list[str]:
    """What a cell of this column may say, in the reader's language; nothing where that is no short list."""
    if column is Column.LANGUAGE:
        return list(NAMES_OF_LANGUAGES.values())
    if column is Column.PLAN:
        return [str(plan) for plan in offer.plans.values() if not plan.is_retired]
    return next(([term.label for term in words] for setting, words in TERMS.items() if setting.value == column), [])


def responsible(text: str, colleagues: Iterable[Member]) -> int | None:
    """The number of the member who goes by this e-mail or name and can look after clients; None when the cell is blank.

    Of several with one name only those count who can. Raises ResponsibleUnknown, ResponsibleAmbiguous,
    ResponsibleWithoutAccess.
    """
    if not text.strip():
        return None
    email, name = text.strip().lower(), fold(text)
    everybody = list(colleagues)
    found = [each for each in everybody if each.email.lower() == email]
    found = found or [each for each in everybody if fold(each.name) == name]
    if not found:
        raise ResponsibleUnknown(who=short(text))
    able = [each for each in found if can_be_responsible(each)]
    if not able:
        raise ResponsibleWithoutAccess(name=found[0].name)
    if len(able) > 1:
        raise ResponsibleAmbiguous(who=short(text))
    return able[0].member_id


def default_set(text: str, sets: Sets) -> int | None:
    """The number of the default set that goes by this name, compared without case and accents; None when the cell is
    blank. Raises UnknownSet, RetiredSet (rule 18)."""
    return set_called(sets, text).set_number if text.strip() else None


def plan(text: str, offer: Catalogue) -> str | None:
    """The code of a plan, retired ones too; None when the cell is blank. Raises NotInTheList."""
    return _item(text, offer.plans) if text.strip() else None


def add_ons(text: str, offer: Catalogue) -> frozenset[str] | None:
    """The codes of add-ons, an empty set for "none"; None when the cell is blank. They are separated by semicolons or
    line breaks; by commas where no name of an add-on has one.

    Raises NotInTheList, also for "none" beside an add-on.
    """
    words = [word for word in _SEPARATORS.split(text) if word.strip()]
    if not words:
        return None
    if len(words) == 1 and key(words[0]) in keys(NO_ADD_ONS):
        return frozenset()
    return frozenset(code for word in words for code in _items(word, offer.add_ons))


def country(text: str) -> str:
    """The code of a country (ISO 3166 alpha-2), from its two or three letters, its name in English, French or Dutch, or
    several of these that agree ("BE - Belgium"); what is none stays as it is, and is refused with the client."""
    for parts in _said_of_a_country(text):
        found = {_country_of(part) for part in parts if part.strip()}
        if len(found) == 1 and (only := found.pop()) is not None:
            return only
    return text.strip().upper()


def countries() -> dict[str, str]:
    """The name of each country in the reader's language (in English, where that has none), by its code, in the order of
    the names."""
    territories = {**Locale("en").territories, **Locale(readers_language()).territories}
    names = {code: str(territories[code]) for code in invitations.countries()}
    return dict(sorted(names.items(), key=lambda each: fold(each[1])))


def is_blank(text: str) -> bool:
    """Whether a cell says nothing: empty, or one of the signs that people type for it."""
    return len(text) < _LONGER and text.strip().casefold() in _BLANKS


def template(
    offer: Catalogue, responsible: str = "", default_set: str | None = None
) -> tuple[list[str], list[list[str]]]:
    """Headings in the reader's language and three example rows: the defaults, everything chosen (`responsible` is the
    e-mail of an account manager, `default_set` the name of a set; None: there is no such column, as there is one set
    only), and no add-ons."""
    chosen = next((plan for plan in offer.plans.values() if not plan.is_retired and plan.add_ons), None)
    offered = [add_on for code, add_on in offer.add_ons.items() if chosen is not None and code in chosen.add_ons]
    kept = "; ".join(str(add_on) for add_on in offered if not add_on.is_retired)
    rows: list[dict[Column, str]] = [
        {Column.NAME: "Aubry & Fils", Column.COUNTRY: "BE", Column.EMAIL: "aubry@example.com"},
        {
            Column.NAME: "Brasserie du Parc",
            Column.COUNTRY: "BE",
            Column.EMAIL: "brasserie@example.com",
            Column.FIRST_NAME: "Léa",
            Column.LAST_NAME: "Dubois",
            Column.LANGUAGE: "fr-BE",
            Column.COMPANY_NUMBER: "0471730202",
            Column.VAT_NUMBER: "BE0471730202",
            Column.EXTERNAL_REFERENCE: "A-1042",
            **{Column(setting.value): next(iter(setting.terms)).label for setting in Setting if setting.terms},
            Column.RESPONSIBLE: responsible,
            Column.DEFAULT_SET: default_set or "",
            Column.PAYER: Payer.CLIENT.label,
            Column.PLAN: "" if chosen is None else str(chosen),
            Column.ADD_ONS: kept,
        },
        {
            Column.NAME: "Cordier Consulting",
            Column.COUNTRY: "BE",
            Column.EMAIL: "cordier@example.com",
            Column.COMPANY_NUMBER: "1000003682",
            Column.ADD_ONS: t("none"),
        },
    ]
    columns = [column for column in Column if column is not Column.DEFAULT_SET or default_set is not None]
    return [column.label for column in columns], [[row.get(column, "") for column in columns] for row in rows]


def _chosen(text: str, words: Mapping[T, str]) -> T | None:
    if not text.strip():
        return None
    wanted = key(text)
    for value, accepted in words.items():
        if wanted in keys(accepted):
            return value
    raise NotInTheList(text, words)


def _items(text: str, items: Mapping[str, Item]) -> Iterator[str]:
    """The codes of the items that the text names: one, or several between commas."""
    try:
        yield _item(text, items)
    except NotInTheList:
        words = [word for word in text.split(",") if word.strip()]
        if len(words) < 2:
            raise
        yield from [_item(word, items) for word in words]


def _item(text: str, items: Mapping[str, Item]) -> str:
    """The code of the item of this code or name. What differs in a sign only ("Pro", "Pro+") is not the same."""
    wanted = key(text)
    found = [item for item in items.values() if wanted in {key(word) for word in (item.code, *item.names.values())}]
    exact = [item for item in found if fold(text) in {fold(word) for word in (item.code, *item.names.values())}]
    if len(found) == 1 or len(exact) == 1:
        return (exact or found)[0].code
    raise NotInTheList(text, (item for item in items.values() if not item.is_retired))


def _said_of_a_country(text: str) -> Iterator[Sequence[str]]:
    """What a cell may say of one country: one thing, several with signs between them, or its letters and its name."""
    yield (text,)
    yield _BESIDE.split(text)
    for letters_and_name in _LETTERS:
        if (both := letters_and_name.fullmatch(text.strip())) is not None:
            yield both.groups()


def _country_of(text: str) -> str | None:
    letters = text.strip().upper()
    found = COUNTRIES.get(letters) or _country_names().get(key(text)) or _three_letters().get(letters)
    return found or (letters if letters in invitations.countries() else None)


@lru_cache(maxsize=1)
def _three_letters() -> dict[str, str]:
    """The code of each country by its three letters (ISO 3166 alpha-3)."""
    known = get_global("territory_aliases").items()
    aliases = {letters: str(codes[0]) for letters, codes in known if len(codes) == 1}
    return {letters: code for letters, code in aliases.items() if len(letters) == 3 and letters.isalpha()}


@lru_cache(maxsize=1)
def _country_names() -> dict[str, str]:
    return {
        key(name): str(code)
        for spoken in ("en", "fr", "nl")
        for code, name in Locale(spoken).territories.items()
        if len(code) == 2 and code.isalpha()
    }
