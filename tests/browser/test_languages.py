"""Each page does its work in the three languages, fits every width, and says nothing in English to whoever reads
another language."""

import re
from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest
from playwright.sync_api import FilePayload, Locator, Page, expect

from core.imports import Column
from core.subscriptions import DemoKeepsSample
from core.words import ActivityKind, ClientDetail, DetailChange, Role, best_language, language, nt, speak, t
from tests.browser.conftest import (
    CHROMIUM,
    Server,
    alert,
    button,
    cell,
    choose,
    click_in_row,
    clients,
    column,
    expect_title,
    go_to,
    letters,
    open_page,
    settled,
    table,
    whole,
)
from tests.browser.looks import PAGES, assert_it_fits, assert_no_english, look_at, open_one
from tests.browser.test_members import members_table, row_of

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="There is no Chromium on this machine."),
]
in_each_language = pytest.mark.parametrize("page", ["en-GB", "fr-BE", "nl-BE"], indirect=True)


@pytest.fixture
def page(request: pytest.FixtureRequest, visit: Callable[..., Page]) -> Iterator[Page]:
    """A visit of somebody whose browser is in this language, who never reads English in another one."""
    speak(best_language(request.param))
    page = visit(locale=request.param)
    yield page
    assert_no_english(page)


@pytest.fixture
def unique() -> str:
    """A word that no other test's client has."""
    return uuid4().hex[:10]


@pytest.mark.parametrize("locale", ["fr-BE", "nl-BE"])
@pytest.mark.parametrize("path", PAGES)
def test_every_page_fits_every_width_and_says_nothing_in_english(
    server: Server, look: Callable[..., Page], path: str, locale: str
) -> None:
    """In the two languages with the longer words, in the dark."""
    speak(best_language(locale))
    page = look(locale=locale, viewport={"width": 1440, "height": 1000})
    page.emulate_media(color_scheme="dark")
    open_one(page, server, path)
    assert_no_english(page)
    for width in (1440, 1024, 390):
        look_at(page, width, "dark")
        assert_it_fits(page)


@in_each_language
def test_a_list_is_brought_its_columns_chosen_and_its_clients_invited(page: Page, server: Server, unique: str) -> None:
    """From headings that say nothing to the report, and to the batch that the import is."""
    open_page(page, f"{server.url}/invite_client", t("Invite a client"))
    page.get_by_role("tab", name=t("A spreadsheet")).click()
    headings, ready = f"Q{unique};Z{unique}", f"Aubry {unique};{unique}@example.com"
    rows = f"{headings}\n{ready}\nNowhere;nowhere\n"
    file: FilePayload = {"name": "list.csv", "mimeType": "text/csv", "buffer": rows.encode()}
    page.locator("input[type=file]").set_input_files(file)
    asked = t("Choose which column of the list holds what. It is remembered for lists with these headings.")
    expect(page.get_by_text(asked)).to_be_visible()
    assert_no_english(page)
    choose(page, t("{column} (required)", column=Column.NAME), "A · ")
    choose(page, t("{column} (required)", column=Column.EMAIL), "B · ")
    settled(page)
    button(page, t("Check the list")).click()

    expect(button(page, t("Check again"))).to_be_visible()
    assert_no_english(page)
    button(page, nt("Invite the {count} ready", "Invite the {count} ready", 1)).click()
    expect(alert(page)).to_have_text(nt("{count} client is invited.", "{count} clients are invited.", 1))
    invited = page.get_by_role("region", name=t("The clients that were invited, one per row"), exact=True)
    expect(cell(invited, 0, t("Client"))).to_have_text(f"Aubry {unique}")
    assert_no_english(page)
    page.get_by_role("link", name=t("This import among the bulk changes")).click()
    expect(page.get_by_role("heading", name=t("Its clients"))).to_be_visible()
    assert server.clients_named(f"Aubry {unique}") == 1


@in_each_language
def test_a_client_reads_what_is_offered_and_accepts(page: Page, server: Server, unique: str) -> None:
    """In the client's language."""
    name = f"Aubry {unique}"
    page.goto(server.link_of(server.invite(name, f"{unique}@example.com", language=language())))
    expect_title(page, t("{partner} invites you", partner="Fiduciaire Exemple"))
    assert_no_english(page)
    button(page, t("Accept")).click()
    expect_title(page, t("Welcome, {client}", client=name))
    accepted = t(
        "You accepted the invitation of {partner}. Your subscription starts today.", partner="Fiduciaire Exemple"
    )
    expect(alert(page)).to_have_text(whole(accepted))


@in_each_language
def test_the_catalogue_says_prices_and_opens_who_has_a_plan(page: Page, server: Server) -> None:
    """And why the demo loads no other one."""
    open_page(page, f"{server.url}/catalogue", t("Catalogue"))
    expect(alert(page)).to_have_text(str(DemoKeepsSample()))
    alt = t("The subscriptions, one per row, and the add-ons that go with each")
    plans = page.get_by_role("region", name=alt, exact=True)
    plan = cell(plans, 1, t("Subscription")).inner_text()
    assert_no_english(page)
    click_in_row(page, 1, 0, plans)
    expect_title(page, t("Clients"))
    expect(column(clients(page), t("Subscription")).first).to_have_text(plan)


