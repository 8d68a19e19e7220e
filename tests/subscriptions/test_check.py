"""`python -m core check` and the other commands an operator needs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from core import demo, invitations, subscriptions
from core.__main__ import main
from core.invitations import OutboxMessage
from core.storage import Database
from core.subscriptions import Subscription
from core.words import BillingPeriod, DemoRefused, Overrides, Role
from tests.conftest import PLUS, STANDARD, Space


def differences(space: Space) -> list[str]:
    with space.database.reading() as session:
        return list(subscriptions.differences(session))


def tampered(space: Space, statement: str) -> None:
    """Change a fact behind the product's back, past the triggers that forbid it."""
    with space.database.transaction() as session:
        if space.database.engine.dialect.name == "sqlite":
            named = (
                "SELECT name FROM sqlite_master WHERE type = 'trigger' "
                "AND tbl_name IN ('subscription', 'responsible', 'partner')"
            )
            for trigger in session.scalars(text(named)).all():
                session.execute(text(f"DROP TRIGGER {trigger}"))
        else:
            session.execute(text("SET LOCAL session_replication_role = replica"))
        session.execute(text(statement))


@pytest.fixture
def lived_in(space: Space) -> Space:
    space.save(STANDARD)
    space.invite("One")
    space.invite("Two", Overrides(plan="plus"))
    space.save(PLUS)
    space.override(1, Overrides(billing_period=BillingPeriod.YEARLY))
    space.adopt(2, clear_overrides=True)
    space.clock.forward(days=1)
    space.give(2, Role.ACCOUNTANT)
    return space


def test_what_the_use_cases_wrote_has_no_difference(lived_in: Space) -> None:
    """Recomputed from versions and choices."""
    assert differences(lived_in) == []


@pytest.mark.parametrize(
    ("statement", "difference"),
    [
        ("UPDATE subscription SET plan = 'premium' WHERE client_id = 1 AND revision = 1", "recomputed BillingSettings"),
        ("UPDATE subscription SET add_ons = 'fax' WHERE client_id = 2 AND revision = 1", "does not have: fax"),
        ("UPDATE subscription SET overridden = '' WHERE client_id = 1 AND revision = 2", "recomputed BillingSettings"),
        ("DELETE FROM subscription WHERE client_id = 2 AND revision = 1", "expected revision 1"),
        ("DELETE FROM subscription WHERE client_id = 2 AND revision = 2", "no revision holds now"),
        ("DELETE FROM subscription WHERE client_id = 2", "has no subscription"),
        ("UPDATE subscription SET sort_name = 'eno' WHERE client_id = 1 AND revision = 1", "sorts as 'eno'"),
        ("UPDATE subscription SET valid_from = '2026-03-04' WHERE client_id = 1 AND revision = 2", "begins"),
        ("UPDATE subscription SET responsible_id = 1 WHERE valid_to IS NULL", "looks after it, the list says 1"),
        ("UPDATE subscription SET responsible_id = NULL WHERE valid_to IS NULL", "looks after it, the list says None"),
        ("UPDATE responsible SET member_id = 1 WHERE valid_to IS NULL AND client_id = 2", "member 1 looks after it"),
        ("UPDATE responsible SET valid_from = '2026-03-04' WHERE valid_to IS NULL AND client_id = 2", "expected from"),
        ("UPDATE responsible SET valid_from = '2026-03-04' WHERE client_id = 1", "expected from"),
        ("UPDATE responsible SET valid_to = '2026-03-04' WHERE client_id = 1", "nobody looks after it since"),
        ("DELETE FROM responsible WHERE client_id = 1", "nobody looks after it"),
        ("DELETE FROM responsible WHERE client_id = 2 AND valid_to IS NULL", "nobody looks after it since"),
    ],
)
def test_every_difference_is_found_and_told(lived_in: Space, statement: str, difference: str) -> None:
    """Each kind of damage, with the partner, the client and the revision."""
    if lived_in.database.engine.dialect.name == "sqlite":
        statement = statement.replace("'2026-03-04'", "valid_from + 5")  # what an instant is there
    tampered(lived_in, statement)
    found = differences(lived_in)
    assert any(difference in line for line in found)
    assert all(line.startswith("partner 1, client ") for line in found)


@pytest.fixture
def waiting(space: Space) -> Space:
    """A client that accepted Plus on 3 March 2026, chose Standard, cancelled it, and chose it again: revisions 1 to 5,
    of which 3 never held and 5 waits for 3 April."""
    space.save(STANDARD)
    space.invite("One", Overrides(plan="plus"))
    space.clock.forward(hours=1)
    with space.database.transaction() as session:
        message = invitations.waiting(session, 1, 1, OutboxMessage)
        assert message is not None
        assert message.token is not None
        invitations.accept(session, message.token)
    space.clock.forward(days=1)
    space.override(1, Overrides(plan="standard"))
    space.clock.forward(days=1)
    with space.database.transaction() as session:
        subscriptions.cancel_pending(session, space.manager, 1, seen=space.detail(1).seen)
    space.clock.forward(days=1)
    space.override(1, Overrides(plan="standard"))
    space.clock.forward(days=1)
    return space


COPIED = [column.name for column in Subscription.__table__.columns if column.name != "revision"]
ONE_MORE = f"INSERT INTO subscription (revision, {', '.join(COPIED)}) SELECT 6, {', '.join(COPIED)} FROM subscription"


def shifted(space: Space, statement: str) -> str:
    """The statement with "column + 5" in microseconds, which is what an instant is on SQLite."""
    if space.database.engine.dialect.name == "sqlite":
        return statement
    return statement.replace(" + 5", " + INTERVAL '5 microseconds'").replace(" - 5", " - INTERVAL '5 microseconds'")


