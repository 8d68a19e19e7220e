"""Imports: a verdict for each row, then all the ready ones or none."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, update
from xlsxwriter import Workbook

from core import catalogue, imports, reports, spreadsheets, subscriptions
from core.__main__ import main
from core.catalogue import SAMPLE
from core.defaults import choices
from core.imports import (
    Column,
    ColumnsNotFound,
    ImportPreview,
    ImportReport,
    ImportRow,
    StalePreview,
    Verdict,
)
from core.imports import verdicts as judging
from core.imports.columns import language, value_reader
from core.invitations import OutboxMessage, inviting
from core.members import Member, Partner
from core.spreadsheets import Format, Sheet, SheetRow
from core.subscriptions import Client, Subscription
from core.words import (
    LANGUAGES,
    BillingPeriod,
    BillingSettings,
    Money,
    NotAllowed,
    Origin,
    Overrides,
    Payer,
    Role,
    Setting,
    Source,
    StaleDefaults,
    speak,
)
from tests.conftest import PLUS, STANDARD, Space, at_once

HEADINGS = ("Name", "Country", "E-mail", *(setting.label for setting in Setting))
READY, NEEDS_CORRECTION, TWICE, ALREADY_CLIENT = Verdict


def sheet(*rows: Sequence[str], headings: Sequence[str] = HEADINGS) -> Sheet:
    """A sheet of these rows, from row 2 on, short ones filled up with blanks."""
    filled = (SheetRow(line, (*row, *[""] * (len(headings) - len(row)))) for line, row in enumerate(rows, 2))
    return Sheet(tuple(headings), tuple(filled), Format.CSV, "UTF-8", ",")


def cells(settings: BillingSettings) -> tuple[str, ...]:
    """The cells that choose all of these settings, in the words of their labels."""
    return tuple(SAMPLE.value_text(setting.of(settings)) for setting in Setting)


def companies(*numbers: int) -> Sheet:
    """A sheet of ready rows."""
    return sheet(*((f"Company {number}", "BE", f"office@c{number}.example.com") for number in numbers))


def previewed(space: Space, brought: Sheet, role: Role = Role.CLIENT_MANAGER) -> ImportPreview:
    with space.database.reading() as session:
        return imports.preview(session, space.members[role], brought)


def invited(space: Space, shown: ImportPreview, **named: Any) -> ImportReport:
    with space.database.transaction() as session:
        return imports.invite_ready(session, space.manager, shown, **named)


def verdicts(space: Space, *rows: Sequence[str]) -> list[Verdict]:
    return [row.verdict for row in previewed(space, sheet(*rows)).rows]


def reasons(row: ImportRow) -> dict[Column | None, str]:
    return {reason.column: str(reason) for reason in row.reasons}


def only(space: Space, *row: str, headings: Sequence[str] = HEADINGS) -> ImportRow:
    """The verdict on a sheet of one row."""
    (judged,) = previewed(space, sheet(row, headings=headings)).rows
    return judged


def clients(space: Space) -> int:
    with space.database.reading() as session:
        counted = select(func.count()).select_from(Client).where(Client.partner_id == space.partner_id)
        return session.scalar(counted) or 0


def fingerprint(space: Space) -> list[Any]:
    """Everything that an import could write."""
    counted = [select(func.count()).select_from(table) for table in (Client, Subscription, OutboxMessage)]
    numbers = select(Partner.last_client_id, Partner.last_batch, Partner.change_number).order_by(Partner.partner_id)
    with space.database.reading() as session:
        return [session.scalar(each) for each in counted] + [tuple(row) for row in session.execute(numbers)]


def test_every_row_gets_the_verdict_that_it_deserves(space: Space) -> None:
    """Ready, to correct, twice in the file, a client already; counted, and told in the reader's language."""
    space.save()
    known = space.invite("Known", email="known@example.com").client_id
    shown = previewed(
        space,
        sheet(
            ("Aubry", "BE", "a@aubry.example.com"),
            ("", "BE", "b@aubry.example.com"),
            ("Aubry & Fils", "be", " A@Aubry.example.com"),
            ("Someone", "BE", "KNOWN@example.com"),
        ),
    )
    assert [row.verdict for row in shown.rows] == [READY, NEEDS_CORRECTION, TWICE, ALREADY_CLIENT]
    assert shown.counts == {READY: 1, NEEDS_CORRECTION: 1, TWICE: 1, ALREADY_CLIENT: 1}
    assert [row.client_id for row in shown.rows] == [None, None, None, known]
    assert reasons(shown.rows[2]) == {Column.EMAIL: "Row 2 has the same e-mail."}
    assert [row.line for row in shown.rows] == [2, 3, 4, 5]
    assert shown.defaults_version == 1


def test_rows_with_one_e_mail_name_the_first_of_them(space: Space) -> None:
    """Also where the first is to be corrected, and however many follow."""
    space.save()
    brought = sheet(("", "BE", "a@example.com"), *((f"Aubry {number}", "BE", "a@example.com") for number in range(3)))
    shown = previewed(space, brought)
    assert [row.verdict for row in shown.rows] == [NEEDS_CORRECTION, TWICE, TWICE, TWICE]
    assert {reasons(row)[Column.EMAIL] for row in shown.rows[1:]} == {"Row 2 has the same e-mail."}


