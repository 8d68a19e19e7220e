"""The frame: page config, who is here, the menu by role and language, and the page."""

from typing import Any

import streamlit as st

from core import invitations
from core.members import Member, Permission, may
from core.words import LANGUAGES, BillingError, NoCatalogue, t
from pages.parts import invitation, notices, sign_in, visitor
from pages.parts.server import ROOT, is_demo
from pages.parts.sign_in import Arrival
from pages.parts.text import plain

ASSETS = ROOT / "assets"

st.set_page_config(page_title="Billing Defaults", page_icon=str(ASSETS / "icon.svg"), layout="wide")
st.logo(str(ASSETS / "mark.svg"), size="large")


PATHS = ("invite_client", "client_subscription", "defaults", "plan_distribution")


def menu(member: Member | None, arrival: Arrival) -> dict[str, list[Any]]:
    """The pages this member may use, in their sections; the page of invitations is for whoever has a link."""

    def page(section: str, name: str, title: str, **named: Any) -> Any:
        return st.Page(ROOT / "pages" / section / f"{name}.py", title=title, **{"url_path": name} | named)

    def nothing() -> None:
        notices.nothing_to_show(arrival)

    public = page("invitation", "accept", t("Invitation"), url_path=invitations.LINK_PAGE, visibility="hidden")
    if visitor.is_by_link() or member is None or not may(member, Permission.READ_DEFAULTS):
        # under every address, so that a link leads here and, after sign-in, where it was to lead
        asked = [st.Page(nothing, title="Billing Defaults", url_path=path, visibility="hidden") for path in PATHS]
        return {"": [st.Page(nothing, title="Billing Defaults", default=True), *asked, public]}
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


def sidebar(member: Member, arrival: Arrival) -> None:
    """At the foot of the menu: whose space, who is here, which language, and in demo mode as whom."""
    with st.sidebar:
        sign_in.choose_space(arrival)
        if is_demo():
            visitor.choose_demo_member(member)
        else:
            sign_in.foot(arrival, member)
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


member: Member | None = None
try:
    member, arrival = visitor.arrive()
    by_link = visitor.is_by_link()
    shown = st.navigation(menu(member, arrival), position="hidden" if by_link or member is None else "sidebar")
    if member is not None and not by_link:
        sign_in.keep_space_in_url(arrival)
        sidebar(member, arrival)
    notices.demo_banner()
    notices.show_messages()
    if member is not None:
        invitation.send_waiting(member)
    shown.run()
except NoCatalogue as refusal:
    st.info(plain(refusal if member is None else refusal.said_to(member.role)), icon=":material/sell:")
except BillingError as refusal:
    st.warning(plain(refusal), icon=":material/lock:")
except Exception as exception:  # noqa: BLE001 - the last resort
    notices.unexpected(exception)
