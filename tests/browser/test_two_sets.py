"""Two default sets, lived in a browser: the second is made, a client is invited with it, and everything says so."""

from collections.abc import Callable
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from core.words import Setting, best_language, speak, t
from tests.browser.conftest import (
    CHROMIUM,
    Server,
    alert,
    box,
    button,
    cell,
    choose,
    clients,
    column,
    expect_title,
    find_in_the_table,
    go_to,
    in_force,
    open_page,
    open_row,
    settled,
    whole,
)

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="There is no Chromium on this machine."),
]


@pytest.mark.parametrize("locale", ["en-GB", "fr-BE", "nl-BE"])
def test_a_second_set_is_made_and_a_client_invited_with_it(
    server: Server, visit: Callable[..., Page], locale: str
) -> None:
    """Rules 16 to 18: the picked set binds, the standard one stays where nothing is picked, no client changes."""
    speak(best_language(locale))
    page, unique = visit(locale=locale), uuid4().hex[:8]
    set_name, client = f"Freelancers {unique}", f"Zoe {unique}"

    open_page(page, f"{server.url}/defaults", t("Default settings"))
    quiet, another = t("Other defaults for some clients: make a second set"), t("Make another set")
    button(page, quiet).or_(button(page, another)).click()
    page.get_by_label(t("Name of the set"), exact=True).fill(set_name)
    page.keyboard.press("Tab")
    choose(page, Setting.PLAN.label, "Plus")
    settled(page)
    button(page, t("Make this set")).click()
    made = t("The set {name} is made: it can be picked for every client invited from now on.", name=set_name)
    expect(alert(page)).to_have_text(whole(made))
    expect(button(page, t("Save as {name} v{version}", name=set_name, version="2"))).to_be_disabled()
    assert "set=" in page.url

    go_to(page, t("Invite a client"))
    expect(box(page, t("Default set"))).to_have_value("Standard")
    choose(page, t("Default set"), set_name)
    bound = t("{name} v{version}", name=set_name, version="1")
    told = t("Bound to {defaults}: later versions will not change this client.", defaults=bound)
    expect(page.get_by_text(told, exact=True)).to_be_visible()
    page.get_by_label(t("Name"), exact=True).fill(client)
    page.get_by_label(t("E-mail"), exact=True).fill(f"{unique}@example.com")
    page.keyboard.press("Enter")
    expect(alert(page)).to_have_text(t("{name} is invited.", name=client))

    find_in_the_table(page, unique, client)
    expect(cell(clients(page), 0, t("Source"))).to_have_text(bound)
    open_row(page, 0)
    expect_title(page, client)
    expect(in_force(page, Setting.PLAN)("Source")).to_have_text(bound)
    expect(in_force(page, Setting.PLAN)("In force")).to_have_text("Plus")

    go_to(page, t("Default settings"))
    settled(page)
    button(page, t("Open {name}", name=set_name)).or_(button(page, t("Open below"))).first.wait_for()
    page.get_by_role("link", name=t("Show its {count} client", count=1)).click()
    expect_title(page, t("Clients"))
    expect(column(clients(page), t("Client"))).to_have_text([client])
    assert "default_set=" in page.url