def test_every_reason_of_a_row_is_told_at_once(space: Space) -> None:
    """One round of corrections is enough; the reasons stand in the order of the columns."""
    space.save()
    headings = (*HEADINGS, "Language", "First name", "Last name", "Company number", "Message")
    cells = {
        "Country": "ZZ",
        "E-mail": "x",
        Setting.PAYER.label: "nobody",
        Setting.BILLING_PERIOD.label: "weekly",
        Setting.PLAN.label: "gold",
        Setting.ADD_ONS.label: "bank feeds; pool",
        "Language": "es",
        "First name": "x" * 150,
        "Last name": "y" * 150,
        "Company number": "1",
        "Message": "z\x00",
    }
    row = only(space, *(cells.get(heading, "") for heading in headings), headings=headings)
    assert row.verdict is NEEDS_CORRECTION
    assert [reason.column for reason in row.reasons] == [
        Column.NAME, Column.COUNTRY, Column.EMAIL, Column.FIRST_NAME, Column.LANGUAGE, Column.MESSAGE, Column.PAYER,
        Column.BILLING_PERIOD, Column.PLAN, Column.ADD_ONS,
    ]  # fmt: skip
    said = reasons(row)
    assert said[Column.NAME] == "Fill this in."
    assert said[Column.FIRST_NAME] == "This text is too long. Keep it within 200 characters."
    assert "“gold” is none of: Starter" in said[Column.PLAN]
    assert "“pool” is none of" in said[Column.ADD_ONS]


def test_an_address_with_a_letter_of_another_alphabet_needs_correction(space: Space) -> None:
    """The letter is named, as in the form."""
    space.save()
    row = only(space, "Aubry", "BE", "jоhn@example.com")
    assert row.verdict is NEEDS_CORRECTION
    assert reasons(row)[Column.EMAIL].startswith("“о”, character 2 of “jоhn”, is from another alphabet than the rest")


def test_reasons_are_told_in_the_language_of_whoever_reads_them(space: Space) -> None:
    """Not of whoever brought the list."""
    space.save()
    row = only(space, "", "BE", "a@example.com")
    speak("fr")
    assert str(row.reasons[0]) != "Fill this in."


@pytest.mark.parametrize("headings", [("Name", "E-mail"), ("Name", "E-mail", "Country")])
def test_the_country_is_required_even_where_there_is_no_such_column(space: Space, headings: tuple[str, ...]) -> None:
    """It decides by which rules the numbers are read, so they are not judged before it is there."""
    space.save()
    shown = previewed(space, sheet(("Aubry", "a@example.com"), headings=headings)).rows[0]
    assert reasons(shown) == {Column.COUNTRY: "Fill in the country: two letters, for example BE."}
    row = only(space, "Aubry", "a@example.com", "", "123", headings=("Name", "E-mail", "Country", "Company number"))
    assert set(reasons(row)) == {Column.COUNTRY}


def test_the_column_of_a_contact_that_cannot_be_taken_is_the_one_to_correct(space: Space) -> None:
    """First and last name are one contact; each is told apart."""
    space.save()
    headings = ("Name", "E-mail", "Country", "First name", "Last name")
    who = ("Aubry", "a@example.com", "BE")
    assert set(reasons(only(space, *who, "\x01", "Dupont", headings=headings))) == {Column.FIRST_NAME}
    assert set(reasons(only(space, *who, "Jean", "\x01", headings=headings))) == {Column.LAST_NAME}
    assert set(reasons(only(space, *who, "", "x" * 201, headings=headings))) == {Column.LAST_NAME}
    ready = only(space, *who, " Jean ", "", headings=headings)
    assert ready.new_client is not None
    assert ready.new_client.contact_name == "Jean"


def test_a_cell_that_is_no_text_needs_correction_only_where_its_column_is_used(space: Space) -> None:
    """A formula beside the list harms nobody."""
    space.save()
    headings = ("Name", "Country", "E-mail", "Turnover")
    brought = sheet(("A", "BE", "a@example.com", "7"), ("B", "BE", "b@example.com", "7"), headings=headings)
    formula = "This cell holds a formula. Paste its value instead."
    odd = [replace(brought.rows[0], odd={3: formula}), replace(brought.rows[1], odd={0: formula, 3: formula})]
    shown = previewed(space, replace(brought, rows=tuple(odd)))
    assert [row.verdict for row in shown.rows] == [READY, NEEDS_CORRECTION]
    assert reasons(shown.rows[1]) == {Column.NAME: formula}


