"""Two cells on two real Redis servers, and hands to take jobs out of each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
import redis

from demo.redis_server import RedisServer
from tests.integration.cells.pair import Pair
from tests.integration.queue.hands import Bench, movable_clock


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[RedisServer, RedisServer]]:
    with RedisServer(aof=False) as a, RedisServer(aof=False) as b:
        yield a, b


@pytest.fixture
def pair(servers: tuple[RedisServer, RedisServer]) -> Iterator[Pair]:
    """Both empty and open."""
    with ExitStack() as stack:
        stack.enter_context(movable_clock())
        a, b = (_opened(stack, server.url) for server in servers)
        yield Pair(a, b, servers[0].url, servers[1].url)


def _opened(stack: ExitStack, url: str) -> Bench:
    client = stack.enter_context(redis.Redis.from_url(url, decode_responses=True))
    client.flushall()
    client.script_flush()
    bench = Bench(client)
    bench.open()
    return bench
