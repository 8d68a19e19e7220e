"""The columns of an import, the headings they go by, and the words their cells may hold."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from re import compile as pattern
from typing import Any, TypeVar

from core.catalogue import Catalogue, Item
from core.defaults import Sets, set_called
from core.members import Member, can_be_responsible
from core.words import (
    N_,
    BillingError,
    BillingPeriod,
    Payer,
    ResponsibleAmbiguous,
    ResponsibleUnknown,
    ResponsibleWithoutAccess,
    Setting,
    Term,
    fold,
    one_line,
    t,
)

T = TypeVar("T")


class Column(Term):
    """What a column of an import holds; name, country and e-mail are required of every client."""

    NAME = "name", N_("Name")
    COUNTRY = "country", N_("Country")
    EMAIL = "email", N_("E-mail")
    FIRST_NAME = "first_name", N_("First name")
    LAST_NAME = "last_name", N_("Last name")
    LANGUAGE = "language", N_("Language")
    COMPANY_NUMBER = "company_number", N_("Company number")
    VAT_NUMBER = "vat_number", N_("VAT number")
    EXTERNAL_REFERENCE = "external_reference", N_("External reference")
    MESSAGE = "message", N_("Message")
    RESPONSIBLE = "responsible", N_("Account manager")
    DEFAULT_SET = "default_set", N_("Default set")
    PAYER = "payer", N_("Paid by")
    BILLING_PERIOD = "billing_period", N_("Billing period")
    PLAN = "plan", N_("Subscription")
    ADD_ONS = "add_ons", N_("Add-ons")


REQUIRED = frozenset({Column.NAME, Column.COUNTRY, Column.EMAIL})

_HEADINGS = {  # comma separated, in English and then in French; compared by `_key`
    Column.NAME: "name, legal name, company, company name, client, client name, customer, customer name, organisation, "
    "organization, nom, nom légal, raison sociale, dénomination, dénomination sociale, société, entreprise, "
    "nom du client, nom de la société, nom de l'entreprise",
    Column.COUNTRY: "country, country code, country (ISO 3166 alpha-2), country ISO, "
    "pays, code pays, pays (ISO 3166 alpha-2), code du pays",
    Column.EMAIL: "e-mail, e-mail address, mail, contact e-mail, contact email address, client e-mail, "
    "courriel, adresse e-mail, adresse mail, adresse courriel, adresse électronique, e-mail du contact, "
    "e-mail contact, courriel du contact",
    Column.FIRST_NAME: "first name, contact first name, given name, forename, "
    "prénom, prénom du contact, prénom contact",
    Column.LAST_NAME: "last name, contact last name, surname, family name, "
    "nom de famille, nom du contact, nom de famille du contact, nom contact",
    Column.LANGUAGE: "language, contact language, language of the client, locale, "
    "langue, langue du contact, langue du client, langue contact",
    Column.COMPANY_NUMBER: "company number, company no, enterprise number, registration number, company registration "
    "number, CBE, CBE number, BCE, KBO, numéro d'entreprise, n° d'entreprise, numéro entreprise, numéro BCE, n° BCE, "
    "BCE/KBO, ondernemingsnummer",
    Column.VAT_NUMBER: "VAT number, VAT, VAT no, VAT ID, TVA, numéro de TVA, n° TVA, n° de TVA, numéro TVA, BTW",
    Column.EXTERNAL_REFERENCE: "external reference, reference, ref, external ID, your reference, our reference, "
    "référence, référence externe, réf, réf externe, notre référence",
    Column.MESSAGE: "message, message (optional), personal message, invitation message, "
    "message (facultatif), message personnel, message d'invitation",
    Column.RESPONSIBLE: "account manager, account manager's e-mail, client manager, managed by, looked after by, "
    "relationship manager, responsable, responsable du client, responsable du dossier, responsable client, "
    "gestionnaire, gestionnaire de dossier, gestionnaire du dossier, gestionnaire de clients, suivi par",
    Column.DEFAULT_SET: "default set, set, defaults, default settings, modèle, modèle de paramètres, "
    "paramètres par défaut",
    Column.PAYER: "payer, paid by, who pays, billed to, payeur, payé par, qui paie, facturé à",
    Column.BILLING_PERIOD: "billing period, period, billing frequency, frequency, "
    "période, périodicité, période de facturation, fréquence, fréquence de facturation",
    Column.PLAN: "plan, subscription, subscription plan, package, abonnement, formule, forfait",
    Column.ADD_ONS: "add-ons, addon, options, option, extras, "
    "modules complémentaires, module complémentaire, modules, suppléments",
}
_DUTCH_HEADINGS = {
    Column.NAME: "naam, klant, klantnaam, naam van de klant, bedrijf, bedrijfsnaam, firma, firmanaam, vennootschap, "
    "onderneming, naam van de onderneming, organisatie, maatschappelijke naam, officiële naam",
    Column.COUNTRY: "land, landcode, land (ISO 3166 alpha-2)",
    Column.EMAIL: "e-mailadres, mailadres, e-mail van de contactpersoon, e-mailadres van de contactpersoon, "
    "e-mail klant",
    Column.FIRST_NAME: "voornaam, voornaam contact, voornaam contactpersoon, voornaam van de contactpersoon",
    Column.LAST_NAME: "familienaam, achternaam, familienaam contact, naam contactpersoon, naam van de contactpersoon, "
    "familienaam van de contactpersoon",
    Column.LANGUAGE: "taal, taalcode, taal van de klant, taal contact, taal van de contactpersoon",
    Column.COMPANY_NUMBER: "KBO-nummer, KBO/BCE, nummer van de onderneming",
    Column.VAT_NUMBER: "btw-nummer, btw nr, btw-nr, btw-identificatienummer",
    Column.EXTERNAL_REFERENCE: "referentie, externe referentie, onze referentie, uw referentie, klantreferentie",
    Column.MESSAGE: "bericht, bericht (optioneel), persoonlijk bericht, bericht bij de uitnodiging",
    Column.RESPONSIBLE: "dossierbeheerder, klantenbeheerder, verantwoordelijke, klantverantwoordelijke, beheerd door, "
    "opgevolgd door, relatiebeheerder",
    Column.PAYER: "betaald door, betaler, wie betaalt, gefactureerd aan",
    Column.BILLING_PERIOD: "facturatieperiode, facturatiefrequentie, frequentie, periodiciteit",
    Column.PLAN: "abonnementsformule, pakket",
    Column.DEFAULT_SET: "standaardset, standaardinstellingen",
    Column.ADD_ONS: "extra modules, extra module, aanvullende modules, opties",
}
_TERMS: dict[Setting, dict[Term, str]] = {  # the settings that are one of a few words
    Setting.PAYER: {
        Payer.PARTNER: "us, we, partner, the partner, nous, partenaire, le partenaire, ons, wij, kantoor, ons kantoor",
        Payer.CLIENT: "client, the client, customer, le client, klant, de klant",
    },
    Setting.BILLING_PERIOD: {
        BillingPeriod.MONTHLY: "monthly, month, per month, mensuelle, mensuel, mois, par mois, "
        "maandelijks, maand, per maand",
        BillingPeriod.YEARLY: "yearly, year, per year, annual, annually, annuelle, annuel, année, an, par an, "
        "jaarlijks, jaar, per jaar",
    },
}
_LANGUAGES = {
    "fr": "fr, French, français, Frans",
    "nl": "nl, Dutch, néerlandais, Nederlands",
    "en": "en, English, anglais, Engels",
}
_LOCALE = pattern(r"([A-Za-z]{2})[-_][A-Za-z]{2}")
_LONGEST = 200  # characters that are compared
_NONE = frozenset({"none", "aucun", "aucune", "geen"})


class ColumnsNotFound(BillingError):
    """The headings lack `missing`; `found` are those there are."""

    sentence = N_("No column was recognised as: {missing}. The headings found are: {found}. Correct the first row.")

    def __init__(self, *, missing: tuple[Column, ...], found: tuple[str, ...]) -> None:
        super().__init__(missing=missing, found=tuple(_short(heading) for heading in found))
        self.missing = missing


class SameColumnTwice(BillingError):
    """Two headings mean the same column."""

    sentence = N_("“{first}” and “{second}” both mean: {column}. Rename or remove one of these columns.")


class NotInTheList(BillingError, ValueError):
    """A cell's text is none of the words that its column may hold."""

    sentence = N_("“{text}” is none of: {words}.")

    def __init__(self, text: str, words: Iterable[object]) -> None:
        super().__init__(text=_short(text), words=tuple(words))


