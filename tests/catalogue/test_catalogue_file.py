"""The catalogue file: what it says, and what is refused in it, each with its place (rules 42 and 44)."""

import re
import tomllib
from dataclasses import replace
from string import ascii_letters, digits

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.catalogue import (
    EXAMPLE,
    FIRST_DAY,
    MAX_BYTES,
    SAMPLE,
    AddOn,
    Catalogue,
    CatalogueFileRefused,
    Plan,
    PriceList,
    as_toml,
    from_toml,
    reading_the_same,
)
from core.catalogue.rules import NAMED_IN
from core.words import LANGUAGES, BillingPeriod, currency_refusal, fold, one_line, speak

SMALL = """
[price_list]
currency = "EUR"

[[plan]]
code = "basic"
names = { en = "Basic", fr = "Base" }
prices = { monthly = "19.00", yearly = "190.00" }
add_ons = ["payroll"]

[[add_on]]
code = "payroll"
names = { en = "Payroll", fr = "Paie" }
prices = { monthly = "12.00" }
"""


def refused(text: str | bytes) -> dict[str, str]:
    """What is to correct in this file: place -> sentence."""
    with pytest.raises(CatalogueFileRefused) as refusal:
        from_toml(text.encode() if isinstance(text, str) else text)
    return refusal.value.fields


def changed(before: str, after: str, text: str = SMALL) -> str:
    assert before in text
    return text.replace(before, after)


def test_a_file_says_plans_add_ons_what_goes_with_what_and_one_price_list() -> None:
    """In its order, in cents; it is stored nowhere yet, and no sample data."""
    assert from_toml(SMALL.encode()) == Catalogue(
        edition=0,
        is_sample=False,
        currency="EUR",
        plans={"basic": Plan("basic", {"en": "Basic", "fr": "Base"}, add_ons=frozenset({"payroll"}))},
        add_ons={"payroll": AddOn("payroll", {"en": "Payroll", "fr": "Paie"})},
        prices=PriceList(
            number=0,
            currency="EUR",
            valid_from=FIRST_DAY,
            renewals_from=None,
            plan_prices={("basic", BillingPeriod.MONTHLY): 1900, ("basic", BillingPeriod.YEARLY): 19000},
            add_on_prices={("payroll", BillingPeriod.MONTHLY): 1200},
        ),
    )


def test_a_dutch_name_is_given_or_left_out() -> None:
    """Files from before Dutch load as they are; where there is one it is kept, and written again."""
    names = {"en": "Basic", "fr": "Base", "nl": "Basis"}
    read = from_toml(changed('fr = "Base"', 'fr = "Base", nl = "Basis"').encode())
    assert (read.plans["basic"].names, read.add_ons["payroll"].names) == (names, {"en": "Payroll", "fr": "Paie"})
    assert from_toml(as_toml(read).encode()) == read


def test_a_retired_item_needs_no_price() -> None:
    """Those who have it may have left."""
    text = changed('prices = { monthly = "12.00" }', "retired = true")
    assert from_toml(text.encode()).add_ons["payroll"].is_retired


def test_the_example_is_the_sample_and_can_be_loaded_by_a_firm() -> None:
    """It explains every key, says that it is made up, and counts as the firm's own once loaded."""
    prices = replace(SAMPLE.prices, number=0)
    assert from_toml(EXAMPLE.encode()) == replace(SAMPLE, edition=0, is_sample=False, prices=prices, price_lists=())
    assert SAMPLE.is_sample
    comments = "\n".join(line.partition("#")[2] for line in EXAMPLE.splitlines())
    assert "sample data" in comments
    for key in {key for kind in ("plan", "add_on") for table in tomllib.loads(EXAMPLE)[kind] for key in table}:
        assert any(line.startswith(key) and "#" in line for line in EXAMPLE.splitlines()), key


