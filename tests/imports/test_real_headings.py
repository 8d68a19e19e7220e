"""Heading rows as other programs write them, each with the columns that are understood of themselves."""

import pytest

from core.imports import Column, ColumnsNotFound, NoSuchHeading, SameColumnTwice
from core.imports.headings import recognise

ROWS = {
    "Xero contacts": (
        "ContactName,AccountNumber,EmailAddress,FirstName,LastName,POAddressLine1,POCity,POPostalCode,POCountry,"
        "SAAddressLine1,SACountry,PhoneNumber,TaxNumber,Website",
        {
            Column.NAME: "ContactName", Column.EXTERNAL_REFERENCE: "AccountNumber", Column.EMAIL: "EmailAddress",
            Column.FIRST_NAME: "FirstName", Column.LAST_NAME: "LastName", Column.COUNTRY: "POCountry",
            Column.VAT_NUMBER: "TaxNumber",
        },
    ),
    "QuickBooks Online customers": (
        "Customer,Company,Street Address,City,State,Country,Zip,Phone,Email,Tax ID,Open balance",
        {Column.NAME: "Company", Column.COUNTRY: "Country", Column.EMAIL: "Email", Column.VAT_NUMBER: "Tax ID"},
    ),
    "QuickBooks Online contact fields": (
        "Full Name,Company,Email,Phone,Mobile,Fax,Website,Street,City,Country,Opening Balance",
        {Column.NAME: "Company", Column.EMAIL: "Email", Column.COUNTRY: "Country"},
    ),
    "QuickBooks customer template": (
        "Title,Company,First Name,Middle Name,Last Name,Display Name As,Email,Billing Address Country",
        {
            Column.NAME: "Company", Column.FIRST_NAME: "First Name", Column.LAST_NAME: "Last Name",
            Column.EMAIL: "Email", Column.COUNTRY: "Billing Address Country",
        },
    ),
    "Odoo, for import again": (
        "id,name,is_company,country_id,zip,city,street,phone,email,vat",
        {
            Column.EXTERNAL_REFERENCE: "id", Column.NAME: "name", Column.COUNTRY: "country_id",
            Column.EMAIL: "email", Column.VAT_NUMBER: "vat",
        },
    ),
    "Odoo, with labels": (
        "External ID,Name,Phone,Email,City,Country,Tax ID",
        {
            Column.EXTERNAL_REFERENCE: "External ID", Column.NAME: "Name", Column.EMAIL: "Email",
            Column.COUNTRY: "Country", Column.VAT_NUMBER: "Tax ID",
        },
    ),
    "WinBooks thirds": (
        "Type;Code;Name;LanguageCode;CurrencyCode;VatApplicable;VatNumber;VatCountryCode;CountryCode;Email",
        {
            Column.EXTERNAL_REFERENCE: "Code", Column.NAME: "Name", Column.LANGUAGE: "LanguageCode",
            Column.VAT_NUMBER: "VatNumber", Column.COUNTRY: "CountryCode", Column.EMAIL: "Email",
        },
    ),
    "Yuki contacts": (
        "Contact code;Name;Address 1;Postal code;City;Country;Email (work);VAT number;Chamber of Commerce number",
        {
            Column.EXTERNAL_REFERENCE: "Contact code", Column.NAME: "Name", Column.COUNTRY: "Country",
            Column.EMAIL: "Email (work)", Column.VAT_NUMBER: "VAT number",
            Column.COMPANY_NUMBER: "Chamber of Commerce number",
        },
    ),
    "Yuki in Dutch": (
        "Relatiecode;Naam;Straat + huisnummer;Postcode;Plaats;Land;E-mail (werk);Btw-nummer;KvK-nummer",
        {
            Column.EXTERNAL_REFERENCE: "Relatiecode", Column.NAME: "Naam", Column.COUNTRY: "Land",
            Column.EMAIL: "E-mail (werk)", Column.VAT_NUMBER: "Btw-nummer", Column.COMPANY_NUMBER: "KvK-nummer",
        },
    ),
    "a Dutch customer table": (
        "Relatiecode;Bedrijfsnaam;Titel;Voornaam;Achternaam;Adres;Land;KvK-nummer;BTW-nummer;E-mailadres",
        {
            Column.EXTERNAL_REFERENCE: "Relatiecode", Column.NAME: "Bedrijfsnaam", Column.FIRST_NAME: "Voornaam",
            Column.LAST_NAME: "Achternaam", Column.COUNTRY: "Land", Column.COMPANY_NUMBER: "KvK-nummer",
            Column.VAT_NUMBER: "BTW-nummer", Column.EMAIL: "E-mailadres",
        },
    ),
    "a Dutch list of relations": (
        "naam bedrijf;achternaam;voornaam;straat;postcode;plaats;landcode;tel;email;btw-nummer;kvk",
        {
            Column.NAME: "naam bedrijf", Column.LAST_NAME: "achternaam", Column.FIRST_NAME: "voornaam",
            Column.COUNTRY: "landcode", Column.EMAIL: "email", Column.VAT_NUMBER: "btw-nummer",
            Column.COMPANY_NUMBER: "kvk",
        },
    ),
    "a Belgian invoicing program": (
        "title,company_type,last_name,first_name,vat_id,vat_country_code,address,address_zip,address_country,email",
        {
            Column.NAME: "title", Column.LAST_NAME: "last_name", Column.FIRST_NAME: "first_name",
            Column.VAT_NUMBER: "vat_id", Column.COUNTRY: "address_country", Column.EMAIL: "email",
        },
    ),
    "a French list of companies": (
        "Raison sociale;SIREN;SIRET;N° TVA intracommunautaire;Nom;Prénom;E-mail;Pays;Code client",
        {
            Column.NAME: "Raison sociale", Column.COMPANY_NUMBER: "SIREN",
            Column.VAT_NUMBER: "N° TVA intracommunautaire", Column.LAST_NAME: "Nom", Column.FIRST_NAME: "Prénom",
            Column.EMAIL: "E-mail", Column.COUNTRY: "Pays", Column.EXTERNAL_REFERENCE: "Code client",
        },
    ),
    "Yuki in French": (
        "Code contact;Nom;Adresse;Pays;E-mail (travail);Numéro de TVA;Numéro BCE",
        {
            Column.NAME: "Nom", Column.COUNTRY: "Pays", Column.EMAIL: "E-mail (travail)",
            Column.VAT_NUMBER: "Numéro de TVA", Column.COMPANY_NUMBER: "Numéro BCE",
        },
    ),
    "Pennylane customers": (
        "Name,Registration number,VAT number,Emails,Billing address,City,Reference,External reference",
        {
            Column.NAME: "Name", Column.COMPANY_NUMBER: "Registration number", Column.VAT_NUMBER: "VAT number",
            Column.EMAIL: "Emails", Column.EXTERNAL_REFERENCE: "External reference",
        },
    ),
    "a list of files of a Belgian practice": (
        "Ondernemingsnaam;Ondernemingsnummer;E-mail;Taal;Dossierbeheerder;Land",
        {
            Column.NAME: "Ondernemingsnaam", Column.COMPANY_NUMBER: "Ondernemingsnummer", Column.EMAIL: "E-mail",
            Column.LANGUAGE: "Taal", Column.RESPONSIBLE: "Dossierbeheerder", Column.COUNTRY: "Land",
        },
    ),
    "BOB 50 thirds": (
        "CID;CNAME1;CNAME2;CADDRESS1;CZIPCODE;CLOCALITY;CCTRYCODE;CLANGUAGE;CVATNO;CEMAIL",
        {
            Column.EXTERNAL_REFERENCE: "CID", Column.NAME: "CNAME1", Column.COUNTRY: "CCTRYCODE",
            Column.LANGUAGE: "CLANGUAGE", Column.VAT_NUMBER: "CVATNO", Column.EMAIL: "CEMAIL",
        },
    ),
    "AdminPulse relations": (
        "Naam;Voornaam;Klantcode;Ondernemingsnummer;BTW-nummer;E-mail;E-mail factuur;Relatiebeheerder;Dossierbeheerder",
        {
            Column.NAME: "Naam", Column.FIRST_NAME: "Voornaam", Column.EXTERNAL_REFERENCE: "Klantcode",
            Column.COMPANY_NUMBER: "Ondernemingsnummer", Column.VAT_NUMBER: "BTW-nummer", Column.EMAIL: "E-mail",
            Column.RESPONSIBLE: "Dossierbeheerder",
        },
    ),
    "clients of a practice manager": (
        "Client Name,Email,Client Code,Title,First Name,Last Name",
        {
            Column.NAME: "Client Name", Column.EMAIL: "Email", Column.EXTERNAL_REFERENCE: "Client Code",
            Column.FIRST_NAME: "First Name", Column.LAST_NAME: "Last Name",
        },
    ),
}  # fmt: skip


