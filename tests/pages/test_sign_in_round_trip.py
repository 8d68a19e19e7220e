"""The way to the sign-in provider and back, as the server guards it: where people land, and what cookies they keep."""

from typing import Any
from urllib.parse import quote

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from pages.parts.web.sign_in_round_trip import SignInRoundTrip

HOST = "http://127.0.0.1:8501"


def like_streamlit(*, reachable: bool = True, signed_in: bool = True) -> Starlette:
    """What Streamlit answers on the way there, and on the way back."""

    async def login(_request: Request) -> Response:
        if not reachable:
            return PlainTextResponse("Authentication error", status_code=400)
        return RedirectResponse("https://provider.example/authorize", status_code=302)

    async def callback(_request: Request) -> Response:
        answer = RedirectResponse("/", status_code=302)
        if signed_in:
            answer.set_cookie("_streamlit_user", "claims", httponly=True)
            answer.set_cookie("_streamlit_user_tokens", "tokens", httponly=True)
            answer.set_cookie("_streamlit_user_tokens_1", "more", httponly=True)
        else:
            answer.delete_cookie("_streamlit_user")
            answer.delete_cookie("_streamlit_user_tokens")
        return answer

    async def page(_request: Request) -> Response:
        answer = PlainTextResponse("a page")
        answer.set_cookie("_streamlit_xsrf", "x")
        return answer

    return Starlette(
        routes=[Route("/auth/login", login), Route("/oauth2callback", callback), Route("/{rest:path}", page)]
    )


def visit(*, is_https: bool = False, **answers: Any) -> TestClient:
    guarded = SignInRoundTrip(like_streamlit(**answers), is_https=is_https)
    return TestClient(guarded, base_url=HOST, follow_redirects=False)


def lands_on(came_from: str, **answers: Any) -> str:
    """Where somebody lands who signed in from that page."""
    browser = visit(**answers)
    browser.get("/auth/login", headers={"referer": came_from})
    return browser.get("/oauth2callback?state=x&code=y").headers["location"]


@pytest.mark.parametrize(
    ("came_from", "page"),
    [
        (f"{HOST}/client_subscription?client=12", "/client_subscription?client=12"),
        (f"{HOST}/?space=2&search=a%26b%2F%C3%A9", "/?space=2&search=a%26b%2F%C3%A9"),
        (f"{HOST}/defaults?sign_in=failed", "/defaults"),
        (f"{HOST}/accept?invitation=1.2.3.secret", "/accept"),
        (f"{HOST}/", "/"),
        (HOST, "/"),
        ("https://evil.example/defaults", "/"),
        (f"{HOST}//evil.example/", "/"),
        (f"{HOST}/\\evil.example/", "/"),
        ("", "/"),
    ],
)
def test_whoever_signs_in_lands_on_the_page_asked_for_and_never_on_another_machine(came_from: str, page: str) -> None:
    assert lands_on(came_from) == page


@pytest.mark.parametrize(
    "planted", ["//evil.example", "/\\evil.example", "https://evil.example", "javascript:x", "/a\r\nb"]
)
def test_a_planted_address_to_come_back_to_is_not_followed(planted: str) -> None:
    browser = visit()
    browser.cookies.set("billing_return", quote(planted, safe=""), path="/oauth2callback")
    assert browser.get("/oauth2callback?state=x&code=y").headers["location"] == "/"


def test_a_sign_in_that_failed_comes_back_to_the_page_with_a_sentence_to_say() -> None:
    """And the next try still comes back to the page."""
    failed = lands_on(f"{HOST}/client_subscription?client=12", signed_in=False)
    assert failed == "/client_subscription?client=12&sign_in=failed"
    assert lands_on(f"{HOST}{failed}") == "/client_subscription?client=12"
    assert lands_on(f"{HOST}/defaults", signed_in=False) == "/defaults?sign_in=failed"


def test_a_provider_that_cannot_be_reached_is_a_sentence_on_the_sign_in_page() -> None:
    answer = visit(reachable=False).get("/auth/login", headers={"referer": f"{HOST}/defaults"})
    assert (answer.status_code, answer.headers["location"]) == (302, "/defaults?sign_in=unavailable")


def test_the_way_back_from_signing_out_at_the_provider_leads_home() -> None:
    """It has nothing to say, and is no failure."""
    answer = visit(signed_in=False).get("/oauth2callback")
    assert (answer.status_code, answer.headers["location"]) == (302, "/")


def test_the_page_to_come_back_to_is_kept_for_the_way_back_alone_and_forgotten_there() -> None:
    browser = visit()
    kept = browser.get("/auth/login", headers={"referer": f"{HOST}/defaults"}).headers["set-cookie"]
    assert kept == "billing_return=%2Fdefaults; Max-Age=900; Path=/oauth2callback; HttpOnly; SameSite=Lax"
    cookies = browser.get("/oauth2callback?state=x&code=y").headers.get_list("set-cookie")
    assert "billing_return=; Max-Age=0; Path=/oauth2callback; HttpOnly; SameSite=Lax" in cookies


def test_the_tokens_of_the_provider_stay_out_of_the_browser() -> None:
    """Old ones still go when somebody signs out."""
    cookies = visit().get("/oauth2callback?state=x&code=y").headers.get_list("set-cookie")
    assert [cookie.split("=")[0] for cookie in cookies] == ["_streamlit_user", "billing_return"]
    gone = visit(signed_in=False).get("/oauth2callback?state=x").headers.get_list("set-cookie")
    assert [cookie.split("=")[0] for cookie in gone] == ["_streamlit_user", "_streamlit_user_tokens", "billing_return"]


@pytest.mark.parametrize("is_https", [True, False])
def test_behind_https_every_cookie_is_secure_and_without_it_none(is_https: bool) -> None:
    browser = visit(is_https=is_https)
    for path in ("/", "/auth/login", "/oauth2callback?state=x"):
        for cookie in browser.get(path).headers.get_list("set-cookie"):
            assert cookie.count("Secure") == is_https, cookie
