"""The product opened by a member on a page, and what a person does there: Streamlit's AppTest, on a demo of its own."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from shutil import copy
from typing import Any

import pytest
import streamlit as st
from sqlalchemy import text
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

from core import defaults, demo, members
from core.members import Member
from core.storage import Database
from core.words import NotAllowed, best_language, speak
from pages.parts import server
from tests.conftest import LONGEST_WAIT, STANDARD

ROOT = Path(__file__).parent.parent.parent
INVITE = "pages/clients/invite_client.py"
CLIENT = "pages/clients/client_subscription.py"
DEFAULTS = "pages/settings/defaults.py"
DISTRIBUTION = "pages/finance/plan_distribution.py"
CATALOGUE = "pages/settings/catalogue.py"
CLIENTS = "pages/clients/billing_sources.py"


@pytest.fixture(scope="session", autouse=True)
def _installed_components() -> Iterator[None]:
    """AppTest looks through every installed package for components each time the product is opened, which takes as long
    as all the rest: here once."""
    found = manifest_scanner.scan_component_manifests()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", lambda: found)
        yield


@pytest.fixture(autouse=True)
def demo_database(demo_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """The demo, as the pages and the test see it."""
    path = tmp_path / "demo.sqlite3"
    copy(demo_file, path)
    monkeypatch.setenv("BILLING_DATABASE_URL", f"sqlite:///{path}")
    monkeypatch.setenv("BILLING_DEMO", "1")
    st.cache_resource.clear()
    st.cache_data.clear()
    database = server.database()
    yield database
    database.close()
    st.cache_resource.clear()


def opened(path: str = "", /, *, acting: int = 1, locale: str = "en-GB", **parameters: str) -> AppTest:
    """The product opened by this member, on this page."""
    speak(best_language(locale))  # AppTest matches options by their words
    app = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=LONGEST_WAIT)
    app.context = {"locale": locale}
    app.session_state["demo.member"] = acting
    if not path:
        for name, value in parameters.items():
            app.query_params[name] = value
        return ran(app)
    ran(app)
    for name, value in parameters.items():
        app.query_params[name] = value
    app.switch_page(path)
    return ran(app)


def ran(what: Any) -> AppTest:
    """Run the product, or the click or the choice made on it; nothing may fail."""
    app: AppTest = what.run()
    assert not app.exception
    return app


def text_of(app: AppTest) -> str:
    """Everything the page says in words."""
    kinds = (
        app.title,
        app.markdown,
        app.caption,
        app.text,
        app.info,
        app.warning,
        app.error,
        app.success,
        app.header,
    )
    return "\n".join(str(element.value) for kind in kinds for element in kind)


def plain_text(app: AppTest) -> str:
    return text_of(app).replace("\\", "").replace("\u2060", "")


def choose(app: AppTest, name: str, *values: Any) -> AppTest:
    """Click these values in the menu of a filter of the list, or of its order, one after the other; "" is all."""
    for value in values:
        app = ran(at(app.menu_button, f"{name} menu").click(value))
    return app


def at(widgets: Any, name: str) -> Any:
    """The widget of this name, whichever generation of its form, words of its options and day it begins at."""
    return next(w for w in widgets if re.sub(r"#\d+| [0-9a-f]{8}\.\d+$| \d{4}-\d\d-\d\d$", "", str(w.key)) == name)


def table_of(app: AppTest, number: int = 0) -> Any:
    """A table as it reads."""
    return app.table[number].value.map(lambda cell: cell.replace("\\", "").replace("\u2060", ""))


def button(app: AppTest, label: str) -> Any:
    return next(b for b in app.button if b.label == label)


def manager(database: Database, member_id: int = 2) -> Member:
    with database.reading() as session:
        found = members.find(session, demo.PARTNER_ID, member_id)
    assert found is not None
    return found


def asked(database: Database, ask: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    with database.reading() as session:
        return ask(session, manager(database), *arguments, **named)


def saved_by_a_colleague(database: Database, **changed: Any) -> None:
    """Version 4, saved by the client manager while somebody else looks at version 3."""
    with database.transaction() as session:
        defaults.save(session, manager(database), replace(STANDARD, **changed), seen=3)


def refused_alone(page: str, caplog: pytest.LogCaptureFixture, acting: int = 1) -> bool:
    """Whether a page run without the frame around it refuses with NotAllowed before it shows anything."""
    caplog.clear()
    alone = AppTest.from_file(str(ROOT / page), default_timeout=LONGEST_WAIT)
    alone.session_state["demo.member"] = acting
    alone.run()
    raised = [record.exc_info[0] for record in caplog.records if record.exc_info]
    return raised == [NotAllowed] and len(alone.exception) == len(alone.main) == 1


def rows(app: AppTest) -> Any:
    return app.dataframe[0].value


def emptied(database: Database) -> None:
    """A partner space in which nothing happened yet."""
    with database.transaction() as session:
        never_deleted = (
            "default_settings", "default_set", "default_set_change", "subscription", "client_change", "responsible",
        )  # fmt: skip
        for kept in never_deleted:
            session.execute(text(f"DROP TRIGGER {kept}_never_deleted"))
        emptied_in_order = (
            "payer_message",
            "outbox_message",
            "invitation",
            "responsible",
            "subscription",
            "client_change",
            "client",
            "default_settings",
            "default_set_change",
            "default_set",
        )
        session.execute(text("UPDATE partner SET standard_set = NULL"))
        for table in emptied_in_order:
            session.execute(text(f"DELETE FROM {table}"))


def form_key(app: AppTest, name: str) -> str:
    return f"invite.{app.session_state['invite.attempt']}.{name}"


def typed(app: AppTest, **fields: str) -> AppTest:
    for name, value in fields.items():
        at(app.text_input, form_key(app, name)).set_value(value)
    return app


def send(app: AppTest) -> AppTest:
    return ran(at(app.button, form_key(app, "send")).click())
