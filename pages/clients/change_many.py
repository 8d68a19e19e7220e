"""Change many clients in one act: those ticked in the list, or all that its filters find.

What would be done is shown in groups first; who may not be changed is left out, each with the reason.
"""

from typing import Any

import streamlit as st

from core import bulk, catalogue, defaults, subscriptions
from core.bulk import Act, Chosen, Found, Ticked
from core.members import Permission
from core.reports import FILTERS
from core.words import BatchKind, BillingPeriod, Setting, nt, t
from pages.clients import bulk_preview, many_chosen
from pages.parts import choices, colleagues, server, visitor
from pages.parts.choices import choose
from pages.parts.text import heading

MANY = "many"
CLIENTS = "pages/clients/billing_sources.py"
LEAVE, FOLLOW, NOTHING, OWN = "leave", "follow", "nothing", "own"  # what becomes of one setting

member = visitor.member(Permission.OVERRIDE)
ACTS = {kind: label for kind, (label, _) in many_chosen.acts().items()}


def who() -> Chosen | None:
    """The clients that the address names: ticked ones by their numbers, or filters of the list. None: it cannot be
    read, as a filter left out would find more clients than were meant."""
    asked = {name: value for name, value in st.query_params.items() if name in FILTERS or name == "ticked"}
    try:
        if "ticked" in asked:
            return Ticked(tuple(int(each) for each in asked["ticked"].split(".")))
        return Found({name: FILTERS[name](value) for name, value in asked.items()})
    except ValueError:
        return None


def of_setting(setting: Setting) -> tuple[Any, bool]:
    """What one setting becomes: a value to set (None: none), and whether the override is cleared."""
    key = f"{form}.{setting.value}"
    words: dict[Any, str] = {LEAVE: t("Leave as it is"), FOLLOW: t("Use default")}
    if setting is Setting.PLAN:
        every = {plan.code: str(plan) for period in BillingPeriod for plan in offer.choosable_plans(period)}
        words |= every
    elif setting is Setting.ADD_ONS:
        words |= {NOTHING: t("None"), OWN: t("Choose…")}
    else:
        words |= {term: term.label for term in setting.terms or ()}
    said = choose(st.selectbox, setting.label, list(words), words.__getitem__, key, at_first=LEAVE, filter_mode=None)
    if said in (LEAVE, FOLLOW):
        return None, said == FOLLOW
    if said == OWN:
        add_ons = {code: str(add_on) for code, add_on in offer.add_ons.items() if not add_on.is_retired}
        picked = choose(
            st.multiselect, t("Add-ons to set"), list(add_ons), add_ons.__getitem__, f"{form}.own", at_first=[]
        )
        return frozenset(picked) or None, False
    return (frozenset() if said == NOTHING else said), False


def act_chosen(kind: BatchKind) -> Act | None:
    """The act with what was chosen for it; None: nothing is, so far."""
    match kind:
        case BatchKind.ADOPT:
            target = None
            if sets.are_several:
                words = {None: t("Each client its own set")} | {each.set_number: each.name for each in sets.to_pick}
                target = choose(
                    st.selectbox, t("Default set"), list(words), words.__getitem__, f"{form}.target", at_first=None,
                    filter_mode=None,
                )  # fmt: skip
            clear = st.checkbox(t("Clear the overrides too"), key=f"{form}.clear", persist_state="session")
            return bulk.Adopt(target, clear)
        case BatchKind.OVERRIDE:
            with st.container(horizontal=True):
                said = {setting: of_setting(setting) for setting in Setting}
            to_set = {setting.value: value for setting, (value, _) in said.items() if value is not None}
            to_clear = frozenset(setting for setting, (_, clears) in said.items() if clears)
            return bulk.Override(bulk.overrides_of(to_set), to_clear) if to_set or to_clear else None
        case BatchKind.RESPONSIBLE:
            with server.database().reading(single=True) as session:
                able = [each for each in subscriptions.responsible_members(session, member) if each.can_be_chosen]
            named = colleagues.in_words(able, member, t("{name} (me)", name=member.name))
            to = choose(
                st.selectbox, t("Account manager"), [None, *named], lambda number: named.get(number, "–"),
                f"{form}.to", at_first=None,
            )  # fmt: skip
            return None if to is None else bulk.ChangeResponsible(to)
        case BatchKind.CANCEL:
            return bulk.CancelPending()
        case _:
            when = {False: t("At the end of the paid period"), True: t("Now")}
            at_once = st.radio(
                t("When"), list(when), format_func=when.__getitem__, key=f"{form}.at once", persist_state="session",
                horizontal=True,
            )  # fmt: skip
            return bulk.Archive(bool(at_once))


def button_label(act: Act, count: int) -> str:
    """What the button does."""
    match act:
        case bulk.Adopt():
            return nt("Adopt for {count} client", "Adopt for {count} clients", count)
        case bulk.Override():
            return nt("Change the overrides of {count} client", "Change the overrides of {count} clients", count)
        case bulk.ChangeResponsible():
            return nt("Give {count} client", "Give {count} clients", count)
        case bulk.CancelPending():
            return nt("Cancel for {count} client", "Cancel for {count} clients", count)
    return nt("Archive {count} client", "Archive {count} clients", count)


def change(chosen: Chosen, act: Act) -> None:
    """What would be done, and the button that does it."""
    asked = (repr(chosen), repr(act))
    seen = bulk_preview.previewed(form, asked, lambda session: bulk.preview(session, member, act, chosen))
    if seen is None:
        return
    count = seen.chosen
    st.header(nt("What would change for {count} client", "What would change for {count} clients", count), anchor=False)
    bulk_preview.show(seen, offer, sets)
    label = button_label(act, seen.changed)
    bulk_preview.confirm(MANY, seen, label, lambda session, **named: bulk.do(session, member, act, chosen, **named))


heading(
    t("Change many clients"),
    t("One act on many clients, previewed before it is done, and undone as one."),
    shows_prices=True,
)
st.page_link(CLIENTS, label=t("Clients"), icon=":material/arrow_back:")
chosen = who()
if chosen is None:
    st.warning(t("This address cannot be read. Choose the clients in the list again."), icon=":material/link_off:")
    st.stop()
form = choices.form(MANY)
with server.database().reading(single=True) as session:
    offer = catalogue.current(session, member.partner)
    sets = defaults.sets(session, member)

first = st.query_params.get("act")
kind = choose(
    st.segmented_control,
    t("What is to be done"),
    list(ACTS),
    ACTS.__getitem__,
    f"{form}.act",
    at_first=next((each for each in ACTS if each.value == first), BatchKind.ADOPT),
    required=True,
)
act = act_chosen(kind)
if act is None:
    st.info(t("Choose what is to change; then you see what would be done."), icon=":material/touch_app:")
    st.stop()
change(chosen, act)
