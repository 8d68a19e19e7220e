"""A new default set: its name, what it gives, as a copy of another at first, and what making it does."""

import streamlit as st

from core import defaults
from core.catalogue import Catalogue
from core.defaults import LONGEST_SET_NAME, NamedSet, Sets
from core.members import Member
from core.words import LONGEST_NOTE, t
from pages.parts import choices, notices, server
from pages.parts.default_sets import name_text
from pages.parts.settings_form import choose_settings, settings_chosen
from pages.settings import default_sets

_KEY = "new set"


def button(sets: Sets) -> None:
    """The way to the form: a quiet one for a firm that has one set."""
    st.button(
        t("Make another set") if sets.are_several else t("Other defaults for some clients: make a second set"),
        key="sets.new",
        type="secondary" if sets.are_several else "tertiary",
        icon=":material/add:",
        on_click=choices.open_form,
        args=(choices.form(_KEY),),
    )


def is_open() -> bool:
    return bool(st.session_state.get(f"{choices.form(_KEY)}.open"))


def show(member: Member, sets: Sets, open_one: NamedSet, offer: Catalogue) -> None:
    """The form, beside what the clients of the set will get."""
    form = choices.form(_KEY)
    st.header(t("A new set"), anchor=False)
    left, right = st.columns(2, gap="large")
    with left:
        st.text_input(
            t("Name of the set"),
            key=f"{form}.name",
            max_chars=LONGEST_SET_NAME,
            persist_state="session",
            placeholder=t("For example Freelancers"),
        )
        start = open_one
        if sets.are_several:
            chosen = choices.choose(
                st.selectbox,
                t("Begin as a copy of"),
                [each.set_number for each in sets],
                lambda set_number: name_text(sets, set_number),
                f"{form}.copy of",
                at_first=open_one.set_number,
                filter_mode=None,
            )
            start = sets.named(chosen)
        settings_form = _settings_form(form, start.set_number)
        settings = choose_settings(settings_form, start.settings, offer)
        st.text_input(t("Note (optional)"), key=f"{form}.note", max_chars=LONGEST_NOTE, persist_state="session")
    with right.container(border=True):
        st.header(t("What clients on this set will get"), anchor=False)
        can_be_had = default_sets.what_it_gives(settings, offer)
        st.space("small")
        if not sets.are_several:
            st.text(t("The default settings you have now are then called {name}, and stay the standard.", name=start))
        st.text(t("Whoever invites can then pick this set. No client changes."))
    with left.container(horizontal=True):
        st.button(
            t("Make this set"),
            type="primary",
            key=f"{form}.make",
            disabled=not can_be_had,
            on_click=_make,
            args=(form, settings_form, member, choices.attempt(form)),
        )
        st.button(t("Cancel"), key=f"{form}.cancel", shortcut="Esc", on_click=choices.forget, args=(_KEY,))


def _settings_form(form: str, set_number: int) -> str:
    """The widgets of a copy of this set: those of another copy are others."""
    return f"{form}.copy {set_number}"


@notices.callback
def _make(form: str, settings_form: str, member: Member, attempt: str) -> None:
    """Make the set that the form says by now, and open it; one refused stays as it was typed."""
    if form != choices.form(_KEY):  # the second of two quick clicks: the first one made it
        return
    state = st.session_state
    name, note = state.get(f"{form}.name") or "", state.get(f"{form}.note") or ""
    with server.database().transaction() as session:
        made = defaults.make_set(session, member, name, settings_chosen(settings_form), note=note, attempt=attempt)
    choices.forget(_KEY)
    default_sets.open_set(made.set_number)
    notices.say_next(t("The set {name} is made: it can be picked for every client invited from now on.", name=made))
