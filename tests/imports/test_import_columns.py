"""The columns of an import: the headings and the words that people use for them."""

from collections import Counter
from dataclasses import replace

import pytest
from stdnum.be import vat as belgian_company_number

from core import invitations
from core.catalogue import SAMPLE
from core.imports import (
    REQUIRED,
    Column,
    ColumnsNotFound,
    NotInTheList,
    SameColumnTwice,
    headings,
    template,
    vocabulary,
)
from core.imports.columns import add_ons, countries, country, is_blank, language, plan, value_reader
from core.imports.headings import recognise, recognised_count
from core.reports.list_files import _headings
from core.words import LANGUAGES, LISTED_SETTINGS, BillingPeriod, Payer, Setting, speak, t

payer, billing_period = value_reader(Setting.PAYER, SAMPLE), value_reader(Setting.BILLING_PERIOD, SAMPLE)

DOMAIN = [
    "legal name*", "country (ISO 3166 alpha-2)*", "contact e-mail*", "contact first name", "contact last name",
    "contact language", "company number", "VAT number", "external reference",
]  # fmt: skip


def test_the_columns_used_in_the_field_are_recognised_in_any_order() -> None:
    """Every heading of the domain's list has its column, whichever comes first."""
    assert recognise(DOMAIN).places == {column: index for index, column in enumerate(_IN_DOMAIN)}
    backwards = recognise(DOMAIN[::-1])
    assert backwards.places == {column: 8 - index for index, column in enumerate(_IN_DOMAIN)}
    assert backwards.unused == ()


_IN_DOMAIN = [
    Column.NAME, Column.COUNTRY, Column.EMAIL, Column.FIRST_NAME, Column.LAST_NAME, Column.LANGUAGE,
    Column.COMPANY_NUMBER, Column.VAT_NUMBER, Column.EXTERNAL_REFERENCE,
]  # fmt: skip


@pytest.mark.parametrize("heading", ["E-mail *", "e_mail", "EMAIL", " Ｅmail ", "Courriel", "Adresse e‑mail"])
def test_a_heading_is_known_however_it_is_written(heading: str) -> None:
    """Case, accents, punctuation and width do not matter."""
    assert recognise(["nom", heading]).places == {Column.NAME: 0, Column.EMAIL: 1}


@pytest.mark.parametrize(
    ("heading", "column"),
    [
        ("Dénomination", Column.NAME),
        ("RAISON SOCIALE", Column.NAME),
        ("Société", Column.NAME),
        ("Pays", Column.COUNTRY),
        ("Prénom", Column.FIRST_NAME),
        ("Nom de famille", Column.LAST_NAME),
        ("Langue", Column.LANGUAGE),
        ("Numéro d’entreprise", Column.COMPANY_NUMBER),
        ("BCE", Column.COMPANY_NUMBER),
        ("KBO", Column.COMPANY_NUMBER),
        ("N° TVA", Column.VAT_NUMBER),
        ("Référence", Column.EXTERNAL_REFERENCE),
        ("Payeur", Column.PAYER),
        ("Payé par", Column.PAYER),
        ("Périodicité", Column.BILLING_PERIOD),
        ("Période de facturation", Column.BILLING_PERIOD),
        ("Formule", Column.PLAN),
        ("Abonnement", Column.PLAN),
        ("Modules complémentaires", Column.ADD_ONS),
        ("Options", Column.ADD_ONS),
        ("Message (facultatif)", Column.MESSAGE),
    ],
)
def test_french_headings_are_known(heading: str, column: Column) -> None:
    """The usual French words lead to the column."""
    assert headings._known()[vocabulary.key(heading)][0] is column


@pytest.mark.parametrize(
    ("heading", "column"),
    [
        ("Naam", Column.NAME),
        ("Bedrijfsnaam", Column.NAME),
        ("LAND", Column.COUNTRY),
        ("E-mailadres", Column.EMAIL),
        ("Voornaam", Column.FIRST_NAME),
        ("Familienaam", Column.LAST_NAME),
        ("Achternaam", Column.LAST_NAME),
        ("Taal", Column.LANGUAGE),
        ("Ondernemingsnummer", Column.COMPANY_NUMBER),
        ("KBO-nummer", Column.COMPANY_NUMBER),
        ("Btw-nummer", Column.VAT_NUMBER),
        ("Externe referentie", Column.EXTERNAL_REFERENCE),
        ("Dossierbeheerder", Column.RESPONSIBLE),
        ("Betaald door", Column.PAYER),
        ("Facturatieperiode", Column.BILLING_PERIOD),
        ("Periode", Column.BILLING_PERIOD),
        ("Pakket", Column.PLAN),
        ("Extra modules", Column.ADD_ONS),
        ("Standaardset", Column.DEFAULT_SET),
        ("Bericht (optioneel)", Column.MESSAGE),
    ],
)
def test_dutch_headings_are_known(heading: str, column: Column) -> None:
    """The usual Dutch words lead to the column."""
    assert headings._known()[vocabulary.key(heading)][0] is column


