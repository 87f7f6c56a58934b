"""Queues whose gates are open."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from demo.redis_server import RedisServer
from envoi.client import open_queue


def opened(url: str) -> str:
    """Open the queue, as the scheduler does. Returns its address."""
    queue = open_queue(url)
    queue.open_gate(queue.run_id())
    return url


def hasty(url: str) -> str:
    """The same address, by which a Redis that stands still is given up after half a second, not after five."""
    return f"{url}?socket_timeout=0.5&socket_connect_timeout=0.5"


@pytest.fixture
def url(redis_url: str) -> str:
    """Of a Redis with an open queue."""
    return opened(redis_url)


@pytest.fixture
def own_server() -> Iterator[RedisServer]:
    """A Redis that a test may stop and freeze; its queue is open."""
    with RedisServer(aof=False) as server:
        opened(server.url)
        yield server
