"""The search over clients: words in any order, without accents or signs, through an index of every three letters.

The index tells at once where few clients match: their numbers are then all that is read. Where many match, a walk of
the list in its order finds a page of them soon.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, String, and_, bindparam, column, literal_column, or_, select, table
from sqlalchemy.orm import Session

from core.reports.then import PARTNER
from core.subscriptions import Client
from core.words import is_showable, search_words

FEW = 500  # clients whose numbers are read at once
_LONGEST, _MOST_WORDS = 200, 12
_CLIENTS = 2**32  # in the numbers of the index of SQLite, between one partner and the next
_INDEX = table("client_search", column("rowid"))


def words_of(search: str) -> tuple[str, ...]:
    """What is looked for: the words of what was typed, folded; more than a dozen say no more."""
    typed = "".join(c for c in search if is_showable(c))[:_LONGEST]
    return search_words(typed)[:_MOST_WORDS]


def asked_in_words(words: tuple[str, ...]) -> dict[str, str]:
    """The values that `contains` asks with. Several words are also one, where a number may be typed with spaces."""
    values = {f"word_{place}": f"%{_part(word)}%" for place, word in enumerate(words)}
    if is_one(words):
        values["joined"] = f"%{''.join(words)}%"
    return values


def is_one(words: tuple[str, ...]) -> bool:
    """Whether these words may be one number."""
    return len(words) > 1 and any(c.isdecimal() for word in words for c in word)


def contains(words: int, *, joined: bool) -> ColumnElement[bool]:
    """The condition on the client that it has so many words in what is looked in, or all of them joined."""
    found = and_(*(Client.search_text.like(bindparam(f"word_{place}", type_=String())) for place in range(words)))
    return or_(found, Client.search_text.like(bindparam("joined", type_=String()))) if joined else found


def few_found(session: Session, partner_id: int, words: tuple[str, ...]) -> list[int] | None:
    """The numbers of the partner's clients that have these words; None where there are more than a few."""
    connection, most = session.connection(), FEW + 1
    if connection.dialect.name == "sqlite":
        first = partner_id * _CLIENTS
        asked: Mapping[str, Any] = {"match": _match(words), "first": first, "last": first + _CLIENTS - 1, "most": most}
        found = [number - first for (number,) in connection.execute(_in_index(), asked)]
    else:
        asked = asked_in_words(words) | {"partner_id": partner_id, "most": most}
        found = list(connection.scalars(_of_client(len(words), joined=is_one(words)), asked))
    return None if len(found) > FEW else found


@lru_cache(maxsize=1)
def _in_index() -> Any:
    matches = literal_column("client_search").op("MATCH")(bindparam("match", type_=String()))
    between = _INDEX.c.rowid.between(bindparam("first"), bindparam("last"))
    return select(_INDEX.c.rowid).where(matches, between).limit(bindparam("most"))


@lru_cache(maxsize=32)
def _of_client(words: int, *, joined: bool) -> Any:
    condition = contains(words, joined=joined)
    return select(Client.client_id).where(Client.partner_id == PARTNER, condition).limit(bindparam("most"))


def _match(words: tuple[str, ...]) -> str:
    """The same as SQLite's index is asked; words hold letters and digits alone, so there is nothing to escape."""
    every = " AND ".join(f'"{_part(word)}"' for word in words)
    return f'({every}) OR "{"".join(words)}"' if is_one(words) else every


def _part(word: str) -> str:
    """A word is looked for anywhere; one of a letter or two at the beginning of words."""
    return word if len(word) > 2 else f"  {word}"
