"""Who a client is, as typed or brought: trimmed and checked, with a sentence for each field that needs a correction."""

from contextlib import suppress
from functools import lru_cache
from re import IGNORECASE
from re import compile as pattern
from typing import Annotated, Any, Self

from babel import Locale
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    EmailStr,
    Field,
    ValidationError,
    ValidationInfo,
)
from pydantic_core import PydanticCustomError
from stdnum import get_cc_module
from stdnum.be import vat as belgian_number
from stdnum.exceptions import InvalidChecksum
from stdnum.exceptions import ValidationError as NotANumber
from stdnum.fr import siren, siret
from stdnum.util import clean

from core.words import (
    CONTROL_CHARACTERS,
    LANGUAGES,
    N_,
    TOO_LONG,
    BadInput,
    can_be_seen,
    is_showable,
    odd_letters,
    one_line,
)

_NUMBER_OF = r"(?:(?:n[°ºo]|nr|num[ée]ro|nummer|number)[\s.:]*(?:de\s|d['’])?\s*)?"
_WORD_ENDS = r"(?![^\W\d_])"
_TAX = pattern(  # what people write before the number itself: "TVA", "BTW-nummer:", "N° TVA intracommunautaire :"
    rf"{_NUMBER_OF}(?:tva|btw|vat|t\.v\.a|b\.t\.w){_WORD_ENDS}(?:\s*/\s*(?:tva|btw|vat){_WORD_ENDS})?"
    rf"(?:[\s.-]*(?:intracom[^\W\d_]*|id[^\W\d_]*|number|nummer|nr|no|n[°º]|num[ée]ro){_WORD_ENDS})*[\s:.]*",
    IGNORECASE,
)
_REGISTERS = {  # before the number, also with a town between them, or behind it: "RCS Paris", "RPM Bruxelles"
    "BE": r"bce|kbo|cbe|rpm|rpr|r\.p\.[mr]|entreprise|enterprise|ondernemings?(?:nummer|nr)?",
    "FR": r"siren|siret|rcs|r\.c\.s",
    "NL": r"kvk|k\.v\.k|kamer van koophandel|handelsregister",
}
_BEFORE = {
    country: pattern(rf"{_NUMBER_OF}(?:{words}){_WORD_ENDS}\D{{0,60}}", IGNORECASE)
    for country, words in _REGISTERS.items()
}
_BEHIND = {
    country: pattern(rf"[\s,;(–-]{{1,3}}(?:{words}){_WORD_ENDS}\D{{0,60}}$", IGNORECASE)
    for country, words in _REGISTERS.items()
}
_PREFIXES = {"GR": "EL"}  # the letters of a VAT number where they are not the country's
_NO_COUNTRIES = frozenset({"EU", "EZ", "UN", "QO", "ZZ", "XA", "XB"})  # in the same list of territories
_SENTENCES = {
    "missing": N_("Fill this in."),
    "too_short": N_("Fill this in."),
    "too_long": TOO_LONG,
    "value_error": N_("This is not an e-mail address. Type it like name@example.com."),
    "company_number": N_(
        "This is not a Belgian company number: ten digits, beginning with 0 or 1. "
        "Check it against the register, or leave it empty."
    ),
    "check_digits": N_(
        "The last two digits of this company number do not fit the others, so one of its digits is wrong. "
        "Check it against the register, or leave it empty."
    ),
    "french_number": N_(
        "This is not a SIREN or SIRET number: nine or fourteen digits whose last one fits the others. "
        "Check it against the register, or leave it empty."
    ),
    "dutch_number": N_("This is not a KvK number: eight digits. Check it against the register, or leave it empty."),
    "country": N_("This is not a country code. Use two letters, for example BE, FR or NL."),
    "vat_number": N_("This is not a VAT number of {country}. Check it, or leave it empty."),
    "not_showable": CONTROL_CHARACTERS,
    "string_unicode": CONTROL_CHARACTERS,
    "literal_error": N_("Choose one of the languages in the list."),
}


def _showable(text: str) -> str:
    if not is_showable(text):
        raise PydanticCustomError("not_showable", "characters that cannot be shown")
    return text


def _one_line(value: Any) -> Any:
    return one_line(value) if isinstance(value, str) else value


@lru_cache
def countries() -> frozenset[str]:
    """The codes of the countries that a client can be of."""
    codes = (str(code) for code in Locale("en").territories)
    return frozenset(code for code in codes if len(code) == 2 and code.isalpha()) - _NO_COUNTRIES


def _country(text: str) -> str:
    code = text.upper()
    if code and code not in countries():
        raise PydanticCustomError("country", "not a country")
    return code


def _company_number(text: str | None, fields: ValidationInfo) -> str | None:
    if not text or "country" not in fields.data:  # refused itself: whose rules hold is not known
        return None
    match fields.data["country"]:
        case "" | "BE":
            return _belgian(text)
        case "FR":
            return _french(text)
        case "NL":
            return _dutch(text)
    return _within(text, 30)


