"""What became of a list that was brought: counts, who was invited, and where to go from here."""

from collections.abc import Callable

import pyarrow as pa
import streamlit as st

from core import bulk
from core.imports import ImportReport, Verdict
from core.members import Member
from core.reports import Order
from core.words import nt, number, t
from pages.clients import import_files
from pages.clients.import_rows import Upload
from pages.parts import invitation, row_buttons, server
from pages.parts.choices import forget
from pages.parts.paging import Pages
from pages.parts.text import plain

CLIENTS = "pages/clients/billing_sources.py"
BATCHES = "pages/clients/bulk_changes.py"


def show(member: Member, upload: Upload, report: ImportReport) -> None:
    """What became of every row, and where to go from here."""
    if report.invited:
        invited = nt("{count} client is invited.", "{count} clients are invited.", report.invited)
        st.success(invited, icon=":material/check_circle:")
        st.caption(invitation.when_it_leaves())
    else:
        st.info(t("Nobody was invited."), icon=":material/info:")
    with st.container(border=True, width=420, gap="xxsmall"):
        for label, count in (
            (t("Invited"), report.invited),
            (Verdict.NEEDS_CORRECTION.label, report.needing_correction),
            (Verdict.TWICE.label, report.twice),
            (Verdict.ALREADY_CLIENT.label, report.already_clients),
        ):
            _line(st.text, label, number(count))
        total = t("Rows in the list")
        _line(st.markdown, f"**{total}**", f"**{plain(number(report.rows))}**")
    if report.batch is not None:
        batch = [t("Batch {batch}", batch=str(report.batch))]
        if report.version is not None:
            batch.append(t("Bound to default settings v{version}", version=str(report.version)))
        st.caption(" · ".join(batch))
    _next(report)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(t("Bring another file"), type="primary", key="import.anew", on_click=forget, args=("import",))
        if report.needing_correction + report.twice:
            st.button(
                t("Correct the rest here"),
                key="import.rest",
                icon=":material/edit:",
                on_click=_correct_the_rest,
                args=(upload,),
            )
            import_files.corrections(member, upload.previewed)
        st.page_link(
            CLIENTS,
            label=t("Clients, newest first"),
            icon=":material/groups:",
            width="content",
            query_params={"order_by": Order.NEWEST.value},
        )
    if report.batch is not None:
        _invited(member, report.batch, report.invited)


def _next(report: ImportReport) -> None:
    """What is to be done by whom from here on."""
    if report.invited:
        answer = t(
            "Each of them is invited until it accepts; its subscription begins then, and Clients shows who has not."
        )
        st.text(answer)
    left = report.needing_correction + report.twice
    if left:
        again = nt(
            "{count} row is still to correct: here, or in the file, which can be brought again as it is.",
            "{count} rows are still to correct: here, or in the file, which can be brought again as it is.",
            left,
        )
        st.text(again)


def _invited(member: Member, batch: int, count: int) -> None:
    """Who was invited, each with a way to the client; and to the batch, by which they are found again."""
    pages = Pages(f"import.invited {batch}", count)
    with server.database().reading() as session:
        found = bulk.clients_of(session, member, batch, page=pages.page, page_size=pages.size)
    st.header(t("Who was invited"), anchor=False)
    st.dataframe(
        pa.table({"name": [row_buttons.words(each.name) for each in found]}),
        key=f"import.invited {batch} {pages.page}",
        hide_index=True,
        height="content",
        width=420,
        alt=t("The clients that were invited, one per row"),
        column_config={
            "name": row_buttons.open_column(
                t("Client"),
                "import.open",
                "import.opened",
                [each.client_id for each in found],
                400,
                meaning=t("Open the client"),
            ),
        },
    )
    pages.turn(len(found))
    st.page_link(
        BATCHES,
        label=t("This import among the bulk changes"),
        icon=":material/history:",
        width="content",
        query_params={"batch": str(batch)},
    )


def _line(show: Callable[..., object], label: str, count: str) -> None:
    with st.container(horizontal=True, wrap=False):
        show(label, width="stretch")
        show(count, width=70, text_alignment="right")


def _correct_the_rest(upload: Upload) -> None:
    """Back to the list: who was invited is a client by now."""
    upload.report, upload.is_stale = None, True
    st.session_state.pop("import.verdict", None)
