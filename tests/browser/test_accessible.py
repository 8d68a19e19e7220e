"""Every page, and what it opens, looked at by axe-core; and the product without a mouse."""

import re
from collections.abc import Callable
from uuid import uuid4

import pytest
from playwright.sync_api import FilePayload, Locator, Page, TimeoutError, expect

from core.words import speak, t
from tests.browser.conftest import CHROMIUM, Server, alert, box, button, choose, expect_title, open_page, settled
from tests.browser.looks import PAGES, assert_nothing_of_ours, open_one
from tests.conftest import STANDARD

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="There is no Chromium on this machine."),
]


@pytest.mark.parametrize("path", PAGES)
def test_axe_finds_nothing_that_is_ours(server: Server, look: Callable[..., Page], path: str) -> None:
    """Nothing that keeps anybody from reading or reaching what is there, in both themes, wide and on a phone."""
    speak("en")
    page = look()
    open_one(page, server, path)
    assert_nothing_of_ours(page)


def a_list(page: Page, rows: str) -> None:
    """Bring a list that says this."""
    page.get_by_role("tab", name="A spreadsheet").click()
    file: FilePayload = {"name": "clients.csv", "mimeType": "text/csv", "buffer": rows.encode()}
    page.locator("input[type=file]").set_input_files(file)


def columns_of_a_list(page: Page) -> None:
    """Of a list whose headings say nothing."""
    a_list(page, "Firm;Where to write\nAubry;aubry@example.com\n")
    expect(page.get_by_text("Choose which column of the list holds what.")).to_be_visible()


def rows_of_a_list(page: Page) -> None:
    """One is ready, one is to be corrected."""
    a_list(page, f"Name;Country;E-mail\nReady;BE;{uuid4().hex}@example.com\nNot ready;BE;nowhere\n")
    expect(page.get_by_role("button", name="Check again")).to_be_visible()


def report_of_a_list(page: Page) -> None:
    """What became of each row, and who was invited."""
    rows_of_a_list(page)
    page.get_by_role("button", name="Invite the 1 ready").click()
    expect(page.get_by_text("1 client is invited.")).to_be_visible()


def batch_of_a_list(page: Page) -> None:
    """The bulk change that an import is."""
    report_of_a_list(page)
    page.get_by_role("link", name="This import among the bulk changes").click()
    expect(page.get_by_role("heading", name="Its clients")).to_be_visible()


def saved_views(page: Page) -> None:
    """Opened, to save one."""
    open_page(page, page.url.rpartition("/")[0], "Clients")
    page.get_by_role("main").get_by_role("button", name="Views").click()
    expect(page.get_by_test_id("stPopoverBody")).to_be_visible()


def form_of(label: str, path: str = "client_subscription?client=5") -> Callable[[Page], None]:
    """Opens a form by the button that says this."""

    def come_to(page: Page) -> None:
        page.goto(f"{page.url.rpartition('/')[0]}/{path}")
        button(page, label).click()
        expect(page.get_by_role("button", name=re.compile(f"^{t('Cancel')}"))).to_be_visible()

    return come_to


FORMS = {
    "change": form_of("Change"),
    "edit details": form_of("Edit details"),
    "change account manager": form_of("Change account manager"),
    "archive": form_of("Archive"),
    "invite a member": form_of("Invite a member", "members"),
}
OPENED = {
    each.__name__: each for each in (columns_of_a_list, rows_of_a_list, report_of_a_list, batch_of_a_list, saved_views)
} | FORMS


@pytest.mark.parametrize("opened", OPENED)
def test_axe_finds_nothing_in_what_a_page_opens(server: Server, visit: Callable[..., Page], opened: str) -> None:
    """What has no address of its own: a list that is brought, from its columns to its report, views, open forms."""
    speak("en")
    page = visit()
    open_one(page, server, "invite_client")
    OPENED[opened](page)
    assert_nothing_of_ours(page)


