"""The catalogue that ships. It is sample data (rule 15): plans, add-ons and prices made up for demonstration."""

from core.catalogue.rules import AddOn, Catalogue, Plan
from core.words import BillingPeriod

MONTHLY, YEARLY = BillingPeriod.MONTHLY, BillingPeriod.YEARLY

_PLANS = [
    Plan("starter", {"en": "Starter", "fr": "Starter"}, add_ons=frozenset({"bank_feeds", "e_invoicing"})),
    Plan(
        "standard",
        {"en": "Standard", "fr": "Standard"},
        add_ons=frozenset({"bank_feeds", "e_invoicing", "document_scanning", "fixed_assets"}),
    ),
    Plan(
        "plus",
        {"en": "Plus", "fr": "Plus"},
        add_ons=frozenset({"bank_feeds", "e_invoicing", "document_scanning", "fixed_assets", "payroll"}),
    ),
    Plan(
        "premium",
        {"en": "Premium", "fr": "Premium"},
        add_ons=frozenset({"bank_feeds", "e_invoicing", "document_scanning", "payroll", "multi_currency"}),
    ),
    Plan(
        "classic",
        {"en": "Classic", "fr": "Classique"},
        is_retired=True,
        add_ons=frozenset({"bank_feeds", "document_scanning"}),
    ),
]
_ADD_ONS = [
    AddOn("bank_feeds", {"en": "Bank feeds", "fr": "Flux bancaires"}),
    AddOn("e_invoicing", {"en": "E-invoicing", "fr": "Facturation électronique"}),
    AddOn("document_scanning", {"en": "Document scanning", "fr": "Numérisation de documents"}),
    AddOn("fixed_assets", {"en": "Fixed assets", "fr": "Immobilisations"}),
    AddOn("payroll", {"en": "Payroll", "fr": "Paie"}),
    AddOn("multi_currency", {"en": "Multi-currency", "fr": "Multidevise"}),
]
_PLAN_CENTS: dict[str, tuple[int, int | None]] = {  # a month, a year (None: monthly only)
    "starter": (900, None),
    "standard": (1900, 19000),
    "plus": (3400, 35000),
    "premium": (5900, 59000),
    "classic": (1500, 15000),
}
_ADD_ON_CENTS: dict[str, tuple[int, int | None]] = {
    "bank_feeds": (500, 5000),
    "e_invoicing": (300, 3000),
    "document_scanning": (700, 7500),
    "fixed_assets": (400, 4000),
    "payroll": (1200, 12500),
    "multi_currency": (600, None),
}


def _prices(cents: dict[str, tuple[int, int | None]]) -> dict[tuple[str, BillingPeriod], int]:
    monthly = {(code, MONTHLY): month for code, (month, _) in cents.items()}
    yearly = {(code, YEARLY): year for code, (_, year) in cents.items() if year is not None}
    return monthly | yearly


SAMPLE = Catalogue(
    edition=1,
    is_sample=True,
    currency="EUR",
    plans={plan.code: plan for plan in _PLANS},
    add_ons={add_on.code: add_on for add_on in _ADD_ONS},
    plan_prices=_prices(_PLAN_CENTS),
    add_on_prices=_prices(_ADD_ON_CENTS),
)
