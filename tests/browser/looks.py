"""What is looked at on any page, whatever it is about: what axe-core finds, that it fits the width, and its words."""

import re
from collections.abc import Callable
from functools import cache
from uuid import uuid4

from axe_playwright_python.sync_playwright import Axe
from babel.messages.pofile import read_po
from playwright.sync_api import Page, expect

from core.words import language, t
from tests.browser.conftest import ROOT, Server, expect_title, settled

PAGES = {
    "": "Clients",
    "invite_client": "Invite a client",
    "client_subscription": "Client subscription",
    "client_subscription?client=5": "",
    "client_subscription?client=999999": "Client subscription",
    "defaults": "Default settings",
    "catalogue": "Catalogue",
    "members": "Members",
    "members?member=2": "",
    "activity": "Activity",
    "bulk_changes": "Bulk changes",
    "bulk_changes?batch=999999": "Bulk changes",
    "change_many?act=adopt&source=older&status=active": "Change many clients",
    "change_many?act=override&status=active": "Change many clients",
    "plan_distribution": "Plan distribution",
    "accept": "Invitation",
    "an offer": "",
}  # by address, each with its title; "": it is a name

WEIGHTY = {"moderate", "serious", "critical"}
STREAMLITS = {
    ("list", "stSidebarNavItems"): "its menu puts a section's pages into a div within the list",
    ("listitem", "<li"): "the same, seen from the items of the menu; no page of ours makes a list item",
    ("scrollable-region-focusable", "<div"): "a st.table wider than the screen scrolls, and cannot be given the focus",
}
LOOKS = [(width, scheme) for width in (1440, 390) for scheme in ("light", "dark")]
WORDS = """() => {
    const read = element => element.innerText.split("\\n");
    const painted = [...document.querySelectorAll("canvas th, canvas td")].map(cell => cell.textContent);
    const empty = [...document.querySelectorAll("[placeholder]")].map(field => field.placeholder);
    const fields = [...document.querySelectorAll("input[aria-label], textarea[aria-label]")];
    return [...read(document.body), ...painted, ...empty, ...fields.map(field => field.ariaLabel)];
}"""


OUTSIDE = """all => all.filter(one => {
    const {left, right} = one.getBoundingClientRect();
    return (left < 0 || right > innerWidth) && !one.closest("[data-testid=stDataFrame], [data-testid=stTable]");
}).map(one => one.innerText)"""


def open_one(page: Page, server: Server, path: str) -> None:
    """Open one of the pages above, to its end."""
    address = f"{server.url}/{path}"
    if path == "an offer":
        address = server.link_of(server.invite("Aubry & Fils", f"{uuid4().hex}@example.com", language=language()))
    page.goto(address)
    if PAGES[path]:
        expect_title(page, t(PAGES[path]))
    else:
        expect(page.get_by_role("heading", level=1)).to_have_count(1)
    settled(page)


def assert_nothing_of_ours(page: Page, looks: list[tuple[int, str]] = LOOKS) -> None:
    """In each of these widths and themes: one heading of the first level, nothing scrolls sideways but a table, and
    axe-core finds nothing weighty but what is Streamlit's own."""
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    ours = []
    for width, scheme in looks:
        look_at(page, width, scheme)
        found = Axe().run(page).response["violations"]
        ours += [
            (width, scheme, each["id"], node["html"][:200], node["failureSummary"])
            for each in found
            if each["impact"] in WEIGHTY
            for node in each["nodes"]
            if not of_streamlit(each["id"], node["html"], _around(page, node["target"][0]), scheme)
        ]
        assert_it_fits(page)
    assert not ours, ours


def look_at(page: Page, width: int, scheme: str) -> None:
    """Afterwards the page is as wide as this, in this theme."""
    page.set_viewport_size({"width": width, "height": 1000})
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    brightness = """isDark => {
        const ground = getComputedStyle(document.querySelector("[data-testid=stApp]")).backgroundColor;
        return Math.max(...ground.match(/\\d+/g).slice(0, 3)) < 80 === isDark;
    }"""
    page.wait_for_function(brightness, arg=scheme == "dark")
    settled(page)


