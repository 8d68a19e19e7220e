"""The stories of a firm that signs in: a real provider, a real mail server, an empty PostgreSQL, and two servers."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import time
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import create_engine, make_url, select, text, update

from core import members
from core.members import Member, SignInEvent
from core.storage import Database
from core.words import Role, SignInKind, speak, t
from tests.browser.conftest import (
    ROOT,
    Server,
    Visits,
    alert,
    box,
    button,
    choose,
    expect_title,
    go_to,
    menu,
    open_page,
    started,
)
from tests.browser.looks import assert_nothing_of_ours
from tests.conftest import LONGEST_WAIT
from tests.smtp import Mailbox, smtp_server

ADMINISTRATOR = "administrator@firm.example"
ALARMS = ("Traceback", "WARNING")  # a denied sign-in is an ERROR in the log, as it should be


@dataclass
class Firm:
    """A firm that was set up by the commands of the README, served by two servers."""

    first: Server
    second: Server
    provider: str
    mailbox: Mailbox

    @property
    def database(self) -> Database:
        return self.first.database

    def know(self, subject: str, **claims: Any) -> None:
        """Make somebody known at the provider."""
        said = json.dumps({"email_verified": True, "name": subject.title()} | claims).encode()
        headers = {"Content-Type": "application/json"}
        request = Request(f"{self.provider}/users/{subject}", said, headers, method="PUT")  # noqa: S310 - to 127.0.0.1
        with urlopen(request, timeout=LONGEST_WAIT):  # noqa: S310
            pass

    def member(self, email: str, role: Role = Role.CLIENT_MANAGER) -> Member:
        """A member of the first space with this e-mail."""
        with self.database.transaction() as session:
            members.take_turn(session, 1)
            members.add(session, 1, name=email.partition("@")[0].title(), email=email, role=role, by=None)
        return self.found(email)

    def found(self, email: str) -> Member:
        with self.database.reading() as session:
            return session.scalars(select(Member).where(Member.email == email, Member.partner_id == 1)).one()

    def events(self, email: str) -> list[SignInKind]:
        with self.database.reading() as session:
            kinds = select(SignInEvent.kind).where(SignInEvent.email == email).order_by(SignInEvent.event_id)
            return list(session.scalars(kinds))


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def provider(log: Path) -> Iterator[str]:
    """A real OpenID Connect provider, a process of its own; its address."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    with log.open("w") as file:
        command = [sys.executable, "-m", "oidc_provider_mock", "-p", str(port)]
        process = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT)
    try:
        for _ in range(LONGEST_WAIT * 10):
            try:
                with urlopen(f"{address}/.well-known/openid-configuration", timeout=LONGEST_WAIT):  # noqa: S310
                    break
            except (URLError, ConnectionError, TimeoutError):
                pass
            try:
                process.wait(timeout=0.1)
            except subprocess.TimeoutExpired:
                continue
            pytest.fail(f"The provider ended by itself:\n{log.read_text()}")
        yield address
    finally:
        process.terminate()
        process.wait()


def run(arguments: list[str], environment: dict[str, str]) -> str:
    """A command of the README in a shell of its own; what it printed."""
    ran = subprocess.run(
        [sys.executable, "-m", "core", *arguments],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


@pytest.fixture(scope="module")
def firm(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firm]:
    """Set up by the five commands, on an empty database, and served."""
    folder = tmp_path_factory.mktemp("firm")
    url = make_url(postgres_url).set(database="firm").render_as_string(hide_password=False)
    engine = create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("DROP DATABASE IF EXISTS firm"))
        connection.execute(text("CREATE DATABASE firm"))
    engine.dispose()
    with ExitStack() as stack:
        provider_url = stack.enter_context(provider(folder / "provider.log"))
        mailbox, smtp = stack.enter_context(smtp_server())
        ports = free_port(), free_port()
        environment = {
            "BILLING_DATABASE_URL": url,
            "BILLING_DEMO": "0",
            "BILLING_PUBLIC_URL": f"http://127.0.0.1:{ports[0]}",
            "BILLING_OIDC_METADATA_URL": f"{provider_url}/.well-known/openid-configuration",
            "BILLING_OIDC_CLIENT_ID": "billing",
            "BILLING_OIDC_CLIENT_SECRET": "secret",
            "BILLING_COOKIE_SECRET": "the same on both servers, and long enough",
            "BILLING_SMTP_HOST": smtp.host,
            "BILLING_SMTP_PORT": str(smtp.port),
            "BILLING_SMTP_TLS": "none",
            "BILLING_SMTP_SENDER": "billing@firm.example",
        }
        run(["migrate"], environment)
        space = ["Firm", "--currency", "EUR", "--time-zone", "Europe/Brussels", "--administrator", ADMINISTRATOR]
        assert "catalogue load" in run(["partner", "add", *space], environment)
        (folder / "catalogue.toml").write_text(run(["catalogue", "example"], environment))
        run(["catalogue", "load", str(folder / "catalogue.toml")], environment)
        assert "All is well." in run(["doctor"], environment)
        first, second = (
            stack.enter_context(started(url, folder / f"server{port}.log", environment, port=port, alarms=ALARMS))
            for port in ports
        )
        yield Firm(first, second, provider_url, mailbox)


