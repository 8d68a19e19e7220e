"""Signing in: which members an account at a provider is, and until when one sign-in is good.

An account is known by its issuer and subject, never by its e-mail: that can be changed, given to somebody else, or
typed in by a stranger's administrator. The e-mail serves once, verified, to find the member that the account is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, bindparam, exists, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, joinedload

from core.members.access import Permission, require, take_turn
from core.members.changes import change, record_change
from core.members.tables import EndedSignIns, Member, MemberChange, MemberSignIn, Partner, SignInEvent
from core.storage import Database, now
from core.words import MemberFact, SignInEnded, SignInKind, can_be_seen, is_showable, one_line

_VISITS_KEPT_TO = timedelta(minutes=10)
_CLOCKS_APART = timedelta(minutes=2)  # between the provider's clock and ours
_LONGEST_NAME = 150
_LONGEST_EMAIL = 320

_THROUGH = (
    select(EndedSignIns.through)
    .where(EndedSignIns.issuer == bindparam("of_issuer"), EndedSignIns.subject == bindparam("of_subject"))
    .scalar_subquery()
)
_MEMBERS = (
    select(Member, _THROUGH.label("through"))
    .join(MemberSignIn, (MemberSignIn.partner_id == Member.partner_id) & (MemberSignIn.member_id == Member.member_id))
    .options(joinedload(Member.partner))
    .where(MemberSignIn.issuer == bindparam("of_issuer"), MemberSignIn.subject == bindparam("of_subject"))
    .order_by(Member.partner_id)
)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the provider says this is, and when it last made sure (UTC)."""

    issuer: str
    subject: str
    email: str
    email_is_verified: bool
    name: str
    signed_in_at: datetime

    @property
    def account(self) -> dict[str, str]:
        """What the account is known by."""
        return {"of_issuer": self.issuer, "of_subject": self.subject}


def members_of(session: Session, identity: Identity, *, valid_for: timedelta) -> list[Member]:
    """The members that this account is bound to, each with its partner, by number of the space; inactive ones too.

    Raises SignInEnded when the account signed out after this sign-in, or signed in longer than `valid_for` ago.
    """
    age = now(session) - identity.signed_in_at
    if not -_CLOCKS_APART <= age < valid_for:
        raise SignInEnded
    found = session.execute(_MEMBERS, identity.account).all()
    through = found[0].through if found else session.scalar(select(_THROUGH), identity.account)
    if through is not None and identity.signed_in_at <= through:
        raise SignInEnded
    return [row.Member for row in found]


def bind(database: Database, identity: Identity, *, trusts_email: bool = False) -> None:
    """Afterwards every active member with this verified e-mail, bound to no account yet, is this account's; in each
    space at most one. `trusts_email`: the operator vouches for a provider that says nothing of verification.

    A member whose name is still its e-mail gets the name that the provider says.
    """
    if not identity.email or not (identity.email_is_verified or trusts_email):
        return
    with database.reading(single=True) as session:
        candidates = list(session.scalars(_unbound(identity)))
    for member in candidates:
        try:
            with database.transaction() as session:
                take_turn(session, member.partner_id)
                if session.scalar(_unbound(identity).where(Member.partner_id == member.partner_id)) is not None:
                    _bind(session, member, identity)
        except IntegrityError:  # another window of the same person was quicker
            continue


def was_released(session: Session, identity: Identity) -> bool:
    """Whether a later sign-in of this account would be a member's: an administrator released them since this one."""
    return session.scalar(_unbound(identity, since_release=False).limit(1)) is not None


def end_sign_ins(database: Database, identity: Identity) -> None:
    """Afterwards this sign-in and every earlier one of the account have ended: in any window, on any device."""
    while True:
        try:
            with database.transaction() as session:
                ended = session.get(EndedSignIns, (identity.issuer, identity.subject), with_for_update=True)
                if ended is None:
                    ended = EndedSignIns(issuer=identity.issuer, subject=identity.subject)
                    ended.through = identity.signed_in_at
                    session.add(ended)
                ended.through = max(ended.through, identity.signed_in_at)
                return
        except IntegrityError:  # another window of the same person signed out just now: there is a row by now
            continue


def release_sign_in(session: Session, target: Member, *, by: Member) -> bool:
    """Afterwards no account is bound to this member: the next one with the verified e-mail will be. Whether one was.

    It is kept as a change of the member; the partner's turn is held, and whoever calls has asked who may.
    """
    bound = account_of(session, target)
    if bound is None:
        return False
    session.delete(bound)
    session.flush()
    record_change(session, target, {MemberFact.SIGN_IN: (bound.account, None)}, by=by)
    return True


