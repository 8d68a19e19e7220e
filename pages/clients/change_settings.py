"""What can be done with a client's settings; each action opens in place and shows what it will do before it does it."""

from collections.abc import Callable

import streamlit as st
from sqlalchemy.orm import Session

from core import subscriptions
from core.catalogue import Catalogue
from core.defaults import SetVersion
from core.members import Member
from core.subscriptions import ClientSubscription, Preview, Seen
from core.words import BillingError, ChoiceRefused, ClientStatus, Overrides, Setting, StaleError, local_day, nt, t
from pages.clients import adopt_target, provenance
from pages.parts import choices, drafts, invitation, keyboard, notices, server
from pages.parts.settings_form import choose_overrides, follow, overrides_chosen
from pages.parts.text import plain

CHANGE, BACK, ADOPT, CANCEL, END, UNDO = "change", "back", "adopt", "cancel", "end", "undo"


def offered(member: Member, shown: ClientSubscription, offer: Catalogue) -> None:
    """The actions that make sense for this client now, or the one that is open."""
    drafts.take_up(member, _client(shown))
    form = choices.form(_client(shown))
    if shown.status is ClientStatus.ARCHIVED:
        st.info(t("This client is archived: its settings are kept as they were."), icon=":material/inventory_2:")
        return
    actions = {CHANGE: _change, BACK: _go_back, ADOPT: _adopt, CANCEL: _cancel, END: _end, UNDO: _undo}
    opened = actions.get(st.session_state.get(f"{form}.open", ""))
    if opened is None:
        _buttons(form, shown)
    else:
        with keyboard.in_focus(f"{form} {st.session_state[f'{form}.open']}"):
            opened(form, member, shown, offer)
    drafts.keep(member, _client(shown), *(setting.value for setting in Setting))


def offer_undo(member: Member, shown: ClientSubscription) -> None:
    """Right after a save of this visit, the way to take it back, as long as nobody decided anything else since."""
    form = choices.form(_client(shown))
    if st.session_state.get(_saved(shown.client.client_id)) != shown.seen.newest or st.session_state.get(
        f"{form}.open"
    ):
        return
    try:
        with server.database().reading() as session:
            subscriptions.preview_take_back(session, member, shown)
    except ChoiceRefused:  # the form says why, and what to do
        pass
    except BillingError:
        return
    st.button(
        t("Undo"), key=f"{form}.open {UNDO}", icon=":material/undo:", on_click=choices.open_form, args=(form, UNDO)
    )


def _saved(client_id: int) -> str:
    """In the session's memory: the newest revision of this client that this visit saved."""
    return f"client saved {client_id}"


def _client(shown: ClientSubscription) -> str:
    return f"client.{shown.client.client_id}"


def _buttons(form: str, shown: ClientSubscription) -> None:
    def button(action: str, label: str, icon: str, *, primary: bool = False) -> None:
        st.button(
            label,
            key=f"{form}.open {action}",
            icon=icon,
            type="primary" if primary else "secondary",
            on_click=choices.open_form,
            args=(form, action),
        )

    if shown.is_ending:
        st.caption(t("While an end is pending nothing else can be changed."))
        return
    with st.container(horizontal=True):
        button(CHANGE, t("Change"), ":material/edit:", primary=True)
        if shown.can_go_back:
            button(BACK, _back_to(shown), ":material/undo:")
        if shown.current is not None and (shown.can_adopt or len(shown.sets.to_pick) > 1):
            label = t("Adopt current defaults v{version}", version=str(shown.current.version))
            if shown.sets.are_several:
                label = t("Adopt {defaults}", defaults=plain(shown.sets.said(shown.current.bound)))
            button(ADOPT, label if shown.can_adopt else t("Adopt another set"), ":material/upgrade:")
        button(END, t("Archive"), ":material/inventory_2:")


def cancel_button(shown: ClientSubscription) -> None:
    """The way to cancel what waits; open, the form below says what that does."""
    form = choices.form(_client(shown))
    if not st.session_state.get(f"{form}.open"):
        label = t("Cancel the end") if shown.is_ending else t("Cancel the change")
        st.button(
            label,
            key=f"{form}.open {CANCEL}",
            icon=":material/event_busy:",
            on_click=choices.open_form,
            args=(form, CANCEL),
        )


def _back_to(shown: ClientSubscription) -> str:
    if shown.has_adopted:
        return t("Back to default settings v{version}", version=str(shown.effective.defaults_version))
    return t("Back to the defaults it was invited with")


def _change(
    form: str, member: Member, shown: ClientSubscription, offer: Catalogue, *, start: Overrides | None = None
) -> None:
    """The settings to choose, beginning at the choices of the client, or at others (`start`)."""
    start = shown.overrides if start is None else start
    left, right = st.columns(2, gap="large")
    with left:
        inherited = None if shown.bound is None else shown.bound.settings
        before = st.session_state.pop(f"{form}.began before", None)
        if before is not None:  # refused: what was not touched here follows the colleague's change
            follow(form, before, start, inherited or shown.effective.settings)
        st.session_state.setdefault(f"{form}.began with", start)
        overrides = choose_overrides(form, inherited, start, offer, held=shown.effective.settings)
    with right.container(border=True):
        st.header(t("What will change"), anchor=False)
        preview = _previewed(lambda session: subscriptions.preview_override(session, member, shown, overrides))
        touched = 0 if preview is None else provenance.settings_touched(shown, preview)
        label = nt("Save {count} change", "Save {count} changes", touched) if touched else t("Save")
        _confirm(form, CHANGE, label, member, shown, preview, offer)


