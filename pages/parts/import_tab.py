"""Inviting from a spreadsheet: bring a list, see what would become of each row, correct it, invite all ready ones."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

import streamlit as st

from core import imports, spreadsheets
from core.catalogue import Catalogue
from core.database import Database
from core.errors import BillingError, StaleError
from core.imports import ImportPreview, ImportReport, Verdict
from core.language import language, nt, number, speak, t
from core.listing import Order
from core.models import Member
from core.spreadsheets import Sheet
from pages.parts import here, import_files, import_preview
from pages.parts.choices import forget, form
from pages.parts.import_brought import Brought
from pages.parts.text import plain

CLIENT = "pages/clients/client_subscription.py"
CLIENTS = "pages/clients/billing_sources.py"

_workers = ThreadPoolExecutor(max_workers=4, thread_name_prefix="import")  # a click cuts a run short, not these


def ways() -> tuple[Any, Any]:
    """The two tabs: one client, or a spreadsheet. The one chosen stays open for the visit, in any language."""
    labels = [t("One client"), t("A spreadsheet")]
    state, key = st.session_state, f"inviting.way {language()}"
    if key not in state:
        state["inviting.began"] = state.get("inviting.way", 0)
    one, many = st.tabs(labels, key=key, default=labels[state["inviting.began"]], on_change="rerun")
    state["inviting.way"] = int(bool(many.open))
    return one, many


def sentence() -> str:
    """What one does here."""
    return t("Bring a list of clients and see what would become of each row. Nobody is invited before you say so.")


def show(member: Member, offer: Catalogue) -> None:
    """The tab: bring a list, or where the one that was brought stands."""
    if (client_id := import_preview.opened()) is not None:
        st.switch_page(CLIENT, query_params={"client": str(client_id)})
    brought: Brought | None = st.session_state.get("import.brought")
    if brought is not None and brought.previewed.partner_id != member.partner_id:
        forget("import")
        brought = None
    if brought is None:
        _intake(member, offer)
        return
    if brought.inviting is not None:
        _wait(brought)
    if brought.report is not None:
        _report(member, brought, brought.report)
        return
    if brought.is_stale:
        _check_again(member, brought)
    if brought.refusal is not None:
        here.refused(brought.refusal)
        st.info(_nobody(brought.refusal), icon=":material/info:")
    _preview(member, brought, offer)
    with st.expander(t("Bring another file"), icon=":material/upload_file:", key="import.another"):
        _intake(member, offer)


def _intake(member: Member, offer: Catalogue) -> None:
    """A file, or pasted rows; and templates to begin with."""
    key = form("import")
    origin, refusal = st.session_state.get("import.refused", ("", None))
    limit = spreadsheets.MAX_BYTES // 2**20
    file = st.file_uploader(t("A CSV file or an Excel workbook"), type=["csv", "xlsx"], max_upload_size=limit,
                            key=f"{key}.file")  # fmt: skip
    if file is not None and file.file_id == origin:
        here.refused(refusal)
    elif file is not None:
        _bring(member, file.file_id, file.name, lambda: spreadsheets.read(file.name, file.getvalue()))
    with st.expander(t("Paste rows from a spreadsheet"), icon=":material/content_paste:", key=f"{key}.paste"):
        pasted = st.text_area(t("Rows, with their headings first"), key=f"{key}.pasted", height=140,
                              persist_state="session")  # fmt: skip
        if st.button(t("Read these rows"), key=f"{key}.read"):
            _bring(member, "pasted", "", lambda: spreadsheets.read_pasted(pasted or ""))
        elif origin == "pasted":
            here.refused(refusal)
    import_files.templates(offer, key)


def _bring(member: Member, origin: str, name: str, read: Callable[[], Sheet]) -> None:
    """Read and check a list; it takes the place of the one before, or is refused and that one stays."""
    bar = st.progress(0.0, text=t("Reading the list…"))
    try:
        brought = Brought(name, _checked(member, read(), bar))
    except BillingError as refusal:
        bar.empty()
        st.session_state["import.refused"] = (origin, refusal)
        here.refused(refusal)
        return
    forget("import")
    st.session_state["import.brought"] = brought
    st.rerun()


def _checked(member: Member, sheet: Sheet, bar: Any) -> ImportPreview:
    total = len(sheet.rows)

    def told(done: int) -> None:
        bar.progress(done / total, text=t("Checking the rows: {done} of {total}", done=done, total=total))

    with here.database().reading() as session:
        return imports.preview(session, member, sheet, progress=told)


def _check_again(member: Member, brought: Brought) -> None:
    """The list with what was typed, checked with what is in force now."""
    bar = st.progress(0.0, text=t("Checking the rows…"))
    try:
        previewed = _checked(member, imports.corrected(brought.previewed.sheet, brought.typed), bar)
    except BillingError as refusal:
        brought.refusal = refusal
    else:
        brought.previewed, brought.typed, brought.is_stale = previewed, {}, False
        brought.turn += 1
    bar.empty()


def _preview(member: Member, brought: Brought, offer: Catalogue) -> None:
    """What was found, what can be done about it, and the rows themselves."""
    import_preview.understood(brought)
    import_preview.cost(brought.previewed)
    actions = st.container(horizontal=True, vertical_alignment="center")  # filled when it is known what is typed
    kind = import_preview.choose_verdict(brought.previewed)
    are_to_correct = import_preview.rows(brought, kind, offer)
    unchecked, ready = brought.unchecked, brought.previewed.counts[Verdict.READY]
    if are_to_correct or unchecked:
        with st.container(horizontal=True, vertical_alignment="center"):
            if st.button(t("Check again"), key="import.check", icon=":material/fact_check:"):
                brought.refusal = None
                _check_again(member, brought)
                st.rerun()
            if unchecked:
                st.caption(nt("{count} correction is not checked yet.", "{count} corrections are not checked yet.",
                              unchecked))  # fmt: skip
    with actions:
        st.button(
            nt("Invite the {count} ready", "Invite the {count} ready", ready) if ready else t("No row is ready"),
            type="primary", icon=":material/send:", key="import.invite", disabled=not ready or unchecked > 0,
            help=t("Check again what you typed first.") if unchecked else None,
            on_click=_begin, args=(here.database(), member, brought, language()),
        )  # fmt: skip
        import_files.corrections(member, brought.previewed)
        import_preview.bound(brought.previewed)


def _begin(database: Database, member: Member, brought: Brought, reader: str) -> None:
    """Invite in the background: it goes on whatever is clicked meanwhile, and a second click begins nothing."""
    if brought.inviting is None and brought.report is None:
        brought.refusal, brought.done = None, 0
        brought.inviting = _workers.submit(_invite, database, member, brought, reader)


def _invite(database: Database, member: Member, brought: Brought, reader: str) -> ImportReport:
    """All the ready rows in one transaction, or none; in another thread, with nothing of Streamlit in it."""
    speak(reader, member.partner.time_zone)

    def told(done: int) -> None:
        brought.done = done

    with database.transaction() as session:
        return imports.invite_ready(session, member, brought.previewed, progress=told)


def _wait(brought: Brought) -> None:
    """Until everybody is invited, or the work was refused."""
    inviting, total = brought.inviting, brought.previewed.counts[Verdict.READY]
    if inviting is None:
        return
    place = st.empty()
    with place.container():
        bar = st.progress(0.0)
        st.caption(t("It goes on while you do something else; come back to this page for the report."))
    while not inviting.done():
        done = min(brought.done, total)
        bar.progress(done / total, text=t("Inviting: {done} of {total}", done=done, total=total))
        wait([inviting], timeout=0.2)
    place.empty()
    brought.inviting = None
    try:
        brought.report = inviting.result()
    except BillingError as refusal:
        brought.refusal, brought.is_stale = refusal, isinstance(refusal, StaleError)


def _nobody(refusal: BillingError) -> str:
    if isinstance(refusal, StaleError):
        return t("Nobody was invited. The rows are checked again with what is in force now.")
    return t("Nobody was invited.")


def _report(member: Member, brought: Brought, report: ImportReport) -> None:
    """What became of every row, and where to go from here."""
    if report.invited:
        st.success(nt("{count} client is invited.", "{count} clients are invited.", report.invited),
                   icon=":material/check_circle:")  # fmt: skip
        st.caption(_messages())
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
        st.caption(t("Batch {batch}", batch=str(report.batch)) + _bound(report.version))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(t("Bring another file"), type="primary", key="import.anew", on_click=forget, args=("import",))
        if report.needing_correction + report.twice:
            st.button(t("Correct the rest here"), key="import.rest", icon=":material/edit:",
                      on_click=_go_on, args=(brought,))  # fmt: skip
            import_files.corrections(member, brought.previewed)
        st.page_link(CLIENTS, label=t("Clients, newest first"), icon=":material/groups:", width="content",
                     query_params={"order_by": Order.NEWEST.value})  # fmt: skip


def _line(show: Callable[..., object], label: str, count: str) -> None:
    with st.container(horizontal=True, wrap=False):
        show(label, width="stretch")
        show(count, width=70, text_alignment="right")


def _bound(version: int | None) -> str:
    return "" if version is None else " · " + t("Bound to default settings v{version}", version=str(version))


def _messages() -> str:
    """What becomes of the messages that carry the invitations."""
    if here.is_demo():
        return t("In the demo nothing is ever sent.")
    if here.configuration().smtp is None:
        return t("No mail server is set, so their messages wait. Whoever runs this server can set one.")
    return t("Their messages leave as soon as the deliverer runs.")


def _go_on(brought: Brought) -> None:
    """Back to the list: who was invited is a client by now."""
    brought.report, brought.is_stale = None, True
    st.session_state.pop("import.verdict", None)
