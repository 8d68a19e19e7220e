"""Whether default sets and their versions fit together: the part of `check` about them."""

from collections.abc import Iterator
from itertools import groupby

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.catalogue import AddOnRow
from core.defaults.tables import DefaultSet, DefaultSetChange, DefaultSettings
from core.members import Partner
from core.words import SetChange, fold


def differences(session: Session) -> Iterator[str]:
    """One sentence per difference about default settings, in every partner space; none when all is well.

    Checks that the versions of each set are numbered without gap, each saved after the one before, that the catalogue
    has their add-ons, that every set has one, that its name and whether it is retired are what was done with it, and
    that each partner with sets has one standard set, which is not retired.
    """
    add_ons = frozenset(session.scalars(select(AddOnRow.add_on)))
    rows = session.connection().execute(
        select(
            DefaultSettings.partner_id,
            DefaultSettings.set_number,
            DefaultSettings.version,
            DefaultSettings.saved_at,
            DefaultSettings.add_ons,
        ).order_by(DefaultSettings.partner_id, DefaultSettings.set_number, DefaultSettings.version),
        execution_options={"yield_per": 1000},
    )
    with_versions = set()
    for (partner_id, set_number), versions in groupby(rows, lambda row: (row[0], row[1])):
        last, saved_before = 0, None
        with_versions.add((partner_id, set_number))
        for *_, version, saved_at, chosen in versions:
            where = f"partner {partner_id}, set {set_number}, default settings {version}"
            if version != last + 1:
                yield f"{where}: expected version {last + 1}"
            if saved_before is not None and saved_at <= saved_before:
                yield f"{where}: saved {saved_at}, the version before was saved {saved_before}"
            if unknown := chosen - add_ons:
                yield f"{where}: add-ons that the catalogue does not have: {', '.join(sorted(unknown))}"
            last, saved_before = version, saved_at
    yield from _sets(session, with_versions)


def _sets(session: Session, with_versions: set[tuple[int, int]]) -> Iterator[str]:
    done: dict[tuple[int, int], list[DefaultSetChange]] = {}
    changes = select(DefaultSetChange).order_by(
        DefaultSetChange.partner_id, DefaultSetChange.set_number, DefaultSetChange.number
    )
    for change in session.scalars(changes):
        done.setdefault((change.partner_id, change.set_number), []).append(change)
    retired = {}
    for each in session.scalars(select(DefaultSet).order_by(DefaultSet.partner_id, DefaultSet.set_number)):
        key = (each.partner_id, each.set_number)
        retired[key] = each.retired_at is not None
        where = f"partner {each.partner_id}, set {each.set_number}"
        if key not in with_versions:
            yield f"{where}: has no version"
        if each.folded_name != fold(each.name):
            yield f"{where}: is compared as {each.folded_name!r}, its name as {fold(each.name)!r}"
        yield from (f"{where}: {said}" for said in _as_done(each, done.get(key, [])))
    standards = dict(iter(session.execute(select(Partner.partner_id, Partner.standard_set))))
    with_sets = {partner_id for partner_id, _ in retired}
    for partner_id, standard in sorted(standards.items()):
        if standard is None and partner_id in with_sets:
            yield f"partner {partner_id}: none of its sets is the standard one"
        if standard is not None and retired.get((partner_id, standard)) is not False:
            yield f"partner {partner_id}: its standard set is {standard}, which is retired or does not exist"


def _as_done(found: DefaultSet, changes: list[DefaultSetChange]) -> Iterator[str]:
    name, retired_at = None, None
    for number, change in enumerate(changes, 1):
        if change.number != number:
            yield f"change {change.number}: expected change {number}"
        match change.what:
            case SetChange.NAMED:
                if change.before != name:
                    yield f"change {change.number}: it was called {name!r}, not {change.before!r}"
                name = change.after
            case SetChange.RETIRED:
                retired_at = change.changed_at
            case SetChange.BROUGHT_BACK:
                retired_at = None
    if name != found.name:
        yield f"is called {found.name!r}, what was done with it says {name!r}"
    if retired_at != found.retired_at:
        yield f"is retired since {found.retired_at}, what was done with it says {retired_at}"
