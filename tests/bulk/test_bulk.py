"""Many clients in one act: what is previewed, done, refused and left out (rules 45 to 51)."""

import pytest
from sqlalchemy import text

from core import bulk, invitations, reports, subscriptions
from core.bulk import (
    Adopt,
    Archive,
    CancelPending,
    ChangeResponsible,
    Found,
    NobodyChosen,
    NothingToDo,
    Override,
    ReasonMissing,
    StaleBulk,
    Ticked,
    TooManyClients,
    Why,
    surroundings,
)
from core.bulk import acts as bulk_acts
from core.words import (
    BatchKind,
    BillingPeriod,
    ClientNotFound,
    ClientStatus,
    InvitationStatus,
    NotAllowed,
    Origin,
    Overrides,
    Payer,
    Role,
    Setting,
)
from tests.bulk.conftest import ALL, active, done, previewed, undone
from tests.conftest import PLUS, STANDARD, Space


@pytest.fixture
def life(space: Space) -> dict[str, int]:
    """Clients in every state, on a first version of the defaults; a second one is in force."""
    space.save(STANDARD)
    found = {
        "invited": space.invite("Invited").client_id,
        "active": active(space, "Active"),
        "exception": active(space, "Exception", Overrides(plan="premium")),
        "pending": active(space, "Pending"),
        "ending": active(space, "Ending"),
        "archived": active(space, "Archived"),
    }
    space.clock.forward(days=10)
    space.override(found["pending"], Overrides(billing_period=BillingPeriod.YEARLY))
    end(space, found["ending"])
    space.archive(found["archived"])
    space.save(PLUS)
    return found


def end(space: Space, client_id: int) -> None:
    seen = space.detail(client_id).seen
    with space.database.transaction() as session:
        subscriptions.archive(session, space.manager, client_id, seen=seen)


def clean(space: Space) -> None:
    with space.database.reading() as session:
        assert list(subscriptions.differences(session)) == []
        assert list(invitations.differences(session)) == []


def test_a_preview_says_in_groups_what_is_done_and_who_is_left_out_with_the_reason(
    space: Space, life: dict[str, int]
) -> None:
    """Rule 46: adopting leaves out who is archived or ending; the period waits for the renewal of who accepted."""
    shown = previewed(space, Adopt())
    assert (shown.chosen, shown.changed, len(shown.left_out)) == (6, 4, 2)
    assert {each.client_id: each.why for each in shown.left_out} == {
        life["archived"]: Why.ARCHIVED, life["ending"]: Why.ENDING,
    }  # fmt: skip
    assert {(group.clients, group.kind.waits) for group in shown.groups} == {(2, True), (1, True), (1, False)}
    assert sum(group.replaces_pending for group in shown.groups) == shown.replaces_pending == 1
    waiting = next(group for group in shown.groups if group.clients == 2)
    assert (waiting.first, waiting.last) == (space.detail(life["active"]).period.renewal,) * 2  # type: ignore[union-attr]
    assert waiting.kind.price_before is not None
    assert waiting.kind.price_before.cents < waiting.kind.price_after.cents  # type: ignore[union-attr]
    assert bulk.left_out_file(shown.left_out).count("\n") == 3
    assert "Archived is archived" in bulk.left_out_file(shown.left_out)


def test_what_was_previewed_is_done_in_one_batch_through_one_door_at_one_instant(
    space: Space, life: dict[str, int]
) -> None:
    """Rules 45 and 51: one number, one timestamp, the door `bulk`; the change number grows once."""
    number = "SELECT change_number FROM partner"
    with space.database.reading() as session:
        before = session.scalar(text(number))
    made = done(space, Adopt())
    with space.database.reading() as session:
        assert session.scalar(text(number)) == before + 1
    assert (made.batch, made.kind, made.chosen, made.changed, made.left_out) == (1, BatchKind.ADOPT, 6, 4, 2)
    assert (made.by, made.reason, made.undone_by) == (space.manager.name, "New prices", None)
    assert (made.act, made.filters) == (Adopt(), {})
    newest = [space.detail(life[name]).history[0] for name in ("invited", "active", "exception", "pending")]
    assert {each.origin for each in newest} == {Origin.BULK}
    assert {each.decided_at for each in newest} == {made.done_at}
    assert {each.batch for each in newest} == {1}
    with space.database.reading() as session:
        assert [each.client_id for each in bulk.clients_of(session, space.manager, 1)] == [
            life[name] for name in ("active", "exception", "invited", "pending")
        ]
        assert [each.batch for each in bulk.batches(session, space.manager)] == [1]
        assert bulk.count_batches(session, space.manager) == 1
    clean(space)


