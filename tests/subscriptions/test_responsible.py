"""Who looks after a client: rules 52 and 53."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, func, insert, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from core import invitations, members, reports, subscriptions
from core.invitations import NewClient, OutboxMessage
from core.members import Member, Permission
from core.subscriptions import Client, Responsible, Subscription
from core.words import (
    BadInput,
    BillingPeriod,
    ClientNotFound,
    ClientStatus,
    NotAllowed,
    Origin,
    Overrides,
    ResponsibleRefused,
    ResponsibleUnknown,
    ResponsibleWithoutAccess,
    Role,
    StaleResponsible,
)
from tests.conftest import PLUS, STANDARD, Space, at_once
from tests.subscriptions.test_check import differences

ROUNDS = 6
SOMEONE = NewClient.from_typed(name="Someone", email="someone@example.com")


def number(space: Space, role: Role) -> int:
    return space.members[role].member_id


def change(space: Space, client_id: int, to: int, *, by: Role = Role.CLIENT_MANAGER, **named: Any) -> Any:
    with space.database.transaction() as session:
        return subscriptions.change_responsible(session, space.members[by], client_id, to, **named)


def hand_over(space: Space, from_id: int, to_id: int, *, by: Role = Role.ADMINISTRATOR) -> int:
    """As a part of a change that holds the partner's turn."""
    with space.database.transaction() as session:
        members.act(session, space.members[by], Permission.CHANGE_RESPONSIBLE)
        return subscriptions.hand_over(session, space.members[by], from_id, to_id, reason="leaves the firm")


def names_of(space: Space, role: Role, **filters: Any) -> list[str]:
    with space.database.reading() as session:
        return [each.name for each in reports.listed(session, space.members[role], **filters)]


def let_go(space: Space, role: Role, **changed: Any) -> None:
    with space.database.transaction() as session:
        session.execute(update(Member).where(Member.member_id == number(space, role)).values(**changed))


def newcomer(space: Space, member_id: int, role: Role, **changed: bool) -> None:
    """One more member of the partner space."""
    own = {"partner_id": space.partner_id, "member_id": member_id, "name": "New", "email": "new@example.com"}
    with space.database.transaction() as session:
        session.execute(insert(Member), own | {"role": role, "client_access": True, "is_active": True} | changed)


# --- at the invitation


def test_whoever_invites_looks_after_the_client(space: Space) -> None:
    """Rule 53: unless somebody else is named."""
    space.save(STANDARD)
    (only,) = space.looked_after(space.invite().client_id)
    assert (only.member_id, only.name, only.before) == (number(space, Role.CLIENT_MANAGER), "The client manager", None)
    assert (only.valid_from, only.valid_to, only.origin) == (space.clock(), None, Origin.PAGE)
    assert only.changed_by == "The client manager"


def test_an_invitation_may_name_who_looks_after_the_client(space: Space) -> None:
    """Rule 53: and says who named them."""
    space.save(STANDARD)
    (only,) = space.looked_after(space.invite(responsible=Role.ACCOUNTANT).client_id)
    assert (only.name, only.changed_by) == ("The accountant", "The client manager")


CANNOT = {
    "finance": (lambda space: number(space, Role.FINANCE), ResponsibleWithoutAccess),
    "nobody": (lambda _: 99, ResponsibleUnknown),
    "zero": (lambda _: 0, ResponsibleUnknown),
    "too large": (lambda _: 2**40, ResponsibleUnknown),
}


