"""Who a client is, as typed or brought: trimmed and checked, with a sentence for each field that needs a correction."""

from contextlib import suppress
from functools import lru_cache
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
from stdnum.exceptions import ValidationError as NotANumber

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

_BELGIAN = ("", "BE")
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
def _countries() -> frozenset[str]:
    codes = (str(code) for code in Locale("en").territories)
    return frozenset(code for code in codes if len(code) == 2 and code.isalpha()) - _NO_COUNTRIES


def _country(text: str) -> str:
    code = text.upper()
    if code and code not in _countries():
        raise PydanticCustomError("country", "not a country")
    return code


def _company_number(text: str | None, fields: ValidationInfo) -> str | None:
    if not text or "country" not in fields.data:  # refused itself: whose rules hold is not known
        return None
    if fields.data["country"] not in _BELGIAN:
        return _within(text, 30)
    try:
        number = belgian_number.validate(text)
    except NotANumber as wrong:
        raise PydanticCustomError("company_number", "not a company number") from wrong
    return str(number)


def _vat_number(text: str | None, fields: ValidationInfo) -> str | None:
    if not text or "country" not in fields.data:
        return None
    country = fields.data["country"] or "BE"
    checked = get_cc_module(country, "vat")
    if checked is None:
        return _within(text, 30)
    as_stored = text.upper().removeprefix(country)  # with the country before it, which not every country's rules know
    for number in (text, as_stored):
        with suppress(NotANumber):
            return f"{country}{str(checked.validate(number)).removeprefix(country)}"
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
