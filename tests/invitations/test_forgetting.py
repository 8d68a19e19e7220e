"""Personal data: everything held on a client, taken out; and a client forgotten, its history and figures intact."""

import io
import json
from pathlib import Path

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DatabaseError

from core import invitations, members, reports, subscriptions
from core.__main__ import main
from core.commands.upkeep import CHECKS
from core.invitations import ClientDetails
from core.storage import Base
from core.words import (
    ActivityKind,
    BillingPeriod,
    DeliveryStatus,
    ForgottenClient,
    LinkUnknown,
    NotArchived,
    Overrides,
    Payer,
    Role,
)
from tests.commands.test_checking import accepted, damaged
from tests.conftest import PLUS, STANDARD, Space

WORDS = (
    "Zephyrine",
    "zephyrine",
    "Quillon",
    "quillon",
    "0471730202",
    "REF-77",
    "because she asked",
    "it got lost",
    "she left",
)


@pytest.fixture
def known(space: Space) -> Space:
    """Client 1 with everything that can be known of one, archived; client 2 beside it, of whom nothing may change."""
    space.save(STANDARD)
    space.invite(
        "Zephyrine SA", email="zephyrine@example.com", contact_name="Quillon", company_number="0471730202",
        external_reference="REF-77", message="Dear Quillon", country="BE",
    )  # fmt: skip
    space.invite("Other", message="Hello", contact_name="Somebody")
    space.clock.forward(days=1)
    details = ClientDetails.from_typed(
        name="Zephyrine NV", email="quillon@example.com", contact_name="Quillon", country="BE"
    )
    with space.database.transaction() as session:
        invitations.edit_client(session, space.manager, 1, details, seen=0, reason="because she asked")
        invitations.send_again(session, space.manager, 1, seen=2, reason="it got lost")
        invitations.revoke(session, space.manager, 1, reason="she left")
        invitations.invite_again(session, space.manager, 1, reason="because she asked")
    space.override(1, Overrides(billing_period=BillingPeriod.YEARLY), reason="because she asked")
    space.give(1, Role.ACCOUNTANT, reason="because she asked")
    with space.database.transaction() as session:
        session.execute(
            text("INSERT INTO delivery_failure SELECT 1, 1, number, sending, 1, queued_at, 'no quillon here' "
                 "FROM outbox_message WHERE client_id = 1 AND number = 1 AND sending = 1")
        )  # fmt: skip
        session.execute(
            text("UPDATE outbox_message SET attempts = 1 WHERE client_id = 1 AND number = 1 AND sending = 1")
        )
    accepted(space, 1)
    space.clock.forward(days=20)
    space.archive(1)
    space.clock.forward(days=1)
    return space


def forget(space: Space, client_id: int = 1) -> bool:
    with space.database.transaction() as session:
        return invitations.forget(session, space.partner_id, client_id, by=space.administrator)


def everything(space: Space) -> str:
    """Every row of every table, as one text."""
    with space.database.reading() as session:
        return "\n".join(
            repr(tuple(row)) for table in Base.metadata.tables.values() for row in session.execute(select(table))
        )


def differences(space: Space) -> list[str]:
    with space.database.reading() as session:
        return [difference for check in CHECKS for difference in check(session)]


def test_everything_held_on_a_client_is_taken_out(known: Space) -> None:
    """Details, edits, revisions, who looked after it, invitations, messages, failures and what was done; no secret."""
    with known.database.transaction() as session:
        held = invitations.held_on(session, 1, 1, by=known.administrator)
    written = json.dumps(held)
    assert all(word in written for word in WORDS)
    assert {name: len(rows) for name, rows in held.items()} == {
        "client": 1, "edits": 4, "subscription": 4, "looked_after_by": 2, "invitations": 2, "messages": 4,
        "failures": 1, "messages_about_who_pays": 0, "failures_about_who_pays": 0, "activity": 1, "members": 2,
    }  # fmt: skip
    assert held["members"] == {"2": "The client manager", "3": "The accountant"}
    assert "token" not in written
    assert "Other" not in written
    with known.database.reading() as session:
        newest = members.activities(session, known.administrator)[0]
    assert (newest.by, newest.what, newest.client_id) == ("The administrator", ActivityKind.CLIENT_EXPORTED, 1)


