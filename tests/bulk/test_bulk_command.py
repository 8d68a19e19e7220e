"""`python -m core bulk`: the same code and the same report as the pages."""

from collections.abc import Callable
from pathlib import Path

import pytest

from core import subscriptions
from core.__main__ import main
from core.words import Payer, Role, speak
from tests.bulk.conftest import active
from tests.conftest import PLUS, STANDARD, Space

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(space: Space, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """The command with these words, as the client manager; the exit status, what it printed and what it refused."""
    monkeypatch.setenv("BILLING_DATABASE_URL", space.database.engine.url.render_as_string(hide_password=False))
    # the shell's clock is the machine's: nothing here may lie after it
    space.save(STANDARD)
    for name in ("Aubry", "Beau"):
        active(space, name)
    space.clock.forward(days=1)
    space.save(PLUS)

    def command(
        *typed: str, who: str = "client_manager@example.com", reason: str = "New prices"
    ) -> tuple[int, str, str]:
        status = main(["bulk", *typed, "--as", who, "--reason", reason])
        speak("en")
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return command


def test_a_dry_run_says_what_would_be_done_and_changes_nothing(space: Space, run: Run, tmp_path: Path) -> None:
    """In groups, with who is left out in a file."""
    space.archive(2)
    file = tmp_path / "left_out.csv"
    status, out, _ = run("adopt", "--all", "--dry-run", "--left-out", str(file))
    assert status == 0
    assert out.startswith("Chosen: 2. To change: 1. Left out: 1.\n  1: The client, Monthly, Standard, ")
    assert "left out, Archived: 1\nNothing was changed.\n" in out
    assert "Beau is archived" in file.read_text(encoding="utf-8")
    assert space.detail(1).revision == 2


def test_it_is_done_in_one_batch_and_undone_by_its_number(space: Space, run: Run) -> None:
    """And the report has the number."""
    status, out, _ = run("override", "--filter", "status=active", "--set", "payer=partner")
    assert (status, out.splitlines()[-1]) == (0, "Bulk change 1: 2 of 2 clients changed, 0 left out.")
    assert space.detail(1).overrides.payer is Payer.PARTNER
    status, out, _ = run("undo", "1", reason="A mistake")
    assert (status, out.splitlines()[-1]) == (0, "Bulk change 2: 2 of 2 clients changed, 0 left out.")
    assert space.detail(1).overrides.payer is None
    status, _, refused = run("undo", "1", reason="Again")
    assert (status, refused) == (1, "This was undone already, by bulk change 2. That one can be undone.\n")
    with space.database.reading() as session:
        assert list(subscriptions.differences(session)) == []


def test_each_act_is_a_command(space: Space, run: Run) -> None:
    """Account manager, end, and cancelling it."""
    accountant = space.members[Role.ACCOUNTANT]
    assert "from The client manager to The accountant" in run("responsible", "--all", "--to", accountant.email)[1]
    assert space.looked_after(2)[0].member_id == accountant.member_id
    assert "-> archived; at the renewal" in run("archive", "--client", "1")[1]
    assert space.detail(1).is_ending
    assert "goes on, the end is cancelled" in run("cancel", "--filter", "pending=pending")[1]
    assert not space.detail(1).is_ending
    assert run("adopt", "--set", "standard", "--clear", "--all")[0] == 0


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (["adopt", "--filter", "colour=red"], "There is no filter colour."),
        (["adopt", "--filter", "status=red"], "'red' is no value of the filter status."),
        (["override", "--all", "--set", "colour=red"], "colour: no setting."),
        (["override", "--all"], "Say which overrides to set or to clear"),
        (["adopt", "--all", "--set", "Freelancers"], "There is no default set Freelancers."),
        (["responsible", "--all", "--to", "nobody@example.com"], "nobody@example.com is not the e-mail of a member"),
        (["undo", "7"], "There is no bulk change with number 7"),
        (["cancel", "--all"], "There is nothing to do for any of these clients."),
    ],
)
def test_what_names_nothing_is_refused_in_words(run: Run, typed: list[str], said: str) -> None:
    """With the exit status 1."""
    status, _, refused = run(*typed)
    assert status == 1
    assert refused.startswith(said)


def test_who_may_not_is_refused(run: Run) -> None:
    """Rule 51; and nobody is nobody."""
    assert run("adopt", "--all", who="finance@example.com")[2].startswith("You may not do this")
    assert run("adopt", "--all", who="nobody@example.com")[2].startswith("nobody@example.com is not the e-mail")
