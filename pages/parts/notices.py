"""What a page says about itself: what was done, what was refused and why, what went wrong, and that it is a demo."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial, wraps
from typing import ParamSpec
from uuid import uuid4

import streamlit as st

from core.demo import ShownDay
from core.storage import trace_of
from core.words import BadInput, BillingError, DatabaseFailed, DemoRefused, SavedOrNot, day, t
from pages.parts import choices, presence, server, sign_in, visitor
from pages.parts.presence import Arrival
from pages.parts.text import plain

P = ParamSpec("P")

Said = tuple[object, ...]  # what was said on this run

_NEXT = "notices"  # in the session's memory: what the next run shows, each with what shows it


@dataclass(frozen=True, slots=True)
class _NotDone:
    """What a click asked for and the database did not do; another click can ask for it again, nothing else does."""

    failure: DatabaseFailed
    again: Callable[[], None] | None = None

    def __str__(self) -> str:
        return str(self.failure)


def callback(act: Callable[P, object]) -> Callable[P, None]:
    """A widget's callback: it speaks the reader's language, and what it raises is shown by the run that follows it.

    (Streamlit runs a callback before the page, in whatever language, and does not run the page after one that failed.)
    """

    @wraps(act)
    def called(*args: P.args, **kwargs: P.kwargs) -> None:
        visitor.speak_as_chosen()
        try:
            presence.refuse_who_left()
            act(*args, **kwargs)
        except DatabaseFailed as failure:
            is_uncertain = isinstance(failure, SavedOrNot)  # they look first: it may be there
            again = None if is_uncertain else partial(called, *args, **kwargs)
            _show_next(_not_done, _NotDone(failure, again))
        except BillingError as refusal:
            _show_next(refused, refusal)
        except Exception as exception:  # noqa: BLE001 - the last resort, as around a page
            _show_next(_failed, _logged(exception))

    return called


def say_next(message: str) -> None:
    """Show this on the next run: what has just been done, also after a switch of pages."""
    _show_next(_done, message)


def are_waiting() -> bool:
    """Whether the next run of the page has something to say."""
    return bool(st.session_state.get(_NEXT))


def show_messages() -> Said:
    """What the run before, or the callback of this one, left to say; what was said."""
    waiting = list(st.session_state.get(_NEXT, ()))
    for show, what in waiting:
        show(what)
    st.session_state.pop(_NEXT, None)  # only now: a run that is cut short has shown nothing
    return tuple(what for _, what in waiting)


def refused(refusal: BillingError) -> None:
    """Show a refusal: a sentence that says what is so and what to do."""
    st.error(plain(refusal), icon=":material/error:")


def database_failed(failure: DatabaseFailed, said: Said) -> None:
    """The page cannot be shown, as the database does not do its part: say so, and keep what was chosen and typed.

    `said`: what this run has said already.
    """
    if not any(isinstance(each, _NotDone) for each in said or show_messages()):
        _not_done(_NotDone(failure))
    choices.keep()


def unexpected(exception: Exception) -> bool:
    """Something nobody foresaw: the log has the trace, the person a reference to it."""
    if isinstance(exception, DatabaseFailed):  # in a window over a page, which runs alone
        _not_done(_NotDone(exception))
    else:
        _failed(_logged(exception))
    return True


def demo_banner(shown: ShownDay | None) -> None:
    """One line on top of each page that says this is a demo, and as which day it is shown."""
    if server.is_demo():
        name = t("**Demo.**")
        if shown is not None and not shown.is_today:
            name = t("**Demo, shown as {day}.**", day=day(shown.day))
        what = t("Sample clients, members, plans and prices; nothing here is real, and nothing is ever sent.")
        st.caption(f"{name} {what}")
        if server.configuration().providers:
            st.caption(t("Sign-in is configured on this server, but not used in demo mode."))


def nothing_to_show(arrival: Arrival) -> None:
    """The whole page of someone who may use nothing, or has not signed in."""
    if presence.is_configured() and arrival.chosen is None:
        sign_in.page(arrival)
        return
    st.title("Billing Defaults", anchor=False)
    try:
        server.database()
    except DemoRefused as refusal:
        st.warning(plain(refusal))
        return
    if arrival.chosen is not None:
        why = t("You have no access to clients here. An administrator of your partner space can give it to you.")
    else:
        why = t("Sign-in is not configured on this server, so there is nothing to show yet.")
    st.info(why, icon=":material/lock:")


def _show_next(show: Callable[..., None], what: object) -> None:
    waiting = st.session_state.setdefault(_NEXT, [])
    if (show, str(what)) not in [(shows, str(said)) for shows, said in waiting]:  # two quick clicks say the same
        waiting.append((show, what))


def _not_done(what: _NotDone) -> None:
    refused(what.failure)
    st.button(t("Try again"), key="notices.again", icon=":material/refresh:", on_click=what.again)


def _done(message: str) -> None:
    st.success(plain(message), icon=":material/check_circle:")


def _logged(exception: Exception) -> str:
    """The reference under which the log has this."""
    reference = uuid4().hex[:8]
    server.log.error("Reference %s\n%s", reference, trace_of(exception))
    return reference


def _failed(reference: str) -> None:
    st.error(
        t(
            "Something went wrong. Try again; if it happens again, give your administrator this reference: "
            "{reference}.",
            reference=reference,
        )
    )


def to_correct(refusal: object, read: Callable[[], object], names: Collection[str]) -> Mapping[str, str]:
    """What still needs a correction of what was refused, by field: one that is right by now needs none. `read` reads
    the fields with these names as they are now, and raises BadInput as saving them does."""
    if not isinstance(refusal, BadInput):
        return {}
    try:
        read()
    except BadInput as still:
        wrong = still.fields
    else:
        wrong = {}
    return {
        name: wrong.get(name, sentence)
        for name, sentence in refusal.fields.items()
        if name in wrong or name not in names
    }


def correction(faults: Mapping[str, str], name: str) -> None:
    """Under a field: what needs a correction in it, if anything does."""
    if name in faults:
        st.caption(f":red[{plain(faults[name])}]")
