"""Default settings: what the next invited client gets, and every version there has been, set by set (rules 2, 3, 7, 12
and 16)."""

from datetime import datetime

from sqlalchemy import bindparam, func, insert, select, update
from sqlalchemy.orm import Session, joinedload

from core import catalogue, members
from core.defaults.resolution import FIRST_SET, EffectiveSettings, SetVersion, resolve
from core.defaults.set_list import require_shown, sets_of
from core.defaults.tables import DefaultSet, DefaultSetChange, DefaultSettings
from core.members import Member, Partner, Permission
from core.storage import now, now_after
from core.words import BillingSettings, Overrides, SetChange, Setting, fold, note_text

STANDARD_NAME = "Standard"  # of the set that the first save makes; it can be renamed

_OF_SET = (
    DefaultSettings.partner_id == bindparam("partner_id", type_=DefaultSettings.partner_id.type),
    DefaultSettings.set_number == bindparam("set_number", type_=DefaultSettings.set_number.type),
)
_VERSIONS = (
    select(DefaultSettings)
    .options(joinedload(DefaultSettings.saved_by))
    .where(*_OF_SET)
    .order_by(DefaultSettings.version.desc())
)
_EVERY = (
    select(DefaultSettings)
    .options(joinedload(DefaultSettings.saved_by))
    .where(DefaultSettings.partner_id == bindparam("partner_id", type_=DefaultSettings.partner_id.type))
)
_OF_STANDARD = (
    select(DefaultSettings)
    .options(joinedload(DefaultSettings.saved_by))
    .join(
        Partner,
        (Partner.partner_id == DefaultSettings.partner_id) & (Partner.standard_set == DefaultSettings.set_number),
    )
    .where(_OF_SET[0])
    .order_by(DefaultSettings.version.desc())
)
_ONE = _VERSIONS.where(DefaultSettings.version == bindparam("version", type_=DefaultSettings.version.type))
_NEW = insert(DefaultSettings)
_NEW_SET = insert(DefaultSet)
_NEW_CHANGE = insert(DefaultSetChange)
_CHANGES = select(func.max(DefaultSetChange.number)).where(
    DefaultSetChange.partner_id == bindparam("partner_id"), DefaultSetChange.set_number == bindparam("set_number")
)
_MAKE_STANDARD = (
    update(Partner).where(Partner.partner_id == bindparam("of_partner")).values(standard_set=bindparam("number"))
)


def current(session: Session, member: Member, set_number: int | None = None) -> DefaultSettings | None:
    """The newest version of a set, a retired one too (None: of the standard set), with `saved_by` loaded; None when no
    defaults are saved yet.

    Raises NotAllowed, UnknownSet.
    """
    members.require(member, Permission.READ_DEFAULTS)
    sets = sets_of(session, member.partner_id)
    found = sets.standard if set_number is None else sets.named(set_number)
    return None if found is None else found.newest


def history(session: Session, member: Member, set_number: int | None = None) -> list[DefaultSettings]:
    """Every version of a set (None: of the standard set), newest first, each with `saved_by` loaded.

    Raises NotAllowed, UnknownSet.
    """
    members.require(member, Permission.READ_DEFAULTS)
    if set_number is None:
        return list(session.scalars(_OF_STANDARD, {"partner_id": member.partner_id}))
    found = list(session.scalars(_VERSIONS, {"partner_id": member.partner_id, "set_number": set_number}))
    if not found:
        sets_of(session, member.partner_id).named(set_number)  # each set has a version: it does not exist
    return found


