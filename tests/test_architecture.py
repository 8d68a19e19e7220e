"""The house: folders are capabilities, imports between them run one way, and each room stays one idea."""

import ast
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = [  # each may import from those before it
    "words", "storage", "spreadsheets", "members", "catalogue", "defaults", "subscriptions", "invitations", "team",
    "imports", "reports", "bulk",
]  # fmt: skip
ON_TOP = ["configuration", "demo", "commands", "__main__"]  # files that put the capabilities together
CORE = sorted((ROOT / "core").rglob("*.py"))
PAGES = sorted((ROOT / "pages").rglob("*.py"))
STANDARD = frozenset(sys.stdlib_module_names)
MIGRATIONS = ROOT / "core" / "storage" / "migrations"  # Alembic's own scripts, which know every table
HOUSE = [path for path in CORE if not path.is_relative_to(MIGRATIONS)]


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def imported(path: Path) -> set[str]:
    """Every module that a file imports, and every name from one as module.name."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def room_of(path: Path) -> str:
    """The folder of a file in core, or the file on top."""
    return path.relative_to(ROOT / "core").parts[0].removesuffix(".py")


def test_core_is_these_folders_and_little_on_top() -> None:
    """Nothing lies beside the capabilities but what puts them together."""
    assert {room_of(path) for path in HOUSE} == {*FOLDERS, *ON_TOP, "__init__"}


@pytest.mark.parametrize("path", HOUSE, ids=name_of)
def test_imports_between_folders_run_one_way(path: Path) -> None:
    """A folder knows those below it and none above."""
    order = [*FOLDERS, *ON_TOP]
    room = room_of(path)
    allowed = order[: order.index(room) + 1] if room in order else ["invitations"]  # core itself: see its __init__
    used = {name.split(".")[1] for name in imported(path) if name.startswith("core.")}
    assert used <= set(allowed)


@pytest.mark.parametrize("path", [*HOUSE, *PAGES, ROOT / "streamlit_app.py", ROOT / "asgi.py"], ids=name_of)
def test_nobody_looks_inside_another_folder(path: Path) -> None:
    """A folder hands on what others may use: they write core.subscriptions.override, whichever file has it."""
    own = room_of(path) if path.is_relative_to(ROOT / "core") else None
    for name in imported(path):
        top, _, inner = name.partition(".")
        folder, _, used = inner.partition(".")
        if top == "core" and used and folder in FOLDERS and folder != own:
            assert used in handed_on(folder), name


def handed_on(folder: str) -> set[str]:
    """The names that a folder's __init__ hands on."""
    return {name.rpartition(".")[2] for name in imported(ROOT / "core" / folder / "__init__.py")}


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_folder_says_in_a_paragraph_what_it_is_for(folder: str) -> None:
    """And hands on its names; nothing else is in its __init__."""
    init = ast.parse((ROOT / "core" / folder / "__init__.py").read_text())
    paragraph = ast.get_docstring(init)
    assert paragraph
    assert len(paragraph.split()) >= 15
    assert all(isinstance(node, ast.ImportFrom | ast.Expr | ast.Assign) for node in init.body)


@pytest.mark.parametrize("path", CORE, ids=name_of)
def test_core_knows_no_browser(path: Path) -> None:
    """Neither streamlit nor the pages."""
    assert not {name for name in imported(path) if name.split(".")[0] in {"streamlit", "pages"}}


def test_the_rules_import_the_standard_library_and_the_words_only() -> None:
    """resolution.py can be read and tested alone."""
    used = {name.rpartition(".")[0] for name in imported(ROOT / "core" / "defaults" / "resolution.py")}
    assert used == {"dataclasses", "typing", "core.words"}


def test_migrations_import_nothing_of_the_product() -> None:
    """One goes on working when the product's types change."""
    for path in (MIGRATIONS / "versions").glob("*.py"):
        assert {name.split(".")[0] for name in imported(path)} <= {"alembic", "sqlalchemy"} | STANDARD, path.name


def test_no_page_lies_directly_in_pages() -> None:
    """A file there can be opened before the entrypoint has run, past the check of who is here."""
    assert list((ROOT / "pages").glob("*.py")) == []


def is_page(path: Path) -> bool:
    """Whether the menu opens this file: it is named there by its section and its name."""
    return f'"{path.parent.name}", "{path.stem}"' in (ROOT / "streamlit_app.py").read_text()


@pytest.mark.parametrize("path", [path for path in PAGES if is_page(path)], ids=name_of)
def test_every_page_checks_for_itself_who_is_here(path: Path) -> None:
    """As its first act, before it reads anything."""
    body = ast.parse(path.read_text()).body
    assert ast.get_docstring(ast.Module(body, []))
    acts = [
        ast.unparse(node)
        for node in body
        if not isinstance(node, ast.Import | ast.ImportFrom | ast.Expr | ast.FunctionDef)
    ]
    constants = [act for act in acts if act.split("=")[0].split(":")[0].strip().isupper()]
    first = next(act for act in acts if act not in constants)
    if path == ROOT / "pages" / "invitation" / "accept.py":  # public: it reaches what its link opens, nothing else
        assert first == "token = visitor.link_token()"
        assert "member" not in {node.id for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Name)}
    else:
        assert first.startswith("member = visitor.member(Permission.")


def test_the_menu_opens_every_page_and_nothing_else() -> None:
    """What lies beside a page is no script that checks who is here, and is not opened as one."""
    pages = {name_of(path) for path in PAGES if is_page(path)}
    scripts = {
        name_of(path)
        for path in PAGES
        if any(
            "Permission." in ast.unparse(node)
            for node in ast.parse(path.read_text()).body
            if isinstance(node, ast.Assign)
        )
    }
    assert pages == scripts | {"pages/invitation/accept.py"}


SQL_WORDS = {"sqlalchemy.orm.Session"}


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_pages_hold_no_sql(path: Path) -> None:
    """They ask core; a session's type is all they know of the database."""
    assert not {name for name in imported(path) if name.startswith("sqlalchemy")} - SQL_WORDS


@pytest.mark.parametrize("path", [*HOUSE, *PAGES, ROOT / "streamlit_app.py", ROOT / "asgi.py"], ids=name_of)
def test_every_room_says_its_purpose_and_stays_one_idea(path: Path) -> None:
    """A docstring at the head, and about four hundred lines at most."""
    source = path.read_text()
    assert ast.get_docstring(ast.parse(source)) or path == ROOT / "core" / "__init__.py"
    assert len(source.splitlines()) <= 400


def test_no_address_of_a_package_registry_is_kept() -> None:
    """Pins are names and versions only."""
    for name in ("requirements.txt", "requirements-dev.txt"):
        lines = (ROOT / name).read_text().split()
        assert lines
        assert all("==" in line and "/" not in line for line in lines)