@dataclass(frozen=True, slots=True)
class Columns:
    """Where the columns are, by index; and the headings that are not used."""

    places: Mapping[Column, int]
    unused: tuple[str, ...]


def recognise(headings: Sequence[str]) -> Columns:
    """The columns that these headings mean, in any order.

    Raises SameColumnTwice, and ColumnsNotFound without a name or an e-mail.
    """
    places: dict[Column, int] = {}
    unused: list[str] = []
    for index, heading in enumerate(headings):
        column = _columns().get(_key(heading))
        if column is None:
            unused += [heading] if heading.strip() else []
        elif column in places:
            first = _short(headings[places[column]])
            raise SameColumnTwice(first=first, second=_short(heading), column=column)
        else:
            places[column] = index
    if missing := tuple(column for column in (Column.NAME, Column.EMAIL) if column not in places):
        raise ColumnsNotFound(missing=missing, found=tuple(heading for heading in headings if heading.strip()))
    return Columns(places, tuple(unused))


def recognised_count(headings: Sequence[str]) -> int:
    """How many different columns these headings mean."""
    known = _columns()
    return len({known[key] for heading in headings if (key := _key(heading)) in known})


def value_reader(setting: Setting, offer: Catalogue) -> Callable[[str], Any]:
    """What reads a cell of this setting's column: its value, or None for a blank cell. It raises NotInTheList."""
    match setting:
        case Setting.PLAN:
            return partial(plan, offer=offer)
        case Setting.ADD_ONS:
            return partial(add_ons, offer=offer)
    return partial(_chosen, words=_TERMS[setting])