def test_a_blank_cell_takes_the_default_and_a_value_is_a_choice(space: Space) -> None:
    """Rules 4 and 5: also where it equals the default; `none` is a choice of no add-ons."""
    space.save(STANDARD)
    shown = previewed(
        space,
        sheet(
            ("Default", "BE", "a@example.com"),
            ("Equal", "BE", "b@example.com", *cells(STANDARD)),
            ("None", "BE", "c@example.com", "", "", "", "none"),
            ("Other", "BE", "d@example.com", *cells(PLUS)),
        ),
    )
    assert [row.overrides for row in shown.rows] == [
        Overrides(),
        choices(STANDARD, frozenset(Setting)),
        Overrides(add_ons=frozenset()),
        choices(PLUS, frozenset(Setting)),
    ]
    invited(space, shown)
    held = [space.detail(number).effective for number in range(1, 5)]
    assert [each.settings for each in held] == [STANDARD, STANDARD, replace(STANDARD, add_ons=frozenset()), PLUS]
    assert held == [row.effective for row in shown.rows]
    assert [len(each.overridden) for each in held] == [0, len(Setting), 1, len(Setting)]
    assert held[1].payer.source is Source.OVERRIDE


@pytest.mark.parametrize(
    ("chosen", "column", "sentence"),
    [
        pytest.param(("", "", "starter", ""), Column.PLAN, "not offered with Starter", id="inherited add-ons"),
        pytest.param(("", "", "", "payroll"), Column.ADD_ONS, "not offered with Standard", id="chosen add-ons"),
        pytest.param(("", "yearly", "starter", "none"), Column.BILLING_PERIOD, "has no yearly price", id="no price"),
        pytest.param(("", "", "classic", ""), Column.PLAN, "Classic is retired", id="a retired plan"),
    ],
)
def test_settings_that_cannot_be_had_need_correction(
    space: Space, chosen: tuple[str, ...], column: Column, sentence: str
) -> None:
    """Rules 8 and 9, each with its own sentence."""
    space.save(
        BillingSettings.starting_with(
            payer=Payer.CLIENT,
            billing_period=BillingPeriod.MONTHLY,
            plan="standard",
            add_ons=frozenset({"document_scanning"}),
        )
    )
    row = only(space, "Aubry", "BE", "a@example.com", *chosen)
    assert row.verdict is NEEDS_CORRECTION
    assert [reason.column for reason in row.reasons] == [column]
    assert sentence in str(row.reasons[0])
    assert row.effective is row.price is None


def test_settings_are_judged_together_once_each_can_be_read(space: Space) -> None:
    """What a default would be refused for is not told of a cell that nobody could read."""
    space.save(PLUS)
    assert set(reasons(only(space, "Aubry", "BE", "a@example.com", "", "", "starter", "gold"))) == {Column.ADD_ONS}


def test_defaults_that_hold_something_retired_are_told_on_each_row_that_takes_them(space: Space) -> None:
    """Rule 9; a row that chooses another plan is ready."""
    space.save(STANDARD)
    space.retire(plan="standard")
    shown = previewed(space, sheet(("A", "BE", "a@example.com"), ("B", "BE", "b@example.com", "", "", "plus")))
    assert [row.verdict for row in shown.rows] == [NEEDS_CORRECTION, READY]
    assert "Default settings v1 include Standard" in reasons(shown.rows[0])[Column.PLAN]


def test_without_defaults_a_row_has_to_choose_every_setting(space: Space) -> None:
    """Rule 7."""
    chosen = dict(zip(Setting, cells(PLUS), strict=True))
    some = chosen | {Setting.BILLING_PERIOD: "", Setting.ADD_ONS: ""}
    shown = previewed(
        space,
        sheet(("A", "BE", "a@example.com", *some.values()), ("B", "BE", "b@example.com", *chosen.values())),
    )
    assert [row.verdict for row in shown.rows] == [NEEDS_CORRECTION, READY]
    assert reasons(shown.rows[0]) == {
        None: "No default settings are saved yet. Choose these too: Billing period and Add-ons."
    }
    report = invited(space, shown)
    assert (report.invited, report.version) == (1, None)
    assert space.detail(1).bound is None


def test_a_client_already_is_told_whatever_else_is_wrong_with_its_row(space: Space) -> None:
    """There is nothing to correct where there is nothing to do; and twice counts only among the new."""
    space.save()
    space.invite("Known", email="known@example.com")
    known = ("", "", "known@example.com", "nobody")
    assert verdicts(space, known, known) == [ALREADY_CLIENT, ALREADY_CLIENT]
    assert only(space, *known).reasons == ()


def test_a_row_that_repeats_one_to_correct_is_still_twice(space: Space) -> None:
    """Or correcting the first would bring in one that nobody looked at."""
    space.save()
    assert verdicts(space, ("", "BE", "a@example.com"), ("A", "BE", "a@example.com")) == [NEEDS_CORRECTION, TWICE]


def test_rows_without_an_e_mail_are_not_twice(space: Space) -> None:
    """Each has its own correction to make."""
    space.save()
    assert verdicts(space, ("A", "BE", ""), ("B", "BE", "")) == [NEEDS_CORRECTION, NEEDS_CORRECTION]


def test_another_partners_clients_are_not_known(space: Space, make_space: Callable[[int], Space]) -> None:
    """Tenants know nothing of each other."""
    other = make_space(2)
    for each in (space, other):
        each.save()
    invited(other, previewed(other, companies(1, 2)))
    shown = previewed(space, companies(1, 2))
    assert shown.counts[READY] == 2
    assert invited(space, shown).invited == 2
    assert (clients(space), clients(other)) == (2, 2)