@pytest.mark.parametrize(
    ("before", "after", "place", "sentence"),
    [
        ('"19.00"', "19.00", 'line 5, plan "basic", prices.monthly', 'Write the amount as text.*: "19.00"'),
        ('"19.00"', "19", 'line 5, plan "basic", prices.monthly', "Write the amount as text"),
        ('"19.00"', '"19"', 'line 5, plan "basic", prices.monthly', 'is not digits, a point and two.*"19.00"'),
        ('"19.00"', '"19.5"', 'line 5, plan "basic", prices.monthly', "“19.5” is not digits"),
        ('"19.00"', '"19.000"', 'line 5, plan "basic", prices.monthly', "is not digits"),
        ('"19.00"', '"19,00"', 'line 5, plan "basic", prices.monthly', "is not digits"),
        ('"19.00"', '" 19.00"', 'line 5, plan "basic", prices.monthly', "is not digits"),
        ('"19.00"', '"019.00"', 'line 5, plan "basic", prices.monthly', "is not digits"),
        ('"19.00"', '"١٩.00"', 'line 5, plan "basic", prices.monthly', "is not digits"),
        ('"12.00"', '"-12.00"', 'line 11, add_on "payroll", prices.monthly', "“-12.00” is below zero"),
        ('"19.00"', '"10000000.00"', 'line 5, plan "basic", prices.monthly', "Keep it within 9999999.99"),
        ('"19.00"', '"9' + "0" * 500 + '.00"', 'line 5, plan "basic", prices.monthly', "Keep it within"),
        ("monthly =", "weekly =", 'line 5, plan "basic", prices, weekly', "one of: monthly and yearly"),
        ('prices = { monthly = "12.00" }', "", 'line 11, add_on "payroll", prices', "has no price.*retired = true"),
        ('prices = { monthly = "12.00" }', "prices = {}", 'line 11, add_on "payroll", prices', "has no price"),
        ('prices = { monthly = "12.00" }', "prices = 12", 'line 11, add_on "payroll", prices', "keys and values"),
        (', fr = "Base"', "", 'line 5, plan "basic", names.fr', "name in Français is missing"),
        ('fr = "Base"', 'fr = "Base", de = "Basis"', 'line 5, plan "basic", names, de', "one of: en, fr and nl"),
        ('fr = "Base"', 'fr = "Base", nl = ""', 'line 5, plan "basic", names.nl', "one line of text"),
        ('names = { en = "Payroll", fr = "Paie" }', "", 'line 11, add_on "payroll", names', "missing"),
        ('names = { en = "Payroll", fr = "Paie" }', 'names = 1', 'line 11, add_on "payroll", names', "keys and"),
        ('fr = "Base"', 'fr = "  "', 'line 5, plan "basic", names.fr', "one line of text"),
        ('fr = "Base"', "fr = 1", 'line 5, plan "basic", names.fr', "one line of text"),
        ('fr = "Base"', 'fr = "B;C"', 'line 5, plan "basic", names.fr', "without ;"),
        ('fr = "Base"', 'fr = "++"', 'line 5, plan "basic", names.fr', "a letter or a digit"),
        ('fr = "Base"', 'fr = "B\\u202Ea"', 'line 5, plan "basic", names.fr', "one line of text"),
        ('fr = "Base"', 'fr = "B\\u0007a"', 'line 5, plan "basic", names.fr', "one line of text"),
        ('fr = "Base"', f'fr = "{"B" * 101}"', 'line 5, plan "basic", names.fr', "up to 100 characters"),
        ('["payroll"]', '["payroll", "fax"]', 'line 5, plan "basic", add_ons "fax"', "no add-on with the code “fax”"),
        ('["payroll"]', '["payroll", "payroll"]', 'line 5, plan "basic", add_ons "payroll"', "listed twice"),
        ('["payroll"]', '"payroll"', 'line 5, plan "basic", add_ons', "List the codes"),
        ('["payroll"]', "[1]", 'line 5, plan "basic", add_ons', "List the codes"),
        ("add_ons =", "addons =", 'line 5, plan "basic", addons', "“addons” means nothing here.*add_ons"),
        ('code = "payroll"', 'code = "payroll"\nadd_ons = []', 'line 11, add_on "payroll", add_ons', "nothing here"),
        ('code = "basic"', "", "line 5, plan 1, code", 'missing.*code = "standard"'),
        ('code = "basic"', 'code = ""', "line 5, plan 1, code", "up to 50 letters"),
        ('code = "basic"', 'code = "ba;sic"', 'line 5, plan "ba;sic", code', "up to 50 letters"),
        ('code = "basic"', 'code = "ba sic"', 'line 5, plan "ba sic", code', "up to 50 letters"),
        ('code = "basic"', 'code = "forfait_été"', 'line 5, plan "forfait_été", code', "without accents"),
        ('code = "basic"', f'code = "{"b" * 51}"', f'line 5, plan "{"b" * 51}", code', "up to 50 letters"),
        ('code = "basic"', "code = 7", "line 5, plan 1, code", "up to 50 letters"),
        ('code = "basic"', 'code = "basic"\nretired = "no"', 'line 5, plan "basic", retired', "true or false"),
        ('"EUR"', '"Euro"', "price_list, currency", "“Euro” is no currency in use.*ISO 4217"),
        ('"EUR"', '"eur"', "price_list, currency", "is no currency"),
        ('"EUR"', '"DEM"', "price_list, currency", "is no currency in use"),
        ('"EUR"', '"XXX"', "price_list, currency", "is no currency"),
        ('"EUR"', "978", "price_list, currency", "is no currency"),
        ('"EUR"', '"JPY"', "price_list, currency", "JPY has other than two decimals"),
        ('"EUR"', '"KWD"', "price_list, currency", "KWD has other than two decimals"),
        ('currency = "EUR"', "", "price_list, currency", "missing"),
        ('"EUR"', '"EUR"\nvalid_from = "2027-01-01"', "price_list, valid_from", "without quotation marks.*2027-03-01"),
        ('"EUR"', '"EUR"\nvalid_from = 2027-01-01T00:00:00', "price_list, valid_from", "without a time"),
        ('"EUR"', '"EUR"\nvalid_from = 1999-12-31', "price_list, valid_from", "no prices before 1 Jan 2000"),
        ('"EUR"', '"EUR"\nrenewals_from = "never"', "price_list, renewals_from", "without quotation marks"),
        ('currency = "EUR"', 'currency = "EUR"\nvat = "21"', "price_list, vat", "means nothing here"),
        ('[price_list]\ncurrency = "EUR"', "", "price_list", "missing"),
        ('[price_list]\ncurrency = "EUR"', 'price_list = "EUR"', "price_list", "keys and values"),
        ("[[add_on]]", "[[addon]]", "addon", "one of: price_list, plan and add_on"),
        ("[[add_on]]", "[add_on]", "add_on", "keys and values"),
    ],
)  # fmt: skip
def test_what_is_to_correct_is_told_with_its_place(before: str, after: str, place: str, sentence: str) -> None:
    """And with what to write instead."""
    fields = refused(changed(before, after))
    assert re.search(sentence, fields.get(place, "")), fields


