"""Many clients in one act, lived in a browser: previewed, done, reported, opened from a client's history, undone."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from core.words import BatchKind, best_language, nt, speak, t
from core.words import number as in_words
from tests.browser.conftest import (
    CHROMIUM,
    Server,
    act_on_many,
    alert,
    button,
    cell,
    clients,
    column,
    expect_title,
    open_page,
    serving,
    settled,
    table,
    whole,
)

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="There is no Chromium on this machine."),
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The demo as it is, with its two default sets."""
    with serving(tmp_path_factory.mktemp("served") / "demo.sqlite3", is_demo=True) as started:
        yield started


def figure(page: Page, label: str) -> int:
    """A figure of the page by its words."""
    shown = page.get_by_role("main").get_by_test_id("stMetric").filter(has_text=label)
    return int(re.sub(r"\D", "", shown.get_by_test_id("stMetricValue").inner_text()))


def sources(page: Page) -> list[str]:
    """What each client of the first page is bound to or has chosen, with its name."""
    expect(column(clients(page), t("Client"))).not_to_have_count(0)
    settled(page)
    both = zip(column(clients(page), t("Client")).all(), column(clients(page), t("Source")).all(), strict=True)
    return [f"{name.inner_text()}: {source.inner_text()}" for name, source in both]


def clients_in_groups(page: Page) -> int:
    """How many clients the groups of the preview have together."""
    expect(groups(page)).to_be_visible()
    counts = column(groups(page), t("Clients")).all_inner_texts()
    assert counts
    return sum(int(re.sub(r"\D", "", each)) for each in counts)


def groups(page: Page) -> Locator:
    return table(page, t("What changes"))


def heading_of(page: Page, title: str) -> Locator:
    return groups(page).get_by_role("columnheader", name=title, exact=True)


@pytest.mark.parametrize("locale", ["en-GB", "fr-BE", "nl-BE"])
def test_all_that_match_adopt_the_defaults_and_go_back(server: Server, visit: Callable[..., Page], locale: str) -> None:
    """Rules 45, 46 and 50, for as many clients as the filter of the demo's list finds."""
    speak(best_language(locale))
    page = visit(locale=locale)
    open_page(page, f"{server.url}/?default_set=1&version=2&status=active", t("Clients"))
    before = sources(page)
    said_of_99 = nt("With the client that matches", "With all {count} clients that match", 99)
    offer = page.get_by_test_id("stMenuButton").get_by_text(re.compile(re.escape(said_of_99).replace("99", r"\d+")))
    found = int(re.sub(r"\D", "", offer.inner_text()))
    assert found > 50  # more than one page

    act_on_many(page, t("Adopt current defaults"))
    expect_title(page, t("Change many clients"))
    asked = nt("What would change for {count} client", "What would change for {count} clients", found)
    expect(page.get_by_role("heading", name=asked, exact=True)).to_be_visible()
    changed, left = figure(page, t("Clients that change")), figure(page, t("Left out"))
    assert changed + left == found
    assert clients_in_groups(page) == changed
    for amount in (t("Clients"), t("Price"), t("Charged today")):
        expect(heading_of(page, amount)).to_have_css("text-align", "right")
        expect(cell(groups(page), 0, amount)).to_have_css("text-align", "right")
    expect(cell(groups(page), 0, t("What changes"))).to_have_css("text-align", "left")
    page.get_by_label(t("Reason"), exact=True).fill("new terms")
    page.keyboard.press("Tab")
    settled(page)
    button(page, nt("Adopt for {count} client", "Adopt for {count} clients", changed)).click()

    said = page.get_by_role("heading", level=1, name=re.compile(t("Bulk change {batch}", batch="\\d+")))
    expect(said).to_be_visible()
    batch = re.sub(r"\D", "", said.inner_text())
    done = nt("{count} client is changed.", "{count} clients are changed.", changed)
    expect(alert(page)).to_have_text(whole(t("Bulk change {batch}: {done}", batch=batch, done=done)))
    assert (figure(page, t("Chosen")), figure(page, t("Clients changed"))) == (found, changed)

    button(page, t("All bulk changes")).click()
    expect_title(page, t("Bulk changes"))
    listed = page.get_by_role("region", name=t("Bulk changes, one per row"), exact=True)
    expect(cell(listed, 0, t("Number"))).to_have_text(batch)
    expect(cell(listed, 0, t("What"))).to_have_text(BatchKind.ADOPT.label)
    expect(cell(listed, 0, t("Clients changed"))).to_have_text(in_words(changed))
    expect(cell(listed, 0, t("Undone"))).to_have_text("")

    page.goto(f"{server.url}/client_subscription?client={server.client_of(int(batch))}")
    page.get_by_role("main").get_by_role("link", name=t("Batch {batch}", batch=batch)).click()
    expect_title(page, t("Bulk change {batch}", batch=batch))
    button(page, t("Undo")).click()
    expect(page.get_by_text(t("Undo bulk change {batch}", batch=batch), exact=True).first).to_be_visible()
    settled(page)
    assert clients_in_groups(page) == figure(page, t("Clients that change")) == changed
    page.get_by_label(t("Reason"), exact=True).fill("too early")
    page.keyboard.press("Tab")
    settled(page)
    button(page, t("Undo bulk change {batch}", batch=batch)).click()
    expect_title(page, t("Bulk change {batch}", batch=str(int(batch) + 1)))
    expect(page.get_by_text(t("Undoes {batch}", batch=batch), exact=True)).to_be_visible()

    page.goto(f"{server.url}/?default_set=1&version=2&status=active")
    expect_title(page, t("Clients"))
    expect(offer).to_contain_text(str(found))
    assert sources(page) == before
