"""Alembic runs this for every migration. ``envoi.log.schema`` is the way in: it brings the connection."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection

from envoi.log.tables import metadata

connection = context.config.attributes.get("connection")
if not isinstance(connection, Connection):
    raise TypeError("migrations run through `envoi migrate` (envoi.log.schema), which brings the connection")

# No logging is set up here: that is the application's own.
context.configure(
    connection=connection,
    target_metadata=metadata,
    # PostgreSQL: no lock is kept for longer than one migration, and an index is built outside of all.
    transaction_per_migration=connection.dialect.name == "postgresql",
    render_as_batch=connection.dialect.name == "sqlite",  # SQLite alters a table by copying it
)
with context.begin_transaction():
    context.run_migrations()
