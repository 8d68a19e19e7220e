"""The words of an import: its columns, the headings they go by, and what their cells may say, in English, French and
Dutch. Only words; how they are understood is in headings.py and columns.py."""

from functools import lru_cache

from core.words import N_, BillingPeriod, Payer, Setting, Term, fold

LONGEST = 200  # characters that are compared


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

# Comma separated and compared by `key`. A list with headings of two lines here takes the one of the line above.
HEADINGS: dict[Column, tuple[str, ...]] = {
    Column.NAME: (
        "legal name, company, company name, business name, organisation, organization, organisation name, "
        "organization name, account name, nom légal, raison sociale, dénomination, dénomination sociale, société, "
        "entreprise, nom de la société, nom de l'entreprise, nom société, nom entreprise, "
        "bedrijf, bedrijfsnaam, naam bedrijf, firma, firmanaam, onderneming, naam onderneming, juridische naam, "
        "statutaire naam, maatschappelijke naam, handelsnaam, vennootschap, naam van de onderneming, organisatie, "
        "officiële naam, ondernemingsnaam",
        "name, name1, cname1, client, client name, customer, customer name, customer full name, full name, "
        "display name, "
        "display name as, complete name, contact name, CustName, nom du client, nom du dossier, nom client, "
        "nom complet, nom d'affichage, "
        "intitulé, klant, klantnaam, naam klant, naam van de klant, naam relatie, relatie, relatienaam, "
        "weergavenaam, volledige naam",
        "nom, naam, title",
    ),
    Column.COUNTRY: (
        "country code, country (ISO 3166 alpha-2), country ISO, ISO country code, "
        "code pays, pays (ISO 3166 alpha-2), code du pays, code ISO du pays, landcode, land (ISO), "
        "land (ISO 3166 alpha-2)",
        "country, country_id, ccountry, cctrycode, ccountrycode, country/region, country name, pays, land",
        "billing country, billing address country, billing country code, address country, address country code, "
        "PO country, postal country, bill to country, pays de facturation, pays facturation, adresse pays, "
        "pays adresse de facturation, adresse de facturation pays, factuurland, land factuuradres, adres land",
        "SA country, shipping country, shipping address country, vat country, vat country code, pays de livraison, "
        "btw landcode, visiting address country",
    ),
    Column.EMAIL: (
        "e-mail, cemail, e-mail address, mail, mail address, email 1, main email, primary email, contact e-mail, "
        "contact email address, client e-mail, customer e-mail, courriel, adresse e-mail, adresse mail, "
        "adresse courriel, adresse électronique, adresse de messagerie, e-mail du contact, e-mail contact, "
        "courriel du contact, e-mail client, e-mail du client, mail contact, "
        "e-mailadres, mailadres, e-mail adres, e-mailadres klant, e-mailadres contactpersoon, e-mail contactpersoon, "
        "e-mail van de contactpersoon, e-mailadres van de contactpersoon, e-mail klant",
        "emails, work email, email (work), business email, e-mail professionnel, e-mail (travail), e-mail (werk), "
        "e-mail werk",
        "billing email, invoice email, e-mail facture, e-mail factuur, "
        "email for invoices, e-mail de facturation, e-mail facturation, "
        "e-mails de facturation, adresse e-mail de facturation, factuur e-mail, e-mail facturatie, "
        "facturatie e-mail, e-mailadres facturatie, e-mailadres factuur, e-mail voor facturen",
    ),
    Column.FIRST_NAME: (
        "first name, contact first name, given name, forename, prénom, prénom du contact, prénom contact, "
        "voornaam, voornaam contactpersoon, voornaam van de contactpersoon, voornaam contact",
    ),
    Column.LAST_NAME: (
        "last name, contact last name, surname, family name, nom de famille, nom du contact, "
        "nom de famille du contact, nom contact, achternaam, familienaam, achternaam contactpersoon, "
        "naam contactpersoon, achternaam contact, familienaam contact, naam van de contactpersoon, "
        "familienaam van de contactpersoon",
    ),
    Column.LANGUAGE: (
        "language, clanguage, contact language, language of the client, language code, lang, locale, langue, "
        "langue du contact, "
        "langue du client, langue contact, code langue, taal, taalcode, taal van de klant, taal contactpersoon, "
        "taal contact, taal van de contactpersoon",
    ),
    Column.COMPANY_NUMBER: (
        "company number, company no, enterprise number, registration number, company registration number, "
        "company registration, company registry, company_registry, company ID, CBE, CBE number, BCE, KBO, "
        "numéro d'entreprise, n° d'entreprise, "
        "numéro entreprise, n° entreprise, numéro BCE, n° BCE, BCE/KBO, KBO/BCE, SIREN, n° SIREN, numéro SIREN, "
        "numéro de SIREN, "
        "ondernemingsnummer, ondernemingsnr, nummer van de onderneming, KBO-nummer, KvK, "
        "KvK-nummer, KvK nr, Kamer van Koophandel, chamber of commerce, chamber of commerce number, CoC number, CoC",
        "SIRET, n° SIRET, numéro SIRET, numéro de SIRET, SIREN/SIRET",
    ),
    Column.VAT_NUMBER: (
        "VAT number, cvatno, VAT, VAT no, VAT nr, VAT ID, VAT registration number, VAT reg number, EU VAT number, TVA, "
        "numéro de TVA, n° TVA, "
        "n° de TVA, numéro TVA, TVA intracommunautaire, n° TVA intracommunautaire, numéro de TVA intracommunautaire, "
        "n° de TVA intracommunautaire, identifiant TVA, BTW, BTW-nummer, BTW nr, BTW-identificatienummer, BTW-ID",
        "tax ID, tax number, tax no, tax registration number, tax identification number, numéro fiscal, "
        "n° fiscal, identifiant fiscal, fiscaal nummer",
    ),
    Column.EXTERNAL_REFERENCE: (
        "external reference, external ID, external code, référence externe, réf externe, ID externe, "
        "identifiant externe, externe referentie, externe ID",
        "reference, ref, your reference, our reference, internal reference, référence, réf, notre référence, "
        "référence interne, referentie, interne referentie, onze referentie, uw referentie, klantreferentie, "
        "kenmerk",
        "customer number, customer no, customer code, customer ID, client code, client ID, "
        "account number, account code, contact code, CustNum, code client, identifiant client, "
        " code tiers, dossier, n° de dossier, numéro de dossier, code dossier, "
        "klantnummer, klantcode, klantnr, relatiecode, relatienummer, relatienr, debiteurnummer, debiteurennummer, "
        "dossiernummer, dossiercode",
        "code, number, id, cid, identifiant, nummer, numéro",
    ),
    Column.MESSAGE: (
        "message, message (optional), personal message, invitation message, message (facultatif), "
        "message personnel, message d'invitation, bericht, bericht (optioneel), persoonlijk bericht, "
        "bericht bij de uitnodiging, uitnodigingsbericht",
    ),
    Column.RESPONSIBLE: (
        "account manager, account manager's e-mail, client manager, managed by, looked after by, "
        "responsable, responsable du client, responsable du dossier, responsable client, "
        "gestionnaire, gestionnaire de dossier, gestionnaire du dossier, gestionnaire de clients, suivi par, "
        "dossierbeheerder, accountmanager, klantbeheerder, beheerd door, verantwoordelijke, "
        "klantenbeheerder, klantverantwoordelijke, opgevolgd door",
        "relatiebeheerder, relationship manager, gestionnaire de la relation, gestionnaire de relation",
    ),
    Column.DEFAULT_SET: (
        "default set, set, defaults, default settings, modèle, modèle de paramètres, paramètres par défaut, "
        "standaardset, standaardinstellingen",
    ),
    Column.PAYER: (
        "payer, paid by, who pays, billed to, payeur, payé par, qui paie, facturé à, betaler, betaald door, "
        "wie betaalt, gefactureerd aan",
    ),
    Column.BILLING_PERIOD: (
        "billing period, period, billing frequency, frequency, période, périodicité, période de facturation, "
        "fréquence, fréquence de facturation, facturatieperiode, factuurperiode, facturatiefrequentie, "
        "facturatieritme, periode, frequentie, periodiciteit",
    ),
    Column.PLAN: (
        "plan, subscription, subscription plan, package, abonnement, formule, forfait, pakket, abonnementsformule",
    ),
    Column.ADD_ONS: (
        "add-ons, addon, options, option, extras, modules complémentaires, module complémentaire, modules, "
        "suppléments, aanvullende modules, uitbreidingen, opties, extra's, add-on, "
        "extra module, extra modules",
    ),
}
BESIDE_A_FIRST_NAME = "nom, naam, name"  # what means the last name, in a list that says the client's name otherwise

