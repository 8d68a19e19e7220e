"""The story of a client that moved to another address before it accepted."""

import re
from collections.abc import Callable
from uuid import uuid4

import pytest
from playwright.sync_api import Locator, Page, expect

from core.demo import PARTNER_ID
from core.invitations import deliver
from core.words import ClientDetail, DetailChange, speak, t
from tests.browser.conftest import (
    CHROMIUM,
    Server,
    alert,
    button,
    cell,
    expect_title,
    letters,
    open_page,
    settled,
    table,
)
from tests.smtp import smtp_server

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="There is no Chromium on this machine."),
]


def test_an_invited_clients_new_address_gets_the_message_and_the_old_link_is_dead(
    server: Server, visit: Callable[..., Page]
) -> None:
    """A colleague's edit is told first; two quick clicks make one edit; the new link arrives and is accepted."""
    speak("en")
    unique = uuid4().hex[:10]
    name, old, new = f"Déménagé {unique}", f"old.{unique}@example.com", f"new.{unique}@example.com"
    url = f"{server.url}/client_subscription?client={server.invite(name, old)}"
    page, colleague = visit(), visit()
    for each in (page, colleague):
        open_page(each, url, name)
        button(each, t("Edit details")).click()
        expect(line(each, t("E-mail"))).to_have_value(old)
    old_link = waiting_link(page)

    line(colleague, t("Contact (optional)")).fill("Reception")
    button(colleague, t("Save details")).click()
    expect(alert(colleague)).to_have_text(re.compile(letters("Contact: none → Reception")))

    line(page, t("E-mail")).fill(new)
    button(page, t("Save details")).click()
    expect(alert(page)).to_contain_text("Your entries are kept; compare and save again.")
    expect(line(page, t("E-mail"))).to_have_value(new)
    expect(line(page, t("Contact (optional)"))).to_have_value("Reception")
    settled(page)
    button(page, t("Save details")).dblclick()
    expect(line(page, t("E-mail"))).to_have_count(0)
    expect(page.get_by_text(t("Not sent: this is the demo"))).to_be_visible()
    expect(page.get_by_text(t("Not sent: another message took its place"))).to_be_visible()
    history = table(page, t("Why"))
    expect(cell(history, 0, t("What"))).to_have_text(
        re.compile(letters(DetailChange(ClientDetail.EMAIL, old, new).label))
    )
    expect(cell(history, 1, t("What"))).to_have_text(re.compile(letters("Contact: none → Reception")))
    expect(cell(history, 2, t("What"))).to_contain_text("Invited on default settings")

    with smtp_server() as (mailbox, smtp):
        deliver(server.database, smtp, partner_id=PARTNER_ID, client_id=server.number_of(name))
        (message,) = mailbox.received
    assert message["To"].addresses[0].addr_spec == new
    text = message.get_body(("plain",)).get_content()
    link = next(line for line in text.splitlines() if "/accept?" in line)
    client = visit()
    client.goto(old_link)
    expect(alert(client)).to_contain_text("This link is not valid.")
    open_page(client, link, t("{partner} invites you", partner="Fiduciaire Exemple"))
    button(client, t("Accept")).click()
    expect_title(client, t("Welcome, {client}", client=name))


def line(page: Page, label: str) -> Locator:
    return page.get_by_role("main").get_by_role("textbox", name=label, exact=True)


def waiting_link(page: Page) -> str:
    """The link of the message that waits, as the page shows it to copy."""
    page.get_by_text(t("Invitation message")).click()
    shown = page.get_by_test_id("stCode")
    expect(shown).to_be_visible()
    return shown.inner_text().strip()
