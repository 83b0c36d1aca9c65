"""How Alembic reaches our tables; `heard.store.migrate` gives it the connection, inside its own transaction."""

from __future__ import annotations

from alembic import context

from heard.store.migrations.plain import plain_type
from heard.store.tables import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    render_as_batch=connection.dialect.name == "sqlite",  # SQLite changes a table by making it anew
    render_item=plain_type,
    transaction_per_migration=False,
    transactional_ddl=False,  # ours is open already
)
context.run_migrations()
