"""The plan distribution as a file to take away: the table as shown, and beside each row what was counted."""

from collections.abc import Sequence
from datetime import date

import pandas as pd

from core import spreadsheets
from core.catalogue import monthly_cents
from core.words import ListedStatus, listed, t


def named(on: date, measure: str, statuses: Sequence[ListedStatus]) -> str:
    """plan distribution 2026-10-31 clients invited+active.csv"""
    which = "+".join(statuses) if len(statuses) < len(ListedStatus) else "all"
    return f"plan distribution {on.isoformat()} {measure} {which}.csv"


def content(table: pd.DataFrame, on: date, measured: str, statuses: Sequence[ListedStatus], *, is_money: bool) -> bytes:
    """The table as CSV, its amounts as numbers, cents of a year as a month; each row says the day, the measure and the
    statuses counted."""
    said = [on.isoformat(), measured, listed(status.label for status in statuses)]
    rows = [[t("Subscription"), *table.columns, t("At the end of"), t("Measure"), t("Statuses counted")]]
    for name, amounts in table.iterrows():
        plain = [spreadsheets.decimal(monthly_cents(amount)) if is_money else amount for amount in amounts]
        rows.append([str(name), *plain, *said])
    return spreadsheets.as_csv(rows).encode("utf-8-sig")
