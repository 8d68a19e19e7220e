"""One client's subscription: what holds and why, making and clearing exceptions, the two resets (rules 4 to 6, 11)."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from core import access, bringing_in, defaults, editions, revisions
from core.access import Permission
from core.client_subscription import Adoption, ClientSubscription, Preview
from core.database import now
from core.errors import ArchivedClient, ClientNotFound, NothingToAdopt
from core.invitation_status import standing
from core.models import Client, DefaultSettings, Invitation, Member
from core.resolution import Overrides, changes, choices
from core.revisions import Revision
from core.terms import ClientStatus, Origin, Setting
from core.text import note_text

_CLIENT = (  # with its newest invitation
    select(Client, Invitation)
    .join(Invitation, (Invitation.partner_id == Client.partner_id) & (Invitation.client_id == Client.client_id))
    .where(Client.partner_id == bindparam("partner_id"), Client.client_id == bindparam("client_id"))
    .order_by(Invitation.number.desc())
    .limit(1)
)


def detail(session: Session, member: Member, client_id: int) -> ClientSubscription:
    """Everything about one client. Raises NotAllowed, ClientNotFound."""
    access.require(member, Permission.READ_CLIENTS)
    if not access.sees_every_client(member) or not 0 < client_id < 2**31:
        raise ClientNotFound(client_id=str(client_id))
    return _detail(session, member, client_id)


def choices_of(held: Revision) -> Overrides:
    """The choices that a revision holds."""
    return choices(held.settings, held.overridden)


def as_of(session: Session, member: Member, client_id: int, instant: datetime) -> Revision | None:
    """What held for the client at that instant (UTC), or None before it was invited. Raises as `detail` does."""
    past = detail(session, member, client_id).history
    return next((revision for revision in past if revision.valid_from <= instant), None)


def preview_override(session: Session, member: Member, shown: ClientSubscription, overrides: Overrides) -> Preview:
    """What `override` would do to the client as shown. Raises NotAllowed, ArchivedClient, ChoiceRefused, NoDefaults."""
    access.require(member, Permission.OVERRIDE)
    return _preview(session, member, shown, shown.bound, overrides)


def preview_adoption(
    session: Session, member: Member, shown: ClientSubscription, *, clear_overrides: bool = False
) -> Preview:
    """What `adopt_current_defaults` would do to the client as shown. Raises NothingToAdopt too."""
    access.require(member, Permission.OVERRIDE)
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
    origin: Origin = Origin.PAGE,
) -> ClientSubscription:
    """Make `overrides` the whole set of choices for this client; a None clears one, so `Overrides()` goes back to the
    defaults the client was invited with.

    `seen` is the revision the member looked at. The same change sent twice makes one revision; a change that changes
    nothing makes none. Raises NotAllowed, ClientNotFound, StaleSubscription, ArchivedClient, ChoiceRefused, NoDefaults,
    BadInput; nothing is written then.
    """
    access.act(session, member, Permission.OVERRIDE)
    reason = note_text("reason", reason)
    shown = _detail(session, member, client_id)
    if shown.revision != seen:
        if _is_this_change(shown, member, overrides, seen, reason):
            return shown
        raise revisions.stale(shown.client, shown.history[0])
    preview = _preview(session, member, shown, shown.bound, overrides)
    if not preview.changes_anything:
        return shown
    history = revisions.revise(
        session, shown.client, shown.history, preview.effective, by=member, origin=origin, reason=reason
    )
    _tell_anew(session, member, shown, preview)
    return _told(session, member, shown.client, shown.invitation, history, shown.bound, shown.current)


def adopt_current_defaults(
    session: Session,
    member: Member,
    client_ids: Iterable[int],
    *,
    reason: str = "",
    clear_overrides: bool = False,
    seen: Mapping[int, int] | None = None,
    seen_version: int | None = None,
    origin: Origin = Origin.PAGE,
) -> Adoption:
    """Bind these clients to the defaults in force now; their overrides stay unless cleared too (rule 6). All or none.

    `seen` gives the revisions, `seen_version` the defaults version, that the member looked at; either may be left out.
    Raises NotAllowed, ClientNotFound, NothingToAdopt, StaleDefaults, StaleSubscription, ArchivedClient, ChoiceRefused,
    BadInput; nothing is written then.
    """
    access.act(session, member, Permission.OVERRIDE)
    reason = note_text("reason", reason)
    in_force = defaults.latest(session, member.partner_id)
    if in_force is None:
        raise NothingToAdopt
    if seen_version is not None and in_force.version != seen_version:
        raise defaults.stale(in_force)
    adopted, unchanged = [], []
    for client_id in dict.fromkeys(client_ids):
        shown = _detail(session, member, client_id)
        overrides = Overrides() if clear_overrides else shown.overrides
        if seen is not None and shown.revision != seen.get(client_id):
            if _was_adopted(shown, member, in_force, overrides, seen.get(client_id), reason):
                unchanged.append(client_id)
                continue
            raise revisions.stale(shown.client, shown.history[0])
        preview = _preview(session, member, shown, in_force, overrides)
        if not preview.changes_anything:
            unchanged.append(client_id)
            continue
        revisions.revise(
            session, shown.client, shown.history, preview.effective, by=member, origin=origin, reason=reason
        )
        _tell_anew(session, member, shown, preview)
        adopted.append(client_id)
    return Adoption(in_force.version, tuple(adopted), tuple(unchanged))


def _tell_anew(session: Session, member: Member, shown: ClientSubscription, preview: Preview) -> None:
    """Who is still invited is not told of settings that do not hold any more."""
    if shown.status is ClientStatus.INVITED:
        bringing_in.tell_anew(session, member, shown.client, preview.effective, shown.invitation)


def _detail(session: Session, member: Member, client_id: int) -> ClientSubscription:
    found = session.execute(_CLIENT, {"partner_id": member.partner_id, "client_id": client_id}).first()
    if found is None:
        raise ClientNotFound(client_id=str(client_id))
    client, invitation = found
    history = revisions.history(session, member.partner_id, client_id)
    bound, current = defaults.bound_and_current(session, member.partner_id, history[0].defaults_version)
    return _told(session, member, client, invitation, history, bound, current)


def _told(
    session: Session,
    member: Member,
    client: Client,
    invitation: Invitation,
    history: tuple[Revision, ...],
    bound: DefaultSettings | None,
    current: DefaultSettings | None,
) -> ClientSubscription:
    held = history[0]
    effective = defaults.resolved(bound, choices_of(held))
    return ClientSubscription(
        client=client,
        status=held.status,
        revision=held.revision,
        effective=effective,
        price=editions.current(session, member.partner.currency).billed(held.settings, held.status),
        bound=bound,
        current=current,
        invitation=invitation,
        invitation_status=standing(invitation, now(session)),
        history=history,
        chosen={setting: _choice(history, setting) for setting in Setting if setting in held.overridden},
    )


def _choice(history: tuple[Revision, ...], setting: Setting) -> Revision:
    """The revision that made the choice which holds now: the newest one that chose the setting or changed its value."""
    for revision in history:
        if setting in revision.newly_chosen or any(change.setting is setting for change in revision.changes):
            return revision
    return history[-1]


def _preview(
    session: Session, member: Member, shown: ClientSubscription, bind_to: DefaultSettings | None, overrides: Overrides
) -> Preview:
    if shown.status is ClientStatus.ARCHIVED:
        raise ArchivedClient(name=shown.client.name)
    effective = defaults.resolved(bind_to, overrides)
    offer = editions.current(session, member.partner.currency)
    before = shown.effective
    offer.refuse_unsellable(effective.settings, held=before.settings)
    return Preview(
        effective=effective,
        changes=changes(before.settings, effective.settings),
        price=offer.billed(effective.settings, shown.status),
        changes_anything=effective != before,
    )


def _is_this_change(shown: ClientSubscription, member: Member, overrides: Overrides, seen: int, reason: str) -> bool:
    last = shown.history[0]
    return (
        last.revision == seen + 1
        and last.changed_by_id == member.member_id
        and shown.overrides == overrides
        and last.reason == reason
        and last.status is last.status_before
        and last.defaults_version == last.defaults_version_before
    )


def _was_adopted(
    shown: ClientSubscription,
    member: Member,
    in_force: DefaultSettings,
    overrides: Overrides,
    seen: int | None,
    reason: str,
) -> bool:
    last = shown.history[0]
    return (
        last.revision == (seen or 0) + 1
        and last.changed_by_id == member.member_id
        and last.defaults_version == in_force.version != last.defaults_version_before
        and shown.overrides == overrides
        and last.reason == reason
    )
