"""Changing one client's subscription: making and clearing exceptions, the two resets, and cancelling what waits (rules
4 to 6, 11, 12 and 27 to 34)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from core import catalogue, defaults, members
from core.defaults import DefaultSettings, SetVersion
from core.members import Member, Permission
from core.subscriptions import decisions
from core.subscriptions.clients import ClientSubscription, detail
from core.subscriptions.decisions import Preview, going_on, settled
from core.subscriptions.revisions import Author, Revision, Seen, moment_after, require_seen
from core.subscriptions.writing import write
from core.words import NothingPending, NothingToAdopt, Origin, Overrides, note_text


@dataclass(frozen=True, slots=True)
class Adoption:
    """The clients that changed or will at their renewal, those that had nothing to change, and the version that each of
    them is then bound to."""

    adopted: tuple[int, ...]
    unchanged: tuple[int, ...]
    bound: Mapping[int, SetVersion]


def preview_override(session: Session, member: Member, shown: ClientSubscription, overrides: Overrides) -> Preview:
    """What `override` would do to the client as shown.

    Raises NotAllowed, ArchivedClient, EndPending, ChoiceRefused, PendingRefused, MissingSetting.
    """
    members.require(member, Permission.OVERRIDE)
    return decisions.preview(catalogue.current(session, member.partner), shown, shown.bound, overrides)


def preview_adoption(
    session: Session,
    member: Member,
    shown: ClientSubscription,
    *,
    clear_overrides: bool = False,
    set_number: int | None = None,
) -> Preview:
    """What `adopt_current_defaults` would do to the client as shown, on this set (None: on `shown.target`). Raises
    NothingToAdopt, UnknownSet and RetiredSet too."""
    members.require(member, Permission.OVERRIDE)
    target = shown.target if set_number is None else shown.sets.pick(set_number)
    if target is None:
        raise NothingToAdopt
    return _previewed_adoption(session, member, shown, target.newest, clear_overrides=clear_overrides)


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
    seen_version: SetVersion | int | None = None,
    attempt: str = "",
    origin: Origin = Origin.PAGE,
    set_number: int | None = None,
) -> Adoption:
    """Bind these clients to the newest version of a set, at once or at their renewal; their overrides stay unless
    cleared too, what was pending does not (rules 6, 22 and 32). All or none.

    `set_number` None: each to its own set; to the standard one if its own is retired or it is bound to none, which
    naming the set, here or in `seen_version`, confirms where there are several. `seen` gives what the member looked at
    of each, `seen_version` the version that was shown; either may be left out. `attempt` as for `override`.
    Raises NotAllowed, ClientNotFound, NothingToAdopt, UnknownSet, RetiredSet, NotTheirSet, StaleDefaults,
    StaleStandard, StaleSubscription, TookEffect, ArchivedClient, EndPending, ChoiceRefused, BadInput; nothing is
    written then.
    """
    members.act(session, member, Permission.OVERRIDE)
    reason = note_text("reason", reason)
    wanted = list(dict.fromkeys(client_ids))
    form = members.form_sent(
        session, member, attempt, "adopt current defaults",
        clients=wanted, clear=clear_overrides, reason=reason, set_number=set_number,
    )  # fmt: skip
    if form.answer is not None:
        bound = {int(client_id): SetVersion(*version) for client_id, version in form.answer["bound"].items()}
        return Adoption(tuple(form.answer["adopted"]), tuple(form.answer["unchanged"]), bound)
    sets = defaults.sets_of(session, member.partner_id)
    if sets.standard is None:
        raise NothingToAdopt
    picked = None if set_number is None else sets.pick(set_number)
    is_confirmed = picked is not None or isinstance(seen_version, SetVersion)
    adopted, unchanged, bound = [], [], {}
    for client_id in wanted:
        shown = shown_to_change(session, member, client_id, None if seen is None else seen.get(client_id, 0))
        target = picked or shown.target
        assert target is not None  # noqa: S101 - there is a standard set
        defaults.require_shown(session, sets, target, seen_version)
        if shown.target_to_confirm and not is_confirmed:
            raise sets.not_theirs(shown.client.name, shown.held.bound, target)
        preview = _previewed_adoption(session, member, shown, target.newest, clear_overrides=clear_overrides)
        bound[client_id] = target.newest.bound
        if preview.changes_anything:
            decide(session, member, shown, preview, origin=origin, reason=reason)
            adopted.append(client_id)
        else:
            unchanged.append(client_id)
    form.done(adopted=adopted, unchanged=unchanged, bound=bound)
    return Adoption(tuple(adopted), tuple(unchanged), bound)


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
    goes_on = going_on(shown, Author(member, origin, reason))
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
    decision = settled(shown, preview, Author(member, origin, reason))
    return write(session, shown.client, shown.history, decision, by=member, moment=shown.moment)
