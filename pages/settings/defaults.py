"""Default settings: decide what every client invited from now on will get, and see every version there has been."""

import pandas as pd
import streamlit as st

from core import defaults, editions
from core.access import Permission, may, sees_every_client
from core.catalogue import Catalogue
from core.errors import BillingError, StaleDefaults
from core.language import day, moment, nt, number, t
from core.models import DefaultSettings
from core.resolution import BillingSettings, changes
from core.terms import BillingPeriod, ClientStatus
from core.text import LONGEST_NOTE
from pages.parts import cached, choices, here
from pages.parts.settings_form import choose_settings, first_settings, values_table
from pages.parts.text import change_text, heading, joined, payer_text, plain, price_text, value_text

member = here.member(Permission.READ_DEFAULTS)
with here.database().reading() as session:
    offer = editions.current(session, member.partner.currency)
    versions = defaults.history(session, member)
in_force = versions[0] if versions else None
form = choices.form("defaults")


def summary(settings: BillingSettings) -> str:
    add_ons = "".join(f" + {name}" for name in offer.names(settings.add_ons))
    billed = t("billed monthly") if settings.billing_period is BillingPeriod.MONTHLY else t("billed yearly")
    return f"{value_text(settings.plan, offer)}{add_ons}, {billed}, {payer_text(settings.payer)}"


def next_client(settings: BillingSettings) -> bool:
    """What the next client will cost and who pays; whether these settings can be had at all."""
    st.subheader(t("The next client you invite"), anchor=False)
    st.text(summary(settings))
    try:
        offer.refuse_unsellable(settings)
    except BillingError as refusal:
        here.refused(refusal)
        return False
    st.text(price_text(offer.price(settings)))
    return True


def impact(before: DefaultSettings | None, settings: BillingSettings) -> bool:
    """What changes against the version in force, and what it does to existing clients; whether anything changes."""
    st.subheader(t("If you save now"), anchor=False)
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
    settings_column, told_column = st.columns(2, gap="large")
    seen = st.session_state.setdefault(f"{form}.seen", in_force.version if in_force else None)
    begun_at = next((version.settings for version in versions if version.version == seen), None)
    with settings_column:
        settings = choose_settings(form, begun_at or first_settings(offer), offer)
        note = st.text_input(t("Note (optional)"), key=f"{form}.note", max_chars=LONGEST_NOTE, persist_state="session",
                             placeholder=t("Why, for whoever reads the versions later"))  # fmt: skip
    if in_force and seen != in_force.version and settings == begun_at and not note:
        choices.forget("defaults")  # nothing was changed yet: begin at the version that came in between
        st.rerun()
    with told_column.container(border=True):
        can_be_had = next_client(settings)
        st.space("small")
        is_different = impact(in_force, settings)
    with settings_column:
        stale = st.session_state.get(f"{form}.stale")
        if in_force and seen != in_force.version:
            stale = defaults.stale(in_force)
        if stale:
            here.refused(stale)
        with st.container(horizontal=True):
            label = t("Save as version {version}", version=str(in_force.version + 1 if in_force else 1))
            if st.button(label, type="primary", key=f"{form}.save", disabled=not (can_be_had and is_different)):
                save(settings, seen, note)
            is_behind = in_force is not None and (is_different or seen != in_force.version or bool(stale))
            if is_behind and st.button(t("Discard my changes"), key=f"{form}.discard"):
                choices.forget("defaults")
                st.rerun()


def save(settings: BillingSettings, seen: int | None, note: str) -> None:
    try:
        with here.database().transaction() as session:
            saved = defaults.save(session, member, settings, seen=seen, note=note)
    except StaleDefaults as refusal:
        st.session_state[f"{form}.stale"] = refusal
        st.session_state[f"{form}.seen"] = in_force.version if in_force else None
        st.rerun()
    except BillingError as refusal:
        here.refused(refusal)
    else:
        choices.forget("defaults")
        here.say_next(
            t("Version {version} is saved. Every client you invite from now on gets it.", version=str(saved.version))
        )
        st.rerun()


def versions_table(offer: Catalogue) -> None:
    st.subheader(t("Versions"), anchor=False)
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
        counted = number(clients_of.get(version.version, 0))
        rows.append((*row, counted) if sees_every_client(member) else row)
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
    st.markdown(
        t("In force: **version {version}**, saved on {day} by {name}", version=str(in_force.version),
          day=day(in_force.saved_at), name=plain(in_force.saved_by.name))
    )  # fmt: skip
else:
    st.info(
        t("No default settings are saved yet. Until they are, each invitation has to choose all four settings itself."),
        icon=":material/info:",
    )
clients_of = cached.figures(here.database(), member, offer.edition).per_version
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
