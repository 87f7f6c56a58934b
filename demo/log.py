"""The SQL log as the demonstration reads it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine

from demo.comparison import Logged
from envoi.log import queries
from envoi.log.database import open_log


@contextmanager
def opened(url: str) -> Iterator[Engine]:
    """The log at an SQLAlchemy address, closed at the end."""
    engine = open_log(url)
    try:
        yield engine
    finally:
        engine.dispose()


def read_log(engine: Engine, limit: int) -> dict[str, Logged]:
    """The newest jobs in the log, by id.

    Raises:
        LogError: the database does not answer, or has no tables.
    """
    return {
        job.id: Logged(job.state, job.message_id, job.attempts, job.sent_at)
        for job in queries.jobs(engine, limit=limit)
    }
