"""A member is added or changed here, and nowhere without a trace: what, from what to what, when and by whom."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import bindparam, func, insert, select, update
from sqlalchemy.orm import Session, aliased
from sqlalchemy.orm.attributes import set_committed_value

from core.members.tables import Member, MemberChange
from core.storage import now
from core.words import MemberFact, Role

STORED_BOOLEANS = {True: "yes", False: "no", None: None}  # how a yes or no is stored in a change

BeforeAndAfter = tuple[str | None, str | None]  # as stored; None: there was nothing

_WHOSE = (
    MemberChange.partner_id == bindparam("of_partner", type_=MemberChange.partner_id.type),
    MemberChange.member_id == bindparam("of_member", type_=MemberChange.member_id.type),
)
_NUMBER = select(func.coalesce(func.max(MemberChange.number), 0)).where(*_WHOSE)
_BY = aliased(Member)
_NEWEST = (
    select(MemberChange.number, MemberChange.changed_at, _BY.name)
    .outerjoin(_BY, (_BY.partner_id == MemberChange.partner_id) & (_BY.member_id == MemberChange.changed_by_id))
    .where(*_WHOSE)
    .order_by(MemberChange.number.desc())
    .limit(1)
)
_LAST_MEMBER = select(func.coalesce(func.max(Member.member_id), 0)).where(Member.partner_id == bindparam("of_partner"))


class NewestChange(NamedTuple):
    """A member's newest change: its number, when it was, and who made it (None: from a shell)."""

    number: int
    changed_at: datetime
    changed_by: str | None


def add(
    session: Session,
    partner_id: int,
    *,
    name: str,
    email: str,
    role: Role,
    client_access: bool = True,
    language: str | None = None,
    by: Member | None,
) -> Member:
    """A new active member, with their first change. `by` None: from a shell. The partner's turn is held (act,
    take_turn); whoever calls has asked who may, and that the e-mail (in lower case) is nobody's."""
    new = Member(
        partner_id=partner_id,
        member_id=session.scalars(_LAST_MEMBER, {"of_partner": partner_id}).one() + 1,
        name=name,
        email=email,
        role=role,
        client_access=client_access,
        is_active=True,
        language=language,
    )
    session.add(new)
    session.flush()
    first: dict[MemberFact, BeforeAndAfter] = {
        MemberFact.INVITED: (None, email),
        MemberFact.NAME: (None, name),
        MemberFact.ROLE: (None, role.value),
        MemberFact.CLIENT_ACCESS: (None, STORED_BOOLEANS[client_access]),
        MemberFact.IS_ACTIVE: (None, STORED_BOOLEANS[True]),
    }
    record_change(session, new, first, by=by)
    return new


def change(session: Session, target: Member, *, by: Member | None, **values: Any) -> bool:
    """Afterwards the member has these values (name, role, client_access, is_active), and each that is another is kept
    as a change; whether anything changed. The partner's turn is held, as in `add`."""
    different = {name: value for name, value in values.items() if getattr(target, name) != value}
    if not different:
        return False
    kept = {MemberFact(name): (as_stored(getattr(target, name)), as_stored(value)) for name, value in different.items()}
    session.execute(
        update(Member)
        .where(Member.partner_id == target.partner_id, Member.member_id == target.member_id)
        .values(**different)
        .execution_options(synchronize_session=False)
    )
    record_change(session, target, kept, by=by)
    for name, value in different.items():
        set_committed_value(target, name, value)
    return True


def newest_change(session: Session, partner_id: int, member_id: int) -> NewestChange | None:
    """The newest change of a member; None where none was kept."""
    found = session.execute(_NEWEST, {"of_partner": partner_id, "of_member": member_id}).first()
    return None if found is None else NewestChange(*found)


def record_change(
    session: Session, target: Member, changes: Mapping[MemberFact, BeforeAndAfter], *, by: Member | None
) -> None:
    """Afterwards these facts are kept as one change of the member; the partner's turn is held, as in `add`."""
    whose = {"of_partner": target.partner_id, "of_member": target.member_id}
    common = {
        "partner_id": target.partner_id,
        "member_id": target.member_id,
        "number": session.scalars(_NUMBER, whose).one() + 1,
        "changed_at": now(session),
        "changed_by_id": None if by is None else by.member_id,
    }
    rows = [common | {"what": what, "before": before, "after": after} for what, (before, after) in changes.items()]
    session.execute(insert(MemberChange), rows)


def as_stored(value: Any) -> str | None:
    """A fact of a member as its changes keep it."""
    return STORED_BOOLEANS[value] if isinstance(value, bool) or value is None else str(value)