def test_a_setting_is_changed_without_a_mouse(server: Server, visit: Callable[..., Page]) -> None:
    """Search with "/", open a client, change its subscription, save: the focus is where the work is."""
    speak("en")
    server.save(STANDARD)
    client_id = server.invite("Quincaillerie Sans Souris", "sans.souris@example.com")
    page = visit()
    open_page(page, f"{server.url}/client_subscription?client=5", server.name_of(5))
    settled(page)
    page.wait_for_function("window.keyboardIsHeard")  # its script comes after the page
    page.keyboard.press("/")
    expect(focused(page)).to_have_attribute("type", "search")
    page.keyboard.type("sans souris")
    link = page.get_by_role("link", name="Quincaillerie Sans Souris")
    expect(link).to_be_visible()
    settled(page)
    until_focused(page, "Quincaillerie Sans Souris")
    press(page, ["Enter"], page.get_by_role("heading", level=1, name="Quincaillerie Sans Souris"))
    expect_title(page, "Quincaillerie Sans Souris")
    expect(page).to_have_url(f"{server.url}/client_subscription?client={client_id}")
    expect(page).to_have_title("Quincaillerie Sans Souris · Client subscription · Billing Defaults")
    settled(page)
    until_focused(page, t("Change"))
    page.keyboard.press("Enter")
    expect(focused(page)).to_contain_text("Use default")
    settled(page)
    save = page.get_by_role("button", name=t("Save {count} change", count=1))
    press(page, ["ArrowDown", "Enter"], save, to="Subscription")
    until_focused(page, t("Save {count} change", count=1))
    page.keyboard.press("Enter")
    expect(alert(page)).to_contain_text("Saved. Subscription:")


def test_escape_closes_a_form(server: Server, visit: Callable[..., Page]) -> None:
    """From within a field too; nothing is saved."""
    page = visit()
    open_page(page, f"{server.url}/client_subscription?client=5", server.name_of(5))
    settled(page)
    page.get_by_role("button", name=t("Edit details")).click()
    name = page.get_by_label(t("Name"), exact=True)
    expect(name).to_be_focused()
    settled(page)
    page.keyboard.press("Escape")
    expect(name).to_have_count(0)


def test_what_was_typed_survives_a_reload(server: Server, visit: Callable[..., Page]) -> None:
    """For this browser, and not for another one."""
    page, address = visit(), f"{server.url}/client_subscription?client=5"
    open_page(page, address, server.name_of(5))
    page.get_by_role("button", name=t("Change"), exact=True).click()
    reason = page.get_by_label(t("Reason (optional)"), exact=True)
    assert_kept(page, reason, "they asked for it")
    button(page, "Change account manager").click()
    choose(page, "Account manager", "Demo administrator")
    settled(page)
    page.reload()
    expect(box(page, "Account manager")).to_have_value(re.compile("Demo administrator"))
    expect(reason.last).to_have_value("they asked for it")
    button(page, "Edit details").click()
    contact = page.get_by_label(t("Contact (optional)"), exact=True)
    assert_kept(page, contact, "whoever answers")
    other = visit()
    open_page(other, address, server.name_of(5))
    settled(other)
    expect(other.get_by_label(t("Reason (optional)"), exact=True)).to_have_count(0)


def assert_kept(page: Page, field: Locator, words: str) -> None:
    """What is typed in this field is in it after a reload."""
    field.fill(words)
    page.keyboard.press("Tab")
    settled(page)
    page.reload()
    expect(field).to_have_value(words)


def focused(page: Page) -> Locator:
    return page.locator(":focus")


def press(page: Page, keys: list[str], seen: Locator, *, to: str = "") -> None:
    """Press these keys, in the field `to`, again where the page was not ready to hear them, until this is seen."""
    for _ in range(10):
        if to:
            until_focused_label(page, to)
        for key in keys:
            page.keyboard.press(key)
        try:
            seen.wait_for(timeout=5_000)
            return
        except TimeoutError:
            continue
    raise AssertionError(f"{keys} do nothing")


def until_focused(page: Page, words: str) -> None:
    """Press Tab until what says these words is in focus."""
    for _ in range(60):
        page.keyboard.press("Tab")
        said = page.evaluate("document.activeElement.innerText ?? ''")  # an icon's name stands on a line of its own
        if words in said.split("\n"):
            return
    raise AssertionError(f"Tab never comes to {words}")


def until_focused_label(page: Page, label: str) -> None:
    """Press Tab until the field with this label is in focus."""
    for _ in range(60):
        page.keyboard.press("Tab")
        said = page.evaluate("document.activeElement.getAttribute('aria-label') ?? ''")
        if label in said:
            return
    raise AssertionError(f"Tab never comes to {label}")