def test_everything_to_correct_is_told_at_once_in_the_order_of_the_file() -> None:
    """One run says it all."""
    text = changed('"19.00"', "19.0", changed(', fr = "Paie"', "", changed('"EUR"', '"EURO"')))
    assert list(refused(text)) == [
        "price_list, currency",
        'line 5, plan "basic", prices.monthly',
        'line 11, add_on "payroll", names.fr',
    ]


def test_a_file_without_a_plan_is_refused() -> None:
    """There would be nothing to choose."""
    assert "no plan" in refused(SMALL[: SMALL.index("[[plan]]")])["plan"]


def test_a_code_given_twice_is_refused_at_the_second() -> None:
    """Also for add-ons; a plan and an add-on may share one."""
    again = SMALL[SMALL.index("[[plan]]") : SMALL.index("[[add_on]]")].replace("Bas", "Other")
    assert "“basic” already" in refused(SMALL + again)['line 15, plan "basic", code']
    assert from_toml(changed('"payroll"', '"basic"').encode()).add_ons.keys() == {"basic"}


@pytest.mark.parametrize("name", ["Basic", "BÂSIC", " basic", "Base", "Ba-sic"])
def test_two_plans_that_read_the_same_are_refused(name: str) -> None:
    """A list could not tell them apart, nor could a spreadsheet: by name in any language or by code."""
    more = f'[[plan]]\ncode = "second"\nnames = {{ en = "{name}", fr = "Second" }}\nprices = {{ monthly = "1.00" }}\n'
    assert "reads the same as “basic”" in refused(SMALL + more)['line 15, plan "second", names']


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (SMALL.encode("utf-16"), "no text in UTF-8"),
        (SMALL.replace("Base", "Été").encode("latin-1"), "no text in UTF-8"),
        (b"plan = [", "cannot be read as TOML: .*end of document"),
        (b"[price_list]\ncurrency = EUR", "cannot be read as TOML: .*line 2"),
        (b"a = 1\na = 2", "cannot be read as TOML"),
        (b"a = " + b"1" * 10_000, "cannot be read as TOML"),
        (b"a = " + b"[" * 100_000, "cannot be read as TOML"),
        (b"# " + b"x" * MAX_BYTES, "larger than any catalogue"),
    ],
    ids=["utf-16", "latin-1", "open", "no quotes", "twice", "digits", "brackets", "large"],
)
def test_what_cannot_be_read_at_all_is_said_in_one_sentence(content: bytes, sentence: str) -> None:
    """Without a place: the parser names it, where it can."""
    (said,) = refused(content).values()
    assert re.search(sentence, said)


def test_an_empty_file_says_what_is_missing() -> None:
    """And how it begins."""
    assert set(refused("")) == {"price_list", "plan"}


def test_a_byte_order_mark_and_windows_line_ends_do_not_matter() -> None:
    """As editors write them."""
    assert from_toml(b"\xef\xbb\xbf" + SMALL.replace("\n", "\r\n").encode()) == from_toml(SMALL.encode())


