"""Partner spaces made from a shell: what is asked of them, and what is refused (rule 44)."""

from typing import Any

import pytest

from core import members
from core.members import CannotBeSetUp, DemoSpace, Member, Partner
from core.storage import Database
from core.words import Role
from tests.conftest import Space

FIRM = {
    "name": "Firm",
    "currency": "EUR",
    "time_zone": "Europe/Brussels",
    "administrator": "administrator@firm.example",
}


def add(database: Database, **asked: Any) -> Partner:
    with database.transaction() as session:
        return members.add_partner(session, **(FIRM | asked))


def test_a_partner_space_begins_with_its_administrator(database: Database) -> None:
    """Numbers follow one another; several spaces lie in one database, also with the same administrator."""
    first, second = add(database, administrator=" Administrator@Firm.example "), add(database, name="Second")
    assert (first.partner_id, second.partner_id) == (1, 2)
    with database.reading() as session:
        (administrator,) = members.of_partner(session, 1)
        found = members.spaces(session)
    assert (administrator.email, administrator.role, administrator.is_active) == (
        "administrator@firm.example",
        Role.ADMINISTRATOR,
        True,
    )
    assert [(s.partner_id, s.name, s.members, s.clients, s.administrators) for s in found] == [
        (1, "Firm", 1, 0, ("administrator@firm.example",)),
        (2, "Second", 1, 0, ("administrator@firm.example",)),
    ]


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"name": " "}, "a name of 1 to 150 characters"),
        ({"name": "x" * 151}, "a name of 1 to 150 characters"),
        ({"name": "\u200b"}, "a name of 1 to 150 characters"),
        ({"name": "a\u202eb"}, "a name of 1 to 150 characters"),
        ({"name": "fIRM"}, "Partner space 1 has this name already"),
        ({"currency": "EURO"}, "“EURO” is no currency in use"),
        ({"currency": "JPY"}, "JPY has other than two decimals"),
        ({"time_zone": "Brussels"}, "Brussels is not a time zone"),
        ({"administrator": "administrator"}, "administrator is not an e-mail address"),
        ({"administrator": "аdmin@example.com"}, "“а”, character 1 of “аdmin”, is from another alphabet"),
    ],
)
def test_what_cannot_be_a_partner_space_is_refused_in_words(
    database: Database, asked: dict[str, str], sentence: str
) -> None:
    """Rule 44: a currency of other than two decimals among it."""
    add(database)
    with pytest.raises(CannotBeSetUp, match=sentence):
        add(database, **({"name": "Another"} | asked))
    with database.reading() as session:
        assert len(members.spaces(session)) == 1


def test_no_partner_space_is_made_beside_the_demo(space: Space) -> None:
    with space.database.transaction() as session:
        session.add(DemoSpace(partner_id=1, made_at=space.clock.moment))
    with pytest.raises(CannotBeSetUp, match="This database holds the demo"):
        add(space.database)


def test_a_space_says_who_its_active_administrators_are(space: Space) -> None:
    with space.database.transaction() as session:
        gone = session.get_one(Member, (1, space.administrator.member_id))
        gone.is_active = False
    with space.database.reading() as session:
        (found,) = members.spaces(session)
    assert (found.members, found.administrators) == (3, ())
