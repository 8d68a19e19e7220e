"""Two people at work: the page of one lies open, and tells what the other changed, without moving anything."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from core import defaults, demo, members, subscriptions
from core.words import Overrides, Payer, best_language, nt, speak, t
from pages.parts.meanwhile import EVERY, EVERY_COUNTED
from tests.browser.conftest import (
    CHROMIUM,
    Server,
    box,
    button,
    choose,
    clients,
    column,
    filter_menu,
    open_page,
    settled,
)

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine"),
]
PLACES = """() => [...document.querySelectorAll(
        "[data-testid=stMain] :is(h1, label, table, [data-testid=stCaptionContainer])"
    )].map(each => [each.textContent, each.getBoundingClientRect().x, each.getBoundingClientRect().y].join(" "))"""


def lies_open(page: Page, server: Server, address: str, title: str) -> Page:
    """The page, opened by somebody who then does nothing; its clock is the test's."""
    page.clock.install()
    open_page(page, f"{server.url}{address}", title)
    page.clock.resume()
    settled(page)
    return page


def meanwhile(page: Page, *, seconds: int = EVERY) -> Locator:
    """What the page says after so long."""
    page.clock.fast_forward(seconds * 1000)
    return page.locator(".st-key-meanwhile-show").get_by_role("button")


def by_the_manager(server: Server, act: Callable[..., Any]) -> None:
    """The demo's client manager does this elsewhere."""
    with server.database.transaction() as session:
        manager = members.find(session, demo.PARTNER_ID, 2)
        assert manager is not None
        act(session, manager)


def pay_for(client_id: int, payer: Payer) -> Callable[..., Any]:
    def act(session: Any, manager: Any) -> None:
        seen = subscriptions.detail(session, manager, client_id).seen
        subscriptions.override(session, manager, client_id, Overrides(payer=payer), seen=seen)

    return act


def save_again(session: Any, manager: Any) -> None:
    in_force = defaults.current(session, manager)
    assert in_force is not None
    defaults.save(session, manager, in_force.settings, seen=in_force.version, note="Again")


@pytest.mark.parametrize("locale", ["en-GB", "fr-BE", "nl-BE"])
def test_the_list_tells_of_clients_that_somebody_else_invited(
    server: Server, visit: Callable[..., Page], locale: str
) -> None:
    """Nothing moves; *Show* shows them, and the filter and the page of the list stay as they were."""
    speak(best_language(locale))
    page = lies_open(visit(locale=locale), server, "?status=active&page=2", t("Clients"))
    choose(page, t("Act as"), "Demo finance")  # the clients are invited by the administrator
    settled(page)
    said = meanwhile(page)
    settled(page)
    expect(said).to_have_count(0)
    for number in range(2):
        server.invite(f"Zoe {locale} {number}", f"zoe.{locale}.{number}@example.com".lower())
    before = page.evaluate(PLACES)
    words = nt("{count} client was invited meanwhile", "{count} clients were invited meanwhile", 2)
    expect(meanwhile(page)).to_contain_text(words)
    assert page.evaluate(PLACES) == before
    first = column(clients(page), t("Client")).first.inner_text()
    said.click()
    expect(said).to_have_count(0)
    settled(page)
    assert "status=active" in page.url
    assert "page=2" in page.url
    expect(filter_menu(page, t("Status"))).to_contain_text(":")
    expect(column(clients(page), t("Client")).first).to_have_text(first)
    expect(meanwhile(page)).to_have_count(0)


def test_the_page_of_a_client_tells_who_changed_it_and_keeps_what_is_typed(
    server: Server, visit: Callable[..., Page]
) -> None:
    """In the form that is open for a change."""
    page = lies_open(visit(), server, "/client_subscription?client=5", server.name_of(5))
    button(page, "Change").click()
    reason = page.get_by_label("Reason (optional)", exact=True)
    reason.fill("they asked for it")
    settled(page)
    by_the_manager(server, pay_for(5, Payer.PARTNER))
    said = meanwhile(page)
    expect(said).to_contain_text("This client was changed meanwhile by Demo client manager · Show")
    expect(reason).to_have_value("they asked for it")
    said.click()
    expect(said).to_have_count(0)
    settled(page)
    expect(reason).to_have_value("they asked for it")
    expect(page.get_by_role("main")).to_contain_text("paid by us")


def test_the_defaults_and_the_distribution_tell_it_too(server: Server, visit: Callable[..., Page]) -> None:
    """Which version was saved by whom; and that bars have another length, not that anything else was changed."""
    page = lies_open(visit(), server, "/defaults", "Default settings")
    spread = lies_open(visit(), server, "/plan_distribution", "Plan distribution")
    by_the_manager(server, save_again)
    said = meanwhile(page)
    expect(said).to_contain_text(re.compile(r"Version \d+ was saved meanwhile by Demo client manager · Show"))
    said.click()
    expect(said).to_have_count(0)
    expect(page.get_by_role("main")).to_contain_text("Again")
    server.invite("Distributed", "distributed@example.com")
    expect(meanwhile(spread, seconds=EVERY_COUNTED)).to_contain_text("The distribution has changed meanwhile · Show")


def test_what_one_did_oneself_is_no_news(server: Server, visit: Callable[..., Page]) -> None:
    """Nor in another window."""
    page = lies_open(visit(), server, "", "Clients")
    expect(box(page, "Act as")).to_have_value(re.compile("Demo administrator"))
    server.invite("Of one's own", "own@example.com")
    said = meanwhile(page)
    settled(page)
    by_the_manager(server, lambda session, manager: members.act(session, manager, members.Permission.INVITE))
    said = meanwhile(page)
    settled(page)
    expect(said).to_have_count(0)
