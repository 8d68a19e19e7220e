"""Default sets on the pages (rules 16 to 22): nothing of them for a firm with one, and each act of a firm with two."""

from dataclasses import replace

import pytest

from core import defaults, invitations, reports, subscriptions
from core.defaults import NamedSet, SetVersion
from core.invitations import NewClient
from core.storage import Database
from core.words import BillingPeriod, ClientStatus, Overrides, best_language, speak, t
from tests.conftest import STANDARD
from tests.pages.conftest import (
    CLIENT,
    CLIENTS,
    DEFAULTS,
    DISTRIBUTION,
    INVITE,
    asked,
    at,
    button,
    choose,
    manager,
    opened,
    plain_text,
    ran,
    rows,
    send,
    table_of,
    typed,
)

FREELANCE = replace(STANDARD, plan="plus", add_ons=frozenset())


@pytest.fixture
def freelancers(demo_database: Database) -> NamedSet:
    """A second set beside the demo's own."""
    with demo_database.transaction() as session:
        return defaults.make_set(session, manager(demo_database), "Freelancers", FREELANCE)


def set_called(database: Database, name: str) -> NamedSet:
    return next(each for each in asked(database, defaults.sets) if each.name == name)


def invited_on(database: Database, set_number: int, name: str = "Zoe Freelance") -> int:
    """A client invited on a set; its number."""
    with database.transaction() as session:
        new_client = NewClient(name=name, email=f"{name.split()[0].lower()}@example.com")
        return invitations.invite(session, manager(database), new_client, set_number=set_number).client_id


def retired(database: Database, name: str) -> None:
    with database.transaction() as session:
        found = set_called(database, name)
        defaults.retire_set(session, manager(database), found.set_number, seen=found.changes)


def labels(app) -> set[str]:  # type: ignore[no-untyped-def]
    return {each.label for each in app.button}


def test_a_firm_with_one_set_sees_one_quiet_way_to_a_second(demo_database: Database) -> None:
    """Nothing else of sets stands on any page."""
    app = opened(DEFAULTS)
    second = button(app, "Other defaults for some clients: make a second set")
    assert second.proto.type == "tertiary"
    assert "Standard set" not in plain_text(app)
    assert not {"Rename", "Retire"} & labels(app)
    assert "set" not in app.query_params
    for page in (CLIENTS, INVITE, DISTRIBUTION):
        app = opened(page)
        assert "on a retired set" not in plain_text(app)
        for box in (*app.selectbox, *app.menu_button):
            assert not str(box.label).startswith(("Default set", "Version"))
    assert "No default set" not in plain_text(app)


def test_the_second_set_is_made_as_a_copy_and_opened(demo_database: Database) -> None:
    """It begins with what the first one gives; what is said before is what is so afterwards (rule 17)."""
    app = ran(button(opened(DEFAULTS), "Other defaults for some clients: make a second set").click())
    assert "The default settings you have now are then called Standard, and stay the standard." in plain_text(app)
    at(app.text_input, "new set.name").set_value("Freelancers")
    ran(at(app.selectbox, "new set.copy 1.plan").set_value("plus"))
    ran(at(app.button, "new set.make").click())
    assert "The set Freelancers is made" in plain_text(app)
    made = set_called(demo_database, "Freelancers")
    before = set_called(demo_database, "Standard")
    assert made.settings == replace(before.settings, plan="plus")
    assert before.is_standard
    assert app.query_params["set"] == str(made.set_number)
    assert button(app, "Save as Freelancers v2").disabled
    assert {"Rename", "Make it the standard set", "Retire"} <= labels(app)


def test_a_name_that_is_taken_is_refused_and_what_was_typed_stays(demo_database: Database) -> None:
    """Rule 19: without case and accents."""
    app = ran(button(opened(DEFAULTS), "Other defaults for some clients: make a second set").click())
    at(app.text_input, "new set.name").set_value("STANDÀRD")
    ran(at(app.button, "new set.make").click())
    assert "There is a default set Standard already. Choose another name." in plain_text(app)
    assert at(app.text_input, "new set.name").value == "STANDÀRD"
    assert len(asked(demo_database, defaults.sets)) == 1


