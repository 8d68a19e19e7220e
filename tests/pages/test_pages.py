"""The pages, driven as their readers drive them; then core is asked what is true."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import streamlit as st
from sqlalchemy import event, update
from streamlit.runtime.fragment import MemoryFragmentStorage
from streamlit.testing.v1 import AppTest

from core import catalogue, defaults, invitations, reports, subscriptions
from core.catalogue import monthly_cents
from core.invitations import NewClient
from core.members import DemoSpace, Member
from core.reports import Order
from core.storage import Database
from core.words import (
    BillingPeriod,
    ClientStatus,
    ListedStatus,
    Money,
    NotAllowed,
    Overrides,
    Payer,
    Role,
    Setting,
    best_language,
    listed,
    speak,
    t,
)
from pages.parts import notices
from pages.parts.text import plain
from tests.conftest import LONGEST_WAIT, STANDARD
from tests.pages.conftest import (
    CATALOGUE,
    CLIENT,
    CLIENTS,
    DEFAULTS,
    DISTRIBUTION,
    INVITE,
    ROOT,
    asked,
    at,
    button,
    choose,
    emptied,
    form_key,
    manager,
    opened,
    plain_text,
    ran,
    refused_alone,
    rows,
    saved_by_a_colleague,
    send,
    table_of,
    text_of,
    typed,
)

# --- the frame


PAGES = {
    "": "Clients",
    INVITE: "Invite a client",
    CLIENT: "Client subscription",
    "pages/clients/change_many.py": "Change many clients",
    "pages/clients/bulk_changes.py": "Bulk changes",
    DEFAULTS: "Default settings",
    CATALOGUE: "Catalogue",
    "pages/settings/members.py": "Members",
    "pages/settings/activity.py": "Activity",
    DISTRIBUTION: "Plan distribution",
}


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("locale", ["en-GB", "fr-BE", "nl-BE"])
def test_every_page_opens_in_the_browsers_language(page: str, locale: str) -> None:
    """With its title."""
    app = opened(page, locale=locale)
    assert [title.value for title in app.title] == [t(PAGES[page])]


@pytest.mark.parametrize("locale", ["en-GB", "fr-BE", "nl-BE"])
def test_no_two_columns_of_a_client_read_the_same(locale: str) -> None:
    """Two that did could not be shown beside each other."""
    app = opened(CLIENT, locale=locale, client="5")
    assert t("Where it comes from") in table_of(app, 0).columns
    assert all(table.value.columns.is_unique for table in app.table)


@pytest.mark.parametrize("locale", ["en-GB", "fr-BE", "nl-BE"])
def test_in_the_demo_the_switch_goes_before_the_browser_and_is_not_the_next_visitors(
    demo_database: Database, locale: str
) -> None:
    """Whoever comes next acts as the same member, and is greeted in the language of their own browser."""

    def reads(app: AppTest, language: str) -> bool:
        speak(language)
        return t("Every client, the settings in force, and where each one comes from.") in text_of(app)

    app = opened(locale=locale)
    assert reads(app, best_language(locale))
    for chosen in ("nl", "fr"):
        ran(at(app.button_group, "language").set_value(chosen))
        assert reads(app, chosen)
    assert manager(demo_database, 1).language is None
    assert reads(opened(locale=locale), best_language(locale))


@pytest.mark.parametrize(
    ("acting", "refused"),
    [
        pytest.param(4, [INVITE], id="finance"),
        pytest.param(5, [INVITE, DISTRIBUTION], id="accountant"),
        pytest.param(6, [INVITE, DISTRIBUTION, CLIENT, DEFAULTS, CLIENTS], id="manager without access"),
    ],
)
def test_a_page_that_the_role_may_not_use_shows_nothing_of_itself(
    acting: int, refused: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Every page checks for itself who is here."""
    for page in refused:
        assert refused_alone(page, caplog, acting=acting)


def test_finance_reads_everything_and_changes_nothing() -> None:
    """Rule 10, on the screen."""
    labels = {b.label for page in ("", DEFAULTS, DISTRIBUTION) for b in opened(page, acting=4).button}
    labels |= {b.label for b in opened(CLIENT, acting=4, client="5").button}
    assert not {label for label in labels if label.startswith(("Save", "Invite", "Change", "Edit", "Adopt", "Back to"))}


