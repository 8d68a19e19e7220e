"""Text shown safely, and the words that pages share: changes, prices, and the pill of a source."""

import re
from collections.abc import Callable, Iterable
from typing import Literal

import streamlit as st

from core.catalogue import Catalogue, Price
from core.defaults import Change
from core.words import BillingPeriod, Payer, Setting, Source, nt, t

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~$&^=\"'/:@])")
_BREAKS = re.compile(r"[ \t\r\n\f\v]+")  # no-break spaces stay: amounts and French punctuation hold together
_ARROWS = re.compile(r"(\\[-<>=~])(?=\\[-<>=~])")  # ->, <=, -- and their like, which would become other signs
_JOIN = "\u2060"  # an invisible joiner: keeps :name:, a@b and www. from becoming icons and links


def plain(text: object) -> str:
    """Any text as Streamlit's Markdown shows it letter for letter, on one line."""
    escaped = _MARKDOWN.sub(r"\\\1", _BREAKS.sub(" ", str(text)).strip())
    escaped = _ARROWS.sub(rf"\1{_JOIN}", escaped)
    return escaped.replace("\\:", f":{_JOIN}").replace("\\@", f"@{_JOIN}").replace("www\\.", f"www{_JOIN}\\.")


def joined(parts: Iterable[str]) -> str:
    """Clauses one after the other, with the reader's semicolon."""
    first, *others = [*parts] or [""]
    for rest in others:
        first = t("{first}; {rest}", first=first, rest=rest)
    return first


def change_text(change: Change, offer: Catalogue) -> str:
    """Subscription: Starter → Standard."""
    return offer.change_text(change.setting, change.before, change.after)


def source_text(overridden: frozenset[Setting], defaults_text: str) -> str:
    """The words of a client's source pill: what it is bound to, Default v3, or Override with which settings."""
    if not overridden:
        return defaults_text
    return t("Override: {settings}", settings=", ".join(setting.short for setting in Setting if setting in overridden))


def source_short(overridden: frozenset[Setting], defaults_text: str) -> str:
    """The same in a few letters: how many settings are exceptions, not which."""
    return t("Override · {count}", count=len(overridden)) if overridden else defaults_text


def settings_text(settings: frozenset[Setting]) -> str:
    """Settings by name, in their order."""
    return ", ".join(setting.label for setting in Setting if setting in settings)


def pill_text(source: Source, defaults_text: str) -> str:
    """The words of one setting's source pill; `defaults_text`: what the client is bound to is called."""
    return source.label if source is Source.OVERRIDE else defaults_text


def source_colour(source: Source, *, older: bool) -> Literal["blue", "orange", "gray"]:
    """The colour of a source pill: strong, warm, neutral. Never alone: the words are there."""
    if source is Source.OVERRIDE:
        return "blue"
    return "orange" if older else "gray"


def price_text(price: Price) -> str:
    """€24.00 a month, and what is charged where that is another amount."""
    if price.billing_period is BillingPeriod.MONTHLY:
        return t("{amount} a month", amount=price.per_month)
    return t("{amount} a month, charged {charged} a year", amount=price.per_month, charged=price.charged)


def payer_text(payer: Payer) -> str:
    """Who is charged, as it follows a price or a subscription."""
    return nt("paid by us", "paid by us", 1) if payer is Payer.PARTNER else t("paid by the client")


def heading(
    title: str,
    sentence: str,
    *,
    shows_prices: bool = False,
    beside: Callable[[], None] | None = None,
    ways: Callable[[], None] | None = None,
) -> None:
    """The page's title, and in one sentence what one does here; and what its prices leave out, said once. `beside` the
    title, what shows something there; right of the sentence, what shows the `ways` to other pages."""
    if beside is None:
        st.title(plain(title), anchor=False)
    else:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.title(plain(title), anchor=False, width="content")
            beside()
    without_vat = t("Prices are without VAT.")
    said = f"{sentence} {without_vat}" if shows_prices else sentence
    if ways is None:
        st.caption(said)
    else:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(said)
            ways()