def test_the_sets_stand_side_by_side_with_what_they_give_and_their_clients(
    demo_database: Database, freelancers: NamedSet
) -> None:
    """Price, clients bound, and how many of those to older versions (rule 21)."""
    invited_on(demo_database, freelancers.set_number)
    with demo_database.transaction() as session:
        settings, seen = replace(FREELANCE, billing_period=BillingPeriod.YEARLY), SetVersion(freelancers.set_number, 1)
        number = freelancers.set_number
        defaults.save(session, manager(demo_database), settings, seen=seen, set_number=number)
    app = opened(DEFAULTS)
    output = plain_text(app)
    assert "**Freelancers** v2" in output
    assert "Plus, billed yearly, paid by the client" in output
    links = {each.proto.label: each.proto.query_string for each in app.get("page_link")}
    assert links["1 client"] == f"default_set={freelancers.set_number}"
    assert links["1 on an older version"] == f"default_set={freelancers.set_number}&source=older"


def test_each_set_is_edited_under_its_own_address_and_touches_no_other(
    demo_database: Database, freelancers: NamedSet
) -> None:
    """Two savers of different sets never disturb each other (rule 22)."""
    number = freelancers.set_number
    app = opened(DEFAULTS, set=str(number))
    ran(at(app.toggle, f"defaults {number}.pays").set_value(True))
    with demo_database.transaction() as session:
        defaults.save(session, manager(demo_database), replace(STANDARD, plan="plus"), seen=3)
    ran(at(app.button, f"defaults {number}.save").click())
    assert "Freelancers v2 is saved. Every client invited on Freelancers from now on gets it." in plain_text(app)
    assert set_called(demo_database, "Standard").version == 4
    assert set_called(demo_database, "Freelancers").version == 2


def test_a_colleagues_version_of_the_same_set_is_told_and_what_was_chosen_stays(
    demo_database: Database, freelancers: NamedSet
) -> None:
    """Rule 12, set by set."""
    number = freelancers.set_number
    app = opened(DEFAULTS, set=str(number))
    ran(at(app.selectbox, f"defaults {number}.plan").set_value("premium"))
    with demo_database.transaction() as session:
        seen = SetVersion(number, 1)
        defaults.save(session, manager(demo_database), STANDARD, seen=seen, set_number=number)
    ran(at(app.button, f"defaults {number}.save").click())
    assert "Demo client manager saved Freelancers v2 on" in plain_text(app)
    assert at(app.selectbox, f"defaults {number}.plan").value == "premium"
    assert set_called(demo_database, "Freelancers").version == 2
    ran(at(app.button, f"defaults {number}.save").click())
    assert set_called(demo_database, "Freelancers").version == 3


def test_a_set_is_renamed_made_standard_retired_and_brought_back(
    demo_database: Database, freelancers: NamedSet
) -> None:
    """Each says what it will do first; the set's history tells it (rules 17, 19 and 20)."""
    number = freelancers.set_number
    invited_on(demo_database, number)
    app = opened(DEFAULTS, set=str(number))
    ran(button(app, "Rename").click())
    assert "Every screen then says the new name, of the past too. No client changes." in plain_text(app)
    at(app.text_input, f"set {number}.name").set_value("Self-employed")
    ran(button(app, "Rename the set").click())
    assert set_called(demo_database, "Self-employed").set_number == number

    ran(button(app, "Retire").click())
    assert "Nobody can then pick Self-employed, save a version of it or adopt it." in plain_text(app)
    assert "Its 1 client keeps everything" in plain_text(app)
    ran(button(app, r"Retire Self\-employed").click())
    assert set_called(demo_database, "Self-employed").is_retired
    assert "This set is retired" in plain_text(app)
    assert not [each for each in app.button if str(each.key).endswith(".save")]

    ran(button(app, "Bring back").click())
    ran(button(app, r"Bring Self\-employed back").click())
    ran(button(app, "Make it the standard set").click())
    assert "A client invited from then on gets Self-employed, unless another set is picked." in plain_text(app)
    ran(button(app, r"Make Self\-employed the standard set").click())
    assert set_called(demo_database, "Self-employed").is_standard
    assert not {"Retire", "Make it the standard set"} & labels(app)
    told = plain_text(app)
    assert "Freelancers → Self-employed" in told
    assert all(word in told for word in ("Retired", "Brought back", "Made the standard set"))


