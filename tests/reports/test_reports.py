"""The list of billing sources, its figures and the distribution: right to the cent, whatever is asked."""

import csv
from collections import Counter
from datetime import datetime, timedelta
from io import BytesIO
from itertools import product
from typing import Any
from zipfile import ZipFile

import pandas as pd
import pytest
from sqlalchemy import event, text

from core import catalogue, defaults, reports
from core.catalogue import monthly_cents
from core.reports import Order, SourceFilter, list_files
from core.subscriptions import INDEXED_SETTINGS
from core.words import (
    LISTED_SETTINGS,
    BillingPeriod,
    BillingSettings,
    ClientStatus,
    InvitationStatus,
    ListedStatus,
    Overrides,
    Payer,
    Role,
    Setting,
    Source,
    speak,
)
from tests.conftest import PLUS, STANDARD, Space

NAMES = ["Zoé Éclair", "œuvre & Cie", "aubry", "Äpfel", "100% Pur_e", "Delta\\x", "O'Brien", "Été", "zebra", "Bakkerij"]
OTHERS = {s.value: list(s.terms)[-1] for s in Setting if s.terms and s not in {Setting.PAYER, Setting.BILLING_PERIOD}}
CHOICES = [
    Overrides(),
    Overrides(payer=Payer.PARTNER),
    Overrides(plan="plus", add_ons=frozenset({"payroll"})),
    Overrides(billing_period=BillingPeriod.YEARLY),
    Overrides(add_ons=frozenset()),
    *(Overrides(**{name: value}) for name, value in OTHERS.items()),
]


RESPONSIBLE = [Role.CLIENT_MANAGER, Role.ACCOUNTANT, Role.ADMINISTRATOR]


@pytest.fixture
def filled(space: Space) -> Space:
    """Ten clients under two versions, some with exceptions, one archived, looked after by three members."""
    space.save(STANDARD)
    for number, name in enumerate(NAMES):
        if number == 6:
            space.save(
                BillingSettings.starting_with(
                    payer=Payer.CLIENT,
                    billing_period=BillingPeriod.YEARLY,
                    plan="premium",
                    add_ons=frozenset({"payroll"}),
                )
            )
        overrides = CHOICES[number % len(CHOICES)] if number % 2 else Overrides()
        if number == 7 or (number > 5 and overrides.plan):
            overrides = Overrides()
        space.invite(
            name,
            overrides,
            responsible=RESPONSIBLE[number % 3],
            email=f"c{number}@example.com",
            company_number="0471730202" if number == 3 else "",
        )
        space.clock.forward(days=1)
    space.archive(3)
    return space


def listed(space: Space, **asked: Any) -> list[dict[str, Any]]:
    with space.database.reading() as session:
        frame = reports.billing_sources(session, space.manager, **asked)
    assert list(frame.columns) == list(reports.BILLING_SOURCES)
    assert {column: str(dtype) for column, dtype in frame.dtypes.items()} == reports.BILLING_SOURCES
    return frame.to_dict("records")


def names(rows: list[dict[str, Any]]) -> list[str]:
    return [row["name"] for row in rows]


def test_one_row_per_client_says_what_holds_and_where_from(filled: Space) -> None:
    """Against what the client's own page says."""
    offer = catalogue_of(filled)
    rows = {row["client_id"]: row for row in listed(filled)}
    assert len(rows) == len(NAMES)
    for client_id, row in rows.items():
        shown = filled.detail(client_id)
        settings, effective = shown.effective.settings, shown.effective
        assert (row["name"], row["status"]) == (shown.client.name, shown.status)
        assert row["add_ons"] == ";".join(sorted(settings.add_ons))
        assert all(row[s.value] == s.of(settings) for s in Setting if s is not Setting.ADD_ONS)
        assert row["source"] == (Source.OVERRIDE if effective.overridden else Source.DEFAULT)
        assert row["overridden"] == ";".join(setting for setting in Setting if setting in effective.overridden)
        assert row["defaults_version"] == effective.defaults_version
        assert row["on_older_defaults"] == shown.on_older_defaults
        assert row["invited_at"] == filled.invitation(client_id).invitation.invited_at
        held = filled.looked_after(client_id)[0]
        assert (row["responsible_id"], row["responsible"]) == (held.member_id, held.name)
        expected = None if shown.status is ClientStatus.ARCHIVED else offer.price(settings).per_month.cents
        assert (None if row["monthly_cents"] is pd.NA else row["monthly_cents"]) == expected


