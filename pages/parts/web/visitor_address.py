"""Where a visitor comes from when a proxy stands in between.

The server itself believes `X-Forwarded-For` of a proxy on this machine, or of those that FORWARDED_ALLOW_IPS names. For
another header an operator sets BILLING_ADDRESS_HEADER.
"""

from contextlib import suppress
from ipaddress import ip_address

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send


class VisitorAddress:
    """Middleware: the visitor's address is what `header` says last. Without it, or with no address in it, nothing is
    believed but the connection."""

    def __init__(self, app: ASGIApp, *, header: str) -> None:
        self.app = app
        self.header = header

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.header and scope["type"] in ("http", "websocket"):
            said = Headers(scope=scope).getlist(self.header)
            address = said[-1].rpartition(",")[2].strip() if said else ""
            with suppress(ValueError):
                scope = {**scope, "client": (str(ip_address(address)), 0)}
        await self.app(scope, receive, send)