def test_a_set_that_a_colleague_changed_meanwhile_is_looked_at_again(
    demo_database: Database, freelancers: NamedSet
) -> None:
    """Rule 12: retiring what was just renamed is refused once."""
    app = ran(button(opened(DEFAULTS, set=str(freelancers.set_number)), "Retire").click())
    with demo_database.transaction() as session:
        colleague = manager(demo_database)
        defaults.rename_set(session, colleague, freelancers.set_number, "Sole traders", seen=freelancers.changes)
    ran(button(app, "Retire Freelancers").click())
    assert "Demo client manager changed the default set Sole traders on" in plain_text(app)
    assert not set_called(demo_database, "Sole traders").is_retired
    ran(button(app, "Retire Sole traders").click())
    assert set_called(demo_database, "Sole traders").is_retired


def test_who_may_not_save_reads_the_sets_and_changes_none(freelancers: NamedSet) -> None:
    """Rule 10."""
    app = opened(DEFAULTS, acting=4, set=str(freelancers.set_number))
    assert "Plus" in plain_text(app)
    assert not {"Rename", "Retire", "Make it the standard set", "Make another set", "Use these again"} & labels(app)


def test_an_old_version_is_used_again_with_its_price_beside_todays(demo_database: Database) -> None:
    """It fills the form; nothing is saved before the button is clicked."""
    app = opened(DEFAULTS)
    first = asked(demo_database, defaults.history)[-2]
    ran(at(app.selectbox, "versions 1").set_value("v2"))
    ran(at(app.button, "versions 1.again").click())
    assert at(app.selectbox, "defaults 1.plan").value == first.settings.plan
    assert " → " in plain_text(app)
    assert asked(demo_database, defaults.current).version == 3
    ran(at(app.button, "defaults 1.save").click())
    assert asked(demo_database, defaults.current).settings == first.settings


def test_a_versions_number_of_clients_opens_them(demo_database: Database) -> None:
    """The link leads to the list of exactly those."""
    app = opened(DEFAULTS)
    ran(at(app.selectbox, "versions 1").set_value("v1"))
    bound = asked(demo_database, reports.figures).per_version[SetVersion(1, 1)]
    (link,) = [each.proto for each in app.get("page_link") if each.proto.label == f"Show its {bound} clients"]
    assert link.query_string == "version=1"
    shown = rows(opened(version="1"))
    assert len(shown) == min(bound, 50)
    assert set(shown["version"]) == {"v1"}


def test_inviting_begins_with_the_standard_set_and_binds_to_the_one_that_is_picked(
    demo_database: Database, freelancers: NamedSet
) -> None:
    """Picking is no override (rule 18)."""
    app = opened(INVITE)
    picker = next(box for box in app.selectbox if box.label == "Default set")
    assert picker.options == ["Standard", "Freelancers"]
    assert picker.value == 1
    ran(picker.set_value("Freelancers"))
    assert "Bound to Freelancers v1: later versions will not change this client." in plain_text(app)
    assert "Plus" in plain_text(app)
    send(typed(app, name="Zoe Freelance", email="zoe@example.com"))
    assert "Bound to Freelancers v1" in plain_text(app)
    (client,) = asked(demo_database, reports.listed, search="zoe@example.com")
    assert (client.default_set, client.defaults_version) == ("Freelancers", 1)
    assert client.overridden == frozenset()


def test_an_invitation_on_a_set_that_was_retired_meanwhile_is_told_first(
    demo_database: Database, freelancers: NamedSet
) -> None:
    """Nothing is sent on another set than the one that was picked."""
    app = opened(INVITE)
    ran(next(box for box in app.selectbox if box.label == "Default set").set_value("Freelancers"))
    retired(demo_database, "Freelancers")
    send(typed(app, name="Zoe Freelance", email="zoe@example.com"))
    assert "The default set Freelancers is retired. Choose one of: Standard" in plain_text(app)
    assert not asked(demo_database, reports.listed, search="zoe@example.com")
    send(typed(app, name="Zoe Freelance", email="zoe@example.com"))
    (client,) = asked(demo_database, reports.listed, search="zoe@example.com")
    assert client.default_set == "Standard"


