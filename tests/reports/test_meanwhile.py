"""What others did since somebody saw a page: told once they did it, never of what the reader did."""

from collections.abc import Callable, Sequence

import pytest
from sqlalchemy import event, select

from core import defaults, invitations, members, reports, subscriptions
from core.invitations import OutboxMessage
from core.members import Member
from core.reports import Changed, Seen
from core.words import NotAllowed, Overrides, Payer, Role
from tests.conftest import PLUS, Clock, Space

ADMINISTRATOR, MANAGER = "The administrator", "The client manager"


def as_now(space: Space, role: Role) -> Member:
    """The member as a page that is drawn now finds them."""
    with space.database.reading() as session:
        found = members.find(session, space.partner_id, space.members[role].member_id)
    assert found is not None
    return found


def look(space: Space, clock: Clock, role: Role = Role.ADMINISTRATOR) -> Seen:
    """What the member has before their eyes; a second later somebody does something."""
    with space.database.reading() as session:
        seen = reports.seen(session, as_now(space, role))
    clock.forward(seconds=1)
    return seen


def invited(space: Space, since: Seen, role: Role = Role.ADMINISTRATOR) -> int:
    with space.database.reading() as session:
        return reports.invited_since(session, as_now(space, role), since)


def changed(space: Space, since: Seen, clients: Sequence[int], role: Role = Role.ADMINISTRATOR) -> Changed:
    with space.database.reading() as session:
        return reports.changed_since(session, as_now(space, role), since, clients)


def saved(space: Space, since: Seen, role: Role = Role.ADMINISTRATOR) -> tuple[int, int | None, str] | None:
    with space.database.reading() as session:
        found = reports.saved_since(session, as_now(space, role), since)
    return None if found is None else (found.set_number, found.version, found.by)


def test_clients_that_others_invited_are_counted(space: Space, clock: Clock) -> None:
    """Those that were there before, and the reader's own, are not."""
    space.save()
    space.invite("Before")
    since = look(space, clock)
    assert invited(space, since) == 0
    space.invite("One")
    space.invite("Two")
    assert invited(space, since) == 2
    assert invited(space, since, Role.CLIENT_MANAGER) == 0  # who invited them
    assert invited(space, look(space, clock)) == 0


def test_who_sees_only_their_own_clients_is_told_of_no_others(space: Space, clock: Clock) -> None:
    """Rule 52, also in a count."""
    space.save()
    since = look(space, clock, Role.ACCOUNTANT)
    space.invite("Somebody else's")
    assert invited(space, since, Role.ACCOUNTANT) == 0
    space.invite("Theirs", responsible=Role.ACCOUNTANT)
    assert invited(space, since, Role.ACCOUNTANT) == 1


def edit(space: Space, client_id: int) -> None:
    with space.database.transaction() as session:
        client = subscriptions.visible(session, space.manager, client_id)
        details = invitations.ClientDetails(name="Another name", email=client.email)
        invitations.edit_client(session, space.manager, client_id, details, seen=0)


def revoke(space: Space, client_id: int) -> None:
    with space.database.transaction() as session:
        invitations.revoke(session, space.manager, client_id)


@pytest.mark.parametrize(
    "act",
    [
        lambda space, client_id: space.override(client_id, Overrides(payer=Payer.PARTNER)),
        lambda space, client_id: space.give(client_id, Role.ACCOUNTANT),
        edit,
        revoke,
        lambda space, client_id: space.archive(client_id),
    ],
    ids=["a setting", "who looks after it", "a detail", "its invitation", "archived"],
)
def test_a_change_of_a_shown_client_is_told_with_who_made_it(
    space: Space, clock: Clock, act: Callable[[Space, int], object]
) -> None:
    """Not to whoever made it, and not where the client is not shown."""
    space.save()
    client, other = space.invite("Aubry"), space.invite("Other")
    clock.forward(seconds=1)
    since = look(space, clock)
    shown = [client.client_id, other.client_id]
    assert changed(space, since, shown) == (0, None)
    act(space, client.client_id)
    assert changed(space, since, shown) == (1, MANAGER)
    assert changed(space, since, [other.client_id]) == (0, None)
    assert changed(space, since, shown, Role.CLIENT_MANAGER) == (0, None)
    assert changed(space, since, []) == (0, None)


