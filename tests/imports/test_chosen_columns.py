"""Lists whose headings do not say enough: what is guessed, what somebody chooses, and that it is remembered."""

from collections.abc import Mapping

import pytest
from sqlalchemy import func, select

from core import imports
from core.imports import Column, ColumnsNotFound, HardlyFilled, HeadingTwice, ImportPreview, SameColumnTwice
from core.imports.tables import ChosenColumns
from core.spreadsheets import Sheet
from core.words import NotAllowed, Role
from tests.conftest import Space, at_once

ODD = (
    "Firm;Where;Contact point;Nr\n"
    "Aubry;Belgique;aubry@new.example;BE 0471.730.202\n"
    "Cordier;FR;cordier@new.example;\n"
    "Aubry;FR;second@new.example;-\n"
)
SAID: Mapping[Column, int | str] = {Column.NAME: 0, Column.COUNTRY: 1, Column.EMAIL: 2, Column.VAT_NUMBER: 3}


def odd(text: str = ODD) -> Sheet:
    return imports.read("odd.csv", text.encode())


def choose(
    space: Space, said: Mapping[Column, int | str], sheet: Sheet | None = None, role: Role | None = None
) -> None:
    member = space.manager if role is None else space.members[role]
    with space.database.transaction() as session:
        imports.choose_columns(session, member, odd() if sheet is None else sheet, said)


def previewed(space: Space, sheet: Sheet | None = None, **named: Mapping[Column, int | str]) -> ImportPreview:
    with space.database.reading() as session:
        return imports.preview(session, space.manager, odd() if sheet is None else sheet, **named)  # type: ignore[arg-type]


def test_what_stands_in_the_columns_tells_what_they_are() -> None:
    """Where no heading is known: e-mails, VAT numbers and countries by their look, the name as what is left."""
    assert imports.guessed(odd()) == SAID


def test_languages_and_countries_are_told_apart() -> None:
    """By how they are written, where the letters could be both."""
    sheet = odd("Firm;L;C;Where\nAubry;fr;FR;a@new.example\nBeau;nl;NL;b@new.example\n")
    assert imports.guessed(sheet) == {Column.NAME: 0, Column.LANGUAGE: 1, Column.COUNTRY: 2, Column.EMAIL: 3}


def test_a_guess_bears_with_a_cell_that_is_to_correct() -> None:
    """Most of the column is enough."""
    sheet = odd("Firm;Where\nAubry;a@new.example\nBeau;b@\nCordier;c new.example\n")
    assert imports.guessed(sheet) == {Column.NAME: 0, Column.EMAIL: 1}


def test_of_two_headings_that_say_it_equally_well_the_first_is_guessed() -> None:
    """And the other one is no other column for that."""
    sheet = odd("Société;Entreprise;E-mail\nA;B;a@new.example\n")
    assert imports.guessed(sheet) == {Column.NAME: 0, Column.EMAIL: 2}


def test_nothing_is_guessed_of_a_column_that_looks_like_nothing() -> None:
    """Dates and numbers are no client's."""
    assert imports.guessed(odd("When;How much\n2026-01-02;17\n")) == {}


def test_the_samples_of_a_column_differ_and_leave_out_blanks() -> None:
    """Three values say more than three times the same."""
    assert imports.samples(odd(), 0) == ["Aubry", "Cordier"]
    assert imports.samples(odd(), 3) == ["BE 0471.730.202"]


def test_what_was_chosen_is_remembered_for_the_firm_and_these_headings(space: Space) -> None:
    """However they are typed; another list is not read so."""
    space.save()
    with pytest.raises(ColumnsNotFound):
        previewed(space)
    choose(space, SAID)
    again = odd(ODD.replace("Contact point", "CONTACT  POINT"))
    shown = previewed(space, again)
    assert shown.columns.places == SAID
    assert shown.are_chosen
    assert [row.new_client.email for row in shown.rows if row.new_client] == [
        "aubry@new.example", "cordier@new.example", "second@new.example",
    ]  # fmt: skip
    with pytest.raises(ColumnsNotFound):
        previewed(space, odd(ODD.replace("Firm", "House")))


def test_the_last_choice_counts_and_what_is_said_now_counts_over_it(space: Space) -> None:
    """A column that is said now is not the one of before too."""
    choose(space, SAID)
    choose(space, SAID | {Column.VAT_NUMBER: "", Column.EXTERNAL_REFERENCE: 3})
    assert Column.VAT_NUMBER not in previewed(space).columns.places
    now = previewed(space, said={Column.COMPANY_NUMBER: "nr"}).columns.places
    assert now[Column.COMPANY_NUMBER] == 3
    assert Column.EXTERNAL_REFERENCE not in now


