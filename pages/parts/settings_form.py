"""The settings as widgets: chosen outright (defaults), or each a choice beside "use default" (a client).

A setting that is one of a few words needs nothing here: it is a row of its terms. What a form says can be asked in a
callback too, which runs before its widgets do.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from core.catalogue import Catalogue, Price
from core.defaults import EffectiveSettings
from core.words import BillingPeriod, BillingSettings, Overrides, Payer, Setting, t
from pages.parts.choices import choose, chosen
from pages.parts.text import pill_text, source_colour

INHERIT = "use default"  # the first option of each choice: follow the defaults

_OWN_ADD_ONS = "own add_ons"  # whether the add-ons are those of the defaults, none, or chosen in their own box


def choose_settings(form: str, start: BillingSettings, offer: Catalogue) -> BillingSettings:
    """Widgets for all the settings, beginning at `start`; what they say now."""
    for setting in Setting:
        at_first = setting.of(start)
        match setting:
            case Setting.PAYER:
                st.session_state.setdefault(f"{form}.pays", at_first is Payer.PARTNER)
                st.toggle(
                    t("Pay for new clients"),
                    key=f"{form}.pays",
                    persist_state="session",
                    help=t("On: you pay for the clients you invite from then on. Off: each client pays."),
                )
            case Setting.PLAN:
                _choose_plan(form, offer, _said(form, Setting.BILLING_PERIOD, start), at_first=at_first)
            case Setting.ADD_ONS:
                plan, period = (_said(form, each, start) for each in (Setting.PLAN, Setting.BILLING_PERIOD))
                _choose_add_ons(form, offer, plan, period, at_first=at_first)
            case _:
                _choose_term(form, setting, at_first=at_first, required=True)
    return settings_chosen(form)


def settings_chosen(form: str) -> BillingSettings:
    """What the widgets of `choose_settings` say now."""
    values = {setting.value: chosen(_key(form, setting)) for setting in Setting}
    values[Setting.PAYER] = Payer.PARTNER if st.session_state[f"{form}.pays"] else Payer.CLIENT
    values[Setting.ADD_ONS] = frozenset(values[Setting.ADD_ONS])
    return BillingSettings(**values)


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
    assumed = inherited or held or first_settings(offer)  # to show prices by, and add-ons, until more is chosen
    nothing = None if inherited is None else INHERIT
    for setting in Setting:
        own = setting.of(start)
        at_first = nothing if own is None else own
        period = _said(form, Setting.BILLING_PERIOD, assumed)
        match setting:
            case Setting.PLAN:
                _choose_plan(form, offer, period, at_first=at_first, held=held, inherited=inherited, first=[nothing])
            case Setting.ADD_ONS:
                begins = assumed.add_ons if own is None else own
                st.session_state.setdefault(_key(form, setting), sorted(begins))
                if _choose_own_add_ons(form, offer, inherited, at_first=nothing if own is None else "choose"):
                    plan = _said(form, Setting.PLAN, assumed)
                    _choose_add_ons(form, offer, plan, period, at_first=begins, held=held, label_visibility="collapsed")
            case _:
                _choose_term(form, setting, at_first=at_first, required=inherited is not None, inherited=inherited)
    return overrides_chosen(form)


def follow(form: str, before: Overrides, start: Overrides, assumed: BillingSettings) -> None:
    """The widgets of `choose_overrides` began at `before` and begin again at `start`: a setting that nobody touched is
    as it is there, one that was touched stays as it was chosen. `assumed`: the add-ons to choose from at first."""
    said = overrides_chosen(form)
    for setting in Setting:
        own = setting.of(start)
        if setting.of(said) != setting.of(before) or own == setting.of(before):
            continue
        if setting is Setting.ADD_ONS:
            st.session_state[_key(form, setting)] = sorted(assumed.add_ons if own is None else own)
            st.session_state[f"{form}.{_OWN_ADD_ONS}"] = INHERIT if own is None else "choose"
        else:
            st.session_state[_key(form, setting)] = INHERIT if own is None else own


def overrides_chosen(form: str) -> Overrides:
    """What the widgets of `choose_overrides` say now; the defaults where a quick click came before they were there."""
    values = {setting.value: _own(chosen(_key(form, setting))) for setting in Setting}
    picked = {"none": frozenset(), "choose": frozenset(values[Setting.ADD_ONS] or ())}
    values[Setting.ADD_ONS] = picked.get(chosen(f"{form}.{_OWN_ADD_ONS}"))
    return Overrides(**values)


def first_settings(offer: Catalogue) -> BillingSettings:
    """Where a form begins when nothing was ever saved: the first plan, monthly, paid by the client."""
    plan = offer.choosable_plans(BillingPeriod.MONTHLY)[0]
    return BillingSettings.starting_with(
        payer=Payer.CLIENT, billing_period=BillingPeriod.MONTHLY, plan=plan.code, add_ons=frozenset()
    )


def settings_table(effective: EffectiveSettings, offer: Catalogue, defaults_text: str) -> None:
    """A line for each setting: its value, and the pill of its source; `defaults_text`: what it is bound to is
    called."""
    sources = {setting: setting.of(effective).source for setting in Setting}
    pills = {
        setting: (pill_text(source, defaults_text), source_colour(source, older=False))
        for setting, source in sources.items()
    }
    values_table(effective.settings, offer, pills)


def values_table(
    settings: BillingSettings, offer: Catalogue, pills: Mapping[Setting, tuple[str, Any]] | None = None
) -> None:
    """A line for each setting: its value, with its pill where there is one."""
    with st.container(gap="xxsmall"):
        for setting in Setting:
            with st.container(horizontal=True, vertical_alignment="center", wrap=False):
                st.text(setting.label, width=165)
                st.text(offer.value_text(setting.of(settings)), width="stretch")
                if pills:
                    words, colour = pills[setting]
                    st.badge(words, color=colour)


def _key(form: str, setting: Setting) -> str:
    return f"{form}.{setting.value}"


def _own(option: Any) -> Any:
    """The choice that an option stands for; None: use the default, or nothing chosen yet where there is none."""
    return None if option == INHERIT else option


def _said(form: str, setting: Setting, otherwise: BillingSettings) -> Any:
    """What the form says of a setting so far, else what is assumed of it."""
    own = _own(chosen(_key(form, setting)))
    return setting.of(otherwise) if own is None else own


def _use_default(setting: Setting, inherited: BillingSettings, offer: Catalogue) -> str:
    return t("Use default ({value})", value=offer.value_text(setting.of(inherited)))


def _choose_term(
    form: str,
    setting: Setting,
    *,
    at_first: Any,
    required: bool,
    inherited: BillingSettings | None = None,
) -> None:
    """A setting that is one of a few words, after "use default" where there is one."""

    def words(option: Any) -> str:
        if option == INHERIT and inherited is not None:
            return t("Use default ({value})", value=setting.of(inherited))
        label: str = option.label
        return label

    first = [] if inherited is None else [INHERIT]
    choose(
        st.segmented_control,
        setting.label,
        [*first, *(setting.terms or ())],
        words,
        _key(form, setting),
        at_first=at_first,
        required=required,
        wrap=True,
    )


def _choose_plan(
    form: str,
    offer: Catalogue,
    period: BillingPeriod,
    *,
    at_first: str | None,
    held: BillingSettings | None = None,
    inherited: BillingSettings | None = None,
    first: Sequence[str | None] = (),
) -> None:
    """A plan, after what comes `first`: INHERIT, or None for nothing chosen yet."""
    key = _key(form, Setting.PLAN)
    stays = {chosen(key), at_first}  # what was chosen stays, so that a refusal can name it
    choosable = {plan.code for plan in offer.choosable_plans(period, held)}

    def words(code: str | None) -> str:
        if code is None:
            return t("Choose a subscription")
        if code == INHERIT and inherited is not None:
            return _use_default(Setting.PLAN, inherited, offer)
        retired = t(" (retired)") if offer.plan(code).is_retired else ""
        price = offer.plan_price(code, period)
        return f"{offer.plan(code)}{retired}" if price is None else f"{offer.plan(code)}{retired} · {price.charged}"

    options = [*first, *(code for code in offer.plans if code in choosable or code in stays)]
    choose(st.selectbox, Setting.PLAN.label, options, words, key, at_first=at_first, filter_mode=None)


def _choose_own_add_ons(
    form: str, offer: Catalogue, inherited: BillingSettings | None, *, at_first: str | None
) -> bool:
    """Whether the add-ons are those of the defaults, none, or chosen; whether the box to choose in is asked for."""
    words = {"none": t("No add-ons"), "choose": t("Choose")}
    if inherited is not None:
        words = {INHERIT: _use_default(Setting.ADD_ONS, inherited, offer), "choose": t("Choose")}
    own = choose(
        st.segmented_control,
        Setting.ADD_ONS.label,
        list(words),
        words.__getitem__,
        f"{form}.{_OWN_ADD_ONS}",
        at_first=at_first,
        required=inherited is not None,
        wrap=True,
    )
    return bool(own == "choose")


def _choose_add_ons(
    form: str,
    offer: Catalogue,
    plan: str,
    period: BillingPeriod,
    *,
    at_first: frozenset[str],
    held: BillingSettings | None = None,
    label_visibility: str = "visible",
) -> None:
    """A set of add-ons. What was chosen stays offered, so that a refusal can name it and nothing vanishes."""
    key = _key(form, Setting.ADD_ONS)
    stays = chosen(key, sorted(at_first))
    choosable = {add_on.code for add_on in offer.choosable_add_ons(plan, period, held)}

    def words(code: str) -> str:
        cents = offer.add_on_prices.get((code, period))
        name = str(offer.add_on(code))
        return name if cents is None else f"{name} · {Price(cents, period, offer.currency).charged}"

    choose(
        st.multiselect,
        Setting.ADD_ONS.label,
        [code for code in offer.add_ons if code in choosable or code in stays],
        words,
        key,
        at_first=sorted(at_first),
        filter_mode=None,
        placeholder=t("No add-ons"),
        label_visibility=label_visibility,
    )