def _bare(text: str, country: str) -> str:
    """The number alone, without the words for it and for the register that it stands in."""
    text = _BEHIND[country].sub("", text)
    before = _BEFORE[country].match(text) or (_TAX.match(text) if country == "BE" else None)
    return text[before.end() :] if before else text


def _belgian(text: str) -> str:
    try:
        return str(belgian_number.validate(_bare(text, "BE")))
    except InvalidChecksum as wrong:
        raise PydanticCustomError("check_digits", "check digits that do not fit") from wrong
    except NotANumber as wrong:
        raise PydanticCustomError("company_number", "not a company number") from wrong


def _french(text: str) -> str:
    """A SIREN, or the SIRET of one of its establishments, as digits."""
    for number in (siren, siret):
        with suppress(NotANumber):
            return str(number.validate(clean(_bare(text, "FR"), " .-")))
    raise PydanticCustomError("french_number", "not a SIREN or SIRET")


def _dutch(text: str) -> str:
    """A KvK number, which has no check digit."""
    digits = clean(_bare(text, "NL"), " .-")
    if not (len(digits) == 8 and digits.isascii() and digits.isdecimal()):
        raise PydanticCustomError("dutch_number", "not a KvK number")
    return digits


def _vat_number(text: str | None, fields: ValidationInfo) -> str | None:
    if not text or "country" not in fields.data:
        return None
    country = fields.data["country"] or "BE"
    prefix = _PREFIXES.get(country, country)
    checked = get_cc_module(country, "vat")
    if checked is None:
        return _within(text, 30)
    number = _BEHIND["BE"].sub("", text) if country == "BE" else text
    number = number[label.end() :] if (label := _TAX.match(number)) else number
    without = clean(number, " .-").upper().removeprefix(prefix)  # not every country's rules know the letters before it
    for each in (number, without):
        with suppress(NotANumber):
            return f"{prefix}{str(checked.validate(each)).removeprefix(prefix)}"
    raise PydanticCustomError("vat_number", "not a VAT number", {"country": country})


def _within(text: str, limit: int) -> str:
    if len(text) > limit:
        raise PydanticCustomError("too_long", "too long", {"max_length": limit})
    return _showable(text)


def _spoken(language: str) -> str:
    if language not in LANGUAGES:
        raise PydanticCustomError("literal_error", "not a language")
    return language


def _seen(name: str) -> str:
    if name and not can_be_seen(name):
        raise PydanticCustomError("too_short", "nothing to see")
    return name


def _in_one_alphabet(email: str) -> str:
    if (odd := odd_letters(email)) is not None:
        raise PydanticCustomError("odd_letters", "letters that look like others", {"odd": odd})
    return email


Line = Annotated[str, BeforeValidator(_one_line), AfterValidator(_showable)]
Name = Annotated[Line, AfterValidator(_seen), Field(min_length=1, max_length=200)]
Email = Annotated[EmailStr, BeforeValidator(_one_line), AfterValidator(str.lower), AfterValidator(_in_one_alphabet)]


class Typed(BaseModel):
    """What is typed in a form: trimmed, and checked field by field."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    @classmethod
    def from_typed(cls, **typed: object) -> Self:
        """What a form's fields say. Raises BadInput with a sentence for each field that needs a correction."""
        try:
            return cls.model_validate(typed)
        except ValidationError as wrong:
            raise BadInput({str(error["loc"][0]): _sentence(error) for error in wrong.errors()}) from wrong


class ClientDetails(Typed):
    """Who a client is, as typed: trimmed, the e-mail in lower case, a Belgian company number as ten digits.

    Numbers are checked by the rules of the country (ISO 3166 alpha-2); without a country, of Belgium.
    """

    name: Name
    email: Email
    country: Annotated[Line, AfterValidator(_country)] = ""
    company_number: Annotated[str | None, BeforeValidator(_one_line), AfterValidator(_company_number)] = None
    vat_number: Annotated[str | None, BeforeValidator(_one_line), AfterValidator(_vat_number)] = None
    external_reference: Annotated[Line, Field(max_length=100)] = ""
    contact_name: Annotated[Line, Field(max_length=200)] = ""
    language: Annotated[str, AfterValidator(_spoken)] = "en"


class NewClient(ClientDetails):
    """Who is invited, with the words that go with the invitation."""

    message: Annotated[str, AfterValidator(_showable), Field(max_length=2000)] = ""


def _sentence(error: Any) -> tuple[str, dict[str, object]]:
    context = error.get("ctx", {})
    if error["type"] == "odd_letters":
        sentence, values = context["odd"]
        return sentence, values
    values = {"limit": context.get("max_length", 0), "country": context.get("country", "")}
    return _SENTENCES.get(error["type"], N_("Correct this.")), values
