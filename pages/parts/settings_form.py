"""The four settings as widgets: chosen outright (defaults), or each a choice beside "use default" (a client)."""

from typing import Any

import streamlit as st

from core.catalogue import Catalogue, Price
from core.language import t
from core.resolution import BillingSettings, EffectiveSettings, Overrides
from core.terms import BillingPeriod, Payer, Setting
from pages.parts.text import pill_text, source_colour, value_text

INHERIT = "use default"  # the first option of each choice: follow the defaults


def choose_settings(key: str, start: BillingSettings, offer: Catalogue) -> BillingSettings:
    """Widgets for all four settings, beginning at `start`; what they say now."""
    state = st.session_state
    state.setdefault(f"{key}.pays", start.payer is Payer.PARTNER)
    state.setdefault(f"{key}.billing_period", start.billing_period)
    state.setdefault(f"{key}.plan", start.plan)
    state.setdefault(f"{key}.add_ons", sorted(start.add_ons))
    pays = st.toggle(t("Pay for new clients"), key=f"{key}.pays", persist_state="session",
                     help=t("On: you pay for the clients you invite from then on. Off: each client pays."))  # fmt: skip
    chosen = st.segmented_control(
        Setting.BILLING_PERIOD.label, list(BillingPeriod), format_func=lambda p: p.label, required=True,
        key=f"{key}.billing_period", persist_state="session",
    )  # fmt: skip
    period = start.billing_period if chosen is None else chosen
    plan = _plan_box(f"{key}.plan", offer, period, [start.plan], [])
    add_ons = _add_ons_box(f"{key}.add_ons", offer, plan, period)
    return BillingSettings(Payer.PARTNER if pays else Payer.CLIENT, period, plan, add_ons)


def choose_overrides(
    key: str, inherited: BillingSettings | None, start: Overrides, offer: Catalogue, held: BillingSettings | None = None
) -> Overrides:
    """Widgets for the choices of one client, beginning at `start`; what they say now.

    Each offers "use default" with the inherited value first; without inherited values each has to be chosen. `held`:
    what the client has now, which it may keep though it is retired.
    """
    values = inherited or held or _cheapest(offer)
    payer = _choice(f"{key}.payer", Setting.PAYER, inherited, start.payer, list(Payer), values.payer, offer)
    period = _choice(
        f"{key}.billing_period", Setting.BILLING_PERIOD, inherited, start.billing_period, list(BillingPeriod),
        values.billing_period, offer,
    )  # fmt: skip
    effective_period = values.billing_period if period is None else period
    first = [] if inherited is None else [INHERIT]
    st.session_state.setdefault(f"{key}.plan", start.plan or (INHERIT if inherited is not None else values.plan))
    kept = [settings.plan for settings in (held,) if settings is not None]
    chosen_plan = _plan_box(f"{key}.plan", offer, effective_period, kept, first, inherited)
    plan = None if chosen_plan == INHERIT else chosen_plan
    add_ons = _choose_add_ons(
        key, inherited, start, offer, values.plan if plan is None else plan, effective_period, held
    )
    return Overrides(payer, period, plan, add_ons)


def settings_table(effective: EffectiveSettings, offer: Catalogue) -> None:
    """Four lines: each setting, its value, and the pill of its source."""
    settings = effective.settings
    with st.container(gap="xxsmall"):
        for setting, value, source in (
            (Setting.PAYER, settings.payer, effective.payer.source),
            (Setting.BILLING_PERIOD, settings.billing_period, effective.billing_period.source),
            (Setting.PLAN, settings.plan, effective.plan.source),
            (Setting.ADD_ONS, settings.add_ons, effective.add_ons.source),
        ):
            with st.container(horizontal=True, vertical_alignment="center"):
                st.text(setting.label, width=130)
                st.text(value_text(value, offer), width="stretch")
                st.badge(
                    pill_text(source, effective.defaults_version, older=False), color=source_colour(source, older=False)
                )


