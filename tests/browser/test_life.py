"""The life of a subscription in a browser: an upgrade now, a downgrade at the renewal, cancelled and decided again, and
the demo's day moved over it; the list, the client's page and the distribution follow."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from core import demo, invitations
from core.invitations import OutboxMessage
from core.words import Setting, t
from tests.browser.conftest import (
    CHROMIUM,
    Server,
    alert,
    button,
    cell,
    choose,
    clients,
    copied,
    expect_title,
    find_in_the_table,
    go_to,
    in_force,
    open_page,
    serving,
    settled,
)

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="There is no Chromium on this machine."),
]


def test_an_upgrade_is_at_once_and_a_downgrade_waits_for_the_renewal(
    server: Server, visit: Callable[..., Page], tmp_path: Path
) -> None:
    """On a demo of its own, since its day is moved."""
    with serving(copied(server, tmp_path), is_demo=True) as own:
        client_id = accepted(own, "Aubry & Fils", "aubry@example.com")
        page = visit()
        open_page(page, f"{own.url}/client_subscription?client={client_id}", "Aubry & Fils")
        plan = in_force(page, Setting.PLAN)
        expect(plan("In force")).to_have_text("Standard")
        move(page, "+1 day")

        decide(page, "Premium", "Takes effect now.")
        expect(alert(page)).to_contain_text("Standard → Premium")
        expect(plan("In force")).to_have_text("Premium")
        move(page, "+1 day")

        decide(page, "Plus", "at the renewal: a lower price begins at the renewal.")
        expect(alert(page)).to_contain_text("Aubry & Fils changes on")
        expect(plan("In force")).to_have_text("Premium")
        waits = page.get_by_role("main").get_by_text("Premium → Plus").first
        expect(waits).to_be_visible()

        button(page, t("Cancel the change")).click()
        button(page, t("Cancel what is pending")).click()
        expect(alert(page)).to_contain_text("Aubry & Fils goes on as it is.")
        expect(button(page, t("Cancel the change"))).to_have_count(0)

        decide(page, "Plus", "at the renewal")
        go_to(page, t("Clients"))
        find_in_the_table(page, "aubry", "Aubry & Fils")
        expect(cell(clients(page), 0, t("Subscription"))).to_have_text("Premium")
        expect(cell(clients(page), 0, t("Takes effect on"))).to_contain_text("Premium → Plus")

        open_page(page, f"{own.url}/client_subscription?client={client_id}", "Aubry & Fils")
        page.get_by_role("button", name="To its renewal on").click()
        expect(page.get_by_text("Demo, shown as").first).to_be_visible()
        expect_title(page, "Aubry & Fils")
        expect(plan("In force")).to_have_text("Plus")
        expect(button(page, t("Cancel the change"))).to_have_count(0)
        expect(page.get_by_role("main")).to_contain_text("In force, as decided on")

        go_to(page, t("Clients"))
        find_in_the_table(page, "aubry", "Aubry & Fils")
        expect(cell(clients(page), 0, t("Subscription"))).to_have_text("Plus")


def accepted(server: Server, name: str, email: str) -> int:
    """A client that has just accepted what the demo's newest defaults offer; its number."""
    client_id = server.invite(name, email)
    with server.database.transaction() as session:
        message = invitations.waiting(session, demo.PARTNER_ID, client_id, OutboxMessage)
        assert message is not None
        assert message.token is not None
        invitations.accept(session, message.token)
    return client_id


def decide(page: Page, plan: str, when: str) -> None:
    """Make this plan an exception, after reading when it takes effect."""
    button(page, t("Change")).click()
    settled(page)  # a form that opens takes the focus, which would close the list again
    choose(page, Setting.PLAN.label, plan)
    expect(page.get_by_role("main")).to_contain_text(when)
    button(page, t("Save {count} change", count=1)).click()


def move(page: Page, how: str) -> None:
    """Move the demo's day on."""
    shown = page.get_by_text("Demo, shown as").first
    before = shown.text_content() if shown.count() else ""
    page.get_by_role("button", name=how, exact=True).click()
    expect(page.get_by_text("Demo, shown as").first).to_be_visible()
    expect(page.get_by_text("Demo, shown as").first).not_to_have_text(before or "-")
