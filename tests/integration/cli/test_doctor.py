"""``envoi doctor`` on real servers, set up wrongly on purpose."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import Engine

from demo.ports import free_port
from demo.redis_server import RedisServer
from envoi import settings as envoi_settings
from envoi.client import open_queue
from envoi.job import Job
from envoi.log.schema import downgrade
from envoi.queue.queue import Queue
from envoi.queue.schedulers import Sign
from tests.integration.cli.conftest import Run
from tests.integration.sandbox.client import PAGE, TOKEN, Client

OWN_APP, SECRET = "1517776481860111", "sesame-of-the-app"
WRITES = {"set", "hset", "del", "unlink", "zadd", "xadd", "lpush", "eval", "evalsha", "config|set", "script|load"}


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    """A Redis whose settings the tests change."""
    with RedisServer(aof=True) as running:
        yield running


@pytest.fixture
def queue(server: RedisServer, migrated: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Queue]:
    """A queue that is well: open, with a scheduler's and a worker's signs of life; its log is migrated."""
    del migrated
    monkeypatch.setenv("ENVOI_REDIS_URL", server.url)
    monkeypatch.setenv("ENVOI_APP_ID", OWN_APP)
    monkeypatch.setenv("ENVOI_APP_SECRET", SECRET)
    made = open_queue(server.url)
    made.redis.flushall()
    made.redis.config_set("maxmemory", 2**30)
    made.open_gate(made.run_id())
    made.leave_template("ENVOIBELLID")
    later = made.time() + 3600  # signs of life that no slow machine outlasts
    made.redis.zadd(made.keys.workers, {"w1": later})
    duties = dict.fromkeys(("gate", "due", "room"), 0.5)
    made.redis.hset(made.keys.schedulers, "s1", f"{later:.6f} {json.dumps(asdict(Sign('1.0', duties)))}")
    yield made
    for name, value in (("maxmemory-policy", "noeviction"), ("appendonly", "yes"), ("appendfsync", "everysec")):
        made.redis.config_set(name, value)
    made.redis.close()


@pytest.fixture
def page(run: Run, queue: Queue) -> str:
    """A page, whose token nobody asked about."""
    del queue
    run("pages", "add", PAGE, "--no-check", stdin=TOKEN.encode())
    return PAGE


def examined(run: Run, *arguments: str, status: int = 0) -> dict[str, dict[str, str]]:
    """All findings, by name."""
    found: list[dict[str, str]] = run("doctor", "--json", *arguments, status=status).json
    assert all(one.keys() == {"name", "state", "text", "advice"} for one in found)
    return {one["name"]: one for one in found}


def troubles(found: dict[str, dict[str, str]]) -> dict[str, str]:
    """What is not well, but for the SQLite, which is not for production, and for how fast this machine is."""
    excused = {"redis-latency", *(["sql"] if "sqlite " in found["sql"]["text"] else [])}
    return {name: one["state"] for name, one in found.items() if one["state"] != "ok" and name not in excused}


@pytest.mark.usefixtures("page")
def test_where_all_is_well_nothing_is_advised(run: Run) -> None:
    found = examined(run)
    assert troubles(found) == {}
    assert all((one["advice"] == "") == (one["state"] == "ok") for one in found.values())


@pytest.mark.usefixtures("page")
def test_it_changes_nothing(run: Run, queue: Queue) -> None:
    queue.enqueue([Job(page=PAGE, recipient="7", message="hello")])
    keys = sorted(queue.redis.keys())
    queue.redis.config_resetstat()
    examined(run, "--ask-meta")
    ran = {name.removeprefix("cmdstat_") for name in queue.redis.info("commandstats")}
    assert "script|exists" in ran
    assert ran & WRITES == set()
    assert sorted(queue.redis.keys()) == keys


@pytest.mark.parametrize(
    ("change", "check", "state"),
    [
        (("maxmemory-policy", "allkeys-lru"), "redis-eviction", "bad"),
        (("appendonly", "no"), "redis-persistence", "bad"),
        (("appendfsync", "no"), "redis-persistence", "warn"),
        (("maxmemory", "0"), "redis-memory", "warn"),
        (("maxmemory", "1000000"), "redis-memory", "bad"),
    ],
)
@pytest.mark.usefixtures("page")
def test_a_redis_that_is_set_wrongly_is_found(
    run: Run, queue: Queue, change: tuple[str, str], check: str, state: str
) -> None:
    queue.redis.config_set(*change)
    found = examined(run, status=int(state == "bad"))
    assert troubles(found) == {check: state}
    assert found[check]["advice"].endswith(f"docs/operations.md#{check}")


@pytest.mark.usefixtures("page")
def test_people_get_a_table_and_what_to_do_for_each_trouble(run: Run, queue: Queue) -> None:
    queue.redis.config_set("maxmemory-policy", "allkeys-lru")
    ran = run("doctor", status=1)
    assert "redis-eviction" in ran.out
    assert "\nbad redis-eviction: set maxmemory-policy to noeviction" in ran.out
    assert "maxmemory-policy is allkeys-lru: a full Redis would drop jobs silently" in ran.out
    assert ran.err == ""


def test_an_old_schema_is_found_and_the_pages_are_seen_all_the_same(
    run: Run, queue: Queue, page: str, migrated: Engine
) -> None:
    del page
    downgrade(migrated, "0007")
    found = examined(run, status=1)
    assert troubles(found) == {"schema": "bad"}
    assert "revision 0007, and this version needs" in found["schema"]["text"]
    downgrade(migrated, "base")
    found = examined(run, status=1)
    assert found["schema"]["text"] == "the log has no tables"
    assert (found["pages"]["state"], found["redis"]["state"]) == ("unknown", "ok")
    queue.redis.ping()


def test_a_database_of_a_newer_version_is_not_taken_for_an_old_one(run: Run, page: str, migrated: Engine) -> None:
    del page
    with migrated.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    assert "of a newer one" in examined(run, status=1)["schema"]["text"]


@pytest.mark.usefixtures("page")
def test_a_token_that_no_key_fits_is_found_and_no_secret_is_shown(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = os.environ["ENVOI_SECRET_KEYS"], Fernet.generate_key().decode()
    monkeypatch.setenv("ENVOI_SECRET_KEYS", f"{new},{old}")
    assert troubles(examined(run)) == {"page-tokens": "warn"}
    monkeypatch.setenv("ENVOI_SECRET_KEYS", new)
    shown = run("doctor", "--json", status=1).out + run("doctor", status=1).out
    assert "no key of ENVOI_SECRET_KEYS fits the token, or the app's secret, of 1001" in shown
    assert [secret for secret in (old, new, TOKEN, SECRET) if secret in shown] == []
    monkeypatch.setenv("ENVOI_SECRET_KEYS", "not a key")
    assert troubles(examined(run, status=1)) == {"secret-keys": "bad", "page-tokens": "unknown"}


def test_meta_is_asked_about_tokens_only_where_that_is_wanted(
    run: Run, page: str, sandbox: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENVOI_GRAPH_URL", f"http://127.0.0.1:{sandbox.port}")
    sandbox.control("POST", "reset")
    assert examined(run, "--ask-meta")["page-meta"]["text"] == "1 tokens live, are the pages' own and may send"
    asked = len(sandbox.entries())
    sandbox.control("POST", f"pages/{page}/kill-tokens", {"subcode": 463})
    assert "page-meta" not in examined(run)
    assert len(sandbox.entries()) == asked
    found = examined(run, "--ask-meta", status=1)
    assert troubles(found) == {"page-meta": "bad"}
    assert found["page-meta"]["text"].startswith(f"{page}: Graph refuses the token (190/463")


@pytest.mark.usefixtures("page")
def test_a_meta_that_does_not_answer_is_a_warning(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENVOI_GRAPH_URL", f"http://127.0.0.1:{free_port()}")
    assert troubles(examined(run, "--ask-meta")) == {"page-meta": "warn"}


def test_a_page_that_a_dead_token_paused_is_bad_and_one_that_an_operator_paused_is_not(
    run: Run, page: str, queue: Queue
) -> None:
    run("pages", "pause", page, "--reason", "sale is over")
    found = examined(run)
    assert troubles(found) == {"page-pauses": "warn"}
    assert f"{page} (sale is over" in found["page-pauses"]["text"]
    run("pages", "resume", page)
    queue.pause(page, "190: expired", 1)
    assert troubles(examined(run, status=1)) == {"page-pauses": "bad"}


def test_a_page_that_the_queue_knows_otherwise_is_found(run: Run, page: str, queue: Queue) -> None:
    queue.redis.delete(queue.keys.page(page))
    found = examined(run, status=1)
    assert troubles(found) == {"page-queue": "bad"}
    assert "add it again" in found["page-queue"]["advice"]


@pytest.mark.usefixtures("page")
def test_of_a_wiped_redis_recovery_is_advised_and_no_page_is_added_again(run: Run, queue: Queue) -> None:
    queue.redis.flushdb()
    found = examined(run, status=1)
    assert "`envoi recover`" in found["page-queue"]["advice"]
    assert "add it again" not in found["page-queue"]["advice"]


@pytest.mark.usefixtures("page")
def test_webhooks_without_a_secret_are_found(run: Run, queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENVOI_APP_SECRET", "")
    assert troubles(examined(run)) == {"app-secret": "warn"}
    queue.redis.set(queue.keys.fed(PAGE), 600, ex=60)
    assert troubles(examined(run, status=1)) == {"app-secret": "bad"}


@pytest.mark.usefixtures("page")
def test_a_redis_that_is_down_hides_what_is_in_it_and_nothing_else(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENVOI_REDIS_URL", f"redis://me:sesame@127.0.0.1:{free_port()}/0")
    ran = run("doctor", "--json", status=1)
    assert "sesame" not in ran.out
    states = {one["name"]: one["state"] for one in ran.json}
    assert [name for name, state in states.items() if state == "bad"] == ["redis"]
    assert (states["gate"], states["page-queue"], states["schema"], states["page-tokens"]) == (
        *("unknown", "unknown"),
        *("ok", "ok"),
    )
    table = run("doctor", status=1).out
    assert "\nbad redis: see that it runs" in table
    assert "unknown gate:" not in table, "one advice is enough"


@pytest.mark.usefixtures("page")
def test_a_database_that_is_down_hides_what_is_in_it_and_nothing_else(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ENVOI_DATABASE_URL", f"postgresql://me:sesame@127.0.0.1:{free_port()}/envoi")
    ran = run("doctor", "--json", status=1)
    assert "sesame" not in ran.out
    states = {one["name"]: one["state"] for one in ran.json}
    assert [name for name, state in states.items() if state == "bad"] == ["sql"]
    assert (states["schema"], states["page-tokens"], states["gate"]) == ("unknown", "unknown", "ok")

    file = tmp_path / "none.sqlite3"
    monkeypatch.setenv("ENVOI_DATABASE_URL", f"sqlite:///{file}")
    assert "is not there" in examined(run, status=1)["sql"]["text"]
    assert not file.exists()
    monkeypatch.setenv("ENVOI_DATABASE_URL", "mysql://me:sesame@host/envoi")
    found = examined(run, status=1)
    assert (found["sql"]["state"], found["redis"]["state"]) == ("bad", "ok")
    assert "sesame" not in str(found)


@pytest.mark.usefixtures("page")
def test_a_redis_that_stands_still_keeps_nobody_waiting_for_ever(
    run: Run, server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENVOI_REDIS_URL", f"{server.url}?socket_timeout=0.5")  # in place of five seconds
    os.kill(server.child.process.pid, signal.SIGSTOP)
    try:
        found = examined(run, status=1)
    finally:
        os.kill(server.child.process.pid, signal.SIGCONT)
    assert (found["redis"]["state"], found["schema"]["state"], found["packages"]["state"]) == ("bad", "ok", "ok")


@pytest.mark.usefixtures("page")
def test_a_user_of_redis_who_may_not_do_everything_sees_what_he_may(
    run: Run, queue: Queue, server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue.redis.acl_setuser("plain", enabled=True, nopass=True, keys=["*"], commands=["+@all", "-config"])
    monkeypatch.setenv("ENVOI_REDIS_URL", server.url.replace("redis://", "redis://plain:any@"))
    assert troubles(examined(run)) == {"redis-persistence": "unknown"}
    queue.redis.acl_setuser("plain", enabled=True, nopass=True, commands=["-script"])
    found = examined(run)
    assert found["gate"]["state"] == "unknown"
    assert found["gate"]["text"].startswith("Redis refused a command: ")


@pytest.mark.usefixtures("page")
def test_what_nobody_does_is_found_in_the_queue(run: Run, queue: Queue) -> None:
    early = "01JDBQ8Z5V0000000000000000"  # two years old, by its id
    job = Job(page=PAGE, recipient="7", message="hello", on_outcome="stream:shop")
    queue.enqueue([job], [early])
    found = examined(run, status=1)
    assert found["waiting"]["state"] == "bad"
    assert f"one of page {PAGE} for" in found["waiting"]["text"]

    queue.redis.delete(queue.keys.schedulers, queue.keys.workers)
    queue.redis.zadd(f"{queue.keys.base}due", {f"{PAGE}/id/9": queue.time() - 60})
    queue.redis.xadd(queue.keys.outcomes("shop"), {"j": early}, id=f"{round((queue.time() - 90) * 1e3)}-0")
    found = examined(run, status=1)
    assert {name: one["state"] for name, one in found.items() if one["state"] == "bad"} == {
        "schedulers": "bad",
        "workers": "bad",
        "overdue": "bad",
        "waiting": "bad",
    }
    assert (found["outcomes"]["state"], found["outcomes"]["text"][:38]) == (
        "warn",
        "1 outcomes wait in the stream shop, th",
    )


def test_a_job_that_had_a_time_waits_from_that_time_on(run: Run, page: str, queue: Queue) -> None:
    early = "01JDBQ8Z5V0000000000000000"
    at = datetime.now(UTC)
    queue.enqueue([Job(page=page, recipient="7", message="hello", at=at)], [early])
    assert examined(run)["waiting"]["state"] == "ok"


@pytest.mark.usefixtures("page")
def test_a_restarted_redis_is_told_with_the_workers_that_are_waited_for(run: Run, queue: Queue) -> None:
    queue.redis.set(queue.keys.epoch, "the run before")
    queue.redis.script_flush()
    found = examined(run, status=1)
    assert "waiting for w1" in found["gate"]["text"]
    queue.redis.delete(queue.keys.epoch)
    assert "no epoch" in examined(run, status=1)["gate"]["text"]
    queue.redis.set(queue.keys.epoch, queue.run_id())
    assert "not loaded" in examined(run, status=1)["gate"]["text"]


def test_malformed_settings_are_a_finding_and_no_error(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENVOI_LEASE", "soon")
    found: Any = json.loads(run("doctor", "--json", status=1).out)
    assert [(one["name"], one["state"]) for one in found] == [("settings", "bad")]
    assert "ENVOI_LEASE: must be a number" in found[0]["text"]


def test_celery_that_is_turned_elsewhere_is_found(run: Run, page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    del page
    monkeypatch.setenv("CELERY_BROKER_URL", "redis://elsewhere/0")
    assert troubles(examined(run, status=1)) == {"broker": "bad"}


@pytest.mark.usefixtures("page")
@pytest.mark.parametrize(("command", "state"), [(None, "warn"), ("true", "ok"), ("false", "bad")])
def test_alerts_are_tried_only_where_that_is_asked_for(
    run: Run, monkeypatch: pytest.MonkeyPatch, command: str | None, state: str
) -> None:
    if command:
        monkeypatch.setenv("ENVOI_ALERT_COMMAND", command)
    envoi_settings.settings.cache_clear()
    assert "alerts" not in examined(run)
    assert examined(run, "--try-alerts", status=int(state == "bad"))["alerts"]["state"] == state