@pytest.mark.parametrize("who", CANNOT)
def test_who_cannot_look_after_clients_is_refused_and_nothing_is_written(space: Space, who: str) -> None:
    """At the invitation, in a change and in a hand-over."""
    space.save(STANDARD)
    client_id = space.invite().client_id
    number_of, refusal = CANNOT[who]
    wanted = number_of(space)
    manager = number(space, Role.CLIENT_MANAGER)
    with pytest.raises(refusal), space.database.transaction() as session:
        invitations.invite(session, space.manager, SOMEONE, responsible_id=wanted)
    with pytest.raises(refusal):
        change(space, client_id, wanted, seen=manager)
    with pytest.raises(refusal):
        hand_over(space, manager, wanted)
    assert len(space.looked_after(client_id)) == 1
    assert names_of(space, Role.ADMINISTRATOR) == ["Aubry & Fils"]


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("changed", [{}, {"is_active": False}, {"client_access": False}], ids=str)
def test_an_active_member_with_access_to_clients_can_look_after_them(
    space: Space, role: Role, changed: dict[str, bool]
) -> None:
    """Rule 52; finance reads and looks after nobody. The access switch is a client manager's."""
    space.save(STANDARD)
    client_id = space.invite().client_id
    newcomer(space, 9, role, **changed)
    able = role is not Role.FINANCE and changed.get("is_active", True)
    if role is Role.CLIENT_MANAGER:
        able = able and changed.get("client_access", True)
    try:
        change(space, client_id, 9, seen=number(space, Role.CLIENT_MANAGER))
    except ResponsibleWithoutAccess as refusal:
        assert not able
        assert str(refusal).startswith("New cannot look after clients.")
    else:
        assert able
        assert space.looked_after(client_id)[0].name == "New"
    with space.database.reading() as session:
        found = {
            each.member_id: each.can_be_chosen for each in subscriptions.responsible_members(session, space.manager)
        }
    assert found.get(9, False) is able


# --- changing it


def test_a_change_is_immediate_and_its_history_is_told(space: Space) -> None:
    """Rule 52: who, when, from whom to whom, why; it is no setting, so no revision is made."""
    space.save(STANDARD)
    client_id = space.invite().client_id
    before = space.facts(client_id)
    first = space.clock()
    space.clock.forward(days=2)
    made = space.give(client_id, Role.ACCOUNTANT, reason="takes over the bookkeeping")
    newest, oldest = space.looked_after(client_id)
    assert newest == made
    assert (newest.name, newest.before, newest.changed_by) == (
        "The accountant", "The client manager", "The client manager",
    )  # fmt: skip
    assert (newest.reason, newest.origin) == ("takes over the bookkeeping", Origin.PAGE)
    assert (oldest.valid_from, oldest.valid_to) == (first, space.clock())
    assert (newest.valid_from, newest.valid_to) == (space.clock(), None)
    assert space.facts(client_id) == before
    assert names_of(space, Role.ACCOUNTANT) == ["Aubry & Fils"]


def test_an_archived_client_can_be_given_too(space: Space) -> None:
    """Rule 52: somebody answers for it."""
    space.save(STANDARD)
    client_id = space.invite().client_id
    space.archive(client_id)
    space.give(client_id, Role.ACCOUNTANT)
    assert names_of(space, Role.ACCOUNTANT, status=ClientStatus.ARCHIVED) == ["Aubry & Fils"]


def test_the_second_change_of_two_is_refused_and_told_who_and_when(space: Space) -> None:
    """Rule 12."""
    space.save(STANDARD)
    client_id = space.invite().client_id
    manager, administrator = number(space, Role.CLIENT_MANAGER), number(space, Role.ADMINISTRATOR)
    change(space, client_id, number(space, Role.ACCOUNTANT), seen=manager, by=Role.ADMINISTRATOR)
    sentence = r"The administrator made The accountant the account manager of Aubry & Fils on 3 Mar 2026, 09:00"
    with pytest.raises(StaleResponsible, match=sentence):
        change(space, client_id, administrator, seen=manager)
    assert len(space.looked_after(client_id)) == 2


def test_the_same_change_sent_twice_is_one(space: Space) -> None:
    """A second click is not a second person; the same wish of a colleague is."""
    space.save(STANDARD)
    client_id = space.invite().client_id
    manager, accountant = number(space, Role.CLIENT_MANAGER), number(space, Role.ACCOUNTANT)
    made = [change(space, client_id, accountant, seen=manager, reason="agreed", attempt="form") for _ in range(2)]
    assert made[0] == made[1]
    assert len(space.looked_after(client_id)) == 2
    for told in (
        {"by": Role.ADMINISTRATOR, "reason": "agreed", "attempt": "form"},
        {"reason": "agreed", "attempt": "another form"},
        {"reason": "another", "attempt": "form"},
    ):
        with pytest.raises(StaleResponsible):
            change(space, client_id, accountant, seen=manager, **told)


