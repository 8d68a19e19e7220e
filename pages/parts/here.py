"""Who is here, and the database: the one room where pages learn both."""

import logging
from contextvars import ContextVar
from pathlib import Path
from uuid import uuid4

import streamlit as st
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from core import access, demo, links
from core.access import Permission
from core.configuration import Configuration
from core.database import Database
from core.errors import BillingError, DemoRefused, NotAllowed
from core.language import CLIENT_LANGUAGES, best_language, speak, t
from core.models import Member
from core.terms import Role
from pages.parts.choices import choose
from pages.parts.text import plain

ROOT = Path(__file__).parent.parent.parent

log = logging.getLogger("billing_defaults")

_visitor: ContextVar[Member | None] = ContextVar("visitor", default=None)
_glance: ContextVar[Session | None] = ContextVar("glance", default=None)


@st.cache_resource(show_spinner=False)
def configuration() -> Configuration:
    """What the operator has set, read once."""
    return Configuration()


@st.cache_resource(show_spinner=False)
def database() -> Database:
    """The database of this server, ready: the demo made, or an embedded file migrated. Raises DemoRefused."""
    opened = Database(configuration().url, links=configuration().links)
    if configuration().is_demo:
        demo.open_demo(opened)
    elif opened.is_embedded:
        opened.migrate()
    return opened


def glance() -> Session:
    """This run's session for single questions (`Database.glance`), open until the run ends."""
    session = _glance.get()
    if session is None:
        session = database().glance()
        _glance.set(session)
    return session


def leave() -> None:
    """End the run: what it held of the database is given back."""
    if (session := _glance.get()) is not None:
        session.close()
        _glance.set(None)


def is_demo() -> bool:
    """Whether this server runs in demo mode."""
    return configuration().is_demo


def arrive() -> Member | None:
    """Who is here on this run, read anew from the database, and the language they read from now on.

    Until sign-in exists, members exist in demo mode only; otherwise nobody is here.
    """
    speak(best_language(st.session_state.get("language"), st.context.locale))
    visitor = _demo_member() if is_demo() else None
    _visitor.set(visitor)
    if visitor is not None:
        st.session_state.setdefault("language", best_language(visitor.language, st.context.locale))
        speak(st.session_state["language"], visitor.partner.time_zone)
    return visitor


def member(permission: Permission) -> Member:
    """The member who is here and may do this: the first line of every page. Raises NotAllowed."""
    visitor = _visitor.get() or arrive()
    if visitor is None:
        raise NotAllowed
    access.require(visitor, permission)
    return visitor


def link_token() -> str:
    """The token in the URL, "" when there is none: the first line of the public page of invitations."""
    wanted = best_language(st.context.locale, among=CLIENT_LANGUAGES)
    speak(wanted)
    return str(st.query_params.get(links.PARAMETER, ""))


def is_by_link() -> bool:
    """Whether somebody came through the link of an invitation: they see its page and nothing else."""
    return links.PARAMETER in st.query_params


def nothing_to_show() -> None:
    """The whole page of someone who may use nothing."""
    st.title("Billing Defaults", anchor=False)
    try:
        database()
    except DemoRefused as refusal:
        st.warning(plain(refusal))
        return
    if not is_demo():
        st.info(t("Sign-in is not configured on this server, so there is nothing to show yet."), icon=":material/lock:")
    else:
        st.info(
            t("You have no access to clients here. An administrator of your partner space can give it to you."),
            icon=":material/lock:",
        )


def remember_language(visitor: Member) -> None:
    """Keep the language just switched to as the member's own."""
    if (language := st.session_state.get("language")) is None:  # the control is leaving with its page
        return
    try:
        with database().transaction() as session:
            access.choose_language(session, visitor, language)
    except OperationalError as busy:  # it holds for this visit all the same
        log.warning("The language of a member was not kept: %s", busy)


def choose_demo_member(visitor: Member) -> None:
    """The picker by which one acts as any of the demo's members."""
    seeded = _seeded(database())
    chosen = choose(
        st.selectbox, t("Act as"), list(seeded), lambda member_id: _named(*seeded[member_id]), "demo.member",
        at_first=visitor.member_id, filter_mode=None,
    )  # fmt: skip
    if chosen != visitor.member_id:
        st.rerun()


def demo_banner() -> None:
    """One line on top of each page that says this is a demo."""
    if is_demo():
        st.caption(
            t("**Demo.** Sample clients, members, plans and prices; nothing here is real, and nothing is ever sent."),
        )


def say_next(message: str) -> None:
    """Show this on the next run: what has just been done, also after a switch of pages."""
    st.session_state.setdefault("messages", []).append(message)


def show_messages() -> None:
    """What was done on the run before."""
    for message in st.session_state.pop("messages", []):
        st.success(plain(message), icon=":material/check_circle:")


def no_clients_assigned() -> None:
    """What an accountant sees in place of clients."""
    st.info(
        t("No clients are assigned to you yet. As an accountant you will see the clients assigned to you here."),
        icon=":material/person_search:",
    )


def refused(refusal: BillingError) -> None:
    """Show a refusal: a sentence that says what is so and what to do."""
    st.error(plain(refusal), icon=":material/error:")


def unexpected(exception: Exception) -> bool:
    """Something nobody foresaw: the log has the trace, the person a reference to it."""
    reference = uuid4().hex[:8]
    log.error("Reference %s", reference, exc_info=exception)
    st.error(
        t("Something went wrong. Try again; if it happens again, give your administrator this reference: {reference}.",
          reference=reference)
    )  # fmt: skip
    return True


def _demo_member() -> Member | None:
    try:
        database()
    except DemoRefused:
        return None
    chosen = access.member(glance(), demo.PARTNER_ID, st.session_state.get("demo.member", 1))
    return chosen or access.member(glance(), demo.PARTNER_ID, 1)


@st.cache_resource(ttl=60, show_spinner=False)
def _seeded(_database: Database) -> dict[int, tuple[str, Role]]:
    with _database.glance() as session:
        members = access.members(session, demo.PARTNER_ID)
    return {member.member_id: (member.name, member.role) for member in members}


def _named(name: str, role: Role) -> str:
    return f"{name} · {role.label}"
