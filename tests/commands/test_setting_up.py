"""The commands that set a firm up: partner spaces, and what is configured and what is missing."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from core.__main__ import main
from tests.smtp import smtp_server

ADD = ["partner", "add", "Firm", "--currency", "EUR", "--time-zone", "Europe/Brussels"]
ADD += ["--administrator", "Administrator@firm.example"]
SECRETS = ["the cookie secret, which nobody may see", "the client secret", "the mail password", "the database password"]
METADATA: dict[str, Any] = {
    "issuer": "https://provider.example",
    "authorization_endpoint": "https://provider.example/authorize",
    "token_endpoint": "https://provider.example/token",
    "jwks_uri": "https://provider.example/keys",
    "end_session_endpoint": "https://provider.example/end",
    "code_challenge_methods_supported": ["S256"],
}


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A database of a firm: tables, and nothing in them."""
    path = tmp_path / "firm.sqlite3"
    monkeypatch.setenv("BILLING_DATABASE_URL", f"sqlite:///{path}")
    assert main(["migrate"]) == 0
    return path


@contextmanager
def provider(metadata: Any) -> Iterator[str]:
    """A provider that says this of itself; its address."""

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            said = json.dumps(metadata).encode() if metadata is not None else b"<html>no metadata</html>"
            self.send_response(200)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: Any) -> None: ...

    served = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = Thread(target=served.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{served.server_port}/.well-known/openid-configuration"
    finally:
        served.shutdown()
        thread.join()
        served.server_close()


def sign_in_with(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    for name, value in {
        "BILLING_OIDC_METADATA_URL": address,
        "BILLING_OIDC_CLIENT_ID": "billing",
        "BILLING_OIDC_CLIENT_SECRET": SECRETS[1],
        "BILLING_COOKIE_SECRET": SECRETS[0],
        "BILLING_PUBLIC_URL": "https://billing.firm.example",
    }.items():
        monkeypatch.setenv(name, value)


def said(capsys: pytest.CaptureFixture[str]) -> str:
    captured = capsys.readouterr()
    return captured.out + captured.err


def test_a_partner_space_is_made_and_says_which_command_comes_next(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Until there is a catalogue."""
    assert main(ADD) == 0
    told = said(capsys)
    assert "Partner space 1 is made: Firm, EUR, Europe/Brussels." in told
    assert "Its administrator signs in as administrator@firm.example." in told
    assert "python -m core catalogue load FILE" in told
    assert main(["partner", "list"]) == 0
    assert "1  Firm  EUR  Europe/Brussels" in said(capsys)


def test_a_second_space_with_the_catalogue_there_needs_no_next_command(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Rule 44: and one in a currency without prices is refused, which writes nothing."""
    main(ADD)
    said(capsys)
    main(["catalogue", "example"])
    catalogue = tmp_path / "catalogue.toml"
    catalogue.write_text(capsys.readouterr().out)
    assert main(["catalogue", "load", str(catalogue)]) == 0
    said(capsys)
    assert main(["partner", "add", "Second", *ADD[3:]]) == 0
    assert "catalogue load" not in said(capsys)
    assert main(["partner", "add", "Third", "--currency", "USD", *ADD[5:]]) == 1
    assert "There are prices in EUR only. Load a catalogue in USD first." in said(capsys)
    assert main(["partner", "list"]) == 0
    assert "Third" not in said(capsys)


def test_a_refusal_is_a_sentence_and_an_exit_status(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(ADD)
    assert main(ADD) == 1
    assert "Partner space 1 has this name already. Choose another." in said(capsys)


@pytest.mark.parametrize("arguments", [ADD, ["partner", "list"]], ids=["add", "list"])
def test_without_tables_the_command_to_make_them_is_named(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BILLING_DATABASE_URL", f"sqlite:///{tmp_path / 'empty.sqlite3'}")
    assert main(arguments) == 1
    assert "python -m core migrate" in said(capsys)


def test_the_doctor_names_what_is_missing_one_after_the_other_until_all_is_well(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As somebody sets a firm up with it; the mail server is connected to, and nothing is sent."""
    assert main(["doctor"]) == 1
    told = said(capsys)
    assert "MISSING partner space: none. Run: python -m core partner add" in told
    assert "MISSING sign-in: no provider." in told
    assert "MISSING public address: BILLING_PUBLIC_URL is not set" in told
    main(ADD)
    said(capsys)
    assert main(["doctor"]) == 1
    assert "MISSING catalogue: no prices in EUR. Run: python -m core catalogue load FILE" in said(capsys)
    main(["catalogue", "example"])
    catalogue = tmp_path / "catalogue.toml"
    catalogue.write_text(capsys.readouterr().out)
    main(["catalogue", "load", str(catalogue)])
    with provider(METADATA) as address, smtp_server() as (mailbox, smtp):
        sign_in_with(monkeypatch, address)
        monkeypatch.setenv("BILLING_SMTP_HOST", smtp.host)
        monkeypatch.setenv("BILLING_SMTP_PORT", str(smtp.port))
        monkeypatch.setenv("BILLING_SMTP_TLS", "none")
        monkeypatch.setenv("BILLING_SMTP_SENDER", "billing@firm.example")
        said(capsys)
        assert main(["doctor"]) == 0
        told = said(capsys)
        assert mailbox.received == []
    assert "MISSING" not in told
    assert "ok      sign-in oidc: https://provider.example answers" in told
    assert f"ok      mail: {smtp.host}:{smtp.port} lets us in" in told
    assert "register https://billing.firm.example/oauth2callback" in told
    assert told.rstrip().endswith("All is well.")


@pytest.mark.parametrize(
    ("metadata", "line"),
    [
        (None, "cannot be read"),
        (["a", "list"], "its metadata lacks issuer, authorization_endpoint, token_endpoint, jwks_uri"),
        ({**METADATA, "jwks_uri": ""}, "its metadata lacks jwks_uri"),
        ({**METADATA, "issuer": "https://provider.example/{tenantid}/v2.0"}, "name your own tenant in the address"),
    ],
)
def test_the_doctor_looks_at_what_the_provider_says_of_itself(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], metadata: Any, line: str
) -> None:
    with provider(metadata) as address:
        sign_in_with(monkeypatch, address)
        assert main(["doctor"]) == 1
    (found,) = [each for each in said(capsys).splitlines() if each.startswith("MISSING sign-in")]
    assert line in found


def test_the_doctor_tells_no_secret(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever is wrong: a database that does not answer, a mail server that is not there, a provider that is down."""
    sign_in_with(monkeypatch, "http://127.0.0.1:9/.well-known/openid-configuration")
    monkeypatch.setenv("BILLING_DATABASE_URL", f"postgresql+psycopg://billing:{SECRETS[3]}@127.0.0.1:9/billing")
    for name, value in {
        "HOST": "127.0.0.1",
        "PORT": "9",
        "USER": "u",
        "PASSWORD": SECRETS[2],
        "SENDER": "a@b.example",
    }.items():
        monkeypatch.setenv(f"BILLING_SMTP_{name}", value)
    assert main(["doctor"]) == 1
    told = said(capsys)
    assert told.count("MISSING") == 3
    assert not [secret for secret in SECRETS if secret in told]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"BILLING_COOKIE_SECRET": "short"}, "BILLING_COOKIE_SECRET"),
        ({"BILLING_PUBLIC_URL": None}, "BILLING_PUBLIC_URL"),
        ({"BILLING_OIDC_CLIENT_SECRET": None}, "BILLING_OIDC_CLIENT_SECRET"),
        ({"BILLING_OIDC_METADATA_URL": "http://provider.example/x"}, "a provider is reached by https"),
        (
            {"BILLING_OIDC_METADATA_URL": "https://login.microsoftonline.com/common/v2.0/.well-known/x"},
            "name your tenant in the address",
        ),
        ({"BILLING_OIDC_PROVIDERS": "my_own"}, "letters and digits"),
        ({"BILLING_OIDC_PROVIDERS": "entra"}, "BILLING_OIDC_ENTRA_METADATA_URL"),
    ],
)
def test_sign_in_that_cannot_work_is_refused_at_the_start_and_says_by_which_variable(
    file: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    change: dict[str, str | None],
    sentence: str,
) -> None:
    """Without a secret among the words."""
    sign_in_with(monkeypatch, "https://provider.example/.well-known/openid-configuration")
    for name, value in change.items():
        monkeypatch.delenv(name) if value is None else monkeypatch.setenv(name, value)
    assert main(["doctor"]) == 1
    told = said(capsys)
    assert sentence in told
    assert not [secret for secret in SECRETS if secret in told]


def test_the_demo_is_told_as_a_demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.setenv("BILLING_DATABASE_URL", f"sqlite:///{tmp_path / 'demo.sqlite3'}")
    monkeypatch.setenv("BILLING_DEMO", "1")
    assert main(["demo"]) == 0
    assert main(["doctor"]) == 0
    told = said(capsys)
    assert "note    sign-in: not used, this is demo mode" in told
    assert "this is the sample, not a firm's own" in told
    assert main(ADD) == 1
    assert "This database holds the demo." in said(capsys)
