"""Alembic runs here with the connection of core.database, in its transaction. There is no other way to migrate."""

from alembic import context

from core import catalogue_tables, outbox_tables  # noqa: F401 - their tables are in the metadata
from core.models import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
    transactional_ddl=True,
)
context.run_migrations()