def test_what_was_shown_to_one_partner_is_not_invited_by_another(space: Space, make_space) -> None:
    """Also where both are at the same version."""
    other = make_space(2)
    for each in (space, other):
        each.save()
    shown = previewed(other, companies(1))
    with pytest.raises(StalePreview):
        invited(space, shown)
    assert (clients(space), clients(other)) == (0, 0)


def test_the_language_of_a_client_is_the_readers_where_the_cell_is_blank(space: Space) -> None:
    """And the one in the cell elsewhere."""
    space.save()
    headings = ("Name", "Country", "E-mail", "Language")
    rows = [("A", "BE", "a@example.com", ""), ("B", "BE", "b@example.com", "nl-BE")]
    for spoken in LANGUAGES:
        speak(spoken)
        shown = previewed(space, sheet(*rows, headings=headings))
        assert [row.new_client and row.new_client.language for row in shown.rows] == [spoken, "nl"]


def test_the_ready_ones_are_invited_as_one_batch_each_with_a_message(space: Space) -> None:
    """Rule 11: through which door, by whom, with which others."""
    space.save()
    space.invite("Before")
    report = invited(space, previewed(space, companies(1, 2, 3)))
    assert report == ImportReport(3, invited=3, needing_correction=0, twice=0, already_clients=0, batch=1, version=1)
    assert invited(space, previewed(space, companies(4))).batch == 2
    with space.database.reading() as session:
        batches = dict(session.execute(select(Subscription.client_id, Subscription.batch)).all())
        recipients = Counter(session.scalars(select(OutboxMessage.recipient)))
        origins = set(session.scalars(select(Subscription.origin).where(Subscription.batch.is_not(None))))
    assert batches == {1: None, 2: 1, 3: 1, 4: 1, 5: 2}
    assert recipients == {"before@example.com": 1} | {f"office@c{number}.example.com": 1 for number in range(1, 5)}
    assert origins == {Origin.IMPORT}
    assert space.detail(2).history[0].changed_by == space.manager.name


def test_the_same_file_again_invites_nobody_and_takes_no_number(space: Space) -> None:
    """Whether it is looked at again or only sent again."""
    space.save()
    shown = previewed(space, companies(1, 2))
    invited(space, shown)
    before = fingerprint(space)[:3]
    again = ImportReport(2, invited=0, needing_correction=0, twice=0, already_clients=2, batch=None, version=1)
    assert invited(space, shown) == again
    anew = previewed(space, companies(1, 2))
    assert [row.verdict for row in anew.rows] == [ALREADY_CLIENT, ALREADY_CLIENT]
    assert invited(space, anew) == again
    assert fingerprint(space)[:3] == before
    assert invited(space, previewed(space, companies(3))).batch == 2


def test_defaults_saved_since_the_rows_were_shown_are_told_before_anybody_is_invited(space: Space) -> None:
    """Rule 12; the first ones as well."""
    chosen = sheet(("A", "BE", "a@example.com", "us", "yearly", "plus", "none"))
    for brought in (chosen, companies(1)):
        shown = previewed(space, brought)
        version = space.save().version
        with pytest.raises(StaleDefaults, match=f"saved version {version}"):
            invited(space, shown)
        assert clients(space) == 0


def test_a_catalogue_changed_since_the_rows_were_shown_is_told(space: Space) -> None:
    """Prices and plans on the screen would no longer be so."""
    space.save()
    shown = previewed(space, companies(1))
    space.retire(plan="starter")
    with pytest.raises(StalePreview, match="Check them again"):
        invited(space, shown)
    assert clients(space) == 0
    assert invited(space, previewed(space, companies(1))).invited == 1


def test_a_price_list_that_began_since_the_rows_were_shown_is_told(space: Space) -> None:
    """Nobody wrote anything: midnight came, and the prices on the screen are no longer so (rule 39)."""
    space.save()
    tomorrow = replace(
        SAMPLE.prices, number=2, valid_from=date(2026, 3, 4),
        plan_prices={**SAMPLE.plan_prices, ("standard", BillingPeriod.MONTHLY): 2100},
    )  # fmt: skip
    with space.database.transaction() as session:
        catalogue.store(session, replace(SAMPLE, price_lists=(SAMPLE.prices, tomorrow)))
    shown = previewed(space, companies(1))
    space.clock.forward(days=1)
    with pytest.raises(StalePreview, match="Check them again"):
        invited(space, shown)
    assert clients(space) == 0


