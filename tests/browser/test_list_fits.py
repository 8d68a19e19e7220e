"""The list of clients fits: nothing is cut beside the open menu, five clients are seen on a telephone at once; a row is
opened with the keyboard, and says in full what is short in it."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from core.words import Setting, speak, t
from tests.browser.conftest import (
    CHROMIUM,
    Server,
    clients,
    column,
    expect_title,
    filter_menu,
    open_page,
    search,
    settled,
)
from tests.browser.test_accessible import focused

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="There is no Chromium on this machine."),
]

LONG = 34  # letters: a client's name of more is said in full where one points at it
TELEPHONE = {"width": 390, "height": 844}
PAINTED = """
const pen = CanvasRenderingContext2D.prototype;
const {rect, clip, fillText} = pen;
window.painted = new Map();
pen.rect = function (x, y, width, height) { this.last = [x, x + width]; return rect.call(this, x, y, width, height); };
pen.clip = function (...how) { this.within = this.last; return clip.apply(this, how); };
pen.fillText = function (text, x, y, ...more) {
    if (this.within && this.canvas.width > 200 && text !== "") {
        const wide = this.measureText(text).width;
        const left = x - {center: wide / 2, right: wide, end: wide}[this.textAlign] || x;
        const place = `${text} ${Math.round(y)} ${Math.round(this.within[0])}`;
        painted.set(place, {text, y, left, right: left + wide, within: this.within});
    }
    return fillText.call(this, text, x, y, ...more);
};
"""
GRID = "canvas[data-testid=data-grid-canvas]"


def painted(page: Page) -> list[dict[str, Any]]:
    """The words of the table as they were painted last, each with its edges and those of its column."""
    settled(page)
    page.evaluate("painted.clear()")
    page.set_viewport_size({"width": page.viewport_size["width"], "height": page.viewport_size["height"] - 1})  # type: ignore[index]
    page.mouse.move(700, 600)
    page.mouse.move(700, 560)
    settled(page)
    page.wait_for_function("painted.size > 0")
    found: list[dict[str, Any]] = page.evaluate("[...painted.values()]")
    return found


def visit_of(visit: Callable[..., Page], server: Server, path: str = "", **options: Any) -> Page:
    page = visit(**options)
    page.add_init_script(PAINTED)
    open_list(page, server, path)
    return page


def open_list(page: Page, server: Server, path: str) -> None:
    open_page(page, f"{server.url}/{path}", t("Clients"))
    expect(clients(page).locator("td").first).to_be_attached()
    settled(page)


@pytest.mark.parametrize(("spoken", "locale"), [("en", "en-GB"), ("fr", "fr-BE"), ("nl", "nl-BE")])
def test_nothing_is_cut_beside_the_open_menu(
    server: Server, visit: Callable[..., Page], spoken: str, locale: str
) -> None:
    """At 1440 pixels: every word of the table is within its column, the columns within the table, and the figures and
    the filters each on one line. So it is for all clients, for what is pending and for exceptions."""
    speak(spoken)
    page = visit_of(visit, server, locale=locale, viewport={"width": 1440, "height": 900})
    assert_nothing_is_cut(page)
    for path in ("?pending=pending", "?source=override"):
        open_list(page, server, path)
        assert_nothing_is_cut(page)


def assert_nothing_is_cut(page: Page) -> None:
    words = painted(page)
    assert {t("Price a month"), t("Source"), Setting.PAYER.heading} <= {each["text"] for each in words}
    cut = [
        each["text"]
        for each in words
        if each["right"] > each["within"][1] + 0.5 or each["left"] < each["within"][0] - 0.5
        if len(each["text"]) < LONG
    ]
    assert cut == []
    assert clients(page).locator(".dvn-scroller").evaluate("grid => grid.scrollWidth - grid.clientWidth") <= 0
    for kind in ("[class*='st-key-clients-'] button[data-testid=stBaseButton-secondary]", "[class*='-menu'] button"):
        tops = {round(each["y"]) for each in boxes(page, kind) if 100 < each["y"] < 235}
        assert len(tops) == 1


def boxes(page: Page, selector: str) -> list[dict[str, float]]:
    found = [each.bounding_box() for each in page.get_by_role("main").locator(selector).all()]
    return [dict(box) for box in found if box is not None]


def test_what_is_pending_stays_in_sight_in_every_language(server: Server, visit: Callable[..., Page]) -> None:
    """The day stands in the table, what it is about is said where one points at the row."""
    for spoken, locale in (("en", "en-GB"), ("fr", "fr-BE"), ("nl", "nl-BE")):
        speak(spoken)
        page = visit_of(visit, server, "?pending=pending", locale=locale, viewport={"width": 1440, "height": 900})
        expect(column(clients(page), t("Takes effect on")).first).to_contain_text("→")
        point_at_first_row(page)
        assert "→" in told(page)


def test_a_row_says_in_full_what_is_short_in_it(server: Server, visit: Callable[..., Page]) -> None:
    """Which settings are exceptions, and the add-ons."""
    speak("en")
    page = visit_of(visit, server, "?source=override", viewport={"width": 1440, "height": 900})
    assert any(each["text"].startswith("Override · ") for each in painted(page))
    point_at_first_row(page)
    name, source = told(page).split("\n")[:2]
    assert name == column(clients(page), "Client").first.inner_text()
    assert source.startswith("Override: ")


def point_at_first_row(page: Page) -> None:
    box = page.locator(GRID).first.bounding_box()
    assert box
    page.mouse.move(box["x"] + 300, box["y"] + 46)
    page.mouse.move(box["x"] + 302, box["y"] + 47)


def told(page: Page) -> str:
    return page.get_by_test_id("stDataFrame").first.get_attribute("title") or ""


def test_the_name_is_reached_with_tab_and_opened_with_enter(server: Server, visit: Callable[..., Page]) -> None:
    """From the search box; the arrow keys lead to the other rows."""
    speak("en")
    page = visit_of(visit, server)
    page.wait_for_function("window.keyboardIsHeard")
    page.keyboard.press("/")
    expect(focused(page)).to_have_attribute("type", "search")
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('canvas, canvas *')"):
            page.wait_for_function("document.activeElement.role === 'gridcell'")
            break
    names = column(clients(page), "Client").all_inner_texts()
    expect(focused(page)).to_have_text(names[0])
    page.keyboard.press("ArrowDown")
    expect(focused(page)).to_have_text(names[1])
    page.keyboard.press("Enter")
    expect_title(page, names[1])


def test_a_telephone_shows_five_clients_at_once(server: Server, visit: Callable[..., Page]) -> None:
    """With name, price, subscription and source, before anything is scrolled; in a narrow window too, which says so
    only when it was drawn. The filters and the figures are behind buttons."""
    speak("en")
    page = visit_of(visit, server, viewport=TELEPHONE)
    expect(clients(page).locator("th").nth(2)).to_have_text("Subscription")
    settled(page)
    box = page.locator(GRID).first.bounding_box()
    assert box
    assert box["y"] + 6 * 31 < TELEPHONE["height"]
    assert box["width"] <= TELEPHONE["width"]
    edges = sorted({tuple(each["within"]) for each in painted(page)})
    assert len([edge for edge in edges if edge[1] <= box["width"] + 2]) >= 4
    assert all(right <= following + 0.5 for (_, right), (following, _) in pairwise(edges))
    page.get_by_role("main").get_by_role("button", name="Filters").click()
    expect(filter_menu(page, "Paid by")).to_be_visible()
    page.keyboard.press("Escape")
    search(page, "nobody is called so")
    expect(page.get_by_role("main")).to_contain_text("No client matches")


def test_what_a_telephone_is_drawn_at_first_is_narrow(server: Server, visit: Callable[..., Page]) -> None:
    """It says what it is, so nothing is drawn twice."""
    speak("en")
    page = visit_of(visit, server, viewport=TELEPHONE, user_agent="Mozilla/5.0 (Linux; Android 15) Mobile Safari/537")
    headings = clients(page).locator("th").all_inner_texts()
    assert headings[:4] == ["Client", "A month", "Subscription", "Source"]
