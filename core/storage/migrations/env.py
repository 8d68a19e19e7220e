"""What Alembic runs with: the connection of core.storage's migrate, or, from its own command, the configured database.

`alembic revision --autogenerate -m "..." --rev-id 0015` writes the next migration from what the tables have become,
`alembic upgrade head --sql` prints the SQL instead of running it.
"""

from typing import Any, Literal

from alembic import context
from sqlalchemy import Connection, make_url

from core import (  # noqa: F401 - their tables are in the metadata
    catalogue,
    defaults,
    imports,
    invitations,
    members,
    reports,
    subscriptions,
)
from core.configuration import Configuration
from core.storage import Base, Codes, Database, Instant, Settings, is_declared


def plain_types(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """Types of ours as those they are stored as: a migration goes on working when ours change."""
    if kind != "type":
        return False
    if isinstance(item, Instant):
        return "INSTANT"
    return "sa.Text()" if isinstance(item, Codes | Settings) else False


def run(**where: Any) -> None:
    """Run the migrations there."""
    context.configure(
        **where,
        target_metadata=Base.metadata,
        render_as_batch=True,
        render_item=plain_types,
        include_object=is_declared,
        transactional_ddl=True,
    )
    with context.begin_transaction():
        context.run_migrations()


connection: Connection | None = context.config.attributes.get("connection")
if connection is not None:
    run(connection=connection)
elif context.is_offline_mode():
    run(url=make_url(Configuration().url), literal_binds=True)
else:
    database = Database(Configuration().url)
    with database.migrating() as own:
        run(connection=own)
    database.close()
