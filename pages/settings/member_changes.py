"""What was changed of members, in plain sentences."""

from collections.abc import Sequence

import streamlit as st

from core import members
from core.team import PastChange
from core.words import MemberFact, Role, moment, t
from pages.parts.text import joined, plain

_YES = members.STORED_BOOLEANS[True]


def show(changes: Sequence[PastChange]) -> None:
    """A line for each: when, and what somebody did; or that nothing was changed yet."""
    st.header(t("What was changed"), anchor=False)
    if not changes:
        st.caption(t("Nothing was changed yet."))
        return
    lines = (f"- {plain(moment(change.changed_at))} · {plain(sentence(change))}" for change in changes)
    st.markdown("\n".join(lines))


def sentence(change: PastChange) -> str:
    """Who did what, in one sentence."""
    by = t("Whoever runs this server") if change.changed_by is None else change.changed_by
    facts = {what: (before, after) for what, before, after in change.facts}
    if MemberFact.INVITED in facts:
        email, role = facts[MemberFact.INVITED][1], Role(facts[MemberFact.ROLE][1] or "")
        invited = t("{by} invited {name} ({email}). Role: {role}.", by=by, name=change.name, email=email, role=role)
        if role is Role.CLIENT_MANAGER and facts[MemberFact.CLIENT_ACCESS][1] != _YES:
            return invited + " " + t("Without access to clients.")
        return invited
    match facts.get(MemberFact.IS_ACTIVE):
        case (_, after) if after == _YES:
            return t("{by} brought {name} back.", by=by, name=change.name)
        case (_, _):
            return t("{by} deactivated {name}.", by=by, name=change.name)
    if (sign_in := facts.get(MemberFact.SIGN_IN)) is not None:
        if sign_in[1] is None:
            return t("{by} released the sign-in of {name}.", by=by, name=change.name)
        return t("{name} signed in for the first time: {account}.", name=change.name, account=sign_in[1])
    what = joined(_changed(fact, before, after) for fact, before, after in change.facts)
    return t("{by} changed {name}. {facts}.", by=by, name=change.name, facts=what)


def _changed(fact: MemberFact, before: str | None, after: str | None) -> str:
    return t("{fact}: {before} → {after}", fact=fact, before=_value(fact, before), after=_value(fact, after))


def _value(fact: MemberFact, stored: str | None) -> str:
    """A stored value in the reader's words."""
    if stored is None:
        return t("none")
    match fact:
        case MemberFact.ROLE:
            return Role(stored).label
        case MemberFact.CLIENT_ACCESS | MemberFact.IS_ACTIVE:
            return t("yes") if stored == _YES else t("no")
    return stored
