"""Who signed in, as which member of which partner space; the page of somebody who is not here, and signing out.

The provider's account is read from Streamlit's cookie, which is read when a window opens; everything else - is this
sign-in still good, which members is it, what may they do - is asked of the database on every run and every click.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

import streamlit as st

from core import members
from core.members import Identity, Member
from core.words import Role, SignInEnded, SignInKind, t
from pages.parts import server
from pages.parts.text import plain

SPACE = "space"  # in the URL and in the session's memory: the number of the partner space
_OF_ADDRESSES = "0123456789abcdefABCDEF:."
_WRITTEN = "space in the url"
_HERE = "here"  # in the session's memory: the space and the number of the member that the page was shown to
_ARRIVED = "arrived"  # in the session's memory: the sign-ins, each by space, that are recorded
HOME = "pages/clients/billing_sources.py"


@dataclass(frozen=True, slots=True)
class Arrival:
    """Who signed in (None: nobody), the members that they are, and which of them they are now."""

    identity: Identity | None = None
    has_ended: bool = False
    known: tuple[Member, ...] = ()
    chosen: Member | None = None

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
    except SignInEnded:
        return Arrival(who, has_ended=True)
    spaces = [member for member in known if member.is_active]
    chosen = _chosen(spaces)
    st.session_state[_HERE] = None if chosen is None else (chosen.partner_id, chosen.member_id)
    _record(who, chosen, refused=not spaces, inactive=known[0] if known and not spaces else None)
    return Arrival(who, known=tuple(known), chosen=chosen)


def refuse_who_left() -> None:
    """Raise SignInEnded where the window shows a member who is no longer here: signed out, released or deactivated."""
    who, here = identity() if is_configured() else None, st.session_state.get(_HERE)
    if who is not None and here is not None:
        still = {(member.partner_id, member.member_id) for member in _members_of(who) if member.is_active}
        if here not in still:
            raise SignInEnded


def keep_space_in_url(arrival: Arrival) -> None:
    """For somebody of several spaces a link says which one it is about."""
    if arrival.chosen is not None and len(arrival.spaces) > 1:
        number = str(arrival.chosen.partner_id)
        st.session_state[_WRITTEN] = number
        if st.query_params.get(SPACE) != number:
            st.query_params[SPACE] = number


def clear_url() -> None:
    """Afterwards the URL says nothing beside the page, and the space where that is a question."""
    if kept := {name: value for name, value in st.query_params.items() if name == SPACE}:
        st.query_params.from_dict(kept)
    else:
        st.query_params.clear()


def choose_space(arrival: Arrival) -> None:
    """In the sidebar: the partner space, to be switched where there are several. Everything begins anew with it."""
    if arrival.chosen is None:
        return
    if len(arrival.spaces) < 2:
        st.caption(plain(arrival.chosen.partner.name))
        return
    names = {member.partner_id: _space_name(member, arrival.spaces) for member in arrival.spaces}
    here = arrival.chosen.partner_id
    switched = st.selectbox(
        t("Partner space"),
        list(names),
        index=list(names).index(here),
        format_func=names.__getitem__,
        filter_mode=None,
        key=f"space switch {here}",
    )
    if switched is not None and switched != here:
        _go_to(switched)


def foot(arrival: Arrival, member: Member) -> None:
    """Who is here, and the way out."""
    st.caption(f"{plain(member.name)} · {member.role.label}")
    if arrival.identity is not None:
        st.button(t("Sign out"), icon=":material/logout:", type="tertiary", on_click=sign_out, key="sign out")


def sign_out() -> None:
    """End this sign-in and every earlier one of the account, in every window; then leave the provider too."""
    if (who := identity()) is not None:
        ended = _bound(who)
        members.end_sign_ins(server.database(), who)
        with server.database().transaction() as session:
            for member in ended:
                members.record(session, who, SignInKind.SIGNED_OUT, address=_address(), member=member)
    st.session_state.clear()
    st.logout()


def page(arrival: Arrival) -> None:
    """The whole page of somebody who is not here: sign in, choose a space, or whom to ask."""
    if arrival.identity is None or arrival.has_ended:
        _sign_in(has_ended=arrival.has_ended)
    elif arrival.spaces:
        _choose(arrival)
    else:
        _unknown(arrival, arrival.identity)


def _sign_in(*, has_ended: bool) -> None:
    st.title("Billing Defaults", anchor=False)
    st.markdown(t("How new clients are billed, decided once. Sign in with the account of your firm."))
    outcome = st.query_params.get("sign_in")
    if outcome == "failed":
        st.warning(
            t("You were not signed in: it was refused or interrupted. Try again, or ask your administrator."),
            icon=":material/info:",
        )
    elif outcome == "unavailable":
        st.warning(
            t("The sign-in provider cannot be reached just now. Try again in a few minutes."),
            icon=":material/cloud_off:",
        )
    elif has_ended:
        st.info(plain(SignInEnded()), icon=":material/lock_clock:")
    _login_buttons()


def _login_buttons() -> None:
    providers = server.configuration().providers
    for name, provider in providers.items():
        title = provider.title or ("" if len(providers) == 1 else name.capitalize())
        label = t("Sign in with {provider}", provider=title) if title else t("Sign in")
        st.button(label, type="primary", icon=":material/login:", on_click=st.login, args=(name,), key=f"login {name}")


def _choose(arrival: Arrival) -> None:
    st.title(t("Choose a partner space"), anchor=False)
    st.markdown(t("You work in several partner spaces. You can switch at any time at the foot of the menu."))
    for member in arrival.spaces:
        st.button(
            plain(f"{_space_name(member, arrival.spaces)} · {member.role.label}"),
            on_click=_enter,
            args=(member.partner_id,),
            key=f"enter {member.partner_id}",
            icon=":material/apartment:",
        )
    _way_out()


def _unknown(arrival: Arrival, who: Identity) -> None:
    st.title("Billing Defaults", anchor=False)
    email = plain(who.email or who.subject)
    if arrival.known:
        st.warning(t("You are signed in as {email}, but you no longer have access here.", email=email))
        with server.database().reading(single=True) as session:
            colleagues = members.of_partner(session, arrival.known[0].partner_id)
        names = [each.name for each in colleagues if each.role is Role.ADMINISTRATOR and each.is_active]
        st.markdown(plain(t("To get it back, ask an administrator: {administrators}.", administrators=names)))
    elif who.email_is_verified and _was_released(who):
        st.info(t("An administrator released your sign-in. Sign in again to go on."), icon=":material/link_off:")
        _login_buttons()
        return
    elif not who.email_is_verified:
        st.warning(
            t(
                "You are signed in as {email}, but the provider has not verified that this address is yours.",
                email=email,
            )
        )
        st.markdown(t("Verify the address with the provider, then sign out and sign in again."))
    else:
        st.warning(t("You are signed in as {email}, which is not the e-mail of a member here.", email=email))
        st.markdown(
            t(
                "Ask an administrator of your firm to add this address under Settings, Members; "
                "or sign in with another account."
            )
        )
    _way_out()


def _was_released(who: Identity) -> bool:
    with server.database().reading(single=True) as session:
        return members.was_released(session, who)


def _way_out() -> None:
    st.button(t("Sign out"), icon=":material/logout:", on_click=sign_out, key="sign out")


def _members_of(who: Identity) -> list[Member]:
    with server.database().reading(single=True) as session:
        return members.members_of(session, who, valid_for=server.configuration().sign_in_valid_for)


def _bound(who: Identity) -> list[Member]:
    try:
        return [member for member in _members_of(who) if member.is_active]
    except SignInEnded:
        return []


def _chosen(spaces: list[Member]) -> Member | None:
    """The member of the space that a link names, else of the one chosen before, else of the only one.

    In another space than before everything begins anew: what was typed about a client is never saved for its namesake.
    """
    state, linked = st.session_state, st.query_params.get(SPACE)
    by_number = {member.partner_id: member for member in spaces}
    before = state.get(SPACE)
    number = before if before in by_number else None
    if linked is not None and linked != state.get(_WRITTEN) and linked in {str(each) for each in by_number}:
        number = int(linked)
    elif len(spaces) == 1:
        number = spaces[0].partner_id
    if before is not None and number != before:
        state.clear()
    if number is not None:
        state[SPACE] = number
    return None if number is None else by_number[number]


def _enter(number: int) -> None:
    st.session_state[SPACE] = number


def _go_to(number: int) -> None:
    """Into another space: what was chosen and typed in this one stays behind, and so does the URL."""
    st.session_state.clear()
    st.session_state[SPACE] = number
    st.session_state[_WRITTEN] = str(number)
    st.switch_page(HOME, query_params={SPACE: str(number)})


def _space_name(member: Member, spaces: tuple[Member, ...]) -> str:
    """The partner's name, with its number where two are called the same."""
    same = sum(each.partner.name == member.partner.name for each in spaces) > 1
    return f"{member.partner.name} ({member.partner_id})" if same else member.partner.name


