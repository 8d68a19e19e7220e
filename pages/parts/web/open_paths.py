"""Which of Streamlit's own addresses are open to everybody, and whether somebody is on this machine.

A browser needs few of them. The others tell how busy the server is (`/_stcore/metrics`), or describe it to programs:
they are for whoever looks after this machine.
"""

from ipaddress import IPv6Address, ip_address

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

_STREAMLITS = "_stcore"
_OPEN = {"health", "host-config", "stream", "upload_file", "bidi-components"}
_SET_BY_PROXIES = {"forwarded", "via", "x-real-ip", "x-client-ip", "true-client-ip", "cf-connecting-ip"}
_HOSTS_HERE = {"localhost", "127.0.0.1", "[::1]"}


class OpenPaths:
    """Middleware: what a browser does not need of Streamlit's own addresses is not found but from this machine, and a
    page of another server opens no websocket.

    `address_header` is the one in which the operator's proxy writes who a visitor is.
    """

    def __init__(self, app: ASGIApp, *, address_header: str = "") -> None:
        self.app = app
        self.address_header = address_header.lower()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not _is_open(scope["path"]) and not self._is_here(scope):
            await PlainTextResponse("Not Found", status_code=404)(scope, receive, send)
            return
        if scope["type"] == "websocket" and not _is_of_this_server(scope):
            await send({"type": "websocket.close", "code": 1008})
            return
        await self.app(scope, receive, send)

    def _is_here(self, scope: Scope) -> bool:
        """Whether a program of this machine asks, and no proxy for somebody else: that leaves a header, or a name."""
        headers = Headers(scope=scope)
        if any(name.startswith("x-forwarded") or name in _SET_BY_PROXIES for name in headers):
            return False
        if self.address_header and self.address_header in headers:
            return False
        host = headers.get("host", "")
        name = host[: host.find("]") + 1] if host.startswith("[") else host.partition(":")[0]
        return name in _HOSTS_HERE and is_this_machine((scope.get("client") or ("",))[0])


def _is_of_this_server(scope: Scope) -> bool:
    """Whether a websocket is opened by a page of this server, or by no page. Streamlit itself would take one of any
    other server on the same machine, whose pages can read this one's cookies."""
    headers = Headers(scope=scope)
    origin = headers.get("origin")
    return origin is None or origin.partition("://")[2].lower() == headers.get("host", "").lower()


def is_this_machine(address: str) -> bool:
    """Whether a connection from this address was made on this machine."""
    try:
        found = ip_address(address)
    except ValueError:
        return False
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return (mapped or found).is_loopback


def _is_open(path: str) -> bool:
    """Every address but those of Streamlit that no browser asks for, however they are written."""
    parts = [part for part in path.replace("\\", "/").split("/") if part]
    if _STREAMLITS not in parts:
        return True
    after = parts[parts.index(_STREAMLITS) + 1 :]
    return bool(after) and after[0] in _OPEN
