"""Health and readiness of a real engine: by its progress, asked over HTTP."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
import redis

from envoi.metrics.exposition import registry_of
from envoi.metrics.server import MetricsServer
from envoi.queue.queue import Queue
from tests.integration.worker.scripted import RULES, TIME, ScriptedGraph, jobs, wait_for_states
from tests.unit.metrics.scrape import ask, scrape, total
from tests.waiting import wait_until, wait_until_equal
from worker import metrics
from worker.counts import Counts
from worker.delivery import Delivery
from worker.engine import Engine
from worker.leases import LeaseKeeper
from worker.metrics import WorkerMetrics


class Blocking:
    """A watcher that holds up the engine's thread until it is let go."""

    def __init__(self) -> None:
        self.on = False
        self.entered, self.let_go = threading.Event(), threading.Event()

    def started(self, delivery: Delivery) -> None:
        del delivery
        if self.on:
            self.entered.set()
            assert self.let_go.wait(TIME)

    def ended(self, delivery: Delivery, came_to: str, seconds: float) -> None:
        pass


class Rig:
    """An engine with its leases and its port."""

    def __init__(self, queue: Queue) -> None:
        self.queue = queue
        self.counts, self.blocking = Counts(10), Blocking()
        self.engine = Engine(queue, ScriptedGraph(), "w1", [self.counts, self.blocking])
        self.leases = LeaseKeeper(queue, self.engine, lambda: None)
        self.shown = WorkerMetrics(RULES, self.counts, self.engine, self.leases)
        registry = registry_of(self.counts.collect, self.shown.collect)
        self.server = MetricsServer("127.0.0.1", 0, registry, self.shown)
        self.server.start()

    def start(self) -> None:
        self.engine.start()
        self.leases.start()
        self.shown.started()

    def stop(self) -> None:
        self.blocking.let_go.set()
        self.engine.stop(TIME)
        self.leases.stop(TIME)
        self.server.stop()

    def status(self, page: str) -> int:
        return ask(self.server.port, page)[0]

    def until_ready(self) -> None:
        """Until it has found the gate open; bells ring meanwhile, or it would ask by itself after seconds only."""
        wait_until_equal(lambda: self.status("/readyz"), 200, meanwhile=self.engine.wake)

    def until_says(self, words: str) -> None:
        """Until it says why it is not ready; bells ring meanwhile."""
        wait_until(lambda: words in ask(self.server.port, "/readyz")[2], words, meanwhile=self.engine.wake)


@pytest.fixture
def queue(redis_client: redis.Redis) -> Queue:
    return Queue(redis_client, RULES)


@pytest.fixture
def rig(queue: Queue) -> Iterator[Rig]:
    made = Rig(queue)
    yield made
    made.stop()


def test_a_worker_is_ready_once_it_has_found_the_gate_open(rig: Rig, queue: Queue) -> None:
    assert (rig.status("/healthz"), rig.status("/readyz")) == (200, 503)
    rig.start()
    rig.until_says("gate is shut")
    assert rig.status("/healthz") == 200
    queue.open_gate(queue.run_id())
    rig.until_ready()


def test_a_worker_is_ready_no_more_when_the_gate_has_shut(rig: Rig, queue: Queue, redis_client: redis.Redis) -> None:
    queue.open_gate(queue.run_id())
    rig.start()
    rig.until_ready()
    redis_client.script_flush()
    rig.engine.wake()
    wait_until_equal(lambda: rig.status("/readyz"), 503)
    assert rig.status("/healthz") == 200


def test_a_worker_whose_engine_is_blocked_is_not_healthy_until_it_moves_again(
    rig: Rig, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue.open_gate(queue.run_id())
    rig.start()
    rig.until_ready()
    # An idle engine turns once a second; on a busy machine it may be late by some.
    monkeypatch.setattr(metrics, "STUCK", 5.0)
    assert rig.status("/healthz") == 200
    rig.blocking.on = True
    ids = queue.enqueue(jobs(1, 1))
    rig.engine.wake()
    assert rig.blocking.entered.wait(TIME)
    wait_until_equal(lambda: rig.status("/healthz"), 503)
    assert "the engine has stood still for" in ask(rig.server.port, "/healthz")[2]
    assert rig.status("/readyz") == 503
    assert scrape(rig.server.port)["envoi_healthy"] == {(): 0}
    rig.blocking.let_go.set()
    wait_until_equal(lambda: rig.status("/healthz"), 200)
    wait_for_states(queue, ids, sent=1)


def test_what_an_engine_did_is_counted_to_the_call(rig: Rig, queue: Queue) -> None:
    queue.open_gate(queue.run_id())
    rig.start()
    ids = queue.enqueue(jobs(60, 20))
    rig.engine.wake()
    wait_for_states(queue, ids, sent=60)
    assert rig.engine.wait_idle(TIME)
    found = scrape(rig.server.port)
    for step in ("typing_on", "message", "typing_off"):
        assert total(found, "envoi_calls_total", page="1", step=step, verdict="Accepted", code="") == 60
    assert total(found, "envoi_attempts_total", came_to="sent", lane="replies") == 60
    assert total(found, "envoi_accepted_seconds_count") == 60
    assert found["envoi_attempts_in_flight"] == found["envoi_calls_in_flight"] == {(): 0}
