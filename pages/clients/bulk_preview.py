"""What a bulk change would do, in groups, who is left out, and the button that does it."""

from collections.abc import Callable
from typing import Any

import pandas as pd
import streamlit as st
from sqlalchemy.orm import Session

from core import bulk
from core.bulk import BulkPreview, Group, PastBatch
from core.catalogue import Catalogue, Price
from core.defaults import EffectiveSettings, Sets, changes
from core.words import LONGEST_NOTE, BillingError, Money, Setting, StaleError, day, nt, number, t
from pages.parts import choices, notices, server
from pages.parts.text import change_text, joined, plain, price_text

BULK_CHANGES = "pages/clients/bulk_changes.py"
SHOWN = 200  # groups, and clients left out, on the page; the file has all of these

Previewed = Callable[[Session], BulkPreview]
Done = Callable[..., PastBatch]  # takes the session, and digest, reason, attempt and progress by name


def previewed(form: str, asked: Any, preview: Previewed) -> BulkPreview | None:
    """The preview of what is asked for, made once until something else is asked for; None where it is refused."""
    state = st.session_state
    seen: tuple[Any, BulkPreview] | None = state.get(f"{form}.seen")
    if seen is not None and seen[0] == asked:
        return seen[1]
    try:
        with st.spinner(t("Working out what would change…")), server.database().reading() as session:
            made = preview(session)
    except BillingError as refusal:
        notices.refused(refusal)
        return None
    state[f"{form}.seen"] = (asked, made)
    return made


def show(seen: BulkPreview, offer: Catalogue, sets: Sets) -> None:
    """How many change and how many do not, the groups from what to what, and who is left out as a table and a file."""
    left = len(seen.left_out)
    with st.container(horizontal=True):
        st.metric(t("Clients that change"), number(seen.changed), border=True)
        st.metric(t("Left out"), number(left), border=True)
        if seen.charge.cents:
            st.metric(t("Upgrades charged today"), str(seen.charge), border=True)
        if seen.replaces_pending:
            st.metric(t("Pending changes replaced or cancelled"), number(seen.replaces_pending), border=True)
    if seen.groups:
        rows = [_group(group, seen.currency, offer, sets) for group in seen.groups[:SHOWN]]
        st.table(pd.DataFrame(rows), border="horizontal")
        if len(seen.groups) > SHOWN:
            st.caption(t("The largest {shown} of {count} groups.", shown=SHOWN, count=len(seen.groups)))
    if not left:
        return
    with st.expander(nt("{count} client is left out", "{count} clients are left out", left), icon=":material/block:"):
        for why, count in seen.left_out_by_reason.items():
            st.text(f"{why.label}: {number(count)}")
        told = [{t("Client"): plain(each.name), t("Why"): plain(each.text)} for each in seen.left_out[:SHOWN]]
        st.table(pd.DataFrame(told), border="horizontal")
        st.download_button(
            t("Download who is left out"),
            data=lambda: bulk.left_out_file(seen.left_out).encode(),
            file_name="left out.csv",
            mime="text/csv",
            on_click="ignore",
            icon=":material/download:",
            key="left out.csv",
        )


def confirm(key: str, seen: BulkPreview, label: str, do: Done) -> None:
    """The reason, and the button that says what it does; it shows how far it is, and the report opens when it is
    done. Refused, what was typed stays, and what would be done now is worked out anew."""
    form = choices.form(key)
    if refusal := st.session_state.get(f"{form}.refused"):
        notices.refused(refusal)
    reason = st.text_input(t("Reason"), key=f"{form}.reason", max_chars=LONGEST_NOTE, persist_state="session")
    st.caption(t("Stay on this page until it is done: whoever leaves it meanwhile stops it, and nothing is changed."))
    if not st.button(label, key=f"{form}.do", type="primary", disabled=not seen.changed):
        return
    bar = st.progress(0.0, text=t("Changing the clients…"))

    def progress(done: int) -> None:
        said = t("{done} of {total} clients", done=number(done), total=number(seen.chosen))
        bar.progress(min(1.0, done / max(1, seen.chosen)), text=said)

    state = st.session_state
    try:
        with server.database().transaction() as session:
            made = do(
                session, digest=seen.digest, reason=reason, attempt=choices.attempt(form), progress=progress
            )  # fmt: skip
    except BillingError as refusal:
        if isinstance(refusal, StaleError):
            state.pop(f"{form}.seen", None)
        state[f"{form}.refused"] = refusal
        st.rerun()
    choices.forget(key)
    said = nt("{count} client is changed.", "{count} clients are changed.", made.changed)
    notices.say_next(t("Bulk change {batch}: {done}", batch=str(made.batch), done=said))
    st.switch_page(BULK_CHANGES, query_params={"batch": str(made.batch)})


def _group(group: Group, currency: str, offer: Catalogue, sets: Sets) -> dict[str, str]:
    kind = group.kind
    days = day(group.first)
    if group.last != group.first:
        days = t("{first} to {last}", first=group.first, last=group.last)
    told = [what(group, offer, sets)]
    if group.become_payer:
        told.append(nt("{count} is told that it pays", "{count} are told that they pay", group.become_payer))
    if group.given_up_days:
        told.append(nt("{count} paid day is given up", "{count} paid days are given up", group.given_up_days))
    return {
        t("Clients"): number(group.clients),
        t("What changes"): plain(joined(told)),
        t("When"): t("at the renewal, {days}", days=days) if kind.waits else t("now"),
        t("Price"): "–" if kind.before is None else _prices(kind.price_before, kind.price_after),
        t("Charged today"): str(Money(group.charge_cents, currency)) if group.charge_cents else "–",
    }


def what(group: Group, offer: Catalogue, sets: Sets) -> str:
    """From what to what the clients of a group change, in words."""
    kind = group.kind
    if kind.before is None:
        before_them, after_them = kind.responsible_before, kind.responsible_after
        return t("Account manager: {before} → {after}", before=before_them, after=after_them)
    if kind.after is None:
        return t("The subscription ends")
    if kind.withdraws_end:
        return t("The end is cancelled; the subscription goes on")
    if kind.withdrawn is not None:
        before, after = kind.withdrawn, kind.after
        return t("Cancelled: {changes}", changes=joined(_changes(after, before, offer, sets)))
    return joined(_changes(kind.before, kind.after, offer, sets)) or t("What waits changes")


def _changes(before: EffectiveSettings, after: EffectiveSettings, offer: Catalogue, sets: Sets) -> list[str]:
    different = {change.setting: change for change in changes(before.settings, after.settings)}
    told = []
    for setting in Setting:
        if setting in different:
            told.append(change_text(different[setting], offer))
        elif setting.of(before).source is not setting.of(after).source:
            told.append(t("{setting}: {source}", setting=setting, source=setting.of(after).source.label))
    if after.bound is not None and after.bound != before.bound:
        bound_before = t("none") if before.bound is None else sets.said(before.bound)
        told.append(t("{before} → {after}", before=bound_before, after=sets.said(after.bound)))
    return told


def _prices(before: Price | None, after: Price | None) -> str:
    said = ["–" if price is None else price_text(price) for price in (before, after)]
    return said[0] if said[0] == said[1] else " → ".join(said)
