"""What was told done, and what the database says of it afterwards."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from time import monotonic

from sqlalchemy import select

from core import subscriptions
from core.defaults import DefaultSettings
from core.storage import Database
from core.subscriptions import Client, Subscription


class NotFinished(Exception):
    """The work ended while a change still failed: nobody was told that it is done."""


@dataclass
class Ledger:
    """Every change by words of its own: who asked for it, whether it was told done, how long that took, and how often
    its maker was told first that it did not work."""

    told: list[tuple[str, str]] = field(default_factory=list)  # who, and the words
    asked: set[str] = field(default_factory=set)
    waits: dict[str, list[float]] = field(default_factory=dict)
    failures: dict[str, list[int]] = field(default_factory=dict)
    sentences: Counter[str] = field(default_factory=Counter)
    lock: Lock = field(default_factory=Lock)

    @contextmanager
    def change(self, who: str, words: str) -> Iterator[list[str]]:
        """A change that is told done when the block ends; the list takes each sentence that said it did not work."""
        failed: list[str] = []
        began = monotonic()
        with self.lock:
            self.asked.add(words)
        yield failed
        with self.lock:
            self.told.append((who, words))
            self.waits.setdefault(who, []).append(monotonic() - began)
            self.failures.setdefault(who, []).append(len(failed))
            self.sentences.update(failed)

    def told_by(self, who: str) -> int:
        """How many changes they were told are done."""
        with self.lock:
            return len(self.waits.get(who, ()))


@dataclass(frozen=True, slots=True)
class Findings:
    """What of the changes is not as it was told; and what `check` says."""

    lost: list[str]
    doubled: list[str]
    differences: list[str]

    @property
    def are_clean(self) -> bool:
        return not (self.lost or self.doubled or self.differences)


def compare(ledger: Ledger, database: Database) -> Findings:
    """Look for each change by its words: the name of a client, the reason of an exception, the note of a version."""
    with database.reading() as session:
        found = Counter(
            words
            for column in (Client.name, Subscription.reason, DefaultSettings.note)
            for words in session.scalars(select(column).where(column != ""))
        )
        differences = list(subscriptions.differences(session))
    told = [words for _, words in ledger.told]
    return Findings(
        lost=[words for words in told if not found[words]],
        doubled=[words for words in ledger.asked if found[words] > 1],
        differences=differences,
    )
