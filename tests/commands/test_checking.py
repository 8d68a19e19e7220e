"""What `check` proves of members, default settings, invitations, messages and counters; on a live database."""

import pytest
from sqlalchemy import event, text

from core import invitations, members, team
from core.commands.upkeep import CHECKS, said_differences
from core.invitations import ClientDetails, Invitation, OutboxMessage, SmtpServer
from core.members import Identity
from core.team import NewMember
from core.words import ClientStatus, Overrides, Role
from tests.conftest import PLUS, STANDARD, Space
from tests.smtp import smtp_server

PAST_EVERYTHING = ("ck_outbox_message_token_while_it_waits", "ck_outbox_message_next_attempt_at")


def differences(space: Space) -> list[str]:
    with space.database.reading() as session:
        return [difference for check in CHECKS for difference in check(session)]


def damaged(space: Space, *statements: str) -> list[str]:
    """What is found after these statements, past every trigger, key and CHECK; nothing of it stays."""
    with space.database.transaction() as session:
        run = session.connection().exec_driver_sql
        if space.database.is_embedded:
            run("PRAGMA defer_foreign_keys = ON")
            run("PRAGMA ignore_check_constraints = ON")
            for trigger in session.scalars(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all():
                run(f"DROP TRIGGER {trigger}")
        else:
            run("SET LOCAL session_replication_role = replica")
            run("ALTER TABLE invitation DROP CONSTRAINT ck_invitation_one_answer")
            for constraint in PAST_EVERYTHING:
                run(f"ALTER TABLE outbox_message DROP CONSTRAINT {constraint}")
        for statement in statements:
            changed = run(statement)
            assert changed.rowcount, statement
        found = [difference for check in CHECKS for difference in check(session)]
        if space.database.is_embedded:
            run("PRAGMA ignore_check_constraints = OFF")
        session.rollback()
    return found


@pytest.fixture
def lived_in(space: Space) -> Space:
    """Client 1 was sent its invitation and accepted; 2 waits for its second message; 3 was revoked; 4 left and is
    invited again; member 5 came, signed in, and was changed; member 6 waits for a message."""
    space.save(STANDARD)
    space.clock.forward(minutes=1)
    space.save(PLUS)
    for name in ("One", "Two", "Three", "Four"):
        space.invite(name)
    with smtp_server() as (_, server):
        space.clock.forward(minutes=1)
        accepted(space, 1, 4)
        deliver(space, server)
    with space.database.transaction() as session:
        invitations.revoke(session, space.manager, 3)
        invitations.send_again(session, space.manager, 2, seen=1)
    space.clock.forward(days=1)
    space.archive(4)
    with space.database.transaction() as session:
        invitations.invite_again(session, space.manager, 4)
        for name in ("Five", "Six"):
            team.invite_member(session, space.administrator, NewMember.from_typed(
                name=name, email=f"{name}@example.com", role=Role.FINANCE, client_access=True
            ))  # fmt: skip
    who = Identity("https://accounts.example", "5", "five@example.com", True, "Five", space.clock.moment)
    members.bind(space.database, who)
    with space.database.transaction() as session:
        team.change_member(
            session, space.administrator, 5, role=Role.ACCOUNTANT, client_access=True,
            seen=members.newest_change(session, 1, 5).number,  # type: ignore[union-attr]
        )  # fmt: skip
    return space


def accepted(space: Space, *client_ids: int) -> None:
    """These clients open the link that waits for them, and accept."""
    for client_id in client_ids:
        with space.database.transaction() as session:
            message = invitations.waiting(session, space.partner_id, client_id, OutboxMessage)
            assert message is not None
            assert message.token is not None
            invitations.accept(session, message.token)


def deliver(space: Space, server: SmtpServer) -> None:
    assert invitations.deliver(space.database, server).sent == 2


def test_what_the_use_cases_wrote_fits_together(lived_in: Space) -> None:
    """Answers, messages, members and counters, whatever became of each client; also when the invitations lapse."""
    assert differences(lived_in) == []
    lived_in.clock.forward(days=40)
    assert differences(lived_in) == []


TWO = "partner 1, client 2, invitation 1, message 2"
FIVE = "partner 1, member 5"


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        (["UPDATE member SET is_active = false WHERE member_id = 1"], ["partner 1: has no active administrator"]),
        (["UPDATE member SET role = 'finance' WHERE member_id = 5"],
         [f"{FIVE}: role is 'finance', its changes lead to 'accountant'"]),
        (["UPDATE member SET client_access = false WHERE member_id = 5"],
         [f"{FIVE}: client_access is 'no', its changes lead to 'yes'"]),
        (["UPDATE member SET is_active = false WHERE member_id = 5"],
         [f"{FIVE}: is_active is 'no', its changes lead to 'yes'",
          f"{FIVE}, message 1: waits for a member who is inactive"]),
        (["UPDATE member_change SET \"before\" = 'administrator' WHERE member_id = 5 AND number = 3"],
         [f"{FIVE}, change 3: role was 'finance', not 'administrator'"]),
        (["UPDATE member_change SET number = 4 WHERE member_id = 5 AND number = 3"],
         [f"{FIVE}, change 4: expected change 3"]),
        (["DELETE FROM member_sign_in WHERE member_id = 5"],
         [f"{FIVE}: sign_in is None, its changes lead to '5 (https://accounts.example)'"]),
        (["UPDATE member_sign_in SET member_id = 9 WHERE member_id = 5"],
         [f"{FIVE}: sign_in is None, its changes lead to '5 (https://accounts.example)'",
          "partner 1, member 9: an account is bound, but there is no such member"]),
        (["UPDATE sign_in_event SET member_id = 9 WHERE member_id = 5"],
         ["partner 1, member 9: a sign-in is kept, but there is no such member"]),
        (["UPDATE member SET role = 'finance' WHERE member_id = 2"],
         ["partner 1, member 2: looks after clients, and cannot"]),
        (["DELETE FROM default_settings WHERE version = 1"],
         ["partner 1, set 1, default settings 2: expected version 1"]),
        (["UPDATE default_settings SET saved_at = (SELECT max(saved_at) FROM default_settings)"], ["saved"]),
        (["UPDATE default_settings SET add_ons = 'fax' WHERE version = 1"],
         ["partner 1, set 1, default settings 1: add-ons that the catalogue does not have: fax"]),
        (["UPDATE default_set SET name = 'Other'"],
         ["partner 1, set 1: is called 'Other', what was done with it says 'Standard'",
          "partner 1, set 1: is compared as 'standard', its name as 'other'"]),
        (["UPDATE partner SET standard_set = NULL"], ["partner 1: none of its sets is the standard one"]),
        (["UPDATE partner SET standard_set = 7"],
         ["partner 1: its standard set is 7, which is retired or does not exist"]),
        (["UPDATE partner SET last_client_id = 9"], ["partner 1: its last client is 4, its counter says 9"]),
        (["UPDATE partner SET last_batch = 2"], ["partner 1: its last batch is 0, its counter says 2"]),
        (["UPDATE outbox_message SET number = 3 WHERE client_id = 4 AND number = 2",
          "UPDATE invitation SET number = 3 WHERE client_id = 4 AND number = 2"],
         ["partner 1, client 4, invitation 3: expected 2",
          "partner 1, client 4, invitation 3, message 1: its token does not open its invitation"]),
        (["DELETE FROM outbox_message WHERE client_id = 3", "DELETE FROM invitation WHERE client_id = 3"],
         ["partner 1, client 3, invitation: there is none"]),
        (["UPDATE invitation SET expires_at = accepted_at WHERE client_id = 1"],
         ["partner 1, client 1, invitation 1: accepted 2026-03-03 09:02:00+00:00, "
          "after it had expired 2026-03-03 09:02:00+00:00"]),
        (["UPDATE invitation SET revoked_at = accepted_at WHERE client_id = 1"],
         ["partner 1, client 1, invitation 1: accepted and revoked"]),
        (["UPDATE invitation SET accepted_at = NULL WHERE client_id = 1"],
         ["partner 1, client 1: accepted 0 invitations, became active by itself 1 times",
          "partner 1, client 1: active, but its newest invitation was not accepted"]),
        (["UPDATE subscription SET status = 'invited', anchor_day = NULL, anchor_month = NULL, price_list = NULL "
          "WHERE client_id = 1"],
         ["partner 1, client 1: accepted 1 invitations, became active by itself 0 times",
          "partner 1, client 1: invited, but its newest invitation was accepted"]),
        (["UPDATE invitation SET accepted_at = expires_at - {second} WHERE client_id = 4 AND number = 1"],
         ["partner 1, client 4: active from 2026-03-03 09:02:00+00:00, but accepted 2026-04-02 09:00:59+00:00"]),
        (["UPDATE outbox_message SET sending = 3 WHERE client_id = 2 AND sending = 2"],
         ["partner 1, client 2, invitation 1, message 3: expected 2"]),
        (["DELETE FROM outbox_message WHERE client_id = 1"],
         ["partner 1, client 1, invitation 1, message: there is none"]),
        (["INSERT INTO outbox_message (partner_id, client_id, number, sending, message_id, recipient, token, "
          "queued_by_id, queued_at, next_attempt_at, attempts) SELECT partner_id, client_id, number, 3, message_id, "
          "recipient, token, queued_by_id, queued_at, next_attempt_at, attempts FROM outbox_message "
          "WHERE client_id = 2 AND sending = 2"],
         ["partner 1, client 2: 2 messages wait"]),
        (["UPDATE outbox_message SET token = 'x' WHERE client_id = 1"],
         ["partner 1, client 1, invitation 1, message 1: has a token, and does not wait"]),
        (["UPDATE outbox_message SET token = NULL WHERE client_id = 2 AND sending = 2"],
         [f"{TWO}: waits without a token"]),
        (["UPDATE invitation SET token_hash = 'x' WHERE client_id = 2"],
         [f"{TWO}: its token does not open its invitation"]),
        (["UPDATE outbox_message SET token = '1.3.1.x' WHERE client_id = 2 AND sending = 2"],
         [f"{TWO}: its token does not open its invitation"]),
        (["UPDATE invitation SET revoked_at = expires_at WHERE client_id = 2"],
         [f"{TWO}: waits, but its invitation was answered or revoked"]),
        (["INSERT INTO invitation (partner_id, client_id, number, invited_by_id, invited_at, expires_at, message, "
          "reason) SELECT 1, 2, 2, invited_by_id, invited_at, expires_at, message, reason "
          "FROM invitation WHERE client_id = 2"],
         [f"{TWO}: waits, but the newest invitation is 2"]),
        (["UPDATE client SET email = 'else@example.com' WHERE client_id = 2"],
         [f"{TWO}: waits for 'two@example.com', its client's address is 'else@example.com'",
          "partner 1, client 2: searched in '  two  twoexamplecom', not '  two  elseexamplecom'"]),
        (["UPDATE client SET search_text = '  three' WHERE client_id = 2"],
         ["partner 1, client 2: searched in '  three', not '  two  twoexamplecom'"]),
        (["UPDATE outbox_message SET attempts = 0 WHERE client_id = 2 AND sending = 1"],
         ["partner 1, client 2, invitation 1, message 1: sent 2026-03-03 09:02:00+00:00, but no attempt is kept"]),
        (["INSERT INTO delivery_failure SELECT partner_id, client_id, number, sending, 2, queued_at, 'no' "
          "FROM outbox_message WHERE client_id = 2 AND sending = 1"],
         ["partner 1, client 2, invitation 1, message 1: attempt 2 failed, of 1 that are kept"]),
        (["UPDATE member_message SET sending = 2 WHERE member_id = 6"],
         ["partner 1, member 6, message 2: expected 1"]),
        (["INSERT INTO member_message (partner_id, member_id, sending, message_id, recipient, queued_by_id, "
          "queued_at, next_attempt_at, attempts) SELECT partner_id, member_id, 2, message_id, recipient, "
          "queued_by_id, queued_at, next_attempt_at, attempts FROM member_message "
          "WHERE member_id = 6"],
         ["partner 1, member 6: 2 messages wait"]),
        (["UPDATE member SET email = 'else@example.com' WHERE member_id = 6"],
         ["partner 1, member 6, message 1: waits for 'six@example.com', the member's address is 'else@example.com'"]),
        (["UPDATE member SET is_active = false WHERE member_id = 6"],
         ["partner 1, member 6: is_active is 'no', its changes lead to 'yes'",
          "partner 1, member 6, message 1: waits for a member who is inactive"]),
    ],
)  # fmt: skip
def test_each_damage_is_told_in_one_sentence(lived_in: Space, statements: list[str], expected: list[str]) -> None:
    """Exactly what is wrong, and nothing beside it."""
    second = "1000000" if lived_in.database.is_embedded else "interval '1 second'"
    found = damaged(lived_in, *(statement.replace("{second}", second) for statement in statements))
    if expected == ["saved"]:
        (only,) = found
        moment = "2026-03-03 09:01:00+00:00"
        assert only == f"partner 1, set 1, default settings 2: saved {moment}, the version before was saved {moment}"
    else:
        assert sorted(found) == sorted(expected)
    assert differences(lived_in) == []