def catalogue_of(space: Space) -> catalogue.Catalogue:
    with space.database.reading() as session:
        return catalogue.stored(session, "EUR")


def test_names_sort_without_case_or_accents_alike_on_both_databases(filled: Space) -> None:
    """And newest first is the order of the invitations."""
    by_name = [
        "100% Pur_e",
        "Äpfel",
        "aubry",
        "Bakkerij",
        "Delta\\x",
        "Été",
        "O'Brien",
        "œuvre & Cie",
        "zebra",
        "Zoé Éclair",
    ]
    assert names(listed(filled)) == by_name
    assert names(listed(filled, order_by=Order.NAME_DESCENDING)) == by_name[::-1]
    assert names(listed(filled, order_by=Order.OLDEST)) == NAMES
    assert names(listed(filled, order_by=Order.NEWEST)) == NAMES[::-1]


@pytest.mark.parametrize("order_by", Order)
def test_pages_together_are_the_whole_list(filled: Space, order_by: Order) -> None:
    """Nothing twice, nothing lost; past the end there is nothing."""
    pages = [names(listed(filled, order_by=order_by, page=page, page_size=3)) for page in range(1, 6)]
    assert [len(page) for page in pages] == [3, 3, 3, 1, 0]
    assert sum(pages, []) == names(listed(filled, order_by=order_by))


@pytest.mark.parametrize(
    ("search", "expected"),
    [
        ("ETE", ["Été"]),
        ("oeuvre", ["œuvre & Cie"]),
        ("Œuvre", ["œuvre & Cie"]),
        ("  éclair ", ["Zoé Éclair"]),
        ("c7@EXAMPLE", ["Été"]),
        ("0471.730.202", ["Äpfel"]),
        ("BE 0471 730", ["Äpfel"]),
        ("100%", ["100% Pur_e"]),
        ("pur_e", ["100% Pur_e"]),
        ("_", NAMES),
        ("eclair zo", ["Zoé Éclair"]),
        ("ecl & ZOE", ["Zoé Éclair"]),
        ("obrien", ["O'Brien"]),
        ("p", ["100% Pur_e"]),
        ("be 04 71 73 02 02", ["Äpfel"]),
        ("delta\\", ["Delta\\x"]),
        ("o'b", ["O'Brien"]),
        ("nobody", []),
        ("", NAMES),
    ],
)
def test_search_finds_by_part_of_name_e_mail_or_company_number(filled: Space, search: str, expected: list[str]) -> None:
    """Words in any order, without case, accents or signs; one of a letter or two begins a word."""
    assert sorted(names(listed(filled, search=search))) == sorted(expected)


ANY = {
    "plan": [None, "standard", "plus", "classic"],
    "billing_period": [None, *BillingPeriod],
    "payer": [None, *Payer],
    **{name: [None, value] for name, value in OTHERS.items()},
    "status": [None, ClientStatus.INVITED, "expired,archived", [ClientStatus.INVITED, ClientStatus.ARCHIVED]],
    "source": [None, *SourceFilter],
    "search": ["", "e"],
}


def test_filters_alone_and_together_agree_with_filtering_by_hand(filled: Space) -> None:
    """Up to three of them in every combination, of more some; the figures too."""
    every = listed(filled)
    for number, values in enumerate(product(*ANY.values())):
        if sum(map(bool, values)) > 3 and number % 7:
            continue
        asked = dict(zip(ANY, values, strict=True))
        expected = [row["client_id"] for row in every if matches(filled, row, asked)]
        assert [row["client_id"] for row in listed(filled, **asked)] == expected
        with filled.database.reading() as session:
            figures = reports.figures(session, filled.manager, **asked)
        kept = [row for row in every if row["client_id"] in expected]
        assert figures.clients == len(kept)
        there = [row for row in kept if row["status"] != "archived"]
        assert figures.paid_by_partner == 0  # nobody accepted yet
        assert figures.invited + figures.attention == len(there)
        assert figures.attention == sum(row["invitation"] == "expired" for row in there)
        assert figures.overridden == sum(row["source"] == "override" for row in there)
        assert figures.on_older_defaults == sum(row["on_older_defaults"] for row in there)
        assert figures.per_version == Counter((row["set_number"], row["defaults_version"]) for row in kept)


