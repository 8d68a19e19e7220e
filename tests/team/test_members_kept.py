"""The people at work: invited, changed, deactivated and brought back; there is always an active administrator."""

from typing import Any

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from core import defaults, members, subscriptions, team
from core.members import Member, MemberChange, Permission
from core.team import ListedMember, MemberDetail, NewMember
from core.words import (
    AlreadyMember,
    BadInput,
    InactiveMember,
    LastAdministrator,
    MemberFact,
    MemberNotFound,
    NotAllowed,
    OwnAccess,
    ResponsibleRefused,
    Role,
    StaleMember,
    SuccessorMissing,
)
from tests.conftest import STANDARD, Space, at_once

NEW = NewMember.from_typed(name="Camille Dubois", email=" Camille.Dubois@Example.com ", role="finance", language="fr")


def invite(space: Space, new_member: NewMember = NEW, *, attempt: str = "", by: Member | None = None) -> Member:
    with space.database.transaction() as session:
        return team.invite_member(session, by or space.administrator, new_member, attempt=attempt)


def second_administrator(space: Space) -> Member:
    invite(space, NewMember(name="Second", email="second@example.com", role=Role.ADMINISTRATOR))
    return now_so(space, 5)


def now_so(space: Space, member_id: int) -> Member:
    with space.database.reading() as session:
        found = members.find(session, space.partner_id, member_id)
    assert found is not None
    return found


def detail(space: Space, member_id: int) -> MemberDetail:
    with space.database.reading() as session:
        return team.detail(session, space.administrator, member_id)


def listed(space: Space) -> list[ListedMember]:
    with space.database.reading() as session:
        return team.listed(session, space.administrator)


def change(space: Space, member_id: int, *, by: Member | None = None, **wanted: Any) -> bool:
    held = now_so(space, member_id)
    wanted = {
        "role": held.role,
        "client_access": held.client_access,
        "seen": detail(space, member_id).seen,
    } | wanted
    with space.database.transaction() as session:
        return team.change_member(session, by or space.administrator, member_id, **wanted)


def deactivate(
    space: Space,
    member_id: int,
    *,
    by: Member | None = None,
    seen: int | None = None,
    successor_id: int | None = None,
) -> bool:
    seen = detail(space, member_id).seen if seen is None else seen
    with space.database.transaction() as session:
        return team.deactivate(session, by or space.administrator, member_id, successor_id=successor_id, seen=seen)


def bring_back(space: Space, member_id: int) -> bool:
    with space.database.transaction() as session:
        return team.bring_back(session, space.administrator, member_id, seen=detail(space, member_id).seen)


def changes(space: Space) -> int:
    with space.database.reading() as session:
        return session.scalars(select(func.count()).select_from(MemberChange)).one()


def test_an_invited_member_is_active_and_kept_with_who_invited_them(space: Space) -> None:
    """With an e-mail in lower case, and every fact as their first change."""
    invited = invite(space)
    held = now_so(space, invited.member_id)
    assert (held.name, held.email, held.role) == ("Camille Dubois", "camille.dubois@example.com", Role.FINANCE)
    assert (held.is_active, held.client_access, held.language) == (True, True, "fr")
    (first,) = detail(space, held.member_id).history
    assert (first.number, first.changed_by, first.changed_at) == (1, "The administrator", space.clock())
    assert first.facts == (
        (MemberFact.INVITED, None, "camille.dubois@example.com"),
        (MemberFact.NAME, None, "Camille Dubois"),
        (MemberFact.ROLE, None, "finance"),
        (MemberFact.CLIENT_ACCESS, None, "yes"),
        (MemberFact.IS_ACTIVE, None, "yes"),
    )


@pytest.mark.parametrize("is_active", [True, False])
def test_an_e_mail_belongs_to_one_member_of_a_space(space: Space, make_space, is_active: bool) -> None:
    """In whatever case it was stored or is typed; the refusal names them; an inactive one is brought back instead."""
    with space.database.transaction() as session:
        session.execute(text("UPDATE member SET email = 'Finance@Example.com' WHERE role = 'finance'"))
    if not is_active:
        deactivate(space, space.members[Role.FINANCE].member_id)
    with pytest.raises(AlreadyMember, match=r"The finance, who is ") as refused:
        invite(space, NewMember(name="Other", email="fiNance@example.com", role=Role.FINANCE))
    assert refused.value.member_id == space.members[Role.FINANCE].member_id
    assert ("bring them back" in str(refused.value)) is not is_active
    other = make_space(2)
    assert invite(other, NewMember(name="Other", email="new@example.com", role=Role.FINANCE)).partner_id == 2
    assert len(listed(space)) == 4


