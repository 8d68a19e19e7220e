"""Members in a real browser: a row opens the member, and what is changed holds at that member's next click."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from core.words import t
from tests.browser.conftest import (
    CHROMIUM,
    Server,
    act_as,
    alert,
    button,
    click_in_row,
    expect_title,
    go_to,
    open_page,
    settled,
)

pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here")]
REFUSED = "You may not do this with the access you have. An administrator of your partner space can change that."


def members_table(page: Page) -> Locator:
    return page.get_by_role("region", name=t("The members, one per row"), exact=True)


def row_of(page: Page, name: str) -> int:
    """The row of a member, counted from 0."""
    expect(members_table(page).locator("td").first).to_be_attached()
    names = members_table(page).locator("tbody tr")
    return next(row for row in range(names.count()) if name in (names.nth(row).text_content() or ""))


def open_member(page: Page, server: Server, name: str) -> None:
    open_page(page, f"{server.url}/members", "Members")
    settled(page)
    click_in_row(page, row_of(page, name), 0, members_table(page))
    expect_title(page, name)


def test_access_taken_away_between_two_clicks_refuses_the_second(server: Server, visit: Callable[..., Page]) -> None:
    """A colleague fills in an invitation; an administrator takes their access; the colleague clicks."""
    colleague, administrator = visit(), visit()
    open_page(colleague, server.url, "Clients")
    act_as(colleague, "Second client manager")
    go_to(colleague, "Invite a client")
    colleague.get_by_role("textbox", name="Name", exact=True).fill("Never invited")
    colleague.get_by_role("textbox", name="E-mail", exact=True).fill("never@example.com")

    open_member(administrator, server, "Second client manager")
    administrator.get_by_role("main").get_by_text("Access to clients", exact=True).click()
    settled(administrator)
    administrator.get_by_role("combobox", name="Who takes over").first.click()
    administrator.get_by_role("option", name="Demo client manager").click()
    settled(administrator)
    button(administrator, "Save").click()
    expect(alert(administrator)).to_contain_text("Second client manager is changed.")

    button(colleague, "Invite this client").click()
    expect(alert(colleague).first).to_have_text(REFUSED)
    assert server.clients_named("Never invited") == 0
    expect(colleague.get_by_text("Page not found")).to_have_count(0)
