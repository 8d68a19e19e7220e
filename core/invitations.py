"""Bringing a client in: the invitation binds it to the defaults in force, with its exceptions (rules 3, 4, 7 to 9)."""

from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, EmailStr, Field, ValidationError
from pydantic_core import PydanticCustomError
from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.orm import Session
from stdnum.be import vat as belgian_company_number
from stdnum.exceptions import ValidationError as NotACompanyNumber

from core import access, defaults, editions, revisions
from core.access import Permission
from core.database import now
from core.errors import AlreadyClient, BadInput, RetiredDefaults
from core.language import LANGUAGES, N_
from core.models import Client, DefaultSettings, Invitation, Member, Partner
from core.resolution import EffectiveSettings, Overrides
from core.terms import InvitationStatus, Origin, Setting
from core.text import CONTROL_CHARACTERS, TOO_LONG, can_be_seen, fold, is_showable, note_text, one_line

VALID_FOR = timedelta(days=30)

_PARTNER = bindparam("partner_id", type_=Client.partner_id.type)
_KNOWN = select(Client).where(Client.partner_id == _PARTNER, Client.email == bindparam("email"))
_LATEST = (
    select(Invitation)
    .where(Invitation.partner_id == _PARTNER, Invitation.client_id == bindparam("client_id"))
    .order_by(Invitation.number.desc())
    .limit(1)
)
_NUMBER = (
    update(Partner)
    .where(Partner.partner_id == bindparam("of_partner"))
    .values(last_client_id=Partner.last_client_id + 1)
    .returning(Partner.last_client_id)
)
_NEW_CLIENT = insert(Client)
_NEW = insert(Invitation)

