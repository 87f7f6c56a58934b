"""A migrated log in each database, an open queue, and somebody who tells events."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis
from sqlalchemy import Engine

from envoi.queue.queue import Queue
from envoi.settings import Settings
from scheduler.log_writer import LogWriter
from tests.integration.log.teller import Teller


@pytest.fixture
def engine(migrated_log: Engine) -> Engine:
    """A migrated log, once in SQLite and once in PostgreSQL."""
    return migrated_log


@pytest.fixture
def queue(redis_client: redis.Redis) -> Queue:
    """An open queue."""
    found = Queue(redis_client, Settings())
    redis_client.set(found.keys.epoch, "open")
    return found


@pytest.fixture
def teller(queue: Queue) -> Teller:
    """Tells events of that queue."""
    return Teller(queue)


@pytest.fixture
def writer(queue: Queue, engine: Engine) -> Iterator[LogWriter]:
    """A log writer between the two."""
    found = LogWriter(queue, engine)
    yield found
    found.release()