WITH_RESPONSIBLE = [
    {},
    {"search": "e"},
    {"source": SourceFilter.OVERRIDE},
    {"source": SourceFilter.OLDER, "status": ClientStatus.INVITED},
    {"plan": "standard", "payer": Payer.CLIENT, "search": "c"},
    {"status": ClientStatus.ARCHIVED},
]


@pytest.mark.parametrize("also", WITH_RESPONSIBLE, ids=str)
@pytest.mark.parametrize("order_by", Order)
def test_the_filter_by_who_looks_after_them_agrees_with_filtering_by_hand(
    filled: Space, also: dict[str, Any], order_by: Order
) -> None:
    """Alone and with others, in every order and page by page; an accountant sees the same as by the filter."""
    filled.give(1, Role.ACCOUNTANT)
    filled.give(2, Role.ADMINISTRATOR)
    every = listed(filled, order_by=order_by, **also)
    accountant = filled.members[Role.ACCOUNTANT]
    for responsible_id in (*(filled.members[role].member_id for role in Role), 99):
        expected = [row for row in every if filled.looked_after(row["client_id"])[0].member_id == responsible_id]
        asked = also | {"responsible": responsible_id, "order_by": order_by}
        assert listed(filled, **asked) == expected
        assert sum((listed(filled, **asked, page=page, page_size=2) for page in range(1, 6)), []) == expected
        with filled.database.reading() as session:
            counted = reports.figures(session, filled.manager, **also, responsible=responsible_id)
            own = reports.figures(session, accountant, **also)
            names = [each.name for each in reports.listed(session, accountant, order_by=order_by, **also)]
        assert counted.clients == len(expected)
        assert counted.overridden == sum(
            row["source"] == "override" and row["status"] != "archived" for row in expected
        )
        if responsible_id == accountant.member_id:
            assert own == counted
            assert names == [row["name"] for row in expected]


def test_a_filter_by_who_looks_after_them_is_exported_too(filled: Space) -> None:
    """What one sees is what one downloads."""
    asked = {"responsible": filled.members[Role.ADMINISTRATOR].member_id}
    lines = list(csv.DictReader(exported(filled, **asked)))
    assert [line["Client"] for line in lines] == names(listed(filled, **asked))
    assert {line["Account manager"] for line in lines} == {"The administrator"}


def matches(space: Space, row: dict[str, Any], asked: dict[str, Any]) -> bool:
    for name in ANY.keys() - {"source", "search", "status"}:
        if asked[name] is not None and row[name] != asked[name]:
            return False
    wanted = reports.statuses(asked["status"] or ())
    stands = ListedStatus.of(ClientStatus(row["status"]), InvitationStatus(row["invitation"]))
    if wanted and stands not in wanted:
        return False
    if not wanted and asked["source"] in (SourceFilter.OVERRIDE, SourceFilter.OLDER) and stands == "archived":
        return False
    match asked["source"]:
        case SourceFilter.OLDER if not row["on_older_defaults"]:
            return False
        case SourceFilter.RETIRED_SET if not row["on_retired_set"]:
            return False
        case SourceFilter.DEFAULT | SourceFilter.OVERRIDE if row["source"] != asked["source"]:
            return False
    client = space.detail(row["client_id"]).client
    return not asked["search"] or any(word.startswith(asked["search"]) for word in client.search_text.split())


def test_the_values_of_source_filter_the_list_too(filled: Space) -> None:
    """As the contract names them."""
    assert names(listed(filled, source=Source.OVERRIDE)) == names(listed(filled, source=SourceFilter.OVERRIDE))


