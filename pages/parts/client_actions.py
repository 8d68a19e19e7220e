"""What can be done with a client's settings; each action opens in place and shows what it will do before it does it."""

from collections.abc import Callable

import streamlit as st
from sqlalchemy.orm import Session

from core import subscriptions
from core.catalogue import Catalogue
from core.client_subscription import ClientSubscription, Preview
from core.errors import BillingError, StaleError
from core.language import nt, t
from core.models import Member
from core.resolution import Overrides
from core.terms import ClientStatus
from pages.parts import choices, explained, here
from pages.parts.choices import forget
from pages.parts.settings_form import choose_overrides
from pages.parts.text import joined, plain


def offered(member: Member, shown: ClientSubscription, offer: Catalogue) -> None:
    """The actions that make sense for this client now, or the one that is open."""
    form = choices.form(f"client.{shown.client.client_id}")
    if shown.status is ClientStatus.ARCHIVED:
        st.info(t("This client is archived: its settings are kept as they were."), icon=":material/inventory_2:")
        return
    match st.session_state.get(f"{form}.open"):
        case "change":
            _change(form, member, shown, offer)
        case "back":
            _go_back(form, member, shown, offer)
        case "adopt":
            _adopt(form, member, shown, offer)
        case _:
            _buttons(form, shown)


def _buttons(form: str, shown: ClientSubscription) -> None:
    def button(action: str, label: str, icon: str, *, primary: bool = False) -> None:
        st.button(label, key=f"{form}.open {action}", icon=icon, type="primary" if primary else "secondary",
                  on_click=_open, args=(form, action, shown))  # fmt: skip

    with st.container(horizontal=True):
        button("change", t("Change"), ":material/edit:", primary=True)
        if shown.can_go_back:
            button("back", _back_to(shown), ":material/undo:")
        if shown.current is not None and shown.can_adopt:
            label = t("Adopt current defaults v{version}", version=str(shown.current.version))
            button("adopt", label, ":material/upgrade:")


def _back_to(shown: ClientSubscription) -> str:
    if shown.has_adopted:
        return t("Back to default settings v{version}", version=str(shown.effective.defaults_version))
    return t("Back to the defaults it was invited with")


def _open(form: str, action: str, shown: ClientSubscription) -> None:
    st.session_state[f"{form}.open"] = action
    _look_at(form, shown)


def _look_at(form: str, shown: ClientSubscription) -> None:
    """Remember what the member has before their eyes, to be refused if it is something else when they save."""
    st.session_state[f"{form}.seen"] = shown.revision
    st.session_state[f"{form}.seen version"] = None if shown.current is None else shown.current.version


def _change(form: str, member: Member, shown: ClientSubscription, offer: Catalogue) -> None:
    left, right = st.columns(2, gap="large")
    with left:
        inherited = None if shown.bound is None else shown.bound.settings
        overrides = choose_overrides(form, inherited, shown.overrides, offer, held=shown.effective.settings)
    with right.container(border=True):
        st.subheader(t("What will change"), anchor=False)
        preview = _previewed(lambda session: subscriptions.preview_override(session, member, shown, overrides))
        touched = 0 if preview is None else explained.settings_touched(shown, preview)
        label = nt("Save {count} change", "Save {count} changes", touched) if touched else t("Save")
        _confirm(form, shown, preview, offer, label, _override(member, shown, overrides))


def _go_back(form: str, member: Member, shown: ClientSubscription, offer: Catalogue) -> None:
    with st.container(border=True):
        st.subheader(_back_to(shown), anchor=False)
        preview = _previewed(lambda session: subscriptions.preview_override(session, member, shown, Overrides()))
        _confirm(form, shown, preview, offer, t("Clear the overrides"), _override(member, shown, Overrides()))


def _adopt(form: str, member: Member, shown: ClientSubscription, offer: Catalogue) -> None:
    client_id = shown.client.client_id
    with st.container(border=True):
        st.subheader(t("Adopt the current default settings"), anchor=False)
        clear = bool(shown.effective.overridden) and st.checkbox(
            t("Clear the overrides too"), key=f"{form}.clear", persist_state="session"
        )
        preview = _previewed(
            lambda session: subscriptions.preview_adoption(session, member, shown, clear_overrides=clear)
        )
        version = st.session_state.get(f"{form}.seen version")

        def adopt(session: Session, seen: int, reason: str) -> None:
            subscriptions.adopt_current_defaults(
                session, member, [client_id], reason=reason, clear_overrides=clear, seen={client_id: seen},
                seen_version=version,
            )  # fmt: skip

        label = t("Adopt default settings v{version}", version=str(version))
        _confirm(form, shown, preview, offer, label, adopt)


def _override(member: Member, shown: ClientSubscription, overrides: Overrides) -> Callable[[Session, int, str], None]:
    def override(session: Session, seen: int, reason: str) -> None:
        subscriptions.override(session, member, shown.client.client_id, overrides, seen=seen, reason=reason)

    return override


def _previewed(make: Callable[[Session], Preview]) -> Preview | None:
    try:
        with here.database().reading() as session:
            return make(session)
    except BillingError as refusal:
        here.refused(refusal)
        return None


def _confirm(
    form: str, shown: ClientSubscription, preview: Preview | None, offer: Catalogue, label: str,
    act: Callable[[Session, int, str], None],
) -> None:  # fmt: skip
    """What will happen, a reason, and the button that says what it does; refused if the client changed meanwhile."""
    if preview is None:
        _cancel(form, shown)
        return
    for line in explained.preview_lines(shown, preview, offer) or [t("Nothing changes yet.")]:
        st.text(line)
    if preview.changes_anything and (price := explained.price_line(shown, preview)):
        st.markdown(f"**{plain(price)}**")
    reason = st.text_input(t("Reason (optional)"), key=f"{form}.reason", max_chars=500, persist_state="session") or ""
    if stale := st.session_state.get(f"{form}.stale"):
        here.refused(stale)
    with st.container(horizontal=True):
        ready = preview.changes_anything
        if st.button(label, type="primary", key=f"{form}.save", disabled=not ready):
            _save(form, shown, preview, offer, act, reason)
        _cancel(form, shown)


def _cancel(form: str, shown: ClientSubscription) -> None:
    if st.button(t("Cancel"), key=f"{form}.cancel"):
        forget(f"client.{shown.client.client_id}")
        st.rerun()


def _save(
    form: str, shown: ClientSubscription, preview: Preview, offer: Catalogue, act: Callable[[Session, int, str], None],
    reason: str,
) -> None:  # fmt: skip
    seen = st.session_state.get(f"{form}.seen", shown.revision)
    try:
        with here.database().transaction() as session:
            act(session, seen, reason)
    except StaleError as refusal:
        st.session_state[f"{form}.stale"] = refusal
        _look_at(form, shown)
        st.rerun()
    except BillingError as refusal:
        here.refused(refusal)
    else:
        forget(f"client.{shown.client.client_id}")
        done = joined(explained.preview_lines(shown, preview, offer))
        here.say_next(t("{name} is changed. {done}.", name=shown.client.name, done=done))
        st.rerun()
