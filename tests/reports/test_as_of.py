"""The list as of a past instant: what the list said then, and the clients behind each number of the distribution."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Any

import pytest
from sqlalchemy import event, text

from core import defaults, invitations, reports, subscriptions
from core.members import Member
from core.reports import (
    BOUND_TO_NONE,
    AttentionFilter,
    Figures,
    ListedClient,
    Order,
    PendingFilter,
    SourceFilter,
    search,
)
from core.words import BillingError, BillingPeriod, ListedStatus, Overrides, Payer, Role
from tests.conftest import PLUS, STANDARD, Space

CHOICES = [
    Overrides(),
    Overrides(plan="starter", add_ons=frozenset()),
    Overrides(plan="plus", add_ons=frozenset({"payroll"})),
    Overrides(plan="premium", add_ons=frozenset(), billing_period=BillingPeriod.YEARLY),
    Overrides(payer=Payer.PARTNER),
]
LOOKING_AFTER = [Role.CLIENT_MANAGER, Role.ACCOUNTANT, Role.ADMINISTRATOR]
QUESTIONS: dict[str, dict[str, Any]] = {
    "all": {},
    "newest first": {"order_by": Order.NEWEST},
    "Z to A": {"order_by": Order.NAME_DESCENDING},
    "by price": {"order_by": Order.PRICE},
    "by price of a plan": {"order_by": Order.PRICE_DESCENDING, "plan": "standard"},
    "pending": {"pending": PendingFilter.PENDING},
    "attention": {"attention": AttentionFilter.NEEDED},
    "older": {"source": SourceFilter.OLDER},
    "retired": {"source": SourceFilter.RETIRED_SET},
    "a set": {"default_set": 2},
    "no set": {"default_set": BOUND_TO_NONE},
    "a version": {"default_set": 1, "version": 1},
    "a manager": {"responsible": 2},
    "expired": {"status": "expired"},
    "revoked or archived": {"status": "revoked,archived"},
    "searched": {"search": "client 1"},
    "searched, older": {"search": "client", "source": SourceFilter.OLDER},
}


@dataclass(frozen=True)
class Then:
    """What the list and its figures said of the present, at an instant that has passed since."""

    instant: datetime
    listed: dict[str, list[ListedClient]]
    figures: dict[str, Figures]


def listed(space: Space, member: Member | None = None, **asked: Any) -> list[ListedClient]:
    with space.database.reading() as session:
        return reports.listed(session, member or space.administrator, page_size=1000, **asked)


def figures(space: Space, **asked: Any) -> Figures:
    with space.database.reading() as session:
        return reports.figures(session, space.administrator, **asked)


def everything(space: Space, as_of: datetime | None = None) -> Then:
    """What the list says, of now or as of an instant."""
    narrowed = {name: {key: asked[key] for key in asked if key != "order_by"} for name, asked in QUESTIONS.items()}
    return Then(
        space.clock() if as_of is None else as_of,
        {name: listed(space, as_of=as_of, **asked) for name, asked in QUESTIONS.items()},
        {name: figures(space, as_of=as_of, **asked) for name, asked in narrowed.items()},
    )


def life(space: Space, seed: int, steps: int) -> Iterator[None]:
    """A firm's life by chance: after each act, some days may have passed. What is refused is not done."""
    chance = Random(seed)
    space.invite("Client 0", ALL_CHOSEN)
    space.save(STANDARD)
    with space.database.transaction() as session:
        defaults.make_set(session, space.administrator, "Freelancers", PLUS)
    clients = [1]

    def act(do: Callable[[Any], Any]) -> None:
        with space.database.transaction() as session:
            do(session)

    def invite() -> None:
        client = space.invite(f"Client {len(clients)}", chance.choice(CHOICES), chance.choice(LOOKING_AFTER))
        clients.append(client.client_id)

    def start(client_id: int) -> None:
        client = space.detail(client_id).client
        act(lambda session: subscriptions.start(session, space.administrator.partner, client))

    def end(client_id: int) -> None:
        seen, at_once = space.detail(client_id).seen, chance.random() < 0.5
        act(lambda s: subscriptions.archive(s, space.manager, client_id, seen=seen, at_once=at_once))

    def cancel(client_id: int) -> None:
        seen = space.detail(client_id).seen
        act(lambda s: subscriptions.cancel_pending(s, space.manager, client_id, seen=seen))

    def change_of_set(_: int) -> None:
        with space.database.reading() as session:
            found = defaults.sets(session, space.administrator).named(2)
        change = defaults.bring_back_set if found.is_retired else defaults.retire_set
        act(lambda session: change(session, space.administrator, 2, seen=found.changes))

    def other_set(_: int) -> None:
        new = invitations.NewClient.from_typed(name=f"Client {len(clients)}", email=f"f{len(clients)}@example.com")
        act(lambda session: clients.append(invitations.invite(session, space.manager, new, set_number=2).client_id))

    acts: list[Callable[[int], Any]] = [
        lambda _: invite(),
        lambda _: invite(),
        other_set,
        *[start] * 4,
        *[lambda client_id: space.override(client_id, chance.choice(CHOICES))] * 7,
        cancel,
        end,
        lambda client_id: space.give(client_id, chance.choice(LOOKING_AFTER)),
        lambda _: space.save(chance.choice([STANDARD, PLUS])),
        lambda client_id: space.adopt(client_id, clear_overrides=True),
        lambda client_id: act(lambda session: invitations.revoke(session, space.manager, client_id)),
        lambda client_id: act(lambda session: invitations.invite_again(session, space.manager, client_id)),
        lambda client_id: give_up(space, client_id),
        change_of_set,
    ]
    for _ in range(steps):
        space.clock.forward(hours=chance.choice([1, 20, 90]))
        try:
            chance.choice(acts)(chance.choice(clients))
        except BillingError:
            continue
        yield