def of_streamlit(rule: str, html: str, button: str, scheme: str) -> bool:
    """Whether what axe found is in what Streamlit draws by itself, and no option of it changes."""
    if any(rule == known and mark in html for known, mark in STREAMLITS):
        return True
    # on a dark ground no one colour is legible both as text and under white text: buttons come first
    return rule == "color-contrast" and scheme == "dark" and button in {"segmented_control", "pills"}


def _around(page: Page, target: str) -> str:
    """The kind of button that an element stands in, if any."""
    return page.locator(target).first.evaluate("element => element.closest('button')?.dataset.variant ?? ''")


def assert_it_fits(page: Page) -> None:
    """Nothing scrolls sideways but a table; the title and each button are within the width."""
    whole = page.evaluate("document.scrollingElement.scrollWidth - innerWidth")
    inside = page.get_by_role("main").evaluate("main => main.scrollWidth - main.clientWidth")
    assert max(whole, inside) <= 0, (page.viewport_size, whole, inside)
    seen = page.get_by_role("main").locator("h1, button").filter(visible=True)
    outside = seen.evaluate_all(OUTSIDE)
    assert not outside, (page.viewport_size, outside)


def assert_no_english(page: Page) -> None:
    """Nothing that the page says is the English of a sentence that reads otherwise in the language spoken."""
    settled(page)
    lines = {re.sub("[\u2060\\\\]", "", line).strip() for line in page.evaluate(WORDS)}
    found = [(line, english) for line in sorted(lines) if (english := english_in(line, language()))]
    assert not found, found


@cache
def english_in(line: str, spoken: str) -> str:
    """The sentence of ours that a line says in English, where this language has another; else nothing. A line can read
    as both ("3 clients"): it is what says more of it."""
    if spoken == "en":
        return ""
    english = _found(_english(spoken), line)
    return english if english and len(_letters(english)) > len(_letters(_found(_translated(spoken), line))) else ""


def _found(sentences: dict[str, Callable[[str], object]], line: str) -> str:
    return max(
        (each for each, said in sentences.items() if said(line)), key=lambda each: len(_letters(each)), default=""
    )


@cache
def _english(spoken: str) -> dict[str, Callable[[str], object]]:
    """Each English sentence that is another one in this language, with what finds it in a line."""
    return {english: _pattern(english) for english, said in _pairs(spoken) if english != said}


@cache
def _translated(spoken: str) -> dict[str, Callable[[str], object]]:
    return {said: _pattern(said) for _, said in _pairs(spoken)}


def _pairs(spoken: str) -> list[tuple[str, str]]:
    """Each sentence as the code has it, and as this language has it; of one that counts, each form."""
    with (ROOT / f"core/words/locales/{spoken}/LC_MESSAGES/messages.po").open("rb") as file:
        found = read_po(file)
    pairs: list[tuple[str, str]] = []
    for message in found:
        ids = message.id if isinstance(message.id, tuple) else (message.id,)
        said = message.string if isinstance(message.string, tuple) else (message.string,)
        pairs += [(english, other) for english, other in zip(ids, said, strict=False) if len(_letters(english)) > 2]
    return pairs


def _letters(sentence: str) -> str:
    return re.sub(r"\{\w+\}|[\W\d_]", "", sentence)


def _pattern(sentence: str) -> Callable[[str], object]:
    """What finds the sentence: a long one anywhere in a line, a short one where the line says nothing else, and what it
    names is of few words."""
    is_long = len(_letters(sentence)) > 20
    value = ".+?" if is_long else r"\S+(?:\s\S+){0,2}"
    parts = re.split(r"(\{\w+\})", re.sub(r"[\u2060\\]|\*\*", "", sentence))
    values = dict.fromkeys(parts[1::2], value) | {"{count}": r"[\d\s.,]+"}
    pattern = re.compile("".join(values.get(part) or re.escape(part) for part in parts))
    return pattern.search if is_long else pattern.fullmatch
