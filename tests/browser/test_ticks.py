"""Clients are ticked in the list, which runs alone meanwhile, and changed in one act, which is undone."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import (
    CHROMIUM,
    Server,
    act_as,
    act_on_many,
    alert,
    button,
    choose,
    clients,
    expect_title,
    filter_menu,
    go_back,
    open_page,
    settled,
    tick,
)
from tests.browser.test_alone import runs_of

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine"),
]
WIDE, NARROW = {"width": 1280, "height": 800}, {"width": 390, "height": 844}


@pytest.mark.parametrize("viewport", [WIDE, NARROW], ids=["wide", "narrow"])
def test_a_tick_runs_the_list_alone_and_an_act_takes_the_ticked_clients_along(
    server: Server, visit: Callable[..., Page], viewport: dict[str, int]
) -> None:
    """Ticks are kept over the pages of the list, filters over the ticks; another filter begins with nobody."""
    page = visit(viewport=viewport)
    runs = runs_of(page)
    open_page(page, server.url, "Clients")
    settled(page)
    if viewport == NARROW:
        see_the_wide_list(page)
    opened = len(runs)
    choose(page, "Status", "Active")
    settled(page)
    tick(page, 0)
    expect(page.get_by_role("main")).to_contain_text("With the 1 client ticked")
    tick(page, 2)
    expect(page.get_by_role("main")).to_contain_text("With the 2 clients ticked")
    button(page, "Page 2").click()
    settled(page)
    tick(page, 1)
    expect(page.get_by_role("main")).to_contain_text("With the 3 clients ticked")
    expect(filter_menu(page, "Status")).to_have_accessible_name("Status: Active")
    assert "status=active" in page.url
    assert set(runs[opened:]) == {"alone"}

    act_on_many(page, "Cancel pending changes")
    expect_title(page, "Change many clients")
    assert re.search(r"ticked=\d+\.\d+\.\d+", page.url)
    expect(page.get_by_role("main")).to_contain_text("What would change for 3 clients")
    go_back(page)
    expect_title(page, "Clients")
    expect(filter_menu(page, "Status")).to_have_accessible_name("Status: Active")
    expect(page.get_by_role("main")).to_contain_text("With the 3 clients ticked")
    button(page, "Untick all").click()
    expect(page.get_by_role("main")).to_contain_text("clients that match")

    tick(page, 0)
    expect(page.get_by_role("main")).to_contain_text("With the 1 client ticked")
    choose(page, "Status", "Invited")
    expect(page.get_by_role("main")).to_contain_text("clients that match")


def see_the_wide_list(page: Page) -> None:
    """In a narrow window the list is narrow, without boxes to tick; the menu has the switch."""
    page.get_by_test_id("stExpandSidebarButton").click()
    is_narrow = page.get_by_role("switch", name="Narrow list").or_(page.get_by_role("checkbox", name="Narrow list"))
    expect(is_narrow).to_be_checked()
    page.get_by_test_id("stSidebar").get_by_text("Narrow list").click()
    expect(is_narrow).not_to_be_checked()
    page.get_by_test_id("stSidebarCollapseButton").locator("button").click()
    settled(page)


def test_all_that_match_are_changed_in_one_act_and_it_is_undone(server: Server, visit: Callable[..., Page]) -> None:
    """From the menu below the list to the report and back."""
    page = visit()
    open_page(page, server.url, "Clients")
    act_as(page, "Demo client manager")
    settled(page)
    choose(page, "Source", "On older defaults")
    settled(page)
    expect(clients(page)).to_have_count(1)
    act_on_many(page, "Adopt current defaults")
    expect_title(page, "Change many clients")
    assert "source=older" in page.url
    page.get_by_label("Reason", exact=True).fill("the new price list")
    page.keyboard.press("Tab")
    settled(page)
    page.get_by_role("main").get_by_role("button", name=re.compile(r"^Adopt for \d+ clients?$")).click()
    expect(alert(page).first).to_contain_text(re.compile(r"\d+ clients? (is|are) changed\."))
    button(page, "Undo").click()
    page.get_by_label("Reason", exact=True).fill("a mistake")
    page.keyboard.press("Tab")
    settled(page)
    page.get_by_role("main").get_by_role("button", name=re.compile(r"^Undo bulk change \d+$")).click()
    expect(alert(page).first).to_contain_text(re.compile(r"\d+ clients? (is|are) changed\."))
