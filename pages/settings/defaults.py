"""Default settings: decide what every client invited from now on will get, and see every version there has been."""

import pandas as pd
import streamlit as st

from core import catalogue, defaults, reports
from core.catalogue import Catalogue
from core.defaults import DefaultSettings, changes
from core.invitations import by_name, offered_text
from core.members import Member, Permission, may, reads_all_clients
from core.words import (
    LONGEST_NOTE,
    BillingError,
    BillingSettings,
    ClientStatus,
    StaleDefaults,
    day,
    moment,
    nt,
    number,
    t,
)
from pages.parts import choices, figures, notices, server, visitor
from pages.parts.settings_form import choose_settings, first_settings, settings_chosen, values_table
from pages.parts.text import change_text, heading, joined, payer_text, plain, price_text

member = visitor.member(Permission.READ_DEFAULTS)
with server.database().reading() as session:
    offer = catalogue.current(session, member.partner)
    counted_by = reports.in_force(session, member)
    versions = defaults.history(session, member)
in_force = versions[0] if versions else None
form = choices.form("defaults")


def summary(settings: BillingSettings) -> str:
    """Standard + Bank feeds, billed monthly, paid by us."""
    return ", ".join([offered_text(settings, offer), payer_text(settings.payer), *by_name(settings, offer)])


def next_client(settings: BillingSettings) -> bool:
    """What the next client will cost and who pays; whether these settings can be had at all."""
    st.header(t("The next client you invite"), anchor=False)
    st.text(summary(settings))
    try:
        offer.refuse_unsellable(settings)
    except BillingError as refusal:
        notices.refused(refusal)
        return False
    st.text(price_text(offer.price(settings)))
    return True


def impact(before: DefaultSettings | None, settings: BillingSettings) -> bool:
    """What changes against the version in force, and what it does to existing clients; whether anything changes."""
    st.header(t("If you save now"), anchor=False)
    different = changes(before.settings, settings) if before else ()
    for change in different:
        st.text(change_text(change, offer))
    if before and not different:
        st.text(t("Nothing changes: this is version {version}.", version=str(before.version)))
        return False
    if not before:
        st.text(t("This becomes version 1, which every client you invite from then on gets."))
    bound = sum(clients_of.values())
    st.markdown(t("**0 existing clients change.**"))
    st.text(
        nt("{count} client will then be on older defaults.", "{count} clients will then be on older defaults.", bound)
    )
    return True


def edit() -> None:
    """The form, beside what saving it would do.

    The version it began at is kept by hand, as `args` could not carry it: a form is filled in over many runs, each of
    which shows the version in force by then, and a colleague's among them must not be overwritten without a word.
    """
    form_column, preview_column = st.columns(2, gap="large")
    newest = in_force.version if in_force else None
    began_at = st.session_state.setdefault(f"{form}.began at", newest)
    start = next((version.settings for version in versions if version.version == began_at), None)
    with form_column:
        settings = choose_settings(form, start or first_settings(offer), offer)
        note = st.text_input(
            t("Note (optional)"),
            key=f"{form}.note",
            max_chars=LONGEST_NOTE,
            persist_state="session",
            placeholder=t("Why, for whoever reads the versions later"),
        )
    if began_at != newest and settings == start and not note:
        choices.forget("defaults")  # nothing was changed yet: begin at the version that came in between
        st.rerun()
    with preview_column.container(border=True):
        can_be_had = next_client(settings)
        st.space("small")
        is_different = impact(in_force, settings)
    with form_column:
        stale = st.session_state.get(f"{form}.stale")
        if in_force and began_at != newest:
            stale = defaults.stale(in_force)
        if stale:
            notices.refused(stale)
        with st.container(horizontal=True):
            st.button(
                t("Save as version {version}", version=str(in_force.version + 1 if in_force else 1)),
                type="primary",
                key=f"{form}.save",
                disabled=not (can_be_had and is_different),
                on_click=save,
                args=(form, member, began_at, choices.attempt(form)),
            )
            if in_force and (is_different or stale):
                st.button(t("Discard my changes"), key=f"{form}.discard", on_click=choices.forget, args=("defaults",))


@notices.callback
def save(form: str, member: Member, began_at: int | None, attempt: str) -> None:
    """Save what the form says by now, and begin another; one refused stays, and begins at what is in force then."""
    if form != choices.form("defaults"):  # the second of two quick clicks: the first one saved
        return
    settings, note = settings_chosen(form), st.session_state.get(f"{form}.note") or ""
    try:
        with server.database().transaction() as session:
            saved = defaults.save(session, member, settings, seen=began_at, note=note, attempt=attempt)
    except StaleDefaults as refusal:
        st.session_state[f"{form}.stale"] = refusal
        st.session_state.pop(f"{form}.began at", None)
    else:
        version = str(saved.version)
        notices.say_next(t("Version {version} is saved. Every client you invite from now on gets it.", version=version))
        choices.forget("defaults")


def versions_table(offer: Catalogue) -> None:
    st.header(t("Versions"), anchor=False)
    rows = []
    for version, before in zip(versions, [*versions[1:], None], strict=True):
        different = changes(before.settings, version.settings) if before else ()
        what = joined(change_text(change, offer) for change in different) or (
            t("First version") if before is None else t("Nothing changed")
        )
        row = (
            f"v{version.version}",
            moment(version.saved_at),
            plain(version.saved_by.name),
            plain(summary(version.settings)),
            plain(what),
            plain(version.note),
        )
        counted = number(clients_of.get(version.bound, 0))
        rows.append((*row, counted) if reads_all_clients(member) else row)
    headings = [
        t("Version"),
        t("Saved"),
        t("By"),
        t("What clients get"),
        t("What changed"),
        t("Note"),
        t("Clients bound to it"),
    ]
    st.table(pd.DataFrame(rows, columns=headings[: len(rows[0])]), border="horizontal")


heading(
    t("Default settings"),
    t("What every client you invite from now on will get. Clients you already have keep their settings."),
)
if in_force:
    version, saved_on, name = str(in_force.version), day(in_force.saved_at), plain(in_force.saved_by.name)
    st.markdown(
        t("In force: **version {version}**, saved on {day} by {name}", version=version, day=saved_on, name=name)
    )
else:
    st.info(
        t("No default settings are saved yet. Until they are, each invitation has to choose every setting itself."),
        icon=":material/info:",
    )
clients_of = figures.counted(server.database(), member, counted_by).per_version
if offer.is_sample:
    st.caption(t("The catalogue is sample data: plans, add-ons and prices are made up."))
if may(member, Permission.SAVE_DEFAULTS):
    edit()
else:
    if in_force:
        with st.container(border=True, width=620):
            values_table(in_force.settings, offer)
            if price := offer.billed(in_force.settings, ClientStatus.INVITED):
                st.markdown(f"**{plain(price_text(price))}**")
    st.caption(
        t("With your role you can read the default settings; an administrator or a client manager can change them.")
    )
if versions:
    versions_table(offer)
