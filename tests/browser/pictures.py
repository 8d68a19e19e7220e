"""`python -m tests.browser.pictures` takes the README's pictures anew, of a fresh demo."""

from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import expect, sync_playwright
from sqlalchemy import select

from core.subscriptions import Subscription
from core.words import Setting
from tests.browser.conftest import ARGUMENTS, CHROMIUM, ROOT, clients, serving, settled

SIZE = {"width": 1440, "height": 860}
TAKEN = ROOT / "docs"


def take() -> None:
    """Afterwards docs/ has a picture of the list of clients, and of one client with an exception made later."""
    with (
        TemporaryDirectory() as folder,
        serving(Path(folder) / "demo.sqlite3", is_demo=True) as server,
        sync_playwright() as playwright,
    ):
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
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_page(viewport=SIZE, locale="en-GB")
        page.goto(server.url)
        expect(clients(page).locator("td").first).to_be_attached()
        settled(page)
        page.screenshot(path=TAKEN / "clients.png")
        page.goto(f"{server.url}/client_subscription?client={exception}")
        expect(page.locator("table")).to_have_count(2)
        settled(page)
        page.screenshot(path=TAKEN / "client_subscription.png", clip={"x": 0, "y": 0, "width": 1440, "height": 680})
        browser.close()


if __name__ == "__main__":
    take()
