"""A queue and a log for the duties to work on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from demo.redis_server import RedisServer
from envoi.queue.connection import connect
from envoi.queue.queue import Queue
from envoi.settings import Settings
from tests.integration.scheduler.hands import Clock
from tests.integration.scheduler.processes import BEAT, ENVOI, Processes


@pytest.fixture
def clock() -> Clock:
    """A clock that moves when told."""
    return Clock()


@pytest.fixture
def engine(migrated_sqlite_log: Engine) -> Engine:
    """An empty, migrated log."""
    return migrated_sqlite_log


@pytest.fixture
def server() -> Iterator[RedisServer]:
    """A Redis with AOF that may be restarted, and loses nothing by it."""
    with RedisServer(aof=True) as running:
        with connect(running.url) as client:
            client.config_set("appendfsync", "always")
        yield running


@pytest.fixture
def open_queue() -> Iterator[Callable[[str], Queue]]:
    """Opens queues with a lease of five seconds, each with a client of its own."""
    clients = []

    def make(url: str) -> Queue:
        clients.append(connect(url))
        return Queue(clients[-1], Settings(redis_url=url, lease=5.0, page_pace=1000.0))

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def queue(redis_url: str, open_queue: Callable[[str], Queue]) -> Queue:
    """A queue whose gate is open."""
    made = open_queue(redis_url)
    made.open_gate(made.run_id())
    return made


@pytest.fixture
def start(tmp_path: Path, sqlite_url: str, engine: Engine) -> Iterator[Processes]:  # noqa: ARG001  # the log is migrated
    """Starts schedulers on the log of ``engine``; those that still run are ended afterwards."""
    processes = Processes(tmp_path, sqlite_url)
    yield processes
    processes.close()


@pytest.fixture(params=[ENVOI, BEAT], ids=["envoi", "beat"])
def command(request: pytest.FixtureRequest) -> list[str]:
    """Both forms."""
    found: list[str] = request.param
    return found
