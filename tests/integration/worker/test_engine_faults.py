"""What goes wrong around the engine: a Redis that stands still, defects in one attempt, a stop at a bad moment."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis

from demo.redis_server import RedisServer
from envoi import Job
from envoi.queue import begin
from envoi.queue.queue import Queue
from envoi.queue.runner import Trip
from tests.integration.worker.scripted import (
    RULES,
    TIME,
    Ends,
    HeldMessages,
    ScriptedGraph,
    go,
    jobs,
    states,
    wait_for_states,
)
from tests.waiting import wait_until, wait_until_equal
from worker import restarts, trip, trips
from worker.delivery import Delivery
from worker.engine import Engine
from worker.graph import Outcome
from worker.leases import LeaseKeeper
from worker.steps import Step
from worker.walks import Walks

SHORT = 0.3  # seconds until a trip to a frozen Redis is given up; in production 5


@pytest.fixture
def own_redis() -> Iterator[RedisServer]:
    """A Redis that may be frozen."""
    with RedisServer(aof=False) as server:
        yield server
        server.child.cont()


@pytest.fixture
def queue(own_redis: RedisServer) -> Iterator[Queue]:
    client = redis.Redis.from_url(own_redis.url, decode_responses=True, socket_timeout=SHORT)
    made = Queue(client, RULES)
    made.open_gate(made.run_id())
    yield made
    client.close()


def frozen(server: RedisServer, seconds: float) -> None:
    """Let Redis stand still for so long."""
    server.child.pause()
    time.sleep(seconds)
    server.child.cont()


def test_a_frozen_redis_costs_at_most_one_claim_however_long_it_stands_still(
    own_redis: RedisServer, queue: Queue, engine: Engine
) -> None:
    first = queue.enqueue(jobs(1, 1))
    go(engine)
    wait_for_states(queue, first, sent=1)  # it has a connection that a claim can go out by
    assert engine.wait_idle(TIME)
    ids = queue.enqueue(jobs(100, 100))
    own_redis.child.pause()
    engine.wake()
    frozen(own_redis, 8 * SHORT)
    # What a claim took whose answer nobody waited for comes back when its lease runs out, not before.
    wait_until(lambda: states(queue, ids)["sent"] >= 100 - RULES.concurrency, "all but one claim's jobs are sent")


def test_answers_that_come_while_redis_stands_still_are_told_once_it_is_back(
    own_redis: RedisServer, queue: Queue, engine: Engine, graph: ScriptedGraph
) -> None:
    graph.answer = held = HeldMessages()
    ids = queue.enqueue(jobs(5, 5))
    go(engine)
    held.wait_begun(len(ids))
    own_redis.child.pause()
    held.let_go.set()
    frozen(own_redis, 4 * SHORT)
    wait_for_states(queue, ids, sent=5)
    assert set(graph.messages.values()) == {1}


@pytest.mark.parametrize("engine", ["works on meanwhile"], indirect=True)
def test_calls_go_on_while_a_trip_to_redis_is_not_answered(
    own_redis: RedisServer, queue: Queue, engine: Engine, graph: ScriptedGraph
) -> None:
    graph.answer = held = HeldMessages()
    ids = queue.enqueue(jobs(2, 2))
    go(engine)
    held.wait_begun(2)
    own_redis.child.pause()
    engine.wake()  # a claim departs
    wait_until(lambda: engine._turning._dialogue.open, "a trip that is on its way")
    turned = engine.turned_at
    held.let_go.set()
    wait_until(
        lambda: engine.turned_at > turned and len(engine._turning._walks.wishes) == 4,
        "what the answers come to, and the ends after them",
    )
    own_redis.child.cont()
    wait_for_states(queue, ids, sent=2)


def test_a_stop_while_redis_stands_still_ends_in_time_and_names_what_is_unfinished(
    own_redis: RedisServer, queue: Queue, engine: Engine, graph: ScriptedGraph
) -> None:
    graph.answer = held = HeldMessages()
    ids = queue.enqueue(jobs(1, 1))
    keeper = LeaseKeeper(queue, engine, lambda: None)
    keeper.start()
    engine.wake()
    held.wait_begun()
    own_redis.child.pause()
    held.let_go.set()
    left = engine.stop(0.5)  # it comes back while Redis stands still, and the engine with it
    keeper.stop(0.5, leave=not left)
    assert left == ids
    assert engine.wait_idle(0)  # no bell's thread is kept
    own_redis.child.cont()
    assert "w1" in queue.workers()


def test_a_job_that_cannot_be_read_is_left_to_its_lease_and_the_others_of_its_catch_are_sent(
    queue: Queue, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = Delivery.__init__

    def init(self: Delivery, held: Any, *rest: Any) -> None:
        if held.job["recipient"]["id"] == "103":
            raise KeyError("typing")
        good(self, held, *rest)

    monkeypatch.setattr(Delivery, "__init__", init)
    ids = queue.enqueue(jobs(8, 8))
    go(engine)
    wait_for_states(queue, ids, sent=7, sending=1)
    assert engine.held() == []


def test_a_claim_that_was_answered_too_late_is_given_back_and_made_anew_and_its_bubble_is_not_left_out(
    queue: Queue, engine: Engine, graph: ScriptedGraph, ends: Ends, monkeypatch: pytest.MonkeyPatch
) -> None:
    start, late = Walks.start, [0.0]

    def started(self: Walks, held: Any, right_ends: float) -> None:
        start(self, held, late.pop() if late else right_ends)

    monkeypatch.setattr(Walks, "start", started)
    [job_id] = queue.enqueue(jobs(1, 1))
    go(engine)
    wait_for_states(queue, [job_id], sent=1)
    assert [step for _, step in graph.calls] == ["typing_on", "message", "typing_off"]
    assert [came_to for _, came_to in ends.came_to] == ["back: late", "sent"]
    assert queue.status(job_id)["attempts"] == 1


def test_a_call_that_raises_leaves_its_attempt_to_the_lease_and_does_not_hang(
    queue: Queue, engine: Engine, graph: ScriptedGraph
) -> None:
    def answer(step: Step, job: dict[str, Any]) -> Outcome | None:
        if step is Step.MESSAGE and job["recipient"]["id"] == "103":
            raise ValueError("a defect")
        return None

    graph.answer = answer
    ids = queue.enqueue(jobs(8, 8))
    go(engine)
    wait_for_states(queue, ids, sent=7, sending=1)
    wait_until(lambda: engine.held() == [], "nothing is held")


def test_a_script_that_fails_for_one_attempt_stops_no_other(
    queue: Queue, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    good: Callable[..., Any] = begin.Begin.args

    def args(self: begin.Begin, settings: Any) -> list[Any]:
        found: list[Any] = good(self, settings)
        if self.held.job["recipient"]["id"] == "103":
            found[8] = "no number"  # its patience
        return found

    monkeypatch.setattr(begin.Begin, "args", args)
    ids = queue.enqueue(jobs(8, 8))
    go(engine)
    wait_for_states(queue, ids, sent=7, sending=1)


def test_an_engine_that_breaks_stands_still_for_the_dead_man_timer_and_frees_who_waits(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ValueError("a defect")

    monkeypatch.setattr(trips, "answers_to", broken)
    go(engine)
    engine._thread.join(TIME)
    stood = engine.turned_at
    engine.wake()
    assert engine.wait_idle(TIME)
    assert engine.turned_at == stood


def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many commands each trip to Redis takes along; grows with each."""
    asked: list[int] = []
    good = trip.answers_to

    def count(found: Queue, gone: Trip, *others: Any) -> Any:
        asked.append(len(gone.commands))
        return good(found, gone, *others)

    monkeypatch.setattr(trips, "answers_to", count)
    return asked


