"""The language that a page says it is in, before anything of it is shown: what reads pages aloud goes by it.

Streamlit's page says English to everybody, and a script cannot change it. So it is written as the page leaves the
server: the language in which this browser is greeted. Whoever switches keeps what was written until the next page.
"""

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.words import best_language

_WRITTEN = b'<html lang="en">'


def asked_by_browser(accepted: str | None) -> list[str]:
    """The languages of an Accept-Language header, as browsers write them: first choice first."""
    return [each.partition(";")[0].strip() for each in (accepted or "").split(",")]


class PageLanguage:
    """Middleware: a page says the language that its browser asks for first of those that are spoken here."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope) if scope["type"] == "http" else Headers()
        if "text/html" not in headers.get("accept", ""):
            await self.app(scope, receive, send)
            return
        language = best_language(*asked_by_browser(headers.get("accept-language")))
        is_page = False

        async def in_language(message: Message) -> None:
            nonlocal is_page
            if message["type"] == "http.response.start":
                answered = MutableHeaders(scope=message)
                is_page = answered.get("content-type", "").startswith("text/html")
                if is_page:
                    answered.add_vary_header("Accept-Language")
            elif is_page and message["type"] == "http.response.body":
                message["body"] = message.get("body", b"").replace(_WRITTEN, f'<html lang="{language}">'.encode())
            await send(message)

        readable = [(name, value) for name, value in scope["headers"] if name != b"accept-encoding"]
        await self.app({**scope, "headers": readable}, receive, in_language)
