"""The README: its commands are real."""

import os
import re
import shlex
from pathlib import Path

import pytest

from core.__main__ import main
from core.catalogue import from_toml
from core.configuration import Configuration, SignInProvider
from core.members import MATRIX, Permission
from core.words import Role

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
COMMANDS = [line for block in re.findall(r"```sh\n(.*?)```", README, re.S) for line in block.splitlines()]


def test_the_two_commands_install_from_pinned_files_that_exist() -> None:
    """One runs the product, one passes the tests; CI runs the second as it stands here."""
    start, tests = COMMANDS[:2]
    assert start.endswith("&& .venv/bin/streamlit run asgi.py")
    assert tests.endswith("&& .venv/bin/python -m pytest")
    for command in (start, tests):
        (pins,) = re.findall(r"-r (\S+)", command)
        assert (ROOT / pins).exists()
    assert "grep -m1 -- '-m pytest$' README.md" in (ROOT / ".ci" / "run").read_text()
    assert (ROOT / "asgi.py").exists()


# tests/invitations, imports, catalogue, commands, bulk
ELSEWHERE = ("bulk", "deliver", "import", "catalogue", "partner", "doctor", "backup", "restore", "client")
COMMANDS_OF_CORE = set(re.findall(r"python -m core ([a-z -]+[a-z])", README))


@pytest.mark.parametrize("arguments", sorted(c for c in COMMANDS_OF_CORE if not c.startswith(ELSEWHERE)))
def test_every_command_of_core_in_it_works(
    arguments: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On a fresh database, after migrating it."""
    monkeypatch.setenv("BILLING_DATABASE_URL", f"sqlite:///{tmp_path / 'readme.sqlite3'}")
    assert main(["migrate"]) == 0
    assert main(shlex.split(arguments)) == 0
    assert capsys.readouterr().out


def test_the_catalogue_in_it_can_be_loaded_with_the_commands_below_it() -> None:
    """The file as it stands here, and each command's name."""
    (example,) = re.findall(r"```toml\n(.*?)```", README, re.S)
    assert from_toml(example.encode()).plans["standard"].add_ons == {"payroll"}
    assert {
        f"catalogue {what}" for what in ("example", "check catalogue", "load catalogue", "show")
    } <= COMMANDS_OF_CORE


def test_every_setting_of_the_configuration_is_told() -> None:
    """By the name an operator sets."""
    providers = {f"BILLING_OIDC_{name.upper()}" for name in SignInProvider.model_fields}
    told = set(re.findall(r"`(BILLING_\w+)`", README)) - {"BILLING_OIDC_ENTRA_CLIENT_ID"}  # one by its name
    assert {f"BILLING_{name.upper()}" for name in Configuration.model_fields} | providers == told


def test_the_permission_matrix_is_the_one_in_force() -> None:
    """Each row against the matrix."""
    rows = {
        "Read the default settings and every version": Permission.READ_DEFAULTS,
        "Save default settings": Permission.SAVE_DEFAULTS,
        "See clients, their settings and history": Permission.READ_CLIENTS,
        "Invite; make and clear overrides; adopt defaults": Permission.OVERRIDE,
        "Edit the details of a client": Permission.EDIT_CLIENT,
        "Change who looks after a client": Permission.CHANGE_RESPONSIBLE,
        "See bulk changes and imports, and the clients of each": Permission.READ_BATCHES,
        "Download the list of clients": Permission.EXPORT,
        "Read and download the plan distribution": Permission.READ_DISTRIBUTION,
        "Invite, change and deactivate members": Permission.MANAGE_MEMBERS,
        "Read who took data away, and what else was done": Permission.READ_ACTIVITY,
        "Load a catalogue and withdraw a price list": Permission.MANAGE_CATALOGUE,
        "Save and remove views of the list for everybody": Permission.SHARE_VIEWS,
    }
    order = [Role.ADMINISTRATOR, Role.CLIENT_MANAGER, Role.FINANCE, Role.ACCOUNTANT]
    for words, permission in rows.items():
        (line,) = [line for line in README.splitlines() if line.startswith(f"| {words} |")]
        cells = [bool(cell.strip()) for cell in line.split("|")[2:-1]]
        assert cells == [role in MATRIX[permission] for role in order]
    assert MATRIX[Permission.INVITE] == MATRIX[Permission.OVERRIDE]


def test_pictures_and_files_it_names_exist() -> None:
    """Nothing leads nowhere."""
    for path in re.findall(r"!\[.*?\]\((\S+?)\)", README):
        assert (ROOT / path).stat().st_size > 10_000
    for path in re.findall(r"`((?:core|pages|docs|tests|\.streamlit|\.ci)/[\w/.]+)`", README):
        assert (ROOT / path).exists(), path
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


def test_what_the_guide_of_changes_names_is_there() -> None:
    """Each file, and each name in one of them."""
    named = set(re.findall(r"`([\w/.-]+)`", (ROOT / "docs" / "changing.md").read_text()))
    files = {name for name in named if "/" in name}
    assert {name for name in files if not (ROOT / name).exists()} == set()
    told = "\n".join((ROOT / name).read_text() for name in files if name.endswith((".py", ".po")))
    assert {
        name for name in named - files if not re.search(rf"\b{re.escape(name.partition('.')[2] or name)}\b", told)
    } == set()
