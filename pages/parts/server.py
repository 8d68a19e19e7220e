"""What this server was given: the operator's configuration and the database, each opened once for all visitors."""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from core import demo
from core.configuration import Configuration, usable
from core.invitations import WrongLinks
from core.storage import Database

_MOST_KEPT = 1_000

ROOT = Path(__file__).parent.parent.parent

log = logging.getLogger("billing_defaults")


@st.cache_resource(show_spinner=False)
def configuration() -> Configuration:
    """What the operator has set, read once."""
    return Configuration()


@dataclass(slots=True)
class _Opened:
    """The database of this server, and whether it was found fit to work with."""

    database: Database
    is_prepared: bool = False


@st.cache_resource(show_spinner=False)
def _opened() -> _Opened:
    return _Opened(Database(configuration().url, deployment=configuration().deployment))


def keep_newest(kept: dict[Any, Any], key: Any, value: Any) -> None:
    """Keep it in this memory of the server as the newest; beyond a thousand the oldest go."""
    kept.pop(key, None)
    kept[key] = value
    while len(kept) > _MOST_KEPT:
        kept.pop(next(iter(kept)))


def configured() -> Configuration:
    """What the operator has set, all of which can be used. Raises Misconfigured."""
    with usable():
        _opened()
        return configuration()


def database() -> Database:
    """The database of this server, ready: the demo made, an embedded file migrated, or the tables of this version.

    Raises DemoRefused, TablesRefused, or DatabaseFailed, and the next time it is tried again. Nobody waits here for
    somebody else's try: what makes it ready may be done twice.
    """
    opened = _opened()
    if not opened.is_prepared:
        if configuration().is_demo:
            demo.open_demo(opened.database)
        elif opened.database.is_embedded:
            opened.database.migrate()
        else:
            opened.database.refuse_other_tables()
        opened.is_prepared = True
    return opened.database


@st.cache_resource(show_spinner=False)
def wrong_links() -> WrongLinks:
    """The wrong links of invitations that were opened here lately."""
    return WrongLinks()


def is_demo() -> bool:
    """Whether this server runs in demo mode."""
    return configuration().is_demo
