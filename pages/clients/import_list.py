"""Inviting from a spreadsheet: bring a list, see what would become of each row, correct it, invite all ready ones."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from functools import partial
from typing import Any
from uuid import uuid4

import streamlit as st

from core import imports
from core.catalogue import Catalogue
from core.imports import Column, ColumnsNotFound, ImportPreview, ImportReport, Said, SameColumnTwice, Verdict
from core.members import Member
from core.spreadsheets import MAX_BYTES, Format, Sheet
from core.storage import Database
from core.words import (
    BillingError,
    DatabaseFailed,
    SavedOrNot,
    StaleError,
    language,
    listed,
    nt,
    one_line,
    speak,
    t,
)
from pages.clients import import_columns, import_files, import_report, import_rows
from pages.clients.import_columns import Choosing
from pages.clients.import_rows import Upload
from pages.parts import notices, server
from pages.parts.choices import forget, form
from pages.parts.text import plain

CLIENT = "pages/clients/client_subscription.py"
_COUNTRY_AT_FIRST = "BE"

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
    """The tab: bring a list, or how far the one that was brought is."""
    if (client_id := import_rows.opened()) is not None:
        st.switch_page(CLIENT, query_params={"client": str(client_id)})
    upload: Upload | None = st.session_state.get("import.upload")
    choosing: Choosing | None = st.session_state.get("import.choosing")
    brought_in = {choosing and choosing.partner_id, upload and upload.previewed.partner_id} - {None}
    if brought_in - {member.partner_id}:
        forget("import")
        upload = choosing = None
    if choosing is not None:
        import_columns.show(member, choosing, partial(_check, member), partial(_read_as, member, choosing.name))
        return
    if upload is None:
        _bring(member, offer)
        return
    if upload.inviting is not None:
        _wait(upload)
    if upload.report is not None:
        import_report.show(member, upload, upload.report)
        return
    if upload.is_stale:
        _check_again(member, upload)
    if upload.refusal is not None:
        notices.refused(upload.refusal)
        if not isinstance(upload.refusal, SavedOrNot):
            st.info(_nobody(upload.refusal), icon=":material/info:")
    _preview(member, upload, offer)
    with st.expander(t("Bring another file"), icon=":material/upload_file:", key="import.another"):
        _bring(member, offer)


def _bring(member: Member, offer: Catalogue) -> None:
    """A file, or pasted rows; and templates to begin with."""
    key = form("import")
    refused_one, refusal = st.session_state.get("import.refused", ("", None))
    file = st.file_uploader(
        t("A CSV file or a spreadsheet (.xlsx, .xls, .ods)"),
        type=[*(each.value for each in Format), "txt"],
        max_upload_size=MAX_BYTES // 2**20,
        key=f"{key}.file",
    )
    if file is not None and file.file_id == refused_one:
        notices.refused(refusal)
    elif file is not None:
        _take(member, file.file_id, file.name, partial(imports.read, file.name, file.getvalue()))
    with st.expander(t("Paste rows from a spreadsheet"), icon=":material/content_paste:", key=f"{key}.paste"):
        pasted = st.text_area(
            t("Rows, with their headings first"), key=f"{key}.pasted", height=140, persist_state="session"
        )
        if st.button(t("Read these rows"), key=f"{key}.read"):
            _take(member, "pasted", "", partial(imports.read_pasted, pasted or ""))
        elif refused_one == "pasted":
            notices.refused(refusal)
    import_files.templates(member, offer, key)


def _take(member: Member, which: str, name: str, read: Callable[[], Sheet]) -> None:
    """Read and check a list; it takes the place of the one before, or is refused and that one stays."""
    bar = st.progress(0.0, text=t("Reading the list…"))
    forget("import encoding")  # its picker begins with that of the list which is shown next
    try:
        sheet = read()
        try:
            _check(member, name, sheet, bar)
        except (ColumnsNotFound, SameColumnTwice) as unclear:
            import_columns.begin(Choosing(member.partner_id, name, sheet, imports.guessed(sheet), unclear))
    except DatabaseFailed:  # the file is still there: the next run checks it
        bar.empty()
        raise
    except BillingError as refusal:
        bar.empty()
        st.session_state["import.refused"] = (which, refusal)
        notices.refused(refusal)
        return
    st.rerun()


def _read_as(member: Member, name: str, sheet: Sheet, encoding: str) -> None:
    """The same file in another encoding takes the place of what was read."""
    _take(member, "encoding", name, partial(imports.read_as, sheet, encoding))


def _check(member: Member, name: str, sheet: Sheet, bar: Any = None) -> None:
    """From the next run on it is shown what would become of each row of this list."""
    before: Upload | None = st.session_state.get("import.upload")
    country = _COUNTRY_AT_FIRST if before is None or before.name != name else before.country
    upload = Upload(name, _checked(member, sheet, bar or st.progress(0.0), country), country)
    forget("import")
    st.session_state["import.upload"] = upload


def _checked(member: Member, sheet: Sheet, bar: Any, country: str, said: Said | None = None) -> ImportPreview:
    total = len(sheet.rows)

    def show_progress(done: int) -> None:
        bar.progress(done / total, text=t("Checking the rows: {done} of {total}", done=done, total=total))

    with server.database().reading() as session:
        return imports.preview(session, member, sheet, said=said, country=country, progress=show_progress)


def _check_again(member: Member, upload: Upload) -> None:
    """The list with what was typed, checked with what is in force now."""
    bar = st.progress(0.0, text=t("Checking the rows…"))
    try:
        sheet, said = imports.corrected(upload.previewed, upload.typed)
        previewed = _checked(member, sheet, bar, upload.country, said)
    except BillingError as refusal:
        upload.refusal = refusal
    else:
        upload.previewed, upload.typed, upload.is_stale = previewed, {}, False
        upload.attempt = uuid4().hex
        upload.begin_editor()
    bar.empty()


def _preview(member: Member, upload: Upload, offer: Catalogue) -> None:
    """What was found, what can be done about it, and the rows themselves."""
    _understood(member, upload)
    _ask_country(upload)
    _cost(upload.previewed)
    actions = st.container(horizontal=True, vertical_alignment="center")  # filled when it is known what is typed
    kind = import_rows.choose_verdict(upload.previewed)
    are_to_correct = import_rows.show(member, upload, kind, offer)
    unchecked, ready = upload.unchecked, upload.previewed.counts[Verdict.READY]
    if are_to_correct or unchecked:
        with st.container(horizontal=True, vertical_alignment="center"):
            if st.button(t("Check again"), key="import.check", icon=":material/fact_check:"):
                upload.refusal = None
                _check_again(member, upload)
                st.rerun()
            if unchecked:
                st.caption(
                    nt(
                        "{count} correction is not checked yet.",
                        "{count} corrections are not checked yet.",
                        unchecked,
                    )
                )
    with actions:
        st.button(
            nt("Invite the {count} ready", "Invite the {count} ready", ready) if ready else t("No row is ready"),
            type="primary",
            icon=":material/send:",
            key="import.invite",
            disabled=not ready or unchecked > 0,
            help=t("Check again what you typed first.") if unchecked else None,
            on_click=_begin,
            args=(server.database(), member, upload, language()),
        )
        import_files.corrections(member, upload.previewed)
        _bound_to(upload.previewed)


def _understood(member: Member, upload: Upload) -> None:
    """What was brought and how it was read, and the headings that mean nothing here."""
    previewed = upload.previewed
    with st.container(gap="xxsmall"):
        if upload.name:
            st.text(one_line(upload.name))
        rows = nt("{count} row", "{count} rows", len(previewed.rows))
        found = [column.label for column in Column if column in previewed.columns.places]
        columns = t("Columns: {columns}", columns=listed(found))
        st.caption(f"{plain(_kind(previewed.sheet))} · {rows} · {plain(columns)}")
        import_columns.how_it_was_read(previewed.sheet)
        if not upload.unchecked:  # what is typed would be lost
            import_columns.ask_encoding(previewed.sheet, partial(_read_as, member, upload.name, previewed.sheet))
        if previewed.columns.unused:
            st.text(t("Not used: {headings}", headings=_headings_text(previewed.columns.unused)))
        if previewed.are_chosen:
            st.caption(t("The columns are read as they were chosen for these headings."))
        st.button(
            t("Choose which column is which"),
            key="import.choose",
            type="tertiary",
            icon=":material/view_column:",
            on_click=_choose_columns,
            args=(upload,),
        )


@notices.callback
def _choose_columns(upload: Upload) -> None:
    previewed = upload.previewed
    sheet, said = imports.corrected(previewed, upload.typed)
    places = {column: place for column, place in said.items() if isinstance(place, int)}
    import_columns.begin(Choosing(previewed.partner_id, upload.name, sheet, places))


def _ask_country(upload: Upload) -> None:
    """The country of rows that say none, where there are such rows; another one checks the list again."""
    if not imports.rows_without_country(upload.previewed):
        return
    names = imports.countries()
    key = f"import.country {upload.name}"

    def keep() -> None:
        chosen = st.session_state[key]
        if chosen in names and chosen != upload.country:
            upload.country, upload.is_stale, upload.refusal = chosen, True, None

    st.selectbox(
        t("Country of rows without one"),
        list(names),
        index=list(names).index(upload.country),
        format_func=lambda code: f"{names[code]} ({code})",
        key=key,
        on_change=keep,
        width=320,
    )


def _kind(sheet: Sheet) -> str:
    """What kind of list it is, and for text how it was read."""
    if sheet.format is Format.ODS:
        return t("OpenDocument spreadsheet")
    if sheet.format is not Format.CSV:
        return t("Excel workbook")
    separator = {",": t("comma"), ";": t("semicolon"), "\t": t("tab")}.get(sheet.separator, sheet.separator)
    if sheet.encoding:
        return t("CSV, {encoding}, separated by {separator}", encoding=sheet.encoding, separator=separator)
    return t("Pasted rows, separated by {separator}", separator=separator)


def _headings_text(headings: Sequence[str]) -> str:
    short = [one_line(heading)[:60] for heading in headings[:20]]
    more = len(headings) - len(short)
    return listed(short) if not more else ", ".join([*short, nt("{count} more", "{count} more", more)])


def _cost(previewed: ImportPreview) -> None:
    """What the ready rows would cost a month, and who would pay it."""
    with st.container(horizontal=True, gap="small"):
        st.metric(
            t("A month, paid by us"),
            plain(previewed.paid_by_us),
            border=True,
            width=230,
            help=t("What the ready rows add to what you pay. A yearly price counts a twelfth."),
        )
        st.metric(
            t("A month, paid by the clients"),
            plain(previewed.paid_by_clients),
            border=True,
            width=230,
            help=t("What the clients of the ready rows would pay together."),
        )


def _bound_to(previewed: ImportPreview) -> None:
    """Which default settings the clients would be bound to."""
    version = previewed.defaults_version
    if version is None:
        st.caption(t("No default settings are saved yet: each row says every setting."), width="content")
    else:
        bound = t("Bound to default settings v{version}", version=str(version))
        st.caption(bound, width="content", help=t("Later versions will not change these clients."))


@notices.callback
def _begin(database: Database, member: Member, upload: Upload, reader: str) -> None:
    """Invite in the background: it goes on whatever is clicked meanwhile, and a second click begins nothing."""
    if upload.inviting is None and upload.report is None:
        upload.refusal, upload.done = None, 0
        upload.inviting = _workers.submit(_invite, database, member, upload, reader)


def _invite(database: Database, member: Member, upload: Upload, reader: str) -> ImportReport:
    """All the ready rows in one transaction, or none; in another thread, with nothing of Streamlit in it."""
    speak(reader, member.partner.time_zone)

    def keep_progress(done: int) -> None:
        upload.done = done

    with database.transaction() as session:
        return imports.invite_ready(session, member, upload.previewed, attempt=upload.attempt, progress=keep_progress)


def _wait(upload: Upload) -> None:
    """Until everybody is invited, or the work was refused."""
    inviting, total = upload.inviting, upload.previewed.counts[Verdict.READY]
    if inviting is None:
        return
    place = st.empty()
    with place.container():
        bar = st.progress(0.0)
        st.caption(t("It goes on while you do something else; come back to this page for the report."))
    while not inviting.done():
        done = min(upload.done, total)
        bar.progress(done / total, text=t("Inviting: {done} of {total}", done=done, total=total))
        wait([inviting], timeout=0.2)
    place.empty()
    upload.inviting = None
    try:
        upload.report = inviting.result()
    except BillingError as refusal:
        upload.refusal, upload.is_stale = refusal, isinstance(refusal, StaleError)


def _nobody(refusal: BillingError) -> str:
    if isinstance(refusal, StaleError):
        return t("Nobody was invited. The rows are checked again with what is in force now.")
    return t("Nobody was invited.")
