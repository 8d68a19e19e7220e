"""The benchmark runs and says what it measured. (What it measures is for a quiet machine to say.)"""

import subprocess
import sys
from pathlib import Path

import pytest

from core import subscriptions
from core.storage import Database
from tests.browser.conftest import CHROMIUM

ROOT = Path(__file__).parent.parent
CORE = [
    "first page", "name, Z to A", "newest first", "oldest first", "price, lowest first", "price, highest first",
    "filter plan plus", "filter yearly", "filter paid by client", "filter active",
    "filter archived", "filter default only", "filter with an override", "filter on older defaults",
    "filters plus, paid by client", "filter a rare plan", "filter a plan nobody has", "filter account manager",
    "filter with a pending change",
    "filter a default set", "filter a version of a set", "filter on a retired set",
    "filter expired", "filter active and revoked", "filter needs attention",
    "search a common word", "search without a hit", "search a company number", "search three words", "distribution now",
    "distribution as of a day", "distribution, new prices", "distribution of a future day", "figures",
    "figures of a search", "figures of a rare search", "account managers", "one client", "defaults in force",
]  # fmt: skip
PAGES = [f"page: {page}" for page in ("next page", "a filter", "a client", "invite", "defaults", "distribution")]
BROWSER = [
    "next page", "a filter", "a search", "a client", "distribution", "opening clients", "opening a client",
    "opening distribution",
]  # fmt: skip
IMPORTS = ["import: preview 100", "import: commit 100", "import: memory (MB)"]
BULK = ["bulk: change 100", "bulk: undo 100", "bulk: memory more (MB)"]
WRITES = [
    "one change at once", "one change scheduled", "one change while one waits", "one cancel", "one invitation",
    "save of defaults",
]  # fmt: skip


def bench(*arguments: str) -> list[tuple[str, str]]:
    """The database and the operation of each line of the table."""
    command = [sys.executable, "-m", "tests.bench", "--clients", "300", "--quick", *arguments]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    lines = ran.stdout.splitlines()
    assert lines[2].split() == [
        "database", "operation", "clients", "ours", "p95", "bare", "p95", "ratio", "before", "times", "growth", "limit",
    ]  # fmt: skip
    assert lines[-1].startswith("Over the limit: ")
    assert {line[43:53].strip() for line in lines[3:-1]} == {"300"}
    return [(line[:10].strip(), line[12:41].strip()) for line in lines[3:-1]]


def test_the_bench_measures_every_read_write_and_page(tmp_path: Path) -> None:
    """Every line is there, and the two ways to each result agreed (the bench stops where they do not)."""
    lines = bench("--keep", str(tmp_path))
    assert lines == [("SQLite", operation) for operation in (*CORE, *PAGES, "memory (MB)", *IMPORTS, *WRITES, *BULK)]


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine")
def test_the_bench_measures_a_browser_when_asked(tmp_path: Path) -> None:
    """Each act in ours and in the bare pages: both drew the same rows, or it would wait in vain."""
    lines = bench("--keep", str(tmp_path), "--browser", "--only", "browser")
    assert lines == [("SQLite", f"browser: {act}") for act in BROWSER]


def test_what_is_written_by_hand_is_what_the_product_writes(tmp_path: Path) -> None:
    """After overrides and invitations through the bare driver the space holds together, and is used again."""
    for _ in range(2):
        bench("--keep", str(tmp_path), "--only", *WRITES)
    database = Database(f"sqlite:///{tmp_path / 'bench_300.sqlite3'}")
    with database.reading() as session:
        assert list(subscriptions.differences(session)) == []
    database.close()
