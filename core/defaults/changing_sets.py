"""What is done with default sets: made, named, retired, brought back, and one of them made the standard (rules 16 to
20). None of it touches a client."""

from datetime import datetime

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.orm import Session, joinedload

from core import catalogue, members
from core.defaults.set_list import NamedSet, Sets, sets_of, stale_standard
from core.defaults.tables import DefaultSet, DefaultSetChange
from core.defaults.versions import make_standard_now, note_change, write_set
from core.members import Member, Permission
from core.storage import now_after
from core.words import (
    N_,
    BillingSettings,
    SetChange,
    SetNameTaken,
    StaleSet,
    StandardSetKept,
    UnknownSet,
    fold,
    name_text,
    note_text,
    one_line,
)

LONGEST_SET_NAME = 40
_NO_NAME = N_("Give the set a name, for example Freelancers.")

_CHANGES = (
    select(DefaultSetChange)
    .options(joinedload(DefaultSetChange.changed_by))
    .where(
        DefaultSetChange.partner_id == bindparam("partner_id"), DefaultSetChange.set_number == bindparam("set_number")
    )
    .order_by(DefaultSetChange.number.desc())
)
_NEWEST_CHANGE = select(func.max(DefaultSetChange.changed_at)).where(
    DefaultSetChange.partner_id == bindparam("partner_id")
)
_THIS = (DefaultSet.partner_id == bindparam("of_partner"), DefaultSet.set_number == bindparam("of_set"))
_NAME = update(DefaultSet).where(*_THIS).values(name=bindparam("new_name"), folded_name=bindparam("folded"))
_RETIRE = update(DefaultSet).where(*_THIS).values(retired_at=bindparam("moment", type_=DefaultSet.retired_at.type))


def set_changes(session: Session, member: Member, set_number: int) -> list[DefaultSetChange]:
    """What was done with a set beside the versions saved in it, newest first, each with `changed_by` loaded: old name
    and new name, retired, brought back, made the standard set. Raises NotAllowed, UnknownSet."""
    members.require(member, Permission.READ_DEFAULTS)
    sets_of(session, member.partner_id).named(set_number)
    return list(session.scalars(_CHANGES, {"partner_id": member.partner_id, "set_number": set_number}))


def make_set(
    session: Session, member: Member, name: str, settings: BillingSettings, *, note: str = "", attempt: str = ""
) -> NamedSet:
    """Make a default set of this name together with its version 1; a copy is one with the settings of another. The very
    first set is the standard one.

    `attempt` names one drawn form: the same one sent twice makes one set (members.form_sent).
    Raises NotAllowed, SetNameTaken, ChoiceRefused, BadInput; nothing is written then.
    """
    members.act(session, member, Permission.SAVE_DEFAULTS)
    name, note = _typed_name(name), note_text("note", note)
    form = members.form_sent(session, member, attempt, "make set", name=name, settings=settings, note=note)
    if form.answer is not None:
        return sets_of(session, member.partner_id).named(form.answer["set_number"])
    sets = sets_of(session, member.partner_id)
    _refuse_taken(sets, name)
    catalogue.current(session, member.partner).refuse_unsellable(settings)
    number = max((each.set_number for each in sets), default=0) + 1
    made = write_set(session, member, number, name, settings, note=note)
    if sets.standard is None:
        make_standard_now(session, member, number, made.saved_at)
    form.done(set_number=number)
    return sets_of(session, member.partner_id).named(number)


def rename_set(
    session: Session, member: Member, set_number: int, name: str, *, seen: int, attempt: str = ""
) -> NamedSet:
    """Afterwards the set has this name, wherever it is named, in what is told of the past too (rule 19).

    `seen` is NamedSet.changes as it was shown. Raises NotAllowed, UnknownSet, StaleSet, SetNameTaken, BadInput; nothing
    is written then.
    """
    members.act(session, member, Permission.SAVE_DEFAULTS)
    name = _typed_name(name)
    form = members.form_sent(session, member, attempt, "rename set", set_number=set_number, name=name)
    sets = sets_of(session, member.partner_id)
    found = sets.named(set_number)
    if form.answer is not None:
        return found
    _require_seen(session, found, seen)
    if name != found.name:
        _refuse_taken(sets, name, beside=found)
        moment = _moment(session, member)
        note_change(session, member, set_number, SetChange.NAMED, moment, before=found.name, after=name)
        whose = {"of_partner": member.partner_id, "of_set": set_number}
        session.connection().execute(_NAME, whose | {"new_name": name, "folded": fold(name)})
    form.done()
    return sets_of(session, member.partner_id).named(set_number)