def test_one_form_sent_twice_invites_once(space: Space) -> None:
    """A double click gives the member it made the first time; another form with the same e-mail is refused."""
    assert invite(space, attempt="form").member_id == invite(space, attempt="form").member_id
    with pytest.raises(AlreadyMember):
        invite(space, attempt="another form")
    assert len(listed(space)) == 5
    assert len(detail(space, 5).deliveries) == 1


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"name": "  "}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"name": "\u202eevil"}, "name"),
        ({"email": "nobody"}, "email"),
        ({"language": "de"}, "language"),
    ],
)
def test_what_was_typed_wrong_is_told_field_by_field(typed: dict[str, str], field: str) -> None:
    """With a sentence that says what to type."""
    with pytest.raises(BadInput) as refused:
        NewMember.from_typed(**{"name": "Someone", "email": "a@example.com", "role": Role.FINANCE} | typed)
    assert set(refused.value.fields) == {field}


def test_a_change_is_kept_from_what_to_what(space: Space) -> None:
    """Only what is another value; newest first; of everybody and of one member."""
    manager = space.manager.member_id
    assert change(space, manager, role=Role.ACCOUNTANT, client_access=False, name="  The   accountant 2 ")
    space.clock.forward(hours=1)
    assert change(space, manager, client_access=True)
    held = now_so(space, manager)
    assert (held.role, held.client_access, held.name) == (Role.ACCOUNTANT, True, "The accountant 2")
    newest, before = detail(space, manager).history
    assert newest.facts == ((MemberFact.CLIENT_ACCESS, "no", "yes"),)
    assert before.facts == (
        (MemberFact.NAME, "The client manager", "The accountant 2"),
        (MemberFact.ROLE, "client_manager", "accountant"),
        (MemberFact.CLIENT_ACCESS, "yes", "no"),
    )
    assert newest.changed_at > before.changed_at
    with space.database.reading() as session:
        everything = team.history(session, space.administrator)
        assert team.history(session, space.administrator, limit=1) == everything[:1]
    assert everything == (newest, before)


def test_the_same_change_twice_is_one(space: Space) -> None:
    """A form sent twice is answered as the first time; what is so already is no change, and another form is told."""
    manager = space.manager.member_id
    for _ in range(2):
        assert change(space, manager, role=Role.FINANCE, seen=0, attempt="form")
    with pytest.raises(StaleMember):
        change(space, manager, role=Role.FINANCE, seen=0, attempt="another form")
    assert not change(space, manager, role=Role.FINANCE)
    assert (deactivate(space, manager), deactivate(space, manager)) == (True, False)
    assert (bring_back(space, manager), bring_back(space, manager)) == (True, False)
    assert changes(space) == 3


@pytest.mark.parametrize("act", ["change", "deactivate", "bring back"])
def test_a_stale_change_is_refused_with_who_changed_it(space: Space, act: str) -> None:
    """Nothing is written."""
    second, manager = second_administrator(space), space.manager.member_id
    change(space, manager, client_access=False, by=second)
    if act == "bring back":
        deactivate(space, manager, by=second)
    before = changes(space)
    with pytest.raises(StaleMember, match="Second changed The client manager on 3 Mar 2026"):
        with space.database.transaction() as session:
            if act == "change":
                team.change_member(session, space.administrator, manager, role=Role.FINANCE, client_access=True, seen=0)
            elif act == "deactivate":
                team.deactivate(session, space.administrator, manager, seen=0)
            else:
                team.bring_back(session, space.administrator, manager, seen=1)
    assert changes(space) == before


def test_nobody_changes_their_own_role_or_access_or_leaves_by_themselves(space: Space) -> None:
    """Though there is another administrator; their own name they may."""
    second_administrator(space)
    own = space.administrator.member_id
    for wanted in ({"role": Role.FINANCE}, {"client_access": False}):
        with pytest.raises(OwnAccess):
            change(space, own, **wanted)
    with pytest.raises(OwnAccess):
        deactivate(space, own)
    assert change(space, own, name="Renamed")
    assert (now_so(space, own).role, now_so(space, own).is_active) == (Role.ADMINISTRATOR, True)


