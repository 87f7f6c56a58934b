"""What a worker looks at before it takes anything."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from demo.child import Child
from demo.redis_server import RedisServer
from demo.stack import ROOT
from envoi.queue.connection import connect

Start = Callable[..., Child]


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    """A Redis whose settings the tests change."""
    with RedisServer(aof=True) as running:
        yield running


@pytest.fixture
def start(tmp_path: Path, migrated_sqlite_url: str, secret_key: str, server: RedisServer) -> Iterator[Start]:
    """Starts a worker on a Redis with such settings."""
    started: list[Child] = []
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("ENVOI_")},
        "ENVOI_REDIS_URL": server.url,
        "ENVOI_DATABASE_URL": migrated_sqlite_url,
        "ENVOI_SECRET_KEYS": secret_key,
        "ENVOI_GRAPH_VERSION": "v20.0",
    }

    def run(**configured: str) -> Child:
        with connect(server.url) as client:
            for name, value in configured.items():
                client.config_set(name.replace("_", "-"), value)
        command = [sys.executable, "-m", "envoi", "worker"]
        child = Child("worker", command, log=tmp_path / "worker.log", env=environment, cwd=ROOT)
        child.start()
        started.append(child)
        return child

    yield run
    for child in started:
        if child.running:
            child.kill()
    with connect(server.url) as client:
        for name, value in (("maxmemory-policy", "noeviction"), ("appendfsync", "everysec")):
            client.config_set(name, value)


def test_it_refuses_a_redis_that_would_drop_jobs_and_says_what_to_set(start: Start) -> None:
    child = start(maxmemory_policy="allkeys-lru")
    assert child.process.wait(60) == 1
    assert "maxmemory-policy allkeys-lru and would drop jobs silently: set it to noeviction" in child.last_lines()


def test_it_starts_and_warns_of_what_a_crash_would_lose_and_of_an_ended_graph_version(start: Start) -> None:
    child = start(appendfsync="no")
    child.wait_ready(lambda: '"ready"' in child.last_lines(1000), 60)
    told = child.last_lines(1000)
    assert "appendfsync no" in told
    assert "Graph API v20.0 has ended" in told