def test_without_demo_mode_sign_in_is_not_configured_and_nothing_is_shown(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Members exist in demo mode only, until sign-in exists."""
    monkeypatch.setenv("BILLING_DEMO", "0")
    st.cache_resource.clear()
    app = opened()
    assert "Sign-in is not configured" in plain_text(app)
    assert not app.dataframe
    assert not app.sidebar.selectbox
    for page in (CLIENTS, CLIENT, DEFAULTS, INVITE, DISTRIBUTION):
        assert refused_alone(page, caplog)


def test_demo_mode_on_a_database_it_did_not_make_says_so_and_shows_nothing(
    demo_database: Database,
) -> None:
    """It leaves the database alone."""

    with demo_database.transaction() as session:
        session.query(DemoSpace).delete()
    st.cache_resource.clear()
    app = opened()
    assert "was not made by demo mode" in plain_text(app)
    assert not app.dataframe


def test_something_nobody_foresaw_gives_a_reference_and_no_trace(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The log has the trace under the same reference."""

    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("the secret inside")

    monkeypatch.setattr(reports, "listed", broken)
    app = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=LONGEST_WAIT).run()
    output = plain_text(app)
    assert "Something went wrong" in output
    assert "secret" not in output
    (record,) = [r for r in caplog.records if r.name == "billing_defaults"]
    assert record.args
    assert str(record.args[0]) in output


