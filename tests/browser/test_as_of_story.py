"""A day of the past in a real browser: from a number of the distribution to its clients, and back, and loaded anew."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import CHROMIUM, Server, button, clients, column, expect_title, open_page, settled

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="There is no Chromium on this machine."),
]


def test_a_number_of_a_past_day_opens_its_clients_and_back_comes_the_distribution(
    server: Server, visit: Callable[..., Page]
) -> None:
    """The address holds what is chosen, whichever way one comes."""
    page, day = visit(), (server.database.clock() - timedelta(days=40)).date().isoformat()
    address = f"split=payer&statuses=invited%2Cactive&day={day}"
    open_page(page, f"{server.url}/plan_distribution?{address}", "Plan distribution")
    settled(page)
    numbers = page.get_by_role("region", name="The numbers behind the chart")
    number = column(numbers, "Total").first.text_content()
    box = numbers.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] - 30, box["y"] + 35 + 17)
    expect_title(page, "Clients")
    expect(page.get_by_text(re.compile("^As of .*: what held"))).to_be_visible()
    expect(page).to_have_url(re.compile(f"as_of={day}"))
    expect(button(page, f"{number} clients")).to_be_visible()
    expect(clients(page)).to_be_visible()
    expect(page.locator(".st-key-clients-many")).to_have_count(0)

    page.go_back()
    expect_title(page, "Plan distribution")
    expect(page).to_have_url(re.compile(re.escape(address)))
    page.reload()
    expect_title(page, "Plan distribution")
    expect(page.get_by_role("radio", name="Paid by")).to_have_attribute("aria-checked", "true")
    expect(column(numbers, "Total").first).to_have_text(str(number))