def _go_back(form: str, member: Member, shown: ClientSubscription, offer: Catalogue) -> None:
    nothing = Overrides()
    try:
        with server.database().reading() as session:
            preview = subscriptions.preview_override(session, member, shown, nothing)
    except ChoiceRefused as refusal:
        with server.database().reading() as session:
            nearest = subscriptions.nearest_to_defaults(session, member, shown)
        st.header(_back_to(shown), anchor=False)
        why = t("Its defaults cannot be had any more as they were: {why}", why=refusal)
        rest = t("Everything else goes back to them. Choose what is to stay, or something else.")
        st.info(plain(f"{why} {rest}"), icon=":material/info:")
        _change(form, member, shown, offer, start=nearest)
        return
    with st.container(border=True):
        st.header(_back_to(shown), anchor=False)
        _confirm(form, BACK, t("Clear the overrides"), member, shown, preview, offer)


def _adopt(form: str, member: Member, shown: ClientSubscription, offer: Catalogue) -> None:
    with st.container(border=True):
        st.header(t("Adopt the current default settings"), anchor=False)
        target = adopt_target.pick(form, shown)
        if target is not None and not _began_with(form, target):
            st.session_state[f"{form}.began at"] = (shown.seen, shown.sets.named(target).newest.bound)
        clear = bool(shown.effective.overridden) and st.checkbox(
            t("Clear the overrides too"), key=f"{form}.clear", persist_state="session"
        )
        preview = _previewed(
            lambda session: subscriptions.preview_adoption(
                session, member, shown, clear_overrides=clear, set_number=target
            )
        )
        _, bound = _began_at(form, shown)
        label = t("Adopt default settings v{version}", version="" if bound is None else str(bound.version))
        if shown.sets.are_several and bound is not None:
            label = t("Adopt {defaults}", defaults=plain(shown.sets.said(bound)))
        is_confirmed = adopt_target.is_confirmed(form, shown, target)
        _confirm(form, ADOPT, label, member, shown, preview, offer, is_confirmed=is_confirmed)


def _began_with(form: str, set_number: int) -> bool:
    """Whether the form was opened, or last refused, on this set; another one that is picked begins it again."""
    _, bound = st.session_state.get(f"{form}.began at", (None, None))
    return bound is not None and bound.set_number == set_number


def _undo(form: str, member: Member, shown: ClientSubscription, offer: Catalogue) -> None:
    st.session_state.setdefault(f"{form}.reason", t("Undone"))
    label = t("Undo this change")
    with st.container(border=True):
        st.header(t("Undo the last change"), anchor=False)
        try:
            with server.database().reading() as session:
                preview = subscriptions.preview_take_back(session, member, shown)
        except BillingError as refusal:
            notices.refused(refusal)
            _confirm(form, UNDO, label, member, shown, None, offer)
            return
        if preview is not None:
            _confirm(form, UNDO, label, member, shown, preview, offer)
        elif shown.pending is not None:
            day = local_day(shown.pending.valid_from)
            st.text(t("What holds now goes on; what was decided for {day} is cancelled.", day=day))
            _act(form, UNDO, label, member, shown, offer)


def _cancel(form: str, member: Member, shown: ClientSubscription, offer: Catalogue) -> None:
    with st.container(border=True):
        st.header(t("Cancel what is pending"), anchor=False)
        st.text(t("What is so now goes on; nothing changes at the renewal."))
        _act(form, CANCEL, t("Cancel what is pending"), member, shown, offer)


def _end(form: str, member: Member, shown: ClientSubscription, offer: Catalogue) -> None:
    with st.container(border=True):
        st.header(t("Archive this client"), anchor=False)
        at_once = shown.status is ClientStatus.INVITED
        if shown.period is not None:
            labels = {
                False: t("At the end of the paid period, {day}", day=shown.period.renewal),
                True: t("Now"),
            }
            at_once = bool(
                st.radio(
                    t("When"), [False, True], format_func=labels.__getitem__, key=f"{form}.at once",
                    persist_state="session", horizontal=True,
                )
            )  # fmt: skip
        try:
            ending = subscriptions.preview_archive(member, shown, at_once=at_once)
        except BillingError as refusal:
            notices.refused(refusal)
            _close_button(form, shown)
            return
        for line in provenance.ending_lines(shown, ending):
            st.text(line)
        label = t("Archive now") if at_once else t("Archive on {day}", day=ending.day)
        _act(form, END, label, member, shown, offer)


