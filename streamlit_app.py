"""The frame: page config, who is here, the menu by role and language, and the page."""

from typing import Any

import streamlit as st

from core import links
from core.access import Permission, may
from core.errors import BillingError
from core.language import LANGUAGES, t
from core.models import Member
from pages.parts import here
from pages.parts.text import plain

ASSETS = here.ROOT / "assets"

st.set_page_config(page_title="Billing Defaults", page_icon=str(ASSETS / "icon.svg"), layout="wide")
st.logo(str(ASSETS / "mark.svg"), size="large")


def menu(member: Member | None) -> dict[str, list[Any]]:
    """The pages this member may use, in their sections; the page of invitations is for whoever has a link."""

    def page(section: str, name: str, title: str, icon: str, default: bool = False) -> Any:
        return st.Page(
            here.ROOT / "pages" / section / f"{name}.py", title=title, icon=icon, url_path=name, default=default
        )

    accept = here.ROOT / "pages" / "invitation" / "accept.py"
    public = st.Page(accept, title=t("Invitation"), url_path=links.PAGE, visibility="hidden")
    if here.is_by_link() or member is None or not may(member, Permission.READ_DEFAULTS):
        return {"": [st.Page(here.nothing_to_show, title="Billing Defaults", default=True), public]}
    clients = [page("clients", "billing_sources", t("Clients"), ":material/groups:", default=True)]
    if may(member, Permission.INVITE):
        clients.append(page("clients", "invite_client", t("Invite a client"), ":material/person_add:"))
    clients.append(page("clients", "client_subscription", t("Client subscription"), ":material/badge:"))
    pages = {t("Clients"): clients}
    pages[t("Settings")] = [page("settings", "defaults", t("Default settings"), ":material/tune:")]
    if may(member, Permission.READ_DISTRIBUTION):
        pages[t("Finance")] = [page("finance", "plan_distribution", t("Plan distribution"), ":material/bar_chart:")]
    pages[""] = [public]
    return pages


def sidebar(member: Member) -> None:
    """At the foot of the menu: whose space, who is here, which language, and in demo mode as whom."""
    with st.sidebar:
        st.caption(plain(member.partner.name))
        if here.is_demo():
            here.choose_demo_member(member)
        else:
            st.caption(f"{plain(member.name)} · {member.role.label}")
        st.segmented_control(
            t("Language"), list(LANGUAGES), format_func=LANGUAGES.__getitem__, required=True, key="language",
            on_change=here.remember_language, args=(member,), label_visibility="collapsed", persist_state="session",
        )  # fmt: skip


try:
    visitor = here.arrive()
    by_link = here.is_by_link()
    chosen = st.navigation(menu(visitor), position="hidden" if by_link else "sidebar")
    if visitor is not None and not by_link:
        sidebar(visitor)
    here.demo_banner()
    here.show_messages()
    chosen.run()
except BillingError as refusal:
    st.warning(plain(refusal), icon=":material/lock:")
except Exception as exception:  # noqa: BLE001 - the last resort
    here.unexpected(exception)
finally:
    here.leave()