def test_an_override_is_set_or_cleared_and_every_other_choice_stays(space: Space, life: dict[str, int]) -> None:
    """Rule 45; a choice that is nothing new leaves a client out."""
    done(space, Override(Overrides(payer=Payer.PARTNER)))
    assert space.detail(life["exception"]).overrides == Overrides(payer=Payer.PARTNER, plan="premium")
    shown = previewed(space, Override(Overrides(payer=Payer.PARTNER)))
    assert {each.why for each in shown.left_out} == {Why.ARCHIVED, Why.ENDING, Why.NOTHING_TO_CHANGE}
    done(space, Override(clear=frozenset({Setting.PAYER})), Ticked((life["exception"], life["invited"])))
    assert space.detail(life["exception"]).overrides == Overrides(plan="premium")
    assert space.detail(life["active"]).overrides == Overrides(payer=Payer.PARTNER)
    clean(space)


def test_clients_that_cannot_have_it_are_left_out_with_the_words_of_the_rule(
    space: Space, life: dict[str, int]
) -> None:
    """Rules 8, 9 and 46: not offered, and retired."""
    add_ons = Override(Overrides(add_ons=frozenset({"payroll"}), plan="starter"))
    not_offered = previewed(space, add_ons, Ticked((life["active"],)))
    assert [each.why for each in not_offered.left_out] == [Why.NOT_OFFERED]
    space.retire(plan="plus")
    retired = previewed(space, Override(Overrides(plan="plus")), Ticked((life["active"],)))
    assert [each.why for each in retired.left_out] == [Why.RETIRED]
    assert "is retired" in retired.left_out[0].text
    with pytest.raises(NothingToDo):
        done(space, Override(Overrides(plan="plus")), Ticked((life["active"],)))


def test_pending_changes_and_ends_are_cancelled_together(space: Space, life: dict[str, int]) -> None:
    """Rule 33."""
    shown = previewed(space, CancelPending())
    assert (shown.changed, shown.replaces_pending) == (2, 2)
    assert {group.kind.withdraws_end for group in shown.groups} == {True, False}
    assert {each.why for each in shown.left_out} == {Why.NOTHING_PENDING}
    done(space, CancelPending())
    assert [space.detail(life[name]).pending for name in ("pending", "ending")] == [None, None]
    clean(space)


def test_archiving_ends_at_the_renewal_and_revokes_the_invitation_of_who_is_invited(
    space: Space, life: dict[str, int]
) -> None:
    """Rule 35."""
    done(space, Archive())
    assert space.detail(life["invited"]).status is ClientStatus.ARCHIVED
    assert space.invitation(life["invited"]).status is InvitationStatus.REVOKED
    assert space.detail(life["active"]).is_ending
    clean(space)


def test_what_the_list_finds_by_several_statuses_is_what_is_changed(space: Space, life: dict[str, int]) -> None:
    """A lapsed invitation is no invited client's; who was meant is kept, and finds the same clients again."""
    space.clock.forward(days=40)
    with space.database.reading() as session:
        listed = reports.listed(session, space.manager, status="expired,archived")
    accountant = ChangeResponsible(space.members[Role.ACCOUNTANT].member_id)
    made = done(space, accountant, Found({"status": reports.statuses("expired,archived")}))
    assert {each.client_id for each in listed} == {life["invited"], life["archived"], life["ending"]}
    assert (made.changed, made.filters) == (3, {"status": reports.statuses(["expired", "archived"])})
    assert previewed(space, Adopt(), Found({"responsible": accountant.responsible_id})).chosen == 3
    clean(space)


