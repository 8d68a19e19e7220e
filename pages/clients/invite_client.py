"""Invite a client: two fields and Enter for the defaults, an exception one click away; or many from a spreadsheet."""

from contextlib import nullcontext
from typing import Any
from uuid import uuid4

import streamlit as st

from core import catalogue, defaults, invitations, subscriptions
from core.defaults import NamedSet, SetVersion
from core.invitations import NewClient
from core.members import Member, Permission
from core.words import (
    LANGUAGES,
    LONGEST_NOTE,
    AlreadyClient,
    BadInput,
    BillingError,
    DatabaseFailed,
    NotAllowed,
    Overrides,
    RetiredSet,
    language,
    t,
)
from pages.clients import import_list
from pages.parts import colleagues, invitation, keyboard, notices, server, visitor
from pages.parts.choices import choose, chosen, forget
from pages.parts.settings_form import choose_overrides, overrides_chosen, settings_table
from pages.parts.text import heading, payer_text, plain, price_text

CLIENT = "pages/clients/client_subscription.py"
TYPED = ("name", "email", "company_number", "contact_name", "message")

member = visitor.member(Permission.INVITE)
with server.database().reading() as session:
    offer = catalogue.current(session, member.partner)
    sets = defaults.sets(session, member)
    looking_after = subscriptions.responsible_members(session, member)
attempt = st.session_state.setdefault("invite.attempt", uuid4().hex)
form = f"invite.{attempt}"


def invited(client_id: int) -> None:
    """What has just happened, and where to go from here."""
    with server.database().reading() as session:
        shown = subscriptions.detail(session, member, client_id)
        responsible = subscriptions.responsible_history(session, member, client_id)[0]
        waiting = invitation.waiting(session, member, client_id)
    st.success(t("{name} is invited.", name=plain(shown.client.name)), icon=":material/check_circle:")
    with st.container(border=True, width=620):
        st.header(t("What this client got"), anchor=False)
        settings_table(shown.effective, offer, shown.defaults_text)
        if shown.price:
            st.markdown(f"**{plain(price_text(shown.price))}**, {payer_text(shown.effective.payer.value)}")
        if shown.bound and shown.sets.are_several:
            st.text(t("Bound to {defaults}", defaults=shown.sets.said(shown.bound.bound)))
        elif shown.bound:
            st.text(t("Bound to default settings v{version}", version=str(shown.bound.version)))
        else:
            st.text(t("Bound to no default settings: every setting was chosen."))
        st.text(t("Account manager: {name}", name=responsible.name))
    invitation.message(member, waiting, unfolded=True)
    with st.container(horizontal=True):
        if st.button(t("Open the client"), key="invite.open", icon=":material/badge:"):
            begin_again()
            st.switch_page(CLIENT, query_params={"client": str(client_id)})
        st.button(t("Invite another client"), key="invite.another", type="primary", on_click=begin_again)


def account_manager(form: str, member: Member) -> str:
    """The key of the choice of an account manager: another one for another reader, whose colleagues are others."""
    return f"{form}.responsible of {member.partner_id}.{member.member_id}"


def begin_again() -> None:
    forget("invite")


def line(name: str, label: str, **options: Any) -> None:
    """A line of the form, with what needs a correction under it; the first that was refused takes the focus."""
    is_first = isinstance(refusal, BadInput) and name == next((each for each in TYPED if each in refusal.fields), None)
    with keyboard.in_focus(f"{form} correct {name}") if is_first else nullcontext():
        st.text_input(label, key=f"{form}.{name}", persist_state="session", **options)
    notices.correction(faults, name)


def typed_in(form: str) -> dict[str, object]:
    """What the lines of the form say by now."""
    typed: dict[str, object] = {name: st.session_state.get(f"{form}.{name}") or "" for name in TYPED}
    return typed | {"language": chosen(f"{form}.language")}


def who() -> None:
    """The form of who is invited. It carries the version of the defaults that is on the screen beside it.

    At first it is sent as one, so that Enter invites. Once something in it needs a correction each line is looked at
    as soon as it is left."""
    is_corrected = isinstance(refusal, BadInput)
    with st.container(border=True) if is_corrected else st.form(f"{form}.who", border=True):
        line("name", t("Name"), max_chars=200)
        line("email", t("E-mail"), max_chars=254)
        line("company_number", t("Company number (optional)"), max_chars=30, placeholder="0471.730.202")
        line("contact_name", t("Contact (optional)"), max_chars=200)
        choose(
            st.selectbox,
            t("Language of the client"),
            list(LANGUAGES),
            LANGUAGES.__getitem__,
            f"{form}.language",
            at_first=language(),
            filter_mode=None,
        )
        words = colleagues.in_words(
            [each for each in looking_after if each.can_be_chosen], member, t("{name} (me)", name=member.name)
        )
        choose(
            st.selectbox,
            t("Account manager"),
            list(words),
            words.__getitem__,
            account_manager(form, member),
            at_first=member.member_id,
        )
        st.text_area(t("Message (optional)"), key=f"{form}.message", max_chars=2000, height=90, persist_state="session")
        notices.correction(faults, "message")
        (st.button if is_corrected else st.form_submit_button)(
            t("Invite this client"),
            type="primary",
            icon=":material/send:",
            key=f"{form}.send",
            on_click=send,
            args=(member, attempt, None if in_force is None else in_force.bound),
        )