def test_a_change_that_changes_nothing_leaves_no_trace(space: Space) -> None:
    """History tells changes."""
    space.save(STANDARD)
    client_id = space.invite().client_id
    manager = number(space, Role.CLIENT_MANAGER)
    assert change(space, client_id, manager, seen=manager).before is None
    assert len(space.looked_after(client_id)) == 1


def test_a_reason_that_cannot_be_kept_is_refused(space: Space) -> None:
    """Bad input gets a sentence, and nothing is written."""
    space.save(STANDARD)
    client_id = space.invite().client_id
    with pytest.raises(BadInput, match="Keep it within 500 characters"):
        space.give(client_id, Role.ACCOUNTANT, reason="x" * 501)
    assert len(space.looked_after(client_id)) == 1


def test_changes_follow_each_other_in_time_though_the_clock_steps_back(space: Space) -> None:
    """Somebody looks after the client at every moment."""
    space.save(STANDARD)
    client_id = space.invite().client_id
    space.clock.forward(hours=-5)
    space.give(client_id, Role.ACCOUNTANT)
    hand_over(space, number(space, Role.ACCOUNTANT), number(space, Role.ADMINISTRATOR))
    newest, middle, oldest = space.looked_after(client_id)
    microsecond = timedelta(microseconds=1)
    assert newest.valid_from == middle.valid_to == middle.valid_from + microsecond
    assert middle.valid_from == oldest.valid_to == oldest.valid_from + microsecond


def test_the_list_goes_on_saying_who_looks_after_a_client_through_all_that_happens_to_it(space: Space) -> None:
    """What it is filtered by is a copy, carried on by every revision."""
    space.save(STANDARD)
    client_id = space.invite(responsible=Role.ACCOUNTANT).client_id
    space.save(PLUS)
    with space.database.reading() as session:
        message = invitations.waiting(session, 1, client_id, OutboxMessage)
    assert message is not None
    assert message.token is not None
    with space.database.transaction() as session:
        invitations.accept(session, message.token)
    space.override(client_id, Overrides(billing_period=BillingPeriod.YEARLY))
    space.adopt(client_id)
    space.archive(client_id)
    with space.database.transaction() as session:
        invitations.invite_again(session, space.manager, client_id)
    assert len(space.detail(client_id).history) == 6
    assert names_of(space, Role.ACCOUNTANT) == ["Aubry & Fils"]
    assert differences(space) == []


def test_a_revision_keeps_a_change_that_was_made_after_it_was_begun(space: Space) -> None:
    """What is carried on is what holds when the revision is written, not what its reader saw."""
    space.save(STANDARD)
    client_id = space.invite().client_id
    seen = space.detail(client_id).seen
    space.give(client_id, Role.ACCOUNTANT)
    with space.database.transaction() as session:
        subscriptions.archive(session, space.manager, client_id, seen=seen)
    assert names_of(space, Role.ACCOUNTANT) == ["Aubry & Fils"]
    assert differences(space) == []


# --- a member who leaves


@pytest.fixture
def shared_out(space: Space) -> Space:
    """Six clients: three of the manager, one of them archived; two of the accountant; one of the administrator."""
    space.save(STANDARD)
    roles = [Role.CLIENT_MANAGER, Role.ACCOUNTANT, Role.CLIENT_MANAGER, Role.ADMINISTRATOR, Role.ACCOUNTANT]
    for place, role in enumerate([*roles, Role.CLIENT_MANAGER]):
        space.invite(f"Client {place}", responsible=role)
        space.clock.forward(hours=1)
    space.archive(3)
    return space


def test_who_leaves_hands_over_every_client_at_once_and_nobody_elses(shared_out: Space) -> None:
    """Rule 52: a member who leaves keeps none."""
    manager, accountant = number(shared_out, Role.CLIENT_MANAGER), number(shared_out, Role.ACCOUNTANT)
    others = {client_id: shared_out.looked_after(client_id) for client_id in (2, 4, 5)}
    assert hand_over(shared_out, manager, accountant) == 3
    for client_id in (1, 3, 6):
        newest, oldest = shared_out.looked_after(client_id)
        assert (newest.name, newest.before, newest.changed_by) == (
            "The accountant", "The client manager", "The administrator",
        )  # fmt: skip
        assert (newest.origin, newest.reason) == (Origin.BULK, "leaves the firm")
        assert newest.valid_from == oldest.valid_to == shared_out.clock()
    assert {client_id: shared_out.looked_after(client_id) for client_id in (2, 4, 5)} == others
    assert len(names_of(shared_out, Role.ACCOUNTANT)) == 5
    assert differences(shared_out) == []
    assert hand_over(shared_out, manager, accountant) == 0
    assert hand_over(shared_out, accountant, accountant) == 0
    assert hand_over(shared_out, 99, accountant) == 0
    assert len(shared_out.looked_after(1)) == 2


