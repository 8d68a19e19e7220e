"""A person at a page whose database goes away: PostgreSQL stopped and frozen, and a file that somebody else locks."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from playwright.sync_api import Page, expect

from pages.parts.meanwhile import EVERY
from tests.browser.conftest import (  # fmt: skip
    Server,
    alert,
    box,
    button,
    choose,
    expect_title,
    filter_menu,
    menu,
    open_page,
    settled,
    started,
)
from tests.postgres import Postgres

AWAY = "The database does not answer."
SECONDS = 15  # far below what an unlimited wait takes


@pytest.fixture(scope="module")
def server(breakable: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The demo, served from a PostgreSQL that can be stopped and frozen."""
    log: Path = tmp_path_factory.mktemp("served") / "demo.log"
    with started(breakable.url, log, {"BILLING_DEMO": "1"}, alarms=("Traceback",)) as running:
        yield running


def fill(page: Page, **typed: str) -> None:
    for label, text in typed.items():
        page.get_by_label(label.replace("_", "-"), exact=True).fill(text)


def try_again(page: Page) -> None:
    button(page, "Try again").click()


def test_a_form_sent_while_the_database_is_stopped(
    visit: Callable[..., Page], server: Server, breakable: Postgres
) -> None:
    """It is said at once; the form stands there again; the click that sends it anew invites once."""
    page = visit()
    open_page(page, f"{server.url}/invite_client", "Invite a client")
    choose(page, "Language of the client", "Nederlands")
    fill(page, Name="Kept firm", E_mail="kept@example.com")
    with breakable.stopped():
        button(page, "Invite this client").click()
        expect(alert(page)).to_have_text(f"{AWAY} Nothing was saved; your entries are kept.")
        try_again(page)
        settled(page)
        expect(alert(page)).to_have_text(f"{AWAY} Nothing was saved; your entries are kept.")
    assert server.clients_named("Kept firm") == 0
    page.get_by_role("navigation", name="App pages").get_by_role("link", name="Invite a client", exact=True).click()
    expect(page.get_by_label("Name", exact=True)).to_have_value("Kept firm")
    expect(page.get_by_label("E-mail", exact=True)).to_have_value("kept@example.com")
    expect(box(page, "Language of the client")).to_have_value("Nederlands")
    button(page, "Invite this client").click()
    expect(alert(page)).to_have_text("Kept firm is invited.")
    assert server.clients_named("Kept firm") == 1


def test_trying_again_sends_it(visit: Callable[..., Page], server: Server, breakable: Postgres) -> None:
    """Once the database is back; never before somebody clicks."""
    page = visit()
    open_page(page, f"{server.url}/invite_client", "Invite a client")
    fill(page, Name="Tried again", E_mail="again@example.com")
    with breakable.stopped():
        button(page, "Invite this client").click()
        expect(alert(page)).to_contain_text(AWAY)
        settled(page)
    assert server.clients_named("Tried again") == 0
    try_again(page)
    expect(alert(page)).to_have_text("Tried again is invited.")
    assert server.clients_named("Tried again") == 1


def test_the_first_click_after_a_restart_works(visit: Callable[..., Page], server: Server, breakable: Postgres) -> None:
    """Nobody was told anything, as nobody clicked meanwhile."""
    page = visit()
    open_page(page, f"{server.url}/defaults", "Default settings")
    settled(page)
    with breakable.stopped():
        pass
    page.get_by_role("main").get_by_text("Yearly", exact=True).click()
    expect(page.get_by_text("billing period", exact=False).first).to_be_visible()
    settled(page)
    expect(alert(page)).to_have_count(0)
    expect(button(page, "Discard my changes")).to_be_visible()


def test_a_filter_chosen_while_the_database_is_stopped(
    visit: Callable[..., Page], server: Server, breakable: Postgres
) -> None:
    """The list says so in its place, the menu stays, and another try shows what was chosen."""
    page = visit()
    open_page(page, server.url, "Clients")
    settled(page)
    with breakable.stopped():
        choose(page, "Status", "Archived")
        expect(alert(page)).to_contain_text(AWAY)
        settled(page)
        expect(menu(page)).to_have_count(1)
        expect_title(page, "Clients")
    try_again(page)
    expect(filter_menu(page, "Status")).to_have_accessible_name("Status: Archived")
    expect(alert(page).filter(has_text=AWAY)).to_have_count(0)


def test_a_frozen_database_is_said_within_seconds_by_a_page_and_by_readiness(
    visit: Callable[..., Page], server: Server, breakable: Postgres
) -> None:
    """A link opened meanwhile opens its page afterwards."""
    page = visit()
    with breakable.frozen():
        began = time.monotonic()
        page.goto(f"{server.url}/plan_distribution")
        expect(alert(page)).to_have_text(f"{AWAY} Your entries are kept.")
        assert time.monotonic() - began < SECONDS
        for _ in range(3):
            began = time.monotonic()
            with pytest.raises(HTTPError, match="503"):
                urlopen(f"{server.url}/readyz")  # noqa: S310 - http to 127.0.0.1
            assert time.monotonic() - began < SECONDS
    try_again(page)
    expect_title(page, "Plan distribution")


def test_the_page_of_an_invitation_says_it_in_the_clients_language(
    visit: Callable[..., Page], server: Server, breakable: Postgres
) -> None:
    """Whoever opens the link reads what is so, and opens it again with one click."""
    page = visit(locale="nl-BE")
    with breakable.stopped():
        page.goto(f"{server.url}/accept?invitation=1.1.1.unknown")
        expect(alert(page)).to_contain_text("De database antwoordt niet.")
    button(page, "Opnieuw proberen").click()
    expect(alert(page)).to_contain_text("Deze link is niet geldig")


def test_a_page_that_lies_open_says_nothing_of_it(
    visit: Callable[..., Page], server: Server, breakable: Postgres
) -> None:
    """Nobody clicked, so nothing is said over what they read; what others did is told once the database is back."""
    page = visit()
    page.clock.install()
    open_page(page, server.url, "Clients")
    choose(page, "Act as", "Demo finance")
    settled(page)
    server.invite("Told before", "told.before@example.com")
    page.clock.fast_forward(EVERY * 1000)
    said = button(page, "1 client was invited meanwhile · Show")
    expect(said).to_be_visible()
    with breakable.stopped():
        page.clock.fast_forward(EVERY * 1000)
        settled(page)
        expect(said).to_be_visible()
        expect(alert(page)).to_have_count(0)
    server.invite("Told afterwards", "told.afterwards@example.com")
    page.clock.fast_forward(EVERY * 1000)
    expect(button(page, "2 clients were invited meanwhile · Show")).to_be_visible()
