"""The default sets of a partner as they are now, each with its newest version; and how a version is called."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, bindparam, func, or_, select
from sqlalchemy.orm import Session, aliased, joinedload

from core import members
from core.defaults.resolution import SetVersion
from core.defaults.tables import DefaultSet, DefaultSetChange, DefaultSettings
from core.members import Member, Partner, Permission
from core.words import BillingSettings, NotTheirSet, RetiredSet, StaleDefaults, StaleStandard, UnknownSet, fold, t

_IN_SET = and_(DefaultSettings.partner_id == DefaultSet.partner_id, DefaultSettings.set_number == DefaultSet.set_number)
_LATER = aliased(DefaultSettings)
_NEWEST = (
    select(func.max(_LATER.version))
    .where(_LATER.partner_id == DefaultSet.partner_id, _LATER.set_number == DefaultSet.set_number)
    .correlate(DefaultSet)
    .scalar_subquery()
)
_CHANGES = (
    select(func.max(DefaultSetChange.number))
    .where(DefaultSetChange.partner_id == DefaultSet.partner_id, DefaultSetChange.set_number == DefaultSet.set_number)
    .correlate(DefaultSet)
    .scalar_subquery()
)
_SETS = (
    select(
        DefaultSettings,
        DefaultSet.name,
        DefaultSet.folded_name,
        DefaultSet.retired_at,
        Partner.standard_set,
        _CHANGES,
        _NEWEST,
    )
    .options(joinedload(DefaultSettings.saved_by))
    .join(DefaultSet, _IN_SET)
    .join(Partner, Partner.partner_id == DefaultSet.partner_id)
    .where(
        DefaultSet.partner_id == bindparam("partner_id", type_=DefaultSet.partner_id.type),
        or_(
            DefaultSettings.version == _NEWEST,
            and_(
                DefaultSettings.set_number == bindparam("set_number", type_=DefaultSettings.set_number.type),
                DefaultSettings.version == bindparam("version", type_=DefaultSettings.version.type),
            ),
        ),
    )
)
_MADE_STANDARD = (
    select(DefaultSetChange)
    .options(joinedload(DefaultSetChange.changed_by))
    .where(
        DefaultSetChange.partner_id == bindparam("partner_id"),
        DefaultSetChange.set_number == bindparam("set_number"),
        DefaultSetChange.what == "standard",
    )
    .order_by(DefaultSetChange.number.desc())
    .limit(1)
)


@dataclass(frozen=True, slots=True)
class NamedSet:
    """A default set as it is now. `newest` is its newest version, with `saved_by` loaded; `retired_at` (UTC) is None
    for one that can be picked; `changes` counts what was done with it: what a change of it must name as `seen`."""

    set_number: int
    name: str
    folded_name: str
    is_standard: bool
    retired_at: datetime | None
    newest: DefaultSettings
    changes: int

    @property
    def is_retired(self) -> bool:
        """Whether it can be neither picked, saved to nor adopted (rule 20)."""
        return self.retired_at is not None

    @property
    def version(self) -> int:
        """The number of its newest version."""
        return self.newest.version

    @property
    def settings(self) -> BillingSettings:
        """What its newest version gives."""
        return self.newest.settings

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Sets:
    """Every default set of a partner: the standard one first, the others by name, the retired ones last."""

    all: tuple[NamedSet, ...]

    def __iter__(self) -> Iterator[NamedSet]:
        return iter(self.all)

    def __len__(self) -> int:
        return len(self.all)

    @property
    def standard(self) -> NamedSet | None:
        """The one that an invitation gets if none is picked; None: no defaults are saved yet (rules 7 and 17)."""
        return next((each for each in self.all if each.is_standard), None)

    @property
    def are_several(self) -> bool:
        """Whether there is more than one, retired ones included: only then are they named."""
        return len(self.all) > 1

    @property
    def to_pick(self) -> tuple[NamedSet, ...]:
        """Those that are not retired."""
        return tuple(each for each in self.all if not each.is_retired)

    def find(self, set_number: int | None) -> NamedSet | None:
        """The set of this number, a retired one too."""
        return next((each for each in self.all if each.set_number == set_number), None)

    def named(self, set_number: int) -> NamedSet:
        """The set of this number, a retired one too. Raises UnknownSet."""
        found = self.find(set_number)
        if found is None:
            raise UnknownSet(wanted=str(set_number), names=self.names_to_pick)
        return found

    def pick(self, set_number: int | None = None) -> NamedSet | None:
        """The set that is picked so: None is the standard one, if there is one. Raises UnknownSet, RetiredSet."""
        if set_number is None:
            return self.standard
        return self.can_be_picked(self.named(set_number))

    def can_be_picked(self, found: NamedSet) -> NamedSet:
        """This set, which is one of these. Raises RetiredSet."""
        if found.is_retired:
            raise RetiredSet(name=found.name, names=self.names_to_pick)
        return found

    def called(self, name: str) -> NamedSet | None:
        """The set of this name, a retired one too, compared without case and accents (rule 19)."""
        wanted = fold(name)
        return next((each for each in self.all if each.folded_name == wanted), None)

    def target(self, bound: SetVersion | None) -> NamedSet | None:
        """The set that a client bound so adopts, or is invited on again: its own; the standard one, if its own is
        retired or it is bound to none (rules 22 and 36)."""
        own = None if bound is None else self.find(bound.set_number)
        return self.standard if own is None or own.is_retired else own

    def is_to_confirm(self, bound: SetVersion | None) -> bool:
        """Whether `target` is another set than that of a client bound so, which a member has to confirm: its own is
        retired, or it is bound to none and there are several (rule 22)."""
        return self.is_retired(bound) or (bound is None and self.are_several)

    def not_theirs(self, client: str, bound: SetVersion | None, target: NamedSet) -> NotTheirSet:
        """The refusal that says from which set to which the client of this name, bound so, would go."""
        own = "" if bound is None else self.named(bound.set_number).name
        return NotTheirSet(client=client, own=own, target=self.said(target.newest.bound))

    def is_older(self, bound: SetVersion | None) -> bool:
        """Whether its own set, not a retired one, has a newer version (rule 21)."""
        own = None if bound is None else self.find(bound.set_number)
        return own is not None and bound is not None and not own.is_retired and bound.version < own.version

    def is_retired(self, bound: SetVersion | None) -> bool:
        """Whether what is bound so is on a retired set (rule 21)."""
        own = None if bound is None else self.find(bound.set_number)
        return own is not None and own.is_retired

    def said(self, bound: SetVersion, *, tells_older: bool = False) -> str:
        """What this version is called: see `version_text`; told as an older one where it is, if asked."""
        own = self.named(bound.set_number)
        return version_text(
            own.name,
            bound.version,
            is_retired=own.is_retired,
            is_older=tells_older and self.is_older(bound),
            are_several=self.are_several,
        )

    def name_of(self, set_number: int) -> str:
        """The name of a set where there are several, else "": for what is said of one set only by its version."""
        return self.named(set_number).name if self.are_several else ""

    @property
    def names_to_pick(self) -> tuple[str, ...]:
        """The names of those that are not retired."""
        return tuple(each.name for each in self.to_pick)


def version_text(
    name: str, version: int, *, are_several: bool, is_retired: bool = False, is_older: bool = False
) -> str:
    """What a version of this set is called, as the source of a setting: "Freelancers v3", "Freelancers v3 (retired)";
    and "Default v3" where the partner has one set (rule 18)."""
    if not are_several:
        if is_older:
            return t("Default v{version} (older)", version=str(version))
        return t("Default v{version}", version=str(version))
    if is_retired:
        return t("{name} v{version} (retired)", name=name, version=str(version))
    if is_older:
        return t("{name} v{version} (older)", name=name, version=str(version))
    return t("{name} v{version}", name=name, version=str(version))


def sets(session: Session, member: Member) -> Sets:
    """The default sets of the member's partner space, each with its newest version, in one query. Raises NotAllowed."""
    members.require(member, Permission.READ_DEFAULTS)
    return sets_of(session, member.partner_id)