def test_no_heading_means_two_columns() -> None:
    """Every accepted wording belongs to one column."""
    keys = [key for ranks in vocabulary.HEADINGS.values() for words in ranks for key in vocabulary.keys(words)]
    assert [key for key, count in Counter(keys).items() if count > 1] == []
    known = headings._known()
    assert all(known[vocabulary.key(column.value)][0] is column for column in Column)
    assert len(known) == len({*keys, *(vocabulary.key(column.value) for column in Column)})


def test_no_word_of_a_cell_means_two_values() -> None:
    """Every accepted word for a payer, a period or a language belongs to one of them."""
    assert vocabulary.TERMS.keys() == {setting for setting in Setting if setting.terms}
    for words in (*vocabulary.TERMS.values(), vocabulary.LANGUAGES):
        keys = [key for accepted in words.values() for key in vocabulary.keys(accepted)]
        assert len(keys) == len(set(keys))


@pytest.mark.parametrize("spoken", LANGUAGES)
def test_our_own_export_can_be_brought_back(spoken: str) -> None:
    """Its headings are recognised in the reader's language, and what an import cannot take is unused."""
    speak(spoken)
    headings = _headings("EUR", sets_are_several=False)
    found = recognise(headings)
    known = {Column.NAME: 1, Column.EMAIL: 2, Column.COMPANY_NUMBER: 3}
    known |= {Column(setting.value): place for place, setting in enumerate(LISTED_SETTINGS, 5)}
    known[Column.RESPONSIBLE] = headings.index(t("Account manager"))
    assert found.places == known
    assert found.unused == tuple(heading for place, heading in enumerate(headings) if place not in known.values())


def test_headings_not_known_are_unused_and_blank_ones_are_not_named() -> None:
    """What an import does not take is told; an empty heading is nothing."""
    assert recognise(["Name", "", "Shoe size", "E-mail"]).unused == ("Shoe size",)


def test_a_list_without_name_or_email_is_refused_naming_what_is_missing_and_what_was_found() -> None:
    """The person sees which column to add; a country may come later."""
    with pytest.raises(ColumnsNotFound) as refused:
        recognise(["Legal form", "Contact e-mail"])
    assert refused.value.missing == (Column.NAME,)
    assert str(refused.value).startswith("No column was recognised as: Name. The headings found are: Legal form and")
    with pytest.raises(ColumnsNotFound) as refused:
        recognise(["x" * 500])
    assert refused.value.missing == (Column.NAME, Column.EMAIL)
    assert len(str(refused.value)) < 250


def test_two_headings_of_one_meaning_are_refused_naming_both() -> None:
    """Nothing is guessed."""
    with pytest.raises(SameColumnTwice, match=r"“Société” and “Legal name” both mean: Name\."):
        recognise(["Société", "E-mail", "Legal name"])


def test_headings_recognised_are_counted_once_each() -> None:
    """The count tells a good separator from a bad one."""
    assert recognised_count(["Name", "Nom", "E-mail", "Shoe size", ""]) == 2


@pytest.mark.parametrize(
    ("text", "value"),
    [("us", Payer.PARTNER), ("PARTNER", Payer.PARTNER), ("Nous", Payer.PARTNER), ("partenaire", Payer.PARTNER),
     ("Ons", Payer.PARTNER), ("ons kantoor", Payer.PARTNER), ("De klant", Payer.CLIENT),
     ("The client", Payer.CLIENT), ("client", Payer.CLIENT), ("Le client", Payer.CLIENT), ("", None), ("  ", None)],
)  # fmt: skip
def test_who_pays_is_read_from_the_words_people_use(text: str, value: Payer | None) -> None:
    """Stored words and labels, in each language; a blank cell chooses nothing."""
    assert payer(text) is value


