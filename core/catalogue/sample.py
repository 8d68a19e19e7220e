"""The catalogue that ships: sample data (rule 15), read from the file that also shows how one is written."""

from dataclasses import replace
from datetime import date
from pathlib import Path

from core.catalogue.file import from_toml
from core.catalogue.rules import Catalogue

_FILE = Path(__file__).parent / "sample.toml"

EXAMPLE = _FILE.read_text(encoding="utf-8")
_READ = from_toml(EXAMPLE.encode())
_PRICES = replace(_READ.prices, number=1)
SAMPLE = replace(_READ, edition=1, is_sample=True, prices=_PRICES, price_lists=(_PRICES,))
_STEP = 50  # cents: the prices to come are multiples of it


def dearer_sample(valid_from: date, renewals_from: date) -> Catalogue:
    """The sample with a second price list, from these days on: the plans that are sold cost five per cent more."""
    prices = {
        (code, period): cents if SAMPLE.plans[code].is_retired else -(-cents * 21 // (20 * _STEP)) * _STEP
        for (code, period), cents in _PRICES.plan_prices.items()
    }
    to_come = replace(_PRICES, number=2, valid_from=valid_from, renewals_from=renewals_from, plan_prices=prices)
    return replace(SAMPLE, prices=to_come, price_lists=(_PRICES, to_come))