def test_what_the_client_did_itself_is_told_without_a_name(space: Space, clock: Clock) -> None:
    """It accepts by its link, which no member did."""
    space.save()
    client = space.invite()
    clock.forward(seconds=1)
    since = look(space, clock)
    with space.database.transaction() as session:
        token = session.scalars(select(OutboxMessage.token).where(OutboxMessage.client_id == client.client_id)).one()
        invitations.accept(session, str(token))
    assert changed(space, since, [client.client_id]) == (1, None)


def test_a_version_that_somebody_else_saved_is_told(space: Space, clock: Clock) -> None:
    """The newest one; what was saved by the reader, or before, is not."""
    space.save()
    clock.forward(seconds=1)
    since = look(space, clock, Role.CLIENT_MANAGER)
    assert saved(space, since, Role.CLIENT_MANAGER) is None
    space.save(PLUS)
    clock.forward(seconds=1)
    space.save()
    assert saved(space, since, Role.CLIENT_MANAGER) == (1, 3, ADMINISTRATOR)
    assert saved(space, since) is None  # the administrator saved it
    assert saved(space, look(space, clock), Role.CLIENT_MANAGER) is None


def test_what_was_done_with_a_set_is_told(space: Space, clock: Clock) -> None:
    """A new name, where no version was saved."""
    space.save()
    clock.forward(seconds=1)
    since = look(space, clock)
    with space.database.transaction() as session:
        defaults.rename_set(session, space.manager, 1, "Companies", seen=2)
    assert saved(space, since) == (1, None, MANAGER)


def test_another_partner_space_has_nothing_to_do_with_it(
    space: Space, clock: Clock, make_space: Callable[..., Space]
) -> None:
    """Clients of the same numbers, changed at the same time."""
    other = make_space(2)
    for each in (space, other):
        each.save()
    client = space.invite()
    clock.forward(seconds=1)
    since = look(space, clock)
    theirs = other.invite()
    other.override(theirs.client_id, Overrides(payer=Payer.PARTNER))
    other.save(PLUS)
    assert invited(space, since) == 0
    assert changed(space, since, [client.client_id]) == (0, None)
    assert saved(space, since, Role.CLIENT_MANAGER) is None


def test_who_may_read_no_clients_is_refused(space: Space, clock: Clock) -> None:
    """As any other question would refuse them."""
    since = look(space, clock)
    space.manager.client_access = False
    with space.database.reading() as session:
        for ask in (
            lambda: reports.invited_since(session, space.manager, since),
            lambda: reports.changed_since(session, space.manager, since, [1]),
            lambda: reports.saved_since(session, space.manager, since),
        ):
            with pytest.raises(NotAllowed):
                ask()


def test_the_questions_go_through_indexes(space: Space, clock: Clock) -> None:
    """None walks a table: neither that of the clients nor those of what was done to them."""
    if space.database.engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL walks a table of three rows whatever its indexes")
    space.save()
    client = space.invite()
    since = look(space, clock)
    asked: list[tuple[str, tuple[object, ...]]] = []
    event.listen(space.database.engine, "before_cursor_execute", lambda *a: asked.append((a[2], a[3])))
    invited(space, since)
    invited(space, since, Role.ACCOUNTANT)
    changed(space, since, [client.client_id])
    saved(space, since)
    with space.database.engine.connect() as connection:
        plans = [
            row[3]
            for statement, values in list(asked)
            if statement.lstrip().startswith("SELECT")
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
        ]
    tables = ("subscription", "responsible", "client_change", "invitation", "default_settings", "default_set_change")
    walked = [step for step in plans if step.startswith("SCAN") and any(f" {table}" in f"{step} " for table in tables)]
    assert any("SEARCH subscription" in step for step in plans)
    assert not walked
