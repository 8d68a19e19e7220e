"""What a decision about a client's settings does, now and at the renewal, before it is made (rules 27 to 32)."""

from dataclasses import dataclass, replace
from datetime import date

from core import defaults
from core.catalogue import Catalogue, Price
from core.defaults import Change, DefaultSettings, EffectiveSettings, changes, choices
from core.subscriptions.basis import Basis
from core.subscriptions.revisions import Author, Revision, decided
from core.subscriptions.rhythm import local_date
from core.subscriptions.timing import Timing, at_renewal, timing
from core.words import (
    ArchivedClient,
    BillingSettings,
    ChoiceRefused,
    ClientStatus,
    EndPending,
    Overrides,
    PendingRefused,
    Setting,
)

_NOBODY = Author(None)  # of a revision that is only compared


@dataclass(frozen=True, slots=True)
class Later:
    """What holds from a renewal on: the settings, from when, and what they cost then. `restates`: the pending decision
    of which this is what is left; None where it is the new decision."""

    effective: EffectiveSettings
    timing: Timing
    restates: Revision | None = None


@dataclass(frozen=True, slots=True)
class Preview:
    """What a change would do: the settings it would leave once it is in force, which values would change, and the price
    from then on.

    It takes effect as `timing` says; `alone` are the settings whose change could be saved today by itself, where all of
    it waits. `pending` is what waits already, `later` what would wait for the renewal afterwards (None: nothing), and
    `replaced` the settings of the pending change that this one takes over.
    """

    effective: EffectiveSettings
    changes: tuple[Change, ...]
    timing: Timing
    changes_anything: bool
    alone: frozenset[Setting] = frozenset()
    pending: Revision | None = None
    later: Later | None = None
    replaced: frozenset[Setting] = frozenset()
    payer_changes: bool = False

    @property
    def price(self) -> Price | None:
        """What the client costs once it is in force."""
        return self.timing.after

    @property
    def waits(self) -> bool:
        """Whether it takes effect at a renewal."""
        return bool(self.timing.waits)

    @property
    def withdraws(self) -> bool:
        """Whether nothing of what waits now is left."""
        return self.pending is not None and self.later is None


def preview(
    offer: Catalogue,
    shown: Basis,
    bind_to: DefaultSettings | None,
    overrides: Overrides,
    *,
    replaces_all: bool = False,
) -> Preview:
    """What binding the client to this version with these overrides would do. `replaces_all`: of a pending change
    nothing is left (an adoption), else what this does not change stays pending.

    Raises ArchivedClient, EndPending, ChoiceRefused, PendingRefused, MissingSetting.
    """
    refuse_ended(shown)
    effective = defaults.effective_settings(bind_to, overrides)
    held, pending = shown.held, shown.pending
    is_bound = bind_to is not None and bind_to.bound == shown.effective.bound
    bound = frozenset(Setting) - effective.overridden if is_bound else frozenset[Setting]()
    offer.refuse_unsellable(effective.settings, held=held.settings, bound=bound)
    when = timing(offer, shown.time_zone, shown.moment, shown.history, effective.settings)
    touched = _touched(shown.effective, effective)
    rest = None if pending is None or replaces_all else _left_of(shown, pending, overrides, touched)
    later: Later | None = None
    nothing_new = False
    if when.waits:
        effective_later = effective if rest is None else rest
        later = _later(offer, shown, held, effective_later)
        when = replace(later.timing, waits=when.waits)  # with what else is pending, if anything
        nothing_new = pending is not None and effective_later == _effective(shown, pending)
    elif rest is not None and rest != effective:
        assert pending is not None  # noqa: S101 - something is left of it
        later = _later(offer, shown, as_revision(shown, effective, when, _NOBODY), rest, restates=pending)
    if later is not None and rest is not None and pending is not None:
        _refuse_together(offer, later.effective.settings, effective.settings, pending, later.timing.day)
    return Preview(
        effective=effective,
        changes=changes(held.settings, effective.settings),
        timing=when,
        changes_anything=effective != shown.effective and not nothing_new,
        alone=_alone(offer, shown, touched, overrides)
        if when.waits and len(touched) > 1 and not replaces_all
        else frozenset(),
        pending=pending,
        later=later,
        replaced=_replaced(shown, pending, touched, replaces_all=replaces_all),
        payer_changes=effective.settings.payer is not held.settings.payer,
    )


def refuse_ended(shown: Basis) -> None:
    """Raise ArchivedClient, or EndPending while an end is pending (rule 35)."""
    if shown.status is ClientStatus.ARCHIVED:
        raise ArchivedClient(name=shown.client.name)
    if shown.pending is not None and shown.is_ending:
        raise EndPending(name=shown.client.name, day=local_date(shown.pending.valid_from, shown.time_zone))


