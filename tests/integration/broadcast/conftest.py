"""A house on each database, with a clock that moves when told."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import redis
from sqlalchemy import Engine

from envoi.log.database import open_log
from scheduler import feed_lost, feeding
from tests.integration.broadcast.house import House, add_page
from tests.integration.queue.hands import movable_clock

MakeHouse = Callable[..., House]


@pytest.fixture
def engine(migrated_url: str, secret_key: str) -> Iterator[Engine]:
    """A migrated log with a page, once in SQLite and once in PostgreSQL."""
    found = open_log(migrated_url)
    add_page(found, secret_key)
    yield found
    found.dispose()


@pytest.fixture
def make_house(redis_client: redis.Redis, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[MakeHouse]:
    """Makes a house with settings of its own."""
    for module in (feeding, feed_lost):  # the log is copied by hand
        monkeypatch.setattr(module, "LOGGED_BY", 0.0)
    with movable_clock():
        yield lambda **settings: House(redis_client, engine, **settings)


@pytest.fixture
def house(make_house: MakeHouse) -> House:
    """A house in which 200 jobs go ahead: what goes out in 0.2 s."""
    return make_house(broadcast_ahead=0.2)
