"""The search over clients: words in any order, without accents and signs, of the partner's own clients alone."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from core import invitations, reports, storage, subscriptions
from core.invitations import ClientDetails
from core.reports import search
from core.words import fold, search_words
from tests.conftest import STANDARD, Space

NAMES = st.text(st.characters(exclude_categories=("Cs", "Cc", "Cf", "Zl", "Zp")), min_size=1, max_size=30).filter(
    lambda name: search_words(name)
)
HOUSES = ["Müller & Söhne", "Bakkerij De Zwaluw BV", "O'Connell Ltd", "Société Générale d'Étude", "A.B.C. Consult"]


def found(space: Space, words: str, **filters: Any) -> list[str]:
    with space.database.reading() as session:
        names = [each.name for each in reports.listed(session, space.manager, search=words, **filters)]
        assert reports.figures(session, space.manager, search=words, **filters).clients == len(names)
    return names


def edit(space: Space, client_id: int, **details: Any) -> None:
    with space.database.transaction() as session:
        client = subscriptions.visible(session, space.manager, client_id)
        typed = {"name": client.name, "email": client.email} | details
        invitations.edit_client(session, space.manager, client_id, ClientDetails.from_typed(**typed), seen=0)


@pytest.fixture
def houses(space: Space) -> Space:
    space.save(STANDARD)
    for number, name in enumerate(HOUSES):
        space.invite(name, email=f"info@house{number}.example")
    return space


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("muller sohne", [HOUSES[0]]),
        ("SÖHNE, Müller", [HOUSES[0]]),
        ("zwaluw bakk", [HOUSES[1]]),
        ("bv zwaluw", [HOUSES[1]]),
        ("oconnell", [HOUSES[2]]),
        ("o'connell", [HOUSES[2]]),
        ("o", [HOUSES[2]]),
        ("etude societe", [HOUSES[3]]),
        ("abc", [HOUSES[4]]),
        ("a.b.c", [HOUSES[4]]),
        ("info@house3", [HOUSES[3]]),
        ("house3.example", [HOUSES[3]]),
        ("muller zwaluw", []),
        ("wz", []),
        ("& .", HOUSES),
        ('" OR "', []),
    ],
)
def test_words_are_found_in_any_order_without_accents_and_signs(houses: Space, words: str, expected: list[str]) -> None:
    """In the name or the e-mail; a letter or two at the beginning of a word."""
    assert found(houses, words) == sorted(expected, key=fold)


@pytest.mark.parametrize(
    ("who", "typed"),
    [
        ({"company_number": "0471730202"}, ["0471.730.202", "BE 0471 730 202", "be0471730202", "730 202", "0471"]),
        ({"country": "NL", "company_number": "12345678"}, ["12345678", "NL12345678", "12 34 56 78"]),
        ({"country": "FR", "vat_number": "FR40303265045"}, ["FR 40 303 265 045", "40303265045", "fr-40-303265045"]),
        ({"country": "GB", "company_number": "SC 123.456"}, ["sc123456", "SC 12 34 56", "GB SC123456"]),
    ],
)
def test_a_company_number_of_any_country_is_found_as_people_type_it(
    houses: Space, who: dict[str, str], typed: list[str]
) -> None:
    """With its letters, dots and spaces or without."""
    houses.invite("Numbered", email="n@example.com", **who)
    for words in typed:
        assert found(houses, words) == ["Numbered"], words


def test_the_words_of_any_name_find_it_and_never_another_partners(make_space: Callable[..., Space]) -> None:
    """Shuffled, with other signs between them."""
    two = Two(make_space)

    @settings(max_examples=60)
    @given(NAMES, st.randoms(use_true_random=False))
    def holds(name: str, chance: Any) -> None:
        client_id = two.invite(name)
        words = list(search_words(name))
        chance.shuffle(words)
        typed = chance.choice([" ", " & ", ", "]).join(words)
        assert client_id in two.found(two.own, typed)
        assert two.found(two.other, typed) == []

    holds()


class Two:
    """Two partner spaces, one with clients."""

    def __init__(self, make_space: Callable[..., Space]) -> None:
        self.own, self.other = make_space(1), make_space(2)
        self.own.save(STANDARD)
        self.number = 0

    def invite(self, name: str) -> int:
        self.number += 1
        new_client = invitations.NewClient.model_construct(
            name=name, email=f"x{self.number}@example.com", country="", company_number=None, vat_number=None,
            external_reference="", contact_name="", language="en", message="",
        )  # fmt: skip
        with self.own.database.transaction() as session:
            return invitations.invite(session, self.own.manager, new_client).client_id

    def found(self, space: Space, words: str) -> list[int]:
        with space.database.reading() as session:
            listed = reports.listed(session, space.manager, search=words, page_size=1000)
        return [each.client_id for each in listed]


def test_what_is_found_is_the_same_whether_few_or_many_have_it(houses: Space, monkeypatch: pytest.MonkeyPatch) -> None:
    """Through the index, and by a walk of the list: in pages, in figures, with filters."""
    for words in ("o", "house", "de", "sohne muller", "house 4", "1 2", "zz"):
        few = found(houses, words), found(houses, words, status="invited", plan="standard")
        with monkeypatch.context() as patch:
            patch.setattr(search, "FEW", -1)
            assert (found(houses, words), found(houses, words, status="invited", plan="standard")) == few
    assert len(found(houses, "house")) == len(HOUSES)


def test_a_client_is_found_by_its_new_details_and_by_none_of_the_old(houses: Space) -> None:
    """In the transaction of the edit; forgotten, it is found by what stands in its place."""
    edit(houses, 1, name="Dupont", company_number="0471730202")
    assert (found(houses, "muller"), found(houses, "dupont 0471")) == ([], ["Dupont"])
    with pytest.raises(ZeroDivisionError), houses.database.transaction() as session:
        session.execute(text("UPDATE client SET search_text = '  lost' WHERE client_id = 1"))
        raise ZeroDivisionError
    assert (found(houses, "lost"), found(houses, "dupont")) == ([], ["Dupont"])
    houses.archive(1)
    with houses.database.transaction() as session:
        assert invitations.forget(session, 1, 1)
    assert (found(houses, "dupont"), found(houses, "0471730202")) == ([], [])
    assert found(houses, "forgotten client") == ["Forgotten client 1"]
    with houses.database.reading() as session:
        assert list(subscriptions.differences(session)) == []


def test_a_client_that_is_searched_in_other_words_than_its_own_is_told(houses: Space) -> None:
    """By the check of everything."""
    with houses.database.transaction() as session:
        session.execute(text("UPDATE client SET search_text = '  wrong' WHERE client_id = 2"))
    with houses.database.reading() as session:
        (told,) = subscriptions.differences(session)
    assert told.startswith("partner 1, client 2: searched in '  wrong', not '  bakkerij  de  zwaluw")


def test_nothing_of_a_forgotten_name_is_left_in_the_file(houses: Space) -> None:
    """Nor its letters in the index of the search."""
    if not houses.database.is_embedded:
        pytest.skip("PostgreSQL sees to it when it vacuums")
    path = houses.database.engine.url.database
    edit(houses, 5, name="Xylophonequartz")
    houses.archive(5)
    with houses.database.transaction() as session:
        invitations.forget(session, 1, 5)
    storage.leave_nothing_deleted(houses.database)
    with houses.database.engine.connect() as connection:
        connection.exec_driver_sql("CREATE VIRTUAL TABLE temp.letters USING fts5vocab('main', 'client_search', 'row')")
        letters = {term for (term,) in connection.exec_driver_sql("SELECT term FROM temp.letters")}
    assert "mul" in letters
    assert not letters & {"xyl", "ylo", "qua", "rtz"}
    assert path is not None
