"""The default sets of a firm that has several: side by side, and what is done with the one that is open."""

from collections.abc import Callable, Mapping

import streamlit as st

from core import defaults
from core.catalogue import Catalogue
from core.defaults import LONGEST_SET_NAME, DefaultSetChange, NamedSet, Sets, SetVersion
from core.invitations import by_name, offered_text
from core.members import Member
from core.words import BillingError, BillingSettings, ClientStatus, SetChange, StaleError, moment, nt, t
from pages.parts import choices, notices, presence, server
from pages.parts.text import payer_text, plain, price_text

CLIENTS = "pages/clients/billing_sources.py"
SET = "set"  # in the address: the number of the set that is open
RENAME, STANDARD, RETIRE, BRING_BACK = "rename", "standard", "retire", "bring back"

_LAST = "defaults set"  # in the session's memory: the set that was open last
_CARD = 300  # pixels


def summary(settings: BillingSettings, offer: Catalogue) -> str:
    """Standard + Bank feeds, billed monthly, paid by us."""
    return ", ".join([offered_text(settings, offer), payer_text(settings.payer), *by_name(settings, offer)])


def what_it_gives(settings: BillingSettings, offer: Catalogue) -> bool:
    """What a client gets with these settings, what it costs and who pays; whether they can be had at all."""
    st.text(summary(settings, offer))
    try:
        offer.refuse_unsellable(settings)
    except BillingError as refusal:
        notices.refused(refusal)
        return False
    st.text(price_text(offer.price(settings)))
    return True


def opened(sets: Sets) -> NamedSet | None:
    """The set in the address, else the one looked at last, else the standard one; the address says which, where there
    are several. None: no defaults are saved yet."""
    asked = str(st.query_params.get(SET, ""))
    wanted = int(asked) if asked.isascii() and asked.isdecimal() and len(asked) <= 9 else st.session_state.get(_LAST)
    found = sets.find(wanted) or sets.standard
    if found is not None:
        st.session_state[_LAST] = found.set_number
    presence.write_url({SET: str(found.set_number)} if found is not None and sets.are_several else {})
    return found


def open_set(set_number: int) -> None:
    """The next run has this set open."""
    st.session_state[_LAST] = set_number
    st.query_params.pop(SET, None)


def side_by_side(sets: Sets, open_one: NamedSet, offer: Catalogue, clients_of: Mapping[SetVersion, int] | None) -> None:
    """A card for each set: what it gives, its price, how many clients are bound to it, and how many of those to older
    versions. `clients_of` None: the reader does not see every client."""
    with st.container(horizontal=True, gap="small"):
        for each in sets:
            with st.container(border=True, width=_CARD, gap="xxsmall"):
                _card(sets, each, offer, clients_of, is_open=each is open_one)


def _card(
    sets: Sets, each: NamedSet, offer: Catalogue, clients_of: Mapping[SetVersion, int] | None, *, is_open: bool
) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"**{plain(each.name)}** v{each.version}", width="content")
        pill(each)
    st.text(summary(each.settings, offer))
    if price := offer.billed(each.settings, ClientStatus.INVITED):
        st.text(price_text(price))
    if clients_of is not None:
        bound = bound_to(each.set_number, clients_of)
        of_set = {"default_set": str(each.set_number)}
        with st.container(horizontal=True, gap="small"):
            _way_in(nt("{count} client", "{count} clients", bound), bound, of_set)
            older = sum(
                clients
                for version, clients in clients_of.items()
                if version.set_number == each.set_number and sets.is_older(version)
            )
            if older:
                label = nt("{count} on an older version", "{count} on older versions", older)
                _way_in(label, older, of_set | {"source": "older"})
    st.button(
        t("Open below") if is_open else t("Open {name}", name=plain(each.name)),
        key=f"sets.open {each.set_number}",
        disabled=is_open,
        on_click=open_set,
        args=(each.set_number,),
    )


def pill(each: NamedSet) -> None:
    """What sets it apart from the others."""
    if each.is_standard:
        st.badge(t("Standard set"), color="green")
    elif each.is_retired:
        st.badge(t("Retired"), color="gray")


def _way_in(label: str, count: int, filters: Mapping[str, str]) -> None:
    """A number of clients, which opens them; none are said."""
    if count:
        st.page_link(CLIENTS, label=label, query_params=dict(filters), width="content")
    else:
        st.text(label, width="content")


def actions(member: Member, sets: Sets, open_one: NamedSet, bound: int | None) -> None:
    """What can be done with the open set beside saving a version of it; or the one that was asked for, with what it
    will do. `bound`: how many clients are bound to it, where the reader sees every client."""
    form = choices.form(_key(open_one.set_number))
    asked = st.session_state.get(f"{form}.open")
    offered = _offered(open_one)
    if asked in offered:
        _form(form, asked, member, sets, open_one, bound)
        return
    with st.container(horizontal=True):
        for action, label in offered.items():
            st.button(label, key=f"{form}.open {action}", on_click=choices.open_form, args=(form, action))