TERMS: dict[Setting, dict[Term, str]] = {  # the settings that are one of a few words
    Setting.PAYER: {
        Payer.PARTNER: "us, we, partner, the partner, nous, partenaire, le partenaire, wij, ons, de partner, "
        "par nous, door ons, kantoor, ons kantoor",
        Payer.CLIENT: "client, the client, customer, le client, par le client, klant, de klant, door de klant",
    },
    Setting.BILLING_PERIOD: {
        BillingPeriod.MONTHLY: "monthly, month, per month, every month, mensuelle, mensuel, mensuellement, mois, "
        "par mois, chaque mois, maandelijks, maandelijkse, maand, per maand",
        BillingPeriod.YEARLY: "yearly, year, per year, annual, annually, every year, annuelle, annuel, annuellement, "
        "année, an, par an, chaque année, jaarlijks, jaarlijkse, jaar, per jaar",
    },
}
LANGUAGES = {
    "fr": "fr, fra, fre, F, French, français, Frans",
    "nl": "nl, nld, dut, N, Dutch, néerlandais, Nederlands",
    "en": "en, eng, E, English, anglais, Engels",
}
NO_ADD_ONS = "none, aucun, aucune, geen"
COUNTRIES = {
    "UK": "GB",
    "GREAT BRITAIN": "GB",
    "GRANDE-BRETAGNE": "GB",
    "GROOT-BRITTANNIË": "GB",
    "ENGLAND": "GB",
    "EL": "GR",
    "XKX": "XK",
    "USA": "US",
    "HOLLAND": "NL",
    "HOLLANDE": "NL",
    "THE NETHERLANDS": "NL",
    "GRAND-DUCHÉ DE LUXEMBOURG": "LU",
    "GROOTHERTOGDOM LUXEMBURG": "LU",
    "RÉPUBLIQUE TCHÈQUE": "CZ",
    "CZECH REPUBLIC": "CZ",
}  # the letters and names that people and the VAT rules use for a country, beside those of its list of names


def key(text: str) -> str:
    """The text as headings are compared: without case, accents, spaces and punctuation; of signs only `+` counts."""
    return "".join(c for c in fold(text[:LONGEST]) if c.isalnum() or c == "+")


@lru_cache(maxsize=256)
def keys(words: str) -> frozenset[str]:
    """The keys of words that are separated by commas."""
    return frozenset(key(word) for word in words.split(", "))