def _act(
    form: str,
    action: str,
    label: str,
    member: Member,
    shown: ClientSubscription,
    offer: Catalogue,
    *,
    changes_anything: bool = True,
) -> None:
    """A reason, and the button that says what it does; refused if the client changed meanwhile."""
    began_at = _began_at(form, shown)
    st.text_input(t("Reason (optional)"), key=f"{form}.reason", max_chars=500, persist_state="session")
    if refusal := st.session_state.get(f"{form}.refused"):
        notices.refused(refusal)
    with st.container(horizontal=True):
        st.button(
            label,
            type="primary",
            key=f"{form}.save",
            disabled=not changes_anything,
            on_click=_save,
            args=(form, action, member, shown, began_at, offer, choices.attempt(form)),
        )
        _close_button(form, shown)


def _close_button(form: str, shown: ClientSubscription) -> None:
    st.button(t("Cancel"), key=f"{form}.cancel", shortcut="Esc", on_click=choices.forget, args=(_client(shown),))


def _previewed(make: Callable[[Session], Preview]) -> Preview | None:
    try:
        with server.database().reading() as session:
            return make(session)
    except BillingError as refusal:
        notices.refused(refusal)
        return None


def _began_at(form: str, shown: ClientSubscription) -> tuple[Seen, SetVersion | None]:
    """What the client was and the version in force when this form was opened, or last refused.

    Kept by hand, as `args` could not carry it: a form is filled in over many runs, each of which shows what
    is so by then, and a colleague's change among them must not be overwritten without a word.
    """
    now = (shown.seen, None if shown.current is None else shown.current.bound)
    began_at: tuple[Seen, SetVersion | None] = st.session_state.setdefault(f"{form}.began at", now)
    return began_at


def _confirm(
    form: str,
    action: str,
    label: str,
    member: Member,
    shown: ClientSubscription,
    preview: Preview | None,
    offer: Catalogue,
    *,
    is_confirmed: bool = True,
) -> None:
    """What will happen, and the way to do it; where it cannot be done as it is, the way to choose something else."""
    _began_at(form, shown)
    if preview is not None:
        for line in provenance.preview_lines(shown, preview, offer) or [t("Nothing changes yet.")]:
            st.text(line)
        for line in provenance.when_lines(shown, preview, offer):
            st.text(line)
        if preview.changes_anything and (price := provenance.price_line(shown, preview)):
            st.markdown(f"**{plain(price)}**")
        _act(form, action, label, member, shown, offer, changes_anything=preview.changes_anything and is_confirmed)
        return
    with st.container(horizontal=True):
        if action != CHANGE:
            st.button(
                t("Choose other settings"),
                type="primary",
                key=f"{form}.instead",
                icon=":material/edit:",
                on_click=choices.open_form,
                args=(form, CHANGE),
            )
        _close_button(form, shown)


@notices.callback
def _save(
    form: str,
    action: str,
    member: Member,
    shown: ClientSubscription,
    began_at: tuple[Seen, SetVersion | None],
    offer: Catalogue,
    attempt: str,
) -> None:
    """Do what the form says by now, and close it; one refused stays open, and starts again from the current state."""
    state, client_id = st.session_state, shown.client.client_id
    if form != choices.form(_client(shown)):  # the second of two quick clicks: the first one saved
        return
    reason, clear = state.get(f"{form}.reason") or "", bool(state.get(f"{form}.clear"))
    overrides = overrides_chosen(form) if action == CHANGE else Overrides()
    seen, seen_version = began_at
    made = None
    try:
        with server.database().transaction() as session:
            if action == ADOPT:
                subscriptions.adopt_current_defaults(
                    session,
                    member,
                    [client_id],
                    reason=reason,
                    clear_overrides=clear,
                    seen={client_id: seen},
                    seen_version=seen_version,
                    attempt=attempt,
                    set_number=None if seen_version is None else seen_version.set_number,
                )
            elif action == CANCEL:
                made = subscriptions.cancel_pending(
                    session, member, client_id, seen=seen, reason=reason, attempt=attempt
                )
            elif action == UNDO:
                made = subscriptions.take_back(session, member, client_id, seen=seen, reason=reason, attempt=attempt)
            elif action == END:
                at_once = shown.period is None or bool(state.get(f"{form}.at once"))
                made = subscriptions.archive(
                    session, member, client_id, seen=seen, at_once=at_once, reason=reason, attempt=attempt
                )
            else:
                made = subscriptions.override(
                    session, member, client_id, overrides, seen=seen, reason=reason, attempt=attempt
                )
            history = subscriptions.detail(session, member, client_id).history
    except StaleError as refusal:
        state[f"{form}.refused"] = refusal
        state.pop(f"{form}.began at", None)
        if action == CHANGE:
            state[f"{form}.began before"] = state.pop(f"{form}.began with")
    else:
        newest = history[0]
        if newest.revision > shown.seen.newest:
            state[_saved(client_id)] = newest.revision
        done = newest if made is None else made  # None: an adoption, which does not say it
        notices.say_next(provenance.done(shown.client.name, done, offer, shown.sets))
        choices.forget(_client(shown))
        invitation.send_next(client_id=client_id)  # where the client is to be told that it pays
