"""`python -m tests.browser.pictures` takes the README's pictures anew, of a fresh demo; with names of pictures behind
it (`default_sets bulk_preview`), those alone."""

import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import FilePayload, Page, expect, sync_playwright
from sqlalchemy import select

from core.subscriptions import Subscription
from core.words import Setting
from tests.browser.conftest import ARGUMENTS, CHROMIUM, ROOT, Server, clients, serving, settled

SIZE = {"width": 1440, "height": 860}
TAKEN = ROOT / "docs"
_LIST = """Firm;Where to write;Register;Formula;Who pays
Boulangerie du Parc;parc@example.com;BE0471730202;Plus;Us
Garage Northfield;northfield@example.com;;;
Bakkerij De Zwaluw;zwaluw@example.com;;Standard;The client
"""


def list_of_clients(page: Page, server: Server) -> int:
    """Every client with the settings in force."""
    page.goto(server.url)
    expect(clients(page).locator("td").first).to_be_attached()
    return 860


def client_subscription(page: Page, server: Server) -> int:
    """One client with an exception made later."""
    with server.database.reading() as session:
        exception = session.scalars(
            select(Subscription.client_id).where(
                Subscription.valid_to.is_(None),
                Subscription.revision > 2,
                Subscription.defaults_version == 2,
                Subscription.overridden == frozenset({Setting.BILLING_PERIOD}),
                Subscription.reason != "",
            )
        ).first()
    page.goto(f"{server.url}/client_subscription?client={exception}")
    expect(page.locator("table")).to_have_count(2)
    return 680


def default_sets(page: Page, server: Server) -> int:
    """The default sets of the demo side by side."""
    page.goto(f"{server.url}/defaults?set=1")
    expect(page.get_by_role("button", name="Open Freelancers", exact=True)).to_be_visible()
    return 800


def bulk_preview(page: Page, server: Server) -> int:
    """What adopting would change for the clients on older defaults, in groups."""
    page.goto(f"{server.url}/change_many?act=adopt&source=older&status=active")
    expect(page.locator("table").first).to_be_visible()
    return 860


def import_columns(page: Page, server: Server) -> int:
    """A list whose headings do not say enough: which column of it is which, with values of the list beside each."""
    page.goto(f"{server.url}/invite_client")
    page.get_by_role("tab", name="A spreadsheet").click()
    file: FilePayload = {"name": "our clients.csv", "mimeType": "text/csv", "buffer": _LIST.encode()}
    page.locator("input[type=file]").set_input_files(file)
    expect(page.get_by_text("Choose which column of the list holds what.")).to_be_visible()
    page.get_by_role("tab", name="A spreadsheet").evaluate("tab => tab.scrollIntoView()")
    return 860


PICTURES: dict[str, Callable[[Page, Server], int]] = {
    "clients": list_of_clients,
    "client_subscription": client_subscription,
    "default_sets": default_sets,
    "bulk_preview": bulk_preview,
    "import_columns": import_columns,
}  # by the name of the file; each gives how many pixels of the page are shown


def take(names: list[str]) -> None:
    """Afterwards docs/ has these pictures anew."""
    with (
        TemporaryDirectory() as folder,
        serving(Path(folder) / "demo.sqlite3", is_demo=True) as server,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_page(viewport=SIZE, locale="en-GB")
        for name in names:
            height = PICTURES[name](page, server)
            settled(page)
            page.screenshot(path=TAKEN / f"{name}.png", clip={"x": 0, "y": 0, "width": 1440, "height": height})
        browser.close()


if __name__ == "__main__":
    take(sys.argv[1:] or list(PICTURES))
