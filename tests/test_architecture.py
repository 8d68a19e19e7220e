"""The house: imports run one way, the rooms are where architecture says, and each stays one idea."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CORE = sorted((ROOT / "core").glob("*.py"))
PAGES = sorted((ROOT / "pages").rglob("*.py"))

LAYERS = [  # each may import from its own layer and from those below
    {"language", "links"},
    {"terms", "columns"},
    {"resolution", "errors", "text"},
    {"models", "database", "new_client"},
    {"access", "catalogue", "sample_catalogue", "listing", "catalogue_tables", "outbox_tables"},
    {"editions", "invitation_status", "messages", "outbox"},
    {"revisions", "client_subscription", "delivery"},
    {"defaults", "bringing_in", "invitations", "subscriptions", "answers", "reports", "exports", "check"},
    {"import_columns", "worksheets", "workbooks", "spreadsheets", "import_rows", "import_report", "imports"},
    {"demo", "configuration"},
    {"__main__", "__init__"},
]


def imported(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("path", CORE, ids=lambda path: path.stem)
def test_imports_within_core_run_one_way(path: Path) -> None:
    """A room knows those below it and none above."""
    layer = next(number for number, rooms in enumerate(LAYERS) if path.stem in rooms)
    allowed = set().union(*LAYERS[: layer + 1])
    used = {name.split(".")[1] for name in imported(path) if name.startswith("core.")}
    assert used <= allowed


@pytest.mark.parametrize("path", sorted((ROOT / "core").rglob("*.py")), ids=lambda path: path.stem)
def test_core_knows_no_browser(path: Path) -> None:
    """Neither streamlit nor the pages."""
    assert not {name for name in imported(path) if name.split(".")[0] in {"streamlit", "pages"}}


def test_the_rules_import_the_standard_library_and_the_words_only() -> None:
    """resolution.py can be read and tested alone."""
    ours = {
        name
        for name in imported(ROOT / "core" / "resolution.py")
        if name.split(".")[0] not in {"dataclasses", "typing"}
    }
    assert {name.rsplit(".", 1)[0] if name.count(".") > 1 else name for name in ours} == {"core.terms"}


def test_no_page_lies_directly_in_pages() -> None:
    """A file there can be opened before the entrypoint has run, past the check of who is here."""
    assert list((ROOT / "pages").glob("*.py")) == []


@pytest.mark.parametrize("path", [p for p in PAGES if p.parent.name != "parts"], ids=lambda path: path.stem)
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
        assert first == "token = here.link_token()"
        assert "member" not in {node.id for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Name)}
    else:
        assert first.startswith("member = here.member(Permission.")


SQL_WORDS = {"sqlalchemy.orm", "sqlalchemy.orm.Session", "sqlalchemy.exc", "sqlalchemy.exc.OperationalError"}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_pages_hold_no_sql(path: Path) -> None:
    """They ask core; a session's type and a failure are all they know of the database."""
    assert not {n for n in imported(path) if n.startswith("sqlalchemy")} - SQL_WORDS


@pytest.mark.parametrize("path", [*CORE, *PAGES, ROOT / "streamlit_app.py", ROOT / "asgi.py"], ids=lambda p: p.stem)
def test_every_room_says_its_purpose_and_stays_one_idea(path: Path) -> None:
    """A docstring at the head, and about two hundred lines at most."""
    source = path.read_text()
    assert ast.get_docstring(ast.parse(source))
    assert len(source.splitlines()) <= 260


def test_no_address_of_a_package_registry_is_kept() -> None:
    """Pins are names and versions only."""
    for name in ("requirements.txt", "requirements-dev.txt"):
        lines = (ROOT / name).read_text().split()
        assert lines
        assert all("==" in line and "/" not in line for line in lines)
