"""A browser's visits: what it asks of whom meanwhile, and what fails in the pages' own code."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Page, Request, ViewportSize

from tests.conftest import LONGEST_WAIT

WIDE: ViewportSize = {"width": 1680, "height": 1000}


@dataclass
class Visits:
    """A browser's visits to the server, each a session of its own; and what the browser asked of whom meanwhile."""

    browser: Browser
    contexts: list[BrowserContext] = field(default_factory=list)
    kept: dict[str, Page] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def begin(self, **options: Any) -> Page:
        """A page nobody has seen yet; `options` as of a browser context."""
        context = self.browser.new_context(**{"locale": "en-GB", "viewport": WIDE} | options)
        context.set_default_timeout(LONGEST_WAIT * 1000)
        self.contexts.append(context)
        context.on("request", self._ask)
        context.on("weberror", lambda fault: self.faults.append(str(fault.error)))
        return context.new_page()

    def again(self, *, locale: str = "en-GB", viewport: ViewportSize = WIDE) -> Page:
        """The page that was seen before in this language, as wide as this and light."""
        page = self.kept.get(locale) or self.kept.setdefault(locale, self.begin(locale=locale))
        page.set_viewport_size(viewport)
        page.emulate_media(color_scheme="light")
        return page

    def end(self) -> None:
        for context in self.contexts:
            context.close()

    @property
    def asked_elsewhere(self) -> list[str]:
        """What the browser asked of any other machine than the server."""
        return [url for url in self.asked if urlsplit(url).hostname != "127.0.0.1"]

    def _ask(self, request: Request) -> None:
        if not request.url.startswith(("data:", "blob:")):
            self.asked.append(request.url)
