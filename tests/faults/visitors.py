"""People at a screen: a real Chromium whose pages go through the proxy, and who press again when a page says so."""

import asyncio
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from threading import Event, Thread
from time import monotonic

from playwright.async_api import Error, Locator, Page, async_playwright

from tests.faults.ledger import Ledger, NotFinished

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
_ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
_MOMENT = 5000  # milliseconds that a visitor gives a click or a line before they look again
_READING = 2  # seconds that a sentence takes to read
_IDLE = 2  # seconds of a connected page that does nothing, after which somebody without an answer presses again
_IS_IDLE = """() => {
    const app = document.querySelector("[data-testid=stApp]")?.dataset;
    return app?.testScriptState === "notRunning" && app?.testConnectionState === "CONNECTED";
}"""


@contextmanager
def visiting(url: str, ledger: Ledger, folder: Path, *, visitors: int) -> Iterator[list[str]]:
    """Visitors who invite one client after the other while the block runs; their names. Whoever cannot finish what they
    began leaves a picture of their page in the folder."""
    stopped = Event()
    names = [f"visitor {number}" for number in range(1, visitors + 1)]
    failed: list[BaseException] = []

    def run() -> None:
        try:
            asyncio.run(_all(url, ledger, folder, names, stopped))
        except BaseException as failure:  # noqa: BLE001 - raised below, where somebody sees it
            failed.append(failure)

    thread = Thread(target=run)
    thread.start()
    try:
        yield names
    finally:
        stopped.set()
        thread.join()
    if failed:
        raise failed[0]


async def _all(url: str, ledger: Ledger, folder: Path, names: list[str], stopped: Event) -> None:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=_ARGUMENTS)
        pages = [await (await browser.new_context(locale="en-GB", ignore_https_errors=True)).new_page() for _ in names]
        await asyncio.gather(
            *(_visit(page, url, ledger, name, stopped) for page, name in zip(pages, names, strict=True))
        )
        for page, name in zip(pages, names, strict=True):
            await page.screenshot(path=folder / f"{name}.png")
        await browser.close()


async def _visit(page: Page, url: str, ledger: Ledger, who: str, stopped: Event) -> None:
    page.set_default_timeout(_MOMENT)
    await page.goto(f"{url}/invite_client", timeout=60_000)
    await _line(page, "Name").wait_for(timeout=60_000)
    for number in count(1):
        if stopped.is_set():
            return
        with suppress(NotFinished):
            await _invite(page, ledger, who, f"Client {number} of {who}", stopped)


async def _invite(page: Page, ledger: Ledger, who: str, name: str, stopped: Event) -> None:
    """Fill the form and press, until the page says that the client is invited or known."""
    lines = {"Name": name, "E-mail": f"{name.replace(' ', '.').lower()}@example.com"}
    with ledger.change(who, name) as failed:
        is_last = False
        while not is_last:
            is_last = stopped.is_set()
            try:
                said = await _alerts(page)
                if not said and await _line(page, "Name").is_visible():
                    said = await _send(page, lines)
                if _is_done(said, name):
                    return
                if await _another(page).is_visible():  # the client before this one
                    await _another(page).click(timeout=1000)
                elif said and not _was_another(said):
                    failed.append(re.sub(r"reference: \w+", "reference", said[0]))
                    await _try_again(page)
            except Error:  # what was to be pressed went away meanwhile
                continue
        raise NotFinished


async def _send(page: Page, lines: dict[str, str]) -> list[str]:
    """Fill the lines where they do not say so already, and press; what the page says then, if anything."""
    for label, text in lines.items():
        if await _line(page, label).input_value() != text:
            await _line(page, label).fill(text)
    await page.get_by_role("button", name="Invite this client").click()
    idle_since = monotonic()
    while monotonic() - idle_since < _IDLE:
        await asyncio.sleep(0.1)
        if said := await _alerts(page):
            return said
        if not await page.evaluate(_IS_IDLE):
            idle_since = monotonic()
    return []


async def _try_again(page: Page) -> None:
    """As the page offers it, or by the form that is still there, or else by loading the page anew; after reading."""
    await asyncio.sleep(_READING)
    offered = page.get_by_role("button", name="Try again")
    if await offered.is_visible():
        await offered.click()
    elif await _line(page, "Name").is_visible():
        await page.get_by_role("button", name="Invite this client").click()
    else:
        await page.reload()
    await asyncio.sleep(0.2)


def _is_done(said: list[str], name: str) -> bool:
    return any(f"{name} is invited." in sentence or f"belongs to {name}," in sentence for sentence in said)


def _was_another(said: list[str]) -> bool:
    """Whether it is still said of the client before this one."""
    return any(sentence.endswith(" is invited.") for sentence in said)


async def _alerts(page: Page) -> list[str]:
    shown = page.get_by_test_id("stAlert")
    return [" ".join(text.replace("\u2060", "").split()) for text in await shown.all_inner_texts()]


def _another(page: Page) -> Locator:
    return page.get_by_role("button", name="Invite another client")


def _line(page: Page, label: str) -> Locator:
    return page.get_by_role("textbox", name=label, exact=True)