def test_the_account_manager_of_archived_clients_is_changed_too(space: Space, life: dict[str, int]) -> None:
    """Rule 52; the history says through which door, and the list finds them."""
    accountant = space.members[Role.ACCOUNTANT].member_id
    shown = previewed(space, ChangeResponsible(accountant))
    assert [(group.clients, group.kind.responsible_after) for group in shown.groups] == [(6, "The accountant")]
    made = done(space, ChangeResponsible(accountant))
    assert (made.kind, made.changed) == (BatchKind.RESPONSIBLE, 6)
    assert {space.looked_after(client_id)[0].origin for client_id in life.values()} == {Origin.BULK}
    assert previewed(space, Adopt(), Found({"responsible": accountant})).chosen == 6
    clean(space)
    back = undone(space, made.batch)
    assert (back.changed, back.undoes) == (6, made.batch)
    assert space.looked_after(life["active"])[0].member_id == space.manager.member_id
    clean(space)


def test_a_client_changed_meanwhile_refuses_the_whole_and_says_who_changed_it(
    space: Space, life: dict[str, int]
) -> None:
    """Rule 47."""
    digest = previewed(space, Adopt()).digest
    space.clock.forward(minutes=1)
    seen = space.detail(life["active"]).seen
    with space.database.transaction() as session:
        subscriptions.override(session, space.administrator, life["active"], Overrides(payer=Payer.PARTNER), seen=seen)
    with pytest.raises(StaleBulk, match=r"Active \(The administrator\)") as refused:
        done(space, Adopt(), digest=digest)
    assert [each.client_id for each in refused.value.changed] == [life["active"]]
    assert space.detail(life["invited"]).history[0].revision == 1


@pytest.mark.parametrize("changed", ["defaults", "day", "catalogue"])
def test_new_defaults_prices_or_another_day_refuse_the_whole(space: Space, life: dict[str, int], changed: str) -> None:
    """Rule 47: nobody changed a client, and yet it would be another thing."""
    digest = previewed(space, Adopt()).digest
    match changed:
        case "defaults":
            space.save(STANDARD)
        case "day":
            space.clock.forward(days=1)
        case _:
            space.retire(plan="starter")
    with pytest.raises(StaleBulk, match="look at the preview again"):
        done(space, Adopt(), digest=digest)
    assert space.detail(life["invited"]).history[0].revision == 1


def test_the_same_preview_sent_twice_is_one_batch(space: Space, life: dict[str, int]) -> None:
    """Rule 49; also when the form is forgotten elsewhere, after a week."""
    digest = previewed(space, Adopt()).digest
    first = done(space, Adopt(), digest=digest, attempt="one")
    space.clock.forward(days=30)
    assert done(space, Adopt(), digest=digest, attempt="one") == first
    assert space.detail(life["invited"]).history[0].revision == 2


def test_who_may_not_change_one_client_may_not_change_many(space: Space, life: dict[str, int]) -> None:
    """Rule 51: finance and accountants."""
    digest = previewed(space, Adopt()).digest
    for role in (Role.FINANCE, Role.ACCOUNTANT):
        member = space.members[role]
        with space.database.transaction() as session:
            for act in (Adopt(), ChangeResponsible(1), CancelPending(), Archive(), Override()):
                with pytest.raises(NotAllowed):
                    bulk.preview(session, member, act, ALL)
                with pytest.raises(NotAllowed):
                    bulk.do(session, member, act, ALL, digest=digest, reason="Mine")
            with pytest.raises(NotAllowed):
                bulk.undo_preview(session, member, 1)
            with pytest.raises(NotAllowed):
                bulk.undo(session, member, 1, digest=digest, reason="Mine")


