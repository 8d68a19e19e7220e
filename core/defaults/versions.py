"""Default settings: what the next invited client gets, and every version there has been (rules 2, 3, 7, 12)."""

from sqlalchemy import bindparam, func, insert, or_, select
from sqlalchemy.orm import Session, joinedload

from core import catalogue, members
from core.defaults.resolution import EffectiveSettings, resolve
from core.defaults.tables import DefaultSettings
from core.members import Member, Permission
from core.storage import now_after
from core.words import BillingSettings, Overrides, Setting, StaleDefaults, note_text

_PARTNER = bindparam("partner_id", type_=DefaultSettings.partner_id.type)
_VERSIONS = (
    select(DefaultSettings)
    .options(joinedload(DefaultSettings.saved_by))
    .where(DefaultSettings.partner_id == _PARTNER)
    .order_by(DefaultSettings.version.desc())
)
_LATEST = _VERSIONS.limit(1)
_ONE = _VERSIONS.where(DefaultSettings.version == bindparam("version", type_=DefaultSettings.version.type))
_NEWEST = select(func.max(DefaultSettings.version)).where(DefaultSettings.partner_id == _PARTNER).scalar_subquery()
_BOUND_AND_CURRENT = _VERSIONS.where(
    or_(
        DefaultSettings.version == bindparam("version", type_=DefaultSettings.version.type),
        DefaultSettings.version == _NEWEST,
    )
)
_NEW = insert(DefaultSettings)


def current(session: Session, member: Member) -> DefaultSettings | None:
    """The version in force in the member's partner space, with `saved_by` loaded; None when none was saved yet.

    Raises NotAllowed.
    """
    members.require(member, Permission.READ_DEFAULTS)
    return latest(session, member.partner_id)


def history(session: Session, member: Member) -> list[DefaultSettings]:
    """Every version, newest first, each with `saved_by` loaded. Raises NotAllowed."""
    members.require(member, Permission.READ_DEFAULTS)
    return list(session.scalars(_VERSIONS, {"partner_id": member.partner_id}))


def save(
    session: Session,
    member: Member,
    settings: BillingSettings,
    *,
    seen: int | None,
    note: str = "",
    attempt: str = "",
) -> DefaultSettings:
    """Save a new version, which every client invited from now on gets. No existing client changes.

    `seen` is the version the member looked at while deciding (None: there was none). `attempt` names one drawn form:
    the same one sent twice makes one version (members.form_sent). Raises NotAllowed, StaleDefaults, ChoiceRefused,
    BadInput; nothing is written then.
    """
    members.act(session, member, Permission.SAVE_DEFAULTS)
    note = note_text("note", note)
    form = members.form_sent(session, member, attempt, "save defaults", settings=settings, note=note)
    if form.answer is not None:
        return session.scalars(_ONE, {"partner_id": member.partner_id, "version": form.answer["version"]}).one()
    in_force = latest(session, member.partner_id)
    if in_force is not None and in_force.version != seen:
        raise stale(in_force)
    catalogue.current(session, member.partner).refuse_unsellable(settings)
    saved_at = now_after(session, None if in_force is None else in_force.saved_at)
    session.connection().execute(
        _NEW,
        {
            "partner_id": member.partner_id,
            "version": 1 if in_force is None else in_force.version + 1,
            **{setting.value: setting.of(settings) for setting in Setting},
            "saved_by_id": member.member_id,
            "saved_at": saved_at,
            "note": note,
        },
    )
    saved = latest(session, member.partner_id)
    assert saved is not None  # noqa: S101 - written just above, in this transaction
    form.done(version=saved.version)
    return saved


def latest(session: Session, partner_id: int) -> DefaultSettings | None:
    """The newest version of a partner, with `saved_by` loaded. Asks no permission: use cases do."""
    return session.scalar(_LATEST, {"partner_id": partner_id})


def versions(session: Session, partner_id: int) -> dict[int, DefaultSettings]:
    """Every version of a partner by its number, with `saved_by` loaded. Asks no permission: use cases do."""
    return {each.version: each for each in session.scalars(_VERSIONS, {"partner_id": partner_id})}


def bound_and_current(
    session: Session, partner_id: int, version: int | None
) -> tuple[DefaultSettings | None, DefaultSettings | None]:
    """This version of a partner (None: none), and the newest, both with `saved_by` loaded. Asks no permission."""
    found = session.scalars(_BOUND_AND_CURRENT, {"partner_id": partner_id, "version": version}).all()
    current = found[0] if found else None
    return next((each for each in found if each.version == version), None), current


def stale(in_force: DefaultSettings) -> StaleDefaults:
    """The refusal that says who saved the version in force, and when."""
    return StaleDefaults(version=in_force.version, saved_by=in_force.saved_by.name, saved_at=in_force.saved_at)


def effective_settings(version: DefaultSettings | None, overrides: Overrides) -> EffectiveSettings:
    """The effective settings of a client bound to this version. Raises MissingSetting when nothing decides one."""
    if version is None:
        return resolve(None, overrides, version=None)
    return resolve(version.settings, overrides, version=version.version)