def test_how_many_clients_each_member_looks_after(shared_out: Space, make_space: Callable[[int], Space]) -> None:
    """By number; who looks after none is not told, nor is another partner's."""
    other = make_space(2)
    other.save(STANDARD)
    other.invite(responsible=Role.ACCOUNTANT)

    def counts(partner_id: int) -> dict[int, int]:
        with shared_out.database.reading() as session:
            return subscriptions.responsible_counts(session, partner_id)

    administrator, manager, accountant = (
        number(shared_out, role) for role in (Role.ADMINISTRATOR, Role.CLIENT_MANAGER, Role.ACCOUNTANT)
    )
    assert counts(1) == {administrator: 1, manager: 3, accountant: 2}
    hand_over(shared_out, manager, administrator)
    assert counts(1) == {administrator: 4, accountant: 2}
    assert counts(2) == {accountant: 1}


def test_a_hand_over_right_after_a_change_at_the_same_instant_moves_only_what_is_left(shared_out: Space) -> None:
    """A client that was given away a moment before stays where it is."""
    manager, accountant = number(shared_out, Role.CLIENT_MANAGER), number(shared_out, Role.ACCOUNTANT)
    shared_out.give(1, Role.ADMINISTRATOR)
    assert hand_over(shared_out, manager, accountant) == 2
    assert [shared_out.looked_after(client_id)[0].name for client_id in (1, 3)] == [
        "The administrator", "The accountant",
    ]  # fmt: skip
    assert differences(shared_out) == []


def test_a_hand_over_takes_as_many_statements_for_one_client_as_for_many(shared_out: Space) -> None:
    """It is written at once, however many there are."""
    statements: list[str] = []
    event.listen(shared_out.database.engine, "before_cursor_execute", lambda *a: statements.append(a[2]))

    def counted(from_role: Role, to_role: Role) -> int:
        statements.clear()
        hand_over(shared_out, number(shared_out, from_role), number(shared_out, to_role))
        return len(statements)

    assert counted(Role.ADMINISTRATOR, Role.CLIENT_MANAGER) == counted(Role.CLIENT_MANAGER, Role.ADMINISTRATOR)


@pytest.mark.parametrize("role", [Role.FINANCE, Role.ACCOUNTANT])
def test_who_may_not_change_who_looks_after_a_client_cannot_hand_over(shared_out: Space, role: Role) -> None:
    """Rule 51: none of it."""
    with pytest.raises(NotAllowed), shared_out.database.transaction() as session:
        subscriptions.hand_over(session, shared_out.members[role], 2, 1)


# --- who sees whom


def test_an_accountant_sees_exactly_the_clients_they_look_after_now(shared_out: Space) -> None:
    """Rule 52: in the list, by search, in the figures, one by one; a filter widens nothing."""
    accountant = shared_out.members[Role.ACCOUNTANT]
    assert names_of(shared_out, Role.ACCOUNTANT) == ["Client 1", "Client 4"]
    shared_out.give(2, Role.CLIENT_MANAGER)
    shared_out.give(4, Role.ACCOUNTANT)
    assert names_of(shared_out, Role.ACCOUNTANT) == ["Client 3", "Client 4"]
    for filters in ({}, {"search": "client"}, {"search": "client", "status": ClientStatus.INVITED}):
        assert names_of(shared_out, Role.ACCOUNTANT, **filters) == ["Client 3", "Client 4"]
        with shared_out.database.reading() as session:
            assert reports.figures(session, accountant, **filters).clients == 2
    assert names_of(shared_out, Role.ACCOUNTANT, responsible=number(shared_out, Role.CLIENT_MANAGER)) == []
    for client_id in range(1, 7):
        with shared_out.database.reading() as session:
            if client_id in (4, 5):
                assert subscriptions.detail(session, accountant, client_id).client.client_id == client_id
            else:
                with pytest.raises(ClientNotFound):
                    subscriptions.detail(session, accountant, client_id)


