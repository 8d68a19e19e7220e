"""One change of one client, at once, scheduled, cancelled, and while another one waits: both ways."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import cycle
from random import randrange
from typing import Any

from core import subscriptions
from core.subscriptions import Seen
from core.words import BillingPeriod, Overrides, Payer
from tests.bench import bare_writes, space
from tests.bench.databases import Bench
from tests.bench.timing import Case

WHO = {"partner": space.PARTNER_ID, "member": 1, "role": "administrator"}

_ENOUGH = 700
_SUITED = f"""
    SELECT h.client_id, h.revision, h.overridden, h.billing_period,
        (SELECT max(n.revision) FROM subscription n WHERE n.partner_id = h.partner_id AND n.client_id = h.client_id)
    FROM subscription h JOIN subscription l ON l.partner_id = h.partner_id AND l.client_id = h.client_id
    WHERE h.partner_id = :partner AND h.valid_from <= :now AND (h.valid_to IS NULL OR h.valid_to > :now)
        AND h.status = 'active' AND h.overridden IN ('', 'payer') AND h.client_id >= :first
        AND l.valid_to IS NULL AND l.status = 'active' AND {{}}
    ORDER BY h.client_id LIMIT {_ENOUGH}"""
_WAITS, _HOLDS = "l.valid_from > :now", "l.valid_from <= :now"
_DECIDED = """
    SELECT revision - :newest, valid_to IS NULL, valid_from > decided_at, may_hold, status, withdrawn_by
    FROM subscription WHERE partner_id = :partner AND client_id = :client AND revision > :newest ORDER BY revision"""


@dataclass(slots=True)
class _Client:
    client_id: int
    held: int
    overridden: str
    period: str
    newest: int

    @property
    def seen(self) -> Seen:
        return Seen(self.held, self.newest)

    @property
    def payer(self) -> dict[str, Payer]:
        """The choice on this turn: one of the payer, or to clear it."""
        return {} if self.overridden else {"payer": Payer.CLIENT}

    @property
    def other_period(self) -> dict[str, BillingPeriod]:
        return {"billing_period": BillingPeriod.MONTHLY if self.period == "yearly" else BillingPeriod.YEARLY}


_Choice = Callable[[_Client], dict[str, Any]]


def _at_once(bench: Bench) -> Case:
    return _change(bench, _HOLDS, lambda client: client.payer, adds=1)


def _scheduled(bench: Bench) -> Case:
    return _change(bench, _HOLDS, lambda client: client.other_period, adds=1, once=True)


def _while_one_waits(bench: Bench) -> Case:
    return _change(bench, _WAITS, lambda client: client.payer, adds=2)


def _change(bench: Bench, which: str, choice: _Choice, *, adds: int, once: bool = False) -> Case:
    """This choice is all that the client has; it adds so many revisions. Each client in turn, or `once`."""

    def ours(client: _Client) -> tuple[int, int]:
        with bench.database.transaction() as session:
            made = subscriptions.override(
                session, bench.member, client.client_id, Overrides(**choice(client)), seen=client.seen, reason="bench"
            )
        return made.revision, made.revision + adds - 1

    def bare(client: _Client) -> tuple[int, int]:
        chosen = {setting: str(value) for setting, value in choice(client).items()}
        return bare_writes.override(bench.driver, bench.offer, WHO, client.client_id, chosen, seen=client.seen)

    return _case(bench, which, ours, bare, once=once)


def _cancel(bench: Bench) -> Case:
    def ours(client: _Client) -> tuple[int, int]:
        with bench.database.transaction() as session:
            made = subscriptions.cancel_pending(session, bench.member, client.client_id, seen=client.seen)
        return made.revision, made.revision

    def bare(client: _Client) -> tuple[int, int]:
        return bare_writes.cancel(bench.driver, WHO, client.client_id, seen=client.seen)

    return _case(bench, _WAITS, ours, bare, once=True)


CHANGES = {
    "one change at once": _at_once,
    "one change scheduled": _scheduled,
    "one change while one waits": _while_one_waits,
    "one cancel": _cancel,
}


def _case(
    bench: Bench,
    which: str,
    ours: Callable[[_Client], tuple[int, int]],
    bare: Callable[[_Client], tuple[int, int]],
    *,
    once: bool,
) -> Case:
    first = randrange(max(1, bench.clients - 20 * _ENOUGH)) if which == _HOLDS else 0
    suited = [_Client(*row) for row in bench.driver.rows(_SUITED.format(which), first=first)]

    def in_turn(way: Callable[[_Client], tuple[int, int]], clients: list[_Client]) -> Callable[[], tuple[int, int]]:
        turns = cycle(clients)

        def change() -> tuple[int, int]:
            client = next(turns)
            newest = client.newest
            client.held, client.newest = way(client)
            client.overridden = "" if client.overridden else "payer"
            return client.client_id, newest

        return change

    def same(made: tuple[int, int], by_hand: tuple[int, int]) -> None:
        one, other = (bench.driver.rows(_DECIDED, client=who, newest=newest) for who, newest in (made, by_hand))
        assert one == other

    most = len(suited) // 2
    both = in_turn(ours, suited[::2]), in_turn(bare, suited[1::2])
    return Case(*both, same, most=most) if once else Case(*both, same)