@pytest.fixture
def visits(browser: Browser) -> Iterator[Visits]:
    begun = Visits(browser)
    speak("en")
    yield begun
    begun.end()
    assert not begun.faults


@pytest.fixture
def visit(visits: Visits) -> Callable[..., Page]:
    return visits.begin


def sign_in(page: Page, subject: str, answer: str = "Authorize") -> None:
    """From our button through the provider's page."""
    button(page, t("Sign in")).click()
    page.get_by_placeholder("sub").fill(subject)
    page.get_by_role("button", name=answer).click()


def signed_in(visit: Callable[..., Page], firm: Firm, subject: str, path: str = "/", title: str = "Clients") -> Page:
    """A window of somebody, on this page."""
    page = visit()
    page.goto(f"{firm.first.url}{path}")
    sign_in(page, subject)
    expect_title(page, title)
    return page


def manager(firm: Firm, subject: str) -> Member:
    """A client manager who is known at the provider."""
    firm.know(subject, email=f"{subject}@firm.example")
    return firm.member(f"{subject}@firm.example")


def test_from_an_empty_database_to_a_client_invited_by_a_colleague(firm: Firm, visit: Callable[..., Page]) -> None:
    """The administrator signs in, saves defaults, invites a colleague; the colleague's message says where to sign in,
    and their first client's message arrives."""
    firm.know("founder", email=ADMINISTRATOR)
    page = signed_in(visit, firm, "founder", "/defaults", "Default settings")
    expect(page.get_by_test_id("stSidebar")).to_contain_text("Founder · Administrator")
    button(page, "Save as version 1").click()
    expect(alert(page).first).to_contain_text("Version 1 is saved.")
    go_to(page, "Members")
    button(page, "Invite a member").click()
    page.get_by_label("Name", exact=True).fill("A. Colleague")
    page.get_by_label("E-mail", exact=True).fill("colleague@firm.example")
    choose(page, "Role", "Client manager")
    button(page, "Invite this member").click()
    expect(alert(page).first).to_contain_text("A. Colleague")
    expect(page.get_by_role("main")).to_contain_text("A. Colleague")
    message = firm.mailbox.message_to("colleague@firm.example")
    body = message.get_body(("plain",))
    assert body is not None
    assert firm.first.url in body.get_content()
    assert "accept?" not in body.get_content()

    firm.know("colleague", email="colleague@firm.example")
    page = signed_in(visit, firm, "colleague", "/invite_client", "Invite a client")
    page.get_by_label("Name", exact=True).fill("Aubry & Fils")
    page.get_by_label("E-mail", exact=True).fill("aubry@example.com")
    page.keyboard.press("Enter")
    expect(alert(page)).to_have_text("Aubry & Fils is invited.")
    message = firm.mailbox.message_to("aubry@example.com")
    assert str(message["From"]).startswith("Firm <")
    body = message.get_body(("plain",))
    assert body is not None
    link = next(line for line in body.get_content().splitlines() if "/accept?" in line)
    client = visit()
    open_page(client, link, "Firm invites you")
    button(client, "Accept").click()
    expect_title(client, "Welcome, Aubry & Fils")


