"""From a click on *Next page* until its rows are drawn, in Chromium, beside a bare Streamlit page of the same rows."""

import shutil
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.bench import pages
from tests.bench.databases import Bench
from tests.bench.timing import Limit, Timed
from tests.load import server

NEXT_PAGE = "browser: next page"
LIMIT = Limit()  # what a browser does beside it is a matter of the machine: shown, without a limit

_CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
_PAGES = 12
_LISTEN = """
const draw = CanvasRenderingContext2D.prototype.fillText;
let clickedAt = 0;
const drawnAt = new Map();
CanvasRenderingContext2D.prototype.fillText = function (text, ...where) {
    if (!drawnAt.has(text)) drawnAt.set(text, performance.now() - clickedAt);
    return draw.call(this, text, ...where);
};
addEventListener("click", () => { drawnAt.clear(); clickedAt = performance.now(); }, true);
window.drawnAfter = text => drawnAt.get(text) ?? null;
"""


def compare(bench: Bench, folder: Path, *, rounds: int) -> Timed:
    """Each page of the list once a round, in both. Both are drawn once before, so that the browser knows them."""
    rows = folder / "rows"
    rows.mkdir(exist_ok=True)
    names = []
    for number, shown in enumerate(pages.of_the_list(bench, min(_PAGES, -(-bench.clients // 50))), start=1):
        shown.to_feather(rows / f"{number:02}.feather")
        names.append([str(name) for name in shown["name"]])
    timed = Timed([], [])
    by_hand = [sys.executable, "-m", "streamlit", "run", str(Path(__file__).with_name("bare_page.py"))]
    with ExitStack() as stack:
        ours = stack.enter_context(server.serving(bench.url, folder))
        bare = stack.enter_context(
            server.serving(bench.url, folder, command=by_hand, ready="_stcore/health", BENCH_ROWS=str(rows))
        )
        chromium = stack.enter_context(sync_playwright()).chromium
        browser = chromium.launch(executable_path=_CHROMIUM, args=["--no-sandbox"])
        stack.callback(browser.close)
        for _ in range(rounds + 1):
            for url, into in ((ours.url, timed.ours), (bare.url, timed.bare)):
                page = browser.new_page(viewport={"width": 1440, "height": 1000}, locale="en-GB")
                page.add_init_script(_LISTEN)
                page.goto(url)
                into.extend(_turned(page, names))
                page.close()
    first = len(names) - 1
    return Timed(timed.ours[first:], timed.bare[first:])


def _turned(page: Page, names: list[list[str]]) -> Iterator[float]:
    """From page to page; the milliseconds from each click until a name that only the new page has was drawn."""
    _drawn(page, names[0][0])
    for before, after in pairwise(names):
        new = next(name for name in after if name not in before and after.count(name) == 1)  # as it is drawn
        page.wait_for_timeout(500)  # somebody has looked at it, and the browser is done with it
        page.get_by_role("button", name="Next page").click()
        yield _drawn(page, new)


def _drawn(page: Page, name: str) -> float:
    found = page.wait_for_function("name => drawnAfter(name) !== null && [drawnAfter(name)]", arg=name).json_value()
    return float(found[0])