ALL_CHOSEN = Overrides(payer=PLUS.payer, billing_period=PLUS.billing_period, plan=PLUS.plan, add_ons=PLUS.add_ons)


def give_up(space: Space, client_id: int) -> None:
    """What the deliverer writes when it gives up the messages that wait for a client."""
    given_up = (
        "UPDATE outbox_message SET given_up_at = :now, token = NULL, next_attempt_at = NULL "
        "WHERE client_id = :client AND next_attempt_at IS NOT NULL"
    )
    moment: Any = space.clock()
    if space.database.engine.dialect.name == "sqlite":
        moment = int(moment.timestamp() * 1_000_000)
    with space.database.transaction() as session:
        session.execute(text(given_up), {"client": client_id, "now": moment})


@pytest.mark.parametrize(("seed", "few"), [(1, -1), (2, 2), (3, 500)])
def test_the_list_as_of_an_instant_is_what_the_list_was_then(
    space: Space, seed: int, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every client with all that is told of it, in every order, by every filter; and every figure. Whether a walk of
    the list meets those who fulfilled the filters, or they are few and gathered."""
    monkeypatch.setattr(search, "FEW", few)
    told = [everything(space) for at, _ in enumerate(life(space, seed, 110)) if at % 5 == 0]
    space.clock.forward(days=1)
    assert len(told) > 8
    for name in ("pending", "attention", "older", "no set", "a manager", "revoked or archived"):
        assert any(then.listed[name] for then in told), name
    for then in told:
        again = everything(space, then.instant)
        for name in QUESTIONS:
            assert again.listed[name] == then.listed[name], (then.instant, name)
            assert again.figures[name] == then.figures[name], (then.instant, name)


@pytest.mark.parametrize("seed", [4, 5])
def test_each_number_of_the_distribution_is_that_of_its_clients(space: Space, seed: int) -> None:
    """Of now and of past instants, by each split, of one status and of several: so many clients, and to the cent."""
    instants: list[datetime | None] = [None]
    instants += [space.clock() for at, _ in enumerate(life(space, seed, 60)) if at % 9 == 8]
    space.clock.forward(days=1)
    seen = 0
    for instant in instants:
        with space.database.reading() as session:
            spread = reports.plan_distribution(session, space.administrator, as_of=instant)
        spread["default_set"] = spread["set_number"].fillna(BOUND_TO_NONE).astype(int)
        for chosen in (*([status] for status in ListedStatus), [*ListedStatus][:3], list(ListedStatus)):
            counted = spread[spread["status"].isin(chosen)]
            for keys in ([], ["plan"], *(["plan", split] for split in SPLITS), *([split] for split in SPLITS)):
                cells = counted.groupby(keys)[SUMS].sum().reset_index() if keys else counted[SUMS].sum().to_frame().T
                for cell in cells.to_dict("records"):
                    asked = {key: cell[key] for key in keys}
                    there = listed(space, as_of=instant, status=",".join(chosen), **asked)
                    assert len(there) == cell["clients"], (instant, chosen, asked)
                    cents = sum(each.price.cents_per_year for each in there if each.price)
                    assert cents == cell["cents_per_year"], (instant, chosen, asked)
                    seen += len(there)
    assert seen > 100


SPLITS = ("source", "payer", "billing_period", "default_set")
SUMS = ["clients", "cents_per_year"]


def test_an_accountant_sees_the_past_of_the_clients_they_look_after_now(space: Space) -> None:
    """Rule 52: not of those they looked after then."""
    space.save()
    kept, given = space.invite("Kept", responsible=Role.ACCOUNTANT), space.invite("Given", responsible=Role.ACCOUNTANT)
    then = space.clock()
    space.clock.forward(days=1)
    space.give(given.client_id, Role.CLIENT_MANAGER)
    space.clock.forward(days=1)
    accountant = space.members[Role.ACCOUNTANT]
    assert [each.client_id for each in listed(space, accountant, as_of=then)] == [kept.client_id]
    assert [each.name for each in listed(space, as_of=then, responsible=accountant.member_id)] == ["Given", "Kept"]
    with space.database.reading() as session:
        assert reports.figures(session, accountant, as_of=then).clients == 1


def test_another_space_has_a_past_of_its_own(make_space: Callable[..., Space]) -> None:
    """Nothing of a neighbour is listed, whatever the instant."""
    space, other = make_space(), make_space(2)
    for each in (space, other):
        each.save()
    space.invite("Ours")
    other.invite("Theirs")
    then = space.clock()
    space.clock.forward(days=2)
    assert [each.name for each in listed(space, as_of=then)] == ["Ours"]
    assert figures(other, as_of=then).clients == 1


def test_the_past_is_read_with_as_many_queries_whatever_the_clients(space: Space) -> None:
    """One page: what is asked of the database does not grow with the list."""
    space.save()
    space.invite("First")
    then = space.clock()
    listed(space, as_of=then)
    with queries(space) as at_first:
        listed(space, as_of=then)
        figures(space, as_of=then)
    for number in range(20):
        space.invite(f"Client {number}")
    with queries(space) as with_many:
        assert len(listed(space, as_of=space.clock())) == 21
        figures(space, as_of=space.clock())
    assert len(with_many) == len(at_first)


@contextmanager
def queries(space: Space) -> Iterator[list[str]]:
    asked: list[str] = []

    def heard(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        asked.append(statement)

    event.listen(space.database.engine, "before_cursor_execute", heard)
    try:
        yield asked
    finally:
        event.remove(space.database.engine, "before_cursor_execute", heard)


def test_the_file_of_a_past_day_has_what_the_list_has(space: Space) -> None:
    """A client that has gone since is in it, with its status of then."""
    space.save()
    client_id = space.invite("Gone").client_id
    then = space.clock()
    space.clock.forward(days=1)
    space.archive(client_id)
    space.invite("Later")
    with space.database.reading() as session:
        content = "".join(reports.csv_pieces(session, space.administrator, as_of=then))
    assert "Gone" in content
    assert ListedStatus.INVITED.label in content
    assert "Later" not in content
