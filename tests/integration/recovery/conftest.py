"""A queue with a log beside it, and the end of its Redis."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis
from sqlalchemy import Engine

from tests.integration.recovery.house import House


@pytest.fixture
def engine(migrated_log: Engine) -> Engine:
    """A migrated log, once in SQLite and once in PostgreSQL."""
    return migrated_log


@pytest.fixture
def house(redis_client: redis.Redis, engine: Engine) -> Iterator[House]:
    """An open queue, its log and a worker."""
    found = House(redis_client, engine)
    yield found
    found.writer.release()
