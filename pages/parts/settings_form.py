"""The four settings as widgets: chosen outright (defaults), or each a choice beside "use default" (a client)."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from core.catalogue import Catalogue, Price
from core.language import t
from core.resolution import BillingSettings, EffectiveSettings, Overrides
from core.terms import BillingPeriod, Payer, Setting
from pages.parts.choices import choose
from pages.parts.text import pill_text, source_colour, value_text

INHERIT = "use default"  # the first option of each choice: follow the defaults


def choose_settings(form: str, start: BillingSettings, offer: Catalogue) -> BillingSettings:
    """Widgets for all four settings, beginning at `start`; what they say now."""
    st.session_state.setdefault(f"{form}.pays", start.payer is Payer.PARTNER)
    pays = st.toggle(t("Pay for new clients"), key=f"{form}.pays", persist_state="session",
                     help=t("On: you pay for the clients you invite from then on. Off: each client pays."))  # fmt: skip
    period = choose(
        st.segmented_control, Setting.BILLING_PERIOD.label, list(BillingPeriod), lambda period: period.label,
        f"{form}.billing_period", at_first=start.billing_period, required=True,
    )  # fmt: skip
    plan = _plan(form, offer, period, at_first=start.plan, held=None, first=[])
    add_ons = _add_ons(form, offer, plan, period, at_first=start.add_ons)
    return BillingSettings(Payer.PARTNER if pays else Payer.CLIENT, period, plan, add_ons)


def choose_overrides(
    form: str,
    inherited: BillingSettings | None,
    start: Overrides,
    offer: Catalogue,
    held: BillingSettings | None = None,
) -> Overrides:
    """Widgets for the choices of one client, beginning at `start`; what they say now.

    Each offers "use default" with the inherited value first; without inherited values nothing is chosen until it is.
    `held`: what the client has now, which it may keep though it is retired.
    """
    payer = _term(form, Setting.PAYER, list(Payer), inherited, start.payer, offer)
    period = _term(form, Setting.BILLING_PERIOD, list(BillingPeriod), inherited, start.billing_period, offer)
    assumed = inherited or held or first_settings(offer)  # to show prices by, and add-ons, until more is chosen
    priced_by = assumed.billing_period if period is None else period
    first = [None if inherited is None else INHERIT]
    at_first = first[0] if start.plan is None else start.plan
    chosen = _plan(form, offer, priced_by, at_first=at_first, held=held, first=first, inherited=inherited)
    plan = None if chosen == INHERIT else chosen
    add_ons: frozenset[str] | None = None
    match _own_add_ons(form, inherited, start, offer):
        case "none":
            add_ons = frozenset()
        case "choose":
            at_first_add_ons = assumed.add_ons if start.add_ons is None else start.add_ons
            add_ons = _add_ons(
                form, offer, assumed.plan if plan is None else plan, priced_by, at_first=at_first_add_ons, held=held,
                labelled=False,
            )  # fmt: skip
    return Overrides(payer, period, plan, add_ons)


def first_settings(offer: Catalogue) -> BillingSettings:
    """Where a form begins when nothing was ever saved: the first plan, monthly, paid by the client."""
    plan = offer.choosable_plans(BillingPeriod.MONTHLY)[0]
    return BillingSettings(Payer.CLIENT, BillingPeriod.MONTHLY, plan.code, frozenset())


def settings_table(effective: EffectiveSettings, offer: Catalogue) -> None:
    """Four lines: each setting, its value, and the pill of its source."""
    sources = (effective.payer.source, effective.billing_period.source, effective.plan.source, effective.add_ons.source)
    pills = [pill_text(source, effective.defaults_version, older=False) for source in sources]
    colours = [source_colour(source, older=False) for source in sources]
    values_table(effective.settings, offer, list(zip(pills, colours, strict=True)))


def values_table(settings: BillingSettings, offer: Catalogue, pills: Sequence[tuple[str, Any]] = ()) -> None:
    """Four lines: each setting and its value, with its pill where there is one."""
    values: list[Any] = [settings.payer, settings.billing_period, settings.plan, settings.add_ons]
    with st.container(gap="xxsmall"):
        for place, (setting, value) in enumerate(zip(Setting, values, strict=True)):
            with st.container(horizontal=True, vertical_alignment="center", wrap=False):
                st.text(setting.label, width=165)
                st.text(value_text(value, offer), width="stretch")
                if pills:
                    words, colour = pills[place]
                    st.badge(words, color=colour)


def _use_default(value: Any, offer: Catalogue) -> str:
    return t("Use default ({value})", value=value_text(value, offer))


def _term(
    form: str,
    setting: Setting,
    terms: list[Any],
    inherited: BillingSettings | None,
    start: Any,
    offer: Catalogue,
) -> Any:
    """One of a setting's terms; None: use the default, or nothing chosen yet where there is none."""
    default = None if inherited is None else getattr(inherited, setting.value)
    nothing = None if inherited is None else INHERIT
    chosen = choose(
        st.segmented_control, setting.label, terms if inherited is None else [INHERIT, *terms],
        lambda option: _use_default(default, offer) if option == INHERIT else option.label,
        f"{form}.{setting.value}", at_first=nothing if start is None else start, required=inherited is not None,
        wrap=True,
    )  # fmt: skip
    return None if chosen == INHERIT else chosen


