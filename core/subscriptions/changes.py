"""Changing one client's subscription: making and clearing exceptions, the two resets, and cancelling what waits (rules
4 to 6, 11, 12 and 27 to 34)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from core import catalogue, defaults, members
from core.defaults import DefaultSettings
from core.members import Member, Permission
from core.subscriptions import decisions
from core.subscriptions.clients import ClientSubscription, detail
from core.subscriptions.decisions import Later, Preview, as_revision
from core.subscriptions.revisions import Revision, Seen, decided, moment_after, require_seen, write
from core.words import NothingPending, NothingToAdopt, Origin, Overrides, note_text


@dataclass(frozen=True, slots=True)
class Adoption:
    """The version adopted, the clients that changed or will at their renewal, and those that had nothing to change."""

    version: int
    adopted: tuple[int, ...]
    unchanged: tuple[int, ...]


def preview_override(session: Session, member: Member, shown: ClientSubscription, overrides: Overrides) -> Preview:
    """What `override` would do to the client as shown.

    Raises NotAllowed, ArchivedClient, EndPending, ChoiceRefused, PendingRefused, MissingSetting.
    """
    members.require(member, Permission.OVERRIDE)
    return decisions.preview(catalogue.current(session, member.partner), shown, shown.bound, overrides)


def preview_adoption(
    session: Session, member: Member, shown: ClientSubscription, *, clear_overrides: bool = False
) -> Preview:
    """What `adopt_current_defaults` would do to the client as shown. Raises NothingToAdopt too."""
    members.require(member, Permission.OVERRIDE)
    if shown.current is None:
        raise NothingToAdopt
    return _previewed_adoption(session, member, shown, shown.current, clear_overrides=clear_overrides)


def override(
    session: Session,
    member: Member,
    client_id: int,
    overrides: Overrides,
    *,
    seen: Seen | int,
    reason: str = "",
    attempt: str = "",
    origin: Origin = Origin.PAGE,
) -> Revision:
    """Make `overrides` the whole set of choices for this client; a None clears one, so `Overrides()` goes back to the
    defaults it is bound to. It takes effect at once, or at the next renewal (rules 28 and 32). Returns the revision
    that it made: the one that holds, or the one that waits.

    `seen` is what the member looked at (ClientSubscription.seen). `attempt` names one drawn form: the same one sent
    twice makes one revision (members.form_sent). A change that changes nothing makes none.
    Raises NotAllowed, ClientNotFound, StaleSubscription, TookEffect, ArchivedClient, EndPending, ChoiceRefused,
    PendingRefused, MissingSetting, BadInput; nothing is written then.
    """
    members.act(session, member, Permission.OVERRIDE)
    reason = note_text("reason", reason)
    form = members.form_sent(
        session, member, attempt, "override", client_id=client_id, overrides=overrides, reason=reason
    )
    if form.answer is not None:
        return revision_of(session, member, client_id, form.answer["revision"])
    shown = shown_to_change(session, member, client_id, seen)
    preview = decisions.preview(catalogue.current(session, member.partner), shown, shown.bound, overrides)
    made = decide(session, member, shown, preview, origin=origin, reason=reason)
    form.done(revision=made.revision)
    return made


def adopt_current_defaults(
    session: Session,
    member: Member,
    client_ids: Iterable[int],
    *,
    reason: str = "",
    clear_overrides: bool = False,
    seen: Mapping[int, Seen | int] | None = None,
    seen_version: int | None = None,
    attempt: str = "",
    origin: Origin = Origin.PAGE,
) -> Adoption:
    """Bind these clients to the defaults in force now, at once or at their renewal; their overrides stay unless cleared
    too, what was pending does not (rules 6 and 32). All or none.

    `seen` gives what the member looked at of each, `seen_version` the defaults version; either may be left out.
    `attempt` as for `override`.
    Raises NotAllowed, ClientNotFound, NothingToAdopt, StaleDefaults, StaleSubscription, TookEffect, ArchivedClient,
    EndPending, ChoiceRefused, BadInput; nothing is written then.
    """
    members.act(session, member, Permission.OVERRIDE)
    reason = note_text("reason", reason)
    wanted = list(dict.fromkeys(client_ids))
    form = members.form_sent(
        session, member, attempt, "adopt current defaults", clients=wanted, clear=clear_overrides, reason=reason
    )
    if form.answer is not None:
        return Adoption(form.answer["version"], tuple(form.answer["adopted"]), tuple(form.answer["unchanged"]))
    in_force = defaults.latest(session, member.partner_id)
    if in_force is None:
        raise NothingToAdopt
    if seen_version is not None and in_force.version != seen_version:
        raise defaults.stale(in_force)
    adopted, unchanged = [], []
    for client_id in wanted:
        shown = shown_to_change(session, member, client_id, None if seen is None else seen.get(client_id, 0))
        preview = _previewed_adoption(session, member, shown, in_force, clear_overrides=clear_overrides)
        if preview.changes_anything:
            decide(session, member, shown, preview, origin=origin, reason=reason)
            adopted.append(client_id)
        else:
            unchanged.append(client_id)
    form.done(version=in_force.version, adopted=adopted, unchanged=unchanged)
    return Adoption(in_force.version, tuple(adopted), tuple(unchanged))


def cancel_pending(
    session: Session,
    member: Member,
    client_id: int,
    *,
    seen: Seen | int,
    reason: str = "",
    attempt: str = "",
    origin: Origin = Origin.PAGE,
) -> Revision:
    """Cancel what waits for this client, an end too: what holds goes on. The revision that says so (rule 33).

    Raises NotAllowed, ClientNotFound, StaleSubscription, TookEffect, NothingPending, BadInput; nothing is written then.
    """
    members.act(session, member, Permission.OVERRIDE)
    reason = note_text("reason", reason)
    form = members.form_sent(session, member, attempt, "cancel pending", client_id=client_id, reason=reason)
    if form.answer is not None:
        return revision_of(session, member, client_id, form.answer["revision"])
    shown = shown_to_change(session, member, client_id, seen)
    if shown.pending is None:
        raise NothingPending(name=shown.client.name)
    made = cancel_what_waits(session, member, shown, origin=origin, reason=reason)
    form.done(revision=made.revision)
    return made


def cancel_what_waits(
    session: Session, member: Member, shown: ClientSubscription, *, origin: Origin, reason: str
) -> Revision:
    """Write that what holds goes on, so that nothing of what waits is left. Asks no permission: use cases do."""
    goes_on = decided(
        shown.history[0].revision + 1,
        shown.moment,
        shown.status,
        shown.effective,
        by=member,
        origin=origin,
        reason=reason,
        at=shown.moment,
        rhythm=shown.held.rhythm,
        price_list=shown.held.price_list,
    )
    return write(session, shown.client, shown.history, [goes_on], by=member, moment=shown.moment)


def revision_of(session: Session, member: Member, client_id: int, number: int) -> Revision:
    """One revision of a client, as a form that was sent before made it. Raises NotAllowed, ClientNotFound."""
    return next(each for each in detail(session, member, client_id).history if each.revision == number)


def shown_to_change(session: Session, member: Member, client_id: int, seen: Seen | int | None) -> ClientSubscription:
    """The client at the instant of the decision, compared with what the member saw."""
    shown = detail(session, member, client_id)
    if seen is not None:
        require_seen(shown.client, shown.history, seen, shown.moment)
    return replace(shown, moment=moment_after(session, shown.history))


def _previewed_adoption(
    session: Session, member: Member, shown: ClientSubscription, version: DefaultSettings, *, clear_overrides: bool
) -> Preview:
    overrides = Overrides() if clear_overrides else shown.overrides
    offer = catalogue.current(session, member.partner)
    return decisions.preview(offer, shown, version, overrides, replaces_all=True)


def decide(
    session: Session, member: Member, shown: ClientSubscription, preview: Preview, *, origin: Origin, reason: str
) -> Revision:
    """Write what the preview says; the revision that holds, where it changes nothing. Asks no permission."""
    if not preview.changes_anything:
        return shown.held
    decision = []
    if not preview.waits:
        decision.append(as_revision(shown, preview.effective, preview.timing, by=member, origin=origin, reason=reason))
    if (waiting := preview.later) is not None:
        later = as_revision(shown, waiting.effective, waiting.timing, by=member, origin=origin, reason=reason)
        decision.append(_restated(later, waiting, after=len(decision)))
    return write(session, shown.client, shown.history, decision, by=member, moment=shown.moment)


def _restated(revision: Revision, later: Later, *, after: int) -> Revision:
    """The revision that waits, behind the one that holds; what is left of an earlier decision stays its author's."""
    revision = replace(revision, revision=revision.revision + after)
    if later.restates is None:
        return revision
    return replace(
        revision,
        changed_by=later.restates.changed_by,
        changed_by_id=later.restates.changed_by_id,
        origin=later.restates.origin,
        reason=later.restates.reason,
        decided_at=later.restates.decided_at,
    )
