"""The main stories, as people live them: a real browser, a real server, a demo of their own."""

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from playwright.sync_api import Locator, Page, expect

from core.words import Money, Overrides, Payer, Setting, Source, best_language, speak, t
from tests.browser.conftest import (
    CHROMIUM,
    Server,
    Visits,
    act_as,
    alert,
    box,
    button,
    cell,
    choose,
    clients,
    column,
    copied,
    expect_title,
    filter_menu,
    find_in_the_table,
    go_back,
    go_to,
    in_force,
    letters,
    menu,
    open_page,
    open_row,
    search,
    serving,
    settled,
    table,
    whole,
)
from tests.conftest import STANDARD

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="There is no Chromium on this machine."),
]

ELSEWHERE = "http://elsewhere.example/pixel.png"
NASTY_NAMES = [
    "[Aubry](http://elsewhere.example) & Fils",
    f"![logo]({ELSEWHERE})",
    "**Aubry** _et_ ~~Fils~~ *SRL*",
    "$a$ and $$\\frac{1}{2}$$",
    ":material/home: :smile: :red[Aubry] :blue-badge[Override]",
    "<script>alert(1)</script><b>Aubry</b>",
    f'<img src="{ELSEWHERE}" onerror="alert(1)">',
    "javascript:alert(1)",
    "Association " + "pour la sauvegarde du patrimoine " * 5 + "de la Meuse",
    "مخبز السلام & בית לחם",
    "Bäckerei 🥐👩‍🍳 Ünlü",
    'O\'Brien "the" «baker» `rm -rf`',
    "www.example.com office@example.com https://example.com",
    "=1+1",
    "# 1. | c \\ d &amp; {name} %s",
    "Aubry -> Fils <- SRL <-> SA -- NV >= BV <= SNC ~= (c) ...",
]
ADDRESSES = """() => [...document.querySelectorAll("[href], [src]")]
    .map(element => element.href || element.src).filter(address => /^http/.test(address))"""
MARKED_UP = "a, b, strong, em, del, code, img, script, iframe, .katex, [role=img], [style*=color]"


@pytest.fixture
def unique() -> str:
    """A word that no other test's client has."""
    return uuid4().hex[:10]


@pytest.mark.parametrize(
    ("locale", "title"),
    [("en-GB", "Default settings"), ("fr-BE", "Paramètres par défaut"), ("nl-BE", "Standaardinstellingen")],
)
def test_from_saved_defaults_to_an_exception_that_later_defaults_leave_alone(
    server: Server, visit: Callable[..., Page], unique: str, locale: str, title: str
) -> None:
    """The product in one story, in the language of the browser."""
    begun = server.save(STANDARD)
    speak(best_language(locale))
    page = visit(locale=locale)
    name, reason = f"Boulangerie {unique}", f"asked for it by mail {unique}"

    open_page(page, f"{server.url}/defaults", title)
    expect(page.locator("html")).to_have_attribute("lang", best_language(locale))
    save_other_defaults(page, plan="Plus", version=begun + 1)

    go_to(page, t("Invite a client"))
    invite(page, name, f"{unique}@example.com")
    expect(alert(page)).to_have_text(t("{name} is invited.", name=name))

    find_in_the_table(page, unique, name)
    expect(cell(clients(page), 0, t("Source"))).to_have_text(t("Default v{version}", version=begun + 1))
    expect(cell(clients(page), 0, t("Subscription"))).to_have_text("Plus")
    expect(cell(clients(page), 0, t("Paid by"))).to_have_text(Payer.PARTNER.label)
    expect(cell(clients(page), 0, t("Price a month"))).to_have_text(str(Money(3900, "EUR")))

    open_row(page, 0)
    expect_title(page, name)
    button(page, t("Change")).click()
    choose(page, Setting.PLAN.label, "Premium")
    page.get_by_label(t("Reason (optional)"), exact=True).fill(reason)
    page.keyboard.press("Tab")
    button(page, t("Save {count} change", count=1)).click()
    expect(alert(page)).to_contain_text("Premium")
    payer, plan = in_force(page, Setting.PAYER), in_force(page, Setting.PLAN)
    expect(plan("In force")).to_have_text("Premium")
    expect(plan("Source")).to_have_text(Source.OVERRIDE.label)
    expect(plan("Where it comes from")).to_contain_text(reason)
    expect(payer("Source")).to_have_text(t("Default v{version}", version=begun + 1))
    history = table(page, t("Why"))
    changed = t("{setting}: {before} → {after}", setting=Setting.PLAN, before="Plus", after="Premium")
    expect(cell(history, 0, t("What"))).to_have_text(re.compile(letters(changed)))
    expect(cell(history, 0, t("Why"))).to_have_text(reason)
    bound = t("default settings v{version}", version=begun + 1)
    expect(cell(history, 1, t("What"))).to_contain_text(t("Invited on {defaults}", defaults=bound))

    go_to(page, t("Default settings"))
    save_other_defaults(page, plan="Standard", version=begun + 2)

    find_in_the_table(page, unique, name)
    expect(cell(clients(page), 0, t("Source"))).to_have_text(t("Override: {settings}", settings=t("plan")))
    expect(cell(clients(page), 0, t("Subscription"))).to_have_text("Premium")
    expect(cell(clients(page), 0, t("Paid by"))).to_have_text(Payer.PARTNER.label)
    expect(cell(clients(page), 0, t("Price a month"))).to_have_text(str(Money(6400, "EUR")))
    open_row(page, 0)
    expect_title(page, name)
    invited_with = t("Invited with v{version}", version=begun + 1)
    todays_default = t("Today's default v{version}", version=begun + 2)
    expect(payer("In force")).to_have_text(Payer.PARTNER.label)
    expect(payer("Source")).to_have_text(t("Default v{version} (older)", version=begun + 1))
    expect(payer(invited_with)).to_have_text(t("same"))
    expect(payer(todays_default)).to_have_text(Payer.CLIENT.label)
    expect(plan("In force")).to_have_text("Premium")
    expect(plan(invited_with)).to_have_text("Plus")
    expect(plan(todays_default)).to_have_text("Standard")


