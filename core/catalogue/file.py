"""The catalogue file: one price list with its plans and add-ons, as TOML that a person writes (rule 42).

`python -m core catalogue example` prints one that says what each line means. It is read strictly, and everything that
is to correct is said at once, each with its place.
"""

import json
import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from core.catalogue.price_lists import FIRST_DAY, PriceList
from core.catalogue.rules import NAMED_IN, AddOn, Catalogue, Item, Plan
from core.words import (
    LANGUAGES,
    N_,
    BadInput,
    BillingPeriod,
    can_be_seen,
    currency_refusal,
    fold,
    is_showable,
    one_line,
)

MAX_BYTES = 1_000_000
LARGEST_CENTS = 999_999_999  # of one price: what any database holds, with room for sums
LONGEST_CODE, LONGEST_NAME = 50, 100

_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_AMOUNT = re.compile(r"(0|[1-9][0-9]*)\.[0-9]{2}")
_DAYS = ("valid_from", "renewals_from")

TOO_LARGE_A_FILE = N_("This is larger than any catalogue. Look whether it is the right file.")
NOT_UTF_8 = N_("This is no text in UTF-8. Save the file as UTF-8 in your editor.")
NOT_TOML = N_("It cannot be read as TOML: {said}. `python -m core catalogue example` shows how it is written.")
UNKNOWN_KEY = N_("“{key}” means nothing here. Remove it, or write one of: {known}.")
NOT_A_TABLE = N_("There have to be keys and values here, as in: {example}")
MISSING = N_("This is missing. Add it, as in: {example}")
NO_PLAN = N_("The file has no plan. Add at least one, as in: {example}")
NOT_A_DAY = N_("Write a day without quotation marks and without a time: {example}")
TOO_EARLY = N_("There are no prices before {first}. Give a later day.")
BAD_CODE = N_("A code is up to {limit} letters without accents, digits and _ . - and begins with a letter or a digit.")
SAME_CODE = N_("Another one in this file has the code “{code}” already. Give each a code of its own.")
BAD_NAME = N_("A name is one line of text with a letter or a digit in it, without ; and up to {limit} characters.")
NO_NAME = N_("The name in {language} is missing. Add it, as in: {example}")
SAME_NAME = N_("It reads the same as “{other}”: a name or code of one is that of the other. Give one another name.")
NOT_TRUE_OR_FALSE = N_("Write true or false, without quotation marks.")
NOT_TEXT = N_("Write the amount as text, between quotation marks and with two decimals: {example}")
NOT_AN_AMOUNT = N_("“{amount}” is not digits, a point and two decimals. Write it like this: {example}")
NEGATIVE = N_("“{amount}” is below zero, which no price can be.")
TOO_MUCH = N_("“{amount}” is more than a price can be. Keep it within {limit}.")
NO_PRICE_AT_ALL = N_("It has no price. Give one for at least one billing period, or write retired = true.")
NOT_CODES = N_("List the codes of add-ons, as in: {example}")
UNKNOWN_ADD_ON = N_("The file has no add-on with the code “{code}”. Add it to the file, or take the code out of here.")
LISTED_TWICE = N_("“{code}” is listed twice. Once is enough.")

_LIST_EXAMPLE = '[price_list] currency = "EUR"'
_PLAN_EXAMPLE = '[[plan]] code = "standard"'
_ADD_ON_EXAMPLE = '[[add_on]] code = "payroll"'
_CODE_EXAMPLE = 'code = "standard"'
_NAMES_EXAMPLE = "names = { " + ", ".join(f'{language} = "Standard"' for language in LANGUAGES) + " }"
_PRICES_EXAMPLE = 'prices = { monthly = "19.00", yearly = "190.00" }'
_OFFER_EXAMPLE = 'add_ons = ["payroll"]'
_AMOUNT_EXAMPLE = '"19.00"'

_Problems = dict[str, tuple[str, Mapping[str, object]]]  # place in the file -> what to change there