def test_totals_of_the_distribution_agree_to_the_cent_with_the_sum_over_clients(filled: Space) -> None:
    """A yearly price counts a twelfth; rounding happens once, at the end."""
    offer = catalogue_of(filled)
    with filled.database.reading() as session:
        spread = reports.plan_distribution(session, filled.manager)
        figures = reports.figures(session, filled.manager)
    assert list(spread.columns) == reports.DISTRIBUTION
    details = [filled.detail(client_id) for client_id in range(1, len(NAMES) + 1)]
    per_year = {d.client.client_id: offer.price(d.effective.settings).cents_per_year for d in details}
    assert spread["clients"].sum() == len(NAMES)
    archived = per_year.pop(3)
    assert archived > 0
    assert spread["cents_per_year"].sum() == figures.invited_cents_per_year == sum(per_year.values())
    assert figures.cents_per_year == 0  # nobody accepted yet
    assert spread[spread["status"] == "archived"]["cents_per_year"].sum() == 0
    assert figures.per_month.cents == monthly_cents(figures.cents_per_year)
    expected = Counter(
        (
            *(str(setting.of(d.effective.settings)) for setting in INDEXED_SETTINGS),
            "override" if d.effective.overridden else "default",
            *map(str, d.held.bound or ("<NA>", "<NA>")),
            d.status.value,
        )
        for d in details
    )
    assert Counter({tuple(map(str, row[:-2])): row.clients for row in spread.itertuples(index=False)}) == expected


def test_as_of_a_date_the_distribution_tells_what_held_then(space: Space) -> None:
    """Rule 11: a client archived or moved since is counted as it was."""
    space.save(STANDARD)
    client_id = space.invite().client_id
    before_the_change = space.clock() + timedelta(hours=1)
    space.clock.forward(days=2)
    space.override(client_id, Overrides(plan="plus"))
    space.clock.forward(days=2)
    space.archive(client_id)

    def plans(instant: Any) -> list[tuple[str, str, int]]:
        with space.database.reading() as session:
            spread = reports.plan_distribution(session, space.manager, as_of=instant)
        return list(spread[["plan", "status", "clients"]].itertuples(index=False, name=None))

    assert plans(before_the_change - timedelta(days=1)) == []
    assert plans(before_the_change) == [("standard", "invited", 1)]
    assert plans(before_the_change + timedelta(days=3)) == [("plus", "invited", 1)]
    assert plans(None) == [("plus", "archived", 1)]
    with space.database.reading() as session:
        assert (
            reports.plan_distribution(session, space.manager, as_of=before_the_change)["cents_per_year"].sum() == 28800
        )


def test_what_held_at_an_instant_held_from_its_begin_until_the_next_began(space: Space) -> None:
    """Rule 11, to the microsecond: at the instant of a change the new settings hold, and they alone."""
    space.save(STANDARD)
    client_id = space.invite().client_id
    began = space.clock()
    space.clock.forward(days=1)
    space.override(client_id, Overrides(plan="plus"))
    changed, moment = space.clock(), timedelta(microseconds=1)

    def plans(instant: datetime) -> list[tuple[str, int]]:
        with space.database.reading() as session:
            spread = reports.plan_distribution(session, space.manager, as_of=instant)
        return list(spread[["plan", "clients"]].itertuples(index=False, name=None))

    assert [plans(began - moment), plans(began)] == [[], [("standard", 1)]]
    assert [plans(changed - moment), plans(changed)] == [[("standard", 1)], [("plus", 1)]]


def test_a_client_whose_price_is_gone_is_still_listed(space: Space) -> None:
    """Somebody took it out of the database: it counts nothing, and nothing fails."""
    space.save(STANDARD)
    client_id = space.invite().client_id
    with space.database.transaction() as session:
        session.execute(text("DELETE FROM plan_price WHERE plan = 'standard'"))
        session.execute(text("UPDATE catalogue_edition SET edition = edition + 1"))
    assert names(listed(space)) == ["Aubry & Fils"]
    assert space.detail(client_id).price is None