def test_an_accountant_sees_their_own_clients_and_is_offered_no_change(
    server: Server, visit: Callable[..., Page], unique: str
) -> None:
    """Rules 10 and 52: neither by the menu nor by the address of a page; a client handed to them is there at once."""
    name = f"Librairie {unique}"
    client_id = server.invite(name, f"{unique}@example.com")
    page, colleague = visit(), visit()
    open_page(page, f"{server.url}/invite_client", "Invite a client")
    expect(button(page, "Invite this client")).to_be_visible()
    act_as(page, "Demo accountant")
    expect(alert(page)).to_contain_text("You may not do this")
    go_to(page, "Clients")
    offered = menu(page).get_by_role("link").get_by_role("paragraph")
    expect(offered).to_have_text(["Clients", "Client subscription", "Default settings", "Catalogue"])
    expect(button(page, "Invite a client")).to_have_count(0)

    with page.expect_event("framenavigated", lambda frame: frame.url == f"{server.url}/invite_client"):
        go_back(page)
    expect(alert(page)).to_contain_text("You may not do this")
    expect(button(page, "Invite this client")).to_have_count(0)
    expect(page.get_by_label("E-mail")).to_have_count(0)
    go_to(page, "Clients")
    search(page, unique)
    expect(alert(page)).to_contain_text("No client matches.")

    open_page(colleague, f"{server.url}/client_subscription?client={client_id}", name)
    button(colleague, "Change account manager").click()
    choose(colleague, "Account manager", "Demo accountant")
    button(colleague, "Save").click()
    expect(alert(colleague)).to_contain_text("Demo accountant is now the account manager of")

    search(page, name)
    expect(cell(clients(page), 0, "Client")).to_have_text(name)
    open_row(page, 0)
    expect_title(page, name)
    expect(button(page, "Change")).to_have_count(0)
    expect(button(page, "Change account manager")).to_have_count(0)


