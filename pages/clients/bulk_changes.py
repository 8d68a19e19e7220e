"""Bulk changes: every act on many clients and every import, the newest first; each with its clients, and *Undo*."""

import pandas as pd
import streamlit as st

from core import bulk, catalogue, defaults
from core.bulk import PastBatch
from core.members import Permission, may
from core.words import moment, number, t
from pages.clients import bulk_preview
from pages.parts import choices, notices, row_buttons, server, tab_title, visitor
from pages.parts.paging import Pages
from pages.parts.text import heading, plain

CLIENT = "pages/clients/client_subscription.py"

member = visitor.member(Permission.READ_BATCHES)
database = server.database()


def standing(each: PastBatch) -> str:
    """Whether it was undone, or undid another."""
    if each.undone_by is not None:
        return t("Undone by {batch}", batch=str(each.undone_by))
    return "" if each.undoes is None else t("Undoes {batch}", batch=str(each.undoes))


def every_batch() -> None:
    """The table of them, each with a way in."""
    heading(t("Bulk changes"), t("What was done to many clients at once, and the lists that were imported."))
    if (opened := row_buttons.opened("batches.opened")) is not None:
        st.query_params["batch"] = str(opened)
        st.rerun()
    with database.reading() as session:
        running = bulk.running(session, member)
        pages = Pages("batches.pager", bulk.count_batches(session, member))
        found = bulk.batches(session, member, page=pages.page, page_size=pages.size)
    if running is not None:
        done, total_now = number(running.done), number(running.total)
        said = t("{name} is changing many clients now: {done} of {total}.", name=running.by, done=done, total=total_now)
        st.info(plain(said), icon=":material/hourglass_top:")
    if not found:
        st.info(t("Nothing was changed in bulk yet. Tick clients in the list to begin."), icon=":material/checklist:")
        return
    column = st.column_config
    cells = {
        "batch": [str(each.batch) for each in found],
        "when": [moment(each.done_at) for each in found],
        "by": [each.by for each in found],
        "what": [each.kind.label for each in found],
        "changed": [number(each.changed) for each in found],
        "left": [number(each.left_out) for each in found],
        "standing": [standing(each) for each in found],
        "reason": [each.reason for each in found],
    }
    st.dataframe(
        pd.DataFrame(cells),
        key=f"batches {pages.page} {pages.total}",
        hide_index=True,
        height="content",
        alt=t("Bulk changes, one per row"),
        column_config={
            "batch": row_buttons.open_column(
                t("Number"), "batches.open", "batches.opened", [each.batch for each in found], 100,
                meaning=t("Open the bulk change"), pinned=True,
            ),
            "when": column.TextColumn(t("When"), width=140),
            "by": column.TextColumn(t("Who"), width=140),
            "what": column.TextColumn(t("What"), width=180),
            "changed": column.TextColumn(t("Clients changed"), alignment="right", width=90),
            "left": column.TextColumn(t("Left out"), alignment="right", width=80),
            "standing": column.TextColumn(t("Undone"), width=120),
            "reason": column.TextColumn(t("Reason"), width=260),
        },
    )  # fmt: skip
    pages.turn(len(found))


def one_batch(asked: int) -> None:
    """One of them: what was done, to whom, and the way back."""
    if st.button(t("All bulk changes"), icon=":material/arrow_back:", type="tertiary"):
        del st.query_params["batch"]
        st.rerun()
    if (opened := row_buttons.opened("batch.client opened")) is not None:
        st.switch_page(CLIENT, query_params={"client": str(opened)})
    try:
        with database.reading() as session:
            made = bulk.batch(session, member, asked)
            pages = Pages(f"batch.pager {asked}", made.changed)
            clients = bulk.clients_of(session, member, asked, page=pages.page, page_size=pages.size)
    except bulk.BatchNotFound as refusal:
        heading(t("Bulk changes"), t("What was done to many clients at once, and the lists that were imported."))
        notices.refused(refusal)
        return
    tab_title.say(t("Bulk change {batch}", batch=str(made.batch)), t("Bulk changes"))
    said = t("{what}, {at} by {name}", what=made.kind.label, at=moment(made.done_at), name=made.by)
    heading(t("Bulk change {batch}", batch=str(made.batch)), f"{plain(said)}.", shows_prices=made.can_be_undone)
    if made.reason:
        st.text(t("Reason: {reason}", reason=made.reason))
    if standing(made):
        st.text(standing(made))
    with st.container(horizontal=True):
        st.metric(t("Chosen"), number(made.chosen), border=True)
        st.metric(t("Clients changed"), number(made.changed), border=True)
        st.metric(t("Left out"), number(made.left_out), border=True)
    if made.can_be_undone and may(member, Permission.OVERRIDE):
        undo(made)
    if not clients:
        return
    st.header(t("Its clients"), anchor=False)
    column = st.column_config
    since = {True: t("yes"), False: ""}
    st.dataframe(
        pd.DataFrame(
            {
                "name": [row_buttons.words(each.name) for each in clients],
                "begins": [moment(each.begins_at) for each in clients],
                "since": [since[each.changed_since] for each in clients],
            }
        ),
        key=f"batch.clients {asked} {pages.page}",
        hide_index=True,
        height="content",
        alt=t("The clients of the bulk change, one per row"),
        column_config={
            "name": row_buttons.open_column(
                t("Client"), "batch.open", "batch.client opened", [each.client_id for each in clients], 250,
                meaning=t("Open the client"), pinned=True,
            ),
            "begins": column.TextColumn(t("Takes effect on"), width=160),
            "since": column.TextColumn(t("Changed since"), width=110),
        },
    )  # fmt: skip
    pages.turn(len(clients))


def undo(made: PastBatch) -> None:
    """The way back, previewed like any bulk change; whoever changed since stays, and is listed."""
    key = f"undo {made.batch}"
    form = choices.form(key)
    if not st.session_state.get(f"{form}.open"):
        st.button(t("Undo"), icon=":material/undo:", key=f"{form}.begin", on_click=choices.open_form, args=(form,))
        return
    with st.container(border=True):
        st.header(t("Undo bulk change {batch}", batch=str(made.batch)), anchor=False)
        seen = bulk_preview.previewed(form, made.batch, lambda session: bulk.undo_preview(session, member, made.batch))
        if seen is not None:
            with database.reading(single=True) as session:
                offer, sets = catalogue.current(session, member.partner), defaults.sets(session, member)
            bulk_preview.show(seen, offer, sets)
            label = t("Undo bulk change {batch}", batch=str(made.batch))
            bulk_preview.confirm(
                key, seen, label, lambda session, **named: bulk.undo(session, member, made.batch, **named)
            )
        st.button(t("Cancel"), key=f"{form}.cancel", shortcut="Esc", on_click=choices.forget, args=(key,))


wanted = st.query_params.get("batch", "")
if wanted.isdecimal():
    one_batch(int(wanted[:18]))
else:
    every_batch()
