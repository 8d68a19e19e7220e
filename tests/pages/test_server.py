"""The server as it is run: ready before the first visitor, and what it tells a browser with each answer."""

import os
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.browser.conftest import ROOT, serving
from tests.conftest import LONGEST_WAIT


def test_the_server_makes_the_demo_answers_readiness_and_sends_security_headers(tmp_path: Path) -> None:
    """From the command of the README, on an empty database."""
    with serving(tmp_path / "demo.sqlite3", is_demo=True) as server:
        with urlopen(f"{server.url}/readyz") as answer:  # noqa: S310 - http to 127.0.0.1
            assert answer.read() == b"ready"
        with urlopen(server.url) as answer:  # noqa: S310 - http to 127.0.0.1
            headers = answer.headers
        assert server.database.is_migrated()
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "script-src 'self' 'unsafe-eval'" in headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"BILLING_SMTP_HOST": "127.0.0.1"}, "set BILLING_SMTP_SENDER too"),
        ({"BILLING_DATABASE_URL": "nonsense"}, "Could not parse SQLAlchemy URL"),
    ],
    ids=["mail server", "database"],
)
def test_what_cannot_be_used_as_it_is_set_ends_the_server_with_a_sentence(variables: dict[str, str], said: str) -> None:
    """And an exit status, as the commands have them; nobody has to find the reason in a traceback."""
    command = [sys.executable, "-m", "streamlit", "run", "asgi.py", "--server.port", "0", "--server.headless", "true"]
    ended = subprocess.run(
        command, cwd=ROOT, env=os.environ | variables, capture_output=True, text=True, timeout=LONGEST_WAIT, check=False
    )
    assert ended.returncode == 1
    assert "A BILLING_... variable cannot be used as it is set: " in ended.stderr
    assert said in ended.stderr
    assert "Traceback" not in ended.stdout + ended.stderr
