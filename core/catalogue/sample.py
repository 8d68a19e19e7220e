"""The catalogue that ships: sample data (rule 15), read from the file that also shows how one is written."""

from dataclasses import replace
from pathlib import Path

from core.catalogue.file import from_toml

_FILE = Path(__file__).parent / "sample.toml"

EXAMPLE = _FILE.read_text(encoding="utf-8")
_READ = from_toml(EXAMPLE.encode())
_PRICES = replace(_READ.prices, number=1)
SAMPLE = replace(_READ, edition=1, is_sample=True, prices=_PRICES, price_lists=(_PRICES,))
