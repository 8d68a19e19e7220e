"""What every answer tells the browser to refuse: a page, a file, a fault, a redirect, a websocket and its refusal."""

from collections.abc import Iterable

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.utils import ClientDisconnected

_POLICY = "; ".join(
    [
        "default-src 'self'",
        "script-src 'self' 'unsafe-eval'",  # charts are compiled in the browser
        "style-src 'self' 'unsafe-inline'",  # styles are set by scripts
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self'",  # the websocket to this server too, and to no other
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'none'",  # no page sends a form in the browser's own way; signing in is a link
        "frame-ancestors 'none'",
    ]
)
_NOT_NEEDED = (
    "accelerometer", "autoplay", "camera", "display-capture", "encrypted-media", "geolocation", "gyroscope", "hid",
    "magnetometer", "microphone", "midi", "payment", "publickey-credentials-get", "screen-wake-lock", "serial", "usb",
    "xr-spatial-tracking",
)  # fmt: skip
_HEADERS = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",  # the way back from signing in reads it
    "permissions-policy": ", ".join(f"{name}=()" for name in _NOT_NEEDED),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
_A_YEAR = 365 * 24 * 60 * 60
_BEGINS = {"http.response.start", "websocket.accept", "websocket.http.response.start"}


class SecurityHeaders:
    """Around the whole application: each answer has each of these headers once, as it stands here.

    With `is_https` browsers come back by https only, for a year. A download stays in no cache.
    """

    def __init__(self, app: ASGIApp, *, is_https: bool) -> None:
        self.app = app
        said = _HEADERS | ({"strict-transport-security": f"max-age={_A_YEAR}"} if is_https else {})
        self.headers = [(name.encode(), value.encode()) for name, value in said.items()]
        self.names = {name for name, _value in self.headers}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_accepted = is_refused = False
        is_download = scope["type"] == "http" and scope["path"].startswith("/media/")

        async def with_headers(message: Message) -> None:
            nonlocal is_accepted, is_refused
            is_accepted = is_accepted or message["type"] == "websocket.accept"
            if message["type"] == "websocket.close" and not is_accepted and _can_answer(scope):
                is_refused = True
                refusal = {"type": "websocket.http.response.start", "status": 403}
                await send(refusal | {"headers": [*self.headers, (b"content-length", b"0")]})
                await send({"type": "websocket.http.response.body", "body": b""})
                return
            if message["type"] in _BEGINS:
                message["headers"] = [*self._others(message.get("headers", [])), *self.headers]
                if is_download:
                    message["headers"].append((b"cache-control", b"no-store"))
            await send(message)

        await self.app(scope, receive, with_headers)
        if is_refused:  # by an answer of its own, without which uvicorn would log an error
            raise ClientDisconnected

    def _others(self, headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        return [(name, value) for name, value in headers if name.lower() not in self.names]


def _can_answer(scope: Scope) -> bool:
    return "websocket.http.response" in (scope.get("extensions") or {})
