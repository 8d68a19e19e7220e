"""Plan distribution: how clients and monthly recurring revenue spread over plans."""

from datetime import date
from typing import Any

import pandas as pd
import streamlit as st

from core import catalogue, reports
from core.catalogue import monthly_cents
from core.members import Permission
from core.reports import BOUND_TO_NONE, DISTRIBUTION, FILTERS
from core.words import ListedStatus, Money, Setting, Source, day, end_of_day, listed, number, t
from pages.finance import distribution_file
from pages.finance.distribution_chart import distribution_chart
from pages.parts import as_of, default_sets, figures, meanwhile, page_url, server, visitor
from pages.parts.choices import choose
from pages.parts.text import heading

DEFAULT_SET = "set_number"  # by which clients are split too, where there are several sets
SPLITS: dict[str, Any] = {"source": Source} | {
    setting.value: setting.terms for setting in Setting if setting.terms and setting.value in DISTRIBUTION
}

# no name among the filters of the list: going back from it passes through an address of this page that has those
PARAMETERS: dict[str, Any] = {"measure": str, "split": str, "statuses": reports.statuses, "day": as_of.linked}

member = visitor.member(Permission.READ_DISTRIBUTION)
database = server.database()
with database.reading(single=True) as session:
    since = reports.seen(session, member)
    in_force = reports.in_force(session, member)
    offer = catalogue.current(session, member.partner, edition=in_force.edition)
today = in_force.day


def shown_amount(amount: int) -> str:
    """A cell in words: clients, or a twelfth of a year's cents."""
    return number(amount) if measure == "clients" else str(Money(monthly_cents(amount), offer.currency))


def open_clients(row: int, part: int) -> None:
    """The clients behind a number: the list as of that day, filtered to them."""
    for name in (*FILTERS, "as_of"):
        st.session_state.pop(f"clients.{name}", None)
    filters: dict[str, str] = {"plan": plans[row].code} if 0 <= row < len(plans) else {}
    if part < len(parts):
        filters["default_set" if split == DEFAULT_SET else split] = str(parts[part].value)
    if len(statuses) < len(ListedStatus) or "source" in filters:  # a filter by source alone leaves archived clients out
        filters["status"] = ",".join(statuses)
    if shown_day != today:
        filters["as_of"] = shown_day.isoformat()
    st.switch_page("pages/clients/billing_sources.py", query_params=filters)


page_url.read("distribution", PARAMETERS)
heading(
    t("Plan distribution"),
    t("See how clients and recurring revenue spread over plans, and who is behind each number."),
    beside=lambda: meanwhile.of_distribution(member),
)
sets = default_sets.known(server.database(), member)
measures = {"clients": t("Clients"), "revenue": t("Revenue a month")}
splits = {"source": t("Source")} | {setting.value: setting.label for setting in Setting if setting.value in SPLITS}
splits |= {DEFAULT_SET: t("Default set")} if sets.are_several else {}
with st.container(horizontal=True, vertical_alignment="bottom"):
    measure = choose(
        st.segmented_control,
        t("Measure"),
        list(measures),
        measures.__getitem__,
        "distribution.measure",
        at_first="clients",
        required=True,
        wrap=True,
    )
    split = choose(
        st.segmented_control,
        t("Split by"),
        list(splits),
        splits.__getitem__,
        "distribution.split",
        at_first="source",
        required=True,
        wrap=True,
    )
    statuses = choose(
        st.pills,
        t("Statuses counted"),
        list(ListedStatus),
        lambda status: status.label,
        "distribution.statuses",
        at_first=[ListedStatus.ACTIVE],
        selection_mode="multi",
        wrap=True,
    )
    shown_day: date = as_of.pick("distribution.day", t("At the end of"), today)
statuses = [status for status in ListedStatus if status in statuses]  # in their order, not that of the clicks
unusual: dict[str, Any] = {
    "measure": None if measure == "clients" else measure,
    "split": None if split == "source" else split,
    "statuses": () if statuses == [ListedStatus.ACTIVE] else tuple(statuses),
    "day": None if shown_day == today else shown_day,
}
page_url.write("distribution", unusual)
if as_of.is_to_come("distribution.day", shown_day, today):
    st.stop()
if not statuses:
    st.info(t("Choose at least one status to count."))
    st.stop()

spread = figures.spread(database, member, in_force, None if shown_day == today else end_of_day(shown_day))
if shown_day == today:
    meanwhile.shows_spread(since, spread)
counted = spread[spread["status"].isin(statuses)]
if counted.empty:
    st.info(t("No client had one of these statuses on {day}.", day=shown_day))
    st.stop()

counted = counted.assign(set_number=counted["set_number"].fillna(BOUND_TO_NONE))
parts = default_sets.parts(sets, counted[DEFAULT_SET]) if split == DEFAULT_SET else list(SPLITS[split])
amounts = counted.groupby(["plan", split])["clients" if measure == "clients" else "cents_per_year"].sum()
plans = [plan for plan in offer.plans.values() if plan.code in set(counted["plan"])]
table = pd.DataFrame(
    {part.label: [int(amounts.get((plan.code, part.value), 0)) for plan in plans] for part in parts},
    index=[str(plan) for plan in plans],
)
totals = [shown_amount(total) for total in table.sum(axis=1)]
measured = measures[measure] if measure == "clients" else f"{measures[measure]} ({offer.currency})"
distribution_chart(
    table, table.map(shown_amount), totals, measures[measure], key=f"distribution.chart {measure} {split}"
)

table[t("Total")] = table.sum(axis=1)
table.loc[t("Total")] = table.sum()
words = table.map(shown_amount).rename_axis(t("Subscription")).reset_index()
chosen_cell = st.dataframe(
    words,
    hide_index=True,
    key=f"distribution.table {measure} {split} {shown_day} {statuses}",
    alt=t("The numbers behind the chart"),
    on_select="rerun",
    selection_mode="single-cell",
    column_config={name: st.column_config.TextColumn(name, alignment="right") for name in words.columns[1:]},
)
if chosen_cell.selection.cells:
    row, name = chosen_cell.selection.cells[0]
    part = list(words.columns[1:]).index(name) if name in words.columns[1:] else len(parts)
    open_clients(row, part)
with st.container(horizontal=True, horizontal_alignment="distribute"):
    which = listed(status.label.lower() for status in statuses)
    sentences = [
        t("Clients counted at the end of {day}: {statuses}.", day=day(shown_day), statuses=which),
        t("Revenue: whoever pays, at that day's prices; a yearly price counts a twelfth; each figure is rounded once."),
        t("Prices are without VAT."),
        t("Click a number to see the clients behind it."),
    ]
    st.caption(" ".join(sentences))
    st.download_button(
        t("Download as CSV"),
        data=distribution_file.content(table, shown_day, measured, statuses, is_money=measure == "revenue"),
        file_name=distribution_file.named(shown_day, measure, statuses),
        mime="text/csv",
        on_click="ignore",
        key="distribution.csv",
        icon=":material/download:",
    )
