"""Members, roles and permissions. The matrix here is the only place that says who may do what (rule 10)."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from sqlalchemy import bindparam, exists, select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, joinedload

from core.members.tables import DemoSpace, Member, Partner
from core.storage import (
    LARGEST_NUMBER,
    forget_long_change,
    long_change,
    long_change_on,
    refuse_beside,
    says_long_change,
)
from core.words import LANGUAGES, NotAllowed, Role


class Permission(StrEnum):
    """What can be allowed."""

    READ_DEFAULTS = "read defaults"
    SAVE_DEFAULTS = "save defaults"
    READ_CLIENTS = "read clients"
    INVITE = "invite"
    EDIT_CLIENT = "edit client"
    OVERRIDE = "override"
    CHANGE_RESPONSIBLE = "change responsible"
    EXPORT = "export"
    READ_DISTRIBUTION = "read distribution"
    MANAGE_MEMBERS = "manage members"
    MANAGE_CATALOGUE = "manage catalogue"
    READ_ACTIVITY = "read activity"
    READ_BATCHES = "read batches"
    SHARE_VIEWS = "share views"


_CLIENTS = frozenset({Role.ADMINISTRATOR, Role.CLIENT_MANAGER})
_CLIENTS_AND_FINANCE = _CLIENTS | {Role.FINANCE}
_LOOK_AFTER_CLIENTS = _CLIENTS | {Role.ACCOUNTANT}

MATRIX: dict[Permission, frozenset[Role]] = {
    Permission.READ_DEFAULTS: frozenset(Role),
    Permission.SAVE_DEFAULTS: _CLIENTS,
    Permission.READ_CLIENTS: frozenset(Role),  # an accountant: those they are responsible for (reads_all_clients)
    Permission.INVITE: _CLIENTS,
    Permission.EDIT_CLIENT: _CLIENTS,
    Permission.OVERRIDE: _CLIENTS,
    Permission.CHANGE_RESPONSIBLE: _CLIENTS,
    Permission.EXPORT: frozenset(Role),  # of the clients that the member sees
    Permission.READ_DISTRIBUTION: _CLIENTS_AND_FINANCE,
    Permission.MANAGE_MEMBERS: frozenset({Role.ADMINISTRATOR}),
    Permission.MANAGE_CATALOGUE: frozenset({Role.ADMINISTRATOR}),
    Permission.READ_ACTIVITY: frozenset({Role.ADMINISTRATOR}),
    Permission.READ_BATCHES: _CLIENTS_AND_FINANCE,
    Permission.SHARE_VIEWS: frozenset({Role.ADMINISTRATOR}),
}

_ACCESS_UNCHANGED = exists().where(
    Member.partner_id == bindparam("of_partner"),
    Member.member_id == bindparam("of_member"),
    Member.role == bindparam("of_role"),
    Member.client_access == bindparam("of_access"),
    Member.is_active,
)
_HAS_UNCHANGED_ACCESS = select(_ACCESS_UNCHANGED).where(_ACCESS_UNCHANGED)
_TURN = (
    update(Partner)
    .where(Partner.partner_id == bindparam("of_partner"), _ACCESS_UNCHANGED, ~says_long_change(Partner.partner_id))
    .values(change_number=Partner.change_number + 1)
)
_TURN_OF_NOBODY = (  # taken by the product or the holder of a link
    update(Partner)
    .where(Partner.partner_id == bindparam("of_partner"), ~says_long_change(Partner.partner_id))
    .values(change_number=Partner.change_number + 1)
)
_MEMBER = (
    select(Member)
    .options(joinedload(Member.partner))
    .where(Member.partner_id == bindparam("partner_id"), Member.member_id == bindparam("member_id"))
)


def may(member: Member, permission: Permission) -> bool:
    """Whether the member may. An inactive member, or a client manager without access to clients, may nothing."""
    if not member.is_active:
        return False
    if member.role is Role.CLIENT_MANAGER and not member.client_access:
        return False
    return member.role in MATRIX[permission]


def require(member: Member, permission: Permission) -> None:
    """Raise NotAllowed unless the member may."""
    if not may(member, permission):
        raise NotAllowed


def act(session: Session, member: Member, permission: Permission) -> None:
    """Begin a change: the member may make it, and holds the partner's turn until the transaction ends.

    Writers of one partner space take turns on the partner's row, so an action reads what it changes undisturbed. The
    member's role and access are asked of the database again. The partner's change number grows by one.
    Raises NotAllowed.
    """
    require(member, permission)
    if not _turn_taken(session, _TURN, _access(member)):
        raise NotAllowed
    require_still(session, member, permission)  # the access may have changed while waiting for the turn


def require_still(session: Session, member: Member, permission: Permission) -> None:
    """Raise NotAllowed unless the member may, asked of the database as it is now."""
    require(member, permission)
    if session.connection().execute(_HAS_UNCHANGED_ACCESS, _access(member)).first() is None:
        raise NotAllowed


def take_turn(session: Session, partner_id: int) -> None:
    """Begin a change that no member makes: the holder of an invitation's link, the product. As in `act`, without asking
    who it is."""
    _turn_taken(session, _TURN_OF_NOBODY, {"of_partner": partner_id})


def take_every_turn(session: Session) -> None:
    """Begin a change of what all partners share: nobody changes anything in any partner space until the transaction
    ends. Always in the order of their numbers, so that two who do this wait for each other."""
    for partner_id in session.scalars(select(Partner.partner_id).order_by(Partner.partner_id)).all():
        take_turn(session, partner_id)


def _turn_taken(session: Session, turn: Any, who: Mapping[str, Any]) -> bool:
    """Whether the partner's turn was taken. Raises BulkRunning where many of its clients are being changed, which may
    take minutes; also when that began while waiting."""
    partner_id, connection = who["of_partner"], session.connection()
    try:
        if connection.execute(turn, who).rowcount == 1:
            return True
    except OperationalError:  # waited for too long
        with connection.engine.connect() as other:
            refuse_beside(long_change_on(other, partner_id))
        raise
    refuse_beside(long_change(session, partner_id))
    forget_long_change(session, partner_id)
    return connection.execute(turn, who).rowcount == 1


def _access(member: Member) -> dict[str, Any]:
    return {
        "of_partner": member.partner_id,
        "of_member": member.member_id,
        "of_role": member.role,
        "of_access": member.client_access,
    }


def is_demo(session: Session) -> bool:
    """Whether demo mode made this database."""
    return session.scalar(select(DemoSpace.partner_id).limit(1)) is not None


def reads_all_clients(member: Member) -> bool:
    """Whether the member sees all clients. An accountant sees those they are responsible for now (rule 52)."""
    return may(member, Permission.READ_CLIENTS) and member.role is not Role.ACCOUNTANT


def can_be_responsible(member: Member) -> bool:
    """Whether the member can look after clients: an active administrator, client manager with access to clients, or
    accountant (rule 52)."""
    return may(member, Permission.READ_CLIENTS) and member.role in _LOOK_AFTER_CLIENTS


def find(session: Session, partner_id: int, member_id: int) -> Member | None:
    """The member as they are now, with their partner, or None."""
    if not 0 < member_id <= LARGEST_NUMBER:
        return None
    return session.scalar(_MEMBER, {"partner_id": partner_id, "member_id": member_id})


def of_partner(session: Session, partner_id: int) -> list[Member]:
    """Every member of a partner, in the order they came, each with the partner."""
    return list(
        session.scalars(
            select(Member)
            .options(joinedload(Member.partner))
            .where(Member.partner_id == partner_id)
            .order_by(Member.member_id)
        )
    )


def by_email(session: Session, who: str) -> list[Member]:
    """The active members with this e-mail, each with the partner: in every partner space, or in that of
    `partner_id:e-mail`."""
    number, _, email = who.rpartition(":") if who.partition(":")[0].isdecimal() else ("", "", who)
    found = (
        select(Member)
        .options(joinedload(Member.partner))
        .where(Member.email == email.strip().lower(), Member.is_active)
        .order_by(Member.partner_id)
    )
    return [member for member in session.scalars(found) if number in ("", str(member.partner_id))]


def choose_language(session: Session, member: Member, language: str) -> None:
    """Afterwards the product speaks this language to the member, here and at the next visit."""
    if language not in LANGUAGES:
        raise ValueError(f"{language!r} is not a language of the product")
    session.execute(
        update(Member)
        .where(Member.partner_id == member.partner_id, Member.member_id == member.member_id)
        .values(language=language)
        .execution_options(synchronize_session=False)
    )
