"""What one act does to each client: the same pure rules as for one client alone, remembered for clients that do not
differ in what the rules look at (rule 48)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from core import subscriptions
from core.bulk.acts import Act, Adopt, Archive, CancelPending, Override
from core.bulk.previewed import Effect, Kind
from core.bulk.refusals import LeftOut, Why, why
from core.catalogue import Catalogue
from core.defaults import DefaultSettings, Sets, choices
from core.subscriptions import Author, Basis, Preview, Revision, Shared
from core.words import (
    ArchivedClient,
    BillingError,
    ClientStatus,
    NothingPending,
    NothingToAdopt,
    Overrides,
    Payer,
)

_Change = tuple[DefaultSettings | None, Overrides, bool]  # what it binds to, the choices, and whether it is an adoption
Outcome = tuple[Sequence[Revision], Effect] | LeftOut


@dataclass(slots=True)
class Decider:
    """Decides of clients of one partner at one moment. `sets` are the partner's default sets; `known` is what the
    clients have alike, so that each is remembered by its identity."""

    offer: Catalogue
    author: Author
    sets: Sets
    known: Shared
    _previews: dict[Any, Preview | BillingError] = field(default_factory=dict)
    _decisions: dict[tuple[int, int], Sequence[Revision]] = field(default_factory=dict)
    _effects: dict[int, Effect] = field(default_factory=dict)

    def outcome(self, act: Act, basis: Basis) -> Outcome:
        """What the act does to this client, or why it is left out."""
        try:
            match act:
                case Adopt():
                    return self._adopted(act, basis)
                case Override():
                    change = partial(self._overridden, act, basis)
                    return self._changed(basis, self._previewed(basis, None, change))
                case CancelPending():
                    return self._cancelled(basis)
                case Archive(at_once=at_once):
                    return self._ended(basis, at_once=at_once)
                case _:
                    raise TypeError(f"{act!r} is no decision about a subscription")
        except BillingError as refusal:
            return self._left_out(basis, refusal)

    def undone(self, basis: Basis, batch: int, at: datetime) -> Outcome:
        """What undoing the batch of that instant does to this client, whose history since then is at hand (rule 50)."""
        before = subscriptions.before_batch(basis, batch, at)
        newest = basis.history[0]
        if before is None:
            return LeftOut(
                basis.client.client_id, basis.client.name, Why.CHANGED_SINCE,
                changed_by=newest.changed_by, changed_at=newest.decided_at,
            )  # fmt: skip
        try:
            if basis.status is ClientStatus.ARCHIVED:  # it comes back by being invited again (rule 36)
                raise ArchivedClient(name=basis.client.name)
            decision, preview = subscriptions.brought_back(
                self.offer, basis, before, self.author, self._as_in, self._settled, self.known.effective
            )
        except BillingError as refusal:
            return self._left_out(basis, refusal)
        if not decision:
            return LeftOut(basis.client.client_id, basis.client.name, Why.NOTHING_TO_CHANGE)
        if preview is not None:
            return decision, self._effect(basis, preview)
        return decision, self._cancelling(basis)

    def _previewed(self, basis: Basis, decided_by: Any, change: Callable[[], _Change]) -> Preview:
        """What a change of the client does: subscriptions.preview_change, worked out once for clients that differ in
        nothing that it looks at. `decided_by`: what the change follows from, beside what holds."""
        subscriptions.refuse_ended(basis)  # which names the client
        held = basis.held
        morning = subscriptions.held_in_the_morning(basis.history, basis.time_zone, basis.moment)
        began: Any = morning is held
        if morning is not None and morning is not held:
            began = (id(morning.status), id(morning.settings), morning.rhythm, morning.price_list)
        key = (id(basis.effective), id(held.status), held.rhythm, held.price_list, basis.pending, began, decided_by)
        found = self._previews.get(key)
        if found is None:
            try:
                bind_to, overrides, replaces_all = change()
                found = subscriptions.preview_change(self.offer, basis, bind_to, overrides, replaces_all=replaces_all)
            except BillingError as refusal:
                found = refusal
            self._previews[key] = found
        if isinstance(found, BillingError):
            raise found.with_traceback(None)
        return found

    def _adopted(self, act: Adopt, basis: Basis) -> Outcome:
        bound, sets = basis.held.bound, self.sets
        target = sets.target(bound) if act.set_number is None else sets.pick(act.set_number)
        if target is None:
            raise NothingToAdopt
        if act.set_number is None and sets.is_to_confirm(bound):
            raise sets.not_theirs(basis.client.name, bound, target)

        def change() -> _Change:
            return target.newest, Overrides() if act.clear_overrides else basis.overrides, True

        return self._changed(basis, self._previewed(basis, target.newest.bound, change))

    @staticmethod
    def _overridden(act: Override, basis: Basis) -> _Change:
        return basis.bound, act.over(basis.overrides), False

    def _changed(self, basis: Basis, preview: Preview) -> Outcome:
        decision = self._settled(basis, preview)
        if not decision:
            return LeftOut(basis.client.client_id, basis.client.name, Why.NOTHING_TO_CHANGE)
        return decision, self._effect(basis, preview)

    def _settled(self, basis: Basis, preview: Preview) -> Sequence[Revision]:
        """The revisions that make the preview so: the same for clients that have as many and share the preview."""
        key = (id(preview), basis.history[0].revision)
        found = self._decisions.get(key)
        if found is None:
            found = self._decisions[key] = subscriptions.settled(basis, preview, self.author)
        return found

    def _effect(self, basis: Basis, preview: Preview) -> Effect:
        """What it does, as it is counted: the same for clients that share the preview."""
        found = self._effects.get(id(preview))
        if found is None:
            found = self._effects[id(preview)] = self._effect_of(basis, preview)
        return found

    @staticmethod
    def _effect_of(basis: Basis, preview: Preview) -> Effect:
        when = preview.timing
        kind = Kind(basis.effective, preview.effective, preview.waits, when.before, when.after)
        takes_over = preview.payer_changes and preview.effective.payer.value is Payer.CLIENT
        return Effect(
            kind,
            when.day,
            0 if when.charge is None else when.charge.cents,
            replaces_pending=basis.pending is not None and bool(preview.replaced or preview.withdraws),
            becomes_payer=takes_over and basis.status is ClientStatus.ACTIVE,
        )

    def _cancelled(self, basis: Basis) -> Outcome:
        if basis.pending is None:
            raise NothingPending(name=basis.client.name)
        return [subscriptions.going_on(basis, self.author)], self._cancelling(basis)

    def _cancelling(self, basis: Basis) -> Effect:
        """What holds goes on, and what waits is another thing or nothing."""
        price = subscriptions.price_on(self.offer, basis.held, basis.today)
        pending = basis.pending
        if pending is None:
            return Effect(Kind(basis.effective, basis.effective, waits=True, price_before=price), basis.today)
        ends = pending.status is ClientStatus.ARCHIVED
        kind = Kind(
            basis.effective, basis.effective, waits=False, price_before=price, price_after=price,
            withdrawn=None if ends else self.known.effective(pending), withdraws_end=ends,
        )  # fmt: skip
        return Effect(kind, basis.today, replaces_pending=True)

    def _ended(self, basis: Basis, *, at_once: bool) -> Outcome:
        ending = subscriptions.ending(basis, at_once=at_once)
        end = subscriptions.ended(basis, ending, self.author, at_once=at_once)
        price = subscriptions.price_on(self.offer, basis.held, basis.today)
        kind = Kind(basis.effective, None, end.waited, price_before=price)
        return [end], Effect(
            kind,
            ending.day,
            replaces_pending=ending.pending is not None,
            given_up_days=ending.given_up_days,
        )

    def _as_in(self, basis: Basis, before: Revision) -> Preview:
        """What it does to be bound and to choose as in that revision."""

        def change() -> _Change:
            return self.known.bound(before), choices(before.settings, before.overridden), True

        return self._previewed(basis, id(self.known.effective(before)), change)

    def _left_out(self, basis: Basis, refusal: BillingError) -> LeftOut:
        return LeftOut(basis.client.client_id, basis.client.name, why(refusal), refusal)
