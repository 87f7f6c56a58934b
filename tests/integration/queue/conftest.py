"""A queue on a real Redis whose clock moves when told."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis

from tests.integration.queue.hands import Bench, movable_clock


@pytest.fixture
def shut(redis_client: redis.Redis) -> Iterator[Bench]:
    """A queue that nobody has opened yet."""
    with movable_clock():
        yield Bench(redis_client)


@pytest.fixture
def queue(shut: Bench) -> Bench:
    """An open queue."""
    shut.open()
    return shut
