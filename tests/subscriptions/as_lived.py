"""One client of the product compared with the naive model of its life."""

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby, pairwise
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.catalogue import Catalogue, Price
from core.defaults import EffectiveSettings
from core.subscriptions import ClientSubscription, Revision, Subscription, held_at, price_on
from tests.subscriptions.lives import Held, ModelClient, ModelPartner, State, as_dict, period

_LINE = (
    Subscription.partner_id,
    Subscription.client_id,
    Subscription.valid_from,
    Subscription.valid_to,
    Subscription.may_hold,
    Subscription.withdrawn_by,
)
_ROWS = select(*_LINE).order_by(*_LINE[:4])
Told = list[tuple[datetime, Revision, int | None]]  # when it was looked at, what held, what it cost


def cents(price: Price | None) -> int | None:
    return None if price is None else price.cents


def is_as(state: State, effective: EffectiveSettings) -> None:
    """The settings, where each comes from, and the version."""
    assert as_dict(effective.settings) == state.values
    assert {setting.value for setting in effective.overridden} == set(state.chosen)
    assert effective.bound == state.version


def is_now_as(model: ModelPartner, client: ModelClient, shown: ClientSubscription, moment: datetime) -> None:
    """What holds now and since which decision, what waits and from when, the period that runs, and what it costs."""
    today, state = model.today(moment), client.now
    is_as(state, shown.effective)
    assert (shown.status, shown.revision) == (state.status, client.line[-1].revision)
    assert len(shown.history) == client.revisions
    assert cents(shown.price) == model.price(state, today)
    assert shown.held.price_list == state.bought
    assert (shown.period is None) is (state.began is None)
    if shown.period is not None:
        assert (shown.period.first, shown.period.renewal) == period(state, today)
    assert (shown.pending is None) is (client.waits is None)
    if shown.pending is not None and client.waits is not None:
        assert held_as(shown.pending) == as_held(client.waits)


def held_as(revision: Revision) -> Any:
    chosen = {setting.value for setting in revision.overridden}
    return (
        revision.revision, revision.valid_from, revision.status, as_dict(revision.settings), chosen,
        revision.bound, revision.price_list,
    )  # fmt: skip


def as_held(held: Held) -> Any:
    state = held.state
    return (
        held.revision, held.since, state.status, state.values, set(state.chosen), state.version, state.bought,
    )  # fmt: skip


def past_is_kept(
    model: ModelPartner, client: ModelClient, shown: ClientSubscription, offer: Catalogue, told: Told
) -> None:
    """Every instant at which the client was looked at is told as it was then, and at what price."""
    for instant, then, price in told:
        held, expected = held_at(shown.history, instant), client.at(instant)
        assert held is not None
        assert expected is not None
        assert held_as(held) == held_as(then) == as_held(expected)
        if held.rhythm is not None:
            assert cents(price_on(offer, held, model.today(instant))) == price
    told.append((shown.moment, shown.held, cents(shown.price)))


def one_row_holds_at_every_instant(session: Session, moment: datetime) -> None:
    """By the rows alone: of each client they join without gap or overlap, the last is open, at most one waits, what was
    withdrawn is empty, and `may_hold` is never false on what holds or waits (rules 26, 31 and 33)."""
    for _, of_one in groupby(session.execute(_ROWS), lambda row: row[:2]):
        rows: Sequence[Any] = list(of_one)
        line = sorted((row for row in rows if row.withdrawn_by is None), key=lambda row: row.valid_from)
        assert all(row.valid_to == row.valid_from for row in rows if row.withdrawn_by is not None)
        assert all(before.valid_from < before.valid_to == after.valid_from for before, after in pairwise(line))
        assert line[-1].valid_to is None
        assert all(row.may_hold for row in line if row.valid_to is None or row.valid_to > moment)
        assert sum(row.valid_from > moment for row in line) <= 1
        assert line[0].valid_from <= moment
