"""What is sold: plans, add-ons and their prices; what may be combined, what may be newly chosen, what a choice costs;
the edition of it that is stored, and the sample that ships."""

from core.catalogue.rules import AddOn, Catalogue, Item, Plan, Price, monthly_cents
from core.catalogue.sample import SAMPLE
from core.catalogue.stored import currencies, current, store
from core.catalogue.tables import AddOnRow, CatalogueEdition
