"""A Redis that comes back without its last moments: what this worker did in them is told before anyone claims."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from demo.redis_server import RedisServer
from envoi import Job
from envoi.errors import QueueUnavailable
from envoi.queue.connection import connect
from envoi.queue.queue import Queue
from tests.integration.worker.scripted import RULES, TIME, Ends, HeldMessages, ScriptedGraph, states, wait_for_states
from tests.waiting import wait_until
from worker import restarts
from worker.engine import Engine
from worker.leases import LeaseKeeper

KEPT = 0.2  # seconds of the past in recall, beyond the loss bound: so that a test outlasts it


class Rewinding:
    """A Redis whose last moments can be taken from it, as a crash takes them."""

    def __init__(self, server: RedisServer, folder: Path) -> None:
        self.server = server
        self._data = server.folder / "appendonlydir"
        self._kept = folder / "kept"

    def remember(self) -> None:
        """From here on everything will be lost. Redis writes its file before it answers."""
        shutil.copytree(self._data, self._kept)

    def crash(self, seconds: float) -> None:
        """Kill it, lose what came after :meth:`remember`, and be away for so long."""
        self.server.kill()
        shutil.rmtree(self._data)
        shutil.copytree(self._kept, self._data)
        time.sleep(seconds)
        self.server.start()


class Worker:
    """An engine and its lease keeper, which the test turns by hand."""

    def __init__(self, url: str) -> None:
        self.queue = Queue(connect(url), RULES)
        self.graph = ScriptedGraph()
        self.engine = Engine(self.queue, self.graph, "w1", [Ends()])
        self.keeper = LeaseKeeper(self.queue, self.engine, lambda: None)

    def start(self) -> None:
        self.queue.open_gate(self.queue.run_id())
        self.engine.start()
        self.keeper.turn()

    def open_again(self) -> None:
        """As the scheduler does: once the worker is back."""
        run = self.queue.run_id()
        wait_until(lambda: "w1" in self.queue.back(run), "the worker has told the new run")
        self.queue.open_gate(run)

    def finish(self, ids: list[str]) -> None:
        def finished() -> bool:
            self.queue.tick()
            self.engine.wake()
            return states(self.queue, ids) == {"sent": len(ids)}

        wait_until(finished, "every job is sent")


@pytest.fixture
def redis_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rewinding]:
    monkeypatch.setattr(restarts, "_MARGIN", KEPT)
    with RedisServer(aof=True) as server:
        yield Rewinding(server, tmp_path)


@pytest.fixture
def worker(redis_server: Rewinding) -> Iterator[Worker]:
    made = Worker(redis_server.server.url)
    made.start()
    yield made
    made.engine.stop(TIME)
    made.queue.redis.close()


def test_an_end_that_redis_lost_is_told_again_though_redis_was_away_for_longer_than_recall_reaches_back(
    redis_server: Rewinding, worker: Worker
) -> None:
    ids = worker.queue.enqueue([Job(page="1", recipient="100", message="hello")])
    redis_server.remember()
    worker.engine.wake()
    wait_for_states(worker.queue, ids, sent=1)
    redis_server.crash(seconds=3 * KEPT + RULES.loss_bound)
    worker.engine.restarts.attention.clear()
    worker.engine.wake()
    assert worker.engine.restarts.attention.wait(TIME)  # it has asked the new run before anybody noticed it
    worker.keeper.turn()
    worker.open_again()
    worker.finish(ids)
    assert worker.graph.messages == {ids[0]: 1}


def test_what_was_told_again_is_kept_for_the_next_crash(redis_server: Rewinding, worker: Worker) -> None:
    ids = worker.queue.enqueue([Job(page="1", recipient="100", message="hello")])
    redis_server.remember()
    worker.engine.wake()
    wait_for_states(worker.queue, ids, sent=1)
    for _ in range(2):
        redis_server.crash(seconds=2 * KEPT + RULES.loss_bound)
        worker.keeper.turn()
        wait_until(lambda: "w1" in worker.queue.back(worker.queue.run_id()), "the worker has told the new run")
        worker.keeper.turn()  # the same run: what it can no longer lose may be forgotten, and no more
    worker.open_again()
    worker.finish(ids)
    assert worker.graph.messages == {ids[0]: 1}


def test_nothing_is_forgotten_while_the_new_run_has_not_been_told_yet(
    redis_server: Rewinding, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = worker.queue.enqueue([Job(page="1", recipient="100", message="hello")])
    redis_server.remember()
    worker.engine.wake()
    wait_for_states(worker.queue, ids, sent=1)
    redis_server.crash(seconds=3 * KEPT + RULES.loss_bound)
    good, tried = worker.engine.restarts.recall.tell_again, threading.Semaphore(0)

    def away(*_: Any) -> None:
        tried.release()
        raise QueueUnavailable("away")

    monkeypatch.setattr(worker.engine.restarts.recall, "tell_again", away)
    worker.keeper.turn()
    assert tried.acquire(timeout=TIME)
    worker.keeper.turn()  # the same run still, but a run that knows nothing
    for _ in range(2):
        assert tried.acquire(timeout=TIME)
    monkeypatch.setattr(worker.engine.restarts.recall, "tell_again", good)
    worker.open_again()
    worker.finish(ids)
    assert worker.graph.messages == {ids[0]: 1}


def test_a_call_in_flight_whose_claim_redis_lost_is_held_again_and_its_answer_settles_it(
    redis_server: Rewinding, worker: Worker
) -> None:
    worker.graph.answer = held = HeldMessages()
    ids = worker.queue.enqueue([Job(page="1", recipient="100", message=text) for text in ("first", "second")])
    redis_server.remember()
    worker.engine.wake()
    held.wait_begun()
    redis_server.crash(seconds=0.0)
    worker.keeper.turn()
    worker.open_again()
    assert states(worker.queue, ids) == {"sending": 1, "queued": 1}
    held.let_go.set()
    worker.finish(ids)
    assert worker.graph.messages == {ids[0]: 1, ids[1]: 1}