def _offered(each: NamedSet) -> dict[str, str]:
    offered = {RENAME: t("Rename")}
    if each.is_retired:
        offered[BRING_BACK] = t("Bring back")
    elif not each.is_standard:
        offered[STANDARD] = t("Make it the standard set")
        offered[RETIRE] = t("Retire")
    return offered


def _form(form: str, action: str, member: Member, sets: Sets, each: NamedSet, bound: int | None) -> None:
    name, state, standard = each.name, st.session_state, sets.standard
    seen = each.changes
    if action == STANDARD:
        seen = 0 if standard is None else standard.set_number
    seen = state.setdefault(f"{form}.seen", seen)
    with st.container(border=True, width=620):
        match action:
            case _ if action == RENAME:
                st.text_input(
                    t("New name"), value=name, key=f"{form}.name", max_chars=LONGEST_SET_NAME, persist_state="session"
                )
                lines = [t("Every screen then says the new name, of the past too. No client changes.")]
                label = t("Rename the set")
            case _ if action == STANDARD:
                lines = [
                    t("A client invited from then on gets {name}, unless another set is picked.", name=name),
                    t("{name} stays, and can be picked. No client changes.", name=standard),
                ]
                label = t("Make {name} the standard set", name=plain(name))
            case _ if action == RETIRE:
                lines = [t("Nobody can then pick {name}, save a version of it or adopt it.", name=name), _keep(bound)]
                label = t("Retire {name}", name=plain(name))
            case _:
                lines = [t("{name} can then be picked, saved to and adopted again. No client changes.", name=name)]
                label = t("Bring {name} back", name=plain(name))
        for line in lines:
            st.text(line)
        with st.container(horizontal=True):
            st.button(
                label,
                type="primary",
                key=f"{form}.do",
                on_click=_do,
                args=(form, action, member, each.set_number, seen, choices.attempt(form)),
            )
            key = _key(each.set_number)
            st.button(t("Cancel"), key=f"{form}.cancel", shortcut="Esc", on_click=choices.forget, args=(key,))


def _keep(bound: int | None) -> str:
    """What becomes of the clients of a set that is retired (rule 20)."""
    if bound is None:
        return t("Its clients keep everything, and it can be brought back.")
    return nt(
        "Its {count} client keeps everything; a pending invitation on it can still be accepted. "
        "It can be brought back.",
        "Its {count} clients keep everything; a pending invitation on it can still be accepted. "
        "It can be brought back.",
        bound,
    )


def _key(set_number: int) -> str:
    return f"set {set_number}"


@notices.callback
def _do(form: str, action: str, member: Member, set_number: int, seen: int, attempt: str) -> None:
    """Do with the set what was asked; refused as somebody else was first, the form stays and looks anew."""
    if form != choices.form(_key(set_number)):  # the second of two quick clicks: the first one did it
        return
    name = st.session_state.get(f"{form}.name") or ""
    acts: dict[str, Callable[..., NamedSet]] = {
        STANDARD: defaults.make_standard,
        RETIRE: defaults.retire_set,
        BRING_BACK: defaults.bring_back_set,
    }
    try:
        with server.database().transaction() as session:
            if action == RENAME:
                done = defaults.rename_set(session, member, set_number, name, seen=seen, attempt=attempt)
            else:
                done = acts[action](session, member, set_number, seen=seen, attempt=attempt)
    except StaleError:
        st.session_state.pop(f"{form}.seen", None)
        raise
    choices.forget(_key(set_number))
    said = {
        RENAME: t("The set is now called {name}.", name=done),
        STANDARD: t("{name} is the standard set now.", name=done),
        RETIRE: t("{name} is retired.", name=done),
        BRING_BACK: t("{name} can be picked again.", name=done),
    }
    notices.say_next(said[action])


def history(done: list[DefaultSetChange]) -> None:
    """What was done with the set beside its versions, newest first: named, made the standard set, retired."""
    with st.expander(t("What was done with this set")):
        for each in done:
            words = each.what.label
            if each.what is SetChange.NAMED and each.before:
                words = t("{before} → {after}", before=each.before, after=each.after)
            elif each.what is SetChange.NAMED:
                words = t("Made as {name}", name=each.after)
            st.text(" · ".join([moment(each.changed_at), each.changed_by.name, words]))


def bound_to(set_number: int, clients_of: Mapping[SetVersion, int]) -> int:
    """How many clients are bound to any version of a set."""
    return sum(clients for version, clients in clients_of.items() if version.set_number == set_number)
