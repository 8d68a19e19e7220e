"""Signing in and out: the page of somebody who is not here, the partner space to choose, the way out."""

import streamlit as st

from core import members
from core.members import Identity, Member
from core.words import Role, SignInEnded, SignInKind, t
from pages.parts import presence, server
from pages.parts.presence import Arrival
from pages.parts.text import plain

HOME = "pages/clients/billing_sources.py"


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
    if (who := presence.identity()) is not None:
        ended = presence.members_now(who)
        members.end_sign_ins(server.database(), who)
        with server.database().transaction() as session:
            for member in ended:
                members.record(session, who, SignInKind.SIGNED_OUT, address=presence.address(), member=member)
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


def _enter(number: int) -> None:
    st.session_state[presence.SPACE] = number


def _go_to(number: int) -> None:
    """Into another space: what was chosen and typed in this one stays behind, and so does the URL."""
    st.session_state.clear()
    st.session_state[presence.SPACE] = number
    st.session_state[presence.WRITTEN] = str(number)
    st.switch_page(HOME, query_params={presence.SPACE: str(number)})


def _space_name(member: Member, spaces: tuple[Member, ...]) -> str:
    """The partner's name, with its number where two are called the same."""
    same = sum(each.partner.name == member.partner.name for each in spaces) > 1
    return f"{member.partner.name} ({member.partner_id})" if same else member.partner.name
