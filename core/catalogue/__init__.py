"""What is sold: plans, add-ons and their prices; what may be combined, what may be newly chosen, what a choice costs;
the edition of it that is stored, the file that an operator loads, and the sample that ships."""

from core.catalogue.comparison import CatalogueChange, ChangeKind, compared, completed
from core.catalogue.file import MAX_BYTES, CatalogueFileRefused, as_toml, from_toml, reading_the_same
from core.catalogue.rules import AddOn, Catalogue, Item, Plan, Price, monthly_cents
from core.catalogue.sample import EXAMPLE, SAMPLE
from core.catalogue.stored import currencies, current, sold_in, store, stored, take_turn
from core.catalogue.tables import AddOnRow, CatalogueEdition