def test_a_column_that_was_said_not_to_be_there_stays_out(space: Space) -> None:
    """Though its heading is known."""
    sheet = odd("Name;E-mail;VAT\nA;a@new.example;x\n")
    choose(space, {Column.VAT_NUMBER: ""}, sheet)
    assert previewed(space, sheet).columns.unused == ("VAT",)


def test_a_choice_without_a_name_or_with_one_column_twice_is_refused(space: Space) -> None:
    """Nothing is remembered then."""
    with pytest.raises(ColumnsNotFound) as refused:
        choose(space, {Column.NAME: 0})
    assert refused.value.missing == (Column.EMAIL,)
    with pytest.raises(HeadingTwice, match="“Firm” is chosen for Name and for Message"):
        choose(space, SAID | {Column.MESSAGE: 0})
    with space.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(ChosenColumns)) == 0


def test_two_people_who_choose_at_once_leave_one_choice(space: Space) -> None:
    """The later one."""
    at_once(
        space,
        lambda session: imports.choose_columns(session, space.manager, odd(), SAID),
        lambda session: imports.choose_columns(session, space.administrator, odd(), SAID),
    )
    assert previewed(space).columns.places == SAID


def test_who_may_not_invite_chooses_nothing(space: Space) -> None:
    """Finance reads."""
    with pytest.raises(NotAllowed):
        choose(space, SAID, role=Role.FINANCE)


def contacts(*companies: str, headings: str = "Name;Company;Email") -> Sheet:
    """Contacts as Odoo exports them, one for each of these companies."""
    rows = (f"Contact {line};{company};c{line}@new.example" for line, company in enumerate(companies))
    return odd("\n".join([headings, *rows]))


@pytest.mark.parametrize(
    "companies",
    [("Beau", "", "", ""), ("Our Firm",) * 4, ("Our Firm", "Our Other Firm") * 3, ("Beau", "Beau", "Beau", "Cordier")],
    ids=["of few", "the firm itself", "two firms of one's own", "contacts of one company"],
)
def test_a_company_that_is_not_each_rows_own_is_no_name_without_asking(
    space: Space, companies: tuple[str, ...]
) -> None:
    """It is the firm that a contact works for, or the one that keeps the list: "Name" is the better guess."""
    sheet = contacts(*companies)
    with pytest.raises(HardlyFilled, match="“Company” is empty or repeats itself in many rows, and “Name” means"):
        previewed(space, sheet)
    assert imports.guessed(sheet) == {Column.NAME: 0, Column.EMAIL: 2}
    choose(space, {Column.NAME: 0, Column.EMAIL: 2}, sheet)
    assert previewed(space, sheet).columns.places == {Column.NAME: 0, Column.EMAIL: 2}


def test_a_company_in_most_rows_is_the_name(space: Space) -> None:
    """The rows without one are to correct."""
    assert previewed(space, contacts("Aubry", "Beau", "Cordier", "")).columns.places[Column.NAME] == 1


def test_an_empty_column_is_not_asked_about(space: Space) -> None:
    """Where another one means the same, it says nothing; where none does, its rows are to correct."""
    assert previewed(space, contacts("", "-", "")).columns.places[Column.NAME] == 0
    sheet = contacts("", "", headings="Société;Entreprise;E-mail")
    assert previewed(space, sheet).columns.places[Column.NAME] == 0
    assert previewed(space, contacts("", "", headings="When;Company;Email")).columns.places[Column.NAME] == 1
    with pytest.raises(SameColumnTwice):
        previewed(space, contacts("A", "", headings="Société;Entreprise;E-mail"))


def test_the_only_heading_of_a_name_is_taken_though_few_rows_fill_it(space: Space) -> None:
    """ "Nom" beside "Prénom" is a person's."""
    sheet = odd(
        "Société;Nom;Prénom;E-mail\nA;Dubois;Léa;a@new.example\n;Roux;Zoé;b@new.example\n;Le;Jo;c@new.example\n"
    )
    assert previewed(space, sheet).columns.places == {
        Column.NAME: 0, Column.LAST_NAME: 1, Column.FIRST_NAME: 2, Column.EMAIL: 3,
    }  # fmt: skip


def test_any_column_that_is_nearly_empty_is_asked_about_where_another_says_it_more_often(space: Space) -> None:
    """As often, or nearly, is no reason to ask."""
    rows = "A;a@new.example;;BE\nB;b@new.example;FR;BE\nC;c@new.example;;BE\n"
    sheet = odd(f"Name;E-mail;Country;Billing country\n{rows}")
    with pytest.raises(HardlyFilled, match=r"“Country” is empty .* “Billing country” means the same: Country"):
        previewed(space, sheet)
    assert imports.guessed(sheet)[Column.COUNTRY] == 3
    fuller = odd(f"Name;E-mail;Country;Billing country\n{rows.replace('A;a@new.example;;', 'A;a@new.example;FR;')}")
    assert previewed(space, fuller).columns.places[Column.COUNTRY] == 2
