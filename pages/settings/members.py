"""Members: who works in this partner space and what each may do; invite, change, deactivate, bring back."""

import streamlit as st

from core import members, subscriptions, team
from core.members import Permission
from core.words import MemberNotFound, fold, t
from pages.parts import notices, presence, row_buttons, server, visitor
from pages.parts.text import heading
from pages.settings import member_changes, member_form, member_invite, member_table, sign_ins

CHANGES = 50  # shown at first

member = visitor.member(Permission.MANAGE_MEMBERS)


def asked_for() -> int | None:
    """The member whose row was just opened, else the one in the URL."""
    if (opened := row_buttons.opened(member_table.OPENED)) is not None:
        st.query_params["member"] = str(opened)
    asked = st.query_params.get("member", "")
    return int(asked) if asked.isascii() and asked.isdecimal() and len(asked) <= 9 else None


def one(member_id: int) -> None:
    """One member: what they may do, what can be done, the messages to them, and what was changed."""
    st.button(
        t("Members"),
        type="tertiary",
        icon=":material/arrow_back:",
        key="members.back",
        on_click=presence.clear_url,
    )
    try:
        with server.database().reading() as session:
            shown = team.detail(session, member, member_id)
            others = subscriptions.responsible_members(session, member) if shown.clients else ()
    except MemberNotFound as refusal:
        heading(t("Members"), t("Who works in this partner space, and what each may do."))
        notices.refused(refusal)
        return
    member_form.show(member, shown, others)
    member_changes.show(shown.history)


def everyone() -> None:
    """The table, the form of an invitation, and below what was changed by whom."""
    with server.database().reading() as session:
        listed = team.listed(session, member)
        limit = st.session_state.get("members.changes", CHANGES)
        changes = team.history(session, member, limit=limit + 1)
        arrivals = members.sign_ins(session, member, limit=sign_ins.MOST)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        with st.container(gap=None):
            heading(t("Members"), t("Who works in this partner space, and what each may do."))
        member_invite.button()
    if member_invite.is_open():
        member_invite.show(member)
    search = st.text_input(
        t("Search"),
        key="members.search",
        type="search",
        live=True,
        persist_state="session",
        icon=":material/search:",
        max_chars=200,
        width=300,
        placeholder=t("Name or e-mail"),
    )
    wanted = fold(search or "")
    found = [each for each in listed if wanted in fold(f"{each.member.name} {each.member.email}")]
    if found:
        member_table.show(found, key=f"members.table {member.partner.change_number} {wanted}")
    else:
        st.info(t("No member matches. Try part of the name or the e-mail."), icon=":material/filter_alt_off:")
    member_changes.show(changes[:limit])
    if len(changes) > limit:
        st.button(t("Show more"), key="members.more", on_click=show_more, args=(limit,))
    if presence.is_configured():
        sign_ins.show(arrivals)


def show_more(limit: int) -> None:
    st.session_state["members.changes"] = limit * 4


member_id = asked_for()
if member_id is None:
    everyone()
else:
    one(member_id)