@in_each_language
def test_a_member_is_invited_and_given_another_role(page: Page, server: Server, unique: str) -> None:
    """With the message that would be sent; told under what was changed."""
    name = f"Camille {unique}"
    open_page(page, f"{server.url}/members", t("Members"))
    button(page, t("Invite a member")).click()
    line(page, t("Name")).fill(name)
    line(page, t("E-mail")).fill(f"{unique}@example.com")
    assert_no_english(page)
    button(page, t("Invite this member")).click()
    expect_title(page, name)
    expect(page.get_by_text(t("The message that waits"))).to_be_visible()
    settled(page)
    choose(page, t("Role"), Role.FINANCE.label)
    settled(page)
    button(page, t("Save")).click()
    expect(alert(page)).to_have_text(whole(t("{name} is changed. It takes effect at their next click.", name=name)))
    assert_no_english(page)
    button(page, t("Members")).click()
    expect_title(page, t("Members"))
    settled(page)
    expect(cell(members_table(page), row_of(page, name), t("Role"))).to_have_text(Role.FINANCE.label)


@in_each_language
def test_who_downloads_the_list_is_found_under_activity(page: Page, server: Server) -> None:
    """By what was done; nothing of another kind stands beside it."""
    open_page(page, server.url, t("Clients"))
    settled(page)
    with page.expect_download() as download:
        button(page, t("Download as CSV")).click()
    assert re.fullmatch(r"clients \d{4}-\d\d-\d\d\.csv", download.value.suggested_filename)
    count = len(download.value.path().read_text().splitlines()) - 1
    assert_no_english(page)
    go_to(page, t("Activity"))
    choose(page, t("What"), ActivityKind.CLIENTS_FILE.label)
    done = table(page, t("Of what"))
    expect(cell(done, 0, t("Of what"))).to_have_text(nt("{count} client", "{count} clients", count))
    expect(cell(done, 0, t("Who"))).to_have_text("Demo administrator")
    assert set(column(done, t("What")).all_inner_texts()) == {ActivityKind.CLIENTS_FILE.label}
    choose(page, t("What"), ActivityKind.CATALOGUE_LOADED.label)
    expect(alert(page)).to_have_text(t("Nothing matches. Choose anyone, anything or other days."))


@in_each_language
def test_a_number_of_the_distribution_opens_its_clients(page: Page, server: Server) -> None:
    """As many clients as the number says, each with this plan."""
    open_page(page, f"{server.url}/plan_distribution", t("Plan distribution"))
    numbers = page.get_by_role("region", name=t("The numbers behind the chart"), exact=True)
    expect(cell(numbers, 0, t("Total"))).to_be_attached()
    plan, total = cell(numbers, 0, t("Subscription")).inner_text(), cell(numbers, 0, t("Total")).inner_text()
    assert_no_english(page)
    canvas = numbers.get_by_test_id("data-grid-canvas")
    canvas.scroll_into_view_if_needed()
    settled(page)
    place, rows = canvas.bounding_box(), numbers.locator("table").get_attribute("aria-rowcount")
    assert place
    assert rows
    page.mouse.click(place["x"] + place["width"] - 30, place["y"] + place["height"] / int(rows) * 1.5)
    expect_title(page, t("Clients"))
    expect(column(clients(page), t("Client"))).to_have_count(int(total))
    assert set(column(clients(page), t("Subscription")).all_inner_texts()) == {plan}


@in_each_language
def test_a_clients_page_edits_who_it_is_hands_it_over_and_archives_it(page: Page, server: Server, unique: str) -> None:
    """Each is told above, and in the history of the client."""
    name = f"Aubry {unique}"
    client_id = server.invite(name, f"{unique}@example.com")
    open_page(page, f"{server.url}/client_subscription?client={client_id}", name)
    button(page, t("Edit details")).click()
    line(page, t("Contact (optional)")).fill("Camille")
    assert_no_english(page)
    button(page, t("Save details")).click()
    edited = DetailChange(ClientDetail.CONTACT_NAME, "", "Camille").label
    expect(alert(page)).to_have_text(whole(t("Saved. {done}.", done=edited)))

    button(page, t("Change account manager")).click()
    choose(page, t("Account manager"), "Second client manager")
    settled(page)
    assert_no_english(page)
    button(page, t("Save")).click()
    now = t("{name} is now the account manager of {client}.", name="Second client manager", client=name)
    expect(alert(page)).to_have_text(whole(now))

    button(page, t("Archive")).click()
    expect(page.get_by_role("heading", name=t("Archive this client"))).to_be_visible()
    assert_no_english(page)
    button(page, t("Archive now")).click()
    expect(alert(page).first).to_have_text(whole(t("{name} is archived.", name=name)))
    history = table(page, t("Why"))
    told = [letters(t("Archived")), "Second client manager", letters(edited)]
    expect(column(history, t("What"))).to_contain_text([re.compile(each) for each in told])


def line(page: Page, label: str) -> Locator:
    return page.get_by_role("main").get_by_role("textbox", name=label, exact=True)