def test_an_accountants_file_has_their_own_clients_only(shared_out: Space) -> None:
    """Rule 52, by every piece of it."""
    with shared_out.database.reading() as session:
        _, *lines = "".join(reports.csv_pieces(session, shared_out.members[Role.ACCOUNTANT])).splitlines()
    assert [line.split(",")[1] for line in lines] == ['"Client 1"', '"Client 4"']


def test_an_accountant_is_told_of_no_colleague_to_choose(shared_out: Space) -> None:
    """They change nothing."""
    with shared_out.database.reading() as session:
        (own,) = subscriptions.responsible_members(session, shared_out.members[Role.ACCOUNTANT])
        every = subscriptions.responsible_members(session, shared_out.members[Role.FINANCE])
    assert (own.name, own.has_clients) == ("The accountant", True)
    assert [each.name for each in every] == ["The accountant", "The administrator", "The client manager"]


def test_who_still_looks_after_clients_is_listed_though_they_cannot_be_chosen_any_more(shared_out: Space) -> None:
    """So that their clients can be found and given to somebody."""
    let_go(shared_out, Role.CLIENT_MANAGER, is_active=False)
    let_go(shared_out, Role.FINANCE, is_active=False)
    with shared_out.database.reading() as session:
        found = subscriptions.responsible_members(session, shared_out.administrator)
    assert {each.name: each.can_be_chosen for each in found} == {
        "The accountant": True, "The administrator": True, "The client manager": False,
    }  # fmt: skip


def test_the_same_numbers_of_two_partners_are_never_taken_for_each_other(
    shared_out: Space, make_space: Callable[[int], Space]
) -> None:
    """Rule 10: neither a client's nor a member's."""
    other = make_space(2)
    other.save(STANDARD)
    other.invite("Theirs", responsible=Role.ACCOUNTANT)
    newcomer(other, 7, Role.ACCOUNTANT)
    before = [shared_out.looked_after(client_id) for client_id in range(1, 7)]
    with pytest.raises(ResponsibleUnknown):
        change(shared_out, 1, 7, seen=number(shared_out, Role.CLIENT_MANAGER))
    with pytest.raises(ClientNotFound):
        change(other, 2, number(other, Role.ADMINISTRATOR), seen=number(other, Role.ACCOUNTANT))
    assert hand_over(other, number(other, Role.ACCOUNTANT), 7) == 1
    assert hand_over(other, number(other, Role.CLIENT_MANAGER), 7) == 0
    assert [shared_out.looked_after(client_id) for client_id in range(1, 7)] == before
    assert names_of(other, Role.ADMINISTRATOR, responsible=7) == ["Theirs"]
    assert names_of(shared_out, Role.ADMINISTRATOR, responsible=7) == []
    assert differences(shared_out) == []


# --- two at once


def test_of_two_changes_at_once_one_wins_and_the_other_is_told(space: Space) -> None:
    """Rule 12."""
    space.save(STANDARD)
    client_id = space.invite().client_id
    roles = [Role.CLIENT_MANAGER, Role.ACCOUNTANT, Role.ADMINISTRATOR]
    for _ in range(ROUNDS):
        seen = space.looked_after(client_id)[0].member_id
        wanted = [number(space, role) for role in roles if number(space, role) != seen]
        results = at_once(
            space,
            *(
                lambda s, to=to, by=by, seen=seen: subscriptions.change_responsible(s, by, client_id, to, seen=seen)
                for to, by in zip(wanted, (space.manager, space.administrator), strict=True)
            ),
        )
        assert sum(result is StaleResponsible for result in results) == 1
    assert len(space.looked_after(client_id)) == ROUNDS + 1
    assert differences(space) == []