@pytest.mark.parametrize("program", ROWS)
def test_the_heading_row_of_another_program_is_understood(program: str) -> None:
    """Each column is found under the heading that says it best."""
    row, expected = ROWS[program]
    headings = row.split(";" if ";" in row else ",")
    places = recognise(headings).places
    assert {column: headings[place] for column, place in places.items()} == expected


def test_the_company_name_wins_over_the_name_of_a_person() -> None:
    """Of several headings for one column the better one is taken, and the other is told as unused."""
    found = recognise(["Nom", "Raison sociale", "E-mail"])
    assert found.places == {Column.NAME: 1, Column.EMAIL: 2}
    assert found.unused == ("Nom",)


def test_what_somebody_says_a_column_is_counts_over_what_is_known() -> None:
    """An unknown heading is taken, a column is left out, and two of one meaning are decided."""
    headings = ["Firm", "Société", "Entreprise", "Where to write", "Ref"]
    with pytest.raises(SameColumnTwice):
        recognise(headings)
    said = {Column.NAME: "Entreprise", Column.EMAIL: "where to write", Column.EXTERNAL_REFERENCE: ""}
    found = recognise(headings, said)
    assert found.places == {Column.NAME: 2, Column.EMAIL: 3}
    assert found.unused == ("Firm", "Société", "Ref")


def test_a_heading_given_to_a_column_is_not_another_one_too() -> None:
    """What was said to be the name is no longer the e-mail."""
    with pytest.raises(ColumnsNotFound) as refused:
        recognise(["E-mail", "Country"], {Column.NAME: "E-mail"})
    assert refused.value.missing == (Column.EMAIL,)


def test_a_heading_that_is_not_there_is_refused_with_those_that_are() -> None:
    """The sentence names both."""
    with pytest.raises(NoSuchHeading, match=r"no heading “Firm”\. Its headings are: Name and E-mail"):
        recognise(["Name", "E-mail"], {Column.NAME: "Firm"})
