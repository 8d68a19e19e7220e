"""Who looks after the clients of a spreadsheet: rule 53."""

from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import insert, update

from core import imports, reports, spreadsheets, subscriptions
from core.catalogue import SAMPLE
from core.imports import Column, StalePreview, Verdict
from core.imports.headings import recognise
from core.members import Member
from core.words import LANGUAGES, Origin, ResponsibleWithoutAccess, Role, speak
from tests.conftest import Space
from tests.imports.test_imports import invited, previewed, reasons, sheet

HEADINGS = ("Name", "Country", "E-mail", "Account manager")


def brought(*named: str) -> Any:
    """A sheet with a row for each of these cells."""
    rows = ((f"Company {n}", "BE", f"office@c{n}.example.com", cell) for n, cell in enumerate(named))
    return sheet(*rows, headings=HEADINGS)


def joined(space: Space, *found: tuple[int, str, str, Role], **changed: bool) -> None:
    """More members of the partner space."""
    with space.database.transaction() as session:
        for member_id, name, email, role in found:
            own = {"member_id": member_id, "name": name, "email": email, "role": role, "partner_id": space.partner_id}
            session.execute(insert(Member), own | {"client_access": True, "is_active": True} | changed)


def told(space: Space, *named: str) -> list[str]:
    """The verdict on each cell: who would look after the client, or why not."""
    shown = previewed(space, brought(*named))
    names = {None: "", **shown.responsible}
    return [
        names[row.responsible_id] if row.verdict is Verdict.READY else reasons(row)[Column.RESPONSIBLE]
        for row in shown.rows
    ]


def looked_after(space: Space) -> list[str]:
    with space.database.reading() as session:
        return [each.responsible for each in reports.listed(session, space.administrator)]


def test_a_list_names_who_looks_after_each_client_by_e_mail_or_name(space: Space) -> None:
    """However it is written; blank is the inviter; and the history says through which door."""
    space.save()
    joined(space, (9, "Zoé Éclair", "Zoe@Example.com", Role.ACCOUNTANT))
    shown = previewed(
        space, brought("", "  ", "accountant@example.com", " ZOE@example.COM ", "zoe  eclair", "THE ADMINISTRATOR")
    )
    assert shown.counts[Verdict.READY] == 6
    invited(space, shown)
    assert looked_after(space) == [
        *["The client manager"] * 2, "The accountant", "Zoé Éclair", "Zoé Éclair", "The administrator",
    ]  # fmt: skip
    (only,) = space.looked_after(3)
    assert (only.origin, only.changed_by, only.valid_from) == (Origin.IMPORT, "The client manager", space.clock())
    with space.database.reading() as session:
        assert list(subscriptions.differences(session)) == []


def test_a_list_without_such_a_column_is_looked_after_by_whoever_invites(space: Space) -> None:
    """Rule 53."""
    space.save()
    shown = previewed(space, sheet(("Aubry", "BE", "a@example.com")))
    assert shown.responsible == {}
    invited(space, shown)
    assert looked_after(space) == ["The client manager"]


def test_who_is_unknown_or_cannot_look_after_clients_is_told_in_words(space: Space, make_space: Any) -> None:
    """Each for its own reason; a member of another partner space is answered as one that there is not."""
    space.save()
    joined(make_space(2), (9, "Elsewhere", "elsewhere@example.com", Role.ACCOUNTANT))
    joined(space, (10, "Gone", "gone@example.com", Role.ACCOUNTANT), is_active=False)
    joined(space, (11, "No access", "no.access@example.com", Role.CLIENT_MANAGER), client_access=False)
    unknown = "is no member of your partner space. Name an account manager by e-mail or by name."
    cannot = ResponsibleWithoutAccess.sentence.removeprefix("{name} ")
    named = ["Nobody", "elsewhere@example.com", "Elsewhere", "Gone", "no.access@example.com", "The finance"]
    assert told(space, *named) == [
        f"“Nobody” {unknown}", f"“elsewhere@example.com” {unknown}", f"“Elsewhere” {unknown}", f"Gone {cannot}",
        f"No access {cannot}", f"The finance {cannot}",
    ]  # fmt: skip


def test_a_name_that_several_have_is_no_name_but_their_e_mails_are(space: Space) -> None:
    """Who left does not make it ambiguous."""
    space.save()
    joined(space, (9, "Anne Peeters", "anne@example.com", Role.ACCOUNTANT), (10, "Anne Peeters", "ap@example.com",
           Role.CLIENT_MANAGER))  # fmt: skip
    several = "“anne peeters” is the name of several members. Name the account manager by e-mail."
    assert told(space, "anne peeters", "ap@example.com") == [several, "Anne Peeters"]
    with space.database.transaction() as session:
        session.execute(update(Member).where(Member.member_id == 9).values(is_active=False))
    shown = previewed(space, brought("Anne Peeters"))
    assert [row.responsible_id for row in shown.rows] == [10]


def test_a_reason_reads_in_the_readers_language_and_stands_beside_the_others(space: Space) -> None:
    """Every reason of a row at once, in the order of the columns."""
    space.save()
    (row,) = previewed(space, sheet(("", "BE", "nobody", "Nobody", "weekly"), headings=(*HEADINGS, "Period"))).rows
    assert [reason.column for reason in row.reasons] == [
        Column.NAME, Column.EMAIL, Column.RESPONSIBLE, Column.BILLING_PERIOD,
    ]  # fmt: skip
    speak("fr")
    assert str(row.reasons[2]).startswith("«\u00a0Nobody\u00a0» n’est pas membre")


@pytest.mark.parametrize("changed", [{"is_active": False}, {"role": Role.FINANCE}], ids=str)
def test_whoever_cannot_look_after_clients_any_more_makes_the_preview_stale(space: Space, changed: dict) -> None:
    """Nobody is invited; checked again, the row says why."""
    space.save()
    shown = previewed(space, brought("", "The accountant"))
    accountant = Member.member_id == space.members[Role.ACCOUNTANT].member_id
    with space.database.transaction() as session:
        session.execute(update(Member).where(accountant).values(**changed))
    with pytest.raises(StalePreview):
        invited(space, shown)
    assert looked_after(space) == []
    again = previewed(space, brought("", "The accountant"))
    assert [row.verdict for row in again.rows] == [Verdict.READY, Verdict.NEEDS_CORRECTION]
    assert invited(space, again).invited == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_template_and_our_own_export_name_who_looks_after_the_clients(space: Space, language: str) -> None:
    """Both can be brought back as they are."""
    space.save()
    space.invite("Known", responsible=Role.ACCOUNTANT)
    speak(language)
    headings, rows = imports.template(SAMPLE, "accountant@example.com")
    assert recognise(headings).places[Column.RESPONSIBLE] == list(Column).index(Column.RESPONSIBLE)
    names = previewed(space, sheet(*rows, headings=headings)).responsible
    assert list(names.values()) == ["The accountant"]
    with space.database.reading() as session:
        text = "".join(reports.csv_pieces(session, space.manager)).replace("known@", "unknown@")
    shown = previewed(space, _with_a_country(spreadsheets.read("clients.csv", text.encode())))
    assert list(shown.responsible.values()) == ["The accountant"]


def _with_a_country(brought: Any) -> Any:
    """An export names no country, which an import asks for."""
    rows: list[Sequence[str]] = [(*row.cells, "BE") for row in brought.rows]
    return sheet(*rows, headings=(*brought.headings, "Country"))
