"""Who signed in, signed out or was refused: the newest first."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from core.members import SignInEvent
from core.words import moment, nt, t
from pages.parts.text import plain

MOST = 100  # shown


def show(events: Sequence[SignInEvent]) -> None:
    """A row for each: when, what, as whom, from where."""
    st.header(t("Sign-ins"), anchor=False)
    if not events:
        st.caption(t("Nobody signed in yet."))
        return
    rows = [
        (moment(each.happened_at), each.kind.label, plain(each.email or each.subject), plain(each.address))
        for each in events
    ]
    with st.expander(nt("{count} sign-in", "{count} sign-ins", len(rows)), icon=":material/login:"):
        st.table(pd.DataFrame(rows, columns=[t("When"), t("What"), t("E-mail"), t("Address")]), border="horizontal")