def test_the_next_job_is_claimed_on_the_trip_that_ends_the_last(
    queue: Queue, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[list[str]] = []
    good = trip.answers_to

    def listed(found: Queue, gone: Trip, *others: Any) -> Any:
        seen.append([getattr(command, "op", command.script) for command in gone.commands])
        return good(found, gone, *others)

    monkeypatch.setattr(trips, "answers_to", listed)
    ids = queue.enqueue(jobs(4, 1))
    go(engine)
    wait_for_states(queue, ids, sent=4)
    assert engine.wait_idle(TIME)
    ending = [commands for commands in seen if "settle" in commands]
    assert ending == [["settle", "claim"]] * 4
    assert sum("begin" in commands for commands in seen) == 4


def test_a_shut_gate_is_asked_once_a_bell_and_calls_attention_once(
    queue: Queue, engine: Engine, graph: ScriptedGraph, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = counted(monkeypatch)
    ids = queue.enqueue(jobs(3, 3))
    queue.redis.script_flush()
    go(engine)
    assert engine.wait_idle(TIME)
    assert asked == [1]
    assert engine.restarts.attention.is_set()
    engine.restarts.attention.clear()
    engine.wake()
    assert engine.wait_idle(TIME)
    assert (asked, engine.restarts.attention.is_set()) == ([1, 1], False)
    queue.open_gate(queue.run_id())
    engine.wake()
    wait_for_states(queue, ids, sent=3)
    assert set(graph.messages.values()) == {1}


def test_a_page_that_may_not_send_yet_is_not_asked_for_without_end(
    queue: Queue, engine: Engine, graph: ScriptedGraph, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = counted(monkeypatch)
    queue.configure("1", pace=4)
    ids = queue.enqueue(jobs(6, 6, typing=False))
    began = time.monotonic()
    go(engine)
    wait_for_states(queue, ids, sent=6)
    took = time.monotonic() - began
    assert took >= 5 / 4  # six messages have five gaps
    assert len(asked) <= took / 0.01 + 6 * 4  # a poll every 10 ms, and each message's own trips
    assert set(graph.messages.values()) == {1}


def test_five_thousand_jobs_go_through_one_engine_and_nothing_of_them_is_kept(
    queue: Queue, engine: Engine, graph: ScriptedGraph
) -> None:
    queue.configure("1", pace=1_000_000)
    ids = [
        job_id
        for start in range(0, 5000, 500)
        for job_id in queue.enqueue(
            [Job(page="1", recipient=str(n % 700), message="hello", typing=False) for n in range(start, start + 500)]
        )
    ]
    keeper = LeaseKeeper(queue, engine, lambda: None)
    keeper.start()
    engine.wake()
    assert engine.wait_idle(3 * TIME)
    assert states(queue, ids) == {"sent": 5000}
    assert (len(graph.messages), graph.messages.total()) == (5000, 5000)
    assert engine.held() == []
    walks = engine._turning._walks
    assert (walks.timers.next_at, walks.wishes) == (math.inf, [])
    time.sleep(restarts._MARGIN + RULES.loss_bound)
    engine.restarts.attention.set()  # the keeper says that Redis is still the same
    wait_until_equal(lambda: len(engine.restarts.recall), 0, "kept in recall")
    keeper.stop(TIME)
