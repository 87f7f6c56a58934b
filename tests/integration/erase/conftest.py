"""A queue, its log, an outbox, a scheduler's threads, and eyes that see all that is kept."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis
from sqlalchemy import Engine, create_engine

from envoi import outbox
from tests.integration.erase.premises import Premises


@pytest.fixture
def engine(migrated_log: Engine) -> Engine:
    """A migrated log, once in SQLite and once in PostgreSQL."""
    return migrated_log


@pytest.fixture
def app_engine() -> Iterator[Engine]:
    """The app's own database, with an outbox."""
    found = create_engine("sqlite://")
    outbox.metadata.create_all(found)
    yield found
    found.dispose()


@pytest.fixture
def premises(redis_url: str, engine: Engine, app_engine: Engine) -> Iterator[Premises]:
    """An open queue with all around it at work."""
    with redis.Redis.from_url(redis_url) as raw, Premises(redis_url, raw, engine, app_engine) as found:
        yield found
