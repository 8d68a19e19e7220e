"""A session, its uploads and its downloads belong to the browser that opened it.

Streamlit lets whoever knows a session's id go on with it, and the id stands in the addresses of uploads: in a log,
that is. So a browser is given a cookie of its own with its first page. With each websocket Streamlit is told which
browser it is, as a part of who the visitor is, and it resumes a session only for the same visitor: anybody else
begins a new one. The cookie is random and means nothing to the server, so any server takes it, before and after a
restart.
"""

import re
from collections import OrderedDict
from hashlib import sha256
from secrets import token_urlsafe
from threading import Lock

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit import runtime

BROWSER_HEADER = "X-Billing-Browser"  # from this middleware to Streamlit; a visitor's own is removed
TRUSTED = {BROWSER_HEADER: "browser"}  # for Streamlit's server.trustedUserHeaders: its name in st.user
_BYTES = 32
_WELL_FORMED = re.compile(r"[A-Za-z0-9_-]{43}")
_UPLOAD = re.compile(r".*/_stcore/upload_file/([^/]*)/.*", re.DOTALL)
_DOWNLOAD = re.compile(r"(?!/static/).*/media/([^.]*).*", re.DOTALL)
_SENT = re.compile(rb"/media/([0-9a-f]+)")  # in what Streamlit sends to a browser
_REMEMBERED = 20_000  # addresses of downloads


class OwnSessions:
    """Middleware: whoever has a session's id, or the address of a download, from a log can do nothing with it."""

    def __init__(self, app: ASGIApp, *, is_https: bool) -> None:
        self.app = app
        # __Host-: no other name under the same domain can set it
        self.cookie = "__Host-billing_browser" if is_https else "billing_browser"
        self.attributes = "Path=/; HttpOnly; SameSite=Lax" + ("; Secure" if is_https else "")
        self.downloads = _Downloads()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._with_browser(scope, receive, send)
        elif scope["type"] == "http":
            await self._with_cookie(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    def _browser(self, scope: Scope) -> str:
        """The browser's own mark; "" for one that has none yet."""
        said = HTTPConnection(scope).cookies.get(self.cookie, "")
        return said if _WELL_FORMED.fullmatch(said) else ""

    async def _with_browser(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A websocket, of a browser that Streamlit knows by a hash; one without a cookie is nobody met before."""
        mark = _hash(self._browser(scope) or token_urlsafe(_BYTES))
        name = BROWSER_HEADER.lower().encode()
        others = [(key, value) for key, value in scope["headers"] if key.lower() != name]
        scope = {**scope, "headers": [*others, (name, mark.encode())]}

        async def noting_downloads(message: Message) -> None:
            if message["type"] == "websocket.send" and b"/media/" in (sent := message.get("bytes") or b""):
                for found in _SENT.findall(sent):
                    self.downloads.note(found.decode(), mark)
            await send(message)

        await self.app(scope, receive, noting_downloads)

    async def _with_cookie(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A request for a page, whose browser is given its cookie, or for what belongs to one browser."""
        browser = self._browser(scope)
        if not self._is_own(scope, _hash(browser) if browser else ""):
            await PlainTextResponse("Not Found", status_code=404)(scope, receive, send)
            return

        is_health = scope["path"].endswith("/_stcore/health")  # what a page asks before each websocket

        async def with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if is_health or headers.get("content-type", "").startswith("text/html"):
                    headers.append("set-cookie", f"{self.cookie}={token_urlsafe(_BYTES)}; {self.attributes}")
            await send(message)

        await self.app(scope, receive, send if browser or scope["method"] != "GET" else with_cookie)

    def _is_own(self, scope: Scope, mark: str) -> bool:
        """Whether this is no upload and no download of another browser's session."""
        if scope["method"] == "OPTIONS":
            return True
        if found := _UPLOAD.fullmatch(scope["path"]):
            return bool(mark) and mark == _opened_by(found[1])
        if found := _DOWNLOAD.fullmatch(scope["path"]):
            return self.downloads.is_of(found[1], mark)
        return True


class _Downloads:
    """To which browsers the address of a download was sent; the newest ones, in the memory of this server."""

    def __init__(self) -> None:
        self.sent: OrderedDict[tuple[str, str], None] = OrderedDict()
        self.lock = Lock()

    def note(self, file: str, mark: str) -> None:
        with self.lock:
            self.sent[file, mark] = None
            self.sent.move_to_end((file, mark))
            while len(self.sent) > _REMEMBERED:
                self.sent.popitem(last=False)

    def is_of(self, file: str, mark: str) -> bool:
        with self.lock:
            return (file, mark) in self.sent


def _opened_by(session_id: str) -> str | None:
    """The browser of a session that is connected now."""
    client = runtime.get_instance().get_client(session_id)
    context = None if client is None else client.client_context
    return None if context is None else Headers(dict(context.headers)).get(BROWSER_HEADER)


def _hash(browser: str) -> str:
    return sha256(browser.encode()).hexdigest()
