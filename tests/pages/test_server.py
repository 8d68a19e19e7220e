"""The server as it is run: ready before the first visitor, and what it tells a browser with each answer."""

from pathlib import Path
from urllib.request import urlopen

from tests.browser.conftest import serving


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