def test_the_last_active_administrator_stays(space: Space) -> None:
    """An inactive one does not count; the sentence says what to do first."""
    second_administrator(space)
    deactivate(space, 5)
    for act in (lambda: change(space, 1, role=Role.FINANCE), lambda: deactivate(space, 1)):
        with pytest.raises(LastAdministrator, match="Make another member an administrator first"):
            act()
    bring_back(space, 5)
    assert change(space, 5, role=Role.FINANCE)


@pytest.mark.parametrize("act", ["demote", "deactivate"])
def test_of_two_administrators_who_take_it_from_each_other_at_once_one_is_refused(space: Space, act: str) -> None:
    """On both databases: the one who comes second has lost the role by then."""
    second = second_administrator(space)

    def of(target: int, by: Member) -> Any:
        def demote(session: Any) -> bool:
            return team.change_member(session, by, target, role=Role.FINANCE, client_access=True, seen=seen[target])

        def let_go(session: Any) -> bool:
            return team.deactivate(session, by, target, seen=seen[target])

        return demote if act == "demote" else let_go

    seen = {1: 0, 5: 1}
    outcomes = at_once(space, of(5, space.administrator), of(1, second))
    assert sorted(map(str, outcomes)) == sorted([str(NotAllowed), "True"])
    with space.database.reading() as session:
        everyone = members.of_partner(session, 1)
    assert sum(each.role is Role.ADMINISTRATOR and each.is_active for each in everyone) == 1


def test_two_who_invite_the_same_person_at_once_invite_once(space: Space) -> None:
    """The second is told that the member exists."""
    second = second_administrator(space)
    outcomes = at_once(
        space,
        lambda s: team.invite_member(s, space.administrator, NEW, attempt="a").member_id,
        lambda s: team.invite_member(s, second, NEW, attempt="b").member_id,
    )
    assert {AlreadyMember, 6} == set(outcomes)


def test_a_member_let_go_may_nothing_and_a_message_that_waits_is_withdrawn(space: Space) -> None:
    """What they began a moment before is refused; brought back, they have what they had."""
    invited = invite(space, NewMember(name="New manager", email="new@example.com", role=Role.CLIENT_MANAGER))
    as_before = now_so(space, invited.member_id)
    deactivate(space, invited.member_id)
    with pytest.raises(NotAllowed), space.database.transaction() as session:
        defaults.save(session, as_before, STANDARD, seen=None)
    assert detail(space, invited.member_id).waiting is None
    with pytest.raises(InactiveMember), space.database.transaction() as session:
        team.send_again(session, space.administrator, invited.member_id, seen=1)
    bring_back(space, invited.member_id)
    with space.database.transaction() as session:
        assert defaults.save(session, as_before, STANDARD, seen=None).version == 1
    assert detail(space, invited.member_id).waiting is None


@pytest.mark.parametrize("member_id", [0, -1, 99, 2**40])
def test_a_member_who_does_not_exist_is_not_found(space: Space, make_space, member_id: int) -> None:
    """Another space's member is answered the same."""
    other = make_space(2)
    invite(other)  # number 5 there
    for number in (member_id, 5):
        with pytest.raises(MemberNotFound):
            detail(space, number)


def test_what_was_changed_is_never_changed_or_deleted(space: Space) -> None:
    """Not even by hand."""
    invite(space)
    for statement in ("UPDATE member_change SET after = 'x'", "DELETE FROM member_change"):
        with pytest.raises(DBAPIError, match="never changed or deleted"), space.database.transaction() as session:
            session.execute(text(statement))


