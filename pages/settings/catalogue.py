"""Catalogue: what is sold, what goes with what, prices now and to come, who has what; administrators load a file."""

import streamlit as st

from core import subscriptions
from core.catalogue import PriceList
from core.members import Permission, may
from core.words import moment, t
from pages.parts import server, visitor
from pages.parts.choices import choose
from pages.parts.text import heading, plain
from pages.settings import catalogue_load, catalogue_tables

member = visitor.member(Permission.READ_DEFAULTS)
catalogue_tables.follow_click()

with server.database().reading() as session:
    shown = subscriptions.catalogue_overview(session, member)
offer = shown.catalogue


def list_words(number: int) -> str:
    """A price list in a choice: its number, its day, and whether it holds."""
    found = next(each for each in offer.price_lists if each.number == number)
    words = subscriptions.price_list_text(found)
    return t("{list} (in force)", list=words) if found is shown.in_force else words


def renewals_text(price_list: PriceList) -> str:
    """From when clients who renew pay it."""
    if price_list.renewals_from is None:
        return t("clients keep their prices until they take another subscription or billing period")
    return t("clients pay it from their first renewal on {day} or later", day=price_list.renewals_from)


def to_come(price_list: PriceList) -> None:
    """What a list will change, for whom and from when; and how to take it back."""
    with st.container(border=True):
        title = subscriptions.price_list_text(price_list)
        st.markdown(f"**{plain(title)}** · {plain(renewals_text(price_list))}")
        lines = []
        for change, holders in shown.changes(price_list):
            lines.append(f"- {plain(subscriptions.price_text(change))}")
            if change.before is not None and change.after is not None:
                lines += [f"    - {plain(whom)}" for whom in subscriptions.whom_text(holders, price_list)]
        st.markdown("\n".join(lines) or plain(t("Every price is that of the list before.")))
        if shown.why_not is None:
            catalogue_load.withdrawal(member, price_list)


heading(
    t("Catalogue"),
    t("What is sold, what goes with what, and what it costs: now, and from a day to come."),
    shows_prices=True,
)
if offer.is_sample:
    st.caption(t("The catalogue is sample data: plans, add-ons and prices are made up."))
numbers = [each.number for each in offer.price_lists]
number = numbers[-1] if shown.in_force is None else shown.in_force.number
if len(numbers) > 1:
    number = choose(
        st.selectbox,
        t("Prices of"),
        numbers,
        list_words,
        "catalogue.list",
        at_first=number,
        filter_mode=None,
        width=330,
    )
prices = next(each for each in offer.price_lists if each.number == number)
catalogue_tables.show(shown, prices)

st.header(t("Prices to come"), anchor=False)
for each in shown.to_come:
    to_come(each)
if not shown.to_come:
    st.caption(t("No other prices are loaded for a day to come."))

if may(member, Permission.MANAGE_CATALOGUE):
    st.header(t("Load a catalogue"), anchor=False)
    if shown.why_not is None:
        catalogue_load.show(member, offer)
    else:
        st.info(plain(shown.why_not), icon=":material/info:")

st.header(t("Price lists"), anchor=False)
for each in reversed(offer.price_lists):
    loaded = shown.loaded[each.number]
    by = t("Whoever runs this server") if loaded.by is None else loaded.by
    said = t("{list}. {name} loaded it on {moment}.", list=list_words(each.number), moment=moment(loaded.at), name=by)
    st.markdown(f"- {plain(said)}")
