"""The one table of the outbox, in the app's own database. ``metadata.create_all(engine)`` makes it, or Alembic does."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, Table, Text, text

from envoi.log.tables import UtcDateTime

metadata = MetaData()

_WAITS = text("error IS NULL")

outbox = Table(
    "envoi_outbox",
    metadata,
    Column("id", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=True),  # the order
    Column("job_id", Text, nullable=False, unique=True),
    Column("job", Text, nullable=False),  # JSON
    Column("created_at", UtcDateTime, nullable=False),
    # A job that the queue refused stays, and stops nothing: why, and when.
    Column("error", Text),
    Column("refused_at", UtcDateTime),
    Index("ix_envoi_outbox_waits", "id", postgresql_where=_WAITS, sqlite_where=_WAITS),
)
