"""``envoi pages carry``: what goes with a page that moves here from another cell."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis

from demo.redis_server import RedisServer
from envoi import Envoi
from envoi.client import open_queue
from envoi.queue.queue import Queue
from tests.integration.cli.conftest import Run

PAGE = "100000000000001"
OTHER = "100000000000002"
PERSON = "7000000000000001"


@pytest.fixture(scope="module")
def old_server() -> Iterator[RedisServer]:
    with RedisServer(aof=False) as server:
        yield server


@pytest.fixture
def old(old_server: RedisServer) -> str:
    """A job with a key in the cell that the page leaves, where another page has the same key."""
    with redis.Redis.from_url(old_server.url) as empty:
        empty.flushall()
    queue = open_queue(old_server.url)
    queue.open_gate(queue.run_id())
    client = Envoi(old_server.url)
    client.send(OTHER, PERSON, "hello", key="order-1")
    return client.send(PAGE, PERSON, "hello", key="order-1")


@pytest.fixture
def here(queue_open: redis.Redis, redis_url: str) -> Queue:
    """The cell that it comes to."""
    assert queue_open.ping()
    return open_queue(redis_url)


@pytest.mark.usefixtures("old")
def test_a_page_that_is_not_known_or_not_paused_here_is_not_carried(
    run: Run, here: Queue, old_server: RedisServer
) -> None:
    assert "add it there first" in run("pages", "carry", PAGE, "--from", old_server.url, status=1).err
    here.configure(PAGE, token_version=1)
    assert "is not paused" in run("pages", "carry", PAGE, "--from", old_server.url, status=1).err


def test_its_keys_come_here_and_what_is_left_there_is_told(
    run: Run, here: Queue, old: str, old_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    here.configure(PAGE, token_version=1)
    here.pause(PAGE, "moves here")
    found = run("pages", "carry", PAGE, "--from", old_server.url, "--json").json
    assert found == {"id": PAGE, "copied": 1, "left": {"conversations": 1, "scheduled": 0}}
    assert Envoi(client=here.redis).send(PAGE, PERSON, "hello", key="order-1") == old
    monkeypatch.setenv("ENVOI_OLD_REDIS_URL", old_server.url)
    told = run("pages", "carry", PAGE, "--again").out
    assert "0 things copied" in told
    assert "1 conversations in line" in told
