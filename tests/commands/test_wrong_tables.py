"""Tables of another version and a database that is away: one sentence from every command and from the server."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import pytest

from core.__main__ import main
from core.words import BulkRunning, DatabaseAway, DatabaseFailed, SavedOrNot
from tests.browser.test_firm import free_port
from tests.conftest import LONGEST_WAIT, ROOT

MAIL = {"BILLING_SMTP_HOST": "127.0.0.1", "BILLING_SMTP_PORT": "9", "BILLING_SMTP_SENDER": "firm@example.com"}
ADDRESS = {"BILLING_PUBLIC_URL": "http://127.0.0.1:8501"}
COMMANDS = [
    ["migrate"], ["check"], ["doctor"], ["deliver"], ["deliver", "--every", "1h"], ["demo"], ["demo", "--reset"],
    ["partner", "list"], ["catalogue", "show"],
    ["partner", "add", "Firm", "--currency", "EUR", "--time-zone", "UTC", "--administrator", "a@example.com"],
]  # fmt: skip
NEWER = "The tables are those of a newer version of the product."
AWAY = "The database does not answer."


def as_a_newer_version(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()


def as_an_older_version(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0003'")
        connection.commit()


@pytest.fixture
def file(migrated_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The tables of this version, and a mail server for `deliver`."""
    path = tmp_path / "firm.sqlite3"
    path.write_bytes(migrated_file.read_bytes())
    for name, value in {**MAIL, **ADDRESS, "BILLING_DATABASE_URL": f"sqlite:///{path}"}.items():
        monkeypatch.setenv(name, value)
    return path


def said(capsys: pytest.CaptureFixture[str]) -> str:
    captured = capsys.readouterr()
    return captured.out + captured.err


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_refuses_the_tables_of_a_newer_version(
    file: Path, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    """With the same sentence and exit status 1, and leaves them as they are."""
    as_a_newer_version(file)
    before = file.read_bytes()
    assert main(command) == 1
    assert NEWER in said(capsys)
    assert file.read_bytes() == before


@pytest.mark.parametrize("command", [each for each in COMMANDS if each[0] not in ("migrate", "demo")], ids=" ".join)
def test_every_other_command_names_the_one_that_brings_older_tables_up_to_date(
    file: Path, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    as_an_older_version(file)
    assert main(command) == 1
    assert "`python -m core migrate`" in said(capsys)


@pytest.mark.parametrize("command", [each for each in COMMANDS if "--every" not in each], ids=" ".join)
def test_every_command_says_that_the_database_is_away(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    """One sentence, after the driver's own words for whoever runs it."""
    url = f"postgresql+psycopg://nobody@127.0.0.1:{free_port()}/none"
    for name, value in {**MAIL, **ADDRESS, "BILLING_DATABASE_URL": url}.items():
        monkeypatch.setenv(name, value)
    assert main(command) == 1
    told = said(capsys)
    assert AWAY in told
    assert "entries" not in told


def every_failure(kind: type[DatabaseFailed] = DatabaseFailed) -> Iterator[DatabaseFailed]:
    """One of each kind, of a read and of an action."""
    for reading in (True, False):
        if kind is BulkRunning:
            yield BulkRunning(by="Somebody", done=1, total=2)
        else:
            yield kind(reading=reading)
    for narrower in kind.__subclasses__():
        yield from every_failure(narrower)


def test_a_command_speaks_of_no_entries_whatever_the_database_failed_at() -> None:
    """Nobody typed any: it says what happened, and of an action that nothing was saved, or that nobody knows."""
    told = [(type(each), each.is_read, each.at_a_shell()) for each in every_failure()]
    assert not [words for _, _, words in told if "entries" in words or "{" in words]
    for kind, is_read, words in told:
        assert words.endswith("Nothing was saved.") is (not is_read and kind is not SavedOrNot)
    read = {kind: words for kind, is_read, words in told if is_read}
    assert read[DatabaseFailed] == read.pop(DatabaseAway) == AWAY
    assert len(set(read.values())) == len(read)
    (bulk,) = {words for kind, _, words in told if kind is BulkRunning}
    assert bulk.startswith("Somebody is changing many clients at once, 1 of 2 are done")


def newer(path: Path, migrated: Path) -> str:
    path.write_bytes(migrated.read_bytes())
    as_a_newer_version(path)
    return f"sqlite:///{path}"


def without_a_server(_path: Path, _migrated: Path) -> str:
    return f"postgresql+psycopg://nobody@127.0.0.1:{free_port()}/none"


@pytest.mark.parametrize(
    ("made", "is_demo", "sentence"),
    [(newer, False, NEWER), (newer, True, NEWER), (without_a_server, True, AWAY), (without_a_server, False, AWAY)],
    ids=["newer", "newer demo", "demo away", "away"],
)
def test_the_server_starts_all_the_same_and_is_not_ready(
    migrated_file: Path, tmp_path: Path, made: Callable[[Path, Path], str], is_demo: bool, sentence: str
) -> None:
    """An operator finds the sentence in the log, and no trace."""
    log = tmp_path / "server.log"
    environment = {"BILLING_DATABASE_URL": made(tmp_path / "own.sqlite3", migrated_file), "BILLING_DEMO": str(+is_demo)}
    with running(environment, log) as address:
        with pytest.raises(HTTPError, match="503"):
            urlopen(f"{address}/readyz")  # noqa: S310 - http to 127.0.0.1
        with urlopen(address) as answer:  # noqa: S310 - http to 127.0.0.1
            assert answer.status == 200
    assert sentence in log.read_text()
    assert "Traceback" not in log.read_text()


@contextmanager
def running(environment: dict[str, str], log: Path) -> Iterator[str]:
    """A server process that answers, ready or not; its address."""
    port = free_port()
    command = [sys.executable, "-m", "streamlit", "run", "asgi.py", "--server.port", str(port)]
    with log.open("w") as file:
        process = subprocess.Popen(command, cwd=ROOT, env=os.environ | environment, stdout=file, stderr=file)
    try:
        for _ in range(LONGEST_WAIT * 5):
            try:
                urlopen(f"http://127.0.0.1:{port}/_stcore/health").close()
                break
            except (URLError, ConnectionError):
                with pytest.raises(subprocess.TimeoutExpired):
                    process.wait(timeout=0.2)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        try:
            process.wait(timeout=LONGEST_WAIT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
