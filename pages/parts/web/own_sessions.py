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
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

BROWSER_HEADER = "X-Billing-Browser"  # from this middleware to Streamlit; a visitor's own is removed
TRUSTED = {BROWSER_HEADER: "browser"}  # for Streamlit's server.trustedUserHeaders: its name in st.user
_BYTES = 32
_WELL_FORMED = re.compile(r"[A-Za-z0-9_-]{43}")
_UPLOAD = re.compile(r".*/_stcore/upload_file/([^/]*)/.*", re.DOTALL)
_DOWNLOAD = re.compile(r"(?!/static/).*/media/([^.]*).*", re.DOTALL)
_MEDIA = "/media/"
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
            if message["type"] == "websocket.send" and _MEDIA.encode() in (sent := message.get("bytes") or b""):
                for address in _downloads_in(ForwardMsg.FromString(sent)):
                    if address.startswith(_MEDIA):
                        self.downloads.note(address.removeprefix(_MEDIA).partition(".")[0], mark)
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
                is_first = not browser and (is_health or headers.get("content-type", "").startswith("text/html"))
                if is_first or _is_somebody_else_now(scope["path"], headers):
                    headers.append("set-cookie", f"{self.cookie}={token_urlsafe(_BYTES)}; {self.attributes}")
            await send(message)

        await self.app(scope, receive, with_cookie if scope["method"] == "GET" else send)

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


def _downloads_in(message: ForwardMsg) -> list[str]:
    """The addresses that Streamlit made for this browser: of a download, or of a picture of the frame.

    Nothing else is looked at: what somebody typed may look like an address, and comes back to them in other places.
    """
    match message.WhichOneof("type"):
        case "delta":
            return [message.delta.new_element.download_button.url]
        case "backend_operation_response":
            return [message.backend_operation_response.deferred_file.url]
        case "page_config_changed":
            return [message.page_config_changed.favicon]
        case "logo":
            return [message.logo.image, message.logo.icon_image]
    return []


def _is_somebody_else_now(path: str, headers: MutableHeaders) -> bool:
    """Whether somebody just signed in or out: the sessions of whoever was here before are not theirs."""
    given = [each for each in headers.getlist("set-cookie") if each.startswith("_streamlit_user=")]
    signs_in = any("Max-Age=0" not in each for each in given)
    return signs_in or path == "/auth/logout"


def _opened_by(session_id: str) -> str | None:
    """The browser of a session that is connected now."""
    client = runtime.get_instance().get_client(session_id)
    context = None if client is None else client.client_context
    return None if context is None else Headers(dict(context.headers)).get(BROWSER_HEADER)


def _hash(browser: str) -> str:
    return sha256(browser.encode()).hexdigest()
