"""E-mail addresses whose letters look like others: asked for again, in words that name the letter."""

import pytest

from core.invitations import NewClient
from core.team import NewMember
from core.words import BadInput, Role, odd_letters, speak


@pytest.mark.parametrize(
    ("address", "letter", "position", "part"),
    [
        ("jоhn@example.com", "о", "2", "jоhn"),
        ("john@exаmple.com", "а", "3", "exаmple"),
        ("john@mail.exаmple.com", "а", "3", "exаmple"),
        ("john@example.соm", "m", "3", "соm"),
        ("иvан@example.com", "v", "2", "иvан"),
        ("jοhn@example.com", "ο", "2", "jοhn"),
        ("jo.джон@example.com", "j", "1", "jo.джон"),
        ("оk@example.com", "о", "1", "оk"),
        ("jªn@example.com", "ª", "2", "jªn"),
        ("ｊohn@example.com", "ｊ", "1", "ｊohn"),
        ("john@ɡoogle.com", "ɡ", "1", "ɡoogle"),
        ("հome@example.com", "հ", "1", "հome"),
    ],
)
def test_a_letter_of_another_alphabet_is_named(address: str, letter: str, position: str, part: str) -> None:
    """In the mailbox or a part of the domain; of two alphabets alike, Latin is the one that was meant."""
    odd = odd_letters(address)
    assert odd is not None
    assert odd[1] == {"letter": letter, "position": position, "part": part}


@pytest.mark.parametrize(
    ("address", "looks"),
    [
        ("john@аррӏе.com", "apple"),
        ("john@xn--80ak6aa92e.com", "apple"),
        ("сосо@example.com", "coco"),
        ("ѕсоре-1@example.com", "scope-1"),
        ("ｊｏｅ@example.com", "joe"),
        ("ﬁn@example.com", "fin"),
    ],
)
def test_letters_that_all_look_like_latin_are_asked_for_again(address: str, looks: str) -> None:
    """Though they are of one alphabet; in a domain also where it is typed as mail servers write it."""
    with pytest.raises(BadInput) as refused:
        NewClient.from_typed(name="A", email=address)
    assert f"looks like “{looks}”, but its letters are from another alphabet." in refused.value.fields["email"]


@pytest.mark.parametrize(
    "address",
    [
        "john.o'neil+bills-2026@example.co.uk",
        "élodie.françois@société.example.fr",
        "office@exämple.com",
        "jože@žižkov.cz",
        "иван@example.com",
        "иван.петров2@почта.рф",
        "сосо@хор.рф",
        "μαρία@example.gr",
        "用户@例え.jp",
        "sales名前カタカナー@例え.jp",
        "김철수@example.kr",
        "دانیال@example.com",
        "आरव@example.com",
    ],
)
def test_an_address_in_one_alphabet_is_taken(address: str) -> None:
    """Accents, another alphabet than Latin, and scripts that are written with Latin beside them."""
    assert NewClient.from_typed(name="A", email=address).email == address


def test_wherever_an_address_is_typed_it_is_checked_and_told_in_the_readers_language() -> None:
    """In a member as in a client; an import and a form make the same of it."""
    with pytest.raises(BadInput) as refused:
        NewMember.from_typed(name="A", email="JОHN@example.com", role=Role.FINANCE)
    assert refused.value.fields["email"].startswith(
        "“о”, character 2 of “jоhn”, is from another alphabet than the rest"
    )
    speak("fr")
    assert refused.value.fields["email"].startswith(
        "«\xa0о\xa0», caractère 2 de «\xa0jоhn\xa0», vient d’un autre alphabet"
    )