def pick_a_set() -> NamedSet | None:
    """The default set that the client is invited on, the standard one at first; with one set there is nothing to
    pick."""
    if not sets.are_several:
        return sets.standard
    assert sets.standard is not None  # noqa: S101 - the first set is the standard one
    pickable = {each.set_number: each for each in sets.to_pick}
    key, standard = f"{form}.default set", sets.standard.set_number
    if (before := chosen(key)) is not None and before not in pickable and not isinstance(refusal, RetiredSet):
        notices.refused(RetiredSet(name=sets.named(before).name, names=sets.names_to_pick))
    words = {number: each.name for number, each in pickable.items()}
    picked = choose(
        st.selectbox, t("Default set"), list(words), words.__getitem__, key, at_first=standard, filter_mode=None
    )
    return pickable[picked]


def what() -> None:
    """The settings, each at its default until chosen; and what the client will get, kept up to date."""
    overrides = choose_overrides(form, in_force.settings if in_force else None, Overrides(), offer)
    if overrides.chosen and in_force:
        line("reason", t("Reason for the override (optional)"), max_chars=LONGEST_NOTE)
    with st.container(border=True):
        try:
            with server.database().reading() as session:
                effective = invitations.preview(
                    session, member, overrides, set_number=None if picked is None else picked.set_number
                )
        except BillingError as refusal:
            notices.refused(refusal)
            return
        settings_table(effective, offer, sets.said(effective.bound) if effective.bound else "")
        price = offer.price(effective.settings)
        st.markdown(f"**{plain(price_text(price))}**, {payer_text(effective.payer.value)}")
        if in_force and sets.are_several:
            bound_to = sets.said(in_force.bound)
            st.caption(t("Bound to {defaults}: later versions will not change this client.", defaults=bound_to))
        elif in_force:
            version = str(in_force.version)
            st.caption(
                t("Bound to default settings v{version}: later versions will not change this client.", version=version)
            )


@notices.callback
def send(member: Member, attempt: str, seen_version: SetVersion | None) -> None:
    """Invite whom the form says by now, with the settings it says; refused if other defaults than those of
    `seen_version` came in force meanwhile."""
    state, form = st.session_state, f"invite.{attempt}"
    overrides = overrides_chosen(form)
    reason = state.get(f"{form}.reason") or "" if overrides.chosen else ""
    state.pop("invite.refused", None)
    try:
        new_client = NewClient.from_typed(**typed_in(form))
        with server.database().transaction() as session:
            client = invitations.invite(
                session,
                member,
                new_client,
                overrides,
                responsible_id=chosen(account_manager(form, member)),
                reason=reason,
                attempt=attempt,
                seen_version=seen_version,
                set_number=None if seen_version is None else seen_version.set_number,
            )
    except (NotAllowed, DatabaseFailed):  # said on whichever page may still be seen
        raise
    except BillingError as refusal:
        state["invite.refused"] = refusal
    else:
        state["invite.done"] = client.client_id
        invitation.send_next(client_id=client.client_id)


def refused(refusal: BillingError | None) -> None:
    """Why nobody was invited, said once; what needs a correction stays said beside its line."""
    if refusal is None or isinstance(refusal, BadInput):
        return
    notices.refused(refusal)
    if isinstance(refusal, AlreadyClient):
        known = str(refusal.client_id)
        st.page_link(CLIENT, label=t("Open the client"), icon=":material/badge:", query_params={"client": known})
    st.session_state.pop("invite.refused", None)


top = st.container()
one, many = import_list.ways()
with top:
    by_hand = t("Type a name and an e-mail, then press Enter: the client gets your default settings.")
    heading(t("Invite a client"), import_list.sentence() if many.open else by_hand, shows_prices=True)
if many.open:
    with many:
        import_list.show(member, offer)
    st.stop()
with one:
    if "invite.done" in st.session_state:
        invited(st.session_state["invite.done"])
        st.stop()
    if sets.standard is None:
        st.info(t("No default settings are saved yet. Choose every setting for this client."), icon=":material/info:")
    refusal = st.session_state.get("invite.refused")
    faults = notices.to_correct(refusal, lambda: NewClient.from_typed(**typed_in(form)), frozenset(TYPED))
    left, right = st.columns(2, gap="large")
    with right:
        st.header(t("What this client will get"), anchor=False)
        picked = pick_a_set()
        in_force = None if picked is None else picked.newest
    with left:
        refused(refusal)
        who()
    with right:
        what()
