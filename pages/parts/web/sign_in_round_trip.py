"""The way to the sign-in provider and back: what Streamlit has to know of it, and where people land."""

from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core import invitations
from core.configuration import Configuration

_NOT_KEPT = ("sign_in", invitations.LINK_PARAMETER)  # what an earlier try said; the link of an invitation
_RETURN = "billing_return"  # the cookie that keeps the page to come back to


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
    query = urlencode([(name, value) for name, value in parse_qsl(referer.query) if name not in _NOT_KEPT])
    return _page_of_this_server(f"{referer.path or '/'}?{query}" if query else referer.path or "/")


def _page_of_this_server(page: str) -> str:
    """The page if it is one of this server's, else the first."""
    is_ours = page.startswith("/") and not page.startswith(("//", "/\\")) and page.isprintable() and page.isascii()
    return page if is_ours else "/"


def _with_outcome(page: str, outcome: str) -> str:
    return f"{page}{'&' if '?' in page else '?'}sign_in={outcome}"


def sign_in_secrets(configured: Configuration) -> dict[str, Any]:
    """What st.login needs to know of the providers; nothing where nobody signs in."""
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
