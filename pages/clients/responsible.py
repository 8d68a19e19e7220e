"""Who looks after a client: shown beside who it is, changed in place, and its part of the client's history."""

from collections.abc import Sequence

import streamlit as st

from core import subscriptions
from core.members import Member, Permission, may
from core.subscriptions import Client, ResponsibleSince
from core.words import LONGEST_NOTE, StaleError, day, t
from pages.clients import provenance
from pages.clients.provenance import Event
from pages.parts import choices, colleagues, drafts, keyboard, notices, server


def line(member: Member, client: Client, decided: Sequence[ResponsibleSince]) -> None:
    """Who looks after the client and since when; and for who may change it, the way to."""
    drafts.take_up(member, _key(client))
    form, held = choices.form(_key(client)), decided[0]
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        since = day(held.valid_from)
        st.text(t("Account manager: {name}, since {day}", name=held.name, day=since), width="content")
        if may(member, Permission.CHANGE_RESPONSIBLE) and not st.session_state.get(f"{form}.open"):
            st.button(
                t("Change account manager"),
                key=f"{form}.change",
                type="tertiary",
                icon=":material/swap_horiz:",
                on_click=_open,
                args=(form, held.member_id),
            )


def change(member: Member, client: Client, decided: Sequence[ResponsibleSince]) -> None:
    """The form that changes it, if it is open; refused if somebody else changed it meanwhile."""
    form = choices.form(_key(client))
    if st.session_state.get(f"{form}.open") and may(member, Permission.CHANGE_RESPONSIBLE):
        _form(form, member, client, decided[0])
    drafts.keep(member, _key(client), "member")


def _form(form: str, member: Member, client: Client, held: ResponsibleSince) -> None:
    with server.database().reading(single=True) as session:
        found = subscriptions.responsible_members(session, member)
    seen: int = st.session_state.setdefault(f"{form}.began at", held.member_id)
    able = [each for each in found if each.can_be_chosen or each.member_id == held.member_id]
    words = colleagues.in_words(able, member, t("{name} (me)", name=member.name))
    with keyboard.in_focus(f"{form} member"), st.container(border=True, width=620):
        if refusal := st.session_state.get(f"{form}.refused"):
            notices.refused(refusal)
        chosen = choices.choose(
            st.selectbox,
            t("Account manager"),
            list(words),
            words.__getitem__,
            f"{form}.member",
            at_first=held.member_id,
        )
        st.caption(t("It takes effect at once. What the client is billed does not change."))
        st.text_input(t("Reason (optional)"), key=f"{form}.reason", max_chars=LONGEST_NOTE, persist_state="session")
        with st.container(horizontal=True):
            st.button(
                t("Save"),
                type="primary",
                key=f"{form}.save",
                disabled=chosen == held.member_id,
                on_click=_save,
                args=(form, member, client, seen, choices.attempt(form)),
            )
            st.button(t("Cancel"), key=f"{form}.cancel", shortcut="Esc", on_click=choices.forget, args=(_key(client),))


def at_the_invitation(decided: Sequence[ResponsibleSince]) -> str:
    """Who was the first, as it follows what the invitation said."""
    return t("account manager: {name}", name=decided[-1].name)


def events(decided: Sequence[ResponsibleSince]) -> list[Event]:
    """Each later change, newest first."""
    return [
        (
            each.valid_from,
            each.changed_by or t("The product"),
            provenance.via(each),
            t("Account manager: {before} → {after}", before=each.before, after=each.name),
            each.reason,
        )
        for each in decided[:-1]
    ]


def _key(client: Client) -> str:
    return f"responsible.{client.client_id}"


def _open(form: str, seen: int) -> None:
    """From here on the form is open; a colleague's change since then must not be overwritten without a word."""
    st.session_state[f"{form}.open"] = True
    st.session_state[f"{form}.began at"] = seen


@notices.callback
def _save(form: str, member: Member, client: Client, seen: int, attempt: str) -> None:
    """Do what the form says by now, and close it; one refused stays open, and starts again from the current state."""
    state = st.session_state
    if form != choices.form(_key(client)):  # the second of two quick clicks: the first one saved
        return
    wanted, reason = choices.chosen(f"{form}.member"), state.get(f"{form}.reason") or ""
    try:
        with server.database().transaction() as session:
            made = subscriptions.change_responsible(
                session, member, client.client_id, wanted, seen=seen, reason=reason, attempt=attempt
            )
    except StaleError as refusal:
        state[f"{form}.refused"] = refusal
        state.pop(f"{form}.began at", None)
    else:
        notices.say_next(t("{name} is now the account manager of {client}.", name=made.name, client=client.name))
        choices.forget(_key(client))