def test_permission_taken_away_while_it_runs_leaves_nothing(space: Space, life: dict[str, int]) -> None:
    """Rule 51: it is asked again after each part."""
    shown = previewed(space, Adopt())
    taken = text("UPDATE member SET client_access = false WHERE member_id = :member")
    with pytest.raises(NotAllowed), space.database.transaction() as session:
        session.execute(taken, {"member": 0})
        original = subscriptions.write_all

        def take_away(*args: object, **named: object) -> None:
            original(*args, **named)  # type: ignore[arg-type]
            session.execute(taken, {"member": space.manager.member_id})

        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(subscriptions, "write_all", take_away)
            bulk.do(session, space.manager, Adopt(), ALL, digest=shown.digest, reason="New prices")
    assert space.detail(life["invited"]).history[0].revision == 1
    with space.database.reading() as session:
        assert bulk.batches(session, space.manager) == []


def test_a_batch_needs_somebody_a_reason_and_not_too_many(
    space: Space, life: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rule 45; a client of nobody is refused as elsewhere."""
    with pytest.raises(ReasonMissing):
        done(space, Adopt(), reason="  ")
    with pytest.raises(NobodyChosen):
        previewed(space, Adopt(), Found({"search": "zzz"}))
    with pytest.raises(ClientNotFound, match="999"):
        previewed(space, Adopt(), Ticked((life["active"], 999)))
    monkeypatch.setattr(surroundings, "MOST", 5)
    with pytest.raises(TooManyClients, match="More than 5"):
        previewed(space, Adopt())
    assert bulk_acts.MOST == 100_000


def test_clients_that_become_the_payer_are_told_and_those_archived_are_not(space: Space, life: dict[str, int]) -> None:
    """Rule 30, for a batch as for one client."""
    done(space, Override(Overrides(payer=Payer.PARTNER)))
    shown = previewed(space, Override(Overrides(payer=Payer.CLIENT)))
    assert sum(group.become_payer for group in shown.groups) == 3
    done(space, Override(Overrides(payer=Payer.CLIENT)))
    with space.database.reading() as session:
        told = session.scalars(text("SELECT client_id FROM payer_message WHERE next_attempt_at IS NOT NULL")).all()
    assert sorted(told) == sorted([life["active"], life["exception"], life["pending"]])
    clean(space)


def test_imports_are_batches_too(space: Space) -> None:
    """They are listed, and cannot be undone."""
    from core import imports

    space.save(STANDARD)
    with space.database.reading() as session:
        sheet = imports.read_pasted("name\tcountry\te-mail\nOne\tBE\tone@example.com\nTwo\tBE\ttwo@example.com\n")
        brought = imports.preview(session, space.manager, sheet)
    with space.database.transaction() as session:
        report = imports.invite_ready(session, space.manager, brought)
    with space.database.reading() as session:
        (batch,) = bulk.batches(session, space.manager)
        assert (batch.batch, batch.kind, batch.changed, batch.act) == (report.batch, BatchKind.IMPORT, 2, None)
        assert len(bulk.clients_of(session, space.manager, batch.batch)) == 2
        with pytest.raises(bulk.CannotBeUndone):
            bulk.undo_preview(session, space.manager, batch.batch)
    clean(space)


def test_undo_brings_back_what_held_and_what_waited(space: Space, life: dict[str, int]) -> None:
    """Rule 50: what waits is cancelled, today's is reversed at once, and what was replaced waits again; whoever changed
    since is listed with who changed it."""
    before = {name: space.detail(client_id) for name, client_id in life.items()}
    made = done(space, Adopt())
    space.clock.forward(hours=1)
    space.override(life["exception"], Overrides(plan="premium", payer=Payer.CLIENT))
    with space.database.reading() as session:
        shown = bulk.undo_preview(session, space.manager, made.batch)
    assert [(each.client_id, each.why, each.changed_by) for each in shown.left_out] == [
        (life["exception"], Why.CHANGED_SINCE, space.manager.name)
    ]
    back = undone(space, made.batch)
    assert (back.kind, back.undoes, back.changed, back.left_out) == (BatchKind.UNDO, made.batch, 3, 1)
    for name in ("invited", "active", "pending"):
        assert space.detail(life[name]).effective == before[name].effective
    assert space.detail(life["active"]).pending is None
    waits, waited = space.detail(life["pending"]).pending, before["pending"].pending
    assert waits is not None
    assert waited is not None
    assert (waits.settings, waits.valid_from, waits.reason) == (waited.settings, waited.valid_from, waited.reason)
    with space.database.reading() as session:
        assert bulk.batch(session, space.manager, made.batch).undone_by == back.batch
        with pytest.raises(bulk.UndoneAlready):
            bulk.undo_preview(session, space.manager, made.batch)
    clean(space)


def test_an_undo_can_be_undone(space: Space, life: dict[str, int]) -> None:
    """Rule 50: what the first one did holds and waits again."""
    made = done(space, Adopt())
    did = {name: space.detail(client_id) for name, client_id in life.items()}
    again = undone(space, undone(space, made.batch).batch)
    assert again.changed == 4
    for name in ("invited", "active", "exception", "pending"):
        shown = space.detail(life[name])
        assert shown.effective == did[name].effective
        assert (shown.pending is None) is (did[name].pending is None)
        if shown.pending is not None and did[name].pending is not None:
            assert shown.pending.settings == did[name].pending.settings  # type: ignore[union-attr]
    clean(space)


def test_undo_of_cancelled_ends_makes_them_end_again_and_of_ends_lets_them_go_on(
    space: Space, life: dict[str, int]
) -> None:
    """Rules 35 and 50."""
    cancelled = done(space, CancelPending())
    undone(space, cancelled.batch)
    assert space.detail(life["ending"]).is_ending
    ended = done(space, Archive())
    undone(space, ended.batch)
    assert not space.detail(life["active"]).is_ending
    assert space.detail(life["pending"]).pending is not None
    assert space.detail(life["ending"]).is_ending
    clean(space)


def test_undo_of_an_older_upgrade_goes_back_at_the_next_renewal(space: Space) -> None:
    """Rule 50: through the same rules, so a lower price waits."""
    space.save(STANDARD)
    client_id = active(space, "Upgraded")
    space.clock.forward(days=3)
    made = done(space, Override(Overrides(plan="premium")))
    assert space.detail(client_id).effective.plan.value == "premium"
    space.clock.forward(days=3)
    undone(space, made.batch)
    shown = space.detail(client_id)
    assert shown.effective.plan.value == "premium"
    assert shown.pending is not None
    assert shown.pending.settings.plan == "standard"
    clean(space)


def test_who_was_archived_at_once_comes_back_by_an_invitation_alone(space: Space) -> None:
    """Rule 36: the undo leaves it out and says so."""
    space.save(STANDARD)
    active(space, "Ended")
    made = done(space, Archive(at_once=True))
    with space.database.reading() as session:
        shown = bulk.undo_preview(session, space.manager, made.batch)
    assert [each.why for each in shown.left_out] == [Why.ARCHIVED]
    with pytest.raises(NothingToDo):
        undone(space, made.batch)


def test_check_names_batches_that_do_not_fit_their_rows(space: Space, life: dict[str, int]) -> None:
    """A batch cannot be changed either: triggers refuse it."""
    done(space, Adopt())
    with pytest.raises(Exception, match="never changed"), space.database.transaction() as session:
        session.execute(text("UPDATE batch SET changed = 3, left_out = 3"))
    drop = "DROP TRIGGER batch_never_changed" + ("" if space.database.is_embedded else " ON batch")
    with space.database.transaction() as session:
        session.execute(text(drop))
    try:
        with space.database.transaction() as session:
            session.execute(text("UPDATE batch SET changed = 3, left_out = 3"))
        with space.database.reading() as session:
            assert list(subscriptions.differences(session)) == [
                "partner 1, batch 1: changed 4 clients, it says 3"
            ]  # fmt: skip
    finally:
        if not space.database.is_embedded:  # the tables are used again
            with space.database.transaction() as session:
                session.execute(
                    text(
                        "CREATE TRIGGER batch_never_changed BEFORE UPDATE ON batch FOR EACH ROW "
                        "EXECUTE FUNCTION refuse_change()"
                    )
                )
