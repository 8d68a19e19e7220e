"""The server: `streamlit run asgi.py`. Ready before the first visitor, with a readiness check. What stands between a
browser and Streamlit is in pages/parts/web: headers, addresses, sessions, the way through the sign-in provider."""

import asyncio
import gc
import logging
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import altair  # noqa: F401 - imported before the first visitor, who would wait for it
import pandas  # noqa: F401
import streamlit as st
from authlib.integrations import starlette_client  # type: ignore[import-untyped]  # noqa: F401
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp
from streamlit import config
from streamlit.runtime.pages_manager import PagesManager
from websockets import http11

from core.configuration import Misconfigured
from core.words import BillingError
from pages.parts import keyboard, notices, server
from pages.parts.web.headers import SecurityHeaders
from pages.parts.web.open_paths import OpenPaths
from pages.parts.web.own_sessions import TRUSTED, OwnSessions
from pages.parts.web.page_language import PageLanguage
from pages.parts.web.sign_in_round_trip import SignInRoundTrip, sign_in_secrets
from pages.parts.web.visitor_address import VisitorAddress

_COLLECT_AFTER = 2_000  # new objects: a click makes some thousands, and 700 would be many collections in each
_READY_WITHIN = 1.5  # seconds until the database is taken for one that does not answer


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
    except Exception as failure:  # noqa: BLE001 - whatever it is, nobody can be served
        if not isinstance(failure, BillingError):
            server.log.error("Not ready: %s", type(failure).__name__)
        return False


class Readiness:
    """For a load balancer: 200 when the product can serve, else 503; in time, however long the database takes.

    The database is asked once at a time, whoever waits for the answer.
    """

    def __init__(self) -> None:
        self._asking: asyncio.Task[bool] | None = None

    async def answer(self, _request: Request) -> Response:
        """Whether the product can serve, as a load balancer reads it."""
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(run_in_threadpool(is_ready))
        done, _ = await asyncio.wait({self._asking}, timeout=_READY_WITHIN)
        answers = bool(done) and self._asking.result()
        return PlainTextResponse("ready" if answers else "not ready", status_code=200 if answers else 503)


readiness = Readiness().answer


async def keyboard_script(_request: Request) -> Response:
    """The script that listens to the keyboard (pages/parts/keyboard.py)."""
    return FileResponse(server.ROOT / "assets" / "keyboard.js", media_type="text/javascript")


# a provider may say much of a person, all of it in one line of cookies: beyond 8 KiB the page would stay blank
http11.MAX_LINE_LENGTH = max(http11.MAX_LINE_LENGTH, 65_536)

try:
    configured = server.configured()
except Misconfigured as wrong:  # a sentence and an exit status, as the commands have them
    sys.exit(str(wrong))
is_https = configured.public_url.startswith("https:")
if secrets := sign_in_secrets(configured):
    # Streamlit signs the cookie of the way there with a key it reads before it merges these secrets: with another one
    # than ours, a sign-in begun on one server could not end on another
    config.set_option("server.cookieSecret", secrets["auth"]["cookie_secret"])
config.set_option("server.trustedUserHeaders", TRUSTED)  # the browser is a part of who a visitor is

app: ASGIApp = st.App(
    Path(__file__).with_name("streamlit_app.py"),
    lifespan=ready,
    routes=[Route("/readyz", readiness), Route(keyboard.PATH, keyboard_script)],
    middleware=[
        Middleware(OpenPaths, address_header=configured.address_header),
        Middleware(VisitorAddress, header=configured.address_header),
        Middleware(OwnSessions, is_https=is_https),
        Middleware(SignInRoundTrip, is_https=is_https),
        Middleware(PageLanguage),
    ],
    secrets=secrets,
    on_script_error=notices.unexpected,
)
app = SecurityHeaders(app, is_https=is_https)  # outside: what Streamlit answers to a fault passes no middleware