def as_revision(shown: Basis, effective: EffectiveSettings, when: Timing, author: Author) -> Revision:
    """The revision that holds with these settings from then on, decided now."""
    return decided(
        shown.history[0].revision + 1,
        when.moment,
        shown.status,
        effective,
        author,
        at=shown.moment,
        rhythm=when.rhythm,
        price_list=when.price_list,
    )


def settled(shown: Basis, preview: Preview, author: Author) -> list[Revision]:
    """The revisions that make the preview so: at most one that holds at once, then at most one that waits; none where
    it changes nothing."""
    if not preview.changes_anything:
        return []
    decision = []
    if not preview.waits:
        decision.append(as_revision(shown, preview.effective, preview.timing, author))
    if (waiting := preview.later) is not None:
        later = as_revision(shown, waiting.effective, waiting.timing, author)
        decision.append(restated(later, waiting.restates, after=len(decision)))
    return decision


def going_on(shown: Basis, author: Author) -> Revision:
    """The revision with which what holds goes on from now, whatever waited (rule 33)."""
    held = shown.held
    return decided(
        shown.history[0].revision + 1,
        shown.moment,
        shown.status,
        shown.effective,
        author,
        at=shown.moment,
        rhythm=held.rhythm,
        price_list=held.price_list,
    )


def restated(revision: Revision, before: Revision | None, *, after: int) -> Revision:
    """The revision that waits, so many behind the first of its decision; what is left of an earlier decision stays its
    author's."""
    revision = revision._replace(revision=revision.revision + after) if after else revision
    if before is None:
        return revision
    return revision._replace(
        changed_by=before.changed_by,
        changed_by_id=before.changed_by_id,
        origin=before.origin,
        reason=before.reason,
        decided_at=before.decided_at,
    )


def _later(
    offer: Catalogue,
    shown: Basis,
    held: Revision,
    effective: EffectiveSettings,
    *,
    restates: Revision | None = None,
) -> Later:
    assert shown.period is not None  # noqa: S101 - only what an active client decides waits
    when = at_renewal(offer, shown.time_zone, shown.period, held, effective.settings, today=shown.today)
    return Later(effective, when, restates)


def _touched(before: EffectiveSettings, after: EffectiveSettings) -> frozenset[Setting]:
    """The settings whose value or source differs."""
    return frozenset(setting for setting in Setting if setting.of(before) != setting.of(after))


def _left_of(shown: Basis, pending: Revision, overrides: Overrides, touched: frozenset[Setting]) -> EffectiveSettings:
    """What is left of a pending change beside a new decision: what it changes itself stays, all else follows the new
    one, setting by setting (rule 32)."""
    waiting = choices(pending.settings, pending.overridden)
    chosen = {setting.value: setting.of(overrides if setting in touched else waiting) for setting in Setting}
    return defaults.effective_settings(shown.pending_bound, Overrides(**chosen))


def _effective(shown: Basis, pending: Revision) -> EffectiveSettings:
    return defaults.effective_settings(shown.pending_bound, choices(pending.settings, pending.overridden))


def _refuse_together(
    offer: Catalogue, later: BillingSettings, until_then: BillingSettings, pending: Revision, renewal: date
) -> None:
    """Refuse what the pending change and the new decision leave together, where it cannot be had (rules 8 and 9)."""
    if (later.plan, later.add_ons, later.billing_period) == (
        pending.settings.plan,
        pending.settings.add_ons,
        pending.settings.billing_period,
    ):
        return
    held = pending.settings if later.plan == pending.settings.plan else until_then  # what waits counts as held (rule 9)
    try:
        offer.refuse_unsellable(later, held=held)
    except ChoiceRefused as refusal:
        raise PendingRefused(day=renewal, refusal=refusal) from None


def _replaced(
    shown: Basis, pending: Revision | None, touched: frozenset[Setting], *, replaces_all: bool
) -> frozenset[Setting]:
    if pending is None:
        return frozenset()
    waiting = _touched(shown.effective, _effective(shown, pending))
    return waiting if replaces_all else waiting & touched


def _alone(offer: Catalogue, shown: Basis, touched: frozenset[Setting], overrides: Overrides) -> frozenset[Setting]:
    """The settings whose change would take effect at once if it were decided alone (rule 27)."""
    return frozenset(setting for setting in touched if _takes_effect_alone(offer, shown, setting, overrides))


def _takes_effect_alone(offer: Catalogue, shown: Basis, setting: Setting, overrides: Overrides) -> bool:
    chosen = {each.value: each.of(overrides if each is setting else shown.overrides) for each in Setting}
    try:
        effective = defaults.effective_settings(shown.bound, Overrides(**chosen))
        offer.refuse_unsellable(effective.settings, held=shown.held.settings)
    except ChoiceRefused:
        return False
    return not timing(offer, shown.time_zone, shown.moment, shown.history, effective.settings).waits
