"""The stories of arriving: a message with its link, and a spreadsheet of clients."""

import re
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from core import invitations, members
from core.demo import PARTNER_ID
from core.invitations import deliver
from core.words import ClientStatus, speak, t
from tests.browser.conftest import (
    Server,
    alert,
    button,
    cell,
    click_in_row,
    clients,
    expect_title,
    open_page,
)
from tests.smtp import smtp_server


@pytest.fixture
def unique() -> str:
    """A word that no other test's client has."""
    return uuid4().hex[:10]


def test_from_an_invitation_to_its_message_its_link_and_an_active_client(
    server: Server, visit: Callable[..., Page], unique: str
) -> None:
    """The message goes through a real mail server; its link opens a page without sign-in and without a menu."""
    speak("en")
    name = f"Nouveau {unique}"
    page = visit()
    open_page(page, f"{server.url}/invite_client", t("Invite a client"))
    expect(button(page, t("Invite this client"))).to_be_visible()
    page.get_by_label(t("Name"), exact=True).fill(name)
    page.get_by_label(t("E-mail"), exact=True).fill(f"{unique}@example.com")
    page.keyboard.press("Enter")
    expect(alert(page)).to_have_text(t("{name} is invited.", name=name))
    with smtp_server() as (mailbox, smtp):
        deliver(server.database, smtp, partner_id=PARTNER_ID, client_id=server.number_of(name))
        (message,) = mailbox.received
    text = message.get_body(("plain",)).get_content()
    link = next(line for line in text.splitlines() if "/accept?" in line)
    assert link.startswith(server.url)

    client = visit()
    open_page(client, link, t("{partner} invites you", partner="Fiduciaire Exemple"))
    expect(client.get_by_test_id("stSidebar")).to_have_count(0)
    button(client, t("Accept")).click()
    expect_title(client, t("Welcome, {client}", client=name))
    client.reload()
    expect(alert(client)).to_have_text(t("This invitation was accepted already. There is nothing more to do."))

    open_page(page, f"{server.url}/?search={unique}", t("Clients"))
    expect(cell(clients(page), 0, t("Status"))).to_have_text(ClientStatus.ACTIVE.label)


def test_an_invitation_is_sent_again_from_the_table_in_a_window_that_closes(
    server: Server, visit: Callable[..., Page], unique: str
) -> None:
    """In the reader's language; two quick clicks make one new link."""
    speak("fr")
    name = f"Lettre {unique}"
    client_id = server.invite(name, f"{unique}@example.com")
    page = visit(locale="fr-BE")
    open_page(page, f"{server.url}/?search={unique}", t("Clients"))
    expect(cell(clients(page), 0, t("Client"))).to_have_text(name)
    click_in_row(page, 0, 1)
    window = page.get_by_role("dialog")
    expect(window.get_by_role("heading", name=name)).to_be_visible()
    expect(window.get_by_text(t("Invitation message"))).to_be_visible()
    window.get_by_role("button", name=t("Send again")).dblclick()
    expect(window).to_have_count(0)
    expect(alert(page)).to_have_text(t("The invitation of {name} has a new link.", name=name))
    with server.database.reading() as session:
        administrator = members.of_partner(session, PARTNER_ID)[0]
        assert invitations.of_client(session, administrator, client_id).sendings == 2


def test_a_spreadsheet_of_five_hundred_rows_is_corrected_and_invited(
    server: Server, visit: Callable[..., Page], unique: str, tmp_path: Path
) -> None:
    """Twelve faults are told before anything happens; corrected, every row of the list is a client."""
    speak("en")
    lines = [["name", "country", "email", "plan"]]
    lines += [
        [f"Import {unique} {n}", "BE", f"{unique}.{n}@example.com", "plus" if n % 9 == 0 else ""] for n in range(500)
    ]
    faulty = written(tmp_path / "faulty.csv", lines, emails={1 + n * 40: "not an e-mail" for n in range(12)})
    corrected = written(tmp_path / "corrected.csv", lines, emails={})
    page = visit()
    open_page(page, f"{server.url}/invite_client", t("Invite a client"))
    page.get_by_role("tab", name=t("A spreadsheet")).click()
    for file, ready in ((faulty, 488), (corrected, 12)):
        page.locator("input[type=file]").set_input_files(file)
        invites = page.get_by_role("button", name=re.compile(f"Invite the {ready} ready"))
        expect(invites).to_be_enabled()
        invites.click()
        expect(alert(page)).to_contain_text(f"{ready} clients are invited.")
        button(page, t("Bring another file")).click()
    assert server.clients_named_like(f"Import {unique} %") == 500


def written(file: Path, lines: list[list[str]], *, emails: dict[int, str]) -> Path:
    """The list as a file, some of its e-mails replaced."""
    rows = [[name, country, emails.get(n, email), plan] for n, (name, country, email, plan) in enumerate(lines)]
    file.write_text("\n".join(";".join(line) for line in rows), encoding="utf-8")
    return file
