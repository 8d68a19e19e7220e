"""Bringing back what held before a decision, through the same rules as any decision (rule 50): what waits is cancelled,
what was decided today is reversed at once, what is older goes back as rule 28 says. What the decision had withdrawn and
would still begin later waits again."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from core.catalogue import Catalogue
from core.defaults import EffectiveSettings
from core.subscriptions.basis import Basis
from core.subscriptions.decisions import Preview, as_revision, going_on, restated
from core.subscriptions.revisions import Author, Revision, decided
from core.subscriptions.timing import at_renewal
from core.words import ClientStatus

Previewed = Callable[[Basis, Revision], Preview]  # of binding a client as in this revision, so that nothing else waits
Settled = Callable[[Basis, Preview], Sequence[Revision]]  # the revisions that make it so
Effective = Callable[[Revision], EffectiveSettings]  # the settings of a revision, each with its source


@dataclass(frozen=True, slots=True)
class Before:
    """What held before a decision, and what waited then (None: nothing)."""

    held: Revision
    pending: Revision | None


def before_batch(basis: Basis, batch: int, at: datetime) -> Before | None:
    """What held for a client before the decision that was made in this batch at that instant; None where another one
    was made since. `basis` has the history since that instant."""
    if basis.history[0].batch != batch:
        return None
    first = min(each.revision for each in basis.history if each.batch == batch)
    earlier = [each for each in basis.history if each.revision < first]
    held = next(
        each
        for each in earlier
        if not each.was_withdrawn and each.valid_from < at and (each.valid_to is None or each.valid_to >= at)
    )
    return Before(held, next((each for each in earlier if each.withdrawn_by == first), None))


def brought_back(
    offer: Catalogue,
    basis: Basis,
    before: Before,
    author: Author,
    previewed: Previewed,
    settled: Settled,
    effective: Effective,
) -> tuple[Sequence[Revision], Preview | None]:
    """The revisions that bring it back, none where nothing is to be done; and what the change of settings does (None:
    only what waits changes).

    Raises as a decision does.
    """
    waited = before.pending
    if waited is not None and waited.valid_from <= basis.moment:
        waited = None
    if basis.effective == effective(before.held):
        if waited is None:
            return ([] if basis.pending is None else [going_on(basis, author)]), None
        if basis.pending is not None and _says(basis.pending) == _says(waited):
            return [], None
        return [_again(offer, basis, basis.held, waited, author, effective(waited), after=0)], None
    preview = previewed(basis, before.held)
    if waited is None:
        return settled(basis, preview), preview
    if preview.waits:
        return [_again(offer, basis, basis.held, waited, author, effective(waited), after=0)], preview
    at_once = as_revision(basis, preview.effective, preview.timing, author)
    return [at_once, _again(offer, basis, at_once, waited, author, effective(waited), after=1)], preview


def _says(revision: Revision) -> tuple[object, ...]:
    return (
        revision.valid_from, revision.status, revision.settings, revision.overridden, revision.bound,
    )  # fmt: skip


def _again(
    offer: Catalogue,
    basis: Basis,
    held: Revision,
    waited: Revision,
    author: Author,
    effective: EffectiveSettings,
    *,
    after: int,
) -> Revision:
    """What waited waits again, as its own author's decision, behind what holds until then."""
    if waited.status is ClientStatus.ARCHIVED:
        number = basis.history[0].revision + 1
        end = decided(number, waited.valid_from, waited.status, effective, author, at=basis.moment)
        return restated(end, waited, after=after)
    assert basis.period is not None  # noqa: S101 - only what an active client decides waits
    when = at_renewal(offer, basis.time_zone, basis.period, held, effective.settings, today=basis.today)
    when = replace(when, moment=waited.valid_from)
    return restated(as_revision(basis, effective, when, author), waited, after=after)
