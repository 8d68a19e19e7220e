"""What a person waits for in Chromium: from a click, a letter typed or an address opened until the rows are drawn,
beside bare Streamlit pages that show the same rows (tests/bench/bare_page.py)."""

import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from itertools import pairwise
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.bench import shown
from tests.bench.databases import Bench
from tests.bench.shown import Shown
from tests.bench.timing import Limit, Timed
from tests.load import server

LIMIT = Limit()  # what a browser does beside it is a matter of the machine: shown, without a limit

_CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
_LOOKED_AT = 500  # milliseconds before each act: somebody has looked at it, and the browser is done with it
_CHART = "the chart"
_LOOKS = 20
_LISTEN = """
const draw = CanvasRenderingContext2D.prototype.fillText;
let began = 0;
let wanted = JSON.parse(window.name || "[]");  // a window keeps its name on the next page
const drawnAt = new Map();
const drawn = text => { if (!drawnAt.has(text)) drawnAt.set(text, performance.now() - began); };
CanvasRenderingContext2D.prototype.fillText = function (text, ...where) {
    drawn(this.canvas.closest?.("[data-testid=stVegaLiteChart]") ? "the chart" : String(text));
    return draw.call(this, text, ...where);
};
const looked = node => {
    const said = node.textContent ?? "";
    for (const text of wanted) if (!drawnAt.has(text) && said.includes(text)) drawn(text);
    const of = node.nodeType === Node.ELEMENT_NODE ? node : node.parentElement, chart = "[data-testid=stVegaLiteChart]";
    if (of?.closest(chart) && (of.closest("svg") ?? of.querySelector("svg"))) drawn("the chart");
};
new MutationObserver(changes => {
    if (wanted.some(text => !drawnAt.has(text)))
        for (const change of changes)
            if (change.type === "characterData") looked(change.target);
            else change.addedNodes.forEach(looked);
}).observe(document, {subtree: true, childList: true, characterData: true});
const begin = () => { drawnAt.clear(); began = performance.now(); };
addEventListener("click", begin, true);
addEventListener("input", begin, true);
window.waitFor = texts => { wanted = texts; drawnAt.clear(); };
window.opened = texts => { wanted = texts; if (document.body) looked(document.body); };  // beside what was drawn
window.drawnAfter = () => wanted.every(text => drawnAt.has(text))
    ? [Math.max(...wanted.map(text => drawnAt.get(text)))] : null;
"""
_POINTER = """canvas => new Promise(painted =>
    requestAnimationFrame(() => requestAnimationFrame(() => painted(getComputedStyle(canvas).cursor === "pointer"))))"""


def operations() -> list[str]:
    """What is measured, as it is called, in the order of the table."""
    acts = ["next page", "a filter", "a search", "a client", "distribution"]
    return [
        f"browser: {act}" for act in (*acts, *(f"opening {page}" for page in ("clients", "a client", "distribution")))
    ]


def compare(bench: Bench, folder: Path, *, rounds: int, each: int) -> dict[str, Timed]:
    """Each act of a person some times a round (`each`: filters, searches, clients), in both, one after the other. A
    round before is not counted: from it the browser knows both, as it knows what a person opens again."""
    rows = folder / "rows"
    shutil.rmtree(rows, ignore_errors=True)
    texts = shown.write_down(bench, rows, each=each)
    timed = {operation: Timed([], []) for operation in operations()}
    by_hand = [sys.executable, "-m", "streamlit", "run", str(Path(__file__).with_name("bare_page.py"))]
    with ExitStack() as stack:
        ours = stack.enter_context(server.serving(bench.url, folder))
        bare = stack.enter_context(
            server.serving(bench.url, folder, command=by_hand, ready="_stcore/health", BENCH_ROWS=str(rows))
        )
        chromium = stack.enter_context(sync_playwright()).chromium
        browser = chromium.launch(executable_path=_CHROMIUM, args=["--no-sandbox"])
        stack.callback(browser.close)
        both = []
        for url in (ours.url, bare.url):
            page = browser.new_page(viewport={"width": 1440, "height": 1000}, locale="en-GB")
            page.set_default_timeout(120_000)
            page.add_init_script(_LISTEN)
            both.append((page, url))
        for done in range(rounds + 1):
            ways = [_acts(page, url, texts) for page, url in both]
            for (operation, ours_takes), (_, bare_takes) in zip(*ways, strict=True):
                if done > 0:
                    timed[operation].ours.append(ours_takes)
                    timed[operation].bare.append(bare_takes)
    return timed