def _plan(
    form: str,
    offer: Catalogue,
    period: BillingPeriod,
    *,
    at_first: str | None,
    held: BillingSettings | None,
    first: list[str | None],
    inherited: BillingSettings | None = None,
) -> Any:
    """A plan's code; or one of `first`: INHERIT, or None for nothing chosen yet."""
    stays = {st.session_state.get(f"{form}.plan"), at_first}  # what was chosen stays, so that a refusal can name it
    choosable = {plan.code for plan in offer.choosable_plans(period, held)}

    def words(code: str | None) -> str:
        if code is None:
            return t("Choose a subscription")
        if code == INHERIT:
            return _use_default(inherited.plan if inherited else "", offer)
        retired = t(" (retired)") if offer.plan(code).is_retired else ""
        price = offer.plan_price(code, period)
        return f"{offer.plan(code)}{retired}" if price is None else f"{offer.plan(code)}{retired} · {price.charged}"

    options = [*first, *(code for code in offer.plans if code in choosable or code in stays)]
    return choose(st.selectbox, Setting.PLAN.label, options, words, f"{form}.plan", at_first=at_first, filter_mode=None)


def _own_add_ons(form: str, inherited: BillingSettings | None, start: Overrides, offer: Catalogue) -> str | None:
    """Whether the add-ons are the inherited ones (None), or own: "none", "choose"; None too where nothing is chosen."""
    words = {"none": t("No add-ons"), "choose": t("Choose")}
    if inherited is not None:
        words = {INHERIT: _use_default(inherited.add_ons, offer), "choose": t("Choose")}
    nothing = None if inherited is None else INHERIT
    own: str | None = choose(
        st.segmented_control, Setting.ADD_ONS.label, list(words), words.__getitem__, f"{form}.own add_ons",
        at_first=nothing if start.add_ons is None else "choose", required=inherited is not None, wrap=True,
    )  # fmt: skip
    return None if own == INHERIT else own


def _add_ons(
    form: str,
    offer: Catalogue,
    plan: str,
    period: BillingPeriod,
    *,
    at_first: frozenset[str],
    held: BillingSettings | None = None,
    labelled: bool = True,
) -> frozenset[str]:
    """A set of add-ons. What was chosen stays offered, so that a refusal can name it and nothing vanishes."""
    chosen = st.session_state.get(f"{form}.add_ons", at_first)
    choosable = {add_on.code for add_on in offer.choosable_add_ons(plan, period, held)}

    def words(code: str) -> str:
        cents = offer.add_on_prices.get((code, period))
        name = str(offer.add_on(code))
        return name if cents is None else f"{name} · {Price(cents, period, offer.currency).charged}"

    picked = choose(
        st.multiselect, Setting.ADD_ONS.label, [code for code in offer.add_ons if code in choosable or code in chosen],
        words, f"{form}.add_ons", at_first=sorted(at_first), filter_mode=None, placeholder=t("No add-ons"),
        label_visibility="visible" if labelled else "collapsed",
    )  # fmt: skip
    return frozenset(picked)
