"""Changing one client's subscription: making and clearing exceptions, and the two resets (rules 4 to 6, 11 and 12)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy.orm import Session

from core import catalogue, defaults, members
from core.catalogue import Price
from core.defaults import Change, DefaultSettings, EffectiveSettings, changes
from core.members import Member, Permission
from core.subscriptions import revisions
from core.subscriptions.clients import ClientSubscription, detail
from core.subscriptions.revisions import Revision
from core.words import ArchivedClient, ClientStatus, NothingToAdopt, Origin, Overrides, Setting, note_text


@dataclass(frozen=True, slots=True)
class Preview:
    """What a change would do: the settings it would leave, which values would change, and the price after."""

    effective: EffectiveSettings
    changes: tuple[Change, ...]
    price: Price | None
    changes_anything: bool


@dataclass(frozen=True, slots=True)
class Adoption:
    """The version adopted, the clients that changed, and those that had nothing to change."""

    version: int
    adopted: tuple[int, ...]
    unchanged: tuple[int, ...]


def preview_override(session: Session, member: Member, shown: ClientSubscription, overrides: Overrides) -> Preview:
    """What `override` would do to the client as shown.

    Raises NotAllowed, ArchivedClient, ChoiceRefused, MissingSetting.
    """
    members.require(member, Permission.OVERRIDE)
    return _preview(session, member, shown, shown.bound, overrides)


def preview_adoption(
    session: Session, member: Member, shown: ClientSubscription, *, clear_overrides: bool = False
) -> Preview:
    """What `adopt_current_defaults` would do to the client as shown. Raises NothingToAdopt too."""
    members.require(member, Permission.OVERRIDE)
    if shown.current is None:
        raise NothingToAdopt
    overrides = Overrides() if clear_overrides else shown.overrides
    return _preview(session, member, shown, shown.current, overrides)


def override(
    session: Session,
    member: Member,
    client_id: int,
    overrides: Overrides,
    *,
    seen: int,
    reason: str = "",
    attempt: str = "",
    origin: Origin = Origin.PAGE,
) -> Revision:
    """Make `overrides` the whole set of choices for this client; a None clears one, so `Overrides()` goes back to the
    defaults the client was invited with. Returns the revision that holds now.

    `seen` is the revision the member looked at. `attempt` names one drawn form: the same one sent twice makes one
    revision (members.form_sent). A change that changes nothing makes none.
    Raises NotAllowed, ClientNotFound, StaleSubscription, ArchivedClient, ChoiceRefused, MissingSetting, BadInput;
    nothing is written then.
    """
    members.act(session, member, Permission.OVERRIDE)
    reason = note_text("reason", reason)
    form = members.form_sent(
        session, member, attempt, "override", client_id=client_id, overrides=overrides, reason=reason
    )
    shown = detail(session, member, client_id)
    last = shown.history[0]
    if form.answer is not None:
        return next(each for each in shown.history if each.revision == form.answer["revision"])
    if last.revision != seen:
        raise revisions.stale(shown.client, last)
    preview = _preview(session, member, shown, shown.bound, overrides)
    if preview.changes_anything:
        last = revisions.revise(session, shown.client, last, preview.effective, by=member, origin=origin, reason=reason)
    form.done(revision=last.revision)
    return last


def adopt_current_defaults(
    session: Session,
    member: Member,
    client_ids: Iterable[int],
    *,
    reason: str = "",
    clear_overrides: bool = False,
    seen: Mapping[int, int] | None = None,
    seen_version: int | None = None,
    attempt: str = "",
    origin: Origin = Origin.PAGE,
) -> Adoption:
    """Bind these clients to the defaults in force now; their overrides stay unless cleared too (rule 6). All or none.

    `seen` gives the revisions, `seen_version` the defaults version, that the member looked at; either may be left out.
    `attempt` as for `override`.
    Raises NotAllowed, ClientNotFound, NothingToAdopt, StaleDefaults, StaleSubscription, ArchivedClient, ChoiceRefused,
    BadInput; nothing is written then.
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
        shown = detail(session, member, client_id)
        last = shown.history[0]
        overrides = Overrides() if clear_overrides else shown.overrides
        if seen is not None and last.revision != seen.get(client_id):
            raise revisions.stale(shown.client, last)
        preview = _preview(session, member, shown, in_force, overrides)
        if not preview.changes_anything:
            unchanged.append(client_id)
            continue
        revisions.revise(session, shown.client, last, preview.effective, by=member, origin=origin, reason=reason)
        adopted.append(client_id)
    form.done(version=in_force.version, adopted=adopted, unchanged=unchanged)
    return Adoption(in_force.version, tuple(adopted), tuple(unchanged))


def _preview(
    session: Session, member: Member, shown: ClientSubscription, bind_to: DefaultSettings | None, overrides: Overrides
) -> Preview:
    if shown.status is ClientStatus.ARCHIVED:
        raise ArchivedClient(name=shown.client.name)
    effective = defaults.effective_settings(bind_to, overrides)
    offer = catalogue.current(session, member.partner.currency)
    before = shown.effective
    is_bound = bind_to is not None and bind_to.version == before.defaults_version
    bound = frozenset(Setting) - effective.overridden if is_bound else frozenset()
    offer.refuse_unsellable(effective.settings, held=before.settings, bound=bound)
    return Preview(
        effective=effective,
        changes=changes(before.settings, effective.settings),
        price=offer.billed(effective.settings, shown.status),
        changes_anything=effective != before,
    )
