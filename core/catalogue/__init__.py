"""What is sold: plans, add-ons and the price lists, each from a day on; what may be combined, what may be newly chosen,
what a choice costs; the edition of it that is stored, the file that is loaded, and the sample that ships."""

from core.catalogue.comparison import CatalogueChange, ChangeKind, compared, completed, repriced
from core.catalogue.file import MAX_BYTES, CatalogueFileRefused, as_toml, from_toml, reading_the_same
from core.catalogue.price_lists import FIRST_DAY, PriceList, following, in_force
from core.catalogue.rules import AddOn, Catalogue, Item, Plan, Price, monthly_cents
from core.catalogue.sample import EXAMPLE, SAMPLE, dearer_sample
from core.catalogue.stored import (
    Loaded,
    altered,
    currencies,
    current,
    last_number,
    latest_today,
    loaded,
    sold_in,
    store,
    stored,
    take_turn,
    today,
)
from core.catalogue.tables import AddOnRow, CatalogueEdition, PriceListRow