def test_the_table_asks_the_same_number_of_questions_for_every_number_of_members(space: Space) -> None:
    """Active members first, then by name as it sorts."""
    from sqlalchemy import event

    asked: list[str] = []

    def count(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        asked.append(statement)

    event.listen(space.database.engine, "before_cursor_execute", count)
    numbers = []
    for _ in range(2):
        for name in ("Émile", "Zoé", "adam"):
            mailbox = f"{name.encode().hex()}{len(listed(space))}"
            invite(space, NewMember(name=name, email=f"{mailbox}@example.com", role=Role.FINANCE))
        asked.clear()
        found = listed(space)
        numbers.append(len([statement for statement in asked if "SELECT" in statement]))
        assert len(found) == 4 + 3 * len(numbers)
    assert numbers[0] == numbers[1]
    deactivate(space, 5)
    assert [each.member.name for each in listed(space)][:3] == ["adam", "adam", "Émile"]
    assert listed(space)[-1].member.member_id == 5


@pytest.mark.parametrize("role", [Role.CLIENT_MANAGER, Role.FINANCE, Role.ACCOUNTANT])
def test_only_administrators_keep_members(space: Space, role: Role) -> None:
    """Nobody else sees them either."""
    assert not members.may(space.members[role], Permission.MANAGE_MEMBERS)
    with pytest.raises(NotAllowed), space.database.reading() as session:
        team.listed(session, space.members[role])


# --- the clients of a member who leaves, or who may look after none any more


def looked_after(space: Space) -> dict[int, int]:
    with space.database.reading() as session:
        return subscriptions.responsible_counts(session, space.partner_id)


LETS_GO: dict[str, Any] = {
    "deactivated": lambda space, **to: deactivate(space, space.manager.member_id, **to),
    "without access": lambda space, **to: change(space, space.manager.member_id, client_access=False, **to),
    "finance": lambda space, **to: change(space, space.manager.member_id, role=Role.FINANCE, **to),
}


@pytest.mark.parametrize("how", LETS_GO)
def test_who_leaves_or_loses_the_access_hands_over_their_clients(space: Space, how: str) -> None:
    """Asked for whom first; then the successor looks after each of them, and everybody else as before."""
    space.save(STANDARD)
    for name in ("One", "Two"):
        space.invite(name, responsible=Role.CLIENT_MANAGER)
    space.invite("Three", responsible=Role.ACCOUNTANT)
    accountant = space.members[Role.ACCOUNTANT].member_id
    before = changes(space)
    with pytest.raises(SuccessorMissing, match="The client manager looks after: 2"):
        LETS_GO[how](space)
    assert (changes(space), now_so(space, space.manager.member_id).is_active) == (before, True)
    assert LETS_GO[how](space, successor_id=accountant)
    assert looked_after(space) == {accountant: 3}
    assert not LETS_GO[how](space, successor_id=accountant)  # the second of two clicks
    with space.database.reading() as session:
        assert list(subscriptions.differences(session)) == []
        told = subscriptions.responsible_history(session, space.administrator, 1)
    assert [each.member_id for each in told] == [accountant, space.manager.member_id]
    assert told[0].changed_by == "The administrator"


@pytest.mark.parametrize("how", LETS_GO)
@pytest.mark.parametrize("successor", ["finance", "inactive", "the one who leaves", "of another space", "nobody"])
def test_a_successor_must_be_active_and_able_to_look_after_clients(
    space: Space, make_space, how: str, successor: str
) -> None:
    """Refused whole: they stay as they are, and so do their clients."""
    other = make_space(2)
    invite(other)  # number 5 there
    space.save(STANDARD)
    space.invite(responsible=Role.CLIENT_MANAGER)
    deactivate(space, space.members[Role.ACCOUNTANT].member_id)
    number = {
        "finance": space.members[Role.FINANCE].member_id,
        "inactive": space.members[Role.ACCOUNTANT].member_id,
        "the one who leaves": space.manager.member_id,
        "of another space": 5,
        "nobody": 0,
    }[successor]
    with pytest.raises(ResponsibleRefused):
        LETS_GO[how](space, successor_id=number)
    held = now_so(space, space.manager.member_id)
    assert (held.role, held.client_access, held.is_active) == (Role.CLIENT_MANAGER, True, True)
    assert looked_after(space) == {held.member_id: 1}


def test_a_role_that_looks_after_clients_too_keeps_them(space: Space) -> None:
    """A client manager who becomes an accountant, and back."""
    space.save(STANDARD)
    space.invite(responsible=Role.CLIENT_MANAGER)
    manager = space.manager.member_id
    assert change(space, manager, role=Role.ACCOUNTANT)
    assert change(space, manager, role=Role.ADMINISTRATOR)
    assert looked_after(space) == {manager: 1}
    assert {each.member.member_id: each.clients for each in listed(space)}[manager] == 1
