"""The same change backwards: taking the newest decision about a client back, and the nearest way back to its defaults
where they cannot be had any more (rules 6, 9, 11, 12 and 27 to 34)."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

from sqlalchemy.orm import Session

from core import catalogue, defaults, members
from core.defaults import DefaultSettings, EffectiveSettings, choices
from core.members import Member, Permission
from core.subscriptions import decisions
from core.subscriptions.changes import cancel_what_waits, decide, preview_override, revision_of, shown_to_change
from core.subscriptions.clients import ClientSubscription
from core.subscriptions.decisions import Preview
from core.subscriptions.revisions import Revision, Seen, before
from core.words import ChoiceRefused, ClientStatus, NothingToTakeBack, Origin, Overrides, Setting, note_text


def preview_take_back(session: Session, member: Member, shown: ClientSubscription) -> Preview | None:
    """What `take_back` would do to the client as shown; None: it cancels what waits, and what holds goes on.

    Raises NotAllowed, NothingToTakeBack, ArchivedClient, EndPending, ChoiceRefused, PendingRefused.
    """
    members.require(member, Permission.OVERRIDE)
    made = _newest_decision(shown.history)
    withdrawn = next((each for each in shown.history if each.withdrawn_by == made.revision), None)
    waits = made is shown.pending
    if waits and withdrawn is None:
        return None
    earlier = before(shown.history, made)
    if earlier is None or (not waits and made.status is not earlier.status):
        raise NothingToTakeBack(name=shown.client.name)  # an invitation, an answer or an end is no change of settings
    changes_nothing = _state(made) == _state(earlier)
    if withdrawn is None:
        if changes_nothing:
            raise NothingToTakeBack(name=shown.client.name)
        return _previewed(session, member, shown, earlier)
    if withdrawn.status is not ClientStatus.ACTIVE:  # an end that was cancelled is decided again by archiving
        raise NothingToTakeBack(name=shown.client.name)
    if shown.is_ending:  # without the end, which is cancelled, what it took the place of is decided anew
        shown = replace(shown, pending=None, pending_bound=shown.bound)
    if waits or changes_nothing:
        return _previewed(session, member, shown, withdrawn, replaces_all=True)
    preview = _previewed(session, member, shown, earlier)
    later = None if preview.later is None else preview.later.effective
    if later is None or later != _effective(session, member, withdrawn):  # it took the place of part of what waited
        raise NothingToTakeBack(name=shown.client.name)
    return preview


def take_back(
    session: Session,
    member: Member,
    client_id: int,
    *,
    seen: Seen | int,
    reason: str = "",
    attempt: str = "",
    origin: Origin = Origin.PAGE,
) -> Revision:
    """Take the newest decision about this client's settings back: a decision of its own, by the rules of any other,
    which leaves the settings, choices and defaults version from before it, at once or from the next renewal on; what
    was still waiting is cancelled. Nothing that was is rewritten. Returns the revision that it made.

    `seen` and `attempt` as for `override`.
    Raises NotAllowed, ClientNotFound, StaleSubscription, TookEffect, NothingToTakeBack, ArchivedClient, EndPending,
    ChoiceRefused, PendingRefused, BadInput; nothing is written then.
    """
    members.act(session, member, Permission.OVERRIDE)
    reason = note_text("reason", reason)
    form = members.form_sent(session, member, attempt, "take back", client_id=client_id, reason=reason)
    if form.answer is not None:
        return revision_of(session, member, client_id, form.answer["revision"])
    shown = shown_to_change(session, member, client_id, seen)
    preview = preview_take_back(session, member, shown)
    if preview is None:
        made = cancel_what_waits(session, member, shown, origin=origin, reason=reason)
    else:
        made = decide(session, member, shown, preview, origin=origin, reason=reason)
    form.done(revision=made.revision)
    return made


def nearest_to_defaults(session: Session, member: Member, shown: ClientSubscription) -> Overrides:
    """The fewest choices that the client must keep so that all its other settings can go back to the defaults that it
    is bound to: none, where all can. Raises NotAllowed, ArchivedClient, EndPending."""
    held = shown.effective.settings
    for count in range(len(Setting)):
        for kept in combinations(Setting, count):
            overrides = choices(held, frozenset(kept))
            try:
                preview_override(session, member, shown, overrides)
            except ChoiceRefused:
                continue
            return overrides
    return choices(held, frozenset(Setting))


def _newest_decision(history: Sequence[Revision]) -> Revision:
    """The revision that the newest decision made; behind it may stand what was left of an earlier one (rule 32)."""
    newest = history[0]
    made = history[1] if len(history) > 1 else newest
    return made if newest.decided_at < made.decided_at else newest


def _previewed(
    session: Session, member: Member, shown: ClientSubscription, wanted: Revision, *, replaces_all: bool = False
) -> Preview:
    bound = _bound(session, member, wanted)
    offer = catalogue.current(session, member.partner)
    overrides = choices(wanted.settings, wanted.overridden)
    return decisions.preview(offer, shown, bound, overrides, replaces_all=replaces_all)


def _effective(session: Session, member: Member, revision: Revision) -> EffectiveSettings:
    return defaults.effective_settings(
        _bound(session, member, revision), choices(revision.settings, revision.overridden)
    )


def _bound(session: Session, member: Member, revision: Revision) -> DefaultSettings | None:
    return None if revision.bound is None else defaults.version_of(session, member.partner_id, revision.bound)


def _state(revision: Revision) -> tuple[object, ...]:
    return revision.status, revision.settings, revision.overridden, revision.bound
