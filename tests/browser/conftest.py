"""A server of its own with the demo in it, a real Chromium, and what a person does with both."""

import os
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright
from sqlalchemy import func, select, update

from core import bulk, defaults, demo, invitations, members
from core.invitations import NewClient
from core.members import Member
from core.storage import Database, Deployment
from core.subscriptions import Client
from core.words import BillingSettings, Overrides, Setting, t
from tests.browser.visits import Visits
from tests.conftest import LONGEST_WAIT

ROOT = Path(__file__).parent.parent.parent
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-features=InitialWebUI,InitialWebUIMetrics,WebUIReloadButton,WebUISplitTabsButton,WebUITabStrip",
]
ALARMS = ("Traceback", "ERROR", "WARNING", "Warning", "was created with a default value")
POINTER = """canvas => new Promise(painted =>
    requestAnimationFrame(() => requestAnimationFrame(() => painted(getComputedStyle(canvas).cursor === "pointer"))))"""
TO_THE_MIDDLE = """(canvas, down) => new Promise(painted => {
    const main = canvas.closest("[data-testid=stMain]");
    main.scrollBy({top: canvas.getBoundingClientRect().top + down - window.innerHeight / 2, behavior: "instant"});
    requestAnimationFrame(() => requestAnimationFrame(painted));
})"""
QUIET = """() => {
    const state = document.querySelector("[data-testid=stApp]")?.dataset.testScriptState;
    if (state !== "notRunning") quietSince = undefined; else quietSince ??= performance.now();
    return performance.now() - quietSince > 300;  // a search begins 250 ms after the last letter
}"""

expect.set_options(timeout=LONGEST_WAIT * 1000)


@dataclass
class Server:
    """A server process, and its database for a look behind the pages."""

    url: str
    database: Database

    def save(self, settings: BillingSettings) -> int:
        """Save defaults over whatever is in force; their version."""
        with self.database.transaction() as session:
            administrator = members.of_partner(session, demo.PARTNER_ID)[0]
            in_force = defaults.current(session, administrator)
            seen = None if in_force is None else in_force.version
            return defaults.save(session, administrator, settings, seen=seen).version

    def invite(self, name: str, email: str, overrides: Overrides = Overrides(), *, language: str = "en") -> int:
        """Invite a client that reads this language; its number."""
        with self.database.transaction() as session:
            administrator = members.of_partner(session, demo.PARTNER_ID)[0]
            client = invitations.invite(
                session, administrator, NewClient(name=name, email=email, language=language), overrides
            )
            return client.client_id

    def forget_languages(self) -> None:
        """Which one a member chose."""
        with self.database.transaction() as session:
            session.execute(update(Member).values(language=None))

    def link_of(self, client_id: int) -> str:
        """The link of the invitation that waits for this client."""
        with self.database.reading() as session:
            administrator = members.of_partner(session, demo.PARTNER_ID)[0]
            waiting = invitations.waiting_message(session, administrator, client_id)
        assert waiting is not None
        return waiting.letter.link

    def clients_named(self, name: str) -> int:
        """How many clients have this name."""
        with self.database.reading() as session:
            return session.scalars(select(func.count()).select_from(Client).where(Client.name == name)).one()

    def clients_named_like(self, pattern: str) -> int:
        """How many clients have a name like this."""
        with self.database.reading() as session:
            return session.scalars(select(func.count()).select_from(Client).where(Client.name.like(pattern))).one()

    def number_of(self, name: str) -> int:
        with self.database.reading() as session:
            return session.scalars(select(Client.client_id).where(Client.name == name)).one()

    def client_of(self, batch: int) -> int:
        """A client that this batch changed."""
        with self.database.reading() as session:
            administrator = members.of_partner(session, demo.PARTNER_ID)[0]
            return bulk.clients_of(session, administrator, batch)[0].client_id

    def name_of(self, client_id: int) -> str:
        with self.database.reading() as session:
            return session.scalars(select(Client.name).where(Client.client_id == client_id)).one()


@contextmanager
def serving(database: Path, *, is_demo: bool) -> Iterator[Server]:
    """A server started on this SQLite file, ready; ended afterwards, with nothing alarming in its log."""
    environment = {"BILLING_DEMO": str(int(is_demo))}
    with started(f"sqlite:///{database}", database.with_suffix(".log"), environment) as server:
        yield server


