"""The form that invites a member."""

from uuid import uuid4

import streamlit as st

from core import team
from core.members import Member
from core.team import NewMember
from core.words import LANGUAGES, AlreadyMember, BadInput, BillingError, DatabaseFailed, NotAllowed, Role, language, t
from pages.parts import invitation, notices, server
from pages.parts.choices import choose, chosen, forget, form

_OPEN = "members.inviting"  # in the session's memory: the attempt of the form that is open
_REFUSED = "members.refused"
_KEY = "members.new"


def button() -> None:
    """What opens the form."""
    st.button(t("Invite a member"), type="primary", icon=":material/add:", key="members.invite", on_click=_open)


def is_open() -> bool:
    """Whether somebody is being invited."""
    return _OPEN in st.session_state


def show(member: Member) -> None:
    """The form, with what needs a correction under each line."""
    refusal = st.session_state.get(_REFUSED)
    faults = refusal.fields if isinstance(refusal, BadInput) else {}
    prefix = form(_KEY)

    def line(name: str, label: str, limit: int) -> None:
        st.text_input(label, key=f"{prefix}.{name}", max_chars=limit, persist_state="session")
        notices.correction(faults, name)

    with st.container(border=True, width=620):
        st.header(t("Invite a member"), anchor=False)
        line("name", t("Name"), 200)
        line("email", t("E-mail"), 254)
        role = choose_role(f"{prefix}.role", Role.CLIENT_MANAGER)
        choose_access(f"{prefix}.client_access", role, at_first=True)
        choose(
            st.selectbox,
            t("Language of the member"),
            list(LANGUAGES),
            LANGUAGES.__getitem__,
            f"{prefix}.language",
            at_first=language(),
            filter_mode=None,
        )
        st.caption(t("A message tells them where to sign in, with this e-mail. Nothing else is needed."))
        if refusal is not None and not isinstance(refusal, BadInput):
            notices.refused(refusal)
            if isinstance(refusal, AlreadyMember):
                st.button(
                    t("Open the member"), key="members.known", icon=":material/badge:",
                    on_click=_open_known, args=(refusal.member_id,),
                )  # fmt: skip
        with st.container(horizontal=True):
            st.button(
                t("Invite this member"),
                type="primary",
                icon=":material/send:",
                key=f"{prefix}.send",
                on_click=_send,
                args=(member, st.session_state[_OPEN]),
            )
            st.button(t("Cancel"), key=f"{prefix}.cancel", on_click=_close)


def choose_role(key: str, at_first: Role) -> Role:
    """The box of roles, with what the chosen one may do under it."""
    role: Role = choose(
        st.selectbox, t("Role"), list(Role), lambda each: each.label, key, at_first=at_first, filter_mode=None
    )
    st.caption(meaning(role))
    return role


def choose_access(key: str, role: Role, *, at_first: bool) -> None:
    """Whether a client manager has access to clients; other roles have theirs."""
    if role is Role.CLIENT_MANAGER:
        st.session_state.setdefault(key, at_first)
        st.checkbox(
            t("Access to clients"),
            key=key,
            persist_state="session",
            help=t("Without it, a client manager sees nothing."),
        )


def meaning(role: Role) -> str:
    """What a role may do, in one sentence."""
    match role:
        case Role.ADMINISTRATOR:
            return t("May do everything, and manages the members.")
        case Role.CLIENT_MANAGER:
            return t("Decides the default settings, invites clients, makes and clears overrides.")
        case Role.ACCOUNTANT:
            return t("Sees the clients they are responsible for, and changes nothing.")
    return t("Reads and downloads everything, and changes nothing.")


def _open() -> None:
    st.session_state.setdefault(_OPEN, uuid4().hex)


def _close() -> None:
    for name in (_OPEN, _REFUSED):
        st.session_state.pop(name, None)
    forget(_KEY)


def _open_known(member_id: int) -> None:
    _close()
    st.query_params["member"] = str(member_id)


@notices.callback
def _send(member: Member, attempt: str) -> None:
    """Invite whom the form says by now, and close it; a form refused stays as it was typed."""
    state, prefix = st.session_state, form(_KEY)
    if state.get(_OPEN) != attempt:  # the second of two quick clicks: the first one invited
        return
    state.pop(_REFUSED, None)
    try:
        new_member = NewMember.from_typed(
            name=state.get(f"{prefix}.name") or "",
            email=state.get(f"{prefix}.email") or "",
            role=chosen(f"{prefix}.role"),
            client_access=bool(state.get(f"{prefix}.client_access", True)),
            language=chosen(f"{prefix}.language"),
        )
        with server.database().transaction() as session:
            invited = team.invite_member(session, member, new_member, attempt=attempt)
    except (NotAllowed, DatabaseFailed):  # said on whichever page may still be seen
        raise
    except BillingError as refusal:
        state[_REFUSED] = refusal
    else:
        notices.say_next(t("{name} is invited.", name=invited.name))
        invitation.send_next(member_id=invited.member_id)
        _open_known(invited.member_id)