def test_nothing_is_left_of_a_forgotten_client_but_its_history(known: Space) -> None:
    """No word of it in any table; its revisions, its figures and who looked after it are as they were."""
    before, others = known.detail(1), known.detail(2)
    with known.database.reading() as session:
        figures = reports.plan_distribution(session, known.administrator)
    held = everything(known)
    assert all(word in held for word in WORDS)
    looked_after = known.looked_after(1)
    assert forget(known)
    left = everything(known)
    assert [word for word in (*WORDS, "Dear") if word in left] == []
    after = known.detail(1)
    facts = [(each.valid_from, each.settings, each.status, each.overridden, each.changed_by) for each in before.history]
    assert [
        (each.valid_from, each.settings, each.status, each.overridden, each.changed_by) for each in after.history
    ] == facts
    assert after.client.name == "Forgotten client 1"
    assert after.client.email == "client-1-1@forgotten.invalid"
    assert [(each.name, each.valid_from) for each in known.looked_after(1)] == [
        (each.name, each.valid_from) for each in looked_after
    ]
    with known.database.reading() as session:
        assert reports.plan_distribution(session, known.administrator).equals(figures)
        newest = members.activities(session, known.administrator)[0]
        assert (newest.by, newest.what, newest.client_id) == ("The administrator", ActivityKind.CLIENT_FORGOTTEN, 1)
        (edit,) = subscriptions.edits(session, known.manager, 1)
        assert edit.changed_by == "The client manager"
    assert differences(known) == []
    assert (known.detail(2).client.name, known.detail(2).history) == (others.client.name, others.history)
    assert "Somebody" in left
    assert not forget(known)  # asked twice, it is done and kept once
    with known.database.reading() as session:
        asked = members.count_activities(session, known.administrator, what=ActivityKind.CLIENT_FORGOTTEN)
    assert asked == 1


def test_words_of_a_mail_server_that_come_late_are_forgotten_with_the_next_time(known: Space) -> None:
    """An attempt that ran meanwhile failed after the client was forgotten."""
    forget(known)
    with known.database.transaction() as session:
        session.execute(text("UPDATE delivery_failure SET said = 'no quillon here'"))
    assert differences(known) == ["partner 1, client 1: forgotten, but delivery_failure has texts of it"]
    assert not forget(known)
    assert differences(known) == []


def test_only_an_archived_client_is_forgotten(known: Space) -> None:
    """One that is invited or active is refused, and nothing is written."""
    before = everything(known)
    with pytest.raises(NotArchived, match="Other is not archived"):
        forget(known, 2)
    assert everything(known) == before


def test_what_waits_for_an_archived_client_is_withdrawn_and_its_link_opens_nothing(known: Space) -> None:
    """Archived while its invitation was pending."""
    with known.database.reading() as session:
        waiting = invitations.waiting_message(session, known.manager, 2)
    assert waiting is not None
    token = waiting.message.token  # type: ignore[attr-defined]
    known.archive(2)
    assert forget(known, 2)
    with known.database.transaction() as session:
        assert invitations.waiting_message(session, known.manager, 2) is None
        with pytest.raises(LinkUnknown):
            invitations.accept(session, token)
    assert differences(known) == []


def test_a_forgotten_client_is_neither_edited_nor_invited_but_its_e_mail_is_free(known: Space) -> None:
    """Who comes back is a new client."""
    forget(known)
    details = ClientDetails.from_typed(name="Again", email="again@example.com")
    with known.database.transaction() as session:
        with pytest.raises(ForgottenClient):
            invitations.edit_client(session, known.manager, 1, details, seen=1)
        with pytest.raises(ForgottenClient):
            invitations.invite_again(session, known.manager, 1)
    assert known.invite("Zephyrine SA", email="quillon@example.com").client_id == 3
    assert differences(known) == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE subscription SET reason = '[forgotten]' WHERE client_id = 2",
        "UPDATE responsible SET reason = '[forgotten]' WHERE client_id = 2",
        "UPDATE client_change SET before = '[forgotten 1]', after = '[forgotten 2]' WHERE client_id = 2",
        "UPDATE subscription SET reason = 'another' WHERE client_id = 1",
        "UPDATE subscription SET plan = 'plus' WHERE client_id = 1",
        "UPDATE responsible SET reason = 'another' WHERE client_id = 1",
        "UPDATE client_change SET after = 'another' WHERE client_id = 1",
        "UPDATE client_change SET number = 7 WHERE client_id = 1",
        "DELETE FROM client_change WHERE client_id = 1",
        "UPDATE client SET name = 'Known again' WHERE client_id = 1",
    ],
)
def test_the_triggers_allow_exactly_this(known: Space, statement: str) -> None:
    """Texts of a forgotten client are replaced by one word; of others nothing is, and no fact of anybody."""
    statement = statement.replace(" before ", ' "before" ')
    with known.database.transaction() as session:
        details = ClientDetails.from_typed(name="Other two", email="other@example.com")
        invitations.edit_client(session, known.manager, 2, details, seen=0, reason="typed")
    known.override(2, Overrides(billing_period=BillingPeriod.YEARLY), reason="typed")
    known.give(2, Role.ACCOUNTANT, reason="typed")
    forget(known)
    before = everything(known)
    with pytest.raises(DatabaseError, match="never changed or deleted"), known.database.transaction() as session:
        session.execute(text(statement))
    assert everything(known) == before