def forget(key: str) -> None:
    """Begin again: what the widgets of this form held is gone."""
    for name in [name for name in st.session_state if str(name).startswith(f"{key}.")]:
        del st.session_state[name]


def _cheapest(offer: Catalogue) -> BillingSettings:
    plan = offer.choosable_plans(BillingPeriod.MONTHLY)[0]
    return BillingSettings(Payer.CLIENT, BillingPeriod.MONTHLY, plan.code, frozenset())


first_settings = _cheapest


def _use_default(value: Any, offer: Catalogue) -> str:
    return t("Use default ({value})", value=value_text(value, offer))


def _choice(
    key: str,
    setting: Setting,
    inherited: BillingSettings | None,
    start: Any,
    terms: list[Any],
    at_first: Any,
    offer: Catalogue,
) -> Any:
    default = None if inherited is None else getattr(inherited, setting.value)
    st.session_state.setdefault(key, start or (at_first if inherited is None else INHERIT))
    chosen = st.segmented_control(
        setting.label,
        terms if inherited is None else [INHERIT, *terms],
        format_func=lambda option: _use_default(default, offer) if option == INHERIT else option.label,
        required=True, key=key, persist_state="session", wrap=True,
    )  # fmt: skip
    return None if chosen == INHERIT else chosen


def _plan_box(
    key: str, offer: Catalogue, period: BillingPeriod, kept: list[str], first: list[str],
    inherited: BillingSettings | None = None,
) -> str:  # fmt: skip
    chosen = st.session_state.get(key)
    codes = [code for code, plan in offer.plans.items() if not plan.is_retired or code in (chosen, *kept)]

    def words(code: str) -> str:
        if code == INHERIT:
            return _use_default(inherited.plan if inherited else "", offer)
        price = offer.plan_price(code, period)
        cost = t("no price for this billing period") if price is None else str(price.charged)
        retired = t(" (retired)") if offer.plan(code).is_retired else ""
        return f"{offer.plan(code)}{retired} · {cost}"

    return st.selectbox(Setting.PLAN.label, [*first, *codes], format_func=words, key=key, persist_state="session",
                        filter_mode=None)  # fmt: skip


def _choose_add_ons(
    key: str, inherited: BillingSettings | None, start: Overrides, offer: Catalogue, plan: str, period: BillingPeriod,
    held: BillingSettings | None,
) -> frozenset[str] | None:  # fmt: skip
    if inherited is not None:
        st.session_state.setdefault(f"{key}.own add_ons", INHERIT if start.add_ons is None else "choose")
        own = st.segmented_control(
            Setting.ADD_ONS.label, [INHERIT, "choose"], required=True, key=f"{key}.own add_ons",
            persist_state="session",
            format_func=lambda o: _use_default(inherited.add_ons, offer) if o == INHERIT else t("Choose"), wrap=True,
        )  # fmt: skip
        if own == INHERIT:
            return None
    st.session_state.setdefault(f"{key}.add_ons", sorted(start.add_ons or frozenset()))
    return _add_ons_box(f"{key}.add_ons", offer, plan, period, held, hidden=inherited is not None)


def _add_ons_box(
    key: str,
    offer: Catalogue,
    plan: str,
    period: BillingPeriod,
    held: BillingSettings | None = None,
    *,
    hidden: bool = False,
) -> frozenset[str]:
    chosen = st.session_state.get(key, [])
    choosable = {add_on.code for add_on in offer.choosable_add_ons(plan, period, held)}

    def words(code: str) -> str:
        if code not in choosable:
            return t("{add_on} (not with {plan})", add_on=offer.add_on(code), plan=offer.plan(plan))
        cents = offer.add_on_prices[code, period]
        return f"{offer.add_on(code)} · {Price(cents, period, offer.currency).charged}"

    options = [code for code in offer.add_ons if code in choosable or code in chosen]
    picked = st.multiselect(
        Setting.ADD_ONS.label, options, format_func=words, key=key, persist_state="session", filter_mode=None,
        placeholder=t("No add-ons"), label_visibility="collapsed" if hidden else "visible",
    )  # fmt: skip
    return frozenset(picked)