@pytest.mark.parametrize(
    ("text", "value"),
    [("monthly", BillingPeriod.MONTHLY), ("Mensuelle", BillingPeriod.MONTHLY), ("mensuel", BillingPeriod.MONTHLY),
     ("Month", BillingPeriod.MONTHLY), ("yearly", BillingPeriod.YEARLY), ("Annuelle", BillingPeriod.YEARLY),
     ("Maandelijks", BillingPeriod.MONTHLY), ("per jaar", BillingPeriod.YEARLY),
     ("annuel", BillingPeriod.YEARLY), ("year", BillingPeriod.YEARLY), ("ANNUAL", BillingPeriod.YEARLY), ("", None)],
)  # fmt: skip
def test_the_billing_period_is_read_from_the_words_people_use(text: str, value: BillingPeriod | None) -> None:
    """Stored words and labels, in each language; a blank cell chooses nothing."""
    assert billing_period(text) is value


@pytest.mark.parametrize(
    ("text", "value"),
    [("fr-BE", "fr"), ("fr", "fr"), ("French", "fr"), ("Français", "fr"), ("en", "en"), ("en-GB", "en"),
     ("English", "en"), ("anglais", "en"), ("nl-BE", "nl"), ("nl_be", "nl"), ("Dutch", "nl"), ("néerlandais", "nl"),
     ("Nederlands", "nl"), (" ", None)],
)  # fmt: skip
def test_the_language_is_read_from_a_locale_or_its_name(text: str, value: str | None) -> None:
    """The region does not matter; a blank cell chooses nothing."""
    assert language(text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [("plus", "plus"), ("STANDARD", "standard"), ("Classique", "classic"), ("Classic", "classic"), ("", None)],
)
def test_a_plan_is_read_from_its_code_or_a_name(text: str, value: str | None) -> None:
    """A retired plan is read too: whether it can be chosen is another question."""
    assert plan(text, SAMPLE) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        (" ; ", None),
        ("none", frozenset()),
        ("Aucun", frozenset()),
        ("geen", frozenset()),
        ("bank_feeds", {"bank_feeds"}),
        ("Bank feeds; Paie;", {"bank_feeds", "payroll"}),
        ("flux bancaires ; E-INVOICING", {"bank_feeds", "e_invoicing"}),
        ("Bankkoppelingen; e-facturatie", {"bank_feeds", "e_invoicing"}),
    ],
)
def test_add_ons_are_a_list_none_at_all_or_not_given(text: str, value: set[str] | None) -> None:
    """Blank is not given; "none" is the choice of no add-ons."""
    assert add_ons(text, SAMPLE) == value


def test_an_unknown_word_is_refused_with_the_words_accepted() -> None:
    """The sentence lists them in the reader's words, without what is retired."""
    with pytest.raises(NotInTheList, match="“Gold” is none of: Starter, Standard, Plus and Premium"):
        plan("Gold", SAMPLE)
    with pytest.raises(NotInTheList, match="“bank” is none of: Us and The client"):
        payer("bank")
    with pytest.raises(ValueError, match="“weekly” is none of: Monthly and Yearly"):
        billing_period("weekly")
    with pytest.raises(NotInTheList, match="“de” is none of: fr, nl and en"):
        language("de")
    with pytest.raises(NotInTheList, match="“none” is none of: Bank feeds"):
        add_ons("none; payroll", SAMPLE)


@pytest.mark.parametrize("spoken", LANGUAGES)
def test_the_template_is_read_by_the_import_it_is_for(spoken: str) -> None:
    """Its headings are all recognised; its rows show the defaults, everything chosen, and no add-ons."""
    speak(spoken)
    headings, (defaults, chosen, without) = template(SAMPLE)
    places = recognise(headings).places
    assert set(places) == set(Column) - {Column.DEFAULT_SET}
    assert recognise(template(SAMPLE, default_set="Freelancers")[0]).places.keys() == set(Column)
    cells = dict(zip(places, zip(defaults, chosen, without, strict=True), strict=True))
    assert {column for column, (cell, _, _) in cells.items() if cell} == REQUIRED
    assert all(cells[Column(setting.value)][1] for setting in Setting)
    assert [payer(cell) for cell in cells[Column.PAYER]] == [None, Payer.CLIENT, None]
    assert [billing_period(cell) for cell in cells[Column.BILLING_PERIOD]] == [None, BillingPeriod.MONTHLY, None]
    assert [plan(cell, SAMPLE) for cell in cells[Column.PLAN]] == [None, "starter", None]
    assert [add_ons(cell, SAMPLE) for cell in cells[Column.ADD_ONS]] == [
        None,
        {"bank_feeds", "e_invoicing"},
        frozenset(),
    ]
    assert language(cells[Column.LANGUAGE][1]) == "fr"
    assert all(cell.endswith("@example.com") for cell in cells[Column.EMAIL])
    assert all(belgian_company_number.is_valid(cell) for cell in cells[Column.COMPANY_NUMBER] if cell)