def test_finance_sees_everything_and_is_offered_no_change(server: Server, visit: Callable[..., Page]) -> None:
    """Rule 10: read and export, nothing else."""
    page = visit()
    open_page(page, server.url, "Clients")
    act_as(page, "Demo finance")
    expect(menu(page).get_by_role("link", name="Invite a client")).to_have_count(0)
    expect(cell(clients(page), 0, "Client")).to_be_attached()
    expect(button(page, "Download as CSV")).to_be_visible()
    expect(button(page, "Invite a client")).to_have_count(0)

    open_row(page, 0)
    expect(cell(table(page, "Why"), 0, "What")).to_be_attached()
    expect(button(page, "Change")).to_have_count(0)
    expect(page.get_by_role("button", name="defaults")).to_have_count(0)

    go_to(page, "Default settings")
    expect(page.get_by_text("With your role you can read the default settings")).to_be_visible()
    expect(cell(table(page, "What changed"), 0, "Version")).to_be_attached()
    expect(page.get_by_role("button", name="Save")).to_have_count(0)

    go_to(page, "Plan distribution")
    numbers = page.get_by_role("region", name="The numbers behind the chart")
    expect(column(numbers, "Subscription").last).to_have_text("Total")
    expect(button(page, "Download as CSV")).to_be_visible()


def test_the_member_and_the_language_chosen_hold_on_every_way_through_the_pages(
    server: Server, visit: Callable[..., Page], unique: str
) -> None:
    """Rule 11: what is done is done by the member one acts as; by the menu, by a button and from the table."""
    name = f"Librairie {unique}"
    page = visit()
    open_page(page, server.url, "Clients")
    act_as(page, "Second client manager")
    page.get_by_role("radiogroup", name="Language").get_by_text("FR", exact=True).click()
    speak("fr")
    expect(button(page, t("Invite a client"))).to_be_visible()
    expect(filter_menu(page, t("Source"))).to_have_accessible_name(t("Source"))
    button(page, t("Invite a client")).click()
    expect_title(page, t("Invite a client"))
    invite(page, name, f"{unique}@example.com")
    button(page, t("Open the client")).click()
    expect_title(page, name)
    history = table(page, t("Why"))
    expect(column(history, t("Who"))).to_have_text(["Second client manager"])

    find_in_the_table(page, unique, name)
    open_row(page, 0)
    expect_title(page, name)
    button(page, t("Change")).click()
    choose(page, Setting.PLAN.label, "Premium")
    button(page, t("Save {count} change", count=1)).click()
    expect(alert(page)).to_contain_text("Premium")
    expect(column(history, t("Who"))).to_have_text(["Second client manager"] * 2)


def test_whom_one_acts_as_in_the_demo_survives_a_reload(server: Server, visit: Callable[..., Page]) -> None:
    """In this browser; whoever comes with another one begins as the administrator."""
    speak("en")
    page, other = visit(), visit()
    open_page(page, server.url, "Clients")
    act_as(page, "Demo finance")
    settled(page)
    page.reload()
    expect(box(page, "Act as")).to_have_value(re.compile("Demo finance"))
    open_page(other, server.url, "Clients")
    expect(box(other, "Act as")).to_have_value(re.compile("Demo administrator"))


def test_a_link_to_a_client_opens_it_as_the_first_request_after_a_start(
    server: Server, visit: Callable[..., Page], tmp_path: Path
) -> None:
    """A shared link works at once, also on a server that nobody has visited."""
    with serving(copied(server, tmp_path), is_demo=True) as fresh:
        page = visit()
        open_page(page, f"{fresh.url}/client_subscription?client=5", server.name_of(5))
        expect(cell(table(page, "Why"), 0, "What")).to_be_attached()
        expect(page.get_by_role("dialog")).to_have_count(0)
        expect(menu(page).get_by_role("link", name="Client subscription")).to_be_visible()
        expect(page.get_by_text("Sample clients, members, plans and prices")).to_be_visible()


def test_a_link_shows_nothing_of_a_client_to_nobody_also_as_the_first_request_after_a_start(
    server: Server, visit: Callable[..., Page], tmp_path: Path
) -> None:
    """Rule 10: without demo mode nobody is signed in, and a link does not run past that."""
    with serving(copied(server, tmp_path), is_demo=False) as closed:
        page = visit()
        page.goto(f"{closed.url}/client_subscription?client=5")
        expect(page.get_by_text("Sign-in is not configured on this server")).to_be_visible()
        expect(page.get_by_text(server.name_of(5))).to_have_count(0)
        expect(page.get_by_role("region")).to_have_count(0)
        expect(menu(page)).to_have_count(0)


