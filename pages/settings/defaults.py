"""Default settings: decide what every client invited from now on will get, set by set, and see every version."""

import streamlit as st

from core import catalogue, defaults, reports
from core.defaults import DefaultSettings, SetVersion, changes
from core.members import Member, Permission, may, reads_all_clients
from core.words import LONGEST_NOTE, BillingSettings, ClientStatus, StaleDefaults, day, nt, t
from pages.parts import choices, figures, meanwhile, notices, server, visitor
from pages.parts.settings_form import choose_settings, first_settings, settings_chosen, values_table
from pages.parts.text import change_text, heading, plain, price_text
from pages.settings import default_sets, default_versions, new_set

member = visitor.member(Permission.READ_DEFAULTS)
with server.database().reading() as session:
    since = reports.seen(session, member)
    offer = catalogue.current(session, member.partner)
    counted_by = reports.in_force(session, member)
    sets = defaults.sets(session, member)
    open_one = default_sets.opened(sets)
    versions = [] if open_one is None else defaults.history(session, member, open_one.set_number)
    done = defaults.set_changes(session, member, open_one.set_number) if open_one and sets.are_several else []
in_force = versions[0] if versions else None
key = default_versions.key(open_one)
form = choices.form(key)


def next_client(settings: BillingSettings) -> bool:
    """What the next client will cost and who pays; whether these settings can be had at all."""
    if open_one is None or open_one.is_standard:
        st.header(t("The next client you invite"), anchor=False)
    else:
        st.header(t("The next client you invite on {name}", name=plain(open_one.name)), anchor=False)
    return default_sets.what_it_gives(settings, offer)


def impact(before: DefaultSettings | None, settings: BillingSettings) -> bool:
    """What changes against the version in force, and what it does to existing clients; whether anything changes."""
    st.header(t("If you save now"), anchor=False)
    different = changes(before.settings, settings) if before else ()
    for change in different:
        st.text(change_text(change, offer))
    if before and not different:
        st.text(t("Nothing changes: this is version {version}.", version=str(before.version)))
        return False
    if before:
        old, new = (offer.billed(each, ClientStatus.INVITED) for each in (before.settings, settings))
        if old and new and old != new:
            st.text(f"{price_text(old)} → {price_text(new)}")
    else:
        st.text(t("This becomes version 1, which every client you invite from then on gets."))
    bound = 0 if open_one is None else default_sets.bound_to(open_one.set_number, clients_of)
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
    again = default_versions.used_again(form)
    start = next((version.settings for version in versions if version.version == (again or began_at)), None)
    with form_column:
        settings = choose_settings(form, start or first_settings(offer), offer)
        note = st.text_input(
            t("Note (optional)"),
            key=f"{form}.note",
            max_chars=LONGEST_NOTE,
            persist_state="session",
            placeholder=t("Why, for whoever reads the versions later"),
        )
    if began_at != newest and settings == start and not note and not again:
        choices.forget(key)  # nothing was changed yet: begin at the version that came in between
        st.rerun()
    with preview_column.container(border=True):
        can_be_had = next_client(settings)
        st.space("small")
        is_different = impact(in_force, settings)
    with form_column:
        stale = st.session_state.get(f"{form}.stale")
        if in_force and began_at != newest:
            stale = defaults.stale(in_force, sets.name_of(in_force.set_number))
        if stale:
            notices.refused(stale)
        with st.container(horizontal=True):
            version = str(in_force.version + 1 if in_force else 1)
            label = t("Save as version {version}", version=version)
            if open_one is not None and sets.are_several:
                label = t("Save as {name} v{version}", name=plain(open_one.name), version=version)
            seen = None if began_at is None or open_one is None else SetVersion(open_one.set_number, began_at)
            st.button(
                label,
                type="primary",
                key=f"{form}.save",
                disabled=not (can_be_had and is_different),
                on_click=save,
                args=(form, key, member, seen, choices.attempt(form)),
            )
            if in_force and (is_different or stale):
                st.button(t("Discard my changes"), key=f"{form}.discard", on_click=choices.forget, args=(key,))


@notices.callback
def save(form: str, key: str, member: Member, seen: SetVersion | None, attempt: str) -> None:
    """Save what the form says by now, and begin another; one refused stays, and begins at what is in force then."""
    if form != choices.form(key):  # the second of two quick clicks: the first one saved
        return
    settings, note = settings_chosen(form), st.session_state.get(f"{form}.note") or ""
    set_number = None if seen is None else seen.set_number
    try:
        with server.database().transaction() as session:
            saved = defaults.save(
                session, member, settings, seen=seen, note=note, attempt=attempt, set_number=set_number
            )
            sets = defaults.sets(session, member)
    except StaleDefaults as refusal:
        st.session_state[f"{form}.stale"] = refusal
        st.session_state.pop(f"{form}.began at", None)
    else:
        version = str(saved.version)
        words = t("Version {version} is saved. Every client you invite from now on gets it.", version=version)
        if sets.are_several:
            name = sets.named(saved.set_number).name
            words = t(
                "{name} v{version} is saved. Every client invited on {name} from now on gets it.",
                name=name,
                version=version,
            )
        notices.say_next(words)
        choices.forget(key)


def to_read() -> None:
    """The settings of the open set, for who cannot change them."""
    if open_one is not None:
        with st.container(border=True, width=620):
            values_table(open_one.settings, offer)
            if price := offer.billed(open_one.settings, ClientStatus.INVITED):
                st.markdown(f"**{plain(price_text(price))}**")


heading(
    t("Default settings"),
    t("What every client you invite from now on will get. Clients you already have keep their settings."),
    beside=lambda: meanwhile.of_defaults(member, since),
    shows_prices=True,
)
clients_of = figures.counted(server.database(), member, counted_by).per_version
may_save, sees_all = may(member, Permission.SAVE_DEFAULTS), reads_all_clients(member)
if open_one is not None and sets.are_several:
    default_sets.side_by_side(sets, open_one, offer, clients_of if sees_all else None)
    if may_save and not new_set.is_open():
        new_set.button(sets)
if may_save and open_one is not None and new_set.is_open():
    new_set.show(member, sets, open_one, offer)
    st.stop()
if open_one is not None and sets.are_several:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.header(plain(open_one.name), anchor=False, width="content")
        default_sets.pill(open_one)
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
if may_save and open_one is not None and sets.are_several:
    default_sets.actions(
        member, sets, open_one, default_sets.bound_to(open_one.set_number, clients_of) if sees_all else None
    )
if offer.is_sample:
    st.caption(t("The catalogue is sample data: plans, add-ons and prices are made up."))
if open_one is not None and open_one.is_retired:
    st.info(t("This set is retired: no version of it can be saved. Its clients keep what they have."))
    to_read()
elif may_save:
    edit()
else:
    to_read()
    st.caption(
        t("With your role you can read the default settings; an administrator or a client manager can change them.")
    )
if versions:
    can_use_again = may_save and open_one is not None and not open_one.is_retired
    default_versions.show(
        versions, offer, clients_of if sees_all else None, names_set=sets.are_several, can_use_again=can_use_again
    )
if done:
    default_sets.history(done)
if may_save and open_one is not None and not sets.are_several:
    new_set.button(sets)
