"""What narrows the list of clients and how it is sorted, in the words that addresses and commands have for it."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from core.subscriptions import INDEXED_SETTINGS
from core.words import N_, ListedStatus, Term

BOUND_TO_NONE = 0  # the number that no default set has


class SourceFilter(Term):
    """Which clients, by where their settings come from. The values of `Source` serve too."""

    DEFAULT = "default", N_("Default only")
    OVERRIDE = "override", N_("With an override")
    OLDER = "older", N_("On older defaults")
    RETIRED_SET = "retired_set", N_("On a retired set")


class PendingFilter(Term):
    """Which clients, by whether something waits for their renewal (rule 31)."""

    PENDING = "pending", N_("Pending")


class AttentionFilter(Term):
    """Which clients, by whether somebody has to do something: the invitation lapsed or was revoked, or the newest
    message to the client was given up."""

    NEEDED = "needed", N_("Needs attention")


class Order(Term):
    """How the list is sorted. A client was invited on the day of its first invitation; clients without a price come
    last, whichever way prices go."""

    NAME = "name", N_("Name, A to Z")
    NAME_DESCENDING = "-name", N_("Name, Z to A")
    NEWEST = "newest", N_("Newest first")
    OLDEST = "oldest", N_("Oldest first")
    PRICE = "price", N_("Price, lowest first")
    PRICE_DESCENDING = "-price", N_("Price, highest first")

    @property
    def is_by_price(self) -> bool:
        """Whether what a client costs decides."""
        return self in (Order.PRICE, Order.PRICE_DESCENDING)


def statuses(words: str | Iterable[str]) -> tuple[ListedStatus, ...]:
    """The statuses that these words name, "active,expired" or several of them. Raises ValueError."""
    named = words.split(",") if isinstance(words, str) else words
    return tuple(status for status in ListedStatus if status in {ListedStatus(word) for word in named})


# What narrows the list, each with what makes its value of a word. One left out, None or "" does not narrow it.
# `search` looks in name, e-mail and company number; `status` takes several (see `statuses`).
FILTERS: dict[str, Callable[[str], Any]] = {
    "search": str,
    "status": statuses,
    **{setting.value: setting.terms or str for setting in INDEXED_SETTINGS},
    "source": SourceFilter,
    "pending": PendingFilter,
    "attention": AttentionFilter,
    "default_set": int,  # its number; BOUND_TO_NONE: bound to none
    "version": int,  # the version of its set that a client is bound to
    "responsible": int,  # the member's number
}


def filters_said(filters: Mapping[str, Any]) -> dict[str, str]:
    """The filters that narrow, each in the words that FILTERS makes its value of."""
    words = {name: ",".join(held) if isinstance(held, tuple) else held for name, held in filters.items()}
    return {name: str(held) for name, held in words.items() if held not in (None, "")}