def test_a_name_is_shown_letter_for_letter_wherever_it_appears(server: Server, visits: Visits, unique: str) -> None:
    """What looks like Markdown, HTML, a formula or an icon is only a name."""
    page = visits.begin()
    open_page(page, f"{server.url}/invite_client", "Invite a client")
    for number, name in enumerate(NASTY_NAMES):
        half = "ab"[number % 2]
        invite(page, name, f"{unique}.{half}{number}@example.com")
        expect_letter_for_letter(alert(page), f"{name} is invited.")
        button(page, "Open the client").click()
        expect(button(page, "Change")).to_be_visible()
        expect_letter_for_letter(page.get_by_role("heading", level=1), name)
        go_to(page, "Invite a client")

    menu(page).get_by_role("link", name="Client subscription").click()  # shows the last client again
    button(page, "Find another client").click()
    expect_title(page, "Client subscription")
    for begins_at, half in enumerate("ab"):
        search(page, f"{unique}.{half}")
        found = page.get_by_role("main").get_by_role("link").get_by_role("paragraph")
        for name in NASTY_NAMES[begins_at::2]:
            expect_letter_for_letter(found.filter(has_text=whole(name)), name)
        expect(found).to_have_count(len(NASTY_NAMES[begins_at::2]))

    go_to(page, "Clients")
    search(page, unique)
    expect(column(clients(page), "Client")).to_have_count(len(NASTY_NAMES))
    listed = column(clients(page), "Client").all_text_contents()
    assert {name.removeprefix("\u2060") for name in listed} == set(NASTY_NAMES)
    expect(page.get_by_role("main").locator("script, iframe, .katex, img[src^=http]")).to_have_count(0)
    assert not [url for url in visits.asked if "elsewhere.example" in url]


def test_a_name_and_a_reason_are_shown_letter_for_letter_in_what_is_done_and_refused(
    server: Server, visits: Visits, unique: str
) -> None:
    """Also where a sentence has a name in it, and in the history."""
    name = f"**Aubry** [x](http://elsewhere.example) ![i]({ELSEWHERE}) $a$ <img src=x> :red[b] `c` www.example.com"
    reason = f"![i]({ELSEWHERE}) **urgent** :material/home: $a$ <b>{unique}</b>"
    client_id = server.invite(name, f"{unique}@example.com")
    page = visits.begin()

    open_page(page, f"{server.url}/invite_client", "Invite a client")
    invite(page, "Somebody else", f"{unique}@example.com")
    expect(alert(page)).to_have_text(re.compile(f"^This e-mail belongs to {letters(name)}, invited on "))
    expect(alert(page).locator(MARKED_UP)).to_have_count(0)
    page.get_by_role("main").get_by_role("link", name="Open the client").click()

    button(page, "Change").click()
    expect(page).to_have_url(f"{server.url}/client_subscription?client={client_id}")
    page.get_by_role("radiogroup", name="Billing period").get_by_role("radio", name="Yearly", exact=True).click()
    page.get_by_label("Reason (optional)").fill(reason)
    page.keyboard.press("Tab")
    button(page, "Save 1 change").click()
    expect_letter_for_letter(
        alert(page),
        "Saved. Billing period: Monthly → Yearly; Billing period: overridden for this client from now on.",
    )
    expect_letter_for_letter(page.get_by_role("heading", level=1), name)
    expect_letter_for_letter(cell(table(page, "Why"), 0, "Why"), reason)
    assert not [url for url in visits.asked if "elsewhere.example" in url]


def test_the_browser_asks_nothing_of_another_machine(server: Server, visits: Visits) -> None:
    """A firm's clients are nobody else's business: no fonts, icons or statistics from elsewhere."""
    page = visits.begin()
    for path, title in (
        ("", "Clients"),
        ("invite_client", "Invite a client"),
        ("client_subscription?client=5", server.name_of(5)),
        ("defaults", "Default settings"),
        ("plan_distribution", "Plan distribution"),
    ):
        open_page(page, f"{server.url}/{path}", title)
        expect(page.get_by_role("region").last).to_be_visible()
        elsewhere = page.evaluate(ADDRESSES)
        assert [url for url in elsewhere if urlsplit(url).hostname != "127.0.0.1"] == []
    assert len(visits.asked) > 10
    assert visits.asked_elsewhere == []


