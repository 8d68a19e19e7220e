"""Who the client is: its details on its page, and the form that edits them in place."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from core import invitations
from core.invitations import ClientDetails, InvitationDetail
from core.members import Member, Permission, may
from core.subscriptions import Client, ClientEdit
from core.words import (
    LANGUAGES,
    LONGEST_NOTE,
    AlreadyClient,
    BadInput,
    BillingError,
    ClientDetail,
    InvitationStatus,
    StaleError,
    t,
)
from pages.parts import choices, drafts, invitation, keyboard, notices, server
from pages.parts.text import joined

CLIENT = "pages/clients/client_subscription.py"
NUMBERS = (
    ClientDetail.COUNTRY,
    ClientDetail.COMPANY_NUMBER,
    ClientDetail.VAT_NUMBER,
    ClientDetail.EXTERNAL_REFERENCE,
)


def lines(client: Client) -> None:
    """The details that are known, on two lines."""
    contact = (client.email, client.contact_name, ClientDetail.LANGUAGE.text(client.language))
    st.text(" · ".join(part for part in contact if part))
    if numbers := [f"{what.label} {what.of(client)}" for what in NUMBERS if what.of(client)]:
        st.text(" · ".join(numbers))


def button(member: Member, client: Client) -> None:
    """What opens the form, for a member who may edit."""
    drafts.take_up(member, _key(client.client_id))
    form = choices.form(_key(client.client_id))
    if client.forgotten_at is None and may(member, Permission.EDIT_CLIENT) and not _is_open(form):
        st.button(
            t("Edit details"),
            key=f"{form}.open edit",
            icon=":material/edit_note:",
            type="tertiary",
            on_click=choices.open_form,
            args=(form,),
        )


def form(member: Member, client: Client, edits: tuple[ClientEdit, ...], invited: InvitationDetail) -> None:
    """The form, when it is open: what was typed stays until it is saved, or cancelled."""
    form = choices.form(_key(client.client_id))
    if may(member, Permission.EDIT_CLIENT) and _is_open(form):
        _begin(form, client, edits)
        _draw(form, member, client, invited)
    drafts.keep(member, _key(client.client_id), *(what.value for what in ClientDetail))


def _draw(form: str, member: Member, client: Client, invited: InvitationDetail) -> None:
    """Each field is looked at once it is left, so that it survives a reload, and a sentence about it goes when it is
    right."""
    refusal = st.session_state.get(f"{form}.refused")
    faults = notices.to_correct(refusal, lambda: _read(form), frozenset(ClientDetail))
    with keyboard.in_focus(f"{form} edit"), st.container(border=True):
        st.header(t("Edit details"), anchor=False)
        _refused(refusal)
        left, right = st.columns(2, gap="large")
        with left:
            _line(form, ClientDetail.NAME, t("Name"), faults, max_chars=200)
            _line(form, ClientDetail.EMAIL, t("E-mail"), faults, max_chars=254)
            if invited.status is InvitationStatus.PENDING:
                st.caption(
                    t("With another e-mail the invitation is sent there, with a new link. The old link stops working.")
                )
            _line(form, ClientDetail.CONTACT_NAME, t("Contact (optional)"), faults, max_chars=200)
            choices.choose(
                st.selectbox,
                t("Language of the client"),
                list(LANGUAGES),
                LANGUAGES.__getitem__,
                f"{form}.{ClientDetail.LANGUAGE}",
                at_first=client.language,
                filter_mode=None,
            )
        with right:
            _line(form, ClientDetail.COUNTRY, t("Country (optional)"), faults, max_chars=30, placeholder="BE")
            _line(form, ClientDetail.COMPANY_NUMBER, t("Company number (optional)"), faults, max_chars=30)
            _line(form, ClientDetail.VAT_NUMBER, t("VAT number (optional)"), faults, max_chars=30)
            _line(form, ClientDetail.EXTERNAL_REFERENCE, t("External reference (optional)"), faults, max_chars=100)
        _line(form, "reason", t("Reason (optional)"), faults, max_chars=LONGEST_NOTE)
        with st.container(horizontal=True):
            st.button(
                t("Save details"),
                type="primary",
                key=f"{form}.save",
                on_click=_save,
                args=(form, member, client, choices.attempt(form)),
            )
            st.button(
                t("Cancel"),
                key=f"{form}.cancel",
                shortcut="Esc",
                on_click=choices.forget,
                args=(_key(client.client_id),),
            )


def what_happened(edit: ClientEdit) -> str:
    """An edit in plain words."""
    return joined(change.label for change in edit.changes)


def _key(client_id: int) -> str:
    return f"details.{client_id}"


def _is_open(form: str) -> bool:
    return bool(st.session_state.get(f"{form}.open"))


def _begin(form: str, client: Client, edits: tuple[ClientEdit, ...]) -> None:
    """Keep the edit and the details that this form began at; after a refusal it begins anew, at what is known by then.

    What was typed stays. A field that was left as it was follows a colleague's edit, which saving again would undo.
    """
    state = st.session_state
    if f"{form}.began at" in state:
        return
    known = {what.value: what.of(client) for what in ClientDetail}
    before = state.pop(f"{form}.began before", {})
    for name, value in known.items():
        if name not in before or _typed(form, name) == before[name]:
            state[f"{form}.{name}"] = value
    state[f"{form}.began at"] = (edits[0].number if edits else 0, known)


def _line(form: str, name: str, label: str, faults: Mapping[str, str], **options: Any) -> None:
    """A line of the form, with what needs a correction under it."""
    st.text_input(label, key=f"{form}.{name}", persist_state="session", **options)
    notices.correction(faults, name)


def _read(form: str) -> ClientDetails:
    """What the fields say. Raises BadInput with a sentence for each that needs a correction."""
    return ClientDetails.from_typed(**{what.value: _typed(form, what) for what in ClientDetail})


def _typed(form: str, name: str) -> str:
    """What a field says by now: also in a callback."""
    if name == ClientDetail.LANGUAGE:
        return str(choices.chosen(f"{form}.{name}"))
    return st.session_state.get(f"{form}.{name}") or ""


def _refused(refusal: BillingError | None) -> None:
    """Why nothing was saved; what needs a correction is said beside its field."""
    if refusal is None or isinstance(refusal, BadInput):
        return
    notices.refused(refusal)
    if isinstance(refusal, AlreadyClient):
        known = str(refusal.client_id)
        st.page_link(CLIENT, label=t("Open the client"), icon=":material/badge:", query_params={"client": known})


@notices.callback
def _save(form: str, member: Member, client: Client, attempt: str) -> None:
    """Save the details as they are typed, and close the form; one refused stays open with what was typed."""
    state, client_id = st.session_state, client.client_id
    if form != choices.form(_key(client_id)):  # the second of two quick clicks: the first one saved
        return
    seen, known = state[f"{form}.began at"]
    state.pop(f"{form}.refused", None)
    try:
        details = _read(form)
        with server.database().transaction() as session:
            edit = invitations.edit_client(
                session, member, client_id, details, seen=seen, reason=_typed(form, "reason"), attempt=attempt
            )
    except (BadInput, AlreadyClient) as refusal:
        state[f"{form}.refused"] = refusal
    except StaleError as refusal:
        state[f"{form}.refused"] = refusal
        state[f"{form}.began before"] = known
        del state[f"{form}.began at"]
    else:
        choices.forget(_key(client_id))
        _saved(details, edit)
        if edit is not None and ClientDetail.EMAIL in {change.what for change in edit.changes}:
            invitation.send_next(client_id=client_id)


def _saved(details: ClientDetails, edit: ClientEdit | None) -> None:
    if edit is None:
        notices.say_next(t("Nothing was changed: these are the details of {name}.", name=details.name))
    else:
        notices.say_next(t("Saved. {done}.", done=what_happened(edit)))
