"""`python -m core catalogue check | load | show | example`: what is printed, and the exit status."""

import subprocess
import sys
from pathlib import Path

import pytest

from core import catalogue, invitations
from core.__main__ import main
from core.catalogue import EXAMPLE, SAMPLE
from core.invitations import OutboxMessage
from core.storage import Database
from core.words import BillingPeriod, Overrides
from tests.conftest import STANDARD, Space

LATER = EXAMPLE.replace("# valid_from = 2027-03-01", "valid_from = 2099-03-01")
OWN = LATER.replace('"19.00"', '"21.00"').replace(
    'names = { en = "Plus"', 'retired = true\nnames = { en = "Plus and more"'
)


@pytest.fixture
def said(space: Space, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Run the command on the space's database: the exit status, what it printed, and what it printed of refusals."""
    monkeypatch.setenv("BILLING_DATABASE_URL", space.database.engine.url.render_as_string(hide_password=False))
    capsys.readouterr()

    def run(what: str, file: str | bytes | None = None, *options: str) -> tuple[int, list[str], list[str]]:
        arguments = ["catalogue", what, *options]
        if file is not None:
            path = tmp_path / "catalogue.toml"
            path.write_bytes(file if isinstance(file, bytes) else file.encode())
            arguments.append(str(path))
        status = main(arguments)
        out, err = capsys.readouterr()
        return status, out.splitlines(), err.splitlines()

    return run


def stored(space: Space) -> catalogue.Catalogue:
    with space.database.reading() as session:
        return catalogue.stored(session, "EUR")


def test_check_says_what_load_does_and_load_does_it_once(space: Space, said, tmp_path: Path) -> None:
    """The same words before and after; a second time nothing."""
    space.save(STANDARD)
    space.invite("One")
    space.invite("Two", Overrides(billing_period=BillingPeriod.YEARLY))
    space.invite("Three", Overrides(plan="plus"))
    changes = [
        "The catalogue is no sample data any more.",
        "Retired: Plus and more (plus)",
        "  They keep it: 1 client",
        "Renamed in English: Plus and more (plus), before: Plus",
        "Price list 2, from 1 Mar 2099",
        "  Price: Standard (standard), Monthly, €21.00, before: €19.00",
        "    1 invited client, if it accepts on 1 Mar 2099 or later",
    ]
    last = f"Nothing was written. To load it: python -m core catalogue load {tmp_path / 'catalogue.toml'}"
    assert said("check", OWN) == (0, [*changes, last], [])
    assert stored(space).edition == 1
    assert said("load", OWN) == (0, [*changes, "Loaded, as edition 2 of the catalogue."], [])
    assert stored(space).plans["plus"].is_retired
    for what in ("load", "check"):
        assert said(what, OWN) == (0, ["Nothing changes: this is the catalogue that is stored."], [])
    assert stored(space).edition == 2


def test_every_other_change_has_its_words(space: Space, said) -> None:
    """New, brought back, offered or not, without a price, removed, kept, in another order, a retired default."""
    space.save(STANDARD)
    said("load", EXAMPLE)
    later = (
        LATER.replace('code = "standard"', 'retired = true\ncode = "standard"')
        .replace("retired = true # it", "# it")
        .replace('"starter"', '"first"')
        .replace('"59.00", yearly = "590.00"', '"59.00"')
        .replace('"document_scanning", "payroll", "multi_currency"', '"document_scanning", "fixed_assets", "payroll"')
    )
    last = later.rindex("[[add_on]]")
    first = later.index("[[add_on]]")
    later = later[:first] + later[last:] + "\n" + later[first:last]
    status, out, refused = said("check", later)
    assert (status, refused) == (0, [])
    assert out[:-1] == [
        "New plan: Starter (first)",
        "Retired: Standard (standard)",
        "  They keep it: the default settings of 1 partner space",
        "  Nobody can be invited with these default settings until new ones are saved without it.",
        "Can be chosen again: Classic (classic)",
        "Removed, because nobody ever had it: Starter (starter)",
        "Offered with Starter (first) from now on: Bank feeds and E-invoicing",
        "Offered with Premium (premium) from now on: Fixed assets",
        "Not offered with Premium (premium) any more: Multi-currency",
        "Plans or add-ons are listed in another order.",
        "Price list 2, from 1 Mar 2099",
        "  Price: Starter (first), Monthly, €9.00",
        "  No price any more: Premium (premium), Yearly, before: €590.00",
    ]


def test_a_refused_load_says_every_reason_and_writes_nothing(space: Space, said) -> None:
    """Both commands with exit status 1; the check says the changes too."""
    space.save(STANDARD)
    space.invite()
    later = EXAMPLE.replace('code = "standard"', 'code = "usual"')
    held = (
        "Standard (standard) is not in the file, and is held by 1 client and the default settings of 1 partner space."
    )
    status, out, refused = said("check", later)
    assert (status, out[1]) == (1, "New plan: Standard (usual)")
    assert refused[0].startswith(held)
    assert refused[-1] == "It cannot be loaded like this. Nothing was written."
    status, out, refused = said("load", later)
    assert (status, out) == (1, [])
    assert refused[0].startswith(held)
    assert stored(space).is_sample


@pytest.mark.parametrize("what", ["check", "load"])
def test_what_is_to_correct_in_the_file_is_listed_with_its_places(space: Space, said, what: str) -> None:
    """Before the database is asked for anything."""
    status, out, refused = said(what, EXAMPLE.replace('"19.00"', "19.0").replace('"EUR"', '"JPY"'))
    assert (status, out) == (1, [])
    assert refused[0].startswith("The file ")
    assert refused[0].endswith("catalogue.toml cannot be loaded as it is:")
    assert refused[1].startswith("price_list, currency: JPY has other than two decimals")
    assert 'plan "standard", prices.monthly: Write the amount as text' in refused[2]
    assert stored(space).is_sample
    assert main(["catalogue", what, "nowhere.toml"]) == 1


def test_what_is_shown_can_be_loaded_and_changes_nothing(space: Space, said) -> None:
    """The round trip, with something that is kept for the past."""
    space.save(STANDARD)
    space.save(STANDARD, note="again")
    said("load", OWN)
    status, out, _ = said("show")
    assert status == 0
    assert said("load", "\n".join(out)) == (0, ["Nothing changes: this is the catalogue that is stored."], [])


def test_with_prices_in_two_currencies_show_asks_which(space: Space, said) -> None:
    """And a currency without prices is said to have none."""
    said("load", EXAMPLE)
    assert said("show", None, "--currency", "gbp")[0] == 1
    said("load", EXAMPLE.replace('"EUR"', '"GBP"'))
    assert said("show") == (1, [], ["There are prices in EUR and GBP. Say which, with --currency."])
    assert 'currency = "GBP"' in said("show", None, "--currency", "gbp")[1]


def test_a_partner_space_without_prices_is_named(make_space, space: Space, said) -> None:
    """A file in its currency is still to come."""
    make_space(2, currency="GBP")
    assert "Partner spaces that bill in GBP have no prices. Load a file for them too." in said("load", OWN)[1]


def test_the_example_is_printed_whole_and_loads(space: Space, said) -> None:
    """Its comments too."""
    status, out, _ = said("example")
    assert (status, out) == (0, EXAMPLE.splitlines())
    assert said("load", "\n".join(out))[0] == 0
    assert not stored(space).is_sample


def test_without_a_catalogue_show_says_which_command_comes_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And without tables every command says so."""
    monkeypatch.setenv("BILLING_DATABASE_URL", f"sqlite:///{tmp_path / 'new.sqlite3'}")
    path = tmp_path / "c.toml"
    path.write_text(EXAMPLE, encoding="utf-8")
    for arguments in (["show"], ["check", str(path)], ["load", str(path)]):
        assert main(["catalogue", *arguments]) == 1
        assert "python -m core migrate" in capsys.readouterr().err
    assert main(["migrate"]) == 0
    assert main(["catalogue", "show"]) == 1
    assert "python -m core catalogue load FILE" in capsys.readouterr().err


def test_the_demo_keeps_its_sample_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It can be shown; nothing is loaded over it."""
    monkeypatch.setenv("BILLING_DATABASE_URL", f"sqlite:///{tmp_path / 'demo.sqlite3'}")
    assert main(["demo"]) == 0
    path = tmp_path / "c.toml"
    path.write_text(OWN, encoding="utf-8")
    for what in ("check", "load"):
        assert main(["catalogue", what, str(path)]) == 1
        assert "BILLING_DATABASE_URL" in capsys.readouterr().err
    assert main(["catalogue", "show"]) == 0
    assert catalogue.from_toml(capsys.readouterr().out.encode()).plans == SAMPLE.plans


def test_from_a_shell_a_file_with_accents_arrives_whatever_the_terminal(tmp_path: Path) -> None:
    """`example > file` on a machine that speaks only ASCII, then loaded."""
    environment = {
        "BILLING_DATABASE_URL": f"sqlite:///{tmp_path / 'shell.sqlite3'}",
        "PYTHONIOENCODING": "ascii",
        "PATH": "",
    }

    def run(*arguments: str) -> bytes:
        return subprocess.run(
            [sys.executable, "-m", "core", *arguments],
            env=environment, cwd=Path(__file__).parent.parent.parent, check=True, capture_output=True,
        ).stdout  # fmt: skip

    path = tmp_path / "catalogue.toml"
    path.write_bytes(run("catalogue", "example"))
    run("migrate")
    Database(environment["BILLING_DATABASE_URL"]).close()
    assert catalogue.from_toml(path.read_bytes()) == catalogue.from_toml(run("catalogue", "example"))


def test_a_list_to_come_says_who_pays_it_from_when(space: Space, said) -> None:
    """Rule 42: invited clients if they accept from its day on, active ones from their renewal, if ever (rule 41)."""
    space.save(STANDARD)
    for name in ("One", "Two", "Three"):
        space.invite(name)
    with space.database.transaction() as session:
        for client_id in (1, 2):
            message = invitations.waiting(session, space.partner_id, client_id, OutboxMessage)
            invitations.accept(session, message.token)
    dear = LATER.replace('"19.00"', '"21.00"')
    head = ["Price list 2, from 1 Mar 2099", "  Price: Standard (standard), Monthly, €21.00, before: €19.00"]
    invited = "    1 invited client, if it accepts on 1 Mar 2099 or later"
    never = "    2 active clients keep their price until they take another subscription or billing period"
    assert said("load", dear)[1][1:5] == [*head, invited, never]
    renewing = dear.replace("# renewals_from = 2027-06-01", "renewals_from = 2099-06-01")
    assert said("load", renewing)[1][:5] == [
        head[0],
        "  It takes the place of the list 2 that has not begun.",
        head[1],
        invited,
        "    2 active clients, each from its first renewal on 1 Jun 2099 or later",
    ]
    assert said("load", renewing) == (0, ["Nothing changes: this is the catalogue that is stored."], [])


def test_a_list_that_has_not_begun_is_withdrawn(space: Space, said) -> None:
    """Rule 39; one that has begun stays, and one that is not there is named."""
    said("load", LATER.replace('"19.00"', '"21.00"'))
    withdraw = ("--currency", "eur")
    assert said("withdraw", None, "3", *withdraw) == (1, [], ["There is no price list 3 in EUR."])
    status, out, refused = said("withdraw", None, "1", *withdraw)
    assert (status, out) == (1, [])
    assert refused[0].startswith("Price list 1 in EUR began on 1 Jan 2000 and stays.")
    gone = "Price list 2 in EUR, which would have begun on 1 Mar 2099, is withdrawn."
    assert said("withdraw", None, "2", *withdraw) == (0, [gone], [])
    assert [each.number for each in stored(space).price_lists] == [1]
    assert said("withdraw", None, "2", *withdraw)[0] == 1
