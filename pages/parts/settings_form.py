"""The four settings as widgets: chosen outright (defaults), or each a choice beside "use default" (a client)."""

from typing import Any

import streamlit as st

from core.catalogue import Catalogue, Price
from core.language import t
from core.resolution import BillingSettings, EffectiveSettings, Overrides
from core.terms import BillingPeriod, Payer, Setting
from pages.parts.choices import choose
from pages.parts.text import pill_text, source_colour, value_text

INHERIT = "use default"  # the first option of each choice: follow the defaults
OWN = "choose"


def choose_settings(form: str, start: BillingSettings, offer: Catalogue) -> BillingSettings:
    """Widgets for all four settings, beginning at `start`; what they say now."""
    st.session_state.setdefault(f"{form}.pays", start.payer is Payer.PARTNER)
    pays = st.toggle(t("Pay for new clients"), key=f"{form}.pays", persist_state="session",
                     help=t("On: you pay for the clients you invite from then on. Off: each client pays."))  # fmt: skip
    period = choose(
        st.segmented_control, Setting.BILLING_PERIOD.label, list(BillingPeriod), lambda period: period.label,
        f"{form}.billing_period", at_first=start.billing_period, required=True,
    )  # fmt: skip
    plan = _plan(form, offer, period, at_first=start.plan, kept=start)
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

    Each offers "use default" with the inherited value first; without inherited values each has to be chosen. `held`:
    what the client has now, which it may keep though it is retired.
    """
    values = inherited or held or first_settings(offer)
    payer = _term(form, Setting.PAYER, list(Payer), inherited, start.payer, values.payer, offer)
    period = _term(
        form, Setting.BILLING_PERIOD, list(BillingPeriod), inherited, start.billing_period, values.billing_period, offer
    )
    in_force = values.billing_period if period is None else period
    at_first = start.plan or (values.plan if inherited is None else INHERIT)
    chosen = _plan(form, offer, in_force, at_first=at_first, kept=held, inherited=inherited)
    plan = None if chosen == INHERIT else chosen
    add_ons: frozenset[str] | None = None
    if inherited is None or _has_own_add_ons(form, inherited, start, offer):
        add_ons = _add_ons(
            form, offer, values.plan if plan is None else plan, in_force, at_first=start.add_ons or frozenset(),
            held=held, labelled=inherited is None,
        )  # fmt: skip
    return Overrides(payer, period, plan, add_ons)


def first_settings(offer: Catalogue) -> BillingSettings:
    """Where a form begins when nothing was ever saved: the first plan, monthly, paid by the client."""
    plan = offer.choosable_plans(BillingPeriod.MONTHLY)[0]
    return BillingSettings(Payer.CLIENT, BillingPeriod.MONTHLY, plan.code, frozenset())


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
            with st.container(horizontal=True, vertical_alignment="center", wrap=False):
                st.text(setting.label, width=165)
                st.text(value_text(value, offer), width="stretch")
                pill = pill_text(source, effective.defaults_version, older=False)
                st.badge(pill, color=source_colour(source, older=False))


def _use_default(value: Any, offer: Catalogue) -> str:
    return t("Use default ({value})", value=value_text(value, offer))


def _term(
    form: str,
    setting: Setting,
    terms: list[Any],
    inherited: BillingSettings | None,
    start: Any,
    at_first: Any,
    offer: Catalogue,
) -> Any:
    """One of a setting's terms; None: use the default."""
    default = None if inherited is None else getattr(inherited, setting.value)
    chosen = choose(
        st.segmented_control, setting.label, terms if inherited is None else [INHERIT, *terms],
        lambda option: _use_default(default, offer) if option == INHERIT else option.label,
        f"{form}.{setting.value}", at_first=start or (at_first if inherited is None else INHERIT),
        required=True, wrap=True,
    )  # fmt: skip
    return None if chosen == INHERIT else chosen


def _plan(
    form: str,
    offer: Catalogue,
    period: BillingPeriod,
    *,
    at_first: str,
    kept: BillingSettings | None,
    inherited: BillingSettings | None = None,
) -> str:
    """A plan's code, or INHERIT where there is something to inherit."""
    stays = {st.session_state.get(f"{form}.plan"), at_first, None if kept is None else kept.plan}
    codes = [code for code, plan in offer.plans.items() if not plan.is_retired or code in stays]

    def words(code: str) -> str:
        if code == INHERIT:
            return _use_default(inherited.plan if inherited else "", offer)
        price = offer.plan_price(code, period)
        cost = t("no price for this billing period") if price is None else str(price.charged)
        retired = t(" (retired)") if offer.plan(code).is_retired else ""
        return f"{offer.plan(code)}{retired} · {cost}"

    options = codes if inherited is None else [INHERIT, *codes]
    code: str = choose(
        st.selectbox, Setting.PLAN.label, options, words, f"{form}.plan", at_first=at_first, filter_mode=None
    )
    return code


def _has_own_add_ons(form: str, inherited: BillingSettings, start: Overrides, offer: Catalogue) -> bool:
    own: str = choose(
        st.segmented_control, Setting.ADD_ONS.label, [INHERIT, OWN],
        lambda option: _use_default(inherited.add_ons, offer) if option == INHERIT else t("Choose"),
        f"{form}.own add_ons", at_first=INHERIT if start.add_ons is None else OWN, required=True, wrap=True,
    )  # fmt: skip
    return own == OWN


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
        if code not in choosable:
            return t("{add_on} (not with {plan})", add_on=offer.add_on(code), plan=offer.plan(plan))
        return f"{offer.add_on(code)} · {Price(offer.add_on_prices[code, period], period, offer.currency).charged}"

    picked = choose(
        st.multiselect, Setting.ADD_ONS.label, [code for code in offer.add_ons if code in choosable or code in chosen],
        words, f"{form}.add_ons", at_first=sorted(at_first), filter_mode=None, placeholder=t("No add-ons"),
        label_visibility="visible" if labelled else "collapsed",
    )  # fmt: skip
    return frozenset(picked)