class CatalogueFileRefused(BadInput):
    """The file cannot be loaded as it is: `fields` gives for each place in it a sentence that says what to change."""

    def __str__(self) -> str:
        return "\n".join(f"{where}: {sentence}" if where else sentence for where, sentence in self.fields.items())


def from_toml(content: bytes) -> Catalogue:
    """The catalogue that a file describes, with edition 0 and price list 0: it is stored nowhere yet. A list without a
    day has FIRST_DAY: it begins when it is loaded. Raises CatalogueFileRefused."""
    text, values = _parsed(content)
    problems: _Problems = {}
    _keys(problems, "", values, ("price_list", "plan", "add_on"))
    currency, days = _price_list(problems, values.get("price_list"))
    of_add_ons: _Problems = {}  # said after those of the plans, as the file has them
    add_ons, add_on_prices = _items(of_add_ons, _tables(of_add_ons, text, values, "add_on", _ADD_ON_EXAMPLE), None)
    plans, plan_prices = _items(problems, _tables(problems, text, values, "plan", _PLAN_EXAMPLE), frozenset(add_ons))
    if not values.get("plan"):
        _note(problems, "plan", NO_PLAN, example=_PLAN_EXAMPLE)
    if problems or of_add_ons:
        raise CatalogueFileRefused({**problems, **of_add_ons})
    return Catalogue(
        edition=0,
        is_sample=False,
        currency=currency,
        plans={code: item for code, item in plans.items() if isinstance(item, Plan)},
        add_ons={code: item for code, item in add_ons.items() if isinstance(item, AddOn)},
        prices=PriceList(
            0, currency, days.get("valid_from", FIRST_DAY), days.get("renewals_from"), plan_prices, add_on_prices
        ),
    )


def as_toml(catalogue: Catalogue) -> str:
    """The catalogue with its prices as such a file; read back it is the same."""
    lines = ["[price_list]", f"currency = {_quoted(catalogue.currency)}"]
    if catalogue.prices.valid_from != FIRST_DAY:
        lines.append(f"valid_from = {catalogue.prices.valid_from}")
    if catalogue.prices.renewals_from is not None:
        lines.append(f"renewals_from = {catalogue.prices.renewals_from}")
    for plan in catalogue.plans.values():
        lines += ["", "[[plan]]", *_item_lines(plan, catalogue.plan_prices)]
        offered = [code for code in catalogue.add_ons if code in plan.add_ons]
        lines.append(f"add_ons = [{', '.join(_quoted(code) for code in offered)}]")
    for add_on in catalogue.add_ons.values():
        lines += ["", "[[add_on]]", *_item_lines(add_on, catalogue.add_on_prices)]
    return "\n".join(lines) + "\n"


def reading_the_same(items: Mapping[str, Item]) -> Iterator[tuple[Item, Item]]:
    """Each plan (or add-on) with an earlier one that a spreadsheet's words could mean as well: by name or by code."""
    seen: dict[str, Item] = {}
    for item in items.values():
        words = {_read(word) for word in (item.code, *item.names.values())}
        if earlier := next((seen[word] for word in sorted(words) if word in seen), None):
            yield item, earlier
        seen |= dict.fromkeys(words - seen.keys(), item)


def _parsed(content: bytes) -> tuple[str, dict[str, Any]]:
    if len(content) > MAX_BYTES:
        raise CatalogueFileRefused({"": (TOO_LARGE_A_FILE, {})})
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise CatalogueFileRefused({"": (NOT_UTF_8, {})}) from None
    try:
        return text, tomllib.loads(text)
    except (ValueError, RecursionError) as failure:  # a number of ten thousand digits, brackets without end
        said = str(failure) if isinstance(failure, tomllib.TOMLDecodeError) else type(failure).__name__
        raise CatalogueFileRefused({"": (NOT_TOML, {"said": _shown(said)})}) from None


