"""Clients: every client, the settings in force, and where each one comes from."""

import streamlit as st

from core.members import Permission, may, reads_all_clients
from core.reports import FILTERS, Order
from core.words import t
from pages.clients import client_list, narrow_list, saved_views
from pages.parts import alone, as_of, default_sets, meanwhile, page_url, server, visitor
from pages.parts.text import heading


def page_number(asked: str) -> int:
    """The page a link asks for. Raises ValueError."""
    return min(max(1, int(asked)), 1_000_000)


member = visitor.member(Permission.READ_CLIENTS)
client_list.open_clicked()
page_url.read("clients", FILTERS | {"order_by": Order, "page": page_number, "as_of": as_of.linked})
st.session_state.setdefault("clients.search", "")
version = client_list.version_named(default_sets.known(server.database(), member))


def ways() -> None:
    """The saved views, the default settings, and the form to invite a client."""
    label = t("Default settings · v{version}", version=str(version)) if version else t("Default settings")
    saved_views.menu(member)
    st.page_link("pages/settings/defaults.py", label=label, icon=":material/settings:", width="content")
    if may(member, Permission.INVITE) and st.button(t("Invite a client"), type="primary", icon=":material/add:"):
        st.switch_page("pages/clients/invite_client.py")


with st.container(gap=None):
    every = t("Every client, the settings in force, and where each one comes from.")
    own = t("The clients you look after, the settings in force, and where each one comes from.")
    heading(
        t("Clients"),
        every if reads_all_clients(member) else own,
        beside=lambda: meanwhile.of_list(member, is_narrow=narrow_list.is_on()),
        ways=ways,
    )

narrow_list.switch()
alone.run(client_list.show, Permission.READ_CLIENTS, version)