def _acts(page: Page, url: str, texts: Shown) -> Iterator[tuple[str, float]]:
    """One act after the other, each with what it is called and how long it took."""
    names = texts.pages
    yield "browser: opening clients", _opened(page, url, names[0][0])
    for before, after in pairwise(names):
        yield "browser: next page", _after(page, [_new(before, after)], _next_page)
    for act, narrow, found in (("a filter", _choose, texts.filters), ("a search", _search, texts.searches)):
        yield "browser: opening clients", _opened(page, url, names[0][0])
        before = names[0]
        for asked, after in found.items():
            yield f"browser: {act}", _after(page, [_new(before, after)], partial(narrow, asked))
            before = after
    for row, (number, moment) in enumerate(texts.clients.items()):
        yield "browser: opening clients", _opened(page, url, names[0][0])
        yield "browser: a client", _after(page, ["History", moment], partial(_open_row, row))
        address = f"{url}/client_subscription?client={number}"
        yield "browser: opening a client", _opened(page, address, "History", moment)
    for _ in range(2):
        yield "browser: opening clients", _opened(page, url, names[0][0])
        yield "browser: distribution", _after(page, [texts.distribution, _CHART], _open_distribution)
        address = f"{url}/plan_distribution"
        yield "browser: opening distribution", _opened(page, address, texts.distribution, _CHART)


def _new(before: list[str], after: list[str]) -> str:
    """A name that only these rows have, and one of them, as it is drawn."""
    return next(name for name in after if name not in before and after.count(name) == 1)


def _opened(page: Page, address: str, *texts: str) -> float:
    """The milliseconds from the address to its page drawn."""
    page.wait_for_timeout(_LOOKED_AT)
    page.evaluate("texts => { window.name = JSON.stringify(texts); }", list(texts))
    page.goto(address, wait_until="commit")
    page.evaluate("texts => opened(texts)", list(texts))
    return _drawn(page)


def _after(page: Page, texts: list[str], act: Callable[[Page], None]) -> float:
    """The milliseconds from the click or letter with which the act ends until all these texts were drawn."""
    page.wait_for_timeout(_LOOKED_AT)
    page.evaluate("texts => waitFor(texts)", texts)
    act(page)
    return _drawn(page)


def _drawn(page: Page) -> float:
    return float(page.wait_for_function("() => drawnAfter()").json_value()[0])


def _next_page(page: Page) -> None:
    page.get_by_role("button", name="Next page").click()


def _choose(label: str, page: Page) -> None:
    menu = page.get_by_test_id("stMenuButton").filter(has_text="Subscription").get_by_role("button")
    if menu.count():
        menu.click()
        page.get_by_role("menuitem", name=label, exact=True).click()
    else:
        page.get_by_test_id("stSelectbox").filter(has_text="Subscription").get_by_role("combobox").click()
        page.get_by_role("option", name=label, exact=True).click()


def _search(words: str, page: Page) -> None:
    page.get_by_label("Search").first.fill(words)


def _open_row(row: int, page: Page) -> None:
    """Click where the pointer says first that this row can be clicked, right of the boxes that tick rows."""
    canvas = page.get_by_test_id("data-grid-canvas").first
    rows = int(canvas.locator("table").get_attribute("aria-rowcount") or 0)
    for _ in range(_LOOKS):  # the table moves as what is above it comes
        box = canvas.bounding_box()
        assert box is not None
        y = box["y"] + box["height"] / rows * (row + 1.5)
        for x in range(int(box["x"]) + 45, int(box["x"]) + 400, 15):
            page.mouse.move(x, y)
            if canvas.evaluate(_POINTER):
                page.mouse.click(x, y)
                return
    raise AssertionError(f"Row {row} has nothing to click.")


def _open_distribution(page: Page) -> None:
    page.get_by_test_id("stSidebarNav").get_by_role("link", name="Plan distribution").click()
