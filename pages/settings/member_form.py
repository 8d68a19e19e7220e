"""One member: what they may do and since when, and what an administrator can do about it."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import streamlit as st

from core import team
from core.members import Member
from core.subscriptions import ResponsibleMember
from core.team import MemberDetail
from core.words import BadInput, BillingError, DatabaseFailed, NotAllowed, Role, StaleError, moment, nt, t
from pages.parts import choices, colleagues, invitation, notices, server
from pages.parts.text import heading, plain
from pages.settings import member_table
from pages.settings.member_invite import choose_access, choose_role


class _Began(NamedTuple):
    """What a form started from: the newest change that was shown, and the values then."""

    seen: int
    name: str
    role: Role
    client_access: bool


def show(member: Member, shown: MemberDetail, others: Sequence[ResponsibleMember]) -> None:
    """Who it is, the form of what they may do, the actions, and the messages to them. `others`: who look after clients,
    and could take over theirs."""
    target = shown.member
    colour = "green" if target.is_active else "gray"
    heading(target.name, t("What this member may do. A change takes effect at their next click."))
    badge = f":{colour}-badge[{plain(member_table.standing_text(target))}]"
    access = t("Access to clients: {access}", access=member_table.access_text(target))
    clients = nt("looks after {count} client", "looks after {count} clients", shown.clients)
    facts = " · ".join((target.email, target.role.label, access, *([clients] if shown.clients else ())))
    st.markdown(f"{badge} {plain(facts)}")
    left, right = st.columns(2, gap="large")
    with left:
        _edit(member, shown, others)
    with right:
        _standing(member, shown, others)
        _account(member, shown)
        _messages(member, shown)


def _key(shown: MemberDetail) -> str:
    return f"member.{shown.member.member_id}"


def _edit(member: Member, shown: MemberDetail, others: Sequence[ResponsibleMember]) -> None:
    """The form. The change it began at is kept by hand: a colleague's must not be overwritten without a word."""
    key, target = _key(shown), shown.member
    form = choices.form(key)
    is_own = target.member_id == member.member_id
    began = st.session_state.setdefault(f"{form}.began", _Began(shown.seen, *_facts(target)))
    if began.seen != shown.seen and _typed(form, began) == began[1:]:
        choices.forget(key)  # nothing was changed here: begin at what a colleague saved
        form, began = choices.form(key), _Began(shown.seen, *_facts(target))
        st.session_state[f"{form}.began"] = began
    refusal = st.session_state.get(f"{form}.refused")
    with st.container(border=True):
        st.header(t("Name, role and access"), anchor=False)
        st.session_state.setdefault(f"{form}.name", target.name)
        name = st.text_input(t("Name"), key=f"{form}.name", max_chars=200, persist_state="session")
        if isinstance(refusal, BadInput):
            st.caption(f":red[{plain(refusal)}]")
        role, access = target.role, target.client_access
        if is_own:
            st.info(t("This is you. Another administrator can change your role and access."), icon=":material/info:")
        else:
            role = choose_role(f"{form}.role", target.role)
            choose_access(f"{form}.client_access", role, at_first=target.client_access)
            access = bool(st.session_state.get(f"{form}.client_access", target.client_access))
        is_different = (name, role, access) != _facts(target)
        hands_over = bool(shown.clients) and not team.can_look_after(target, role=role, client_access=access)
        successor = _choose_successor(f"{form}.successor", member, shown, others) if hands_over else None
        if refusal is not None and not isinstance(refusal, BadInput):
            notices.refused(refusal)
        with st.container(horizontal=True):
            st.button(
                t("Save"),
                type="primary",
                key=f"{form}.save",
                disabled=not is_different or (hands_over and successor is None),
                on_click=_save,
                args=(form, member, target, began, successor, choices.attempt(form)),
            )
            if is_different or refusal is not None:
                st.button(t("Discard my changes"), key=f"{form}.discard", on_click=choices.forget, args=(key,))


def _facts(target: Member) -> tuple[str, Role, bool]:
    return target.name, target.role, target.client_access


def _typed(form: str, began: _Began) -> tuple[str, Role, bool]:
    """What the form says by now."""
    state = st.session_state
    role: Role = choices.chosen(f"{form}.role", began.role)
    return state.get(f"{form}.name", began.name), role, bool(state.get(f"{form}.client_access", began.client_access))


@notices.callback
def _save(form: str, member: Member, target: Member, began: _Began, successor: int | None, attempt: str) -> None:
    """Save what the form says by now, and begin it anew; one refused stays, and starts again from the current state."""
    state, key = st.session_state, f"member.{target.member_id}"
    if form != choices.form(key):  # the second of two quick clicks: the first one saved
        return
    name, role, access = _typed(form, began)
    state.pop(f"{form}.refused", None)
    try:
        with server.database().transaction() as session:
            team.change_member(
                session,
                member,
                target.member_id,
                role=role,
                client_access=access,
                name=name,
                successor_id=successor,
                seen=began.seen,
                attempt=attempt,
            )
    except (NotAllowed, DatabaseFailed):  # said on whichever page may still be seen
        raise
    except BillingError as refusal:
        state[f"{form}.refused"] = refusal
        if isinstance(refusal, StaleError):  # they have seen it now: the next click is about the current state
            state.pop(f"{form}.began", None)
    else:
        notices.say_next(t("{name} is changed. It takes effect at their next click.", name=target.name))
        choices.forget(key)


