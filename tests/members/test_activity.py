"""What was done and leaves no trace in the data: kept for ever, read by administrators, filtered and paged."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from core import catalogue, invitations, members, reports, subscriptions
from core.members import FROM_SHELL, PastActivity
from core.words import ActivityKind, Role
from tests.conftest import STANDARD, Space


def done(space: Space, **asked: object) -> list[PastActivity]:
    with space.database.reading() as session:
        return list(members.activities(session, space.administrator, **asked))  # type: ignore[arg-type]


def note(space: Space, role: Role | None, what: ActivityKind, number: int | None = None) -> None:
    with space.database.transaction() as session:
        by = None if role is None else space.members[role]
        members.note_activity(session, space.partner_id, by, what, number=number)
    space.clock.forward(days=1)


@pytest.fixture
def busy(space: Space) -> Space:
    """Four things on four days."""
    note(space, Role.FINANCE, ActivityKind.CLIENTS_FILE, 12)
    note(space, Role.CLIENT_MANAGER, ActivityKind.CORRECTIONS_FILE, 3)
    note(space, None, ActivityKind.BACKED_UP)
    note(space, Role.FINANCE, ActivityKind.CLIENTS_FILE, 13)
    return space


def test_the_newest_is_told_first_a_page_at_a_time(busy: Space) -> None:
    """With who, what and how many."""
    everything = done(busy)
    assert [(each.by, each.what, each.number) for each in everything] == [
        ("The finance", ActivityKind.CLIENTS_FILE, 13),
        (None, ActivityKind.BACKED_UP, None),
        ("The client manager", ActivityKind.CORRECTIONS_FILE, 3),
        ("The finance", ActivityKind.CLIENTS_FILE, 12),
    ]
    pages = [done(busy, page=page, page_size=3) for page in (1, 2, 3)]
    assert [len(page) for page in pages] == [3, 1, 0]
    assert [*pages[0], *pages[1]] == everything


def test_it_is_found_by_who_what_and_when(busy: Space) -> None:
    """Alone and together; the count is that of what is shown."""
    first = busy.clock.moment - timedelta(days=4)
    finance = busy.members[Role.FINANCE].member_id
    found = {
        "who": {"by": finance},
        "shell": {"by": FROM_SHELL},
        "what": {"what": ActivityKind.CORRECTIONS_FILE},
        "since": {"since": first + timedelta(days=2)},
        "until": {"until": first},
        "all": {"by": finance, "what": ActivityKind.CLIENTS_FILE, "since": first + timedelta(days=1)},
    }
    numbers = {name: [each.number for each in done(busy, **filters)] for name, filters in found.items()}
    assert numbers == {
        "who": [13, 12], "shell": [None], "what": [3], "since": [13, None], "until": [12], "all": [13],
    }  # fmt: skip
    with busy.database.reading() as session:
        for name, filters in found.items():
            assert members.count_activities(session, busy.administrator, **filters) == len(numbers[name])


@pytest.mark.parametrize("statement", ["UPDATE activity SET number = 0", "DELETE FROM activity"])
def test_what_was_done_cannot_be_changed_or_deleted(busy: Space, statement: str) -> None:
    """Not even behind the product's back."""
    before = done(busy)
    with pytest.raises(DatabaseError, match="never changed or deleted"), busy.database.transaction() as session:
        session.execute(text(statement))
    assert done(busy) == before


def test_sending_again_is_kept_and_asked_twice_is_kept_once(space: Space) -> None:
    """With the client's number, not its name."""
    space.save(STANDARD)
    space.invite()
    for _ in range(2):
        with space.database.transaction() as session:
            invitations.send_again(session, space.manager, 1, seen=1, attempt="form")
    (only,) = done(space)
    assert (only.by, only.what, only.client_id) == ("The client manager", ActivityKind.SENT_AGAIN, 1)


def test_loading_a_catalogue_is_kept_in_every_space(make_space: object) -> None:
    """With the edition; the same again changes nothing, and is not kept."""
    spaces = [make_space(number) for number in (1, 2)]  # type: ignore[operator]
    offer = catalogue.from_toml(catalogue.EXAMPLE.encode().replace(b'"Standard"', b'"Standard+"'))
    with spaces[0].database.transaction() as session:
        edition = subscriptions.load_catalogue(session, offer).edition
    with spaces[0].database.transaction() as session:
        assert subscriptions.load_catalogue(session, offer).edition is None
    for space in spaces:
        (only,) = done(space)
        assert (only.by, only.what, only.number) == (None, ActivityKind.CATALOGUE_LOADED, edition)


def test_a_file_of_the_list_counts_the_clients_in_it(space: Space) -> None:
    """As its filters have it."""
    space.save(STANDARD)
    for name in ("One", "Two", "Three"):
        space.invite(name)
    counted: list[int] = []
    with space.database.reading() as session:
        pieces = list(reports.csv_pieces(session, space.manager, counted=counted.append, search="t"))
    assert sum(counted) == 2
    assert sum(piece.count("@example.com") for piece in pieces) == 2