@contextmanager
def started(
    url: str, log: Path, environment: dict[str, str], *, port: int | None = None, alarms: tuple[str, ...] = ALARMS
) -> Iterator[Server]:
    """A server started on the database of this URL, ready; ended afterwards, with none of these words in its log."""
    if port is None:
        with closing(socket.socket()) as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    command = [
        sys.executable,
        "-m",
        "streamlit",
        "run",
        "asgi.py",
        "--server.port",
        str(port),
        "--server.address",
        "127.0.0.1",
        "--logger.messageFormat",
        "%(levelname)s %(name)s %(message)s",
    ]
    whole = os.environ | {"BILLING_DATABASE_URL": url, "BILLING_PUBLIC_URL": address} | environment
    with log.open("w") as file:
        process = subprocess.Popen(command, cwd=ROOT, env=whole, stdout=file, stderr=subprocess.STDOUT)
    behind = Database(url, deployment=Deployment(address))
    try:
        _wait_until_ready(process, f"{address}/readyz", log)
        yield Server(address, behind)
    finally:
        behind.close()
        process.terminate()
        try:
            process.wait(timeout=LONGEST_WAIT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    alarming = [line for line in log.read_text().splitlines() if any(alarm in line for alarm in alarms)]
    assert not alarming, log.read_text()


def _wait_until_ready(process: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    for _ in range(LONGEST_WAIT * 10):
        try:
            with urlopen(url, timeout=LONGEST_WAIT) as answer:  # noqa: S310 - http to 127.0.0.1
                if answer.status == 200:
                    return
        except (URLError, ConnectionError, TimeoutError):
            pass
        try:
            process.wait(timeout=0.1)
        except subprocess.TimeoutExpired:
            continue
        pytest.fail(f"The server ended by itself:\n{log.read_text()}")
    pytest.fail(f"The server was never ready:\n{log.read_text()}")


@pytest.fixture(scope="module")
def server(demo_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The demo, served, of a firm with one default set."""
    path = tmp_path_factory.mktemp("served") / "demo.sqlite3"
    shutil.copy(demo_file, path)
    with serving(path, is_demo=True) as started:
        yield started


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real Chromium. (Closed with the module: while it is open no other event loop can run in this thread.)"""
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS, timeout=LONGEST_WAIT * 1000)
        yield opened
        opened.close()


@pytest.fixture
def visits(browser: Browser, server: Server) -> Iterator[Visits]:
    """Visits of this test; none may end with a fault in the page's own code."""
    server.forget_languages()
    begun = Visits(browser)
    yield begun
    begun.end()
    assert not begun.faults


@pytest.fixture(scope="module")
def _looks(browser: Browser) -> Iterator[Visits]:
    begun = Visits(browser)
    yield begun
    begun.end()


@pytest.fixture
def look(_looks: Visits, server: Server) -> Iterator[Callable[..., Page]]:
    """A page that the tests of this file go on with, for what is only looked at: a browser's first page takes three
    times as long as its second. None may end with a fault in the page's own code."""
    server.forget_languages()
    yield _looks.again
    assert not _looks.faults


@pytest.fixture
def visit(visits: Visits) -> Callable[..., Page]:
    return visits.begin


def open_page(page: Page, url: str, title: str) -> None:
    """Go there, and wait until the page says this title."""
    page.goto(url)
    expect_title(page, title)


def expect_title(page: Page, title: str) -> None:
    headings = page.get_by_role("heading", level=1)
    expect(headings).to_have_text([title])  # as a list: the page before may stand beside it for a moment


def settled(page: Page) -> None:
    """Wait until the server has had nothing to add to the page for a moment."""
    page.evaluate("quietSince = undefined")
    page.wait_for_function(QUIET)


def go_back(page: Page) -> None:
    """The browser's Back button, pressed by somebody who waits for the page."""
    page.go_back()
    settled(page)


def go_to(page: Page, title: str) -> None:
    """Choose a page in the menu."""
    menu(page).get_by_role("link", name=title, exact=True).click()
    expect_title(page, title)


def menu(page: Page) -> Locator:
    return page.get_by_role("navigation", name="App pages")


def button(page: Page, label: str) -> Locator:
    """The button in the page itself (the menu and the tools of a table aside)."""
    return page.get_by_role("main").get_by_role("button", name=label, exact=True)


def alert(page: Page) -> Locator:
    """What the page says was done, or was refused."""
    return page.get_by_role("main").get_by_test_id("stAlert").get_by_role("paragraph")


def box(page: Page, label: str) -> Locator:
    """A box with a list to choose from."""
    return page.get_by_role("combobox", name=label, exact=True)


def choose(page: Page, label: str, option: str) -> None:
    """Choose in a box with a list, or in the menu of a filter; `option` is how its words begin. The list of a box that
    takes several stays open: it is closed."""
    expect(box(page, label).or_(filter_menu(page, label)).first).to_be_visible()
    if filter_menu(page, label).count():
        filter_menu(page, label).click()
        page.get_by_role("menuitem").filter(has_text=option).first.click()
        return
    box(page, label).click()
    page.get_by_role("option").filter(has_text=option).first.click()
    if page.get_by_test_id("stMultiSelect").get_by_label(label, exact=True).count():
        page.keyboard.press("Escape")


def filter_menu(page: Page, label: str) -> Locator:
    """The button of a filter of the list, which says what is chosen."""
    said = re.compile(rf"^{re.escape(label)}(\s?: .*)?$")
    return page.get_by_test_id("stMenuButton").get_by_role("button", name=said)


def act_on_many(page: Page, act: str) -> None:
    """Below or above the list: do this with the clients that are ticked, or with all that match."""
    page.locator(".st-key-clients-many button").click()
    page.get_by_role("menuitem", name=act).click()


def search(page: Page, words: str) -> None:
    page.get_by_role("searchbox").or_(page.get_by_role("textbox", name=t("Search"), exact=True)).fill(words)


def act_as(page: Page, name: str) -> None:
    """In the demo: go on as another member."""
    choose(page, t("Act as"), name)
    expect(box(page, t("Act as"))).to_have_value(re.compile(re.escape(name)))


def table(page: Page, title: str) -> Locator:
    """A table by the title of one of its columns."""
    return page.get_by_role("main").locator("table").filter(has=page.locator(f"xpath=.{_heading(title)}"))


def clients(page: Page) -> Locator:
    """The list of clients. It is painted on a canvas; what can be read of it is its accessibility tree."""
    return page.get_by_role("region", name=t("The clients that match, one per row"), exact=True)


def column(of: Locator, title: str) -> Locator:
    """The cells of a column, by its title."""
    heading = f"ancestor::table{_heading(title)}"
    place = f"count(preceding-sibling::td) = count({heading}/preceding-sibling::th)"
    return of.locator(f"xpath=.//tbody//td[{heading} and {place}]")


def _heading(title: str) -> str:
    return f'//th[normalize-space(.)="{title}"]'


def cell(of: Locator, row: int, title: str) -> Locator:
    """One cell: the row counted from 0, the column by its title."""
    return column(of, title).nth(row)


def letters(text: str) -> str:
    """A pattern for this text letter by letter, the invisible joiners aside that keep it from becoming a link."""
    return "\u2060?".join(re.escape(letter) for letter in text)


def open_row(page: Page, row: int) -> None:
    """Click the button that opens the client in this row."""
    click_in_row(page, row, 0)


def click_in_row(page: Page, row: int, place: int, of: Locator | None = None) -> None:
    """Click one of a row's buttons, counted from 0: a place on the canvas where the pointer says that one can.

    `of`: the table, by default that of the clients.
    """
    settled(page)
    listed = clients(page) if of is None else of
    canvas = listed.get_by_test_id("data-grid-canvas")
    canvas.scroll_into_view_if_needed()
    rows = listed.locator("table").get_attribute("aria-rowcount")
    box = canvas.bounding_box()
    assert rows
    assert box
    y = box["y"] + box["height"] / int(rows) * (row + 1.5)
    found, is_over_one = -1, False
    first = 45 if of is None else 10  # right of the boxes that tick a client
    for x in range(int(box["x"]) + first, int(box["x"] + box["width"]), 15):
        page.mouse.move(x, y)
        was_over_one, is_over_one = is_over_one, bool(canvas.evaluate(POINTER))
        found += is_over_one and not was_over_one
        if is_over_one and found == place:
            page.mouse.click(x, y)
            return
    pytest.fail(f"Row {row} of the table has no button {place} that can be clicked.")


def tick(page: Page, row: int) -> None:
    """Click the box at the beginning of this row of the list, and wait until the list says so."""
    settled(page)
    canvas = clients(page).get_by_test_id("data-grid-canvas")
    rows, box = clients(page).locator("table").get_attribute("aria-rowcount"), canvas.bounding_box()
    assert rows
    assert box
    down = box["height"] / int(rows) * (row + 1.5)
    canvas.evaluate(TO_THE_MIDDLE, down)
    box = canvas.bounding_box()
    assert box
    page.mouse.click(box["x"] + 20, box["y"] + down)
    settled(page)


def find_in_the_table(page: Page, words: str, name: str) -> None:
    """Search the list of clients for words that only this client has."""
    go_to(page, t("Clients"))
    search(page, words)
    expect(column(clients(page), t("Client"))).to_have_text([name])


def in_force(page: Page, setting: Setting) -> Callable[[str], Locator]:
    """The row of a setting among those in force, its cells by the (English) title of the column."""
    settings = table(page, t("Where it comes from"))
    return lambda title: cell(settings, list(Setting).index(setting), t(title))


def whole(text: str) -> re.Pattern[str]:
    return re.compile(f"^{letters(text)}$")


def copied(server: Server, directory: Path) -> Path:
    """The server's database as it is now, for a server of one's own."""
    copy = directory / "copy.sqlite3"
    with closing(sqlite3.connect(str(server.database.engine.url.database))) as original:
        original.execute("VACUUM INTO ?", (str(copy),))
    return copy