def test_the_template_stands_on_an_empty_catalogue() -> None:
    """Without a plan to show, the cells stay blank."""
    headings, rows = template(replace(SAMPLE, plans={}, add_ons={}))
    assert rows[1][headings.index("Subscription")] == ""


@pytest.mark.parametrize(
    ("text", "code"),
    [("be", "BE"), ("Belgium", "BE"), ("Belgique", "BE"), ("België", "BE"), ("Pays-Bas", "NL"), ("Nederland", "NL"),
     ("UK", "GB"), ("EL", "GR"), ("", ""),
     ("Great Britain", "GB"), ("Grand-Duché de Luxembourg", "LU"), ("Atlantis", "ATLANTIS"),
     ("BE - Belgium", "BE"), ("Belgique (BE)", "BE"), ("BE België", "BE"), ("BE-Belgique", "BE"),
     ("Belgium – BEL", "BE"), ("België/Belgique", "BE"), ("Guinée-Bissau (GW)", "GW"),
     ("Pays-Bas NL", "NL"), ("GR: EL", "GR"), ("SUN", "SUN"),
     ("BEL", "BE"), ("fra", "FR"), ("NLD", "NL"), ("XKX", "XK"), ("056", "056"),
     ("BE - France", "BE - FRANCE"), ("Belgium (Flanders)", "BELGIUM (FLANDERS)"), ("BE/FR", "BE/FR"), ("()", "()")],
)  # fmt: skip
def test_a_country_is_read_from_its_letters_or_its_name(text: str, code: str) -> None:
    """In English, French and Dutch, also beside each other where they agree; what is none is left for the sentence that
    refuses it."""
    assert country(text) == code


@pytest.mark.parametrize("spoken", LANGUAGES)
def test_every_country_has_a_name_in_every_language(spoken: str) -> None:
    """Also one for which the list of names in that language has none."""
    speak(spoken)
    named = countries()
    assert named.keys() == invitations.countries()
    assert all(named.values())
    assert {country(name) for name in named.values()} == named.keys()


@pytest.mark.parametrize(
    ("text", "blank"),
    [("", True), ("-", True), ("—", True), ("N/A", True), ("--x", False), ("SO", False), ("NA", False)],
)
def test_a_dash_is_a_blank_cell(text: str, blank: bool) -> None:
    """People type it where there is nothing to say."""
    assert is_blank(text) is blank


@pytest.mark.parametrize(
    "text", ["Bank feeds, Payroll", "Bank feeds\nPayroll", "bank_feeds; Paie", "flux bancaires,paie"]
)
def test_add_ons_may_stand_between_commas_and_line_breaks(text: str) -> None:
    """As people write a list in a cell."""
    assert add_ons(text, SAMPLE) == {"bank_feeds", "payroll"}


def test_a_plan_is_not_the_one_whose_name_has_a_sign_more() -> None:
    """“Pro” and “Pro+” are two plans, and “Pro-” is neither of two that are told apart by signs alone."""
    plans = {code: replace(SAMPLE.plans["plus"], code=code, names={"en": name}) for code, name in
             (("one", "Pro"), ("two", "Pro+"), ("three", "Max*"), ("four", "Max"))}  # fmt: skip
    offer = replace(SAMPLE, plans=plans)
    assert [plan(name, offer) for name in ("Pro", "pro+", "Pro +", "Max*", "max")] == [
        "one", "two", "two", "three", "four",
    ]  # fmt: skip
    with pytest.raises(NotInTheList):
        plan("Max#", offer)


@pytest.mark.parametrize("text", ["annuellement", "jaarlijks", "per jaar"])
def test_a_year_is_known_in_french_and_dutch(text: str) -> None:
    """Also as an adverb."""
    assert billing_period(text) is BillingPeriod.YEARLY
