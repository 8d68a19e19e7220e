"""What stands between a browser and Streamlit, asked over raw connections: headers, addresses, whose a session is."""

import asyncio
import http.client
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import urlsplit

import pytest
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

from core.configuration import Configuration
from core.invitations.wrong_links import ANSWERED
from pages.parts.web.headers import SecurityHeaders
from pages.parts.web.open_paths import OpenPaths, is_this_machine
from pages.parts.web.own_sessions import OwnSessions
from pages.parts.web.visitor_address import VisitorAddress
from tests.browser.conftest import started
from tests.conftest import LONGEST_WAIT

MINE = "billing_browser=" + "m" * 43
THEIRS = "billing_browser=" + "t" * 43
REFUSING = {
    "content-security-policy": ("connect-src 'self';", "base-uri 'none'", "form-action 'none'", "object-src 'none'"),
    "x-content-type-options": ("nosniff",),
    "x-frame-options": ("DENY",),
    "referrer-policy": ("same-origin",),
    "permissions-policy": ("camera=()", "geolocation=()"),
    "cross-origin-opener-policy": ("same-origin",),
    "cross-origin-resource-policy": ("same-origin",),
}


@dataclass
class Answer:
    """What came back."""

    status: int
    body: bytes
    headers: list[tuple[str, str]]

    def said(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name]


@dataclass
class Raw:
    """A server, asked without a browser."""

    url: str

    def ask(self, path: str, method: str = "GET", body: bytes | None = None, **headers: str) -> Answer:
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=LONGEST_WAIT)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, named)
        answer = connection.getresponse()
        found = Answer(answer.status, answer.read(), answer.getheaders())
        connection.close()
        return found

    @contextmanager
    def session(self, cookie: str, session_id: str = "", origin: str = "", **headers: str) -> Iterator[str]:
        """A websocket as the browser of this cookie opens it, to go on with a session; the session it got."""
        with self.connected(cookie, session_id, origin, **headers) as socket:
            begin = BackMsg()
            begin.rerun_script.query_string = ""
            socket.send(begin.SerializeToString())
            while True:
                message = ForwardMsg.FromString(bytes(socket.recv(timeout=LONGEST_WAIT)))
                if message.WhichOneof("type") == "new_session":
                    break
            yield message.new_session.initialize.session_id

    def connected(self, cookie: str, session_id: str = "", origin: str = "", **headers: str) -> ClientConnection:
        """A websocket to Streamlit, to be used as a context."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return connect(
            f"ws{self.url.removeprefix('http')}/_stcore/stream",
            origin=origin or self.url,
            proxy=None,
            max_queue=None,
            subprotocols=["streamlit", "token", *([session_id] if session_id else [])],
            additional_headers=named | ({"Cookie": cookie} if cookie else {}),
        )

    def shown(self, page: str, query: str, **headers: str) -> str:
        """Everything that a new visitor's browser is sent for a page."""
        with self.connected("", **headers) as socket:
            begin = BackMsg()
            begin.rerun_script.page_name = page
            begin.rerun_script.query_string = query
            socket.send(begin.SerializeToString())
            frames = [b""]
            while ForwardMsg.FromString(frames[-1]).WhichOneof("type") != "script_finished":
                frames.append(bytes(socket.recv(timeout=LONGEST_WAIT)))
        return b"".join(frames).decode(errors="replace")

    def upload(self, session_id: str, cookie: str, name: str = "file") -> Answer:
        """Send a file into a session as the browser of this cookie, which knows how to answer for itself."""
        said = self.ask("/_stcore/health").said("set-cookie")
        xsrf = next(each for each in said if each.startswith("_streamlit_xsrf=")).partition(";")[0]
        part = b'--x\r\nContent-Disposition: form-data; name="f"; filename="f.csv"\r\n\r\nname\r\n--x--\r\n'
        return self.ask(
            f"/_stcore/upload_file/{session_id}/{name}",
            "PUT",
            part,
            Cookie=f"{xsrf}; {cookie}",
            X_Xsrftoken=xsrf.partition("=")[2],
            Content_Type="multipart/form-data; boundary=x",
        )


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Raw]:
    """The demo, served. Its log may warn: of what is refused here."""
    folder = tmp_path_factory.mktemp("raw")
    with started(
        f"sqlite:///{folder}/demo.sqlite3", folder / "log", {"BILLING_DEMO": "1"}, alarms=("Trace",)
    ) as server:
        yield Raw(server.url)


