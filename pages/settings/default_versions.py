"""Every version of a default set: what changed, how many clients are bound to it, and the way to use one again."""

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from core.catalogue import Catalogue
from core.defaults import FIRST_SET, DefaultSettings, NamedSet, SetVersion, changes
from core.words import moment, nt, number, t
from pages.parts import choices
from pages.parts.text import change_text, joined, plain
from pages.settings.default_sets import CLIENTS, summary


def key(open_one: NamedSet | None) -> str:
    """The key of the form of a set, the first one where there is none yet."""
    return f"defaults {FIRST_SET if open_one is None else open_one.set_number}"


def used_again(form: str) -> int | None:
    """The version whose settings this form began with, as somebody asked to use them again."""
    version: int | None = st.session_state.get(f"{form}.again")
    return version


def show(
    versions: Sequence[DefaultSettings],
    offer: Catalogue,
    clients_of: Mapping[SetVersion, int] | None,
    *,
    names_set: bool,
    can_use_again: bool,
) -> None:
    """The versions, newest first. `clients_of` None: the reader does not see every client. `names_set`: whether the way
    to the clients of a version has to say of which set."""
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
            plain(summary(version.settings, offer)),
            plain(what),
            plain(version.note),
        )
        rows.append(row if clients_of is None else (*row, number(clients_of.get(version.bound, 0))))
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
    if clients_of is not None or can_use_again:
        _one(versions, clients_of or {}, names_set=names_set, can_use_again=can_use_again)


def _one(
    versions: Sequence[DefaultSettings],
    clients_of: Mapping[SetVersion, int],
    *,
    names_set: bool,
    can_use_again: bool,
) -> None:
    """What leads on from one version: to its clients, and to its settings in the form."""
    set_number = versions[0].set_number
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = choices.choose(
            st.selectbox,
            t("Version"),
            [version.version for version in versions],
            lambda version: f"v{version}",
            f"versions {set_number}",
            at_first=versions[0].version,
            filter_mode=None,
            width=110,
        )
        if bound := clients_of.get(SetVersion(set_number, chosen), 0):
            of_version = {"default_set": str(set_number)} if names_set else {}
            st.page_link(
                CLIENTS,
                label=nt("Show its {count} client", "Show its {count} clients", bound),
                icon=":material/group:",
                query_params=of_version | {"version": str(chosen)},
                width="content",
            )
        if can_use_again:
            st.button(
                t("Use these again"),
                key=f"versions {set_number}.again",
                icon=":material/restore_page:",
                disabled=chosen == versions[0].version,
                help=t("Fills the form above with the settings of this version. Nothing is saved until you do."),
                on_click=_use_again,
                args=(f"defaults {set_number}", chosen),
            )


def _use_again(key: str, version: int) -> None:
    choices.forget(key)
    st.session_state[f"{choices.form(key)}.again"] = version