_SENTENCES = {
    "missing": N_("Fill this in."),
    "too_short": N_("Fill this in."),
    "too_long": TOO_LONG,
    "value_error": N_("This is not an e-mail address. Type it like name@example.com."),
    "company_number": N_(
        "This is not a Belgian company number: ten digits, beginning with 0 or 1. "
        "Check it against the register, or leave it empty."
    ),
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


def _company_number(text: str | None) -> str | None:
    if not text:
        return None
    try:
        number = belgian_company_number.validate(text)
    except NotACompanyNumber as wrong:
        raise PydanticCustomError("company_number", "not a company number") from wrong
    return str(number)


def _spoken(language: str) -> str:
    if language not in LANGUAGES:
        raise PydanticCustomError("literal_error", "not a language")
    return language


def _seen(name: str) -> str:
    if name and not can_be_seen(name):
        raise PydanticCustomError("too_short", "nothing to see")
    return name


Line = Annotated[str, BeforeValidator(_one_line), AfterValidator(_showable)]


class NewClient(BaseModel):
    """Who is invited, as typed: trimmed, the e-mail in lower case, the company number (Belgian) as ten digits."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    name: Annotated[Line, AfterValidator(_seen), Field(min_length=1, max_length=200)]
    email: Annotated[EmailStr, BeforeValidator(_one_line), AfterValidator(str.lower)]
    company_number: Annotated[str | None, BeforeValidator(_one_line), AfterValidator(_company_number)] = None
    contact_name: Annotated[Line, Field(max_length=200)] = ""
    language: Annotated[str, AfterValidator(_spoken)] = "en"
    message: Annotated[str, AfterValidator(_showable), Field(max_length=2000)] = ""

    @classmethod
    def from_typed(cls, **typed: object) -> "NewClient":
        """The client of a form's fields. Raises BadInput with a sentence for each field that needs a correction."""
        try:
            return cls.model_validate(typed)
        except ValidationError as wrong:
            raise BadInput({str(e["loc"][0]): _sentence(e) for e in wrong.errors()}) from wrong


def _sentence(error: Any) -> tuple[str, dict[str, object]]:
    limit = error.get("ctx", {}).get("max_length", 0)
    return _SENTENCES.get(error["type"], N_("Correct this.")), {"limit": limit}


def preview(session: Session, member: Member, overrides: Overrides = Overrides()) -> EffectiveSettings:  # noqa: B008 - frozen
    """What a client invited now with these overrides would get.

    Raises NotAllowed, NoDefaults, RetiredDefaults, ChoiceRefused.
    """
    access.require(member, Permission.INVITE)
    return _bindable(session, member, defaults.latest(session, member.partner_id), overrides)


def invite(
    session: Session,
    member: Member,
    new_client: NewClient,
    overrides: Overrides = Overrides(),  # noqa: B008 - frozen
    *,
    reason: str = "",
    attempt: str = "",
    seen_version: int | None = None,
    origin: Origin = Origin.PAGE,
) -> Client:
    """Invite a client: it is bound to the version in force now, with these overrides, and its invitation is pending.

    `attempt` names one filled-in form: the same one sent twice gives the client it made the first time. `seen_version`
    is the defaults version that the member was shown; None: whichever is in force will do.
    Raises NotAllowed, AlreadyClient, StaleDefaults, NoDefaults, RetiredDefaults, ChoiceRefused, BadInput; nothing is
    written then.
    """
    access.act(session, member, Permission.INVITE)
    reason = note_text("reason", reason)
    known = session.scalar(_KNOWN, {"partner_id": member.partner_id, "email": new_client.email})
    if known is not None:
        invitation = latest_invitation(session, member.partner_id, known.client_id)
        if attempt and invitation.attempt == attempt:
            return known
        raise AlreadyClient(client_id=known.client_id, name=known.name, invited_on=invitation.invited_at)
    in_force = defaults.latest(session, member.partner_id)
    if seen_version is not None and in_force is not None and in_force.version != seen_version:
        raise defaults.stale(in_force)
    effective = _bindable(session, member, in_force, overrides)
    client = _add_client(session, member, new_client)
    revisions.begin(session, client, effective, by=member, origin=origin, reason=reason)
    session.connection().execute(
        _NEW,
        {
            "partner_id": client.partner_id,
            "client_id": client.client_id,
            "number": 1,
            "invited_by_id": member.member_id,
            "invited_at": now(session),
            "expires_at": now(session) + VALID_FOR,
            "message": new_client.message,
            "attempt": attempt,
        },
    )
    return client


def latest_invitation(session: Session, partner_id: int, client_id: int) -> Invitation:
    """The newest invitation of a client. Asks no permission: use cases do."""
    return session.scalars(_LATEST, {"partner_id": partner_id, "client_id": client_id}).one()


def standing(invitation: Invitation, moment: datetime) -> InvitationStatus:
    """Where an invitation stands at a moment (UTC)."""
    if invitation.accepted_at is not None:
        return InvitationStatus.ACCEPTED
    if invitation.revoked_at is not None:
        return InvitationStatus.REVOKED
    return InvitationStatus.EXPIRED if moment >= invitation.expires_at else InvitationStatus.PENDING


def _bindable(
    session: Session, member: Member, in_force: DefaultSettings | None, overrides: Overrides
) -> EffectiveSettings:
    effective = defaults.resolved(in_force, overrides)
    offer = editions.current(session, member.partner.currency)
    if in_force is not None:
        inherited = offer.retired_in(effective.settings, among=frozenset(Setting) - effective.overridden)
        if inherited is not None:
            raise RetiredDefaults(version=str(in_force.version), item=inherited)
    offer.refuse_unsellable(effective.settings)
    return effective


def _add_client(session: Session, member: Member, new_client: NewClient) -> Client:
    number = session.connection().execute(_NUMBER, {"of_partner": member.partner_id}).scalar_one()
    row = {
        "partner_id": member.partner_id,
        "client_id": number,
        "name": new_client.name,
        "sort_name": fold(new_client.name),
        "email": new_client.email,
        "company_number": new_client.company_number,
        "contact_name": new_client.contact_name,
        "language": new_client.language,
    }
    session.connection().execute(_NEW_CLIENT, row)
    return Client(**row)
