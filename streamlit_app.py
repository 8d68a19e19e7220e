"""The frame: page config, who is here, the menu by role and language, and the page."""

from typing import Any

import streamlit as st

from core import invitations
from core.members import Member, Permission, may
from core.words import LANGUAGES, BillingError, DatabaseFailed, NoCatalogue, t
from pages.parts import demo_day, invitation, keyboard, notices, presence, sign_in, tab_title, visitor
from pages.parts.presence import Arrival
from pages.parts.server import ROOT
from pages.parts.text import plain

ASSETS = ROOT / "assets"
MENU = "menu"  # in the session's memory: whether it was shown; it stays while the database is away
PUBLIC = ("invitation", "accept")  # the one page for whoever has a link

st.set_page_config(page_title="Billing Defaults", page_icon=str(ASSETS / "icon.svg"), layout="wide")
st.logo(str(ASSETS / "mark.svg"), size="large")


def menu(member: Member | None, arrival: Arrival) -> dict[str, list[Any]]:
    """The pages this member may use, in their sections; the page of invitations is for whoever has a link.

    A page that they may not use is there too, out of the menu: opened by a link, it says why it shows nothing.
    """
    sees_any = member is not None and may(member, Permission.READ_DEFAULTS) and not visitor.is_by_link()
    pages: dict[str, list[Any]] = {t("Clients"): [], t("Settings"): [], t("Finance"): [], "": []}

    def nothing() -> None:
        notices.nothing_to_show(arrival)

    def page(heading: str, section: str, name: str, title: str, needs: Permission, **named: Any) -> None:
        script = ROOT / "pages" / section / f"{name}.py" if sees_any else nothing
        hidden: dict[str, Any] = {"visibility": "hidden", "default": False}
        if sees_any and member is not None and may(member, needs):
            hidden = {}
        shown = st.Page(script, title=title, **{"url_path": name} | named | hidden)
        pages["" if hidden else heading].append(shown)

    if not sees_any:
        pages[""].append(st.Page(nothing, title="Billing Defaults", default=True))
    clients, settings, finance = t("Clients"), t("Settings"), t("Finance")
    shown = Permission.READ_CLIENTS
    page(clients, "clients", "billing_sources", t("Clients"), shown, icon=":material/groups:", default=True)
    page(clients, "clients", "invite_client", t("Invite a client"), Permission.INVITE, icon=":material/person_add:")
    page(clients, "clients", "client_subscription", t("Client subscription"), shown, icon=":material/badge:")
    page(clients, "clients", "change_many", t("Change many clients"), Permission.OVERRIDE, visibility="hidden")
    page(clients, "clients", "bulk_changes", t("Bulk changes"), Permission.READ_BATCHES, icon=":material/checklist:")
    page(settings, "settings", "defaults", t("Default settings"), Permission.READ_DEFAULTS, icon=":material/tune:")
    page(settings, "settings", "catalogue", t("Catalogue"), Permission.READ_DEFAULTS, icon=":material/sell:")
    page(settings, "settings", "members", t("Members"), Permission.MANAGE_MEMBERS, icon=":material/manage_accounts:")
    page(settings, "settings", "activity", t("Activity"), Permission.READ_ACTIVITY, icon=":material/history:")
    spread = Permission.READ_DISTRIBUTION
    page(finance, "finance", "plan_distribution", t("Plan distribution"), spread, icon=":material/bar_chart:")
    script = ROOT / "pages" / PUBLIC[0] / f"{PUBLIC[1]}.py"
    pages[""].append(st.Page(script, title=t("Invitation"), url_path=invitations.LINK_PAGE, visibility="hidden"))
    return {heading: listed for heading, listed in pages.items() if listed}


def sidebar(member: Member, arrival: Arrival) -> None:
    """At the foot of the menu: whose space, who is here, which language, and in demo mode as whom and as which day."""
    with st.sidebar:
        sign_in.choose_space(arrival)
        if arrival.shown_as is not None:
            demo_day.control(member, arrival.shown_as)
            visitor.choose_demo_member(member)
        else:
            sign_in.foot(arrival, member)
        st.segmented_control(
            t("Language"),
            list(LANGUAGES),
            format_func=str.upper,  # their names do not fit beside each other
            required=True,
            key="language",
            on_change=visitor.remember_language,
            args=(member,),
            label_visibility="collapsed",
            persist_state="session",
        )


member: Member | None = None
already_shown: notices.Said = ()
try:
    member, arrival = visitor.arrive()
    by_link = visitor.is_by_link()
    shown = st.navigation(menu(member, arrival), position="hidden" if by_link or member is None else "sidebar")
    st.session_state[MENU] = True
    if member is not None and not by_link:
        presence.keep_space_in_url(arrival)
        sidebar(member, arrival)
    tab_title.say(shown.title)
    with st.container():  # one element, whatever is said: the parts of a page that run alone are known by their place
        notices.demo_banner(arrival.shown_as)
        already_shown = notices.show_messages()
        if member is not None:
            invitation.send_waiting(member)
    shown.run()
    keyboard.listen()
except DatabaseFailed as failure:
    if MENU not in st.session_state:  # a first visit: the page in the URL is the one that opens later
        st.navigation(menu(None, Arrival()), position="hidden")
    if visitor.is_by_link():
        visitor.link_token()  # in the language of whoever holds the link
    notices.database_failed(failure, already_shown)
except NoCatalogue as refusal:
    st.info(plain(refusal if member is None else refusal.said_to(member.role)), icon=":material/sell:")
except BillingError as refusal:
    if str(refusal) not in map(str, already_shown):
        st.warning(plain(refusal), icon=":material/lock:")
except Exception as exception:  # noqa: BLE001 - the last resort
    notices.unexpected(exception)
