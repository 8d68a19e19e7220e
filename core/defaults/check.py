"""Whether the versions of the default settings fit together: the part of `check` about them."""

from collections.abc import Iterator
from itertools import groupby

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.catalogue import AddOnRow
from core.defaults.tables import DefaultSettings


def differences(session: Session) -> Iterator[str]:
    """One sentence per difference about default settings, in every partner space; none when all is well.

    Checks that versions are numbered without gap, each saved after the one before, and that the catalogue has their
    add-ons.
    """
    add_ons = frozenset(session.scalars(select(AddOnRow.add_on)))
    rows = session.connection().execute(
        select(
            DefaultSettings.partner_id, DefaultSettings.version, DefaultSettings.saved_at, DefaultSettings.add_ons
        ).order_by(DefaultSettings.partner_id, DefaultSettings.version),
        execution_options={"yield_per": 1000},
    )
    for partner_id, versions in groupby(rows, lambda row: row[0]):
        last, saved_before = 0, None
        for _, version, saved_at, chosen in versions:
            where = f"partner {partner_id}, default settings {version}"
            if version != last + 1:
                yield f"{where}: expected version {last + 1}"
            if saved_before is not None and saved_at <= saved_before:
                yield f"{where}: saved {saved_at}, the version before was saved {saved_before}"
            if unknown := chosen - add_ons:
                yield f"{where}: add-ons that the catalogue does not have: {', '.join(sorted(unknown))}"
            last, saved_before = version, saved_at
