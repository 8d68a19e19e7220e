"""People at work: threads that save, invite and make exceptions through the use cases, and do again what failed."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from threading import Event, Thread
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from core import defaults, invitations, members, subscriptions
from core.defaults import DefaultSettings
from core.invitations import NewClient
from core.members import Member
from core.storage import Database
from core.subscriptions import Client, Subscription
from core.words import BillingError, BillingPeriod, BillingSettings, Overrides, Payer
from tests.faults.ledger import Ledger, NotFinished

_SETTINGS = [
    BillingSettings.starting_with(
        payer=payer, billing_period=BillingPeriod.MONTHLY, plan="standard", add_ons=frozenset({"bank_feeds"})
    )
    for payer in Payer
]
_BREATH = 0.03  # seconds between two changes of one thread: the machine is busy, not drowned
_SELDOM = 1000  # changes of a thread between two new versions: whoever fills in a form has to see them first


@contextmanager
def working(database: Database, partner_id: int, ledger: Ledger, *, threads: int) -> Iterator[list[str]]:
    """People at work while the block runs; their names. When it ends each has finished what they began."""
    stopped = Event()
    names = [f"thread {number}" for number in range(1, threads + 1)]
    running = [Thread(target=_work, args=(Worker(database, partner_id, ledger, name, stopped),)) for name in names]
    for thread in running:
        thread.start()
    try:
        yield names
    finally:
        stopped.set()
        for thread in running:
            thread.join()


@dataclass(frozen=True, slots=True)
class Worker:
    """Somebody at work, until stopped."""

    database: Database
    partner_id: int
    ledger: Ledger
    name: str
    stopped: Event

    def do(self, words: str, kept_in: Any, act: Callable[[Session, Member], object]) -> None:
        """Do it, and as somebody at a screen would: when that fails, look whether it was done, else do it again."""
        with self.ledger.change(self.name, words) as failed:
            while not (failed and self.stopped.is_set()):
                try:
                    with self.database.transaction() as session:
                        if failed and session.scalar(select(exists().where(kept_in == words))):
                            return
                        act(session, members.of_partner(session, self.partner_id)[0])
                    return
                except BillingError as refusal:
                    failed.append(type(refusal).__name__)
                    self.stopped.wait(_BREATH)
            raise NotFinished


def _work(worker: Worker) -> None:
    """A client invited, an exception made for it, and now and then new defaults, again and again."""
    for number in count(1):
        with suppress(NotFinished):
            client = f"Client {number} of {worker.name}"
            email = f"{client.replace(' ', '.').lower()}@example.com"
            worker.do(client, Client.name, lambda s, m: _invite(s, m, client, email))
            reason = f"exception {number} of {worker.name}"
            worker.do(reason, Subscription.reason, lambda s, m: _make_exception(s, m, email, reason))
            if number % _SELDOM == 0:
                note = f"version {number} of {worker.name}"
                worker.do(note, DefaultSettings.note, lambda s, m: save(s, m, note))
        if worker.stopped.wait(_BREATH):
            return


def _invite(session: Session, member: Member, name: str, email: str) -> None:
    invitations.invite(session, member, NewClient.from_typed(name=name, email=email))


def _make_exception(session: Session, member: Member, email: str, reason: str) -> None:
    client_id = session.scalars(select(Client.client_id).where(Client.email == email)).one()
    shown = subscriptions.detail(session, member, client_id)
    payer = next(payer for payer in Payer if payer is not shown.effective.payer.value)
    subscriptions.override(session, member, client_id, Overrides(payer=payer), seen=shown.revision, reason=reason)


def save(session: Session, member: Member, note: str) -> None:
    in_force = defaults.current(session, member)
    seen = None if in_force is None else in_force.version
    settings = next(each for each in _SETTINGS if in_force is None or each != in_force.settings)
    defaults.save(session, member, settings, seen=seen, note=note)