def test_a_deep_link_comes_back_through_sign_in_also_after_a_denied_try(firm: Firm, visit: Callable[..., Page]) -> None:
    """With its parameters; what was denied is said in words meanwhile."""
    manager(firm, "deep")
    page = visit()
    page.goto(f"{firm.first.url}/?search=a%26b%2F%C3%A9&order_by=newest")
    sign_in(page, "deep", "Deny")
    expect(alert(page)).to_contain_text("You were not signed in")
    sign_in(page, "deep")
    expect_title(page, "Clients")
    expect(page.get_by_role("textbox", name="Search").or_(page.get_by_role("searchbox"))).to_have_value("a&b/é")
    assert "sign_in" not in page.url
    assert "order_by=newest" in page.url


def test_signing_out_in_one_window_ends_the_other_and_a_copied_cookie(
    firm: Firm, visits: Visits, visit: Callable[..., Page]
) -> None:
    """At the next click; and signing in again works."""
    manager(firm, "leaver")
    page = signed_in(visit, firm, "leaver")
    other = page.context.new_page()
    open_page(other, f"{firm.first.url}/defaults", "Default settings")
    copied = page.context.cookies()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(f"{firm.provider}/**")
    menu(other).get_by_role("link", name="Clients", exact=True).click()
    expect(alert(other)).to_contain_text("Your sign-in has ended.")
    expect(menu(other)).to_have_count(0)
    thief = visit()
    thief.context.add_cookies(copied)  # type: ignore[arg-type]
    thief.goto(firm.first.url)
    expect(alert(thief)).to_contain_text("Your sign-in has ended.")
    page.get_by_role("button").first.click()  # the provider's own question
    page.wait_for_url(f"{firm.first.url}/**")
    sign_in(page, "leaver")
    expect_title(page, "Clients")
    assert firm.events("leaver@firm.example")[:3] == [SignInKind.BOUND, SignInKind.SIGNED_IN, SignInKind.SIGNED_OUT]


def test_signing_out_in_one_window_ends_the_list_of_the_other(firm: Firm, visit: Callable[..., Page]) -> None:
    """At a click in the list, which otherwise runs alone."""
    manager(firm, "listed")
    page = signed_in(visit, firm, "listed")
    other = page.context.new_page()
    open_page(other, firm.first.url, "Clients")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(f"{firm.provider}/**")
    choose(other, "Status", "Archived")
    expect(alert(other)).to_contain_text("Your sign-in has ended.")
    expect(menu(other)).to_have_count(0)
    expect(box(other, "Status")).to_have_count(0)


def test_a_role_taken_away_between_two_clicks_holds_on_the_second(firm: Firm, visit: Callable[..., Page]) -> None:
    """The page says so, the menu is another, and nothing is written."""
    demoted = manager(firm, "demoted")
    page = signed_in(visit, firm, "demoted", "/invite_client", "Invite a client")
    page.get_by_label("Name", exact=True).fill("Never Invited")
    page.get_by_label("E-mail", exact=True).fill("never@example.com")
    with firm.database.transaction() as session:
        key = (Member.partner_id == 1, Member.member_id == demoted.member_id)
        session.execute(update(Member).where(*key).values(role=Role.FINANCE))
    page.keyboard.press("Enter")
    expect(alert(page).first).to_contain_text("You may not do this")
    expect(menu(page).get_by_role("link", name="Invite a client", exact=True)).to_have_count(0)
    assert firm.first.clients_named("Never Invited") == 0


def test_strangers_and_unverified_addresses_are_told_what_to_do_and_see_nothing(
    firm: Firm, visit: Callable[..., Page]
) -> None:
    """A stranger, and somebody who typed in a member's address at the provider."""
    manager(firm, "real")
    firm.know("stranger", email="stranger@elsewhere.example")
    firm.know("impostor", email="real@firm.example", email_verified=False)
    for subject, sentence in (
        ("stranger", "which is not the e-mail of a member here."),
        ("impostor", "the provider has not verified that this address is yours."),
    ):
        page = visit()
        page.goto(f"{firm.first.url}/client_subscription?client=1")
        assert_nothing_of_ours(page)
        sign_in(page, subject)
        expect(alert(page)).to_contain_text(sentence)
        assert_nothing_of_ours(page)
        expect(menu(page)).to_have_count(0)
        expect(page.get_by_role("main").locator("table")).to_have_count(0)
    assert firm.events("stranger@elsewhere.example") == [SignInKind.REFUSED]


