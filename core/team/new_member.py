"""Who is to become a member, as typed: trimmed and checked, with a sentence for each field that needs a correction."""

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError
from pydantic_core import PydanticCustomError

from core.invitations import Email, Name, bad_input
from core.words import LANGUAGES, Role


def _spoken(language: str) -> str:
    if language not in LANGUAGES:
        raise PydanticCustomError("literal_error", "not a language")
    return language


class NewMember(BaseModel):
    """Who is to become a member: trimmed, the e-mail in lower case. `client_access` counts for a client manager."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    name: Name
    email: Email
    role: Role
    client_access: bool = True
    language: Annotated[str, AfterValidator(_spoken)] = "en"

    @classmethod
    def from_typed(cls, **typed: Any) -> "NewMember":
        """The member of a form's fields. Raises BadInput with a sentence for each field that needs a correction."""
        try:
            return cls.model_validate(typed)
        except ValidationError as wrong:
            raise bad_input(wrong) from wrong


class _Named(BaseModel):
    model_config = ConfigDict(str_strip_whitespace=True)

    name: Name


def name_of(typed: str) -> str:
    """The name as it is stored. Raises BadInput."""
    try:
        return _Named(name=typed).name
    except ValidationError as wrong:
        raise bad_input(wrong) from wrong
