"""The reader's language: sentences, numbers, money and dates as they read them.

English sentences in the code are the keys; `locales/<language>/LC_MESSAGES/messages.po` holds the others. The language
and the time zone belong to whoever reads now (`speak`), so a sentence is put together when it is shown, not when it is
raised.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from gettext import NullTranslations
from io import BytesIO
from pathlib import Path
from zoneinfo import ZoneInfo

from babel.core import negotiate_locale
from babel.dates import format_date, format_datetime
from babel.lists import format_list
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_currency, format_decimal
from babel.support import Translations

LANGUAGES = {"en": "English", "fr": "Français", "nl": "Nederlands"}
_LOCALES = {"en": "en_GB", "fr": "fr_BE", "nl": "nl_BE"}  # how numbers and dates are written in that language
_CATALOGS = Path(__file__).parent / "locales"

_language: ContextVar[str] = ContextVar("language", default="en")
_time_zone: ContextVar[str] = ContextVar("time_zone", default="UTC")


def speak(language: str, time_zone: str = "UTC") -> None:
    """From now on this thread's sentences are in `language`, its instants shown in `time_zone`."""
    _language.set(language if language in LANGUAGES else "en")
    _time_zone.set(time_zone)


@contextmanager
def spoken(language: str, time_zone: str | None = None) -> Iterator[None]:
    """Within the block the sentences are in `language`, and instants in `time_zone` (None: as before): a message is
    written in its reader's."""
    before = _language.set(language if language in LANGUAGES else "en")
    zone_before = _time_zone.set(_time_zone.get() if time_zone is None else time_zone)
    try:
        yield
    finally:
        _language.reset(before)
        _time_zone.reset(zone_before)


def language() -> str:
    """The language spoken now."""
    return _language.get()


def best_language(*wanted: str | None) -> str:
    """The first of the wanted locales ("fr-BE", "nl", None) that is spoken, else English."""
    return negotiate_locale([w.lower().replace("-", "_") for w in wanted if w], list(LANGUAGES)) or "en"


def N_(sentence: str) -> str:  # noqa: N802 - the name gettext tools look for
    """Mark a sentence for translation where it cannot be translated yet."""
    return sentence


def t(sentence: str, /, **values: object) -> str:
    """The sentence in the reader's language, its {values} written the reader's way."""
    said = _translations(language()).gettext(sentence)
    return said.format(**{name: shown(value) for name, value in values.items()}) if values else said


def nt(singular: str, plural: str, count: int, /, **values: object) -> str:
    """The sentence for `count` things; {count} is written the reader's way."""
    sentence = _translations(language()).ngettext(singular, plural, count)
    return sentence.format(**{name: shown(value) for name, value in {"count": count, **values}.items()})


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in integer cents of a currency (ISO 4217)."""

    cents: int
    currency: str

    def __str__(self) -> str:
        return _money(self.cents, self.currency, language())


def shown(value: object) -> str:
    """Any value as the reader reads it; a term by its label."""
    if (label := getattr(value, "label", None)) is not None:
        return str(label)
    match value:
        case bool() | str():
            return str(value)
        case int():
            return number(value)
        case datetime():
            return moment(value)
        case date():
            return day(value)
        case frozenset():
            return listed(sorted(shown(v) for v in value))
        case tuple() | list():
            return listed(shown(v) for v in value)
    return str(value)


def number(value: int) -> str:
    """A whole number with the reader's grouping."""
    return _number(value, language())


def listed(words: Iterable[str]) -> str:
    """The words in order, joined as the reader joins a list."""
    return format_list(list(words), locale=_LOCALES[language()])


def local_day(instant: datetime) -> date:
    """The calendar day of an instant, in the time zone of the partner."""
    return instant.astimezone(_zone(_time_zone.get())).date()


def end_of_day(chosen: date) -> datetime:
    """The last microsecond (UTC) of a calendar day in the time zone of the partner."""
    return datetime(
        chosen.year, chosen.month, chosen.day, 23, 59, 59, 999999, _zone(_time_zone.get()), fold=1
    ).astimezone(UTC)


def day(value: date | datetime) -> str:
    """3 Mar 2026."""
    return _day(local_day(value) if isinstance(value, datetime) else value, language())


def moment(value: datetime) -> str:
    """3 Mar 2026, 09:41, in the time zone of the partner."""
    zone = _zone(_time_zone.get())
    return format_datetime(value.astimezone(zone), "d MMM y, HH:mm", locale=_LOCALES[language()])


@lru_cache(maxsize=4096)
def _number(value: int, language: str) -> str:
    return format_decimal(value, locale=_LOCALES[language])


@lru_cache(maxsize=4096)
def _day(value: date, language: str) -> str:
    return format_date(value, "d MMM y", locale=_LOCALES[language])


@lru_cache(maxsize=4096)
def _money(cents: int, currency: str, language: str) -> str:
    return format_currency(Decimal(cents) / 100, currency, locale=_LOCALES[language])


@lru_cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


@lru_cache
def _translations(language: str) -> NullTranslations:
    path = _CATALOGS / language / "LC_MESSAGES" / "messages.po"
    if not path.exists():
        return NullTranslations()
    compiled = BytesIO()
    with path.open("rb") as file:
        write_mo(compiled, read_po(file, locale=language))
    compiled.seek(0)
    return Translations(compiled)
