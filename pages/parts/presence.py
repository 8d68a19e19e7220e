"""Who is here: the account that signed in, and which member of which partner space it is now.

The provider's account is read from Streamlit's cookie, which is read when a window opens; everything else - is this
sign-in still good, which members is it, what may they do - is asked of the database on every run and every click.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import streamlit as st

from core import members
from core.demo import ShownDay
from core.members import Identity, Member
from core.words import DatabaseFailed, SignInEnded, SignInKind
from pages.parts import server

SPACE = "space"  # in the URL and in the session's memory: the number of the partner space
WRITTEN = "space in the url"  # in the session's memory: the space that the URL was made to say last
_OF_ADDRESSES = "0123456789abcdefABCDEF:."
_SHOWN_TO = "shown to"  # in the session's memory: the space and the number of the member that the page was shown to
_LOOKED = "looked for members"  # in the session's memory: the sign-in whose members were looked for
_ARRIVED = "arrived"  # in the session's memory: the sign-ins, each by space, that are recorded


@dataclass(frozen=True, slots=True)
class Arrival:
    """Who signed in (None: nobody), the members that they are, and which of them they are now; and in demo mode the day
    that it is shown as."""

    identity: Identity | None = None
    has_ended: bool = False
    known: tuple[Member, ...] = ()
    chosen: Member | None = None
    shown_as: ShownDay | None = None

    @property
    def spaces(self) -> tuple[Member, ...]:
        """As whom they can be here."""
        return tuple(member for member in self.known if member.is_active)


def is_configured() -> bool:
    """Whether people can sign in on this server."""
    return bool(server.configuration().providers) and not server.is_demo()


def identity() -> Identity | None:
    """Who signed in, as the provider said it; None for nobody."""
    said = st.user.to_dict()
    if said.get("is_logged_in") is not True or not said.get("iss") or not said.get("sub"):
        return None
    try:
        signed_in_at = datetime.fromtimestamp(float(str(said["iat"])), UTC)
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        return None
    return Identity(
        issuer=str(said["iss"]),
        subject=str(said["sub"]),
        email=str(said.get("email") or ""),
        email_is_verified=said.get("email_verified") is True,
        name=str(said.get("name") or ""),
        signed_in_at=signed_in_at,
    )


def arrive() -> Arrival:
    """Who is here on this run, read anew: a first sign-in is bound to its members, each arrival recorded once."""
    who = identity() if is_configured() else None
    if who is None:
        return Arrival()
    try:
        known = _members_of(who)
        if _is_new(who):
            provider = server.configuration().providers.get(str(st.user.get("provider")))
            says_nothing = st.user.to_dict().get("email_verified") is None
            trusts_email = provider is not None and provider.trust_email and says_nothing
            members.bind(server.database(), who, trusts_email=trusts_email)
            known = _members_of(who)
            st.session_state[_LOOKED] = _key_of(who)
    except SignInEnded:
        return Arrival(who, has_ended=True)
    spaces = [member for member in known if member.is_active]
    chosen = _chosen(spaces)
    st.session_state[_SHOWN_TO] = None if chosen is None else (chosen.partner_id, chosen.member_id)
    _record(who, chosen, refused=not spaces, inactive=known[0] if known and not spaces else None)
    return Arrival(who, known=tuple(known), chosen=chosen)


def refuse_who_left() -> None:
    """Raise SignInEnded where the window shows a member who is no longer here: signed out, released or deactivated."""
    who, here = identity() if is_configured() else None, st.session_state.get(_SHOWN_TO)
    if who is None or here is None:
        return
    if here not in {(member.partner_id, member.member_id) for member in members_now(who)}:
        raise SignInEnded


def members_now(who: Identity) -> list[Member]:
    """The active members that this account is; none where its sign-in has ended."""
    try:
        return [member for member in _members_of(who) if member.is_active]
    except SignInEnded:
        return []


def address() -> str:
    """Where the visitor comes from, as a trusted proxy said it; "" on this machine."""
    address = st.context.ip_address
    return "".join(c for c in address if c in _OF_ADDRESSES)[:45] if isinstance(address, str) else ""


def keep_space_in_url(arrival: Arrival) -> None:
    """For somebody of several spaces a link says which one it is about."""
    if arrival.chosen is not None and len(arrival.spaces) > 1:
        number = str(arrival.chosen.partner_id)
        st.session_state[WRITTEN] = number
        if st.query_params.get(SPACE) != number:
            st.query_params[SPACE] = number


def write_url(parameters: Mapping[str, str]) -> None:
    """Afterwards the URL says these beside the page, and the space where that is a question."""
    wanted = {**parameters, **{name: value for name, value in st.query_params.items() if name == SPACE}}
    if st.query_params.to_dict() != wanted:
        st.query_params.from_dict(wanted)


def clear_url() -> None:
    """Afterwards the URL says nothing beside the page, and the space where that is a question."""
    write_url({})


def _members_of(who: Identity) -> list[Member]:
    with server.database().reading(single=True) as session:
        return members.members_of(session, who, valid_for=server.configuration().sign_in_valid_for)


def _chosen(spaces: list[Member]) -> Member | None:
    """The member of the space that a link names, else of the one chosen before, else of the only one.

    In another space than before everything begins anew: what was typed about a client is never saved for its namesake.
    """
    state, linked = st.session_state, st.query_params.get(SPACE)
    by_number = {member.partner_id: member for member in spaces}
    before = state.get(SPACE)
    number = before if before in by_number else None
    if linked is not None and linked != state.get(WRITTEN) and linked in {str(each) for each in by_number}:
        number = int(linked)
    elif len(spaces) == 1:
        number = spaces[0].partner_id
    if before is not None and number != before:
        state.clear()
    if number is not None:
        state[SPACE] = number
    return None if number is None else by_number[number]


def _is_new(who: Identity) -> bool:
    """Whether this window has not looked yet for members that this account is."""
    return bool(st.session_state.get(_LOOKED) != _key_of(who))


def _key_of(who: Identity) -> tuple[object, ...]:
    return who.issuer, who.subject, who.signed_in_at


def _record(who: Identity, chosen: Member | None, *, refused: bool, inactive: Member | None) -> None:
    """Once for each window and space: that they came, or were refused; and every few minutes that they were seen."""
    arrived = (who.signed_in_at, None if chosen is None else chosen.partner_id, refused)
    database = server.database()
    is_new = (chosen is not None or refused) and arrived not in st.session_state.setdefault(_ARRIVED, set())
    unseen = chosen is not None and not members.visit_is_recent(chosen, database.clock())
    if not is_new and not unseen:
        return
    try:
        with database.transaction() as session:
            if is_new:
                kind = SignInKind.REFUSED if refused else SignInKind.SIGNED_IN
                members.record(session, who, kind, address=address(), member=chosen or inactive)
            if chosen is not None:
                members.record_visit(session, chosen)
    except DatabaseFailed:
        if is_new:
            raise
        return  # who cannot be written down as seen just now can still read
    st.session_state[_ARRIVED].add(arrived)
