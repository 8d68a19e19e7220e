"""The menu of saved views: each opens the list as it was saved, and what is looked at now can be saved as another."""

import streamlit as st

from core import reports
from core.members import Member, Permission, may
from core.reports import ASKED, LONGEST_VIEW_NAME, View
from core.words import t
from pages.parts import choices, notices, server
from pages.parts.text import plain

_KEY = "saved view"
CLIENTS = "pages/clients/billing_sources.py"


def menu(member: Member) -> None:
    """The views that the member finds, everybody's first, and the form to save one."""
    with server.database().reading(single=True) as session:
        views = reports.views(session, member)
    with st.popover(t("Views"), icon=":material/bookmark:"):
        for view in views:
            _line(member, view)
        if not views:
            st.caption(t("A view keeps the filters, the search and the order of the list under a name."))
        form = choices.form(_KEY)
        st.text_input(
            t("Name of the view"),
            key=f"{form}.name",
            max_chars=LONGEST_VIEW_NAME,
            placeholder=t("For example Paid by us"),
        )
        if may(member, Permission.SHARE_VIEWS):
            st.checkbox(t("For everybody in this space"), key=f"{form}.for all")
        st.button(
            t("Keep this view"),
            key=f"{form}.save",
            icon=":material/bookmark_add:",
            on_click=_save,
            args=(form, member, choices.attempt(form)),
        )


def _line(member: Member, view: View) -> None:
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", gap="small"):
        icon = ":material/group:" if view.is_for_all else ":material/person:"
        st.page_link(CLIENTS, label=plain(view.name), icon=icon, query_params=dict(view.asked))
        if not view.is_for_all or may(member, Permission.SHARE_VIEWS):
            st.button(
                t("Remove"),
                key=f"{_KEY}.remove {view.view_id}",
                type="tertiary",
                help=t("For everybody") if view.is_for_all else None,
                on_click=_remove,
                args=(member, view),
            )


@notices.callback
def _save(form: str, member: Member, attempt: str) -> None:
    """Save what the address says of the list; one refused keeps what was typed."""
    if form != choices.form(_KEY):  # the second of two quick clicks
        return
    state, shown = st.session_state, {name: value for name, value in st.query_params.items() if name in ASKED}
    with server.database().transaction() as session:
        made = reports.save_view(
            session,
            member,
            state.get(f"{form}.name") or "",
            shown,
            is_for_all=bool(state.get(f"{form}.for all")),
            attempt=attempt,
        )
    choices.forget(_KEY)
    notices.say_next(t("The view {name} is saved: it is in the menu Views.", name=made.name))


@notices.callback
def _remove(member: Member, view: View) -> None:
    with server.database().transaction() as session:
        reports.remove_view(session, member, view.view_id)
    notices.say_next(t("The view {name} is removed.", name=view.name))
