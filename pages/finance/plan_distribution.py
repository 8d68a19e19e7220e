"""Plan distribution: how clients and monthly recurring revenue spread over plans."""

from typing import Any

import pandas as pd
import streamlit as st

from core import catalogue, reports, spreadsheets
from core.catalogue import monthly_cents
from core.members import Permission
from core.reports import DISTRIBUTION, FILTERS
from core.words import ListedStatus, Money, Setting, Source, day, end_of_day, listed, number, t
from pages.finance.distribution_chart import distribution_chart
from pages.parts import default_sets, figures, meanwhile, presence, server, visitor
from pages.parts.choices import choose
from pages.parts.default_sets import BOUND_TO_NONE
from pages.parts.text import heading

DEFAULT_SET = "set_number"  # by which clients are split too, where there are several sets
SPLITS: dict[str, Any] = {"source": Source} | {
    setting.value: setting.terms for setting in Setting if setting.terms and setting.value in DISTRIBUTION
}

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


def csv_file() -> bytes:
    """The table as shown, its amounts as numbers."""
    rows = [[t("Subscription"), *(part.label for part in parts), t("Total")]]
    for name, amounts in table.iterrows():
        plain_amounts = [
            amount if measure == "clients" else spreadsheets.decimal(monthly_cents(amount)) for amount in amounts
        ]
        rows.append([str(name), *plain_amounts])
    return spreadsheets.as_csv(rows).encode("utf-8-sig")


def open_clients(row: int, part: int) -> None:
    """The clients behind a number: the list, filtered to them."""
    for name in FILTERS:
        st.session_state.pop(f"clients.{name}", None)
    filters: dict[str, str] = {"plan": plans[row].code} if 0 <= row < len(plans) else {}
    if part < len(parts):
        filters["default_set" if split == DEFAULT_SET else split] = str(parts[part].value)
    if len(statuses) < len(ListedStatus) or "source" in filters:  # a filter by source alone leaves archived clients out
        filters["status"] = ",".join(statuses)
    st.switch_page("pages/clients/billing_sources.py", query_params=filters)


presence.clear_url()  # of what is left over from the clients behind a number
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
    )
    split = choose(
        st.segmented_control,
        t("Split by"),
        list(splits),
        splits.__getitem__,
        "distribution.split",
        at_first="source",
        required=True,
    )
    statuses = choose(
        st.pills,
        t("Statuses counted"),
        list(ListedStatus),
        lambda status: status.label,
        "distribution.statuses",
        at_first=[ListedStatus.ACTIVE],
        selection_mode="multi",
    )
    as_of = st.date_input(
        t("At the end of"),
        value=today,
        max_value=today,
        key=f"distribution.as_of {today}",
        format="DD/MM/YYYY",
        width=150,
        persist_state="session",
    )
as_of = min(as_of or today, today)
if not statuses:
    st.info(t("Choose at least one status to count."))
    st.stop()

if as_of == today:
    spread = figures.spread(database, member, in_force)
    meanwhile.shows_spread(since, spread)
else:
    with database.reading() as session:
        spread = reports.plan_distribution(session, member, as_of=end_of_day(as_of))
counted = spread[spread["status"].isin(statuses)]
if counted.empty:
    st.info(t("No client had one of these statuses on {day}.", day=as_of))
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
distribution_chart(
    table, table.map(shown_amount), totals, measures[measure], key=f"distribution.chart {measure} {split}"
)

table[t("Total")] = table.sum(axis=1)
table.loc[t("Total")] = table.sum()
words = table.map(shown_amount).rename_axis(t("Subscription")).reset_index()
leads_to_clients = as_of == today
chosen_cell = st.dataframe(
    words,
    hide_index=True,
    key=f"distribution.table {measure} {split} {as_of} {statuses}",
    alt=t("The numbers behind the chart"),
    on_select="rerun",
    selection_mode="single-cell",
    column_config={name: st.column_config.TextColumn(name, alignment="right") for name in words.columns[1:]},
)
if chosen_cell.selection.cells and leads_to_clients:
    row, name = chosen_cell.selection.cells[0]
    part = list(words.columns[1:]).index(name) if name in words.columns[1:] else len(parts)
    if part == len(parts) or parts[part].value != BOUND_TO_NONE:
        open_clients(row, part)
with st.container(horizontal=True, horizontal_alignment="distribute"):
    which = listed(status.label.lower() for status in statuses)
    sentences = [
        t("Clients counted at the end of {day}: {statuses}.", day=day(as_of), statuses=which),
        t("Revenue: whoever pays, at that day's prices; a yearly price counts a twelfth; each figure is rounded once."),
        t("Prices are without VAT."),
        t("Click a number to see the clients behind it.") if leads_to_clients else "",
    ]
    st.caption(" ".join(sentences))
    st.download_button(
        t("Download as CSV"),
        data=csv_file(),
        file_name="plan_distribution.csv",
        mime="text/csv",
        on_click="ignore",
        key="distribution.csv",
        icon=":material/download:",
    )