def account_of(session: Session, member: Member) -> MemberSignIn | None:
    """The account that is bound to this member; None before the first sign-in. Asks no permission: use cases do."""
    return session.get(MemberSignIn, (member.partner_id, member.member_id))


def record(
    session: Session, identity: Identity, kind: SignInKind, *, address: str = "", member: Member | None = None
) -> None:
    """Record that somebody signed in, out, or was refused: once for each sign-in, space and address, however many
    windows."""
    partner_id = None if member is None else member.partner_id
    known = select(SignInEvent.event_id).where(
        SignInEvent.issuer == identity.issuer,
        SignInEvent.subject == identity.subject,
        SignInEvent.signed_in_at == identity.signed_in_at,
        SignInEvent.kind == kind,
        SignInEvent.address == address,
        SignInEvent.partner_id.is_(None) if partner_id is None else SignInEvent.partner_id == partner_id,
    )
    if session.scalar(known.limit(1)) is not None:
        return
    session.execute(
        insert(SignInEvent),
        {
            "happened_at": now(session),
            "kind": kind,
            "issuer": identity.issuer,
            "subject": identity.subject,
            "email": "".join(c for c in identity.email if is_showable(c))[:_LONGEST_EMAIL],
            "signed_in_at": identity.signed_in_at,
            "address": address,
            "partner_id": partner_id,
            "member_id": None if member is None else member.member_id,
        },
    )


def sign_ins(session: Session, member: Member, *, limit: int = 200) -> Sequence[SignInEvent]:
    """The newest sign-ins to the member's partner space, newest first. Raises NotAllowed.

    Somebody who is a member nowhere belongs to no space: they are shown where there is one space only.
    """
    require(member, Permission.MANAGE_MEMBERS)
    another = exists().where(Partner.partner_id != member.partner_id)
    of_this_space = or_(SignInEvent.partner_id == member.partner_id, SignInEvent.partner_id.is_(None) & ~another)
    newest = (
        select(SignInEvent).where(of_this_space).order_by(SignInEvent.happened_at.desc(), SignInEvent.event_id.desc())
    )
    return session.scalars(newest.limit(limit)).all()


def visit_is_recent(member: Member, moment: datetime) -> bool:
    """Whether the member's last visit is as recent as it is kept: there is nothing for `record_visit` to write."""
    return member.last_seen_at is not None and moment - member.last_seen_at < _VISITS_KEPT_TO


def record_visit(session: Session, member: Member) -> None:
    """Afterwards the member's last visit is now."""
    session.execute(
        update(Member)
        .where(Member.partner_id == member.partner_id, Member.member_id == member.member_id)
        .values(last_seen_at=now(session))
        .execution_options(synchronize_session=False)
    )


def _unbound(identity: Identity, *, since_release: bool = True) -> Select[Member]:
    """The active members with this e-mail that no account is bound to, in spaces where the account has no member.

    A member who was released since this sign-in waits for a later one, in which the provider says anew whose mailbox
    it is (`since_release`: they are left out). Letters that only look like those of an e-mail are other letters.
    """
    email = identity.email.lower()
    if email.isascii() != identity.email.isascii():
        email = ""
    released = exists().where(
        MemberChange.partner_id == Member.partner_id,
        MemberChange.member_id == Member.member_id,
        MemberChange.what == MemberFact.SIGN_IN,
        MemberChange.after.is_(None),
        MemberChange.changed_at >= identity.signed_in_at,
    )
    bound = exists().where(MemberSignIn.partner_id == Member.partner_id, MemberSignIn.member_id == Member.member_id)
    there = exists().where(
        MemberSignIn.partner_id == Member.partner_id,
        MemberSignIn.issuer == identity.issuer,
        MemberSignIn.subject == identity.subject,
    )
    found = select(Member).where(Member.email == email, Member.is_active, ~bound, ~there)
    return found.where(~released) if since_release else found


def _bind(session: Session, member: Member, identity: Identity) -> None:
    bound = MemberSignIn(
        partner_id=member.partner_id,
        member_id=member.member_id,
        issuer=identity.issuer,
        subject=identity.subject,
        bound_at=now(session),
    )
    session.add(bound)
    session.flush()
    member = session.get_one(Member, (member.partner_id, member.member_id))
    record_change(session, member, {MemberFact.SIGN_IN: (None, bound.account)}, by=member)
    name = one_line(identity.name)[:_LONGEST_NAME]
    if member.name == member.email and can_be_seen(name) and is_showable(name):
        change(session, member, by=member, name=name)
    record(session, identity, SignInKind.BOUND, member=member)
