"""The list of clients runs alone after a click in it: it asks who is here by itself, and the whole page follows where
that, or anything else that stands around the list, has changed."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import update
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from core import demo
from core.members import Member
from core.words import Role
from tests.browser.conftest import (
    CHROMIUM,
    Server,
    act_as,
    button,
    choose,
    clients,
    column,
    filter_menu,
    go_to,
    menu,
    open_page,
    open_row,
    search,
    settled,
)
from tests.conftest import STANDARD

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine"),
]


@pytest.fixture
def page(server: Server, visit: Callable[..., Page]) -> Page:
    """The list, as an account manager sees it."""
    opened = visit()
    open_page(opened, server.url, "Clients")
    act_as(opened, "Demo client manager")
    settled(opened)
    return opened


@pytest.fixture
def manager(server: Server) -> Iterator[Callable[..., None]]:
    """What changes that account manager, behind the page; afterwards they are as they were."""

    def change(**facts: object) -> None:
        whose = (Member.partner_id == demo.PARTNER_ID, Member.name == "Demo client manager")
        with server.database.transaction() as session:
            session.execute(update(Member).where(*whose).values(**facts))

    yield change
    change(role=Role.CLIENT_MANAGER, client_access=True)


def runs_of(page: Page) -> list[str]:
    """What runs of the page, from its next websocket on: the whole, or a part of it alone. (What asks by itself every
    few seconds is left out.)"""
    found: list[str] = []
    by_itself: set[str] = set()

    def read(frame: str | bytes) -> None:
        message = ForwardMsg.FromString(frame if isinstance(frame, bytes) else frame.encode())
        kind, parts = message.WhichOneof("type"), set(message.metadata.run.fragment_ids)
        if kind == "auto_rerun":
            by_itself.add(message.auto_rerun.fragment_id)
        elif kind == "script_finished" and not (parts and parts <= by_itself):
            is_alone = message.script_finished == ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY
            found.append("alone" if is_alone else "whole")

    page.on("websocket", lambda websocket: websocket.on("framereceived", read))
    return found


def test_a_filter_a_page_and_a_search_run_the_list_alone(server: Server, visit: Callable[..., Page]) -> None:
    """And the address says what was chosen."""
    page = visit()
    runs = runs_of(page)
    open_page(page, server.url, "Clients")
    settled(page)
    opened = len(runs)
    choose(page, "Status", "Active")
    settled(page)
    button(page, "Page 2").click()
    settled(page)
    assert "status=active" in page.url
    assert "page=2" in page.url
    search(page, "nobody is called so")
    expect(page.get_by_role("main")).to_contain_text("No client matches")
    settled(page)
    assert runs[opened:] == ["alone"] * 3


def test_a_row_opens_its_client_and_the_menu_leads_back_to_the_list_as_it_was(page: Page) -> None:
    """Whatever ran alone is still chosen when the whole page runs."""
    choose(page, "Status", "Archived")
    settled(page)
    name = column(clients(page), "Client").first.inner_text()
    open_row(page, 0)
    expect(page.get_by_role("heading", level=1)).to_have_text([name])
    go_to(page, "Clients")
    expect(column(clients(page), "Client").first).to_have_text(name)
    expect(filter_menu(page, "Status")).to_have_accessible_name("Status: Archived")


def test_a_role_taken_away_shows_in_the_menu_at_the_next_click(page: Page, manager: Callable[..., None]) -> None:
    """The whole page is made anew, and the click is not lost."""
    invite = menu(page).get_by_role("link", name="Invite a client", exact=True)
    expect(invite).to_have_count(1)
    manager(role=Role.FINANCE)
    choose(page, "Status", "Archived")
    expect(invite).to_have_count(0)
    expect(button(page, "Invite a client")).to_have_count(0)
    expect(filter_menu(page, "Status")).to_have_accessible_name("Status: Archived")


def test_access_taken_away_shows_no_client_at_the_next_click(page: Page, manager: Callable[..., None]) -> None:
    """What is said of it stands in place of the whole page."""
    manager(client_access=False)
    choose(page, "Status", "Archived")
    expect(page.get_by_role("main")).to_contain_text("You have no access to clients here.")
    expect(clients(page)).to_have_count(0)


def test_defaults_saved_by_a_colleague_are_named_at_the_next_click(server: Server, page: Page) -> None:
    """Beside the title stands the version that the list goes by."""
    version = server.save(STANDARD)
    choose(page, "Status", "Archived")
    named = page.get_by_role("main").get_by_role("link", name=f"Default settings · v{version}")
    expect(named).to_have_count(1)


def test_the_day_that_somebody_moved_the_demo_to_is_said_at_the_next_click(
    server: Server, page: Page, visit: Callable[..., Page]
) -> None:
    """On top, and at the foot of the menu."""
    somebody = visit()
    open_page(somebody, server.url, "Clients")
    somebody.get_by_role("button", name="+1 day", exact=True).click()
    expect(somebody.get_by_role("main")).to_contain_text("Demo, shown as")
    choose(page, "Status", "Archived")
    expect(page.get_by_role("main")).to_contain_text("Demo, shown as")
    expect(page.get_by_test_id("stSidebar")).to_contain_text("Shown as")
