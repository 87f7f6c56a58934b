"""A Redis that would drop jobs is refused; one that could lose them is warned of."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis

from demo.ports import free_port
from demo.redis_server import RedisServer
from envoi.errors import QueueUnavailable
from envoi.queue.connection import connect
from envoi.queue.server import UnfitRedis, check_server


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    """A Redis whose settings the tests change."""
    with RedisServer(aof=True) as running:
        yield running


@pytest.fixture
def client(server: RedisServer) -> Iterator[redis.Redis]:
    """A client; the server's policy is put right afterwards."""
    with connect(server.url) as connected:
        yield connected
        connected.config_set("maxmemory-policy", "noeviction")


def test_a_redis_that_keeps_everything_is_fit(client: redis.Redis) -> None:
    assert check_server(client) == []


@pytest.mark.parametrize("policy", ["allkeys-lru", "volatile-ttl"])
def test_a_redis_that_evicts_is_refused_with_the_setting_to_change(client: redis.Redis, policy: str) -> None:
    client.config_set("maxmemory-policy", policy)
    with pytest.raises(UnfitRedis, match=f"maxmemory-policy {policy} .* noeviction"):
        check_server(client)


def test_a_redis_without_aof_is_warned_of() -> None:
    with RedisServer(aof=False) as forgetful, connect(forgetful.url) as client:
        warnings = check_server(client)
    assert len(warnings) == 1
    assert "appendonly yes" in warnings[0]


def test_a_redis_that_does_not_sync_its_aof_is_warned_of(client: redis.Redis) -> None:
    client.config_set("appendfsync", "no")
    try:
        (warning,) = check_server(client)
    finally:
        client.config_set("appendfsync", "everysec")
    assert "appendfsync no" in warning


@pytest.mark.parametrize(("version", "fit"), [("6.2.14", False), ("7.0.0", True), ("255.255.255", True), (None, True)])
def test_a_redis_that_cannot_run_our_scripts_is_refused(
    client: redis.Redis, monkeypatch: pytest.MonkeyPatch, version: str | None, fit: bool
) -> None:
    asked = client.info
    monkeypatch.setattr(client, "info", lambda section: {**asked(section), "redis_version": version})
    if fit:
        assert check_server(client) == []
    else:
        with pytest.raises(UnfitRedis, match=r"6\.2\.14 is too old: use Redis 7\.0"):
            check_server(client)


def test_a_server_that_forbids_config_is_judged_all_the_same(server: RedisServer, client: redis.Redis) -> None:
    client.acl_setuser("plain", enabled=True, nopass=True, keys=["*"], commands=["+@all", "-config"])
    client.config_set("maxmemory-policy", "allkeys-lru")
    with connect(server.url.replace("redis://", "redis://plain:any@")) as plain:
        with pytest.raises(redis.exceptions.NoPermissionError):
            plain.config_get("maxmemory-policy")
        with pytest.raises(UnfitRedis):
            check_server(plain)


def test_a_server_that_tells_nothing_is_warned_of(client: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "info", lambda _section: {})

    def forbidden(_name: str) -> None:
        raise redis.exceptions.NoPermissionError("no permissions to run the 'config|get' command")

    monkeypatch.setattr(client, "config_get", forbidden)
    warnings = check_server(client)
    assert ["maxmemory-policy" in warnings[0], "AOF" in warnings[1]] == [True, True]


def test_a_redis_that_is_down_is_unavailable() -> None:
    with connect(f"redis://127.0.0.1:{free_port()}/0") as nobody, pytest.raises(QueueUnavailable):
        check_server(nobody)