def expect_headers(answer: Answer) -> None:
    for name, parts in REFUSING.items():
        (said,) = answer.said(name)
        assert all(part in said for part in parts), name
    (policy,) = answer.said("content-security-policy")
    assert "ws:" not in policy
    assert "wss:" not in policy


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        ("/", "GET", 200),
        ("/", "HEAD", 200),
        ("/accept?invitation=x", "GET", 200),
        ("/favicon.png", "GET", 200),
        ("/clients/", "GET", 301),
        ("/", "POST", 405),
        ("//elsewhere.example/", "GET", 400),
        ("/..%2f..%2fasgi.py", "GET", 400),
        ("/media/nothing", "GET", 404),
        ("/auth/login", "GET", 302),
        ("/readyz", "GET", 200),
        ("/_stcore/health", "GET", 200),
        ("/_stcore/host-config", "GET", 200),
        ("/_stcore/upload_file/x/y", "PUT", 404),
        ("/_stcore/bidi-components/none/x", "GET", 404),
    ],
)
def test_every_answer_says_what_to_refuse(raw: Raw, path: str, method: str, status: int) -> None:
    """A page, a file, a redirect, an error: each header once."""
    answer = raw.ask(path, method)
    assert answer.status == status
    expect_headers(answer)
    assert not answer.said("strict-transport-security")


def test_a_websocket_from_another_site_is_refused_with_the_same_headers(raw: Raw) -> None:
    """Whatever the cookie."""
    also_here = "http://localhost:3000", "http://127.0.0.1:3000", raw.url + ".elsewhere.example", raw.url + "/", " "
    for origin in ("http://elsewhere.example", "null", *also_here):
        with pytest.raises(InvalidStatus) as refused:
            with raw.session(MINE, origin=origin):
                pass
        response = refused.value.response
        assert response.status_code == 403
        expect_headers(Answer(403, b"", list(response.headers.raw_items())))


def test_a_fault_of_the_server_is_answered_with_the_headers_and_over_https_for_a_year() -> None:
    """Also what no middleware of the application sees; a header that stood there already is not there twice."""

    async def fault(_request: Request) -> Response:
        raise RuntimeError

    async def page(_request: Request) -> Response:
        return PlainTextResponse("a page", headers={"X-Frame-Options": "SAMEORIGIN"})

    routes = [Route("/fault", fault), Route("/page", page)]
    client = TestClient(SecurityHeaders(Starlette(routes=routes), is_https=True), raise_server_exceptions=False)
    for path, status in (("/fault", 500), ("/page", 200)):
        answer = client.get(path)
        assert answer.status_code == status
        expect_headers(Answer(status, b"", answer.headers.multi_items()))
        assert answer.headers["strict-transport-security"] == "max-age=31536000"


def test_metrics_are_for_this_machine(raw: Raw) -> None:
    """Streamlit's description of itself too."""
    assert b"active_sessions" in raw.ask("/_stcore/metrics").body
    assert raw.ask("/_stcore/agent/openapi.json").status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"X_Forwarded_For": "127.0.0.1"},
        {"X_Forwarded_For": "203.0.113.7"},
        {"X_Forwarded_For": ""},
        {"Forwarded": "for=127.0.0.1"},
        {"X_Real_IP": "127.0.0.1"},
        {"X_Forwarded_Proto": "https"},
        {"Via": "1.1 proxy"},
        {"Host": "billing.firm.example"},
        {"Host": "127.0.0.1.firm.example"},
        {"Host": ""},
    ],
    ids=str,
)
def test_what_comes_through_a_proxy_is_not_this_machine(raw: Raw, headers: dict[str, str]) -> None:
    """Not even if it says so."""
    for path in (
        "/_stcore/metrics",
        "/_stcore/%6Detrics",
        "/_stcore/metrics?families=x",
        "/_stcore/agent/openapi.json",
    ):
        answer = raw.ask(path, **headers)
        assert answer.status == 404
        assert answer.body == b"Not Found"


def asked_from(address: str, path: str, *, header: str = "", **headers: str) -> int:
    """The status for somebody at this address."""
    statuses: list[int] = []

    async def answers(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse("inside")(scope, receive, send)

    async def keep(message: Message) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    async def nothing() -> Message:
        return {"type": "http.disconnect"}

    named = {"host": "127.0.0.1:8501"} | headers
    raw_headers = [(name.encode(), value.encode()) for name, value in named.items()]
    scope = {"type": "http", "method": "GET", "path": path, "headers": raw_headers, "client": (address, 1)}
    asyncio.run(OpenPaths(answers, address_header=header)(scope, nothing, keep))
    return statuses[0]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/_stcore/metrics", 404),
        ("/_stcore/metrics/", 404),
        ("/_stcore//metrics", 404),
        ("/prefix/_stcore/metrics", 404),
        ("/_stcore\\metrics", 404),
        ("/_stcore/agent/interact", 404),
        ("/_stcore/agent/mcp", 404),
        ("/_stcore/script-health-check", 404),
        ("/_stcore/what-a-next-version-has", 404),
        ("/_stcore", 404),
        ("/_stcore/health", 200),
        ("/_stcore/upload_file/a/b", 200),
        ("/clients", 200),
    ],
)
def test_from_elsewhere_only_what_a_browser_needs_of_streamlit_is_found(path: str, status: int) -> None:
    """However it is written."""
    assert asked_from("203.0.113.7", path) == status


