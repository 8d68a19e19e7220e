"""clients are found by any three letters: an index made for it, and what needs attention is found without a search"""

import unicodedata
from typing import Any

import sqlalchemy as sa
from alembic import context, op

BINARY_ORDER = sa.Text().with_variant(sa.dialects.postgresql.TEXT(collation="C"), "postgresql")

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_FOLDED = str.maketrans({"œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "’": "'", "‘": "'"})
_KEY = "{0}.partner_id * 4294967296 + {0}.client_id"
_ADD = f"INSERT INTO client_search (rowid, search_text) VALUES ({_KEY.format('NEW')}, NEW.search_text);"
_REMOVE = (
    "INSERT INTO client_search (client_search, rowid, search_text) "
    f"VALUES ('delete', {_KEY.format('OLD')}, OLD.search_text);"
)


def upgrade() -> None:
    op.add_column("client", sa.Column("search_text", BINARY_ORDER, server_default="", nullable=False))
    op.drop_index("ix_client_search", table_name="client")
    if op.get_context().dialect.name == "postgresql":
        _on_postgresql()
    else:
        _on_sqlite()
    op.create_index("ix_client_search", "client", ["partner_id", "sort_name", "client_id", "search_text"])
    for table, key in {
        "outbox_message": ["partner_id", "client_id", "number", "sending"],
        "payer_message": ["partner_id", "client_id", "sending"],
    }.items():
        given_up = sa.text("given_up_at IS NOT NULL")
        op.create_index(f"ix_{table}_given_up", table, key, sqlite_where=given_up, postgresql_where=given_up)


def _on_postgresql() -> None:
    if context.is_offline_mode():  # printed as SQL it fills nothing
        op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    else:
        connection = op.get_bind()
        connection.exec_driver_sql("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        clients = connection.exec_driver_sql(
            "SELECT partner_id, client_id, name, email, country, company_number, vat_number FROM client"
        )
        connection.exec_driver_sql(
            "CREATE TEMPORARY TABLE found_by (partner_id integer, client_id integer, search_text text) ON COMMIT DROP"
        )
        cursor: Any = connection.connection.driver_connection
        with cursor.cursor().copy("COPY found_by FROM STDIN") as copy:
            for partner_id, client_id, *of in clients:
                copy.write_row((partner_id, client_id, searched_text(*of)))
        connection.exec_driver_sql(
            "UPDATE client c SET search_text = f.search_text FROM found_by f "
            "WHERE f.partner_id = c.partner_id AND f.client_id = c.client_id"
        )
    op.execute("CREATE INDEX client_search ON client USING gin (search_text gin_trgm_ops)")


def _on_sqlite() -> None:
    """The virtual table holds no text, only where each three letters are; a row's number is made of its key."""
    if not context.is_offline_mode():  # printed as SQL it fills nothing
        connection: Any = op.get_bind().connection.driver_connection
        connection.create_function("searched_text", 5, searched_text, deterministic=True)
        op.execute("UPDATE client SET search_text = searched_text(name, email, country, company_number, vat_number)")
    op.execute(
        "CREATE VIRTUAL TABLE client_search USING fts5(search_text, content='', columnsize=0, "
        "tokenize='trigram case_sensitive 1')"
    )
    op.execute(
        f"INSERT INTO client_search (rowid, search_text) SELECT {_KEY.format('client')}, search_text FROM client"
    )
    op.execute(f"CREATE TRIGGER client_search_added AFTER INSERT ON client FOR EACH ROW BEGIN {_ADD} END")
    op.execute(
        "CREATE TRIGGER client_search_changed AFTER UPDATE OF search_text ON client FOR EACH ROW "
        f"WHEN OLD.search_text <> NEW.search_text BEGIN {_REMOVE} {_ADD} END"
    )
    op.execute(f"CREATE TRIGGER client_search_removed AFTER DELETE ON client FOR EACH ROW BEGIN {_REMOVE} END")


def searched_text(
    name: str, email: str, country: str | None, company_number: str | None, vat_number: str | None
) -> str:
    """What a search looks in, as the product made it when this was written."""
    prefix = (country or "BE").lower()
    number, vat = ("".join(_words(text or "")) for text in (company_number, vat_number))
    if number:
        number = prefix + number.removeprefix(prefix)
    words = [*_words(name), "".join(_words(email)), number, vat]
    return "".join(f"  {word}" for word in dict.fromkeys(words) if word)


def _words(text: str) -> list[str]:
    decomposed = unicodedata.normalize("NFKD", text.casefold().translate(_FOLDED))
    kept = "".join(c for c in decomposed if not unicodedata.combining(c) and unicodedata.category(c) != "Cf")
    words = ("".join(c for c in word if c.isalnum()) for word in kept.split())
    return [word for word in words if word]
