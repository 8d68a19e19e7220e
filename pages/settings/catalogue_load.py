"""Loading a catalogue file from the page, and withdrawing a price list: what it would do is said first."""

import streamlit as st

from core import catalogue, subscriptions
from core.catalogue import MAX_BYTES, Catalogue, CatalogueFileRefused, PriceList
from core.members import Member
from core.subscriptions import CatalogueLoad
from core.words import t
from pages.parts import choices, notices, server
from pages.parts.text import plain

_FORM = "catalogue.load"


def show(member: Member, offer: Catalogue) -> None:
    """A file to bring, what loading it would do, and one button that says so; and files to begin with."""
    form = choices.form(_FORM)
    file = st.file_uploader(
        t("A catalogue file (.toml)"), type=["toml"], max_upload_size=MAX_BYTES // 2**20 + 1, key=f"{form}.file"
    )
    if file is None:
        _files(offer)
        return
    try:
        found = catalogue.from_toml(file.getvalue())
    except CatalogueFileRefused as refusal:
        st.error(plain(t("The file {file} cannot be loaded as it is:", file=file.name)), icon=":material/error:")
        st.markdown(
            "\n".join(f"- {plain(f'{where}: {said}' if where else said)}" for where, said in refusal.fields.items())
        )
        return
    with server.database().reading() as session:
        previewed = subscriptions.preview_catalogue(session, found, by=member)
    with st.container(border=True):
        st.markdown(_lines(previewed))
        if previewed.refusals:
            st.error(plain(t("It cannot be loaded like this. Nothing was written.")), icon=":material/error:")
            st.markdown("\n".join(f"- {plain(refusal)}" for refusal in previewed.refusals))
        elif previewed.changes_anything:
            st.button(
                _what(previewed),
                type="primary",
                key=f"{form}.do",
                on_click=_load,
                args=(member, found, previewed.seen),
            )


def withdrawal(member: Member, price_list: PriceList) -> None:
    """A button that asks once more before the list is gone."""
    key = f"catalogue.withdraw {price_list.number}"
    with st.popover(t("Withdraw price list {number}", number=str(price_list.number)), icon=":material/undo:"):
        st.markdown(plain(t("Nobody will pay its prices. Those of the list before stay.")))
        st.button(
            t("Withdraw price list {number} for good", number=str(price_list.number)),
            type="primary",
            key=key,
            on_click=_withdraw,
            args=(member, price_list),
        )


def _files(offer: Catalogue) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(t("To begin with:"), width="content")
        for label, name, content in (
            (t("The catalogue as it is"), "catalogue.toml", catalogue.as_toml(offer)),
            (t("An example that explains each line"), "example.toml", catalogue.EXAMPLE),
        ):
            st.download_button(
                label,
                data=content.encode(),
                file_name=name,
                mime="application/toml",
                on_click="ignore",
                icon=":material/download:",
                key=f"{_FORM}.{name}",
                type="tertiary",
            )


def _lines(previewed: CatalogueLoad) -> str:
    """What the load does, as a list whose steps follow those of the sentences."""
    lines = []
    for line in subscriptions.said(previewed):
        said = line.lstrip(" ")
        lines.append(f"{'  ' * (len(line) - len(said))}- {plain(said)}")
    return "\n".join(lines)


def _what(previewed: CatalogueLoad) -> str:
    """What the button does."""
    if previewed.made is None:
        return t("Load it, with the prices as they are")
    return t("Load it: {list}", list=subscriptions.price_list_text(previewed.made))


@notices.callback
def _load(member: Member, found: Catalogue, seen: int) -> None:
    with server.database().transaction() as session:
        loaded = subscriptions.load_catalogue(session, found, by=member, seen=seen)
    choices.forget(_FORM)
    if loaded.edition is None:
        notices.say_next(t("Nothing changes: this is the catalogue that is stored."))
    else:
        notices.say_next(t("Loaded, as edition {edition} of the catalogue.", edition=str(loaded.edition)))


@notices.callback
def _withdraw(member: Member, price_list: PriceList) -> None:
    with server.database().transaction() as session:
        subscriptions.withdraw_price_list(session, price_list.number, price_list.currency, by=member, seen=price_list)
    notices.say_next(t("Price list {number} is withdrawn.", number=str(price_list.number)))
