"""The load command runs, its visitors click on the real page, and it says what they cost. (How much is for a quiet
machine to say.)"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def load(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "tests.load", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def said(text: str) -> dict[str, list[str]]:
    """The words of each line of the report, by what the line is about."""
    return {line[:26].strip(): line[26:].split() for line in text.splitlines()}


def test_two_visitors_click_twice_and_leave_nothing_behind(tmp_path: Path) -> None:
    """Every click finished without a fault; the server had two visits more than before, and has no connection left."""
    ran = load("--visitors", "2", "--clicks-each", "2", "--pause", "0.1", "--clients", "300", "--keep", str(tmp_path))
    assert ran.returncode == 0, ran.stdout + ran.stderr
    report = said(ran.stdout)
    assert report["clicks"] == ["4"]
    assert report["errors"] == ["0"]
    for name in ("page opened", "click to finished"):
        assert report[name][0::3] == ["p50", "p95"]
    for name in (
        "clicks a second and core",
        "CPU of a click",
        "CPU of an open page",
        "memory of a visit",
        "memory (MiB)",
        "threads",
    ):
        assert report[name], name
    assert report["connections"] == ["0", "2", "0"]
    assert report["sessions"] == ["1", "3", "1"]
    before, _, gone = report["threads"]
    assert gone == before


def test_what_fails_for_a_visitor_is_an_error_of_the_report() -> None:
    """Where no server answers, every visit is counted as an error, named, and the command fails."""
    ran = load("--visitors", "1", "--clicks-each", "1", "--url", "http://127.0.0.1:9")
    assert ran.returncode == 1
    assert "1 x ConnectionRefusedError" in ran.stdout