def test_a_client_adopts_its_own_set_at_first_and_another_one_by_name(
    demo_database: Database, freelancers: NamedSet
) -> None:
    """Rule 22."""
    client_id = invited_on(demo_database, 1)
    app = ran(button(opened(CLIENT, client=str(client_id)), "Adopt another set").click())
    picker = next(box for box in app.selectbox if box.label == "Default set to adopt")
    assert picker.options[0] == "Standard (its own)"
    assert picker.value == 1
    ran(picker.set_value("Freelancers"))
    ran(button(app, "Adopt Freelancers v1").click())
    shown = asked(demo_database, subscriptions.detail, client_id)
    assert shown.held.bound == SetVersion(freelancers.set_number, 1)
    with demo_database.transaction() as session:
        member, premium = manager(demo_database), Overrides(plan="premium")
        subscriptions.override(session, member, client_id, premium, seen=shown.seen)
    assert button(opened(CLIENT, client=str(client_id)), "Back to Freelancers v1")


def test_a_client_of_a_retired_set_adopts_the_standard_one_once_that_is_confirmed(
    demo_database: Database, freelancers: NamedSet
) -> None:
    """Until then it is only previewed (rule 22)."""
    client_id = invited_on(demo_database, freelancers.set_number)
    retired(demo_database, "Freelancers")
    app = ran(button(opened(CLIENT, client=str(client_id)), "Adopt Standard v3").click())
    assert "Its own set, Freelancers, is retired: it cannot be adopted." in plain_text(app)
    assert "Subscription: Plus → Standard" in plain_text(app)
    assert button(app, "Adopt Standard v3").disabled
    ran(next(box for box in app.checkbox if box.label == "Yes, bind it to Standard").check())
    ran(button(app, "Adopt Standard v3").click())
    assert asked(demo_database, subscriptions.detail, client_id).held.bound == SetVersion(1, 3)


def test_the_list_is_filtered_by_set_and_version_through_the_address(
    demo_database: Database, freelancers: NamedSet
) -> None:
    """A link to share; the version is one of the set that is picked."""
    invited_on(demo_database, freelancers.set_number)
    app = opened(default_set=str(freelancers.set_number), version="1")
    assert list(rows(app)["name"]) == ["Zoe Freelance"]
    assert list(rows(app)["version"]) == ["Freelancers v1"]
    choose(app, "clients.default_set", 1)
    assert "Zoe Freelance" not in set(rows(app)["name"])
    assert app.query_params["default_set"] == "1"


def test_clients_on_a_retired_set_are_a_figure_of_their_own(demo_database: Database, freelancers: NamedSet) -> None:
    """And no older ones (rule 21); without any there is no such figure."""
    invited_on(demo_database, freelancers.set_number)
    assert not [each for each in opened().button if each.key == "clients.retired set"]
    retired(demo_database, "Freelancers")
    app = opened()
    figure = at(app.button, "clients.retired set")
    assert figure.label == "**1** on a retired set"
    ran(figure.click())
    assert list(rows(app)["name"]) == ["Zoe Freelance"]
    assert app.query_params["source"] == "retired_set"


def test_the_distribution_is_split_by_set(demo_database: Database, freelancers: NamedSet) -> None:
    """Where there are several; the totals are those of the other splits."""
    invited_on(demo_database, freelancers.set_number)
    app = opened(DISTRIBUTION)
    ran(at(app.button_group, "distribution.statuses").set_value([status.value for status in ClientStatus]))
    before = list(app.dataframe[0].value["Total"])
    ran(at(app.button_group, "distribution.split").set_value("set_number"))
    assert list(app.dataframe[0].value.columns) == ["Subscription", "Standard", "Freelancers", "Total"]
    assert list(app.dataframe[0].value["Total"]) == before
    assert app.dataframe[0].value["Freelancers"].iloc[-1] == "1"


@pytest.mark.parametrize("locale", ["fr-BE", "nl-BE"])
@pytest.mark.parametrize("page", [DEFAULTS, INVITE, CLIENTS, DISTRIBUTION, CLIENT])
def test_every_page_opens_with_two_sets(locale: str, page: str, demo_database: Database, freelancers: NamedSet) -> None:
    """In each language, one of the sets retired."""
    client_id = invited_on(demo_database, freelancers.set_number)
    retired(demo_database, "Freelancers")
    app = opened(page, locale=locale, **({"client": str(client_id)} if page == CLIENT else {}))
    speak(best_language(locale))
    if page == CLIENT:
        assert t("{name} v{version} (retired)", name="Freelancers", version="1") in table_of(app).to_string()
    if page == DEFAULTS:
        assert t("Make another set") in labels(app)
