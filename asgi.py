"""The server: `streamlit run asgi.py`. Ready before the first visitor, with security headers and a readiness check."""

import gc
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import altair  # noqa: F401 - imported before the first visitor, who would wait for it
import pandas  # noqa: F401
import streamlit as st
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.runtime.pages_manager import PagesManager

from core.words import BillingError
from pages.parts import notices, server

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
    """Middleware: what a browser should be told with each answer, which Streamlit does not."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *_HEADERS.items()]
            await send(message)

        await self.app(scope, receive, with_headers)


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


app = st.App(
    Path(__file__).with_name("streamlit_app.py"),
    lifespan=ready,
    routes=[Route("/readyz", readiness)],
    middleware=[Middleware(SecurityHeaders)],
    on_script_error=notices.unexpected,
)
