"""The frame: page config, who is here, the menu by role and language, and the page."""

from typing import Any

import streamlit as st

from core import invitations
from core.members import Member, Permission, may
from core.words import LANGUAGES, BillingError, t
from pages.parts import invitation, notices, visitor
from pages.parts.server import ROOT, is_demo
from pages.parts.text import plain

ASSETS = ROOT / "assets"

st.set_page_config(page_title="Billing Defaults", page_icon=str(ASSETS / "icon.svg"), layout="wide")
st.logo(str(ASSETS / "mark.svg"), size="large")


def menu(member: Member | None) -> dict[str, list[Any]]:
    """The pages this member may use, in their sections; the page of invitations is for whoever has a link."""

    def page(section: str, name: str, title: str, **named: Any) -> Any:
        return st.Page(ROOT / "pages" / section / f"{name}.py", title=title, **{"url_path": name} | named)

    public = page("invitation", "accept", t("Invitation"), url_path=invitations.LINK_PAGE, visibility="hidden")
    if visitor.is_by_link() or member is None or not may(member, Permission.READ_DEFAULTS):
        return {"": [st.Page(notices.nothing_to_show, title="Billing Defaults", default=True), public]}
    clients = [page("clients", "billing_sources", t("Clients"), icon=":material/groups:", default=True)]
    if may(member, Permission.INVITE):
        clients.append(page("clients", "invite_client", t("Invite a client"), icon=":material/person_add:"))
    clients.append(page("clients", "client_subscription", t("Client subscription"), icon=":material/badge:"))
    pages = {t("Clients"): clients}
    pages[t("Settings")] = [page("settings", "defaults", t("Default settings"), icon=":material/tune:")]
    if may(member, Permission.READ_DISTRIBUTION):
        distribution = page("finance", "plan_distribution", t("Plan distribution"), icon=":material/bar_chart:")
        pages[t("Finance")] = [distribution]
    pages[""] = [public]
    return pages


def sidebar(member: Member) -> None:
    """At the foot of the menu: whose space, who is here, which language, and in demo mode as whom."""
    with st.sidebar:
        st.caption(plain(member.partner.name))
        if is_demo():
            visitor.choose_demo_member(member)
        else:
            st.caption(f"{plain(member.name)} · {member.role.label}")
        st.segmented_control(
            t("Language"),
            list(LANGUAGES),
            format_func=LANGUAGES.__getitem__,
            required=True,
            key="language",
            on_change=visitor.remember_language,
            args=(member,),
            label_visibility="collapsed",
            persist_state="session",
        )


try:
    member = visitor.arrive()
    by_link = visitor.is_by_link()
    chosen = st.navigation(menu(member), position="hidden" if by_link else "sidebar")
    if member is not None and not by_link:
        sidebar(member)
    notices.demo_banner()
    notices.show_messages()
    if member is not None:
        invitation.send_waiting(member)
    chosen.run()
except BillingError as refusal:
    st.warning(plain(refusal), icon=":material/lock:")
except Exception as exception:  # noqa: BLE001 - the last resort
    notices.unexpected(exception)