def _price_list(problems: _Problems, price_list: Any) -> tuple[str, dict[str, date]]:
    """The currency, and the days that are given."""
    if not isinstance(price_list, dict):
        _note(problems, "price_list", MISSING if price_list is None else NOT_A_TABLE, example=_LIST_EXAMPLE)
        return "", {}
    _keys(problems, "price_list", price_list, ("currency", *_DAYS))
    currency = price_list.get("currency")
    if currency is None:
        _note(problems, "price_list, currency", MISSING, example=_LIST_EXAMPLE)
    elif refusal := currency_refusal(str(currency)):
        _note(problems, "price_list, currency", refusal, currency=_shown(currency))
    days = {name: price_list[name] for name in _DAYS if name in price_list}
    for name, day in days.items():
        if type(day) is not date:  # an instant is a date too, to Python
            _note(problems, f"price_list, {name}", NOT_A_DAY, example=f"{name} = 2027-03-01")
        elif day < FIRST_DAY:
            _note(problems, f"price_list, {name}", TOO_EARLY, first=FIRST_DAY)
    return str(currency), days


def _tables(
    problems: _Problems, text: str, values: dict[str, Any], kind: str, example: str
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every plan, or add-on, with its place: the line of its heading where there is one for each, and its code."""
    tables = values.get(kind, [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        _note(problems, kind, NOT_A_TABLE, example=example)
        return
    heading = re.compile(rf"\s*\[\[\s*{kind}\s*\]\]")
    lines = [number for number, line in enumerate(text.split("\n"), 1) if heading.match(line)]
    for number, table in enumerate(tables, 1):
        code = table.get("code")
        named = f'{kind} "{_shown(code)}"' if isinstance(code, str) and code else f"{kind} {number}"
        yield f"line {lines[number - 1]}, {named}" if len(lines) == len(tables) else named, table


def _items(
    problems: _Problems, tables: Iterator[tuple[str, dict[str, Any]]], offered: frozenset[str] | None
) -> tuple[dict[str, Item], dict[tuple[str, BillingPeriod], int]]:
    """Plans where the codes of what can be `offered` with them are given, else add-ons; and their prices."""
    items: dict[str, Item] = {}
    prices: dict[tuple[str, BillingPeriod], int] = {}
    places: dict[str, str] = {}
    known = ("code", "names", "prices", "retired", *(() if offered is None else ("add_ons",)))
    for where, table in tables:
        _keys(problems, where, table, known)
        code = _code(problems, where, table.get("code"))
        names = _names(problems, where, table.get("names"))
        retired = table.get("retired", False)
        if not isinstance(retired, bool):
            _note(problems, f"{where}, retired", NOT_TRUE_OR_FALSE)
        cents = _prices(problems, where, table.get("prices"), retired=retired is not False)
        add_ons = frozenset() if offered is None else _offer(problems, where, table.get("add_ons", []), offered)
        if code in items:
            _note(problems, f"{where}, code", SAME_CODE, code=code)
        elif code is not None:
            items[code] = AddOn(code, names, retired) if offered is None else Plan(code, names, retired, add_ons)
            places[code] = where
            prices |= {(code, period): amount for period, amount in cents.items()}
    for item, earlier in reading_the_same(items):
        _note(problems, f"{places[item.code]}, names", SAME_NAME, other=earlier.code)
    return items, prices


def _code(problems: _Problems, where: str, code: Any) -> str | None:
    if code is None:
        _note(problems, f"{where}, code", MISSING, example=_CODE_EXAMPLE)
        return None
    if isinstance(code, str) and _CODE.fullmatch(code) and len(code) <= LONGEST_CODE:
        return code
    _note(problems, f"{where}, code", BAD_CODE, limit=LONGEST_CODE)
    return None


def _names(problems: _Problems, where: str, names: Any) -> dict[str, str]:
    if not isinstance(names, dict):
        _note(problems, f"{where}, names", MISSING if names is None else NOT_A_TABLE, example=_NAMES_EXAMPLE)
        return {}
    _keys(problems, f"{where}, names", names, tuple(LANGUAGES))
    found = {}
    for language, in_words in LANGUAGES.items():
        name = names.get(language)
        place = f"{where}, names.{language}"
        if name is None:
            if language in NAMED_IN:
                _note(problems, place, NO_NAME, language=in_words, example=_NAMES_EXAMPLE)
        elif isinstance(name, str) and _is_name(name):
            found[language] = one_line(name)
        else:
            _note(problems, place, BAD_NAME, limit=LONGEST_NAME)
    return found


def _is_name(name: str) -> bool:
    shown = can_be_seen(name) and is_showable(name) and "\n" not in name and ";" not in name
    return shown and len(name) <= LONGEST_NAME and bool(_read(name))


def _prices(problems: _Problems, where: str, prices: Any, *, retired: bool) -> dict[BillingPeriod, int]:
    if prices is None:
        prices = {}
    if not isinstance(prices, dict):
        _note(problems, f"{where}, prices", NOT_A_TABLE, example=_PRICES_EXAMPLE)
        return {}
    _keys(problems, f"{where}, prices", prices, tuple(period.value for period in BillingPeriod))
    if not prices and not retired:
        _note(problems, f"{where}, prices", NO_PRICE_AT_ALL)
    return {
        period: _cents(problems, f"{where}, prices.{period}", prices[period])
        for period in BillingPeriod
        if period in prices
    }


def _cents(problems: _Problems, where: str, amount: Any) -> int:
    if not isinstance(amount, str):
        _note(problems, where, NOT_TEXT, example=_AMOUNT_EXAMPLE)
    elif amount.startswith("-") and _AMOUNT.fullmatch(amount[1:]):
        _note(problems, where, NEGATIVE, amount=amount)
    elif not _AMOUNT.fullmatch(amount):
        _note(problems, where, NOT_AN_AMOUNT, amount=_shown(amount), example=_AMOUNT_EXAMPLE)
    elif len(amount) > len(_amount(LARGEST_CENTS)):
        _note(problems, where, TOO_MUCH, amount=_shown(amount), limit=_amount(LARGEST_CENTS))
    else:
        return int(amount.replace(".", ""))
    return 0


def _offer(problems: _Problems, where: str, codes: Any, known: frozenset[str]) -> frozenset[str]:
    place = f"{where}, add_ons"
    if not isinstance(codes, list) or not all(isinstance(code, str) for code in codes):
        _note(problems, place, NOT_CODES, example=_OFFER_EXAMPLE)
        return frozenset()
    for code in sorted(code for code, times in Counter(codes).items() if times > 1):
        _note(problems, f'{place} "{_shown(code)}"', LISTED_TWICE, code=_shown(code))
    for code in sorted(set(codes) - known):
        _note(problems, f'{place} "{_shown(code)}"', UNKNOWN_ADD_ON, code=_shown(code))
    return frozenset(codes)


def _keys(problems: _Problems, where: str, table: dict[str, Any], known: tuple[str, ...]) -> None:
    for key in table:
        if key not in known:
            place = f"{where}, {_shown(key)}" if where else _shown(key)
            _note(problems, place, UNKNOWN_KEY, key=_shown(key), known=known)


def _note(problems: _Problems, where: str, sentence: str, **values: object) -> None:
    problems.setdefault(where, (sentence, values))


def _read(word: str) -> str:
    """A name or code as spreadsheets are matched by it."""
    return "".join(c for c in fold(word) if c.isalnum())


def _shown(value: object) -> str:
    """What stands in the file, short and without characters that a terminal would act on."""
    said = "".join(c if is_showable(c) and c.isprintable() else "\ufffd" for c in str(value)[:200])
    return said if len(said) <= 60 else f"{said[:59]}…"


def _item_lines(item: Item, prices: Mapping[tuple[str, BillingPeriod], int]) -> Iterator[str]:
    yield f"code = {_quoted(item.code)}"
    names = (f"{language} = {_quoted(item.names[language])}" for language in LANGUAGES if language in item.names)
    yield f"names = {{ {', '.join(names)} }}"
    priced = [(period, prices[item.code, period]) for period in BillingPeriod if (item.code, period) in prices]
    if priced:
        yield f"prices = {{ {', '.join(f'{period} = {_quoted(_amount(cents))}' for period, cents in priced)} }}"
    if item.is_retired:
        yield "retired = true"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _amount(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02}"
