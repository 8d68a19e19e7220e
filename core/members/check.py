"""Whether what is kept of members fits: the part of `check` about them."""

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from sqlalchemy import and_, exists, select
from sqlalchemy.orm import Session

from core.members.changes import as_stored
from core.members.tables import Member, MemberChange, MemberSignIn, Partner, SignInEvent
from core.words import MemberFact, Role

_FACTS = [fact for fact in MemberFact if fact not in (MemberFact.INVITED, MemberFact.SIGN_IN)]  # columns of a member


def differences(session: Session) -> Iterator[str]:
    """One sentence per difference about members, in every partner space; none when all is well. Reads in a stream.

    Checks that the changes of each member are numbered without gap, follow from each other, and lead to the member as
    it is and to the account that is bound to it; that each partner space with members has an active administrator; and
    that every sign-in is of a member that exists.
    """
    yield from _spaces_without_administrator(session)
    yield from _changes_that_do_not_lead_to_the_members(session)
    yield from _sign_ins_of_nobody(session)


def _spaces_without_administrator(session: Session) -> Iterator[str]:
    is_member = Member.partner_id == Partner.partner_id
    leads = exists().where(is_member, Member.role == Role.ADMINISTRATOR, Member.is_active)
    alone = select(Partner.partner_id).where(exists().where(is_member), ~leads).order_by(Partner.partner_id)
    for partner_id in session.scalars(alone):
        yield f"partner {partner_id}: has no active administrator"


def _changes_that_do_not_lead_to_the_members(session: Session) -> Iterator[str]:
    """The values after each change are compared with those before the next, and the last ones with the member."""
    changed = (
        select(
            MemberChange.partner_id, MemberChange.member_id, MemberChange.number, MemberChange.what,
            MemberChange.before, MemberChange.after, *(getattr(Member, fact.value) for fact in _FACTS),
            MemberSignIn.issuer, MemberSignIn.subject,
        )
        .outerjoin(Member, _same_member(MemberChange))
        .outerjoin(
            MemberSignIn,
            and_(MemberSignIn.partner_id == Member.partner_id, MemberSignIn.member_id == Member.member_id),
        )
        .order_by(MemberChange.partner_id, MemberChange.member_id, MemberChange.number)
    )  # fmt: skip
    rows = session.connection().execute(changed, execution_options={"yield_per": 1000})
    for (partner_id, member_id), changes in groupby(rows, lambda row: (row[0], row[1])):
        where, known, number = f"partner {partner_id}, member {member_id}", dict[MemberFact, str | None](), 0
        now_so: dict[MemberFact, str | None] = {}
        for _, _, counted, what, before, after, *values, issuer, subject in changes:
            now_so = {fact: as_stored(value) for fact, value in zip(_FACTS, values, strict=True)}
            now_so[MemberFact.SIGN_IN] = None if subject is None else f"{subject} ({issuer})"
            if counted not in (number, number + 1):
                yield f"{where}, change {counted}: expected change {number + 1}"
            if known.get(what, before) != before:
                yield f"{where}, change {counted}: {what} was {known[what]!r}, not {before!r}"
            known[what], number = after, counted
        for what, value in known.items():
            if what is not MemberFact.INVITED and now_so[what] != value:
                yield f"{where}: {what} is {now_so[what]!r}, its changes lead to {value!r}"


def _sign_ins_of_nobody(session: Session) -> Iterator[str]:
    for table, kind in ((MemberSignIn, "an account is bound"), (SignInEvent, "a sign-in is kept")):
        found = (
            select(table.partner_id, table.member_id)
            .outerjoin(Member, _same_member(table))
            .where(table.member_id.is_not(None), Member.member_id.is_(None))
            .distinct()
            .order_by(table.partner_id, table.member_id)
        )
        for partner_id, member_id in session.execute(found):
            yield f"partner {partner_id}, member {member_id}: {kind}, but there is no such member"


def _same_member(table: Any) -> Any:
    return and_(Member.partner_id == table.partner_id, Member.member_id == table.member_id)