def language(text: str) -> str | None:
    """The code of a language, "fr", "nl" or "en"; None when the cell is blank. Raises NotInTheList."""
    locale = _LOCALE.fullmatch(text.strip())
    return _chosen(locale[1] if locale else text, _LANGUAGES)


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
        raise ResponsibleUnknown(who=_short(text))
    able = [each for each in found if can_be_responsible(each)]
    if not able:
        raise ResponsibleWithoutAccess(name=found[0].name)
    if len(able) > 1:
        raise ResponsibleAmbiguous(who=_short(text))
    return able[0].member_id


def default_set(text: str, sets: Sets) -> int | None:
    """The number of the default set that goes by this name, compared without case and accents; None when the cell is
    blank. Raises UnknownSet, RetiredSet (rule 18)."""
    return set_called(sets, text).set_number if text.strip() else None


def plan(text: str, offer: Catalogue) -> str | None:
    """The code of a plan, retired ones too; None when the cell is blank. Raises NotInTheList."""
    return _item(text, offer.plans) if text.strip() else None


def add_ons(text: str, offer: Catalogue) -> frozenset[str] | None:
    """The codes of add-ons, separated by semicolons, an empty set for "none"; None when the cell is blank.

    Raises NotInTheList, also for "none" beside an add-on.
    """
    words = [word for word in text.split(";") if word.strip()]
    if not words:
        return None
    if len(words) == 1 and _key(words[0]) in _NONE:
        return frozenset()
    return frozenset(_item(word, offer.add_ons) for word in words)


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
    wanted = _key(text)
    for value, accepted in words.items():
        if wanted in _keys(accepted):
            return value
    raise NotInTheList(text, words)


def _item(text: str, items: Mapping[str, Item]) -> str:
    wanted = _key(text)
    for item in items.values():
        if wanted in {_key(word) for word in (item.code, *item.names.values())}:
            return item.code
    raise NotInTheList(text, (item for item in items.values() if not item.is_retired))


@lru_cache(maxsize=1)
def _columns() -> dict[str, Column]:
    return {
        key: column
        for column, words in _HEADINGS.items()
        for key in _keys(f"{words}, {_DUTCH_HEADINGS[column]}, {column.value}")
    }


@lru_cache(maxsize=64)
def _keys(words: str) -> frozenset[str]:
    return frozenset(_key(word) for word in words.split(", "))


def _short(text: str) -> str:
    said = one_line(text[: 2 * _LONGEST])
    return said if len(said) <= 60 else f"{said[:59]}…"


def _key(text: str) -> str:
    return "".join(c for c in fold(text[:_LONGEST]) if c.isalnum())