def test_a_sign_in_begun_on_one_server_ends_on_the_other(firm: Firm, visit: Callable[..., Page]) -> None:
    """A balancer may send the way back anywhere: here the first server begins, and the second gets the answer."""
    manager(firm, "traveller")
    page = visit()
    first, second = firm.first.url, firm.second.url

    def elsewhere(route: Any) -> None:
        answer = page.request.get(route.request.url.replace(first, second), max_redirects=0)
        cookies = [h for h in answer.headers_array if h["name"].lower() == "set-cookie"]
        headers = {"location": answer.headers["location"], "set-cookie": "\n".join(c["value"] for c in cookies)}
        route.fulfill(status=answer.status, headers=headers)

    page.goto(f"{first}/defaults")
    page.route(f"{first}/oauth2callback?**", elsewhere)
    sign_in(page, "traveller")
    expect_title(page, "Default settings")
    expect(page.get_by_test_id("stSidebar")).to_contain_text("Traveller · Client manager")


def test_an_address_planted_to_come_back_to_is_not_followed(firm: Firm, visit: Callable[..., Page]) -> None:
    manager(firm, "victim")
    page = visit()
    page.goto(firm.first.url)
    button(page, "Sign in").click()
    page.get_by_placeholder("sub").fill("victim")
    planted = {"name": "billing_return", "value": "%2F%2Fevil.example", "url": f"{firm.first.url}/oauth2callback"}
    page.context.clear_cookies(name="billing_return")
    page.context.add_cookies([planted])  # type: ignore[list-item]
    page.get_by_role("button", name="Authorize").click()
    expect_title(page, "Clients")
    assert page.url.startswith(firm.first.url)


def test_somebody_with_hundreds_of_groups_gets_in(firm: Firm, visit: Callable[..., Page]) -> None:
    """What the provider says of them comes back in cookies, far over what one line of a request may usually be."""
    firm.know(
        "grouped", email="grouped@firm.example", groups=[f"{n:08x}-0000-4000-8000-{n * 7919:012x}" for n in range(300)]
    )
    firm.member("grouped@firm.example")
    page = signed_in(visit, firm, "grouped")
    assert sum(len(cookie["name"] + cookie["value"]) for cookie in page.context.cookies()) > 0
    page.reload()
    expect_title(page, "Clients")


def test_a_provider_that_is_down_is_a_sentence(firm: Firm, visit: Callable[..., Page], tmp_path: Path) -> None:
    """On the page that was asked for."""
    port = free_port()
    environment = {
        "BILLING_DEMO": "0",
        "BILLING_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "BILLING_OIDC_METADATA_URL": f"http://127.0.0.1:{free_port()}/.well-known/openid-configuration",
        "BILLING_OIDC_CLIENT_ID": "billing",
        "BILLING_OIDC_CLIENT_SECRET": "secret",
        "BILLING_COOKIE_SECRET": "the same on both servers, and long enough",
    }
    url = firm.database.engine.url.render_as_string(hide_password=False)
    with started(url, tmp_path / "server.log", environment, port=port, alarms=()) as lonely:
        page = visit()
        page.goto(f"{lonely.url}/defaults")
        button(page, "Sign in").click()
        expect(alert(page)).to_contain_text("The sign-in provider cannot be reached just now.")
        assert page.url == f"{lonely.url}/defaults?sign_in=unavailable"


def test_whoever_works_in_two_spaces_chooses_and_links_say_which(firm: Firm, visit: Callable[..., Page]) -> None:
    """Client 1 of one firm is never shown as client 1 of the other."""
    manager(firm, "both")
    with firm.database.transaction() as session:
        name = f"Second firm {time()}"
        made = members.add_partner(
            session, name=name, currency="EUR", time_zone="Europe/Brussels", administrator="both@firm.example"
        )
        number = made.partner_id
    page = signed_in(visit, firm, "both", "/client_subscription?client=1", "Choose a partner space")
    beside = page.context.new_page()  # narrow for a while, which closes the menu
    open_page(beside, firm.first.url, "Choose a partner space")
    assert_nothing_of_ours(beside)
    beside.close()
    button(page, f"{name} · Administrator").click()
    expect(alert(page)).to_contain_text("client")
    assert f"space={number}" in page.url
    expect(page.get_by_role("main")).not_to_contain_text("Aubry")
    choose(page, "Partner space", "Firm")
    expect_title(page, "Clients")
    assert "space=1" in page.url