def test_what_the_ready_ones_cost_is_exact(space: Space) -> None:
    """Twelfths are taken once, of the sum; only ready rows count."""
    space.save(
        BillingSettings.starting_with(
            payer=Payer.PARTNER, billing_period=BillingPeriod.YEARLY, plan="plus", add_ons=frozenset()
        )
    )
    ready = [(f"C{number}", "BE", f"c{number}@example.com") for number in range(7)]
    theirs = ("Theirs", "BE", "theirs@example.com", "the client", "monthly", "standard")
    shown = previewed(space, sheet(*ready, theirs, ready[0], ("", "BE", "x@example.com")))
    a_year = SAMPLE.plan_prices["plus", BillingPeriod.YEARLY] * 7
    assert shown.cents_per_year_paid_by_partner == a_year
    assert shown.paid_by_us == Money((2 * a_year + 12) // 24, "EUR")
    assert shown.paid_by_clients == Money(SAMPLE.plan_prices["standard", BillingPeriod.MONTHLY], "EUR")


def test_an_import_stopped_in_the_middle_leaves_nothing_and_the_next_one_finishes(
    space: Space, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever stopped it."""
    monkeypatch.setattr(inviting, "CHUNK", 2)
    space.save()
    shown = previewed(space, companies(*range(5)))
    before = fingerprint(space)
    counts: list[int] = []

    def stop(done: int) -> None:
        counts.append(done)
        if done >= 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        invited(space, shown, progress=stop)
    assert counts == [2, 4]
    assert fingerprint(space) == before
    report = invited(space, shown, progress=counts.append)
    assert (report.invited, report.batch) == (5, 1)
    assert counts[2:] == [2, 4, 5]


def test_the_preview_tells_how_far_it_is(space: Space, monkeypatch: pytest.MonkeyPatch) -> None:
    """And finds known clients however many pieces the question takes."""
    monkeypatch.setattr(judging, "CHUNK", 2)
    space.save()
    invited(space, previewed(space, companies(0, 4)))
    counts: list[int] = []
    with space.database.reading() as session:
        shown = imports.preview(session, space.manager, companies(*range(5)), progress=counts.append)
    assert counts == [2, 4, 5]
    assert [row.client_id for row in shown.rows] == [1, None, None, None, 2]


def test_the_same_file_brought_by_two_at_once_invites_each_client_once(space: Space) -> None:
    """One after the other; the second finds them there."""
    space.save()
    for number in range(4):
        brought = companies(*range(3 * number, 3 * number + 3))
        actions = [
            lambda s, m=m, shown=previewed(space, brought): imports.invite_ready(s, m, shown)
            for m in (space.manager, space.administrator)
        ]
        reports = at_once(space, *actions)
        assert sorted(report.invited for report in reports) == [0, 3]
        assert sorted(report.already_clients for report in reports) == [0, 3]
        assert clients(space) == 3 * number + 3


@pytest.mark.parametrize("role", [Role.FINANCE, Role.ACCOUNTANT])
def test_who_may_not_invite_may_neither_look_nor_import(space: Space, role: Role) -> None:
    """Rule 10."""
    space.save()
    with pytest.raises(NotAllowed):
        previewed(space, companies(1), role)
    shown = previewed(space, companies(1))
    with pytest.raises(NotAllowed), space.database.transaction() as session:
        imports.invite_ready(session, space.members[role], shown)


def test_a_manager_let_go_since_the_preview_invites_nobody(space: Space) -> None:
    """The database is asked again."""
    space.save()
    shown = previewed(space, companies(1))
    with space.database.transaction() as session:
        session.execute(update(Member).where(Member.member_id == space.manager.member_id).values(is_active=False))
    with pytest.raises(NotAllowed):
        invited(space, shown)
    assert clients(space) == 0


def test_a_sheet_without_the_columns_it_needs_is_refused_whole(space: Space) -> None:
    """With the columns that are missing."""
    with pytest.raises(ColumnsNotFound, match="E-mail"):
        previewed(space, sheet(("Aubry", "BE"), headings=("Name", "Country")))


def test_corrected_cells_are_judged_anew(space: Space) -> None:
    """What was typed replaces the cell, and what was odd about it; an emptied row is gone; the rest stays."""
    space.save()
    brought = sheet(("Aubry", "BE", "x"), ("Beau", "BE", "b@example.com"), ("Gone", "", ""))
    brought = replace(brought, rows=(replace(brought.rows[0], odd={2: "odd"}), *brought.rows[1:]))
    shown = previewed(space, brought)
    after, said = imports.corrected(shown, {2: {2: " a@example.com "}, 4: {0: " "}})
    assert after.headings == brought.headings
    assert said == dict.fromkeys(Column, "") | shown.columns.places
    assert [row.cells[:3] for row in after.rows] == [("Aubry", "BE", "a@example.com"), ("Beau", "BE", "b@example.com")]
    assert [row.verdict for row in previewed(space, after).rows] == [READY, READY]
    assert brought.rows[0].cells[2] == "x"


def test_a_column_that_reasons_speak_of_and_the_list_lacks_can_be_filled_in(space: Space) -> None:
    """Without saved defaults every row says every setting; what is typed there is read as a column of the list."""
    headings = ("Name", "Country", "E-mail", "Subscription")
    brought = sheet(("Aubry", "BE", "a@example.com", "Standard"), headings=headings)
    shown = previewed(space, brought)
    assert shown.lacking == (Column.PAYER, Column.BILLING_PERIOD, Column.ADD_ONS)
    after, said = imports.corrected(shown, {2: {4: "us", 5: "yearly", 6: "none"}})
    assert after.headings == (*brought.headings, "Paid by", "Billing period", "Add-ons")
    with space.database.reading() as session:
        again = imports.preview(session, space.manager, after, said=said)
    assert [row.verdict for row in again.rows] == [READY]
    assert again.lacking == ()


@pytest.mark.parametrize("spoken", LANGUAGES)
def test_every_word_to_pick_is_understood(spoken: str) -> None:
    """In each language; a retired plan is none of them."""
    speak(spoken)
    offer = replace(SAMPLE, plans={**SAMPLE.plans, "plus": replace(SAMPLE.plans["plus"], is_retired=True)})
    for column in (Column.PAYER, Column.BILLING_PERIOD, Column.PLAN):
        words = imports.words_to_pick(column, offer)
        assert len({value_reader(Setting(column.value), offer)(word) for word in words}) == len(words) >= 2
    assert {language(word) for word in imports.words_to_pick(Column.LANGUAGE, offer)} == set(LANGUAGES)
    assert str(SAMPLE.plans["plus"]) not in imports.words_to_pick(Column.PLAN, offer)
    assert imports.words_to_pick(Column.NAME, offer) == []


@pytest.mark.parametrize("title", ["Reasons", "reasons ", None])
def test_the_rows_to_correct_go_back_as_they_came_with_their_reasons(space: Space, title: str | None) -> None:
    """Once, however often they go back and forth; and corrected they are ready."""
    space.save()
    headings = ("Colour", "Name", "Country", "E-mail", *([title] if title else []))
    extra = ("=why",) if title else ()
    brought = sheet(("red", "", "BE", "a@example.com", *extra), ("", "Fine", "BE", "b@example.com"), headings=headings)
    named, rows = imports.corrections(previewed(space, brought))
    assert named == ["Colour", "Name", "Country", "E-mail", "Reasons"]
    assert rows == [["red", "", "BE", "a@example.com", "Name: Fill this in."]]
    again = imports.read("again.csv", spreadsheets.as_csv([named, ["red", "Aubry", *rows[0][2:]]]).encode())
    assert [row.verdict for row in previewed(space, again).rows] == [READY]
    assert imports.corrections(previewed(space, again)) == (named, [])


@pytest.mark.parametrize("spoken", LANGUAGES)
def test_the_exported_list_brought_back_invites_nobody(space: Space, spoken: str) -> None:
    """In each language, also names and e-mails that a spreadsheet would take for formulas."""
    space.save()
    for number, name in enumerate(["=1+1", "@home", "'quoted'", "-12", "Aubry; Fils", 'Say "hi"', "plain"]):
        space.invite(name, email=f"+{number}@example.com", overrides=Overrides(add_ons=frozenset()))
    speak(spoken)
    with space.database.reading() as session:
        exported = "".join(reports.csv_pieces(session, space.manager)).encode()
    shown = previewed(space, imports.read("clients.csv", exported))
    assert [row.verdict for row in shown.rows] == [ALREADY_CLIENT] * 7
    assert {row.client_id for row in shown.rows} == set(range(1, 8))
    assert {"=1+1", "@home", "-12"} <= {cell for row in shown.rows for cell in row.cells}
    assert invited(space, shown).invited == 0


NUMBERS = count(1)  # of partner spaces, one an example
NASTY = st.text(st.characters(), max_size=12)
CELLS = {
    "Name": st.sampled_from(["Aubry", "=1+1", "x" * 201, "'", "\u200b", ""]) | NASTY,
    "Country": st.sampled_from(["BE", "be", "FR", "ZZ", "Belgium", ""]) | NASTY,
    "E-mail": st.sampled_from(
        [
            "a@example.com",
            "A@EXAMPLE.com ",
            "b@example.com",
            "c@é.example",
            "K@example.com",
            "İ@example.com",
            "ẞ@example.com",
            "x",
        ]
    )
    | st.emails()
    | NASTY,
    "First name": NASTY,
    "Language": st.sampled_from(["", "fr", "nl-BE", "es"]) | NASTY,
    "Company number": st.sampled_from(["", "0471.730.202", "BE 1000003682", "0123456789"]) | NASTY,
    "VAT number": st.sampled_from(["", "BE0471730202", "FR40303265045"]) | NASTY,
    "Message": NASTY,
    "Paid by": st.sampled_from(["", "us", "the client", "nobody"]),
    "Billing period": st.sampled_from(["", "monthly", "Annuelle"]),
    "Subscription": st.sampled_from(["", "Starter", "plus", "classic", "gold"]),
    "Add-ons": st.sampled_from(["", "none", "payroll", "bank feeds; payroll", "none; payroll", ";"]) | NASTY,
}


@given(
    rows=st.lists(st.tuples(*CELLS.values()), max_size=12),
    shuffled=st.permutations(range(len(CELLS))),
    has_defaults=st.booleans(),
)
@settings(max_examples=60, suppress_health_check=list(HealthCheck))
def test_whatever_is_brought_the_report_adds_up(
    make_space: Callable[[int], Space], rows: list[tuple[str, ...]], shuffled: list[int], has_defaults: bool
) -> None:
    """The preview never stumbles, exactly the ready ones are invited, and no difference is found afterwards."""
    space = make_space(next(NUMBERS))
    if has_defaults:
        space.save(PLUS)
    space.invite("Known", choices(STANDARD, frozenset(Setting)), email="k@example.com")
    headings = list(CELLS)
    brought = sheet(*([row[i] for i in shuffled] for row in rows), headings=[headings[i] for i in shuffled])
    shown = previewed(space, brought)
    assert [row.line for row in shown.rows] == [row.line for row in brought.rows]
    assert Counter(row.verdict for row in shown.rows) == Counter(dict(shown.counts))
    for row in shown.rows:
        assert (row.verdict is READY) == (row.new_client is not None) == (row.effective is not None)
        assert row.verdict not in (NEEDS_CORRECTION, TWICE) or row.reasons
        assert all(str(reason) for reason in row.reasons)
    imports.corrections(shown)
    report = invited(space, shown)
    assert report.rows == report.invited + report.needing_correction + report.twice + report.already_clients
    assert report.invited == shown.counts[READY] == clients(space) - 1
    assert (report.batch is None) == (report.invited == 0)
    again = previewed(space, brought)
    assert again.counts[READY] == 0
    with space.database.reading() as session:
        assert list(subscriptions.differences(session)) == []
        for row in shown.rows:
            if row.new_client is not None:
                found = select(Client).where(Client.email == row.new_client.email)
                held = session.scalars(found.where(Client.partner_id == space.partner_id)).one()
                assert space.detail(held.client_id).effective == row.effective
                assert held.name == row.new_client.name


@pytest.fixture
def command(
    space: Space, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """`python -m core import` of these bytes, as a member: the exit status, what it printed and what it refused."""
    monkeypatch.setenv("BILLING_DATABASE_URL", space.database.engine.url.render_as_string(hide_password=False))

    def run(content: bytes, *options: str, who: str = "client_manager@example.com") -> tuple[int, str, str]:
        path = tmp_path / "clients.csv"
        path.write_bytes(content)
        status = main(["import", str(path), "--as", who, *options])
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return run


CONTENT = b"Name,Country,E-mail\nAubry,BE,a@example.com\nBeau,BE,b@example.com\n"


def test_the_command_tells_first_and_invites_then(space: Space, command) -> None:
    """A dry run writes nothing; the next one invites; the one after finds nothing left to do."""
    space.save()
    before = fingerprint(space)
    status, out, _ = command(CONTENT, "--dry-run")
    assert status == 0
    assert "Rows: 2. Ready: 2. To correct: 0. Twice: 0. Already clients: 0.\nNothing was written." in out
    assert fingerprint(space) == before
    status, out, _ = command(CONTENT)
    assert status == 0
    assert "Rows: 2. Invited: 2. To correct: 0. Twice: 0. Already clients: 0.\nBatch: 1." in out
    assert "The ready ones cost us €0.00 a month, and the clients" in out
    status, out, _ = command(CONTENT)
    assert status == 0
    assert "Invited: 0. To correct: 0. Twice: 0. Already clients: 2.\nNobody was invited." in out
    assert clients(space) == 2


def test_the_command_invites_the_ready_and_names_the_rows_that_need_a_person(space: Space, command) -> None:
    """Fifty at most, and how many more; the exit status says that somebody has to look."""
    space.save()
    wrong = b"".join(b"C%d,BE,x,\x1b[31m\n" % number for number in range(60))
    content = CONTENT.replace(b"E-mail", b"E-mail,Subscription") + b"Again,BE,a@example.com\n" + wrong
    for options in (["--dry-run"], []):
        status, out, _ = command(content, *options)
        assert status == 1
        assert "Row 4 · E-mail: Row 2 has the same e-mail.\nRow 5 · E-mail: This is not an e-mail address." in out
        assert out.count("\nRow ") == 49
        assert "... and 11 more" in out
        assert "\x1b" not in out
        assert "“\ufffd[31m” is none of" in out
    assert "Invited: 2. To correct: 60. Twice: 1." in out
    assert clients(space) == 2


def test_a_row_twice_in_the_file_needs_a_person_too(space: Space, command) -> None:
    """It may be another client with the same e-mail."""
    space.save()
    assert command(CONTENT + b"Again,BE,a@example.com\n", "--dry-run")[0] == 1


def test_who_is_no_longer_active_is_nobody_to_the_command(space: Space, command) -> None:
    """And so is no second member of that e-mail."""
    space.save()
    with space.database.transaction() as session:
        session.execute(update(Member).values(is_active=False))
    status, _, err = command(CONTENT)
    assert status == 1
    assert "is not the e-mail of an active member." in err


@pytest.mark.parametrize(
    ("who", "content", "said"),
    [
        ("nobody@example.com", CONTENT, "nobody@example.com is not the e-mail of an active member."),
        ("2:client_manager@example.com", CONTENT, "is not the e-mail of an active member."),
        ("finance@example.com", CONTENT, "You may not do this"),
        ("client_manager@example.com", b"Name,Country\nA,BE\n", "No column was recognised as: E-mail"),
        ("client_manager@example.com", b"", "Bring a list with a row of headings"),
    ],
)
def test_the_command_refuses_with_a_sentence(space: Space, command, who: str, content: bytes, said: str) -> None:
    """And with the exit status 1."""
    space.save()
    status, out, err = command(content, who=who)
    assert (status, out) == (1, "")
    assert said in err


def test_the_command_says_that_the_file_is_not_there(space: Space, command, capsys, tmp_path: Path) -> None:
    """Or that it is a folder."""
    for path in (tmp_path / "no.csv", tmp_path):
        assert main(["import", str(path), "--as", "client_manager@example.com"]) == 1
        assert f"The file {path} cannot be opened." in capsys.readouterr().err


def test_the_command_is_told_the_encoding(space: Space, command) -> None:
    """Where the letters do not decide; of a file in UTF-8 it is not asked."""
    space.save()
    rows = "Name,Country,E-mail\nKöhler,BE,a@example.com\n"
    assert command(rows.encode("mac_roman"), "--encoding", "mac")[0] == 0
    assert command(rows.replace("a@", "b@").encode(), "--encoding", "windows")[0] == 0
    with space.database.reading() as session:
        assert list(session.scalars(select(Client.name))) == ["Köhler", "Köhler"]
    with pytest.raises(SystemExit):
        command(CONTENT, "--encoding", "koi8")


def test_the_command_says_that_the_tables_are_not_there(tmp_path: Path, monkeypatch, capsys) -> None:
    """And how to make them."""
    monkeypatch.setenv("BILLING_DATABASE_URL", f"sqlite:///{tmp_path / 'empty.sqlite3'}")
    assert main(["import", "clients.csv", "--as", "a@example.com"]) == 1
    assert "`python -m core migrate`" in capsys.readouterr().err


def test_a_member_of_several_partners_says_for_which_one(space: Space, make_space, command) -> None:
    """The same e-mail in two partner spaces is two members."""
    make_space(2).save()
    space.save()
    status, _, err = command(CONTENT)
    assert status == 1
    assert "Say which, with --as and one of: 1:client_manager@example.com (Partner 1), 2:client_manager" in err
    assert command(CONTENT, who="1:Client_Manager@example.com")[0] == 0
    assert clients(space) == 2


def test_the_command_speaks_the_language_of_its_member(space: Space, command) -> None:
    """As the pages do."""
    space.save()
    with space.database.transaction() as session:
        session.execute(update(Member).values(language="fr"))
    _, out, _ = command(b"Nom,Pays,Courriel\n,BE,a@example.com\n", "--dry-run")
    assert "Fill this in." not in out


def test_rows_without_a_country_are_of_the_one_that_was_said(space: Space) -> None:
    """A row that says its own keeps it, by letters or by name."""
    space.save()
    brought = sheet(("A", "", "a@example.com"), ("B", "-", "b@example.com"), ("C", "Frankrijk", "c@example.com"))
    with space.database.reading() as session:
        shown = imports.preview(session, space.manager, brought, country="BE")
    assert [row.new_client and row.new_client.country for row in shown.rows] == ["BE", "BE", "FR"]
    assert imports.rows_without_country(shown) == 2
    assert imports.rows_without_country(previewed(space, companies(1))) == 0


def test_the_shell_is_told_which_heading_a_column_is_under_and_the_country(space: Space, command) -> None:
    """Headings that nobody knows are read, and an odd word is refused with an example."""
    space.save()
    content = b"Boutique,Adresse\nAubry,aubry@example.com\n"
    status, out, _ = command(content, "--dry-run", "--column", "name=Boutique", "--column", "email=adresse",
                             "--country", "Belgique")  # fmt: skip
    assert (status, "Ready: 1." in out) == (0, True)
    assert command(content, "--dry-run")[0] == 1
    for wrong in (["--column", "Boutique"], ["--column", "shoe=Adresse"], ["--country", "Atlantis"]):
        with pytest.raises(SystemExit):
            command(content, "--dry-run", *wrong)


def test_the_shell_reads_the_columns_as_they_were_chosen_on_the_page(space: Space, command) -> None:
    """And says which sheet of a workbook was read, and that hidden rows were."""
    space.save()
    content = b"Boutique,Adresse\nAubry,aubry@example.com\n"
    with space.database.transaction() as session:
        said = {Column.NAME: 0, Column.EMAIL: 1}
        imports.choose_columns(session, space.manager, imports.read("clients.csv", content), said)
    status, out, _ = command(content, "--dry-run", "--country", "BE")
    assert (status, "Ready: 1." in out) == (0, True)
    assert "sheet" not in out


@pytest.mark.usefixtures("command")  # it names the database
def test_the_shell_says_which_sheet_was_read_and_that_rows_are_hidden(
    space: Space, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As the page does."""
    space.save()
    path = tmp_path / "clients.xlsx"
    with Workbook(path) as book:
        book.add_worksheet("Notes")
        sheet = book.add_worksheet("Clients")
        for number, row in enumerate([["Name", "Country", "E-mail"], ["Aubry", "BE", "aubry@example.com"]]):
            sheet.write_row(number, 0, row)
        sheet.set_row(1, options={"hidden": True})
    assert main(["import", str(path), "--as", "client_manager@example.com", "--dry-run"]) == 0
    out = capsys.readouterr().out
    assert "Read from the sheet Clients. Not read: Notes." in out
    assert "hidden in the workbook and read like the others: 1." in out