def test_a_proxy_with_a_header_of_its_own_is_not_this_machine() -> None:
    """The one that the operator named."""
    assert asked_from("127.0.0.1", "/_stcore/metrics", header="X-Visitor") == 200
    assert asked_from("127.0.0.1", "/_stcore/metrics", header="X-Visitor", **{"x-visitor": "127.0.0.1"}) == 404
    assert [is_this_machine(each) for each in ("127.0.0.1", "::1", "::ffff:127.0.0.1")] == [True] * 3
    assert [is_this_machine(each) for each in ("10.0.0.1", "::ffff:10.0.0.1", "", "testclient")] == [False] * 4


def seen_through(header: str, **headers: str) -> str:
    """Where a visitor comes from, as the application sees it."""
    seen: list[str] = []

    async def look(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope["client"][0])

    async def nothing() -> Message:
        return {"type": "http.disconnect"}

    async def drop(_message: Message) -> None:
        return None

    raw_headers = [(name.encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "websocket", "path": "/", "headers": raw_headers, "client": ("192.0.2.1", 1)}
    asyncio.run(VisitorAddress(look, header=header)(scope, nothing, drop))
    return seen[0]


def test_the_header_that_says_where_a_visitor_comes_from_is_the_operators_choice() -> None:
    """No other is believed, of several addresses the last, and nothing that is no address."""
    forged = {"cf-connecting-ip": "203.0.113.7"}
    assert seen_through("", **forged) == "192.0.2.1"
    assert seen_through("X-Real-IP", **forged) == "192.0.2.1"
    assert seen_through("CF-Connecting-IP", **forged) == "203.0.113.7"
    assert seen_through("X-Real-IP", **{"x-real-ip": "198.51.100.1, 2001:db8::1"}) == "2001:db8::1"
    assert seen_through("X-Real-IP", **{"x-real-ip": "<script>"}) == "192.0.2.1"


@pytest.mark.parametrize(
    ("accepted", "language"),
    [("nl-BE,nl;q=0.9,en;q=0.8", "nl"), ("fr-BE,fr;q=0.9", "fr"), ("de, fr;q=0.5", "fr"), ("de", "en"), ("", "en")],
)
def test_a_page_says_the_language_that_greets_its_browser(raw: Raw, accepted: str, language: str) -> None:
    """On every address, also to a browser that takes pages compressed; what is kept of it is kept for that language."""
    headers = {"Accept": "text/html,*/*", "Accept_Encoding": "gzip", "Accept_Language": accepted}
    for path in ("/", "/defaults"):
        page = raw.ask(path, **headers)
        assert f'<html lang="{language}">'.encode() in page.body
        assert "Accept-Language" in ", ".join(page.said("vary"))
        assert int(page.said("content-length")[0]) == len(page.body)


def test_a_page_gives_a_browser_that_has_none_a_cookie_of_its_own(raw: Raw) -> None:
    """Which no script reads and no other site sends; a browser that has one keeps it."""
    (first,) = raw.ask("/").said("set-cookie")
    (second,) = raw.ask("/accept?invitation=x").said("set-cookie")
    assert first != second
    assert first.endswith("; Path=/; HttpOnly; SameSite=Lax")
    assert raw.ask("/", Cookie=first.partition(";")[0]).said("set-cookie") == []
    assert len(raw.ask("/", Cookie="billing_browser=chosen").said("set-cookie")) == 1
    assert raw.ask("/favicon.png").said("set-cookie") == []
    assert raw.ask("/", "POST").said("set-cookie") == []


def test_over_https_no_other_name_of_the_domain_can_give_that_cookie() -> None:
    """A browser takes a cookie that is named so only from the host itself."""

    async def page(_request: Request) -> Response:
        return PlainTextResponse("a page", media_type="text/html")

    given = TestClient(OwnSessions(Starlette(routes=[Route("/", page)]), is_https=True)).get("/").headers["set-cookie"]
    assert given.startswith("__Host-billing_browser=")
    assert given.endswith("; Path=/; HttpOnly; SameSite=Lax; Secure")


def test_the_browser_that_opened_a_session_goes_on_with_it(raw: Raw) -> None:
    """After a dropped connection, and while the old one still seems to be there."""
    with raw.session(MINE) as session_id:
        pass
    with raw.session(MINE, session_id) as resumed:
        assert resumed == session_id
        with raw.session(MINE, session_id) as again:
            assert again == session_id


@pytest.mark.parametrize(
    ("cookie", "headers"),
    [
        (THEIRS, {}),
        ("", {}),
        ("billing_browser=short", {}),
        (f"{MINE}; {THEIRS}", {}),
        ("", {"X_Billing_Browser": "forged"}),
    ],
    ids=["another browser", "no cookie", "no good cookie", "two cookies", "a forged header"],
)
def test_the_id_of_a_session_alone_resumes_nothing(raw: Raw, cookie: str, headers: dict[str, str]) -> None:
    """Neither while it is connected, which it stays, nor when its connection is lost."""
    with raw.session(MINE) as session_id:
        with raw.session(cookie, session_id, **headers) as other:
            assert other != session_id
        assert raw.upload(session_id, MINE).status == 204  # still connected
    with raw.session(cookie, session_id, **headers) as other:
        assert other != session_id
    with raw.session(MINE, session_id) as resumed:
        assert resumed == session_id


def test_what_the_server_says_of_a_browser_cannot_be_said_by_a_visitor(raw: Raw) -> None:
    """The mark that Streamlit is told is the middleware's, also when it leaked."""
    mark = sha256(b"m" * 43).hexdigest()
    with raw.session(MINE) as session_id:
        pass
    for cookie in ("", THEIRS):
        with raw.session(cookie, session_id, X_Billing_Browser=mark) as other:
            assert other != session_id


def test_two_without_a_cookie_are_not_the_same(raw: Raw) -> None:
    """Programs that take no cookies each begin anew."""
    with raw.session("") as session_id, raw.session("", session_id) as other:
        assert other != session_id


def test_files_go_only_into_the_session_of_ones_own_browser(raw: Raw) -> None:
    """However the address is written; and none is removed from another's."""
    with raw.session(MINE) as session_id:
        assert raw.upload(session_id, MINE).status == 204
        for name in ("file", "file%0A", "a%2Fb", "%2e%2e", "file;x"):
            assert raw.upload(session_id, THEIRS, name).status == 404, name
        assert raw.upload(session_id, "").status == 404
        assert raw.upload(session_id + "%0A", THEIRS).status == 404
        assert raw.ask(f"/_stcore/upload_file/{session_id}/file", "DELETE", Cookie=THEIRS).status == 404
    assert raw.upload("no-such-session", MINE).status == 404


def test_whoever_signs_in_or_out_leaves_the_sessions_of_before_behind() -> None:
    """The browser gets another cookie; one who only tried keeps theirs."""

    async def came_back(request: Request) -> Response:
        answer = PlainTextResponse("back")
        if "code" in request.query_params:
            answer.set_cookie("_streamlit_user", "claims")
        else:
            answer.delete_cookie("_streamlit_user")
        return answer

    async def out(_request: Request) -> Response:
        return PlainTextResponse("out")

    client = TestClient(
        OwnSessions(
            Starlette(routes=[Route("/oauth2callback", came_back), Route("/auth/logout", out)]), is_https=False
        ),
        headers={"Cookie": MINE},
    )
    for path, is_renewed in (
        ("/oauth2callback?code=1", True),
        ("/oauth2callback?error=1", False),
        ("/auth/logout", True),
    ):
        given = client.get(path).headers.get_list("set-cookie")
        assert any(each.startswith("billing_browser=") for each in given) is is_renewed
        client.cookies.clear()


def test_wrong_links_are_counted_by_where_a_trusted_proxy_says_a_visitor_comes_from(raw: Raw) -> None:
    """A neighbour of the same IPv6 network is told to stop too, somebody else is answered."""
    for number in range(ANSWERED):
        shown = raw.shown("accept", f"invitation=1.1.1.guess{number}", X_Forwarded_For="2001:db8:1:2::1")
        assert "This link is not valid" in shown
    assert "Wait an hour" in raw.shown("accept", "invitation=1.1.1.more", X_Forwarded_For="2001:db8:1:2::1")
    # whatever a visitor writes in front of what the proxy adds
    assert "Wait an hour" in raw.shown("accept", "invitation=1.1.1.more", X_Forwarded_For="10.0.0.1, 2001:db8:1:2::9")
    assert "This link is not valid" in raw.shown("accept", "invitation=1.1.1.more", X_Forwarded_For="2001:db8:1:3::1")


def test_a_header_is_named_by_letters_digits_and_hyphens(monkeypatch: pytest.MonkeyPatch) -> None:
    """Anything else is a mistake, told at the start."""
    monkeypatch.setenv("BILLING_ADDRESS_HEADER", "X-Real-IP")
    assert Configuration().address_header == "X-Real-IP"
    monkeypatch.setenv("BILLING_ADDRESS_HEADER", "X-Real-IP: 1")
    with pytest.raises(ValidationError, match="address_header"):
        Configuration()