def test_an_edit_that_moves_a_waiting_message_fits(lived_in: Space) -> None:
    """Also of an invitation that had lapsed, whose message stays with the old address and leaves no more."""
    lived_in.clock.forward(days=40)
    with lived_in.database.transaction() as session:
        details = ClientDetails.from_typed(name="Two", email="other@example.com", language="fr")
        invitations.edit_client(session, lived_in.manager, 2, details, seen=0)
    assert differences(lived_in) == []


def test_checking_holds_nobody_up_and_sees_one_moment(lived_in: Space, capsys: pytest.CaptureFixture[str]) -> None:
    """Others invite while it reads: they do not wait, and it does not see half of what they do."""
    invited = 0

    def invite_meanwhile(*_: object) -> None:
        nonlocal invited
        if invited < 5:
            invited += 1
            lived_in.invite(f"Meanwhile {invited}", Overrides(plan="plus"))

    with lived_in.database.reading() as session:
        session.connection()  # the reader's own
        session.execute(text("SELECT count(*) FROM partner"))
        event.listen(session.connection(), "after_cursor_execute", invite_meanwhile)
        assert said_differences(session) == 0
    assert invited == 5
    assert capsys.readouterr().out.startswith("No difference. Checked in ")
    assert differences(lived_in) == []
    assert lived_in.detail(9).status is ClientStatus.INVITED
    assert lived_in.invitation(9).invitation.__class__ is Invitation