def test_a_click_that_goes_wrong_gives_a_reference_on_its_page(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Which is there as it was, with what was typed."""

    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("the secret inside")

    monkeypatch.setattr(invitations, "invite", broken)
    app = send(typed(opened(INVITE), name="Kept as typed", email="kept@example.com"))
    (record,) = [r for r in caplog.records if r.name == "billing_defaults"]
    assert f"this reference: {record.args[0]}." in plain_text(app)  # type: ignore[index]
    assert "secret" not in plain_text(app)
    assert at(app.text_input, form_key(app, "name")).value == "Kept as typed"


def test_the_table_says_what_holds_for_each_client_and_where_it_comes_from(demo_database: Database) -> None:
    """Against core, for the whole first page."""
    shown = rows(opened())
    listed = asked(demo_database, reports.billing_sources)
    assert list(shown["name"]) == list(listed["name"])
    for pills, row in zip(shown["source"], listed.itertuples(), strict=True):
        (pill,) = pills
        if row.source == "override":
            assert pill.startswith("Override: ")
            assert len(pill.split(",")) == len(row.overridden.split(";"))
        else:
            assert pill == f"Default v{row.defaults_version}" + (" (older)" if row.on_older_defaults else "")


def figures_of(app: AppTest) -> list[str]:
    """What stands in bold on the buttons above the table, letter for letter."""
    figures = ("every", "paid", "exceptions", "older", "monthly")
    labels = [at(app.button, f"clients.{figure}").label for figure in figures]
    return [label.split("**")[1].replace("\\", "") for label in labels]


def test_the_figures_follow_the_filters(demo_database: Database) -> None:
    """And lead to the clients behind them."""
    app = opened()
    every = asked(demo_database, reports.figures)
    assert figures_of(app) == [
        str(every.clients),
        str(every.paid_by_partner),
        str(every.overridden),
        str(every.on_older_defaults),
        str(every.per_month),
    ]
    ran(at(app.button, "clients.older").click())
    older = asked(demo_database, reports.figures, source="older")
    assert figures_of(app)[0] == str(older.clients) == str(every.on_older_defaults)
    assert app.query_params == {"source": "older"}
    ran(at(app.button, "clients.every").click())
    assert figures_of(app)[0] == str(every.clients)


def test_a_link_restores_the_choice_in_any_language(demo_database: Database) -> None:
    """The URL holds stored words, not labels."""
    for locale in ("en-GB", "fr-BE", "nl-BE"):
        app = opened(locale=locale, plan="plus", search="a", order_by="newest", page="1")
        listed = asked(demo_database, reports.billing_sources, plan="plus", search="a", order_by="newest")
        assert list(rows(app)["name"]) == list(listed["name"])
        assert app.session_state["clients.plan"] == "plus"


def test_a_link_with_nonsense_is_left_out() -> None:
    """Nothing fails, and what can be read holds."""
    app = opened(plan="plus", status="lost", payer="", order_by="7", page="nine", source="older")
    assert app.session_state["clients.plan"] == "plus"
    assert not app.session_state["clients.status"]  # every one
    assert opened(plan="gold").session_state["clients.plan"] is None


def test_pages_turn_and_another_question_begins_at_the_first(demo_database: Database) -> None:
    """The page is part of the link too."""
    app = opened(page="3")
    assert list(rows(app)["name"]) == list(asked(demo_database, reports.billing_sources, page=3)["name"])
    assert "101–150 of 240" in text_of(app)
    choose(app, "clients.status", ListedStatus.ACTIVE)
    assert list(rows(app)["name"]) == list(asked(demo_database, reports.billing_sources, status="active")["name"])
    assert "page" not in app.query_params


def test_several_statuses_an_order_and_a_search_live_in_the_link_and_can_be_cleared(demo_database: Database) -> None:
    """There and back: what is chosen is written, and what is written is chosen."""
    app = opened()
    choose(app, "clients.status", ListedStatus.ACTIVE, ListedStatus.INVITED, ListedStatus.EXPIRED, ListedStatus.INVITED)
    assert at(app.menu_button, "clients.status menu").label == "Status: **Active, Expired**"
    choose(app, "clients.order_by", Order.PRICE_DESCENDING)
    ran(at(app.text_input, "clients.search").set_value("srl"))
    assert app.query_params == {"search": "srl", "status": "active,expired", "order_by": "-price"}
    link = {name: str(value) for name, value in app.query_params.items()}
    again = opened(**link)
    listed = asked(demo_database, reports.billing_sources, **link)
    assert list(rows(app)["name"]) == list(rows(again)["name"]) == list(listed["name"])
    assert {*rows(again)["status"]} == {"Active", "Expired"}
    ran(at(again.button, "clients.clear").click())
    assert again.query_params == {"order_by": "-price"}
    assert "clients.clear" not in {button.key for button in again.button}
    assert figures_of(again)[0] == str(asked(demo_database, reports.figures).clients)


def test_who_needs_attention_is_a_click_away(demo_database: Database) -> None:
    """The figure, and the clients behind it."""
    app = opened()
    figure = at(app.button, "clients.to attend to")
    ran(figure.click())
    need = asked(demo_database, reports.billing_sources, attention="needed")
    assert list(rows(app)["name"]) == list(need["name"])
    assert figure.label.split("**")[1] == str(len(need))
    assert app.query_params == {"attention": "needed"}


def test_the_page_says_what_is_to_come_and_what_prices_leave_out(demo_database: Database) -> None:
    """Beside what active clients cost."""
    every = asked(demo_database, reports.figures)
    told = f"{every.invited_per_month} a month more when {every.invited} invitations are accepted."
    assert f"{told} Prices are without VAT." in plain_text(opened())


def test_a_page_past_the_end_shows_the_last_one() -> None:
    """A link grown stale still shows clients."""
    assert "201–240 of 240" in text_of(opened(page="99"))


def test_filters_that_match_nothing_say_what_to_do() -> None:
    """No empty table without a word."""
    app = opened(search="nobody is called this")
    assert "No client matches. Widen or remove: Search." in plain_text(app)
    assert not app.dataframe


# --- default settings


def test_saving_defaults_makes_the_version_that_was_previewed(demo_database: Database) -> None:
    """What the next client gets, what changes, and the impact in words, before anything is saved."""
    app = opened(DEFAULTS)
    assert at(app.button, "defaults 1.save").disabled
    ran(at(app.toggle, "defaults 1.pays").set_value(False))
    ran(at(app.selectbox, "defaults 1.plan").set_value("plus"))
    output = plain_text(app)
    assert "Plus + Bank feeds + E-invoicing, billed monthly, paid by the client" in output
    assert "€42.00 a month" in output
    assert "Subscription: Standard → Plus" in output
    assert "Paid by: Us → The client" in output
    assert "0 existing clients change" in output
    assert "240 clients will then be on older defaults" in output
    at(app.text_input, "defaults 1.note").set_value("new price list")
    ran(at(app.button, "defaults 1.save").click())
    assert "Version 4 is saved" in plain_text(app)
    newest = asked(demo_database, defaults.current)
    assert newest.settings == replace(STANDARD, plan="plus", add_ons=frozenset({"bank_feeds", "e_invoicing"}))
    assert (newest.note, newest.saved_by.name) == ("new price list", "Demo administrator")
    assert at(app.button, "defaults 1.save").disabled


def test_defaults_that_cannot_be_had_are_told_while_editing_and_cannot_be_saved() -> None:
    """And what was chosen stays chosen."""
    app = opened(DEFAULTS)
    ran(at(app.selectbox, "defaults 1.plan").set_value("starter"))
    ran(at(app.multiselect, "defaults 1.add_ons").set_value(["bank_feeds"]))
    ran(at(app.selectbox, "defaults 1.plan").set_value("plus"))
    ran(at(app.multiselect, "defaults 1.add_ons").set_value(["bank_feeds", "payroll"]))
    ran(at(app.selectbox, "defaults 1.plan").set_value("starter"))
    assert "Payroll: not offered with Starter. Choose another subscription or remove these add-ons." in plain_text(app)
    assert at(app.button, "defaults 1.save").disabled
    assert at(app.multiselect, "defaults 1.add_ons").value == ["bank_feeds", "payroll"]


def test_a_save_in_between_is_told_with_who_and_when_and_keeps_what_was_chosen(demo_database: Database) -> None:
    """Rule 12; comparing and saving again works."""
    app = opened(DEFAULTS)
    ran(at(app.selectbox, "defaults 1.plan").set_value("premium"))
    saved_by_a_colleague(demo_database, billing_period=BillingPeriod.YEARLY, plan="plus", add_ons=frozenset())
    ran(at(app.button, "defaults 1.save").click())
    assert "Demo client manager saved version 4 on" in plain_text(app)
    assert at(app.selectbox, "defaults 1.plan").value == "premium"
    assert asked(demo_database, defaults.current).version == 4
    ran(at(app.button, "defaults 1.save").click())
    newest = asked(demo_database, defaults.current)
    assert (newest.version, newest.settings.plan) == (5, "premium")


def test_discarding_goes_back_to_the_version_in_force() -> None:
    """Nothing is left of the draft."""
    app = opened(DEFAULTS)
    ran(at(app.selectbox, "defaults 1.plan").set_value("plus"))
    ran(at(app.button, "defaults 1.discard").click())
    assert at(app.selectbox, "defaults 1.plan").value == "standard"


def test_every_version_is_told_with_what_changed_and_how_many_are_bound(demo_database: Database) -> None:
    """Newest first."""
    versions = table_of(opened(DEFAULTS))
    assert list(versions["Version"]) == ["v3", "v2", "v1"]
    assert versions["What changed"][1] == "Subscription: Classic → Standard"
    bound = asked(demo_database, reports.figures).per_version
    assert list(versions["Clients bound to it"]) == [str(bound[defaults.SetVersion(1, v)]) for v in (3, 2, 1)]


def test_with_no_version_yet_the_page_explains_and_offers_the_form(demo_database: Database) -> None:
    """Rule 7: a real state; saving makes version 1."""
    emptied(demo_database)
    app = opened(DEFAULTS)
    assert "No default settings are saved yet" in plain_text(app)
    ran(at(app.button, "defaults 1.save").click())
    assert asked(demo_database, defaults.current).version == 1


# --- inviting


def test_two_fields_and_enter_invite_a_client_on_the_defaults(demo_database: Database) -> None:
    """The most frequent case; the confirmation names what was bound."""
    app = send(typed(opened(INVITE, acting=2), name="Nouveau & Fils", email="nouveau@example.com"))
    output = plain_text(app)
    assert "Nouveau & Fils is invited." in output
    assert "Bound to default settings v3" in output
    found = asked(demo_database, reports.billing_sources, search="nouveau@example.com")
    assert list(found["name"]) == ["Nouveau & Fils"]
    assert list(found["source"]) == ["default"]
    ran(button(app, "Invite another client").click())
    assert at(app.text_input, form_key(app, "name")).value == ""


def test_an_override_is_one_click_away_and_the_preview_follows(demo_database: Database) -> None:
    """Effective settings, sources and price, kept up to date as one chooses."""
    app = opened(INVITE, acting=2)
    assert "€27.00 a month" in plain_text(app)
    ran(at(app.selectbox, form_key(app, "plan")).set_value("plus"))
    assert "€42.00 a month" in plain_text(app)
    ran(at(app.button_group, form_key(app, "payer")).set_value(Payer.CLIENT))
    assert "paid by the client" in plain_text(app)
    at(app.text_input, form_key(app, "reason")).set_value("asked for it")
    send(typed(app, name="Exceptional", email="exceptional@example.com"))
    found = asked(demo_database, reports.billing_sources, search="exceptional@")
    assert list(found["overridden"]) == ["payer;plan"]
    assert asked(demo_database, subscriptions.detail, int(found["client_id"][0])).history[0].reason == "asked for it"


def test_the_default_value_chosen_on_purpose_is_an_override(demo_database: Database) -> None:
    """Rule 5, on the screen."""
    app = opened(INVITE, acting=2)
    ran(at(app.button_group, form_key(app, "billing_period")).set_value(BillingPeriod.MONTHLY))
    send(typed(app, name="On purpose", email="purpose@example.com"))
    found = asked(demo_database, reports.billing_sources, search="purpose@")
    assert list(found["overridden"]) == ["billing_period"]


def test_what_needs_a_correction_is_said_beside_its_field_and_nothing_is_lost(demo_database: Database) -> None:
    """A sentence each, and what was typed stays."""
    app = send(typed(opened(INVITE), name="Kept as typed", email="nobody", company_number="0123456789"))
    output = plain_text(app)
    assert "This is not an e-mail address" in output
    assert "The last two digits of this company number do not fit the others" in output
    assert at(app.text_input, form_key(app, "name")).value == "Kept as typed"
    ran(at(app.text_input, form_key(app, "email")).set_value("kept@example.com"))
    output = plain_text(app)
    assert "This is not an e-mail address" not in output  # it goes when the field is right, before anything is sent
    assert "The last two digits of this company number do not fit the others" in output
    ran(at(app.text_input, form_key(app, "company_number")).set_value("0123456780"))
    assert "do not fit the others" in plain_text(app)
    send(typed(app, company_number=""))
    assert "Kept as typed is invited." in plain_text(app)


def test_an_e_mail_already_there_leads_to_the_client(demo_database: Database) -> None:
    """Naming it and when it was invited."""
    first = asked(demo_database, subscriptions.detail, 7).client
    app = send(typed(opened(INVITE), name="Twin", email=first.email.upper()))
    assert f"This e-mail belongs to {first.name}, invited on" in plain_text(app)
    assert at(app.text_input, form_key(app, "name")).value == "Twin"


def test_impossible_add_ons_and_retired_defaults_each_say_their_own_sentence(demo_database: Database) -> None:
    """Before and at the invitation; a choice for this client is the way out."""

    app = opened(INVITE)
    ran(at(app.button_group, form_key(app, "own add_ons")).set_value("choose"))
    ran(at(app.multiselect, form_key(app, "add_ons")).set_value(["document_scanning"]))
    ran(at(app.selectbox, form_key(app, "plan")).set_value("starter"))
    assert "Document scanning: not offered with Starter" in plain_text(app)
    with demo_database.transaction() as session:
        held = catalogue.stored(session, "EUR")
        plans = {**held.plans, "standard": replace(held.plans["standard"], is_retired=True)}
        catalogue.store(session, replace(held, plans=plans))
    app = send(typed(opened(INVITE), name="Late", email="late@example.com"))
    assert "Default settings v3 include Standard, which is retired" in plain_text(app)
    ran(at(app.selectbox, form_key(app, "plan")).set_value("plus"))
    send(app)
    assert "Late is invited." in plain_text(app)


def test_without_defaults_the_invitation_asks_for_every_setting(demo_database: Database) -> None:
    """Rule 7: and the client is bound to no version."""
    emptied(demo_database)
    app = opened(INVITE)
    assert "Choose every setting for this client" in plain_text(app)
    assert f"Choose these too: {listed(setting.label for setting in Setting)}." in plain_text(app)
    send(typed(app, name="First", email="first@example.com"))
    assert len(asked(demo_database, reports.billing_sources)) == 0
    for setting in Setting:
        if setting.terms:
            ran(at(app.button_group, form_key(app, setting.value)).set_value(next(iter(setting.terms))))
    ran(at(app.selectbox, form_key(app, "plan")).set_value("plus"))
    assert "Choose these too: Add-ons." in plain_text(app)
    ran(at(app.button_group, form_key(app, "own add_ons")).set_value("none"))
    send(app)
    assert "Bound to no default settings" in plain_text(app)
    found = asked(demo_database, reports.billing_sources)
    assert list(found["overridden"]) == [";".join(Setting)]


# --- one client


def plainly_bound(database: Database) -> int:
    """An active client on version 2 without an exception."""
    found = asked(database, reports.billing_sources, page_size=1000, status="active", source="default")
    nothing_waits = found["pending_from"].isna()
    return int(found[(found["defaults_version"] == 2) & nothing_waits]["client_id"].iloc[0])


def test_the_page_explains_each_setting_of_a_client(demo_database: Database) -> None:
    """Value, source, who and when, the default it was invited with, and today's."""
    client_id = plainly_bound(demo_database)
    shown = asked(demo_database, subscriptions.detail, client_id)
    app = opened(CLIENT, client=str(client_id))
    assert app.title[0].value.replace("\\", "").replace("\u2060", "") == shown.client.name
    table = table_of(app)
    assert list(table["Setting"]) == [setting.label for setting in Setting]
    assert set(table["Source"]) == {":orange-badge[Default v2 (older)]"}
    assert all("by Demo administrator" in where for where in table["Where it comes from"])
    assert set(table["Invited with v2"]) == {"same"}
    values = dict(zip(table["Setting"], zip(table["In force"], table["Today's default v3"], strict=True), strict=True))
    assert values["Paid by"] == ("The client", "Us")
    assert values["Billing period"] == ("Monthly", "same")
    assert values["Subscription"] == ("Standard", "same")
    assert values["Add-ons"] == ("Bank feeds", "Bank feeds, E-invoicing")


def test_a_change_is_previewed_saved_with_its_reason_and_told_in_the_history(demo_database: Database) -> None:
    """Nothing is saved until the button that says what it will do."""
    client_id = plainly_bound(demo_database)
    app = opened(CLIENT, acting=2, client=str(client_id))
    ran(at(app.button, f"client.{client_id}.open change").click())
    assert at(app.button, f"client.{client_id}.save").disabled
    ran(at(app.selectbox, f"client.{client_id}.plan").set_value("plus"))
    ran(at(app.button_group, f"client.{client_id}.payer").set_value(Payer.PARTNER))
    output = plain_text(app)
    assert "Subscription: Standard → Plus" in output
    assert "€24.00 a month → €39.00 a month" in output
    assert at(app.button, f"client.{client_id}.save").label == "Save 2 changes"
    assert asked(demo_database, subscriptions.detail, client_id).effective.overridden == frozenset()
    at(app.text_input, f"client.{client_id}.reason").set_value("asked by mail")
    ran(at(app.button, f"client.{client_id}.save").click())
    shown = asked(demo_database, subscriptions.detail, client_id)
    assert shown.overrides == Overrides(payer=Payer.PARTNER, plan="plus")
    history = table_of(app, 1)
    assert (history["Who"][0], history["Via"][0], history["Why"][0]) == (
        "Demo client manager",
        "page",
        "asked by mail",
    )
    assert "Subscription: Standard → Plus" in history["What"][0]
    assert "“asked by mail”" in table_of(app)["Where it comes from"][2]


def test_back_to_the_defaults_it_was_invited_with_is_previewed_and_clears_the_overrides(
    demo_database: Database,
) -> None:
    """Rule 6, the first reset."""
    client_id = plainly_bound(demo_database)
    with demo_database.transaction() as session:
        seen = subscriptions.detail(session, manager(demo_database), client_id).seen
        subscriptions.override(session, manager(demo_database), client_id, Overrides(plan="plus"), seen=seen)
    app = opened(CLIENT, client=str(client_id))
    ran(at(app.button, f"client.{client_id}.open back").click())
    assert "Subscription: Plus → Standard" in plain_text(app)
    assert "Subscription: Plus → Standard, from default v2" in plain_text(app)
    ran(at(app.button, f"client.{client_id}.save").click())
    assert "Saved. Subscription: Plus → Standard, from default v2." in plain_text(app)
    shown = asked(demo_database, subscriptions.detail, client_id)
    assert shown.effective.overridden == frozenset()
    assert shown.effective.defaults_version == 2


def test_adopting_the_current_defaults_is_previewed_and_explicit(demo_database: Database) -> None:
    """Rule 6, the second reset."""
    client_id = plainly_bound(demo_database)
    app = opened(CLIENT, client=str(client_id))
    ran(at(app.button, f"client.{client_id}.open adopt").click())
    output = plain_text(app)
    assert "Paid by: The client → Us" in output
    assert "Bound to default settings v3" in output
    ran(at(app.button, f"client.{client_id}.save").click())
    shown = asked(demo_database, subscriptions.detail, client_id)
    assert shown.effective.defaults_version == 3
    assert shown.history[0].changed_by == "Demo administrator"


def test_someone_elses_change_in_between_is_told_and_what_was_chosen_stays(demo_database: Database) -> None:
    """Rule 12; comparing and saving again works, and undoes nothing of theirs."""
    client_id = plainly_bound(demo_database)
    app = opened(CLIENT, client=str(client_id))
    ran(at(app.button, f"client.{client_id}.open change").click())
    ran(at(app.selectbox, f"client.{client_id}.plan").set_value("plus"))
    with demo_database.transaction() as session:
        seen = subscriptions.detail(session, manager(demo_database), client_id).seen
        overrides = Overrides(payer=Payer.PARTNER)
        subscriptions.override(session, manager(demo_database), client_id, overrides, seen=seen)
    ran(at(app.button, f"client.{client_id}.save").click())
    assert "Demo client manager changed" in plain_text(app)
    assert at(app.selectbox, f"client.{client_id}.plan").value == "plus"
    ran(at(app.button, f"client.{client_id}.save").click())
    assert asked(demo_database, subscriptions.detail, client_id).overrides == Overrides(
        payer=Payer.PARTNER, plan="plus"
    )


def test_a_change_begun_before_a_colleagues_is_refused_though_the_page_showed_it_meanwhile(
    demo_database: Database,
) -> None:
    """Rule 12: what counts is where the form began, not what a run of the page happened to show since."""
    client_id = plainly_bound(demo_database)
    app = opened(CLIENT, client=str(client_id))
    ran(at(app.button, f"client.{client_id}.open change").click())
    with demo_database.transaction() as session:
        seen = subscriptions.detail(session, manager(demo_database), client_id).seen
        overrides = Overrides(payer=Payer.PARTNER)
        subscriptions.override(session, manager(demo_database), client_id, overrides, seen=seen)
    ran(at(app.selectbox, f"client.{client_id}.plan").set_value("plus"))
    ran(at(app.button, f"client.{client_id}.save").click())
    assert "Demo client manager changed" in plain_text(app)
    assert asked(demo_database, subscriptions.detail, client_id).overrides == Overrides(payer=Payer.PARTNER)


def test_what_is_adopted_is_what_was_previewed(demo_database: Database) -> None:
    """Rules 6 and 12: a version saved meanwhile is told first."""
    client_id = plainly_bound(demo_database)
    app = opened(CLIENT, client=str(client_id))
    ran(at(app.button, f"client.{client_id}.open adopt").click())
    saved_by_a_colleague(demo_database, billing_period=BillingPeriod.YEARLY, plan="premium", add_ons=frozenset())
    ran(at(app.button, f"client.{client_id}.save").click())
    assert "Demo client manager saved version 4 on" in plain_text(app)
    assert asked(demo_database, subscriptions.detail, client_id).effective.defaults_version == 2
    ran(at(app.button, f"client.{client_id}.save").click())
    pending = asked(demo_database, subscriptions.detail, client_id).pending  # another billing period waits
    assert pending is not None
    assert pending.defaults_version == 4


def test_a_draft_begun_while_somebody_else_saved_is_kept(demo_database: Database) -> None:
    """Rule 12: also the very first choice."""
    app = opened(DEFAULTS)
    saved_by_a_colleague(demo_database, billing_period=BillingPeriod.YEARLY, plan="plus", add_ons=frozenset())
    ran(at(app.selectbox, "defaults 1.plan").set_value("premium"))
    assert at(app.selectbox, "defaults 1.plan").value == "premium"
    assert "Demo client manager saved version 4 on" in plain_text(app)


def test_an_invitation_on_other_defaults_than_those_shown_is_told_first(demo_database: Database) -> None:
    """Nothing typed is lost, and the second click invites."""
    app = typed(opened(INVITE), name="Shown", email="shown@example.com")
    saved_by_a_colleague(demo_database, billing_period=BillingPeriod.YEARLY, plan="plus", add_ons=frozenset())
    send(app)
    assert "Demo client manager saved version 4 on" in plain_text(app)
    send(app)
    assert "Bound to default settings v4" in plain_text(app)


def test_who_lost_the_right_meanwhile_changes_nothing_and_is_told(demo_database: Database) -> None:
    """The member is asked of the database when it counts."""
    client_id = plainly_bound(demo_database)
    app = opened(CLIENT, acting=2, client=str(client_id))
    ran(at(app.button, f"client.{client_id}.open change").click())
    ran(at(app.selectbox, f"client.{client_id}.plan").set_value("plus"))
    with demo_database.transaction() as session:
        session.execute(update(Member).where(Member.member_id == 2).values(role=Role.FINANCE))
    ran(at(app.button, f"client.{client_id}.save").click())
    assert "You may not do this with the access you have." in plain_text(app)
    with demo_database.reading() as session:
        shown = subscriptions.detail(session, manager(demo_database, 1), client_id)
    assert shown.effective.overridden == frozenset()


def test_cancelling_leaves_everything_as_it_was(demo_database: Database) -> None:
    """And the next change begins anew."""
    client_id = plainly_bound(demo_database)
    app = opened(CLIENT, client=str(client_id))
    ran(at(app.button, f"client.{client_id}.open change").click())
    ran(at(app.selectbox, f"client.{client_id}.plan").set_value("plus"))
    ran(at(app.button, f"client.{client_id}.cancel").click())
    ran(at(app.button, f"client.{client_id}.open change").click())
    assert at(app.selectbox, f"client.{client_id}.plan").value == "use default"
    assert asked(demo_database, subscriptions.detail, client_id).effective.overridden == frozenset()


def test_an_archived_client_offers_no_change(demo_database: Database) -> None:
    """And says why."""
    found = asked(demo_database, reports.billing_sources, status="archived")
    app = opened(CLIENT, client=str(found["client_id"][0]))
    assert "This client is archived" in plain_text(app)
    assert not [b for b in app.button if b.label == "Change"]


@pytest.mark.parametrize("asked_for", ["99999", "0", "-1", "x", "5;drop", "٣", "1" * 30, ""])
def test_a_client_that_does_not_exist_is_said_plainly_with_a_way_on(asked_for: str) -> None:
    """Never an error, whatever the link says."""
    app = opened(CLIENT, client=asked_for) if asked_for else opened(CLIENT)
    assert "There is no client with number" in plain_text(app) or at(app.text_input, "client.search")


def test_a_client_is_found_by_search_on_the_page() -> None:
    """Part of the name is enough."""
    app = opened(CLIENT)
    ran(at(app.text_input, "client.search").set_value("boulangerie"))
    assert "boulangerie" in str(app.get("page_link")[-1].proto.label).lower()


# --- plan distribution


@pytest.mark.parametrize("measure", ["clients", "revenue"])
@pytest.mark.parametrize("split", ["source", *(setting.value for setting in Setting if setting.terms)])
def test_the_distribution_adds_up_to_the_cent(demo_database: Database, measure: str, split: str) -> None:
    """The table behind the chart against the rows of core."""
    app = opened(DISTRIBUTION, acting=4)
    ran(at(app.button_group, "distribution.measure").set_value(measure))
    ran(at(app.button_group, "distribution.split").set_value(split))
    table = app.dataframe[0].value
    active = asked(demo_database, reports.plan_distribution).query("status == 'active'")

    total = table["Total"].iloc[-1]
    expected = str(active["clients"].sum())
    if measure == "revenue":
        expected = str(Money(monthly_cents(int(active["cents_per_year"].sum())), "EUR"))
    assert total == expected
    assert len(table) == active["plan"].nunique() + 1


def test_the_distribution_says_which_day_and_which_statuses_it_counts() -> None:
    """And counts others when asked."""
    app = opened(DISTRIBUTION)
    assert "Clients counted at the end of" in plain_text(app)
    assert ": active." in plain_text(app)
    before = app.dataframe[0].value["Total"].iloc[-1]
    ran(at(app.button_group, "distribution.statuses").set_value([ClientStatus.ACTIVE, ClientStatus.INVITED]))
    assert int(app.dataframe[0].value["Total"].iloc[-1]) > int(before)
    ran(at(app.button_group, "distribution.statuses").set_value([]))
    assert "Choose at least one status" in plain_text(app)


def test_the_distribution_of_a_past_day_counts_what_held_then(demo_database: Database) -> None:
    """A year ago there was nobody; half a year ago fewer."""

    app = opened(DISTRIBUTION)
    today = at(app.date_input, "distribution.day").value
    now = int(app.dataframe[0].value["Total"].iloc[-1])
    ran(at(app.date_input, "distribution.day").set_value(today - timedelta(days=180)))
    assert 0 < int(app.dataframe[0].value["Total"].iloc[-1]) < now
    ran(at(app.date_input, "distribution.day").set_value(today - timedelta(days=700)))
    assert "No client had one of these statuses" in plain_text(app)


def test_the_distribution_that_is_remembered_follows_each_change(demo_database: Database) -> None:
    """A client that a colleague invites is counted on the next run."""

    def invited(app: AppTest) -> int:
        return int(ran(app).dataframe[0].value["Total"].iloc[-1])

    app = opened(DISTRIBUTION)
    at(app.button_group, "distribution.statuses").set_value([ClientStatus.INVITED])
    before = invited(app)
    with demo_database.transaction() as session:
        new_client = NewClient.from_typed(name="One more", email="one.more@example.com")
        invitations.invite(session, manager(demo_database), new_client)
    assert invited(app) == before + 1


# --- what all pages keep


@pytest.mark.parametrize(
    ("page", "parameters", "queries"),
    [("", {}, 5), (DEFAULTS, {}, 6), (INVITE, {}, 8), (CLIENT, {"client": "5"}, 14), (DISTRIBUTION, {}, 2)],
    ids=["clients", "defaults", "invite", "client", "distribution"],
)
def test_each_page_makes_a_fixed_number_of_queries(
    demo_database: Database, page: str, parameters: dict, queries: int
) -> None:
    """Whatever the number of clients: the same with one hundred more. The list asks what waits, and both it and the
    page around it which defaults are in force. The demo's own, for its day, are not counted."""
    statements: list[str] = []
    event.listen(demo_database.engine, "before_cursor_execute", lambda *a: statements.append(a[2]))

    def counted() -> int:
        app = opened(page, **parameters)
        st.cache_data.clear()
        statements.clear()
        ran(app)
        return sum("demo_space.ahead" not in statement for statement in statements)

    assert counted() == queries
    with demo_database.transaction() as session:
        for number in range(100):
            new_client = NewClient.from_typed(name=f"More {number}", email=f"more{number}@example.com")
            invitations.invite(session, manager(demo_database), new_client)
    assert counted() == queries


@pytest.mark.parametrize(
    ("page", "parameters"), [("", {}), (DEFAULTS, {}), (CLIENT, {"client": "5"}), (DISTRIBUTION, {})]
)
def test_a_page_that_is_drawn_anew_has_no_news(demo_database: Database, page: str, parameters: dict) -> None:
    """What a colleague did in between is on it: the line beside the title is of what came after."""
    app = opened(page, **parameters)
    saved_by_a_colleague(demo_database)
    with demo_database.transaction() as session:
        new_client = NewClient.from_typed(name="One more", email="one.more@example.com")
        invitations.invite(session, manager(demo_database), new_client)
    assert not [each for each in ran(app).button if each.key == "meanwhile.show"]


def test_the_list_is_known_by_the_same_place_whatever_is_said_above_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Streamlit forgets a click in a part of a page that has moved meanwhile. The line that tells what others did is
    the other part that runs alone."""
    places: set[str] = set()
    register = MemoryFragmentStorage.register

    def registered(self: MemoryFragmentStorage, place: str, *args: Any, **named: Any) -> None:
        places.add(place)
        register(self, place, *args, **named)

    monkeypatch.setattr(MemoryFragmentStorage, "register", registered)
    app = opened()
    app.session_state["notices"] = [(notices.refused, NotAllowed())]
    ran(app)
    assert app.error
    ran(app)
    assert not app.error
    assert len(places) == 2


NASTY = [
    "**bold** [x](http://127.0.0.1/x)",
    "![i](http://127.0.0.1/i.png)",
    ":material/home: :smile:",
    "$a$ and $b$",
    "<b>&amp;",
]


@pytest.mark.parametrize("name", NASTY)
def test_a_clients_name_is_shown_as_text(name: str) -> None:
    """Escaped wherever Streamlit reads Markdown."""
    app = send(typed(opened(INVITE), name=name, email="nasty@example.com"))
    escaped = plain(name)
    assert escaped != name
    assert any(escaped in success.value for success in app.success)
    ran(button(app, "Open the client").click())
    assert app.title[0].value == escaped