@pytest.mark.parametrize(
    ("statements", "difference"),
    [
        (["UPDATE subscription SET revision = 7 WHERE revision = 5"], "revision 7: expected revision 5"),
        (["UPDATE subscription SET may_hold = FALSE WHERE revision = 4"], "revision 4: said to hold no more, but it"),
        (["UPDATE subscription SET withdrawn_by = 2 WHERE revision = 3"], "revision 3: withdrawn by revision 2, which"),
        (["UPDATE subscription SET withdrawn_by = 6 WHERE revision = 3"], "revision 3: withdrawn by revision 6, which"),
        (["UPDATE subscription SET valid_to = valid_to - 5 WHERE revision = 1"], "revision 2: begins 2026-03-03 10:00"),
        (["UPDATE subscription SET valid_to = valid_to + 5 WHERE revision = 4"], "revision 5: begins 2026-04-03 00:00"),
        (["DELETE FROM subscription WHERE revision = 5"], "client 1: no revision holds now"),
        (
            [
                "DELETE FROM subscription WHERE revision <> 5",
                "UPDATE subscription SET revision = 1",
            ],
            "revision 1: no revision holds now",
        ),
        (
            [
                "UPDATE subscription SET valid_to = valid_from + 5 WHERE revision = 5",
                f"{ONE_MORE} WHERE revision = 5",
                "UPDATE subscription SET valid_from = valid_to, valid_to = NULL WHERE revision = 6",
            ],
            "client 1: more than one change is pending: revisions 5, 6",
        ),
        (["UPDATE subscription SET anchor_day = 4 WHERE revision = 2"], "revision 2: renews by Rhythm(anchor_day=4, "),
        (["UPDATE subscription SET anchor_day = 4 WHERE revision = 4"], "revision 4: renews by Rhythm(anchor_day=4, "),
        (["UPDATE subscription SET price_list = 2 WHERE revision = 2"], "bought at price list 2, expected 1"),
        (["UPDATE subscription SET price_list = 2 WHERE revision = 4"], "bought at price list 2, expected 1"),
        (["UPDATE subscription SET price_list = 2 WHERE revision = 5"], "bought at price list 2, expected 1"),
        (
            ["UPDATE subscription SET decided_at = decided_at - 5 WHERE revision = 1"],
            "revision 1: waited, though no period ran",
        ),
        (
            [
                "UPDATE subscription SET valid_to = valid_to + 5 WHERE revision = 4",
                "UPDATE subscription SET valid_from = valid_from + 5 WHERE revision = 5",
            ],
            "revision 5: begins 2026-04-03 00:00:00.000005+00:00, which is not the renewal of 2026-04-03",
        ),
        (["UPDATE partner SET time_zone = 'Europe/Brussels'"], "which is not the renewal of 2026-04-03"),
    ],
)
def test_every_difference_of_a_life_is_found_and_told(waiting: Space, statements: list[str], difference: str) -> None:
    """What does not join, does not hold, waits wrongly, or says another rhythm or purchase list than history."""
    assert differences(waiting) == []
    for statement in statements:
        tampered(waiting, shifted(waiting, statement))
    assert any(difference in line for line in differences(waiting))


@pytest.fixture
def by_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    url = f"sqlite:///{tmp_path / 'commands.sqlite3'}"
    monkeypatch.setenv("BILLING_DATABASE_URL", url)
    return url


def test_the_commands_make_and_check_a_demo(by_environment: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit status 0 when all is well."""
    assert main(["check"]) == 1
    assert "`python -m core migrate` first" in capsys.readouterr().err
    assert main(["migrate"]) == 0
    assert main(["demo"]) == 0
    assert main(["check"]) == 0
    assert "No difference." in capsys.readouterr().out


def test_check_exits_non_zero_when_there_is_a_difference(
    by_environment: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """So that a job can raise the alarm."""
    assert main(["demo"]) == 0
    database = Database(by_environment)
    with database.transaction() as session:
        session.execute(text("DROP TRIGGER subscription_facts_never_changed"))
        session.execute(text("UPDATE subscription SET payer = 'partner' WHERE client_id = 5 AND payer = 'client'"))
    database.close()
    assert main(["check"]) == 1
    assert "partner 1, client 5, revision 1" in capsys.readouterr().out


def test_a_database_that_does_not_answer_is_said_plainly(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No stack trace for an operator."""
    monkeypatch.setenv("BILLING_DATABASE_URL", "postgresql+psycopg://nobody@127.0.0.1:1/none")
    assert main(["migrate"]) == 1
    assert "The database does not answer" in capsys.readouterr().err


def test_demo_reset_is_refused_on_a_database_demo_mode_did_not_make(
    by_environment: str, space: Space, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing of it is touched."""
    url = space.database.engine.url.render_as_string(hide_password=False)
    monkeypatch.setenv("BILLING_DATABASE_URL", url)
    for command in (["demo"], ["demo", "--reset"]):
        assert main(command) == 1
        assert "not made by demo mode" in capsys.readouterr().err
    with space.database.reading() as session:
        with pytest.raises(DemoRefused):
            demo.open_demo(space.database)
        assert session.scalar(text("SELECT count(*) FROM partner")) == 1


def test_the_commands_run_as_a_module(by_environment: str) -> None:
    """As the README says."""
    done = subprocess.run(
        [sys.executable, "-m", "core", "migrate"], capture_output=True, text=True, check=True, env=dict(os.environ)
    )
    assert done.stdout == "The tables are up to date.\n"