def test_work_per_page_does_not_grow_with_the_clients(space: Space) -> None:
    """The same number of queries for one client as for thirty."""
    space.save(STANDARD)

    def queries() -> int:
        counted = []
        event.listen(space.database.engine, "before_cursor_execute", lambda *a: counted.append(a[2]))
        listed(space)
        with space.database.reading() as session:
            reports.figures(session, space.manager)
            reports.plan_distribution(session, space.manager)
            defaults.history(session, space.manager)
        return len(counted)

    space.invite("First")
    queries()  # the catalogue is remembered from here on
    at_first = queries()
    for number in range(29):
        space.invite(f"Client {number}", email=f"m{number}@example.com")
    assert queries() == at_first


def test_the_export_holds_what_is_filtered_in_the_readers_language(filled: Space) -> None:
    """With what a spreadsheet expects: a byte order mark, its separators, decimals and dates."""
    (line,) = csv.DictReader(exported(filled, search="été"))
    assert [*line][:5] == ["Client number", "Client", "E-mail", "Company number", "Status"]
    assert [*line][5:-13] == [setting.label for setting in LISTED_SETTINGS]
    assert [*line][-13:-7] == [
        "A month (EUR)",
        "A year (EUR)",
        "Source",
        "Overrides",
        "Default settings version",
        "Invited on",
    ]
    expected = {
        "Client number": "8",
        "Client": "Été",
        "E-mail": "c7@example.com",
        "Company number": "",
        "Status": "Invited",
        "Subscription": "Premium",
        "Add-ons": "Payroll",
        "Billing period": "Yearly",
        "Paid by": "The client",
        "A month (EUR)": "59.58",
        "A year (EUR)": "715.00",
        "Source": "Default",
        "Overrides": "",
        "Default settings version": "2",
        "Invited on": "2026-03-10",
        "Account manager": "The accountant",
    }
    assert line == line | expected
    speak("fr")
    (line,) = csv.DictReader(exported(filled, search="été"), delimiter=";")
    assert (line["Client"], line["Par mois (EUR)"]) == ("Été", "59,58")
    speak("nl")
    (line,) = csv.DictReader(exported(filled, search="été"), delimiter=";")
    assert (line["Klant"], line["Per maand (EUR)"]) == ("Été", "59,58")


def test_the_export_has_every_client_once_in_order_through_its_pieces(
    filled: Space, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when clients share a name across the seam of two pieces."""
    for number in range(5):
        filled.invite("Same name", email=f"same{number}@example.com")
    whole = exported(filled)
    for size in (1, 2, 3, 7):
        monkeypatch.setattr(list_files, "_CHUNK", size)
        assert exported(filled) == whole
        assert exported(filled, search="same") == [whole[0], *(line for line in whole if "Same name" in line)]
    assert len(whole) == 1 + len(NAMES) + 5


def test_a_large_export_is_the_same_file_in_an_archive(filled: Space) -> None:
    """So that a million rows stay small in the server's memory."""
    with filled.database.reading() as session:
        archive = reports.zipped(reports.csv_pieces(session, filled.manager), "clients.csv")
    with ZipFile(BytesIO(archive)) as file:
        assert file.read("clients.csv").decode("utf-8-sig").splitlines() == exported(filled)


@pytest.mark.parametrize("name", ["=1+1", "+cmd", "-2", "@sum", "=HYPERLINK(1)", "\uff1d1+1", "\u200b=1", "X;=1+1;y"])
def test_no_cell_of_an_export_is_taken_for_a_formula(space: Space, name: str) -> None:
    """Text from people is shown as text, in a spreadsheet too."""
    space.save(PLUS)
    space.invite(name)
    for language, separator in (("en", ","), ("fr", ";"), ("nl", ";")):
        speak(language)
        line = exported(space)[1]
        written = name if name.startswith("X") else f"'{name}"
        assert next(csv.reader([line], delimiter=separator))[1] == written
        assert f'"{written}"' in line


def exported(space: Space, **asked: Any) -> list[str]:
    with space.database.reading() as session:
        text = "".join(reports.csv_pieces(session, space.manager, **asked))
    assert text.startswith("\ufeff")
    return text.removeprefix("\ufeff").splitlines()
