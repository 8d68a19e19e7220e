"""A browser's connection: by http and by https, whose it is, and what it may open, as Chromium sees it."""

import re
import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Page, WebSocket, expect
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from tests.browser.conftest import CHROMIUM, Server, Visits, button, go_to, open_page, search, started
from tests.proxy import Proxy, tls_proxy

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine"),
]

OPENED = """async address => {
    const violated = new Promise(said =>
        addEventListener("securitypolicyviolation", event => said(event.effectiveDirective)));
    const opened = new Promise(said => {
        try {
            const socket = new WebSocket(address, ["streamlit"]);
            socket.onopen = () => said("opened");
        } catch (refused) {}
    });
    return await Promise.race([violated, opened]);
}"""


@dataclass
class Secure:
    """A server behind a proxy with TLS."""

    server: Server
    proxy: Proxy


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secure]:
    """The demo, served by https."""
    folder = tmp_path_factory.mktemp("secure")
    port, behind = free_port(), free_port()
    public = {"BILLING_DEMO": "1", "BILLING_PUBLIC_URL": f"https://127.0.0.1:{port}"}
    with started(f"sqlite:///{folder}/demo.sqlite3", folder / "log", public, port=behind) as server:
        with tls_proxy(port, behind, folder) as proxy:
            yield Secure(server, proxy)


@pytest.fixture
def visits(browser: Browser) -> Iterator[Visits]:
    begun = Visits(browser)
    yield begun
    begun.end()
    assert not begun.faults


def sessions_of(page: Page) -> list[str]:
    """The session that each websocket of the page gets, from now on."""
    found: list[str] = []

    def listen(websocket: WebSocket) -> None:
        place = len(found)
        found.append("")

        def read(frame: str | bytes) -> None:
            message = ForwardMsg.FromString(frame if isinstance(frame, bytes) else frame.encode())
            if message.WhichOneof("type") == "new_session":
                found[place] = message.new_session.initialize.session_id

        websocket.on("framereceived", read)

    page.on("websocket", listen)
    return found


def test_by_http_a_page_opens_a_websocket_to_its_own_server_and_to_no_other(
    server: Server, visit: Callable[..., Page]
) -> None:
    """The policy says 'self', which is this host and this port."""
    page = visit()
    open_page(page, server.url, "Clients")
    own = server.url.replace("http", "ws")
    assert page.evaluate(OPENED, f"{own}/_stcore/stream") == "opened"
    other = f"ws://127.0.0.1:{free_port()}/"
    assert page.evaluate(OPENED, other) == "connect-src"
    assert page.evaluate(OPENED, "wss://elsewhere.example/") == "connect-src"


def test_by_https_too_and_every_cookie_stays_there(secure: Secure, visit: Callable[..., Page]) -> None:
    """The browser's own cookie is one that no other name of the domain can set."""
    page = visit(ignore_https_errors=True)
    open_page(page, secure.proxy.url, "Clients")
    own = secure.proxy.url.replace("http", "ws")
    assert page.evaluate(OPENED, f"{own}/_stcore/stream") == "opened"
    assert page.evaluate(OPENED, f"wss://127.0.0.1:{free_port()}/") == "connect-src"
    cookies = {cookie["name"]: cookie for cookie in page.context.cookies()}
    assert cookies["__Host-billing_browser"]["httpOnly"]
    assert all(cookie["secure"] for cookie in cookies.values())
    answer = page.request.get(secure.proxy.url)
    assert answer.headers["strict-transport-security"] == "max-age=31536000"


def test_after_a_dropped_connection_the_form_is_as_it_was(secure: Secure, visit: Callable[..., Page]) -> None:
    """The browser goes on with its session, and what was typed is sent."""
    page = visit(ignore_https_errors=True)
    sessions = sessions_of(page)
    open_page(page, secure.proxy.url, "Clients")
    go_to(page, "Invite a client")
    page.get_by_label("Name", exact=True).fill("Kept Through")
    page.get_by_label("E-mail", exact=True).fill("kept@example.com")
    with page.expect_websocket():
        secure.proxy.drop()
    expect(page.get_by_label("Name", exact=True)).to_have_value("Kept Through")
    button(page, "Invite this client").click()
    expect(page.get_by_role("main")).to_contain_text("kept@example.com")
    assert secure.server.clients_named("Kept Through") == 1
    assert len(sessions) == 2
    assert sessions[0] == sessions[1] != ""


def test_the_address_of_a_download_is_of_use_to_nobody_else(server: Server, visit: Callable[..., Page]) -> None:
    """Who reads it in a log gets nothing; the browser that asked for it gets it again."""
    page = visit()
    open_page(page, server.url, "Clients")
    with page.expect_download() as downloading:
        button(page, "Download as CSV").click()
    address = downloading.value.url
    assert re.search("/media/[0-9a-f]+", address)
    answer = page.request.get(address)
    assert answer.ok
    assert answer.headers["cache-control"] == "no-store"
    somebody = visit()
    assert somebody.request.get(address).status == 404
    open_page(somebody, server.url, "Clients")
    search(somebody, address.removeprefix(server.url))  # what they type comes back to them, and opens nothing
    expect(somebody.get_by_role("main")).to_contain_text("No client matches")
    for way in (address, address + "%0A", address.replace("/media/", "//media/"), address.rpartition(".")[0]):
        assert not somebody.request.get(way).ok