def _is_new(who: Identity) -> bool:
    """Whether this window has not looked yet for members that this account is."""
    key = (who.issuer, who.subject, who.signed_in_at)
    if st.session_state.get("looked for members") == key:
        return False
    st.session_state["looked for members"] = key
    return True


def _record(who: Identity, chosen: Member | None, *, refused: bool, inactive: Member | None) -> None:
    """Once for each window and space: that they came, or were refused; and every few minutes that they were seen."""
    arrived = (who.signed_in_at, None if chosen is None else chosen.partner_id, refused)
    database = server.database()
    is_new = (chosen is not None or refused) and arrived not in st.session_state.setdefault(_ARRIVED, set())
    with database.reading(single=True) as session:
        unseen = chosen is not None and not members.visit_is_recent(session, chosen)
    if not is_new and not unseen:
        return
    with database.transaction() as session:
        if is_new:
            kind = SignInKind.REFUSED if refused else SignInKind.SIGNED_IN
            members.record(session, who, kind, address=_address(), member=chosen or inactive)
        if chosen is not None:
            members.record_visit(session, chosen)
    st.session_state[_ARRIVED].add(arrived)


def _address() -> str:
    """Where the visitor comes from, as a trusted proxy said it; "" on this machine."""
    address = st.context.ip_address
    return "".join(c for c in address if c in _OF_ADDRESSES)[:45] if isinstance(address, str) else ""