def sets_of(session: Session, partner_id: int) -> Sets:
    """The default sets of a partner. Asks no permission: use cases do."""
    return sets_and_bound(session, partner_id, None)[0]


def sets_and_bound(session: Session, partner_id: int, bound: SetVersion | None) -> tuple[Sets, DefaultSettings | None]:
    """The default sets of a partner, and this version (None: none), with `saved_by` loaded. Asks no permission."""
    set_number, version = (None, None) if bound is None else bound
    asked = {"partner_id": partner_id, "set_number": set_number, "version": version}
    found, wanted = [], None
    for settings, name, folded, retired_at, standard, changes, newest in session.execute(_SETS, asked):
        if settings.bound == bound:
            wanted = settings
        if settings.version == newest:
            is_standard = settings.set_number == standard
            found.append(NamedSet(settings.set_number, name, folded, is_standard, retired_at, settings, changes))
    found.sort(key=lambda each: (each.is_retired, not each.is_standard, each.folded_name))
    return Sets(tuple(found)), wanted


def stale(in_force: DefaultSettings, name: str = "") -> StaleDefaults:
    """The refusal that says who saved the version in force, and when; `name`: in this set (Sets.name_of)."""
    return StaleDefaults(
        version=in_force.version, saved_by=in_force.saved_by.name, saved_at=in_force.saved_at, name=name
    )


def require_shown(session: Session, sets: Sets, picked: NamedSet | None, seen: SetVersion | int | None) -> None:
    """Raise StaleStandard where another set than this one was shown as the standard one, StaleDefaults where another
    version of it was. A number alone is a version of the set that is picked; None: whatever is in force will do."""
    if seen is None or picked is None:
        return
    if isinstance(seen, SetVersion) and seen.set_number != picked.set_number:
        raise stale_standard(session, picked)
    if (seen.version if isinstance(seen, SetVersion) else seen) != picked.version:
        raise stale(picked.newest, sets.name_of(picked.set_number))


def stale_standard(session: Session, standard: NamedSet) -> StaleStandard:
    """The refusal that says who made this the standard set, and when."""
    asked = {"partner_id": standard.newest.partner_id, "set_number": standard.set_number}
    made = session.scalars(_MADE_STANDARD, asked).one()
    return StaleStandard(name=standard.name, changed_by=made.changed_by.name, changed_at=made.changed_at)