def test_a_change_while_everything_is_handed_over_comes_before_or_after(space: Space) -> None:
    """Never in between: each client is looked after by one member, and the list agrees."""
    space.save(STANDARD)
    ids = [space.invite(f"Client {place}").client_id for place in range(5)]
    manager, accountant, administrator = (
        number(space, role) for role in (Role.CLIENT_MANAGER, Role.ACCOUNTANT, Role.ADMINISTRATOR)
    )

    def leave(session: Any) -> int:
        members.act(session, space.administrator, Permission.CHANGE_RESPONSIBLE)
        return subscriptions.hand_over(session, space.administrator, manager, accountant)

    for earlier in range(ROUNDS):
        moved, changed, invited = at_once(
            space,
            leave,
            lambda s: subscriptions.change_responsible(s, space.manager, ids[0], administrator, seen=manager),
            lambda s: invitations.invite(s, space.administrator, replace_email(SOMEONE, space), responsible_id=manager),
        )
        newest = [space.looked_after(client_id)[0].member_id for client_id in ids]
        assert newest == [accountant if changed is StaleResponsible else administrator, *[accountant] * 4]
        assert moved - earlier in {4, 5, 6}
        assert space.looked_after(invited.client_id)[0].member_id in {manager, accountant}
        assert differences(space) == []
        space.clock.forward(minutes=1)
        for role in (Role.ACCOUNTANT, Role.ADMINISTRATOR):
            hand_over(space, number(space, role), manager)


def replace_email(new_client: NewClient, space: Space) -> NewClient:
    """The same, at an address that nobody has yet."""
    return new_client.model_copy(update={"email": f"at{space.clock().timestamp()}@example.com"})


# --- what is stored


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE responsible SET member_id = 1",
        "UPDATE responsible SET valid_from = valid_from",
        "UPDATE responsible SET valid_to = NULL WHERE valid_to IS NOT NULL",
        "DELETE FROM responsible",
        "UPDATE subscription SET responsible_id = 1 WHERE valid_to IS NOT NULL",
    ],
)
def test_history_is_kept_for_ever_not_changed_even_by_hand(space: Space, statement: str) -> None:
    """As a constraint of the database."""
    space.save(STANDARD)
    client_id = space.invite().client_id
    space.give(client_id, Role.ACCOUNTANT)
    space.override(client_id, Overrides(plan="plus"))
    before = space.looked_after(client_id)
    with pytest.raises(DBAPIError, match="never changed or deleted"), space.database.transaction() as session:
        session.execute(text(statement))
    assert space.looked_after(client_id) == before


@pytest.mark.parametrize(
    ("changed", "constraint"),
    [
        ({"changed_by_id": None, "valid_to": True}, "changed_by"),
        ({"member_id": 99, "valid_to": True}, "(?i)foreign key"),
        ({"changed_by_id": 99, "valid_to": True}, "(?i)foreign key"),
        ({"client_id": 99}, "(?i)foreign key"),
        ({"valid_to": False}, "valid_to"),
        ({}, "(?i)unique"),
    ],
)
def test_the_table_refuses_what_the_rules_forbid(space: Space, changed: dict[str, Any], constraint: str) -> None:
    """The last case is a second one at once."""
    space.save(STANDARD)
    client_id = space.invite().client_id
    at = space.clock() + timedelta(days=1)
    row = {"partner_id": 1, "client_id": client_id, "valid_from": at, "valid_to": None, "member_id": 2,
           "changed_by_id": 2, "origin": Origin.PAGE, "reason": ""} | changed  # fmt: skip
    if row["valid_to"] is not None:
        row["valid_to"] = at + timedelta(days=1 if row["valid_to"] else -1)
    with pytest.raises(IntegrityError, match=constraint), space.database.transaction() as session:
        session.execute(insert(Responsible), row)


def test_every_member_of_the_family_of_refusals_says_what_to_do() -> None:
    """Each has a sentence of its own."""
    sentences = {refusal.sentence for refusal in ResponsibleRefused.__subclasses__()}
    assert len(sentences) == 3
    assert all(sentence.count(". ") == 1 for sentence in sentences)


def test_one_row_is_open_for_each_client(shared_out: Space) -> None:
    """And its copy is on the row that holds."""
    with shared_out.database.reading() as session:
        clients = session.scalar(select(func.count()).select_from(Client))
        still_open = session.scalar(select(func.count()).where(Responsible.valid_to.is_(None)))
        copied = session.scalar(
            select(func.count()).where(Subscription.valid_to.is_(None), Subscription.responsible_id.is_not(None))
        )
    assert clients == still_open == copied == 6
