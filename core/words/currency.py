"""Which currencies the product can bill in: those of ISO 4217 in use that have cents (rule 44)."""

from functools import lru_cache

from babel.core import get_global
from babel.numbers import get_currency_precision

from core.words.language import N_

NO_CURRENCY = N_("“{currency}” is no currency in use. Give its three letters by ISO 4217, such as EUR or GBP.")
WITHOUT_CENTS = N_(
    "{currency} has other than two decimals, which the product cannot bill in yet. Choose another currency."
)


def currency_refusal(currency: str) -> str | None:
    """Why this cannot be a currency of the product, to be said with `currency`, untranslated; None where it can."""
    if currency not in _in_use():
        return NO_CURRENCY
    return None if get_currency_precision(currency) == 2 else WITHOUT_CENTS


@lru_cache
def _in_use() -> frozenset[str]:
    """The codes that are legal tender somewhere today."""
    territories = get_global("territory_currencies").values()
    return frozenset(code for used in territories for code, _, until, tender in used if tender and until is None)
