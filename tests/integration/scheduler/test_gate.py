"""When the queue opens, and when it stays closed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine
from structlog.testing import capture_logs

from demo.redis_server import RedisServer
from envoi.errors import QueueFull, QueueUnavailable, Recovering
from envoi.job import Job
from envoi.log.apps import AppStore
from envoi.log.database import open_log
from envoi.log.errors import SchemaMissing
from envoi.log.pages import PageStore
from envoi.log.schema import upgrade
from envoi.log.secrets import SecretBox
from envoi.queue.queue import Queue
from envoi.queue.server import UnfitRedis
from scheduler.due import DueTimes
from scheduler.epoch import Gate
from scheduler.log_writer import LogWriter
from tests.integration.scheduler.hands import Clock, Worker, job, settle

OpenQueue = Callable[[str], Queue]


def test_a_new_queue_with_an_empty_log_gets_its_first_epoch(
    redis_url: str, engine: Engine, open_queue: OpenQueue
) -> None:
    queue = open_queue(redis_url)
    with pytest.raises(Recovering):
        queue.enqueue([job()])
    with capture_logs() as lines:
        gate = settle(Gate(queue, engine))
        settle(gate)
    assert gate.open
    assert queue.epoch() == queue.run_id()
    assert [line["epoch"] for line in lines if line["action"] == "ready"] == [queue.run_id()]
    queue.enqueue([job()])
    assert len(Worker(queue, "w1").claim()) == 1


def test_a_wiped_queue_stays_closed_while_the_log_holds_open_jobs(
    redis_url: str, engine: Engine, open_queue: OpenQueue
) -> None:
    queue = open_queue(redis_url)
    gate = settle(Gate(queue, engine))
    queue.enqueue([job()])
    assert LogWriter(queue, engine).turn() == 1
    queue.redis.flushall()
    for closed in (gate, Gate(queue, engine)):
        with pytest.raises(Recovering, match="stays closed"):
            closed.turn()
        assert not closed.open
    assert queue.epoch() is None
    with pytest.raises(Recovering):
        queue.enqueue([job()])


def test_a_queue_stays_closed_while_the_log_cannot_be_asked(
    redis_url: str, tmp_path: Path, open_queue: OpenQueue
) -> None:
    url = f"sqlite:///{tmp_path / 'log.sqlite3'}"
    queue, engine = open_queue(redis_url), open_log(url)
    gate = Gate(queue, engine)
    with pytest.raises(SchemaMissing, match="envoi migrate"):
        gate.turn()
    assert queue.epoch() is None
    upgrade(url)
    assert settle(gate).open
    engine.dispose()


def test_flushed_scripts_are_loaded_again_and_nothing_waits_for_a_worker(
    redis_url: str, engine: Engine, open_queue: OpenQueue
) -> None:
    queue = open_queue(redis_url)
    gate = settle(Gate(queue, engine))
    worker = Worker(queue, "w1")
    queue.enqueue([job()])
    queue.redis.script_flush()
    assert worker.claim() == []
    assert settle(gate).open
    assert len(worker.claim()) == 1


@pytest.mark.parametrize("hard", [False, True], ids=["SIGTERM", "SIGKILL"])
def test_after_a_restart_the_gate_opens_at_once_where_no_worker_is_registered(
    server: RedisServer, engine: Engine, open_queue: OpenQueue, hard: bool
) -> None:
    queue = open_queue(server.url)
    gate = settle(Gate(queue, engine))
    worker = Worker(queue, "w1")
    queue.leave("w1")
    before = queue.run_id()
    job_id = queue.enqueue([job()])[0]
    server.restart(hard=hard)
    assert worker.claim() == []
    assert settle(gate).open
    assert queue.epoch() == queue.run_id() != before
    assert [held.job_id for held in worker.claim()] == [job_id]


def test_after_a_restart_the_gate_opens_as_soon_as_every_worker_is_back(
    server: RedisServer, engine: Engine, open_queue: OpenQueue, clock: Clock
) -> None:
    queue = open_queue(server.url)
    gate = settle(Gate(queue, engine, clock))
    first, second = Worker(queue, "w1"), Worker(queue, "w2")
    begun, waiting = queue.enqueue([job("1"), job("2")])
    first.begin(first.claim()[0])
    server.restart()
    assert not settle(gate).open
    assert first.come_back() == 1
    assert not settle(gate).open
    second.come_back()
    assert settle(gate).open
    assert queue.status(begun)["state"] == "sending"
    assert [held.job_id for held in second.claim(5)] == [waiting]


def test_what_a_lost_worker_may_have_begun_settles_after_a_lease_and_is_never_claimed_again(
    server: RedisServer, engine: Engine, open_queue: OpenQueue, clock: Clock
) -> None:
    queue = open_queue(server.url)
    gate = settle(Gate(queue, engine, clock))
    lost, alive = Worker(queue, "lost"), Worker(queue, "alive")
    begun, held = queue.enqueue([job("1"), job("2")])
    for claimed in lost.claim(2):
        if claimed.job_id == begun:
            lost.begin(claimed)
    server.restart(hard=True)
    assert not settle(gate).open
    alive.come_back()
    clock.now += 4.9
    assert not settle(gate).open
    assert queue.status(held)["state"] == "sending"
    clock.now += 0.2
    with capture_logs() as lines:
        assert settle(gate).open
    assert [line["workers"] for line in lines if "stay away" in line["event"]] == [["lost"]]
    assert {queue.status(job_id)["state"] for job_id in (begun, held)} == {"settling"}
    assert alive.claim(5) == []


def test_nothing_comes_due_while_the_gate_is_closed(
    server: RedisServer, engine: Engine, open_queue: OpenQueue, clock: Clock
) -> None:
    queue = open_queue(server.url)
    gate = settle(Gate(queue, engine, clock))
    due = DueTimes(queue, gate)
    worker = Worker(queue, "w1")
    held = queue.enqueue([job()])[0]
    worker.claim()
    server.restart()
    queue.redis.zadd(f"{queue.keys.base}lease", {worker.held[0].conversation: 1.0})  # its lease has run out
    assert due.turn() is False  # the script is not there
    assert not gate.open
    assert gate.period < 1
    due.turn()
    assert not settle(gate).open
    due.turn()
    assert queue.redis.zcard(f"{queue.keys.base}lease") == 1
    worker.come_back()
    assert settle(gate).open
    assert queue.status(held)["state"] == "sending"


def test_one_scheduler_looks_the_queue_over_and_the_other_finds_it_open(
    server: RedisServer, engine: Engine, open_queue: OpenQueue, clock: Clock
) -> None:
    queue = open_queue(server.url)
    gates = [settle(Gate(queue, engine, clock)), settle(Gate(open_queue(server.url), engine, clock))]
    lost = Worker(queue, "lost")
    queue.enqueue([job()])
    lost.begin(lost.claim()[0])
    server.restart()
    for gate in gates:
        assert not settle(gate).open
    clock.now += 6
    with capture_logs() as lines:
        for gate in reversed(gates):  # the second does not hold the work
            settle(gate)
        assert [gate.open for gate in gates] == [True, False]
        assert settle(gates[1]).open
    assert len([line for line in lines if "stay away" in line["event"]]) == 1


def test_another_scheduler_goes_on_where_one_died_over_its_work(
    server: RedisServer, engine: Engine, open_queue: OpenQueue, clock: Clock
) -> None:
    queue = open_queue(server.url)
    first, second = settle(Gate(queue, engine, clock)), settle(Gate(queue, engine, clock))
    worker = Worker(queue, "w1")
    server.restart()
    for gate in (first, second):
        assert not settle(gate).open
    worker.come_back()
    assert not settle(second).open  # the first is at work
    queue.redis.pexpire(f"{queue.keys.base}looker", 1)
    while queue.redis.exists(f"{queue.keys.base}looker"):
        pass
    assert settle(second).open


def test_a_redis_that_evicts_is_never_opened(server: RedisServer, engine: Engine, open_queue: OpenQueue) -> None:
    queue = open_queue(server.url)
    queue.redis.config_set("maxmemory-policy", "allkeys-lru")
    with pytest.raises(UnfitRedis):
        Gate(queue, engine).turn()
    assert queue.epoch() is None


def test_the_gate_is_not_taken_for_open_while_redis_does_not_answer(
    server: RedisServer, engine: Engine, open_queue: OpenQueue
) -> None:
    queue = open_queue(server.url)
    gate = settle(Gate(queue, engine))
    server.stop()
    with pytest.raises(QueueUnavailable):
        gate.turn()
    assert not gate.open
    server.start()
    assert settle(gate).open


def test_a_new_queue_knows_pace_cap_app_and_pause_of_every_page_before_its_first_claim(
    redis_url: str, engine: Engine, open_queue: OpenQueue, secret_key: str
) -> None:
    store = PageStore(engine, SecretBox([SecretStr(secret_key)]))
    for number in range(250):
        store.add(str(number), SecretStr("token"), pace=2.0 + number, cap=3)
    AppStore(engine, SecretBox([SecretStr(secret_key)])).add("77", SecretStr("sesame"))
    store.add("5", SecretStr("token"), app="77")
    paused = store.set_paused("7", "sale is over")
    queue = open_queue(redis_url)
    assert settle(Gate(queue, engine)).open

    assert queue.redis.hgetall(queue.keys.page("249")) == {"tv": "1", "pace": "251", "cap": "3"}
    assert queue.redis.hgetall(queue.keys.page("5")) == {"tv": "2", "ap": "77"}
    (seven,) = queue.pages(["7"])
    assert (seven.reason, seven.paused_since, seven.token_version) == ("sale is over", paused.paused_since, 1)
    queue.enqueue([Job(page="7", recipient="1", message="hello")])
    assert Worker(queue, "w1").claim() == []


def test_a_restarted_queue_is_not_told_of_pages_again(
    redis_url: str, engine: Engine, open_queue: OpenQueue, secret_key: str
) -> None:
    PageStore(engine, SecretBox([SecretStr(secret_key)])).add("1", SecretStr("token"), pace=5.0)
    queue = open_queue(redis_url)
    settle(Gate(queue, engine))
    queue.configure("1", pace=9.0)
    queue.redis.set(queue.keys.epoch, "an older run")
    queue.redis.script_flush()
    assert settle(Gate(queue, engine)).open
    assert queue.redis.hget(queue.keys.page("1"), "pace") == "9"


def test_a_scheduler_that_finds_an_evicting_redis_shuts_the_door_before_it_ends(
    server: RedisServer, engine: Engine, open_queue: OpenQueue
) -> None:
    queue = open_queue(server.url)
    settle(Gate(queue, engine))
    queue.redis.config_set("maxmemory-policy", "volatile-lru")
    with pytest.raises(UnfitRedis, match="volatile-lru"):
        Gate(queue, engine).turn()
    with pytest.raises(QueueFull, match="noeviction"):
        queue.enqueue([job()])