def test_back_from_a_client_returns_to_the_list_as_it_was(
    server: Server, visit: Callable[..., Page], unique: str
) -> None:
    """The browser's Back button, pressed as often as one likes, and Forward."""
    name = f"Garage {unique}"
    server.invite(name, f"{unique}@example.com")
    page = visit()
    open_page(page, f"{server.url}/defaults", "Default settings")
    find_in_the_table(page, unique, name)
    choose(page, "Status", "Invited")
    expect(page).to_have_url(f"{server.url}/?search={unique}&status=invited")
    open_row(page, 0)
    expect_title(page, name)

    go_back(page)
    expect_title(page, "Clients")
    expect(column(clients(page), "Client")).to_have_text([name])
    expect(filter_menu(page, "Status")).to_have_accessible_name("Status: Invited")
    expect(filter_menu(page, "Subscription")).to_have_accessible_name("Subscription")
    for _press in range(6):  # one step back can take two presses
        if page.url.endswith("/defaults"):
            break
        go_back(page)
        expect_title(page, "Default settings" if page.url.endswith("/defaults") else "Clients")
        expect(page.get_by_role("dialog")).to_have_count(0)
        expect(alert(page)).to_have_count(0)
    expect_title(page, "Default settings")
    page.go_forward()
    expect_title(page, "Clients")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(alert(page)).to_have_count(0)


def test_a_link_to_filtered_clients_shows_the_same_clients_to_another_reader(
    server: Server, visit: Callable[..., Page], unique: str
) -> None:
    """What a filter holds is in the URL, in words that are the same in every language."""
    server.save(STANDARD)
    for number in range(3):
        overrides = Overrides() if number == 0 else Overrides(plan="plus")
        server.invite(f"Client {number} {unique}", f"{number}.{unique}@example.com", overrides)
    expected = [f"Client 1 {unique}", f"Client 2 {unique}"]
    page = visit()
    open_page(page, server.url, "Clients")
    search(page, unique)
    expect(column(clients(page), "Client")).to_have_count(3)
    choose(page, "Subscription", "Plus")
    expect(column(clients(page), "Client")).to_have_text(expected)
    expect(page).to_have_url(f"{server.url}/?search={unique}&plan=plus")

    for locale in ("en-GB", "fr-BE", "nl-BE"):
        speak(best_language(locale))
        other = visit(locale=locale)
        open_page(other, page.url, t("Clients"))
        expect(column(clients(other), t("Client"))).to_have_text(expected)
        expect(filter_menu(other, t("Subscription"))).to_have_accessible_name(re.compile(r"\bPlus$"))


def test_a_double_click_on_invite_makes_one_client(server: Server, visit: Callable[..., Page], unique: str) -> None:
    """And says so as if it had been clicked once."""
    name = f"Brasserie {unique}"
    page = visit()
    open_page(page, f"{server.url}/invite_client", "Invite a client")
    fill_in(page, name, f"{unique}@example.com")
    button(page, "Invite this client").dblclick()
    expect(alert(page)).to_have_text([f"{name} is invited."])
    expect(button(page, "Invite another client")).to_be_visible()
    assert server.clients_named(name) == 1
    find_in_the_table(page, unique, name)


def save_other_defaults(page: Page, *, plan: str, version: int) -> None:
    """On the page of the defaults: the other payer and this plan."""
    page.get_by_text(t("Pay for new clients"), exact=True).click()
    choose(page, Setting.PLAN.label, plan)
    button(page, t("Save as version {version}", version=version)).click()
    expect(alert(page)).to_have_text(
        t("Version {version} is saved. Every client you invite from now on gets it.", version=version)
    )


def fill_in(page: Page, name: str, email: str) -> None:
    """Fill in who is invited, once the form is there to its last line."""
    expect(button(page, t("Invite this client"))).to_be_visible()
    page.get_by_label(t("Name"), exact=True).fill(name)
    page.get_by_label(t("E-mail"), exact=True).fill(email)


def invite(page: Page, name: str, email: str) -> None:
    """On the page of the invitation: two fields and Enter."""
    fill_in(page, name, email)
    page.keyboard.press("Enter")


def expect_letter_for_letter(shown: Locator, text: str) -> None:
    """It says this and nothing of it has become a link, an image, a formula or an icon."""
    expect(shown).to_have_text(whole(text))
    expect(shown.locator(MARKED_UP)).to_have_count(0)
