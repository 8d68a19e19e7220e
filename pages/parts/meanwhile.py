"""A page that lies open tells when somebody else changed what it shows: one line beside its title, in a place that is
kept for it, so that nothing moves. *Show* reads the page anew; filters, the page of a list and what was typed stay.

The browser asks for it every few seconds, and this part of the page alone runs (Streamlit's run_every): nothing of it
is left on the server when the browser is gone. What it takes is in docs/decisions, and `python -m tests.load` measures
it.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import pandas as pd
import streamlit as st
from sqlalchemy.orm import Session

from core import reports
from core.members import Member
from core.reports import ListedClient, Seen
from core.words import BillingError, DatabaseFailed, nt, t
from pages.parts import figures, server, visitor
from pages.parts.text import plain

EVERY = 15  # seconds between two questions of a page
EVERY_COUNTED = 60  # where the answer is counted over all clients
_PLACE = (430, 40)  # pixels, wide and high: one line, or two of a narrow window
_NARROW_PLACE = (200, 64)  # beside a short title on a telephone

_SHOWN = "meanwhile"  # in the session's memory: what the page shows
_ASKED = "meanwhile asked"  # in the session's memory: *Show* was clicked


@dataclass(frozen=True, slots=True)
class _Shown:
    """What a page shows: since when, which clients or which distribution; and what was found out at which number."""

    since: Seen
    asked_at: int
    clients: tuple[int, ...] = ()
    spread: pd.DataFrame | None = None
    said: str = ""


Question = Callable[[Session, Member, _Shown], str]  # what others did, in words; "": nothing


def of_list(member: Member, *, is_narrow: bool) -> None:
    """The line of the list of clients, which says itself what it shows (`shows`)."""
    _line(member, _of_list, place=_NARROW_PLACE if is_narrow else _PLACE)


def of_client(member: Member, since: Seen, client_id: int) -> None:
    """The line of the page of a client."""
    _line(member, _of_client, since, client_id)


def of_defaults(member: Member, since: Seen) -> None:
    """The line of the page of default settings."""
    _line(member, _of_defaults, since)


def of_distribution(member: Member) -> None:
    """The line of the plan distribution, which says itself what it shows (`shows_spread`)."""
    _line(member, _of_distribution, every=EVERY_COUNTED)


def shows(since: Seen | None, clients: Iterable[ListedClient]) -> None:
    """The list shows these clients, read after `since`; None: as they were on a past day, which nobody changes."""
    st.session_state.pop(_SHOWN, None)
    if since is not None:
        st.session_state[_SHOWN] = _Shown(since, since.change_number, tuple(each.client_id for each in clients))


def shows_spread(since: Seen, spread: pd.DataFrame) -> None:
    """The page shows this distribution, read after `since`."""
    st.session_state[_SHOWN] = _Shown(since, since.change_number, spread=spread)


def _line(
    member: Member,
    question: Question,
    since: Seen | None = None,
    *clients: int,
    every: float = EVERY,
    place: tuple[int, int] = _PLACE,
) -> None:
    st.session_state.pop(_SHOWN, None)
    if since is not None:
        st.session_state[_SHOWN] = _Shown(since, since.change_number, clients)
    find, ran_before = visitor.later(member), False

    def part() -> None:
        nonlocal ran_before
        is_alone, ran_before = ran_before, True
        if st.session_state.pop(_ASKED, False) and is_alone:
            st.rerun()
        if said := _found_out(find, question) if is_alone else "":
            st.button(
                " · ".join((plain(said), t("Show"))),
                key="meanwhile.show",
                type="tertiary",
                icon=":material/update:",
                on_click=_ask,
            )

    width, height = place
    with st.container(width=width, height=height, border=False):
        st.fragment(part, run_every=every)()


def _ask() -> None:
    st.session_state[_ASKED] = True


def _found_out(find: Callable[[Session], Member], question: Question) -> str:
    """What others did by now. Whoever is no longer here is told nothing, nor is anything said of a database that is
    away: a click will."""
    visitor.speak_as_chosen()
    shown: _Shown | None = st.session_state.get(_SHOWN)
    if shown is None:
        return ""
    try:
        with server.database().reading(single=True) as session:
            member = find(session)
            if (change_number := member.partner.change_number) != shown.asked_at:
                shown = replace(shown, said=question(session, member, shown), asked_at=change_number)
                st.session_state[_SHOWN] = shown
    except DatabaseFailed:
        return shown.said
    except BillingError:
        return ""
    return shown.said


def _of_list(session: Session, member: Member, shown: _Shown) -> str:
    invited = reports.invited_since(session, member, shown.since)
    changed = reports.changed_since(session, member, shown.since, shown.clients).clients
    sentences = []
    if invited:
        sentences.append(nt("{count} client was invited meanwhile", "{count} clients were invited meanwhile", invited))
    if changed:
        sentences.append(
            nt("{count} client shown was changed meanwhile", "{count} clients shown were changed meanwhile", changed)
        )
    return " · ".join(sentences)


def _of_client(session: Session, member: Member, shown: _Shown) -> str:
    changed = reports.changed_since(session, member, shown.since, shown.clients)
    if not changed.clients:
        return ""
    if changed.by is None:
        return t("This client was changed meanwhile")
    return t("This client was changed meanwhile by {name}", name=changed.by)


def _of_defaults(session: Session, member: Member, shown: _Shown) -> str:
    saved = reports.saved_since(session, member, shown.since)
    if saved is None:
        return ""
    if saved.version is None:
        return t("The default sets were changed meanwhile by {name}", name=saved.by)
    version = str(saved.version)
    if saved.sets.are_several:
        of_set = saved.sets.named(saved.set_number).name
        return t("{set} v{version} was saved meanwhile by {name}", set=of_set, version=version, name=saved.by)
    return t("Version {version} was saved meanwhile by {name}", version=version, name=saved.by)


def _of_distribution(session: Session, member: Member, shown: _Shown) -> str:
    now = figures.spread(server.database(), member, reports.in_force(session, member))
    return "" if shown.spread is None or now.equals(shown.spread) else t("The distribution has changed meanwhile")
