"""Who is here on this run, what they may do, and which language they read."""

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, NamedTuple

import streamlit as st
from sqlalchemy.orm import Session

from core import demo, invitations, members
from core.members import Member, Permission
from core.storage import Database
from core.words import (
    DatabaseFailed,
    DemoRefused,
    NotAllowed,
    Role,
    SignInEnded,
    best_language,
    speak,
    t,
)
from pages.parts import presence, server
from pages.parts.choices import choose
from pages.parts.presence import Arrival
from pages.parts.web.page_language import asked_by_browser

_arrived: ContextVar[Arrival | None] = ContextVar("arrived", default=None)


def arrive() -> tuple[Member | None, Arrival]:
    """Who is here on this run, read anew from the database, and how they came; the language they read from now on."""
    speak_as_chosen()
    arrival = _arrive_in_the_demo() if server.is_demo() else presence.arrive()
    visitor = arrival.chosen
    _arrived.set(arrival)
    if visitor is not None:
        their_own = None if server.is_demo() else visitor.language  # anybody acts as a member of the demo
        st.session_state.setdefault("language", best_language(their_own, *_languages_of_browser()))
        speak(st.session_state["language"], visitor.partner.time_zone)
    return visitor, arrival


def speak_as_chosen() -> None:
    """Speak the language chosen in this visit, or the browser's: all that is known before somebody arrives, and in a
    callback, which runs before that."""
    speak(best_language(st.session_state.get("language"), *_languages_of_browser()))


def _languages_of_browser() -> list[str | None]:
    """What the browser asks for, first choice first."""
    return [st.context.locale, *asked_by_browser(st.context.headers.get("Accept-Language"))]


def arrived() -> Arrival:
    """How the visitor came on this run."""
    return _arrived.get() or arrive()[1]


def member(permission: Permission) -> Member:
    """The member who is here and may do this: the first line of every page. Raises NotAllowed."""
    visitor = arrived().chosen
    if visitor is None:
        raise NotAllowed
    members.require(visitor, permission)
    return visitor


def later(visitor: Member) -> Callable[[Session], Member]:
    """What finds the member anew for a file that is made when it is asked for, in another thread: as they are then.

    It raises NotAllowed or SignInEnded where they are no longer here.
    """
    who = presence.identity() if presence.is_configured() else None
    valid_for = server.configuration().sign_in_valid_for

    def find(session: Session) -> Member:
        if who is None:
            found = members.find(session, visitor.partner_id, visitor.member_id)
        else:
            known = members.members_of(session, who, valid_for=valid_for)
            found = next((each for each in known if each.partner_id == visitor.partner_id), None)
        if found is None:
            raise NotAllowed
        return found

    return find


def link_token() -> str:
    """The token in the URL, "" when there is none: the first line of the public page of invitations."""
    speak(best_language(*_languages_of_browser()))
    return str(st.query_params.get(invitations.LINK_PARAMETER, ""))


def is_by_link() -> bool:
    """Whether somebody came through the link of an invitation: they see its page and nothing else."""
    return invitations.LINK_PARAMETER in st.query_params


def remember_language(visitor: Member) -> None:
    """Keep the language just switched to as the member's own; in the demo, only for this visit."""
    language = st.session_state.get("language")
    if language is None or server.is_demo():  # None: the control is leaving with its page
        return
    try:
        presence.refuse_who_left()
        with server.database().transaction() as session:
            members.choose_language(session, visitor, language)
    except SignInEnded:  # the run that follows says so
        return
    except DatabaseFailed as busy:  # it holds for this visit all the same
        server.log.warning("The language of a member was not kept: %s", busy)


def choose_demo_member(visitor: Member) -> None:
    """The picker by which one acts as any of the demo's members."""
    seeded = _seeded(server.database(), visitor.partner.change_number)
    chosen = choose(
        st.selectbox,
        t("Act as"),
        list(seeded),
        lambda member_id: seeded[member_id].words,
        "demo.member",
        at_first=visitor.member_id,
        filter_mode=None,
    )
    if chosen != visitor.member_id:
        st.rerun()


def _arrive_in_the_demo() -> Arrival:
    try:
        database = server.database()
    except DemoRefused:
        return Arrival()
    browser, acting = st.user.to_dict().get("browser"), _acting()
    chosen = st.session_state.setdefault("demo.member", acting.get(browser, 1))
    with database.reading(single=True) as session:
        found = members.find(session, demo.PARTNER_ID, chosen) or members.find(session, demo.PARTNER_ID, 1)
        if found is None:
            return Arrival()
        if browser:
            server.keep_newest(acting, browser, found.member_id)
        return Arrival(chosen=found, shown_as=demo.shown_day(session, found.partner))


@st.cache_resource(ttl=3600, max_entries=1, show_spinner=False)
def _acting() -> dict[Any, int]:
    """As which of the demo's members each browser acts: a reload of the page begins a new session, as the same one."""
    return {}


class _Seeded(NamedTuple):
    """A member of the demo, as the picker names them."""

    name: str
    role: Role
    is_active: bool

    @property
    def words(self) -> str:
        """The name and the role; who is inactive is marked as such."""
        return " · ".join((self.name, self.role.label, *(() if self.is_active else (t("Inactive"),))))


@st.cache_resource(ttl=60, max_entries=10, show_spinner=False)
def _seeded(_database: Database, change_number: int) -> dict[int, _Seeded]:  # noqa: ARG001 - the key
    with _database.reading(single=True) as session:
        everyone = members.of_partner(session, demo.PARTNER_ID)
    return {each.member_id: _Seeded(each.name, each.role, each.is_active) for each in everyone}
