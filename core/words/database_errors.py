"""Refusals of the database itself: it is away, slow, full or another one; and tables of another version."""

from core.words.errors import BillingError
from core.words.language import N_


class DatabaseFailed(BillingError):
    """The database did not do what it was asked, through nobody's fault: the same may work in a moment.

    `sentence` is for an action, of which nothing was saved; `when_read` for a page, which may come after a save. At a
    shell nobody typed entries: a command says what `happened`, in English.
    """

    sentence = N_("The database does not answer. Nothing was saved; your entries are kept.")
    when_read = N_("The database does not answer. Your entries are kept.")
    happened = "The database does not answer."

    def __init__(self, *, reading: bool = False) -> None:
        super().__init__()
        if reading:
            self.sentence = self.when_read
        self.is_read = reading

    def at_a_shell(self) -> str:
        """What a command says: what happened, and of an action that nothing was saved."""
        told = self.happened.format(**self.values)
        return told if self.is_read else f"{told} Nothing was saved."


class DatabaseAway(DatabaseFailed):
    """No connection, or it broke."""


class DatabaseBusy(DatabaseFailed):
    """Somebody else's work holds what is needed, for longer than anybody waits."""

    sentence = N_("The database is busy with other work. Nothing was saved; your entries are kept.")
    when_read = N_("The database is busy with other work. Your entries are kept.")
    happened = "The database is busy with other work; try again in a moment."


class BulkRunning(DatabaseBusy):
    """A change of many clients runs, made by `by`: `done` of `total` are done."""

    sentence = N_(
        "{by} is changing many clients at once: {done} of {total} are done. Nothing was saved; your entries are kept. "
        "Try again in a moment."
    )
    when_read = sentence
    happened = "{by} is changing many clients at once, {done} of {total} are done; try again in a moment."

    def __init__(self, *, by: str, done: int, total: int) -> None:
        super().__init__()
        self.values = {"by": by, "done": done, "total": total}


class DatabaseSlow(DatabaseFailed):
    """A statement took longer than anybody waits."""

    sentence = N_("The database takes too long to answer. Nothing was saved; your entries are kept.")
    when_read = N_("The database takes too long to answer. Your entries are kept.")
    happened = "The database takes too long to answer."


class DatabaseFull(DatabaseFailed):
    """There is no room on its disk."""

    sentence = N_(
        "The database has no room left. Nothing was saved; your entries are kept. Whoever runs this server can "
        "make room."
    )
    when_read = N_("The database has no room left. Your entries are kept. Whoever runs this server can make room.")
    happened = "The database has no room left."


class DatabaseReadOnly(DatabaseFailed):
    """It may be read, not written."""

    sentence = N_(
        "The database can only be read at present. Nothing was saved; your entries are kept. Whoever runs this server "
        "can change that."
    )
    when_read = N_(
        "The database can only be read at present. Your entries are kept. Whoever runs this server can change that."
    )
    happened = "The database can only be read at present."


class DatabaseUnreadable(DatabaseFailed):
    """Its file cannot be opened, or is damaged, or is no database."""

    sentence = N_(
        "The file of the database cannot be read. Nothing was saved; your entries are kept. Whoever runs this server "
        "has to look at it."
    )
    when_read = N_(
        "The file of the database cannot be read. Your entries are kept. Whoever runs this server has to look at it."
    )
    happened = "The file of the database cannot be read."


class DatabaseReplaced(DatabaseFailed):
    """Its file was deleted, or another one put in its place, since this server opened it."""

    sentence = N_(
        "The file of the database was deleted or replaced. Nothing was saved; your entries are kept. Whoever runs this "
        "server has to start it again."
    )
    when_read = N_(
        "The file of the database was deleted or replaced. Your entries are kept. Whoever runs this server has to "
        "start it again."
    )
    happened = "The file of the database was deleted or replaced while this ran; run the command again."


class SavedOrNot(DatabaseFailed):
    """The connection broke while the action was being made final: it may be saved, or not."""

    sentence = N_(
        "The database stopped answering while this was being saved, so it may be saved or not. Your entries are kept; "
        "look whether it is there before you send it again."
    )

    def at_a_shell(self) -> str:
        """What a command says."""
        return (
            "The database stopped answering while this was being saved, so it may be saved or not. Look whether it is "
            "there before you run the command again."
        )


class TablesRefused(BillingError):
    """The tables are not those that this version of the product works with."""


class TablesOlder(TablesRefused):
    """Of an earlier version."""

    sentence = N_(
        "The tables are those of an older version of the product. Whoever runs this server runs "
        "`python -m core migrate` first."
    )


class TablesNewer(TablesRefused):
    """Of a later version."""

    sentence = N_(
        "The tables are those of a newer version of the product. Whoever runs this server installs that version, or "
        "brings back a backup made before it."
    )


class TablesMissing(TablesRefused):
    """There are none."""

    sentence = N_("The database has no tables yet. Whoever runs this server runs `python -m core migrate` first.")


class TablesOfAnother(TablesRefused):
    """Another program made them."""

    sentence = N_(
        "The database holds the tables of another program. Whoever runs this server names a database of its own for "
        "this one."
    )


class SearchUnavailable(TablesRefused):
    """PostgreSQL lacks the extension that the search of clients needs, and the product's role may not create it."""

    sentence = N_(
        "The database has no extension pg_trgm, which the search of clients needs, and this role may not create it. "
        "Whoever administers the database runs there: CREATE EXTENSION pg_trgm"
    )
