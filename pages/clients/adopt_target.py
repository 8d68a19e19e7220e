"""Which default set a client adopts: its own at first; another one is named, and confirmed where its own cannot be."""

import streamlit as st

from core.subscriptions import ClientSubscription
from core.words import t
from pages.parts import choices
from pages.parts.text import plain


def pick(form: str, shown: ClientSubscription) -> int | None:
    """The number of the set to adopt; None: a firm with one set has nothing to pick."""
    if not shown.sets.are_several or shown.target is None:
        return None
    own = None if shown.held.bound is None else shown.held.bound.set_number
    words = {
        each.set_number: t("{name} (its own)", name=each) if each.set_number == own else each.name
        for each in shown.sets.to_pick
    }
    picked: int = choices.choose(
        st.selectbox,
        t("Default set to adopt"),
        list(words),
        words.__getitem__,
        f"{form}.target",
        at_first=shown.target.set_number,
        filter_mode=None,
        width=320,
    )
    return picked


def is_confirmed(form: str, shown: ClientSubscription, target: int | None) -> bool:
    """Whether the reader knows that the client goes to another set, where its own is retired or it has none
    (rule 22)."""
    if target is None or not shown.target_to_confirm:
        return True
    name = plain(shown.sets.named(target).name)
    if shown.held.bound is None:
        why = t("This client is bound to no default set.")
    else:
        own = shown.sets.named(shown.held.bound.set_number).name
        why = t("Its own set, {name}, is retired: it cannot be adopted.", name=own)
    st.info(plain(why), icon=":material/info:")
    words = t("Yes, bind it to {name}", name=name)
    return bool(st.checkbox(words, key=f"{form}.confirmed {target}", persist_state="session"))
