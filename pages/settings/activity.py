"""Activity: what was done in this partner space and leaves no trace in the data, by whom and when."""

from datetime import timedelta

import pandas as pd
import streamlit as st

from core import members
from core.members import FROM_SHELL, PastActivity, Permission
from core.words import ActivityKind, end_of_day, moment, nt, t
from pages.parts import server, visitor
from pages.parts.paging import Pages
from pages.parts.text import heading, plain

member = visitor.member(Permission.READ_ACTIVITY)


def what_exactly(done: PastActivity) -> str:
    """Of which client, or how many."""
    if done.client_id is not None:
        return t("Client {number}", number=str(done.client_id))
    if done.number is None:
        return ""
    match done.what:
        case ActivityKind.CATALOGUE_LOADED:
            return t("Edition {edition}", edition=done.number)
        case ActivityKind.CORRECTIONS_FILE:
            return nt("{count} row", "{count} rows", done.number)
    return nt("{count} client", "{count} clients", done.number)


heading(t("Activity"), t("Who took data away, sent an invitation again, or did something from a shell. Kept for ever."))
with server.database().reading() as session:
    names = {FROM_SHELL: t("Whoever runs this server")}
    names |= {each.member_id: each.name for each in members.of_partner(session, member.partner_id)}
    with st.container(horizontal=True):
        by = st.selectbox(
            t("Who"), list(names), index=None, format_func=names.__getitem__, key="activity.by", placeholder=t("Anyone")
        )
        what = st.selectbox(
            t("What"),
            list(ActivityKind),
            index=None,
            format_func=lambda kind: kind.label,
            key="activity.what",
            placeholder=t("Anything"),
        )
        first = st.date_input(t("From"), value=None, key="activity.since", format="DD/MM/YYYY")
        last = st.date_input(t("Until"), value=None, key="activity.until", format="DD/MM/YYYY")
    filters = {
        "by": by,
        "what": what,
        "since": None if first is None else end_of_day(first - timedelta(days=1)) + timedelta(microseconds=1),
        "until": None if last is None else end_of_day(last),
    }
    pages = Pages(f"activity.pager {by} {what} {first} {last}", members.count_activities(session, member, **filters))
    found = members.activities(session, member, page=pages.page, page_size=pages.size, **filters)
if not found:
    nothing = t("Nothing was done yet.")
    if any(value is not None for value in filters.values()):
        nothing = t("Nothing matches. Choose anyone, anything or other days.")
    st.info(nothing, icon=":material/history:")
    st.stop()
rows = [
    (moment(each.happened_at), plain(each.by or names[FROM_SHELL]), each.what.label, plain(what_exactly(each)))
    for each in found
]
st.table(pd.DataFrame(rows, columns=[t("When"), t("Who"), t("What"), t("Of what")]), border="horizontal")
pages.turn(len(found))