def test_nothing_is_left_of_the_messages_about_who_pays(space: Space) -> None:
    """One that waits for a client which has ended is withdrawn; its address and the words of the mail server go, whose
    moments and attempts stay. `check` names each that is left."""
    space.save(PLUS)
    space.invite("Zephyrine SA", email="zephyrine@example.com")
    accepted(space, 1)
    space.clock.forward(days=3)
    space.override(1, Overrides(payer=Payer.CLIENT))
    with space.database.transaction() as session:
        session.execute(text("UPDATE payer_message SET attempts = 1"))
        session.execute(
            text(
                "INSERT INTO payer_delivery_failure (partner_id, client_id, sending, attempt, failed_at, said) "
                "SELECT 1, 1, sending, 1, queued_at, 'no zephyrine here' FROM payer_message"
            )
        )
        subscriptions.archive(session, space.manager, 1, seen=subscriptions.detail(session, space.manager, 1).seen)
    space.clock.forward(days=400)
    assert forget(space)
    assert "ephyrine" not in everything(space)
    (message,) = space.invitation(1).about_payer
    assert (message.status, message.recipient) == (DeliveryStatus.WITHDRAWN, "client-1-1@forgotten.invalid")
    assert [said for _, said in message.failures] == ["[forgotten]"]
    assert differences(space) == []
    for table, column in {"payer_message": "recipient", "payer_delivery_failure": "said"}.items():
        left = damaged(space, f"UPDATE {table} SET {column} = 'zephyrine@example.com'")
        assert left == [f"partner 1, client 1: forgotten, but {table} has texts of it"]


@pytest.mark.parametrize(
    ("statement", "left"),
    [
        ("UPDATE client SET contact_name = 'Quillon' WHERE client_id = 1", "its details are there"),
        ("UPDATE client_change SET after = 'Quillon' WHERE client_id = 1", "client_change has texts of it"),
        ("UPDATE subscription SET reason = 'Quillon' WHERE client_id = 1", "subscription has texts of it"),
        ("UPDATE responsible SET reason = 'Quillon' WHERE client_id = 1", "responsible has texts of it"),
        ("UPDATE invitation SET message = 'Quillon' WHERE client_id = 1", "invitation has texts of it"),
        ("UPDATE outbox_message SET recipient = 'q@example.com' WHERE client_id = 1", "outbox_message has texts of it"),
        ("UPDATE delivery_failure SET said = 'Quillon' WHERE client_id = 1", "delivery_failure has texts of it"),
    ],
)  # fmt: skip
def test_check_finds_what_is_left_of_a_forgotten_client(known: Space, statement: str, left: str) -> None:
    """Table by table."""
    forget(known)
    assert damaged(known, statement) == [f"partner 1, client 1: forgotten, but {left}"]


def test_the_commands_take_out_and_forget(
    known: Space, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Forgetting asks again; who decided it is kept; an SQLite file has no word of it left, not even unused."""
    url = known.database.engine.url.render_as_string(hide_password=False)
    monkeypatch.setenv("BILLING_DATABASE_URL", url)
    assert main(["client", "export", "1", "--partner", "1"]) == 0
    assert json.loads(capsys.readouterr().out)["client"][0]["name"] == "Zephyrine NV"
    forgetting = ["client", "forget", "1", "--partner", "1"]
    for answer in ("", "yes\n", "2\n"):
        monkeypatch.setattr("sys.stdin", io.StringIO(answer))
        assert main(forgetting) == 1
        assert "Nothing was forgotten." in capsys.readouterr().err
    assert main([*forgetting, "--yes", "--as", "nobody@example.com"]) == 1
    assert "Correct --as" in capsys.readouterr().err
    assert main(["client", "forget", "9", "--partner", "1", "--yes"]) == 1
    assert "no client with number 9" in capsys.readouterr().err
    known.database.close()
    monkeypatch.setattr("sys.stdin", io.StringIO("1\n"))
    assert main([*forgetting, "--as", "administrator@example.com"]) == 0
    assert "Client 1 is forgotten." in capsys.readouterr().out
    assert main([*forgetting, "--yes"]) == 0
    assert "was forgotten before" in capsys.readouterr().out
    assert main(["check"]) == 0
    with known.database.reading() as session:
        newest = members.activities(session, known.administrator)[0]
    assert newest.by == "The administrator"
    if known.database.is_embedded:
        known.database.close()
        path = Path(known.database.engine.url.database or "")
        files = [path, *(path.with_name(path.name + end) for end in ("-wal", "-shm"))]
        content = b"".join(file.read_bytes() for file in files if file.exists())
        assert [word for word in WORDS if word.encode() in content] == []
