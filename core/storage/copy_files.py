"""The file of a copy: written beside and moved into place, of which version its tables are, and why it is refused."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex

from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from core.words import N_, BillingError

_MIGRATIONS = Path(__file__).parent / "migrations"
_BESIDE = ("-wal", "-shm", "-journal")  # how the files end that SQLite makes beside another
_NOT_OURS = N_("{file} is no backup of this product.")
_NEWER = N_("{file} is of another version of the product, with the tables {revisions}. Restore it with that version.")


class CopyRefused(BillingError):
    """A backup cannot be made or put back like this; the sentence says what to do."""

    def __init__(self, sentence: str, **values: object) -> None:
        super().__init__(**values)
        self.sentence = sentence


@contextmanager
def new_file(beside: Path) -> Iterator[Path]:
    """An empty file in the same folder, that only its owner reads; what is left of it in the end is removed."""
    path = beside.with_name(f".{beside.name}.{token_hex(4)}.part")
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        yield path
    finally:
        for left in (path, *(path.with_name(path.name + end) for end in _BESIDE)):
            left.unlink(missing_ok=True)


def move_into_place(part: Path, target: Path, *, replace: bool) -> None:
    """Afterwards the complete file `part` is `target`, at once, and on the disk. Raises FileExistsError where there is
    one already and not `replace`."""
    with part.open("rb") as written:
        os.fsync(written.fileno())
    if replace:
        part.replace(target)
    else:
        target.hardlink_to(part)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def refuse_unknown(connection: Connection, file: Path) -> None:
    """Raise CopyRefused where the tables are not those of this version of the product or one before it."""
    refuse_unknown_names(MigrationContext.configure(connection).get_current_heads(), file)


def refuse_unknown_names(revisions: Sequence[str], file: Path) -> None:
    """The same, by the names of the migrations that they are at."""
    if not revisions:
        raise CopyRefused(_NOT_OURS, file=str(file))
    known = {each.revision for each in ScriptDirectory(str(_MIGRATIONS)).walk_revisions()}
    if not known.issuperset(revisions):
        raise CopyRefused(_NEWER, file=str(file), revisions=", ".join(revisions))
