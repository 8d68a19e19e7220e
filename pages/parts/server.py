"""What this server was given: the operator's configuration and the database, each opened once for all visitors."""

import logging
from pathlib import Path

import streamlit as st

from core import demo
from core.configuration import Configuration
from core.invitations import WrongLinks
from core.storage import Database

ROOT = Path(__file__).parent.parent.parent

log = logging.getLogger("billing_defaults")


@st.cache_resource(show_spinner=False)
def configuration() -> Configuration:
    """What the operator has set, read once."""
    return Configuration()


@st.cache_resource(show_spinner=False)
def database() -> Database:
    """The database of this server, ready: the demo made, or an embedded file migrated. Raises DemoRefused."""
    opened = Database(configuration().url, deployment=configuration().deployment)
    if configuration().is_demo:
        demo.open_demo(opened)
    elif opened.is_embedded:
        opened.migrate()
    return opened


@st.cache_resource(show_spinner=False)
def wrong_links() -> WrongLinks:
    """The wrong links of invitations that were opened here lately."""
    return WrongLinks()


def is_demo() -> bool:
    """Whether this server runs in demo mode."""
    return configuration().is_demo
