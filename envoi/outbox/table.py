"""The one table of the outbox, in the app's own database. ``metadata.create_all(engine)`` makes it, or Alembic does."""

from __future__ import annotations

from sqlalchemy import Column, Index, MetaData, Table, text

from envoi.log.columns import ROW_NUMBER, text_column, time_column

metadata = MetaData()

_WAITS = text("error IS NULL")

outbox = Table(
    "envoi_outbox",
    metadata,
    Column("id", ROW_NUMBER, primary_key=True, autoincrement=True),  # the order
    text_column("job_id", nullable=False, unique=True),
    text_column("job", nullable=False),  # JSON
    time_column("created_at", nullable=False),
    # A job that the queue refused stays, and stops nothing: why, and when.
    text_column("error"),
    time_column("refused_at"),
    Index("ix_envoi_outbox_waits", "id", postgresql_where=_WAITS, sqlite_where=_WAITS),
)