def test_plans_may_be_written_on_a_line_of_their_own() -> None:
    """Then a place has no line, only the code."""
    plan = '{ code = "a", names = { en = "A", fr = "A" }, prices = { monthly = "1" } }'
    assert list(refused(f'plan = [{plan}]\n[price_list]\ncurrency = "EUR"')) == ['plan "a", prices.monthly']


def test_what_stands_in_the_file_is_shown_without_what_a_terminal_would_act_on() -> None:
    """And not at any length."""
    (place,) = refused('"\\u001b[31mred' + "x" * 300 + '" = 1\n' + SMALL)
    assert place.startswith("\ufffd[31mred")
    assert len(place) <= 60


def test_the_sentences_are_those_of_the_reader() -> None:
    """They are put together when they are read."""
    speak("fr")
    assert "deux décimales" in refused(changed('"19.00"', '"19"'))['line 5, plan "basic", prices.monthly']


CODES = st.builds(
    lambda first, rest: first + rest,
    st.sampled_from(ascii_letters + digits),
    st.text(ascii_letters + digits + "_.-", max_size=12),
)
NAMES = (
    st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cf", "Co", "Cn")), min_size=1, max_size=20)
    .map(one_line)
    .filter(lambda name: any(c.isalnum() for c in fold(name)) and ";" not in name)
)
CENTS = st.dictionaries(st.sampled_from(BillingPeriod), st.integers(0, 999_999_999), min_size=1)


@st.composite
def catalogues(draw: st.DrawFn) -> Catalogue:
    """Any catalogue that can be stored."""

    def items(kind: type, codes: list[str], **more: st.SearchStrategy) -> dict:
        return {
            code: kind(
                code,
                {language: draw(NAMES) for language in LANGUAGES if language in NAMED_IN or draw(st.booleans())},
                draw(st.booleans()),
                **{name: draw(strategy) for name, strategy in more.items()},
            )
            for code in codes
        }

    def prices(codes: list[str]) -> dict:
        return {(code, period): cents for code in codes for period, cents in draw(CENTS).items()}

    add_ons = draw(st.lists(CODES, max_size=4, unique_by=str.casefold))
    plans = draw(st.lists(CODES, min_size=1, max_size=4, unique_by=str.casefold))
    offered = st.frozensets(st.sampled_from(add_ons)) if add_ons else st.just(frozenset())
    currency = draw(st.sampled_from(["EUR", "GBP", "CHF"]))
    valid_from = draw(st.just(FIRST_DAY) | st.dates(min_value=FIRST_DAY))
    renewals_from = draw(st.none() | st.dates(min_value=FIRST_DAY))
    return Catalogue(
        edition=0,
        is_sample=False,
        currency=currency,
        plans=items(Plan, plans, add_ons=offered),
        add_ons=items(AddOn, add_ons),
        prices=PriceList(0, currency, valid_from, renewals_from, prices(plans), prices(add_ons)),
    )


@given(
    catalogues().filter(lambda c: not [*reading_the_same(c.plans), *reading_the_same(c.add_ons)])  # which is refused
)
def test_any_catalogue_written_and_read_back_is_equal(catalogue: Catalogue) -> None:
    """With its order, names in any script, days, prices and offers."""
    again = from_toml(as_toml(catalogue).encode())
    assert again == catalogue
    assert [*again.plans, *again.add_ons] == [*catalogue.plans, *catalogue.add_ons]


@given(st.text(max_size=200))
def test_any_text_is_a_catalogue_or_refused_in_words(text: str) -> None:
    """Nothing in a file is a failure of ours."""
    assert refused(text)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=3), st.lists, max_leaves=4), st.data())
def test_any_value_in_any_place_is_taken_or_refused_in_words(value: object, data: st.DataObject) -> None:
    """The reader expects nothing of what it finds."""
    said = data.draw(
        st.sampled_from(['"basic"', '"payroll"', '"EUR"', '"Base"', '"19.00"', '["payroll"]', "names = {"])
    )
    written = (
        str(value).lower() if isinstance(value, bool | int) else f'"{"".join(c for c in str(value) if c.isalnum())}"'
    )
    try:
        from_toml(SMALL.replace(said, written, 1).encode())
    except CatalogueFileRefused as refusal:
        assert refusal.fields


def test_a_currency_of_the_product_is_in_use_and_has_cents() -> None:
    """Rule 44: until money knows its decimals."""
    assert [currency_refusal(each) for each in ("EUR", "GBP", "CHF", "USD", "CAD")] == [None] * 5
    for wrong in ("", "EURO", "eur", "BEF", "XAU", "JPY", "TND", "BIF"):
        assert currency_refusal(wrong)