def save(
    session: Session,
    member: Member,
    settings: BillingSettings,
    *,
    seen: SetVersion | int | None,
    note: str = "",
    attempt: str = "",
    set_number: int | None = None,
) -> DefaultSettings:
    """Save a new version of a set (None: of the standard set), which every client invited on it from now on gets. No
    existing client changes. The first one of all makes the set Standard.

    `seen` is the version of the set that the member looked at while deciding (None: there was none). `attempt` names
    one drawn form: the same one sent twice makes one version (members.form_sent).
    Raises NotAllowed, UnknownSet, RetiredSet, StaleDefaults, StaleStandard, ChoiceRefused, BadInput; nothing is written
    then.
    """
    members.act(session, member, Permission.SAVE_DEFAULTS)
    note = note_text("note", note)
    form = members.form_sent(
        session, member, attempt, "save defaults", settings=settings, note=note, set_number=set_number
    )
    if form.answer is not None:
        return version_of(session, member.partner_id, SetVersion(form.answer["set_number"], form.answer["version"]))
    sets = sets_of(session, member.partner_id)
    picked = sets.pick(set_number)
    if picked is not None:
        require_shown(session, sets, picked, 0 if seen is None else seen)
    catalogue.current(session, member.partner).refuse_unsellable(settings)
    if picked is None:
        saved = write_set(session, member, FIRST_SET, STANDARD_NAME, settings, note=note)
        make_standard_now(session, member, FIRST_SET, saved.saved_at)
    else:
        saved = _write_version(session, member, settings, picked.newest, note=note)
    form.done(set_number=saved.set_number, version=saved.version)
    return saved


def version_of(session: Session, partner_id: int, bound: SetVersion) -> DefaultSettings:
    """This version, which exists, with `saved_by` loaded. Asks no permission: use cases do."""
    asked = {"partner_id": partner_id, "set_number": bound.set_number, "version": bound.version}
    return session.scalars(_ONE, asked).one()


def versions(session: Session, partner_id: int) -> dict[SetVersion, DefaultSettings]:
    """Every version of every set of a partner, with `saved_by` loaded. Asks no permission: use cases do."""
    return {each.bound: each for each in session.scalars(_EVERY, {"partner_id": partner_id})}


def write_set(
    session: Session,
    member: Member,
    set_number: int,
    name: str,
    settings: BillingSettings,
    *,
    note: str,
) -> DefaultSettings:
    """Make a set of this name together with its version 1 (rule 17); the version. The partner's turn is held, no other
    set has the name, and the settings can be had."""
    made_at = now(session)
    key = {"partner_id": member.partner_id, "set_number": set_number}
    session.connection().execute(_NEW_SET, key | {"name": name, "folded_name": fold(name), "retired_at": None})
    note_change(session, member, set_number, SetChange.NAMED, made_at, after=name)
    _write(session, member, SetVersion(set_number, 1), settings, made_at, note)
    return version_of(session, member.partner_id, SetVersion(set_number, 1))


def _write_version(
    session: Session, member: Member, settings: BillingSettings, newest: DefaultSettings, *, note: str
) -> DefaultSettings:
    """The version after the newest one of a set."""
    bound = SetVersion(newest.set_number, newest.version + 1)
    _write(session, member, bound, settings, now_after(session, newest.saved_at), note)
    return version_of(session, member.partner_id, bound)


def make_standard_now(session: Session, member: Member, set_number: int, moment: datetime) -> None:
    """Afterwards this is the standard set, and it is kept who made it so. The partner's turn is held."""
    note_change(session, member, set_number, SetChange.STANDARD, moment)
    session.connection().execute(_MAKE_STANDARD, {"of_partner": member.partner_id, "number": set_number})


def note_change(
    session: Session,
    member: Member,
    set_number: int,
    what: SetChange,
    moment: datetime,
    *,
    before: str | None = None,
    after: str | None = None,
) -> None:
    """Afterwards it is kept that the member did this with the set. The partner's turn is held."""
    key = {"partner_id": member.partner_id, "set_number": set_number}
    last = session.connection().scalar(_CHANGES, key) or 0
    session.connection().execute(
        _NEW_CHANGE,
        {
            **key,
            "number": last + 1,
            "what": what,
            "before": before,
            "after": after,
            "changed_at": moment,
            "changed_by_id": member.member_id,
        },
    )


def effective_settings(version: DefaultSettings | None, overrides: Overrides) -> EffectiveSettings:
    """The effective settings of a client bound to this version. Raises MissingSetting when nothing decides one."""
    if version is None:
        return resolve(None, overrides, version=None)
    return resolve(version.settings, overrides, version=version.version, set_number=version.set_number)


def _write(
    session: Session, member: Member, bound: SetVersion, settings: BillingSettings, saved_at: datetime, note: str
) -> None:
    row = {
        "partner_id": member.partner_id,
        "set_number": bound.set_number,
        "version": bound.version,
        **{setting.value: setting.of(settings) for setting in Setting},
        "saved_by_id": member.member_id,
        "saved_at": saved_at,
        "note": note,
    }
    session.connection().execute(_NEW, row)
