"""The outcome table of the usual Celery task: one row a job."""

from __future__ import annotations

import os
from datetime import UTC, datetime

from sqlalchemy import create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, sessionmaker


class Base(DeclarativeBase):
    """All models."""


class SentMessage(Base):
    """A message that was sent."""

    __tablename__ = "sent_messages"

    id: Mapped[int] = mapped_column(primary_key=True)
    page_id: Mapped[str]
    recipient_id: Mapped[str]
    text: Mapped[str]
    message_id: Mapped[str]
    sent_at: Mapped[datetime] = mapped_column(default=lambda: datetime.now(UTC).replace(tzinfo=None))


# It connects when it is first used, so each process of the pool has a connection of its own.
engine = create_engine(os.environ["DATABASE_URL"])
new_session = sessionmaker(engine)