def _standing(member: Member, shown: MemberDetail, others: Sequence[ResponsibleMember]) -> None:
    """Deactivate somebody, or bring them back."""
    target = shown.member
    if target.member_id == member.member_id:
        return
    with st.container(border=True):
        if target.is_active:
            st.header(t("Deactivate"), anchor=False)
            st.caption(t("From their next click on they can do nothing here. What they did stays on record."))
            successor = _choose_successor(f"{_key(shown)}.takes over", member, shown, others) if shown.clients else None
            _button(
                shown,
                "deactivate",
                t("Deactivate {name}", name=plain(target.name)),
                ":material/person_off:",
                partial(
                    team.deactivate,
                    member=member,
                    member_id=target.member_id,
                    successor_id=successor,
                    seen=shown.seen,
                ),
                _left(shown, successor, others),
                disabled=bool(shown.clients) and successor is None,
            )
        else:
            st.header(t("Bring back"), anchor=False)
            st.caption(t("With the role and the access they had. Everything they did is on record."))
            _button(
                shown,
                "bring back",
                t("Bring {name} back", name=plain(target.name)),
                ":material/person_check:",
                partial(team.bring_back, member=member, member_id=target.member_id, seen=shown.seen),
                t("{name} is active again.", name=target.name),
            )


def _left(shown: MemberDetail, successor: int | None, others: Sequence[ResponsibleMember]) -> str:
    """What is so once they are deactivated, and who looks after their clients then."""
    inactive = t("{name} is inactive.", name=shown.member.name)
    takes_over = next((each.name for each in others if each.member_id == successor), None)
    if takes_over is None:
        return inactive
    handed = nt(
        "{name} now looks after their {count} client.",
        "{name} now looks after their {count} clients.",
        shown.clients,
        name=takes_over,
    )
    return f"{inactive} {handed}"


def _choose_successor(key: str, member: Member, shown: MemberDetail, others: Sequence[ResponsibleMember]) -> int | None:
    """Who takes over the clients of this member: nobody until somebody is chosen."""
    able = [each for each in others if each.can_be_chosen and each.member_id != shown.member.member_id]
    words = colleagues.in_words(able, member, t("{name} (me)", name=member.name))
    successor: int | None = choices.choose(
        st.selectbox,
        nt("Who takes over {count} client", "Who takes over {count} clients", shown.clients),
        [None, *words],
        lambda number: t("Choose a colleague") if number is None else words[number],
        key,
        at_first=None,
    )
    return successor


def _account(member: Member, shown: MemberDetail) -> None:
    """The account at the provider that is this member, and letting go of it."""
    account, target = shown.account, shown.member
    if account is None:
        return
    with st.container(border=True):
        st.header(t("Sign-in"), anchor=False)
        st.text(t("{account} at {provider}", account=account.subject, provider=account.issuer))
        since = t("Since {moment}.", moment=moment(account.bound_at))
        again = t("After a release they sign in again: the next account with their verified e-mail becomes theirs.")
        st.caption(f"{plain(since)} {plain(again)}")
        _button(
            shown,
            "release",
            t("Release the sign-in"),
            ":material/link_off:",
            partial(team.release_sign_in, member=member, member_id=target.member_id, seen=shown.seen),
            t("{name} has to sign in again.", name=target.name),
        )


def _messages(member: Member, shown: MemberDetail) -> None:
    """How the messages to this member were delivered, and the one that waits."""
    target = shown.member
    with st.container(border=True):
        st.header(t("Message"), anchor=False)
        if not shown.deliveries:
            st.caption(t("No message was sent to this member yet."))
        invitation.deliveries(shown.deliveries)
        if target.is_active:
            _button(
                shown,
                "send",
                t("Send again") if shown.deliveries else t("Send a message"),
                ":material/forward_to_inbox:",
                partial(team.send_again, member=member, member_id=target.member_id, seen=len(shown.deliveries)),
                t("Another message to {name} is waiting to be sent.", name=target.name),
            )
    invitation.message(member, shown.waiting)


def _button(
    shown: MemberDetail,
    action: str,
    label: str,
    icon: str,
    act: Callable[..., object],
    done: str,
    *,
    disabled: bool = False,
) -> None:
    key = f"{_key(shown)} {action}"
    st.button(
        label,
        key=key,
        icon=icon,
        disabled=disabled,
        on_click=invitation.carry_out,
        args=(key, choices.attempt(key), act, done),
        kwargs={"member_id": shown.member.member_id},
    )
