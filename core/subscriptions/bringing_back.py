"""Bringing back what held before a decision, through the same rules as any decision (rule 50): what waits is cancelled,
what was decided today is reversed at once, what is older goes back as rule 28 says. What the decision had withdrawn and
would still begin later waits again."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from core import defaults
from core.catalogue import Catalogue
from core.defaults import DefaultSettings, EffectiveSettings, choices
from core.subscriptions.basis import Basis
from core.subscriptions.decisions import Preview, as_revision, going_on, restated, settled
from core.subscriptions.revisions import Author, Revision, decided
from core.subscriptions.timing import at_renewal
from core.words import ClientStatus, Overrides

Previewed = Callable[[Basis, DefaultSettings | None, Overrides], Preview]  # of what waits nothing is left
Versions = Callable[[Revision], DefaultSettings | None]  # the defaults version that a revision is bound to


@dataclass(frozen=True, slots=True)
class Before:
    """What held before a decision, and what waited then (None: nothing)."""

    held: Revision
    pending: Revision | None


def before_batch(basis: Basis, batch: int, at: datetime) -> Before | None:
    """What held for a client before the decision that was made in this batch at that instant; None where another one
    was made since. `basis` has the whole history."""
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
    offer: Catalogue, basis: Basis, before: Before, author: Author, previewed: Previewed, bound_to: Versions
) -> tuple[list[Revision], Preview | None]:
    """The revisions that bring it back, none where nothing is to be done; and what the change of settings does (None:
    only what waits changes).

    Raises as a decision does.
    """
    bound, chosen = bound_to(before.held), choices(before.held.settings, before.held.overridden)
    waited = before.pending
    if waited is not None and waited.valid_from <= basis.moment:
        waited = None
    wanted = defaults.effective_settings(bound, chosen)
    if basis.effective == wanted:
        if waited is None:
            return ([] if basis.pending is None else [going_on(basis, author)]), None
        if basis.pending is not None and _says(basis.pending) == _says(waited):
            return [], None
        return [_again(offer, basis, basis.held, waited, author, bound_to, after=0)], None
    preview = previewed(basis, bound, chosen)
    if waited is None:
        return settled(basis, preview, author), preview
    if preview.waits:
        return [_again(offer, basis, basis.held, waited, author, bound_to, after=0)], preview
    at_once = as_revision(basis, preview.effective, preview.timing, author)
    return [at_once, _again(offer, basis, at_once, waited, author, bound_to, after=1)], preview


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
    bound_to: Versions,
    *,
    after: int,
) -> Revision:
    """What waited waits again, as its own author's decision, behind what holds until then."""
    effective: EffectiveSettings = defaults.effective_settings(
        bound_to(waited), choices(waited.settings, waited.overridden)
    )
    if waited.status is ClientStatus.ARCHIVED:
        number = basis.history[0].revision + 1
        end = decided(number, waited.valid_from, waited.status, effective, author, at=basis.moment)
        return restated(end, waited, after=after)
    assert basis.period is not None  # noqa: S101 - only what an active client decides waits
    when = at_renewal(offer, basis.time_zone, basis.period, held, effective.settings, today=basis.today)
    when = replace(when, moment=waited.valid_from)
    return restated(as_revision(basis, effective, when, author), waited, after=after)
