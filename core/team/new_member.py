"""Who is to become a member, as typed: trimmed and checked, with a sentence for each field that needs a correction."""

from typing import Annotated

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from core.invitations import Email, Name, Typed
from core.words import LANGUAGES, Role


def _spoken(language: str) -> str:
    if language not in LANGUAGES:
        raise PydanticCustomError("literal_error", "not a language")
    return language


class NewMember(Typed):
    """Who is to become a member: trimmed, the e-mail in lower case. `client_access` counts for a client manager."""

    name: Name
    email: Email
    role: Role
    client_access: bool = True
    language: Annotated[str, AfterValidator(_spoken)] = "en"


class _Named(Typed):
    name: Name


def name_of(typed: str) -> str:
    """The name as it is stored. Raises BadInput."""
    return _Named.from_typed(name=typed).name