def retire_set(session: Session, member: Member, set_number: int, *, seen: int, attempt: str = "") -> NamedSet:
    """Afterwards the set can be neither picked, saved to nor adopted; its clients keep everything (rule 20). `seen` as
    for `rename_set`. Raises NotAllowed, UnknownSet, StaleSet, StandardSetKept; nothing is written then."""
    return _retired(session, member, set_number, seen, attempt, is_to_be_retired=True)


def bring_back_set(session: Session, member: Member, set_number: int, *, seen: int, attempt: str = "") -> NamedSet:
    """Afterwards a retired set can be picked again. `seen` as for `rename_set`. Raises NotAllowed, UnknownSet,
    StaleSet; nothing is written then."""
    return _retired(session, member, set_number, seen, attempt, is_to_be_retired=False)


def make_standard(session: Session, member: Member, set_number: int, *, seen: int, attempt: str = "") -> NamedSet:
    """Afterwards this is the standard set, which an invitation gets if none is picked. No client changes (rule 17).

    `seen` is the number of the set that was shown as the standard one. Raises NotAllowed, UnknownSet, RetiredSet,
    StaleStandard; nothing is written then.
    """
    members.act(session, member, Permission.SAVE_DEFAULTS)
    form = members.form_sent(session, member, attempt, "make standard", set_number=set_number)
    sets = sets_of(session, member.partner_id)
    found = sets.named(set_number)
    if form.answer is not None:
        return found
    standard = sets.standard
    if standard is not None and standard.set_number != seen:
        raise stale_standard(session, standard)
    if not sets.can_be_picked(found).is_standard:
        make_standard_now(session, member, set_number, _moment(session, member))
    form.done()
    return sets_of(session, member.partner_id).named(set_number)


def set_called(sets: Sets, name: str) -> NamedSet:
    """The set that goes by this name, compared without case and accents. Raises UnknownSet, and RetiredSet."""
    found = sets.called(name)
    if found is None:
        raise UnknownSet(wanted=f"“{one_line(name)[:LONGEST_SET_NAME]}”", names=sets.names_to_pick)
    return sets.can_be_picked(found)


def _retired(
    session: Session, member: Member, set_number: int, seen: int, attempt: str, *, is_to_be_retired: bool
) -> NamedSet:
    members.act(session, member, Permission.SAVE_DEFAULTS)
    what = SetChange.RETIRED if is_to_be_retired else SetChange.BROUGHT_BACK
    form = members.form_sent(session, member, attempt, f"set {what}", set_number=set_number)
    found = sets_of(session, member.partner_id).named(set_number)
    if form.answer is not None:
        return found
    _require_seen(session, found, seen)
    if is_to_be_retired and found.is_standard:
        raise StandardSetKept(name=found.name)
    if found.is_retired is not is_to_be_retired:
        moment = _moment(session, member)
        note_change(session, member, set_number, what, moment)
        whose = {"of_partner": member.partner_id, "of_set": set_number}
        session.connection().execute(_RETIRE, whose | {"moment": moment if is_to_be_retired else None})
    form.done()
    return sets_of(session, member.partner_id).named(set_number)


def _moment(session: Session, member: Member) -> datetime:
    """The instant of a change of a set: later than every other one of the partner, as clocks step back."""
    return now_after(session, session.scalar(_NEWEST_CHANGE, {"partner_id": member.partner_id}))


def _require_seen(session: Session, found: NamedSet, seen: int) -> None:
    if found.changes == seen:
        return
    asked = {"partner_id": found.newest.partner_id, "set_number": found.set_number}
    last = session.scalars(_CHANGES, asked).first()
    assert last is not None  # noqa: S101 - it was named when it was made
    raise StaleSet(name=found.name, changed_by=last.changed_by.name, changed_at=last.changed_at)


def _refuse_taken(sets: Sets, name: str, *, beside: NamedSet | None = None) -> None:
    taken = sets.called(name)
    if taken is not None and (beside is None or taken.set_number != beside.set_number):
        raise SetNameTaken(name=taken.name, is_retired=taken.is_retired)


def _typed_name(name: str) -> str:
    return name_text("name", name, longest=LONGEST_SET_NAME, missing=_NO_NAME)
