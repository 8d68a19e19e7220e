"""The server: `streamlit run asgi.py`. Ready before the first visitor, with security headers, a readiness check, and
the way through the sign-in provider and back."""

import gc
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

import altair  # noqa: F401 - imported before the first visitor, who would wait for it
import pandas  # noqa: F401
import streamlit as st
from authlib.integrations import starlette_client  # type: ignore[import-untyped]  # noqa: F401
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit import config
from streamlit.runtime.pages_manager import PagesManager
from websockets import http11

from core import invitations
from core.words import BillingError
from pages.parts import notices, server

_COLLECT_AFTER = 2_000  # new objects: a click makes some thousands, and 700 would be many collections in each
_NOT_KEPT = ("sign_in", invitations.LINK_PARAMETER)  # what an earlier try said; the link of an invitation
_RETURN = "billing_return"  # the cookie that keeps the page to come back to
_HEADERS = {
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"same-origin",
    b"content-security-policy": (
        # charts are compiled in the browser: hence unsafe-eval; styles are set by scripts: hence unsafe-inline
        b"default-src 'self'; script-src 'self' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
        b"img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' ws: wss:; frame-ancestors 'none'"
    ),
}


class SecurityHeaders:
    """Middleware: the security headers that Streamlit does not send."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *_HEADERS.items()]
            await send(message)

        await self.app(scope, receive, with_headers)


class SignInRoundTrip:
    """Middleware: whoever signs in comes back to the page they asked for, or to a sentence that says what failed.

    Streamlit sends everybody to its first page. /auth/login is opened from the page that was asked for, which is the
    Referer: it waits in a cookie that only the way back gets. Tokens of the provider stay out of the browser: nothing
    here needs them, and together with the claims they outgrow what a cookie may hold.
    """

    def __init__(self, app: ASGIApp, *, is_https: bool) -> None:
        self.app = app
        self.cookie_attributes = "Path=/oauth2callback; HttpOnly; SameSite=Lax"
        self.is_https = is_https

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        if request.url.path == "/oauth2callback" and not request.url.query:  # back from signing out at the provider
            await RedirectResponse("/", status_code=302)(scope, receive, send)
            return

        async def with_redirect(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._redirect(request, message)
                self._guard_cookies(message)
            await send(message)

        await self.app(scope, receive, with_redirect)

    def _redirect(self, request: Request, message: Message) -> None:
        headers = MutableHeaders(scope=message)
        path, status = request.url.path, message["status"]
        if path == "/auth/login" and status == 302:
            headers.append(
                "set-cookie",
                f"{_RETURN}={quote(_page_before(request), safe='')}; Max-Age=900; {self.cookie_attributes}",
            )
        elif path == "/auth/login" and status == 400:
            message["status"] = 302
            headers["location"] = _with_outcome(_page_before(request), "unavailable")
        elif path == "/oauth2callback" and status in (302, 303, 307):
            page = _page_of_this_server(unquote(request.cookies.get(_RETURN, "/")))
            signed_in = any(
                cookie.startswith("_streamlit_user=") and "Max-Age=0" not in cookie
                for cookie in headers.getlist("set-cookie")
            )
            headers["location"] = page if signed_in else _with_outcome(page, "failed")
            headers.append("set-cookie", f"{_RETURN}=; Max-Age=0; {self.cookie_attributes}")

    def _guard_cookies(self, message: Message) -> None:
        kept = []
        for name, value in message.get("headers", []):
            if name == b"set-cookie":
                if value.startswith(b"_streamlit_user_tokens") and b"Max-Age=0" not in value:
                    continue
                if self.is_https and b"; secure" not in value.lower():
                    value = value + b"; Secure"
            kept.append((name, value))
        message["headers"] = kept


def _page_before(request: Request) -> str:
    """The page from which sign-in was started, without the outcome of an earlier try; "/" where it is not ours."""
    referer = urlsplit(request.headers.get("referer", ""))
    if referer.netloc != request.headers.get("host"):
        return "/"
    query = urlencode(
        [
            (name, value)
            for name, value in parse_qsl(referer.query)
            if name not in ("sign_in", invitations.LINK_PARAMETER)
        ]
    )
    return _page_of_this_server(f"{referer.path or '/'}?{query}" if query else referer.path or "/")


def _page_of_this_server(page: str) -> str:
    """The page if it is one of this server's, else the first."""
    is_ours = page.startswith("/") and not page.startswith(("//", "/\\")) and page.isprintable() and page.isascii()
    return page if is_ours else "/"


def _with_outcome(page: str, outcome: str) -> str:
    return f"{page}{'&' if '?' in page else '?'}sign_in={outcome}"


def _sign_in_secrets() -> dict[str, Any]:
    """What st.login needs to know of the providers; nothing where nobody signs in."""
    configured = server.configuration()
    if not configured.providers or configured.is_demo:
        return {}
    auth: dict[str, Any] = {
        "redirect_uri": f"{configured.public_url.rstrip('/')}/oauth2callback",
        "cookie_secret": configured.cookie_secret.get_secret_value(),
    }
    for name, provider in configured.providers.items():
        kwargs = {"scope": provider.scope} | ({"prompt": provider.prompt} if provider.prompt else {})
        auth[name] = {
            "client_id": provider.client_id,
            "client_secret": provider.client_secret.get_secret_value(),
            "server_metadata_url": provider.metadata_url,
            "client_kwargs": kwargs,
        }
    return {"auth": auth}


@asynccontextmanager
async def ready(_app: st.App) -> AsyncIterator[dict[str, Any]]:
    """Before the first visitor: the database, and what would make the first page or every click slow."""
    # Until a first session has run st.navigation, Streamlit would take the folder pages/ for its own kind of pages:
    # the first deep link after a start would show "Page not found" above the page.
    PagesManager.uses_pages_directory = False
    try:
        await run_in_threadpool(server.database)
    except BillingError as refusal:  # the pages say so to whoever comes
        logging.getLogger("billing_defaults").warning("%s", refusal)
    gc.collect()
    gc.freeze()  # what is loaded by now stays: collections need not look at it again
    gc.set_threshold(_COLLECT_AFTER, 10, 20)
    yield {}


def is_ready() -> bool:
    """Whether the database answers and has this version's tables."""
    try:
        return server.database().is_migrated()
    except (SQLAlchemyError, BillingError):
        return False


async def readiness(_request: Request) -> Response:
    """For a load balancer: 200 when the product can serve, else 503."""
    answers = await run_in_threadpool(is_ready)
    return PlainTextResponse("ready" if answers else "not ready", status_code=200 if answers else 503)


# a provider may say much of a person, all of it in one line of cookies: beyond 8 KiB the page would stay blank
http11.MAX_LINE_LENGTH = max(http11.MAX_LINE_LENGTH, 65_536)

if secrets := _sign_in_secrets():
    # Streamlit signs the cookie of the way there with a key it reads before it merges these secrets: with another one
    # than ours, a sign-in begun on one server could not end on another
    config.set_option("server.cookieSecret", secrets["auth"]["cookie_secret"])

app = st.App(
    Path(__file__).with_name("streamlit_app.py"),
    lifespan=ready,
    routes=[Route("/readyz", readiness)],
    middleware=[
        Middleware(SecurityHeaders),
        Middleware(SignInRoundTrip, is_https=server.configuration().public_url.startswith("https:")),
    ],
    secrets=secrets,
    on_script_error=notices.unexpected,
)
